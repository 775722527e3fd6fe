"""Rules C: the figures on a sheet agree with each other."""

from collections.abc import Sequence
from typing import Final

import polars as pl

from assets.validation.rules.engine import Test, rule
from assets.validation.rules.views import MISSING
from schemas import vocabulary as v
from schemas.returns_template import INVESTIGATION_ROWS, TOTAL

_DISCLOSURE: Final = "information_disclosure"
_KINDS: Final = [row.code for row in INVESTIGATION_ROWS if row.recipient]
_SUBJECTS: Final = [
    _DISCLOSURE,
    *(row.code for row in INVESTIGATION_ROWS if row.is_part and not row.recipient),
]


def _sum_is(parts: Sequence[str], total: str, what: str) -> Test:
    added = pl.sum_horizontal(parts, ignore_nulls=False)
    off = added - pl.col(total)
    message = pl.format(
        f"{what} add up to {{}}, but {total} says {{}}: {{}}", added, total, _by(off)
    )
    return Test(valid=off == 0, message=message)


def _by(off: pl.Expr) -> pl.Expr:
    return (
        pl.when(off > 0)
        .then(pl.format("{} too few", off))
        .otherwise(pl.format("{} too many", -off))
    )


@rule("C101", view="investigation_rows", at=TOTAL)
def outcomes_add_up_to_the_total() -> Test:
    """Every investigation stood at exactly one outcome."""
    return _sum_is(list(v.OUTCOMES), TOTAL, "the five outcomes")


@rule("C102", view="investigation_columns", at=_DISCLOSURE)
def kinds_add_up_to_information_disclosure() -> Test:
    """Every disclosure is counted under one recipient, those to the media under one kind."""
    return _sum_is(_KINDS, _DISCLOSURE, "the kinds of disclosure")


@rule("C103", view="investigation_columns", at=TOTAL)
def categories_add_up_to_the_total() -> Test:
    """Every investigation is counted under one main subject."""
    return _sum_is(_SUBJECTS, TOTAL, "the categories")


@rule("C401", view="register_rows", at=TOTAL)
def register_entries_add_up_to_the_total() -> Test:
    """Where declined offers are not recorded, what is recorded are the accepted ones."""
    declined_not_held = pl.col("declined" + MISSING) == v.NOT_HELD
    declined = pl.when(declined_not_held).then(0).otherwise("declined")
    added = pl.col("accepted") + declined
    off = added - pl.col(TOTAL)
    held = pl.col("accepted" + MISSING).is_null() & pl.col(TOTAL + MISSING).is_null()
    return Test(
        valid=off == 0,
        message=pl.format(
            "accepted and declined add up to {}, but total says {}: {}", added, TOTAL, _by(off)
        ),
        applies=held & (pl.col("declined" + MISSING).is_null() | declined_not_held),
    )


@rule("C501", view="second_jobs", at=TOTAL)
def decisions_add_up_to_the_applications() -> Test:
    """Every application stood at exactly one decision."""
    return _sum_is(list(v.SECOND_JOB_DECISIONS), TOTAL, "the five decisions")
