"""What the job is, for every peer: the lists, the dates, the rules' ids and the results' names.

Belongs here: facts, without a library that a peer would then have to load.
"""

import sys
import tomllib
from datetime import date
from pathlib import Path
from typing import Any, Final

import schemas

_SCHEMAS: Final = Path(schemas.__file__).parent
_COLLECTION: Final[dict[str, Any]] = tomllib.loads(
    (_SCHEMAS / "collections" / "2012-revisit.toml").read_text()
)
_LISTS: Final[dict[str, Any]] = tomllib.loads(
    (_SCHEMAS / "templates" / "returns-1.toml").read_text()
)["lists"]
FORCES: Final[list[str]] = _COLLECTION["forces"]
START: Final[date] = _COLLECTION["period"]["start"]
END: Final[date] = _COLLECTION["period"]["end"]
CENSUS: Final[date] = _COLLECTION["census"]

CATEGORIES: Final = [*_LISTS["category"]]
RECIPIENTS: Final = [*_LISTS["recipient"]]
MEDIA: Final = [*_LISTS["media"]]
OUTCOMES: Final = [*_LISTS["outcome"]]
WORKFORCE: Final = ["officer", "staff"]
CASE_REF: Final = "^[A-Z]{3}-[0-9]{4}-[0-9]{1,9}$"

RULES: Final = [f"CASE{number:02}" for number in range(1, 12)]
UNIQUE: Final = RULES[-1]

COLUMNS: Final = [
    "force_code", "case_ref", "category", "recipient", "media", "opened_on",
    "status_at_census", "closed_on", "suspended", "workforce",
]  # fmt: skip
TEXTS: Final = ["case_ref", "category", "recipient", "media", "status_at_census", "workforce"]
"""Columns whose values count without the spaces around them."""

COUNTED_BY: Final = [
    "force_code", "category", "recipient", "media", "status_at_census", "month",
]  # fmt: skip
QUARTILES: Final = {"days_lower_quartile": 0.25, "days_median": 0.5, "days_upper_quartile": 0.75}
"""The smallest number of days by which that share of the closed cases was closed."""


def arguments() -> tuple[Path, Path]:
    """Return the folder of the extract and the folder for the results, which is made."""
    source, out = Path(sys.argv[1]), Path(sys.argv[2])
    out.mkdir(parents=True, exist_ok=True)
    return source, out
