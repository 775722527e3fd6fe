"""What the program that makes the sample knows of template `returns-1`, from its description."""

from dataclasses import dataclass
from functools import cache
from typing import Final

import polars as pl

from assets.sample.write import returns_template
from schemas.breakdown import write_breakdown

TOTAL: Final = "total"
REVIEW_MONTHS: Final = "review_months"
BREACH: Final = "breach."
CONTINUING: Final = "continuing"
OUTCOMES: Final = tuple(returns_template().lists["outcome"])
REGISTER_KINDS: Final = tuple(returns_template().lists["kind"])
REGISTER_DECISIONS: Final = ("accepted", "declined")
BREACH_OCCUPATIONS: Final = tuple(returns_template().lists["occupation"])
APPROVED: Final = ("approved_unconditional", "approved_conditional")
SECOND_JOB_DECISIONS: Final = (*APPROVED, "refused", "withdrawn", "pending")


@dataclass(frozen=True)
class InvestigationRow:
    """What a row of the investigations sheet counts; null where the split does not apply.

    `is_part` is false for the subtotal and the total, which repeat what other rows say.
    """

    code: str
    label: str
    category: str | None
    recipient: str | None = None
    media: str | None = None
    is_part: bool = True


@dataclass(frozen=True)
class Comparator:
    """What a row of the comparators sheet counts, in the words of the published figures."""

    label: str
    measure: str
    breakdown: str
    period: str


def _investigation_rows() -> tuple[InvestigationRow, ...]:
    sheet = returns_template().sheet("investigations")
    dims = {row.code: row.entries[0].dims for row in sheet.rows}
    return tuple(
        InvestigationRow(
            row.code,
            row.label,
            dims[(row.sum_of or (row.code,))[0]].get("category") if row.code != TOTAL else None,
            dims[row.code].get("recipient"),
            dims[row.code].get("media"),
            is_part=not row.sum_of,
        )
        for row in sheet.rows
    )


INVESTIGATION_ROWS: Final = _investigation_rows()
REGISTER_ROWS: Final = {
    row.code: (row.entries[0].dims["body"], row.entries[0].dims["kind"])
    for row in returns_template().sheet("registers").rows
}
COMPARATORS: Final = {
    row.code: Comparator(row.label, str(entry.measure), write_breakdown(entry.dims), entry.period)
    for row in returns_template().sheet("comparators").rows
    for entry in row.entries
}


@cache
def capability_questions() -> pl.DataFrame:
    """One row a question: question_code (key), area, answers (joined by `|`), label."""
    rows = returns_template().sheet("capability").rows
    return pl.DataFrame(
        {
            "question_code": [row.code for row in rows],
            "area": [row.area for row in rows],
            "answers": ["|".join(row.entries[0].answers) for row in rows],
            "label": [row.label for row in rows],
        }
    )
