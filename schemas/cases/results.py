"""The contracts of what `muster cases` writes: counts, forces, and the bad rows.

Belongs here: names, types and meanings. Does not: how they come about (assets/cases/), which does
not load this module; a test holds the two to each other.
"""

from datetime import date
from typing import Any, Final

from schemas import columns as shared
from schemas import vocabulary as v
from schemas.cases.columns import STATES
from schemas.contract import Contract, Table, column


class CaseCounts(Table):
    """Valid cases by subject, status and month; a combination without a case has no row."""

    force_code: str = shared.force_code(key=True)
    category: str = shared.category(key=True, isin=v.CATEGORIES)
    recipient: str = shared.recipient(key=True, isin=v.RECIPIENTS)
    media: str = shared.media(key=True, isin=v.MEDIA)
    status_at_census: str = shared.outcome(key=True, isin=v.OUTCOMES)
    month: date = column("First day of the month the cases were opened in", "date", key=True)
    cases: int = column("Number of valid cases", "count", ge=1)


def _of_valid(what: str) -> Any:
    return column(f"Valid cases {what}", "count", ge=0)


def _days(what: str) -> Any:
    return column(
        f"Days within which {what} of the closed valid cases were closed; null without any",
        "days",
        nullable=True,
        ge=0,
    )


class CasesByForce(Table):
    """One row a force that sent rows or is named by one."""

    force_code: str = column(
        "The folder's force, without a folder the row's own; null where a row names none",
        "code",
        key=True,
        nullable=True,
    )
    state: str = column(
        "; ".join(f"{code} = {text}" for code, text in STATES.items())
        + "; null where rows name no force of the collection and lie in no folder",
        "code",
        nullable=True,
        isin=STATES,
    )
    rows: int = column("Rows sent", "count", ge=0)
    valid: int = column("Rows that break no rule", "count", ge=0)
    bad: int = column("Rows that break a rule", "count", ge=0)
    suspended: int = _of_valid("in which somebody was suspended")
    staff: int = _of_valid("that concern police staff")
    closed: int = _of_valid("that are closed")
    days_lower_quartile: int = _days("a quarter")
    days_median: int = _days("half")
    days_upper_quartile: int = _days("three quarters")
    days_longest: int = _days("all")


def _sent(name: str) -> Any:
    return column(
        f"`{name}` as it was sent, without spaces around; null for a blank", "text", nullable=True
    )


class CaseQuarantine(Table):
    """Every bad row, as it was sent, with its place and all its reasons."""

    file: str = column("The file, as it was named to the command", "text", key=True)
    row: int = column(
        "Row of the file, from 1; the heading of a CSV file and blank lines are no rows",
        "count",
        key=True,
        ge=1,
    )
    force_code: str = _sent("force_code")
    case_ref: str = _sent("case_ref")
    category: str = _sent("category")
    recipient: str = _sent("recipient")
    media: str = _sent("media")
    opened_on: str = _sent("opened_on")
    status_at_census: str = _sent("status_at_census")
    closed_on: str = _sent("closed_on")
    suspended: str = _sent("suspended")
    workforce: str = _sent("workforce")
    reasons: str = column("Ids of the rules it breaks, joined by `;`", "code")


CASE_RESULTS: Final[dict[str, Contract]] = {
    "counts": CaseCounts,
    "by_force": CasesByForce,
    "quarantine": CaseQuarantine,
}
"""What is written beside summary.json, by name."""
