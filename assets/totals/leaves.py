"""From a figure back to the live cells that make it.

Belongs here: reading a measure and breakdown the other way round. Does not: adding up for the
marts (measures/); the two are written apart, and a test holds them to each other.
"""

from collections.abc import Callable
from typing import Final

import polars as pl

from assets.totals import counted
from schemas import vocabulary as v
from schemas.breakdown import read_breakdown
from schemas.returns_template import REVIEW_MONTHS, capability_questions

_NOW: Final[dict[str, Callable[[pl.DataFrame], pl.DataFrame]]] = {
    "investigations": counted.investigations,
    "people_suspended": counted.people_suspended,
    "register_entries": counted.register_entries,
    "second_job_applications": counted.second_job_applications,
    "second_job_approvals_in_breach": counted.second_job_breaches,
    "second_job_review_months": lambda live: counted.single(
        live, "second_jobs", REVIEW_MONTHS, "count"
    ),
}


def leaf_cells(
    live: pl.DataFrame, measure: str, breakdown: str, period: str
) -> pl.DataFrame | None:
    """Return the live cells that a count is the sum of, or None where the measure is no such count.

    Args:
        live: table LiveEntries.
        measure: a measure that is a plain count (not a share, a rate or a statistic).
        breakdown: its breakdown.
        period: its period.

    Returns:
        The rows of LiveEntries, `number` being what each adds: for a count of answers, 1 where
        the force gave the answer and 0 where it gave another.
    """
    if period != "collection" or measure == "cards_held":
        same = (pl.col("measure") == measure) & (pl.col("breakdown") == breakdown)
        return _sent(counted.comparators(live).filter(same & (pl.col("period") == period)))
    parts = read_breakdown(breakdown)
    if measure == "capability" and set(parts) == {"question", "answer"}:
        answers = counted.capability(live, capability_questions())
        asked = answers.filter(pl.col("question") == parts["question"])
        given = pl.col("value").is_in(parts["answer"].split("|"))
        return _sent(asked.with_columns(given.cast(pl.Int64).alias("number")))
    if measure not in _NOW:
        return None
    cells = _NOW[measure](live)
    if not set(parts) <= set(cells.columns):
        return None
    for key, value in parts.items():
        cells = cells.filter(_where(key, value))
    return _sent(cells)


def _where(key: str, value: str) -> pl.Expr:
    if (key, value) == ("outcome", v.COMPLETED):
        return pl.col("outcome") != v.CONTINUING
    return pl.col(key) == value


def _sent(cells: pl.DataFrame) -> pl.DataFrame:
    return cells.filter(pl.col("force_code").is_not_null())


def sum_of(cells: pl.DataFrame) -> int | None:
    """Return the sum of leaf cells, None where none of them holds a number."""
    held = cells["number"].drop_nulls()
    return int(held.sum()) if len(held) else None
