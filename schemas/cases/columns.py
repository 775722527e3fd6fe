"""The columns of a case-level extract and what may stand in them, without loading pandera."""

import re
import tomllib
from collections.abc import Sequence
from datetime import date
from functools import cache
from pathlib import Path
from typing import Final

import polars as pl

from schemas.template import Template
from schemas.vocabulary import WORKFORCE

_WRITTEN: Final = tomllib.loads(Path(__file__).with_name("tables.toml").read_text(encoding="utf-8"))
_OF_UNIT: Final[dict[str, type[pl.DataType]]] = {
    **dict.fromkeys(("count", "days"), pl.Int64),
    "true or false": pl.Boolean,
    "date": pl.Date,
}


def columns_of(table: str) -> dict[str, type[pl.DataType]]:
    """Return the columns of a table of tables.toml, in order, each with its type."""
    columns = _WRITTEN[table]["columns"].items()
    return {name: _OF_UNIT.get(said.get("unit", ""), pl.String) for name, said in columns}


TYPES: Final = columns_of("extract")
"""Exactly these columns, in any order; free text has no place in an extract."""

LISTS: Final = {
    "category": "category",
    "recipient": "recipient",
    "media": "media",
    "status_at_census": "outcome",
}
"""The dimension of the template whose codes a column holds."""

CODED: Final = (*LISTS, "workforce")


@cache
def codes(template: Template) -> dict[str, tuple[str, ...]]:
    """Return the closed list of each coded column, sorted: then tables by their order are too."""
    measure = template.cases.measure if template.cases else ""
    lists = {column: template.codes_of(measure, name) for column, name in LISTS.items()}
    return {name: tuple(sorted(held)) for name, held in {**lists, "workforce": WORKFORCE}.items()}


ACCEPTED: Final = "accepted"
QUARANTINED: Final = "quarantined"
REJECTED: Final = "rejected"
UNREADABLE_STATE: Final = "unreadable"
DAMAGED_STATE: Final = "damaged"
"""States of a force's extract: vocabulary.EXTRACT_STATES says what each means."""

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
