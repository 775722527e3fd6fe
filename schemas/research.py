"""The inspectorate's own inputs, as research.toml describes them, and what holds in their rows."""

import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import polars as pl

from schemas import vocabulary
from schemas.contract import Column, Contract, described
from schemas.reference import forces

_FILE: Final = tomllib.loads(Path(__file__).with_suffix(".toml").read_text(encoding="utf-8"))
SITES: Final[dict[str, str]] = _FILE["sites"]
INSTANCE_CATEGORIES: Final[dict[str, str]] = _FILE["instance_categories"]
WAVES: Final = (1, 2, 3)
"""The monthly rounds of interviews in a year."""

YES: Final = "yes"
NO: Final = "no"
DONT_KNOW: Final = "dont_know"
REFUSED: Final = "refused"

ALONE: Final = (DONT_KNOW, REFUSED)
"""Answers that exclude every other, whatever the question."""


@dataclass(frozen=True)
class Question:
    """A question of the survey, in our words.

    `several` says whether one respondent may give several answers; `asked_of` is the question and
    answer that lead to it, None where everybody is asked; `reverse_of` is the question that it
    denies: yes to the one is no to the other.
    """

    label: str
    answers: dict[str, str]
    several: bool = False
    asked_of: tuple[str, str] | None = None
    reverse_of: str | None = None


QUESTIONS: Final = {
    code: Question(
        asked["label"],
        asked.get("answers", _FILE["statement"]),
        asked.get("several", False),
        tuple(asked["asked_of"]) if "asked_of" in asked else None,
        asked.get("reverse_of"),
    )
    for code, asked in _FILE["questions"].items()
}


LISTS: Final = {
    "FORCES": forces()["force_code"].to_list(),
    "SITES": SITES,
    "INSTANCE_CATEGORIES": INSTANCE_CATEGORIES,
    "WAVES": WAVES,
    "QUESTIONS": QUESTIONS,
}
"""The lists of codes of research, by the names under which descriptions of tables mean them."""

TABLES: Final = described(_FILE["tables"], vars(vocabulary) | LISTS)
ProfilesInUse, InstancesInUse, ResponsesInUse = TABLES.values()

FILES: Final = {f"{name.removeprefix('research/')}.csv": table for name, table in TABLES.items()}
"""The files of landing/<collection>/research/ by name, and what each becomes."""

BASIS_FILE: Final = "basis.txt"
"""May stand beside them and hold one code of vocabulary.BASES; without it they are `submitted`."""


def columns_sent(contract: Contract) -> list[Column]:
    """Return the columns that a file has itself: its basis is said beside it."""
    return [column for column in contract.columns if column.name != "basis"]


_RESPONDENT: Final = ["respondent_id", "year"]
_GIVEN: Final = [*_RESPONDENT, "question"]
_PAIRS: Final = [f"{code} {answer}" for code, q in QUESTIONS.items() for answer in q.answers]
_SINGLE: Final = [code for code, question in QUESTIONS.items() if not question.several]


def _at_most(part: str, whole: str) -> pl.Expr:
    """A part that was counted is at most its whole, which then was counted too."""
    return pl.col(part).is_null() | (pl.col(part) <= pl.col(whole)).fill_null(value=False)


def _answers(question: str, answer: str) -> pl.Expr:
    return (pl.col("question") == question) & (pl.col("answer") == answer)


def _gave(question: str, answer: str) -> pl.Expr:
    """Return whether the respondent of the row gave an answer to a question that year."""
    return _answers(question, answer).any().over(_RESPONDENT)


ROW_CHECKS: Final[dict[Contract, dict[str, tuple[str | None, pl.Expr]]]] = {
    ProfilesInUse: {
        "profiles_within": (
            "profiles_inappropriate",
            _at_most("profiles_inappropriate", "profiles"),
        ),
        "accounts_within": (
            "accounts_still_visible",
            _at_most("accounts_still_visible", "accounts_inappropriate"),
        ),
    },
    InstancesInUse: {
        "every_kind": (
            "category",
            pl.struct("site", "category").n_unique().over("force_code", "year")
            == len(SITES) * len(INSTANCE_CATEGORIES),
        ),
    },
    ResponsesInUse: {
        "answer_of_question": (
            "answer",
            pl.concat_str("question", "answer", separator=" ").is_in(_PAIRS),
        ),
        "one_wave": ("wave", pl.col("wave").n_unique().over(_RESPONDENT) == 1),
        "one_answer": (
            "answer",
            ~pl.col("question").is_in(_SINGLE) & ~pl.col("answer").is_in(ALONE).any().over(_GIVEN)
            | pl.struct(_GIVEN).is_unique(),
        ),
        "led_to": (
            "question",
            pl.all_horizontal(
                (pl.col("question") != code) | _gave(*question.asked_of)
                for code, question in QUESTIONS.items()
                if question.asked_of
            ),
        ),
        "no_contradiction": (
            "answer",
            ~pl.any_horizontal(
                _answers(code, YES) & _gave(question.reverse_of, YES)
                for code, question in QUESTIONS.items()
                if question.reverse_of
            ),
        ),
    },
}
"""What holds in every row of a file beside its key: its name in rules/research.toml, the column at
which a failure is shown, and the expression, which is never null."""
