"""The sample's research as files of the research folder: stored tables, and a survey by chance.

Who gave which answer is chance that is the same on every run; somebody who trusts the police more
tends to answer so throughout.
"""

from collections.abc import Iterator, Mapping
from hashlib import blake2b
from pathlib import Path
from statistics import NormalDist
from typing import Final

import polars as pl

from schemas.collection import Collection
from schemas.research import (
    ALONE,
    BASIS_FILE,
    DONT_KNOW,
    FILES,
    NO,
    QUESTIONS,
    YES,
    ResponsesInUse,
    columns_sent,
)

_SEED: Final = 7976
"""One whose draws lie close to the published spread over forces, so that little is adjusted."""


def fraction(*key: object) -> float:
    """Return a number above 0 and below 1, evenly spread, that depends on the key alone."""
    text = "|".join(map(str, (_SEED, *key)))
    drawn = int.from_bytes(blake2b(text.encode(), digest_size=6).digest(), "big")
    return (drawn + 0.5) / 2**48


def deviate(*key: object) -> float:
    """Return a standard normal deviate that depends on the key alone."""
    return NormalDist().inv_cdf(fraction(*key))


PROFILES_PATH: Final = Path(__file__).with_name("social_media_profiles.csv")
INSTANCES_PATH: Final = Path(__file__).with_name("social_media_instances.csv")
SURVEY_PATH: Final = Path(__file__).with_name("survey_counts.csv")
"""How many respondents gave each answer in each wave."""

_BASIS: Final = "reconstructed"
Answers = Mapping[str, int]
"""How many respondents gave each answer."""

_LOADING: Final = 0.6
"""How much of what a respondent answers is trust, the rest being chance."""

_AGAINST: Final = ("corruption_common", "disclosure_to_media_big_problem")
"""Statements that those agree with who trust the police less."""

_REVERSED: Final = {YES: NO, NO: YES, DONT_KNOW: DONT_KNOW}


def sample_research(collection: Collection) -> dict[str, str]:
    """Return the text of each file of the research folder, by name.

    The years are the collection's own and the one before it. None of it was found by anybody; the
    file of the basis says so.
    """
    tables = (
        pl.read_csv(PROFILES_PATH),
        pl.read_csv(INSTANCES_PATH),
        sample_survey(pl.read_csv(SURVEY_PATH)),
    )
    later = collection.census.year - pl.col("year").max()
    texts = {}
    for (name, contract), stored in zip(FILES.items(), tables, strict=True):
        table = stored.with_columns(pl.col("year") + later)
        if "force_code" in table.columns:
            table = table.filter(pl.col("force_code").is_in(collection.forces))
        texts[name] = table.select(c.name for c in columns_sent(contract)).write_csv()
    return {**texts, BASIS_FILE: f"{_BASIS}\n"}


def sample_survey(counts: pl.DataFrame) -> pl.DataFrame:
    """Return one row an answer: respondent_id, year, wave, question, answer."""
    rows = []
    for (year, wave), mine in sorted(counts.partition_by("year", "wave", as_dict=True).items()):
        questions = {
            str(code): dict(answers.select("answer", "respondents").iter_rows())
            for (code,), answers in mine.partition_by("question", as_dict=True).items()
        }
        for person, question, answer in _wave(f"{year}-{wave}", questions):
            rows.append((person, year, wave, question, answer))
    return pl.DataFrame(rows, schema=[c.name for c in columns_sent(ResponsesInUse)], orient="row")


def _wave(name: str, counts: Mapping[str, Answers]) -> Iterator[tuple[str, str, str]]:
    """Yield respondent, question and answer of one wave, respondent by respondent."""
    open_to_all = (answers for code, answers in counts.items() if not QUESTIONS[code].asked_of)
    size = sum(next(open_to_all).values())
    people = [f"{name}-{number:04d}" for number in range(1, size + 1)]
    trust = {person: deviate("trust", person) for person in people}
    given: dict[str, dict[str, list[str]]] = {}
    for code, question in QUESTIONS.items():
        if question.reverse_of:
            reverse = given.get(question.reverse_of, {})
            given[code] = {person: [_REVERSED[said[0]]] for person, said in reverse.items()}
        elif code in counts and question.asked_of:
            before, answer = question.asked_of
            asked = [person for person, said in given[before].items() if answer in said]
            given[code] = _several(code, counts[code], asked)
        elif code in counts:
            given[code] = _statement(code, counts[code], trust)
    for person in people:
        for code, answers in given.items():
            yield from ((person, code, answer) for answer in answers.get(person, []))


def _statement(code: str, counts: Answers, trust: Mapping[str, float]) -> dict[str, list[str]]:
    """Give those the answer yes who lean to it most, and no those who lean to it least."""
    loading = -_LOADING if code in _AGAINST else _LOADING
    chance = (1 - loading**2) ** 0.5
    leaning = {p: loading * t + chance * deviate(code, p) for p, t in trust.items()}
    answers = [answer for answer in (YES, DONT_KNOW, NO) for _ in range(counts[answer])]
    in_order = sorted(leaning, key=leaning.__getitem__, reverse=True)
    return {person: [answer] for person, answer in zip(in_order, answers, strict=True)}


def _several(code: str, counts: Answers, asked: list[str]) -> dict[str, list[str]]:
    """Give each answer to as many as gave it, at least one to everybody who was asked."""
    given: dict[str, list[str]] = {person: [] for person in asked}
    for answer in sorted(counts, key=lambda a: a not in ALONE):
        free = [person for person, said in given.items() if not set(said) & set(ALONE)]
        if answer in ALONE:
            free = [person for person in free if not given[person]]
        for person in sorted(free, key=lambda p: fraction(code, answer, p))[: counts[answer]]:
            given[person].append(answer)
    for person in [person for person, said in given.items() if not said]:
        talkative = max(given, key=lambda p: len(given[p]))
        given[person].append(given[talkative].pop())
    return given
