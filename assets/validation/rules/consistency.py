"""Rules C: the figures on a sheet agree with each other."""

from collections.abc import Sequence
from typing import Final

import polars as pl

from assets.validation.rules.engine import Test, rule
from assets.validation.rules.views import MISSING, SpreadView
from schemas import vocabulary as v
from schemas.returns_template import BREACH, INVESTIGATION_ROWS, TOTAL

INVESTIGATION_LINES: Final = SpreadView("investigation_rows", "investigations", "column_code")
INVESTIGATION_COLUMNS: Final = SpreadView("investigation_columns", "investigations", "row_code")
REGISTER_LINES: Final = SpreadView("register_rows", "registers", "column_code")
SECOND_JOBS: Final = SpreadView("second_jobs", "second_jobs", "row_code")
COMPARATORS: Final = SpreadView("comparators", "comparators", "row_code")

_DISCLOSURE: Final = "information_disclosure"
_KINDS: Final = [row.code for row in INVESTIGATION_ROWS if row.recipient]
_SUBJECTS: Final = [
    _DISCLOSURE,
    *(row.code for row in INVESTIGATION_ROWS if row.is_part and not row.recipient),
]


def _sum_is(parts: Sequence[str], total: str, what: str) -> Test:
    added = pl.sum_horizontal(parts, ignore_nulls=False)
    text = f"{what} add up to {{}}, but {total} says {{}}: {{}}"
    off = added - pl.col(total)
    return Test(at=total, valid=off == 0, message=pl.format(text, added, total, _by(off)))


def _by(off: pl.Expr) -> pl.Expr:
    few, many = pl.format("{} too few", off), pl.format("{} too many", -off)
    return pl.when(off > 0).then(few).otherwise(many)


@rule("C101", INVESTIGATION_LINES)
def outcomes_add_up_to_the_total() -> Test:
    """Every investigation stood at exactly one outcome."""
    return _sum_is(list(v.OUTCOMES), TOTAL, "the five outcomes")


@rule("C102", INVESTIGATION_COLUMNS)
def kinds_add_up_to_information_disclosure() -> Test:
    """Every disclosure is counted under one recipient, those to the media under one kind."""
    return _sum_is(_KINDS, _DISCLOSURE, "the kinds of disclosure")


@rule("C103", INVESTIGATION_COLUMNS)
def categories_add_up_to_the_total() -> Test:
    """Every investigation is counted under one main subject."""
    return _sum_is(_SUBJECTS, TOTAL, "the categories")


@rule("C401", REGISTER_LINES)
def register_entries_add_up_to_the_total() -> Test:
    """Where declined offers are not recorded, what is recorded are the accepted ones."""
    declined_not_held = pl.col("declined" + MISSING).eq_missing(v.NOT_HELD)
    added = pl.col("accepted") + pl.when(declined_not_held).then(0).otherwise("declined")
    off = added - pl.col(TOTAL)
    held = pl.col("accepted" + MISSING).is_null() & pl.col(TOTAL + MISSING).is_null()
    text = f"accepted and declined add up to {{}}, but {TOTAL} says {{}}: {{}}"
    return Test(
        at=TOTAL,
        valid=off == 0,
        message=pl.format(text, added, TOTAL, _by(off)),
        applies=held & (pl.col("declined" + MISSING).is_null() | declined_not_held),
    )


@rule("C501", SECOND_JOBS)
def decisions_add_up_to_the_applications() -> Test:
    """Every application stood at exactly one decision."""
    return _sum_is(list(v.SECOND_JOB_DECISIONS), TOTAL, "the five decisions")


@rule("C502", SECOND_JOBS)
def breaches_are_no_more_than_approvals() -> Test:
    """An approval against guidance is one of the approvals; one not held counts as nothing."""
    breaches = [BREACH + occupation for occupation in v.BREACH_OCCUPATIONS]
    held = [
        pl.when(pl.col(code + MISSING).is_not_null()).then(0).otherwise(code) for code in breaches
    ]
    against = pl.sum_horizontal(held, ignore_nulls=False)
    approved = pl.sum_horizontal(v.APPROVED, ignore_nulls=False)
    return Test(
        at=breaches[0],
        valid=against <= approved,
        message=pl.format("{} approvals against guidance, but {} approvals", against, approved),
    )


@rule("C701", COMPARATORS)
def parts_of_an_earlier_period_are_no_more_than_its_whole() -> Test:
    """Both parts are subjects of the investigations of that year."""
    whole, *parts = (
        "investigations_2010_11",
        "information_disclosure_2010_11",
        "second_jobs_2010_11",
    )
    added = pl.sum_horizontal(parts, ignore_nulls=False)
    return Test(
        at=whole,
        valid=added <= pl.col(whole),
        message=pl.format(f"the two parts add up to {{}}, but {whole} says {{}}", added, whole),
        applies=pl.all_horizontal(pl.col(code + MISSING).is_null() for code in (whole, *parts)),
    )
