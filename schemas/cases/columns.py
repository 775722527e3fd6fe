"""The columns of a case-level extract and their codes, without the cost of loading pandera.

Belongs here: the closed list of names and types that a file is held against before it is read.
Does not: what the columns mean (contract.py) or what their values must be (rules.py).
"""

import re
from collections.abc import Sequence
from datetime import date
from typing import Final

import polars as pl

from schemas import vocabulary as v

TYPES: Final[dict[str, type[pl.DataType]]] = {
    "force_code": pl.String,
    "case_ref": pl.String,
    "category": pl.String,
    "recipient": pl.String,
    "media": pl.String,
    "opened_on": pl.Date,
    "status_at_census": pl.String,
    "closed_on": pl.Date,
    "suspended": pl.Boolean,
    "workforce": pl.String,
}
"""Exactly these columns, in any order; free text has no place in an extract."""

WORKFORCE: Final = {"officer": "Police officer", "staff": "Member of police staff"}

CODES: Final[dict[str, tuple[str, ...]]] = {
    "category": tuple(sorted(v.CATEGORIES)),
    "recipient": tuple(sorted(v.RECIPIENTS)),
    "media": tuple(sorted(v.MEDIA)),
    "status_at_census": tuple(sorted(v.OUTCOMES)),
    "workforce": tuple(sorted(WORKFORCE)),
}
"""The closed list of each coded column, sorted: codes in their order are sorted tables."""

ACCEPTED: Final = "accepted"
QUARANTINED: Final = "quarantined"
REJECTED: Final = "rejected"
STATES: Final = {
    ACCEPTED: "no row is bad",
    QUARANTINED: "the bad rows are set aside, the others count",
    REJECTED: "refused whole: the share of bad rows is above that of the collection file",
}
"""The states of a force's extract."""

FOLDER: Final = "folder_force"
"""Beside the columns of a row: the force of the Hive folder it lies in, null where there is none.

A row belongs to the force of its folder, and without one to the force it names.
"""

BLANKS: Final = "\t\n\v\f\r\x1c\x1d\x1e\x1f \x85\xa0\u1680\u2028\u2029\u202f\u205f\u3000" + "".join(
    map(chr, range(0x2000, 0x200B))
)
"""What is no part of a value at its ends (columns of fixed width are filled up with spaces)."""

UNREADABLE: Final = date(9999, 12, 31)
"""Stands for a date that was sent but is none, so that no rule takes it for a blank."""

_FORCE_FOLDER: Final = re.compile(r"force_code=(.*)")
_NO_FORCE: Final = "__HIVE_DEFAULT_PARTITION__"
"""How writers of Hive folders write null."""


def folder_force(folders: Sequence[str]) -> str | None:
    """Return the force of a file by the names of the folders it lies in, the outermost first.

    None where no Hive folder names one, and in the folder of null.
    """
    value = folder_value(folders)
    return None if value == _NO_FORCE else value


def folder_value(folders: Sequence[str]) -> str | None:
    """Return what the innermost folder named force_code=... says, as it stands there."""
    for part in reversed(folders):
        if named := _FORCE_FOLDER.fullmatch(part):
            return named[1]
    return None
