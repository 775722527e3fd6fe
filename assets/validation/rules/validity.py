"""Rules V on typed entries: plausible in themselves. What cannot be typed is in entry_values.py."""

from typing import Final

import polars as pl

from assets.validation.rules.consistency import INVESTIGATION_LINES, SECOND_JOBS
from assets.validation.rules.engine import Limits, Test, rule
from assets.validation.rules.views import MISSING, EntryView
from schemas import vocabulary as v
from schemas.returns_template import REVIEW_MONTHS, SUSPENDED

EACH_ENTRY: Final = EntryView()


@rule("V005", INVESTIGATION_LINES)
def suspensions_belong_to_continuing_cases() -> Test:
    """People are suspended while a case is open."""
    return Test(
        at=SUSPENDED,
        valid=pl.col(v.CONTINUING) > 0,
        message=pl.format("{} people suspended, but no case continuing", SUSPENDED),
        applies=pl.col(SUSPENDED) > 0,
    )


@rule("V006", SECOND_JOBS)
def the_review_interval_is_plausible(limits: Limits) -> Test:
    """Neither never nor in another lifetime."""
    low, high = int(limits["lowest"]), int(limits["highest"])
    return Test(
        at=REVIEW_MONTHS,
        valid=pl.col(REVIEW_MONTHS).is_between(low, high),
        message=pl.format(f"{{}} months, outside {low} to {high}", REVIEW_MONTHS),
        applies=pl.col(REVIEW_MONTHS + MISSING).is_null(),
    )


@rule("V007", EACH_ENTRY)
def counts_are_below_the_ceiling(limits: Limits) -> Test:
    """No force has that many of anything."""
    ceiling = int(limits["ceiling"])
    return Test(
        valid=pl.col("number") <= ceiling,
        message=pl.format(f"{{}} is above the ceiling of {ceiling:,}", "number"),
        applies=pl.col("number").is_not_null(),
    )
