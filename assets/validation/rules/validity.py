"""Rules V on typed entries: plausible in themselves. What cannot be typed is in entry_values.py."""

from typing import Final

import polars as pl

from assets.validation.rules.consistency import INVESTIGATION_LINES, SECOND_JOBS
from assets.validation.rules.engine import Limits, Test, rule
from assets.validation.rules.views import MISSING, EntryView
from schemas import vocabulary as v
from schemas.returns_template import REVIEW_MONTHS, SUSPENDED

EACH_ENTRY: Final = EntryView()

_FREE_TEXT: Final = ("prepared_by_role", "signed_off_by_role", "assurance")
_PERSON: Final = (
    r"\b(?:Mr|Mrs|Ms|Miss|Dr|Sir|PC|WPC|DC|PS|DS|Sgt|DI|DCI|Insp|Det|Supt|CC|DCC|ACC)\.? [A-Z]"
    r"|\b(?:[Cc]onstable|[Ss]ergeant|[Ii]nspector|[Ss]uperintendent) [A-Z][a-z]+"
    r"|[\w.]+@[\w.]+|[0-9]{3,}|\b[A-Z]{1,4}[/-][0-9]"
)
"""A rank or title before a name, an e-mail address, a collar number, a case reference."""


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


@rule("V008", EACH_ENTRY)
def free_text_names_nobody() -> Test:
    """Roles, never people."""
    return Test(
        valid=~pl.col("value").str.contains(_PERSON),
        message=pl.format("{} seems to name a person or a case", pl.col("value").str.head(80)),
        applies=pl.col("row_code").is_in(_FREE_TEXT) & (pl.col("sheet") == "cover"),
    )
