"""Shares the published percents of the survey out over its waves and answers.

Belongs here: how many respondents of a wave gave which answer. Does not: which respondent gave it
(survey.py).
"""

from collections.abc import Iterator, Mapping
from typing import Final, NamedTuple

import polars as pl

from schemas.breakdown import read_breakdown
from schemas.collection import Collection
from schemas.research import DONT_KNOW, NO, QUESTIONS, WAVES, YES
from tools.make_sample.counts import step_cost
from tools.make_sample.likelihood import draw
from tools.make_sample.program import Program, Unknown

_PASSED_OVER: Final = ("SUR-08", "SUR-20")
"""Figures that others contradict, which the sample meets instead.

SUR-08: the chapter on the survey prints SUR-05B. SUR-20: the number printed beside it, SUR-21, fits
the 86 of them who were asked more in one of two waves (SUR-22).
"""

_FIRST_WAVE: Final = {"reason_corruption_common": 2, "personal_experience_detail": 3}
"""The wave in which a question was added, as the publication says; the others stand in all."""

_ASSUMED_UNDECIDED: Final = 3.0
"""Percent that neither agrees nor disagrees, where only the percent that agrees was published."""


class Answered(NamedTuple):
    """An answer to a question in one wave."""

    year: int
    wave: int
    question: str
    answer: str


class Printed(NamedTuple):
    """A figure of the survey; `question` and `answer` are None where it is about more."""

    measure: str
    year: int
    question: str | None
    answer: str | None
    value: float


def solve_survey(collection: Collection) -> dict[Answered, int]:
    """Return how many respondents gave each answer in each wave, zeros included."""
    printed = list(_printed(collection))
    sizes = {p.year: round(p.value) for p in printed if p[0] == _PEOPLE and p.question is None}
    program = Program()
    counts = {
        answered: program.near(draw(mean, "survey", *answered), step_cost(mean, *answered))
        for answered, mean in _expected(printed, sizes).items()
    }
    for year, size in sizes.items():
        for wave in WAVES:
            _require_everybody_answers(program, counts, year, wave, _wave_size(size, wave))
    for figure in printed:
        if figure.question:
            _require_printed(program, counts, figure, _base(printed, figure))
    _require_routes(program, counts)
    solution = program.solve()
    return {answered: solution[unknown] for answered, unknown in sorted(counts.items())}


_PEOPLE: Final = "survey_respondents"
_PERCENT: Final = "survey_percent"


def _printed(collection: Collection) -> Iterator[Printed]:
    """Yield the figures that the sample meets; one worded loosely is met with another."""
    rows = collection.published_figures.filter(
        pl.col("basis") == "survey",
        pl.col("measure").is_in([_PEOPLE, _PERCENT]),
        pl.col("qualifier").is_in(["exact", "rounded"]),
        ~pl.col("figure_id").is_in(_PASSED_OVER),
    )
    for row in rows.iter_rows(named=True):
        parts = read_breakdown(row["breakdown"])
        year, question, answer = (parts.get(key) for key in ("year", "question", "answer"))
        yield Printed(row["measure"], int(str(year)), question, answer, row["value"])


def _wave_size(size: int, wave: int) -> int:
    """Return how many of a year's respondents a wave has; assumed to be equal."""
    return size // len(WAVES) + (wave <= size % len(WAVES))


def _base(printed: list[Printed], figure: Printed) -> int:
    """Return how many respondents were asked the question of a figure."""
    asked = {p.question: p.value for p in printed
             if p[:2] == (_PEOPLE, figure.year) and p.answer is None}  # fmt: skip
    return round(asked.get(figure.question, asked[None]))


def _expected(printed: list[Printed], sizes: Mapping[int, int]) -> dict[Answered, float]:
    """Return the expected count of each answer in each wave in which it could be given."""
    found: dict[Answered, float] = {}
    percents = {p[1:4]: p.value for p in printed if p.measure == _PERCENT}
    people = {p[1:4]: p.value for p in printed if p.measure == _PEOPLE}
    for year, code in sorted({(p.year, p.question) for p in printed if p.question}):
        question = QUESTIONS[str(code)]
        if question.reverse_of:
            continue
        waves = WAVES[_FIRST_WAVE.get(str(code), 1) - 1 :]
        for answer in question.answers:
            whole = people.get((year, code, answer))
            if whole is None:
                percent = _percent(percents, year, str(code), answer)
                whole = percent * people.get((year, code, None), sizes[year]) / 100
            for wave in waves:
                found[Answered(year, wave, str(code), answer)] = whole / len(waves)
    return found


def _percent(
    percents: Mapping[tuple[int, str | None, str | None], float], year: int, code: str, answer: str
) -> float:
    """Return the percent to expect of an answer."""
    if (year, code, answer) in percents or QUESTIONS[code].several:
        return percents.get((year, code, answer), 0.0)
    agree = percents[year, code, None]
    reverse = (percents.get((year, other, None)) for other, q in QUESTIONS.items()
               if q.reverse_of == code)  # fmt: skip
    deny = next((p for p in reverse if p is not None), 100 - agree - _ASSUMED_UNDECIDED)
    return {YES: agree, NO: deny, DONT_KNOW: 100 - agree - deny}[answer]


def _require_everybody_answers(
    program: Program, counts: Mapping[Answered, Unknown], year: int, wave: int, size: int
) -> None:
    """Require that a question that everybody is asked has one answer of each respondent."""
    for code, question in QUESTIONS.items():
        given = [unknown for at, unknown in counts.items() if at[:3] == (year, wave, code)]
        if given and not question.asked_of:
            program.require_total(given, size)


def _require_printed(
    program: Program, counts: Mapping[Answered, Unknown], figure: Printed, base: int
) -> None:
    """Require that the answers make a figure; a percent is met as nearly as a count can."""
    code, answer = str(figure.question), figure.answer or YES
    if QUESTIONS[code].reverse_of:
        code, answer = str(QUESTIONS[code].reverse_of), NO
    if figure.measure == _PEOPLE and not figure.answer:
        code, answer = QUESTIONS[code].asked_of or (code, answer)
    first = _FIRST_WAVE.get(str(figure.question), 1)
    given = [
        unknown
        for at, unknown in counts.items()
        if (at.year, at.question, at.answer) == (figure.year, code, answer) and at.wave >= first
    ]
    share = 1.0 if figure.measure == _PEOPLE else base / 100
    program.require_total(given, round(figure.value * share))


def _require_routes(program: Program, counts: Mapping[Answered, Unknown]) -> None:
    """Require that an answer of several is given by nobody who was not asked."""
    for at, unknown in counts.items():
        route = QUESTIONS[at.question].asked_of
        if route:
            asked = counts[Answered(at.year, at.wave, *route)]
            program.require({asked: 1.0, unknown: -1.0}, low=0)
