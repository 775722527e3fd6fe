"""Contracts of the tables between the stages that hold received extracts."""

from typing import Any

from schemas import columns as shared
from schemas.cases.columns import STATES
from schemas.contract import Table, column

UNREADABLE_STATE = "unreadable"


def _rows(what: str) -> Any:
    return column(f"{what}; null where it cannot be read", "count", nullable=True, ge=0)


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
    sha256: str = column("SHA-256 of its file's bytes, or of those of several files", "hash")
    received_at: str = column("When it was received, ISO 8601 in UTC", "time")
    files: int = column("Number of files", "count", ge=1)
    rows: int = _rows("Rows sent")
    bad: int = _rows("Rows that break a rule")
    state: str = column(
        "; ".join(f"{code} = {text}" for code, text in STATES.items())
        + f"; {UNREADABLE_STATE} = it cannot be read as an extract of one force",
        "code",
        isin=(*STATES, UNREADABLE_STATE),
    )
    live: bool = column("Whether its cases count", "true or false")
    basis: str = shared.basis()
    problem: str = column(
        "What is wrong with it, and what to do; null for nothing", "text", nullable=True
    )
