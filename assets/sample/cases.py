"""The sample's investigations one by one: case rows that add up to each sample return's grid.

Belongs here: how a count becomes that many cases. Days, references and who is concerned are
invented, like the returns themselves. Does not: the counts (returns.py).
"""

from collections.abc import Iterator, Mapping
from datetime import date, timedelta
from typing import Any, Final

import polars as pl

from assets.sample.chance import fraction
from assets.sample.returns import sample_returns
from assets.sample.returns_template import INVESTIGATION_ROWS, SUSPENDED, InvestigationRow
from schemas import vocabulary as v
from schemas.cases.columns import TYPES
from schemas.collection import Collection

_SHEET: Final = "investigations"
_OFFICERS: Final = 0.7
"""Share of the cases that concern a police officer; it was not published."""

_EARLIER: Final = 1.6
"""Ended cases were opened earlier than continuing ones: days are drawn with this exponent."""


def sample_cases(collection: Collection) -> pl.DataFrame:
    """Return one row a case of each force, with the columns of CaseExtract.

    They are sorted by force and reference, and the references of a force are numbered in the
    order in which its cases were opened. Counted by subject and outcome, they are the
    investigation grids of `sample_returns`.
    """
    grids: dict[str, dict[tuple[str, str], int]] = {force: {} for force in collection.forces}
    cells = sample_returns(collection).filter(pl.col("sheet") == _SHEET)
    for force, row_code, column_code, value in cells.drop("sheet").iter_rows():
        grids[force][row_code, column_code] = int(value)
    cases = [case for force in sorted(grids) for case in _numbered(force, grids[force], collection)]
    return pl.DataFrame(cases, schema=TYPES)


def _numbered(
    force: str, grid: Mapping[tuple[str, str], int], collection: Collection
) -> Iterator[dict[str, Any]]:
    opened = sorted(_cases(force, grid, collection), key=lambda case: case["opened_on"])
    for number, case in enumerate(opened, start=1):
        year = case["opened_on"].year
        yield {**case, "force_code": force, "case_ref": f"{force}-{year}-{number:06}"}


def _cases(
    force: str, grid: Mapping[tuple[str, str], int], collection: Collection
) -> Iterator[dict[str, Any]]:
    """Yield the cases of a force, subject by subject."""
    for row in INVESTIGATION_ROWS:
        suspended = grid.get((row.code, SUSPENDED), 0) if row.is_part else 0
        for outcome in v.OUTCOMES if row.is_part else ():
            for number in range(grid[row.code, outcome]):
                chance = _Chance(force, row.code, outcome, number)
                yield _case(row, outcome, chance, collection) | {"suspended": suspended > 0}
                suspended -= 1


class _Chance:
    """Draws that depend on a case alone."""

    def __init__(self, *case: object) -> None:
        """Name the case."""
        self._case = case

    def __call__(self, what: str) -> float:
        """Return a number above 0 and below 1."""
        return fraction("case", what, *self._case)


def _case(
    row: InvestigationRow, outcome: str, chance: _Chance, collection: Collection
) -> dict[str, Any]:
    continuing = outcome == v.CONTINUING
    drawn = chance("opened") if continuing else chance("opened") ** _EARLIER
    opened = _day(collection.period.start, collection.period.end, drawn)
    return {
        "category": row.category,
        "recipient": row.recipient,
        "media": row.media,
        "opened_on": opened,
        "status_at_census": outcome,
        "closed_on": None if continuing else _day(opened, collection.census, chance("closed")),
        "workforce": "officer" if chance("workforce") < _OFFICERS else "staff",
    }


def _day(first: date, last: date, drawn: float) -> date:
    return first + timedelta(days=int(drawn * ((last - first).days + 1)))
