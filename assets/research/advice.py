"""What people are told when a row breaks a check of its file's contract.

Belongs here: for each check the column to look at, what was expected and what to do. Does not: the
checks themselves (schemas/research.py).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from schemas.research import ALONE, INSTANCE_CATEGORIES, QUESTIONS, SITES
from schemas.vocabulary import NOT_HELD

STANDS_TWICE: Final = "multiple_fields_uniqueness"
"""Pandera's own name for a key that stands in several rows."""


@dataclass(frozen=True)
class Advice:
    """Wording for one check; `column` None means the whole row.

    The texts may name columns of the row in braces, `{answers}` of its question and the `{route}`
    to it. A check that `needs_other_rows` tells nothing while any row may be wrong or left out.
    """

    column: str | None
    expected: str
    fix: str
    needs_other_rows: bool = False

    def of(self, row: Mapping[str, Any]) -> tuple[str, str]:
        """Return what was expected of a row, and what to do."""
        question = QUESTIONS.get(row.get("question", ""))
        asked_of = question.asked_of if question else None
        words = {
            **{name: NOT_HELD if value is None else value for name, value in row.items()},
            "answers": ", ".join(question.answers) if question else "",
            "route": f"{asked_of[1]} to {asked_of[0]}" if asked_of else "",
        }
        return self.expected.format_map(words), self.fix.format_map(words)


_COMPARE: Final = "Compare the two numbers with the researchers' own and type the right ones."

ADVICE: Final[dict[str, Advice]] = {
    STANDS_TWICE: Advice(None, "one row for each key", "Keep one of the rows."),
    "profiles_within": Advice("profiles_inappropriate", "at most profiles, {profiles}", _COMPARE),
    "accounts_within": Advice(
        "accounts_still_visible",
        "at most accounts_inappropriate, {accounts_inappropriate}",
        _COMPARE,
    ),
    "every_kind": Advice(
        "category",
        f"{len(SITES) * len(INSTANCE_CATEGORIES)} rows for {{force_code}} in {{year}}, one for each"
        " site and category",
        "Add a row for each that is missing, with 0 where nothing was found.",
        needs_other_rows=True,
    ),
    "answer_of_question": Advice("answer", "one of {answers}", "Type an answer to {question}."),
    "one_wave": Advice(
        "wave",
        "one wave for {respondent_id} in {year}",
        "Give each respondent an id of their own, or type the one wave.",
    ),
    "one_answer": Advice(
        "answer",
        "one answer of {respondent_id} to {question}",
        f"Keep the one that was given. Where several are allowed, {' and '.join(ALONE)} still stand"
        " alone.",
    ),
    "led_to": Advice(
        "question",
        "a respondent who answered {route}",
        "Mend the id or the earlier answer, or remove the row.",
        needs_other_rows=True,
    ),
    "no_contradiction": Advice(
        "answer",
        "no respondent who says yes to the reverse too",
        "Type what the respondent said: yes to the one question is no to the other.",
    ),
}
"""By the name of the check in the contract."""
