"""Contracts of case-level extracts: what is sent, what `muster cases` writes, what a lake holds.

The pass for volume does not load them, since pandera takes most of a second; a test holds that its
columns are theirs.
"""

from datetime import date
from typing import Any, Final

import polars as pl

from schemas import columns as shared
from schemas.cases.columns import STATES, WORKFORCE
from schemas.contract import Contract, Table, column

UNREADABLE_STATE = "unreadable"
DAMAGED_STATE = "damaged"


class CaseExtract(Table):
    """Investigations as a force sends them: one row a case, no names and no free text."""

    force_code: str = shared.force_code(key=True)
    case_ref: str = column("Reference: <force_code>-<year>-<1 to 9 digits>", "code", key=True)
    category: str = shared.category()
    recipient: str = shared.recipient()
    media: str = shared.media()
    opened_on: pl.Date = column("Day the investigation was opened", "date")
    status_at_census: str = shared.outcome()
    closed_on: pl.Date = column(
        "Day the investigation ended; null where it continued at the census date",
        "date",
        nullable=True,
    )
    suspended: bool = column("Whether somebody was suspended in this case", "true or false")
    workforce: str = column("Whom the case concerns", "code", isin=WORKFORCE)


class CaseCounts(Table):
    """Valid cases by subject, status and month; a combination without a case has no row."""

    force_code: str = shared.force_code(key=True)
    category: str = shared.category(key=True)
    recipient: str = shared.recipient(key=True)
    media: str = shared.media(key=True)
    status_at_census: str = shared.outcome(key=True)
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


def _rows(what: str) -> Any:
    return column(f"{what}; null where it cannot be read", "count", nullable=True, ge=0)


_UNTOLD = "; null where a damaged receipt does not tell"


class Extracts(Table):
    """The newest extract of each force, the one that counts, and files that are nobody's."""

    receipt_id: str = column(
        "Identifies the extract: the start of its sha256; where another force sent the same bytes"
        " before, of the sha256 of the force and that",
        "code",
        key=True,
    )
    force_code: str = shared.force_code(nullable=True)
    version: int = column(
        "Which of the force's extracts it is, from 1; null where the force cannot be told",
        "count",
        nullable=True,
        ge=1,
    )
    sha256: str = column(
        "SHA-256 of its file's bytes, or of those of several files" + _UNTOLD, "hash", nullable=True
    )
    received_at: str = column(
        "When it was received, ISO 8601 in UTC" + _UNTOLD, "time", nullable=True
    )
    files: int = column("Number of files" + _UNTOLD, "count", nullable=True, ge=1)
    rows: int = _rows("Rows sent")
    bad: int = _rows("Rows that break a rule")
    state: str = column(
        "; ".join(f"{code} = {text}" for code, text in STATES.items())
        + f"; {UNREADABLE_STATE} = it cannot be read as an extract of one force; {DAMAGED_STATE} ="
        " it, or what may be a newer one, is damaged in the raw store: no earlier one counts in its"
        " place",
        "code",
        isin=(*STATES, UNREADABLE_STATE, DAMAGED_STATE),
    )
    live: bool = column("Whether its cases count", "true or false")
    basis: str = shared.basis()
    problem: str = column(
        "What is wrong with it, and what to do; null for nothing", "text", nullable=True
    )
