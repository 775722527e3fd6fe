"""What the program that makes the sample knows of template `returns-1`, from its description."""

from dataclasses import dataclass
from functools import cache
from typing import Final

import polars as pl

from assets.sample.returns_template import returns_template
from schemas.breakdown import write_breakdown

REVIEW_MONTHS: Final = "review_months"
BREACH: Final = "breach."


@dataclass(frozen=True)
class Comparator:
    """What a row of the comparators sheet counts, in the words of the published figures."""

    label: str
    measure: str
    breakdown: str
    period: str


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
