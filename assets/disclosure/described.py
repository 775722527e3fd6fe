"""What a template's file says of protected counts, read by itself for the audit."""

import tomllib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from functools import cache, cached_property
from pathlib import Path
from typing import Any, Final

from assets.disclosure.passed import Cells
from schemas.breakdown import read_breakdown
from schemas.disclosure import PROFILES
from schemas.rules.catalogue import RuleUse
from schemas.template import Place

Leaf = tuple[Any, ...]
"""What tells the counts of one force apart: the place of a cell, or a research's codes."""

NO_MART: Final = "cells"
"""The audit's name for counts that stand in no public mart, while sums of them do."""

_WHOLE: Final = "@all"
"""Ends the name of a table of wholes of an earlier period, which are no sums of its parts."""

EARLIER: Final = "earlier "
"""Begins the name of the table of a column of a profile that is of an earlier period."""

_NOW: Final = ("collection", "")

_SECOND_JOBS: Final = {"mart": "second_jobs", "value": "count"}
_IN_A_MART: Final = {
    "investigations": {"mart": "investigations", "value": "cases"},
    "register_entries": {"mart": "register_entries", "value": "entries"},
    "second_job_applications": _SECOND_JOBS,
    "second_job_approvals_in_breach": _SECOND_JOBS,
    "second_job_review_months": _SECOND_JOBS,
}
"""Measures that a public mart has force by force, in a column."""


@dataclass(frozen=True)
class Cell:
    """A cell that counts: its measure, period (empty for the collection's own), place and codes."""

    measure: str
    period: str
    place: Place
    dims: Mapping[str, str]


class Description:
    """What a template's file says of protected counts."""

    def __init__(self, path: Path) -> None:
        """Read the file."""
        file = tomllib.loads(path.read_text(encoding="utf-8"))
        self.lists: list[str] = list(file["lists"])
        plain: tuple[tuple[str, Any], ...] = (("period", "collection"), ("dims", {}))
        self.profile: dict[str, dict[str, Any]] = {
            name: {key: said for key, said in of.items() if (key, said) not in plain}
            for name, of in file.get("profile", {}).items()
        }
        self.rules = [RuleUse.model_validate(use) for use in file.get("rules", [])]
        said = file.get("disclosure", {})
        self.measures: dict[str, dict[str, str]] = {}
        for name, of in said.get("measures", {}).items():
            absent = (
                name.startswith("second_job_") and "second_job_applications" not in file["measures"]
            )
            shown = {} if absent else _IN_A_MART.get(name, {})
            self.measures[name] = {"subject": of["subject"], **shown}
        self.research: list[str] = said.get("research", [])
        self._groups: dict[str, dict[str, list[str]]] = file.get("groups", {})
        self._of: dict[str, dict[str, Any]] = file["measures"]
        self._lines = {
            sheet["name"]: tuple(
                {line["code"]: line.get("sum_of", []) for line in lines}
                for lines in (sheet.get("rows") or sheet.get("questions", []), sheet["columns"])
            )
            for sheet in file["sheet"]
        }
        self.among = cache(self._among)
        self.written = Cells(cache(self._named), cache(self._leaves))
        self.cells = {cell.place: cell for sheet in file["sheet"] for cell in self._counted(sheet)}

    def _counted(self, sheet: dict[str, Any]) -> Iterator[Cell]:
        for row in sheet.get("rows", []):
            for column in sheet["columns"]:
                measure = row.get("measure") or column.get("measure") or sheet.get("measure")
                if "sum_of" in row or "sum_of" in column or measure not in self.measures:
                    continue
                codes = {**row.get("dims", {}), **column.get("dims", {})}
                dims = {name: codes[name] for name in self.lists if name in codes}
                place = sheet["name"], row["code"], column["code"]
                periods = (line.get("period", "") for line in (row, column))
                earlier = next((one for one in periods if one not in _NOW), "")
                yield Cell(measure, earlier, place, dims)

    def _named(self, written: str) -> list[str]:
        """Return the cells that a rule writes so."""
        cells = (
            f"{sheet}/{row}/{column}"
            for sheet, (rows, columns) in self._lines.items()
            for row in rows
            for column in columns
        )
        return [cell for cell in cells if fnmatchcase(cell, written)]

    def _leaves(self, cell: str) -> list[Place]:
        """Return the cells that count something, of which a cell is the sum."""
        sheet, row, column = cell.split("/")
        rows, columns = self._lines[sheet]
        along, down = rows[row] or [row], columns[column] or [column]
        parts = [f"{sheet}/{one}/{other}" for one in along for other in down]
        if parts == [cell]:
            return [(sheet, row, column)]
        return [place for part in parts for place in self.written.leaves(part)]

    def table_of(self, measure: str, period: str = "", at: Mapping[str, str] | str = "") -> str:
        """Return the table that a measure's total adds up, at some codes or of a breakdown.

        What was asked of an earlier period stands for itself: a whole is no sum of its parts.
        """
        if period in _NOW:
            return self.measures[measure].get("mart", measure)
        dims = read_breakdown(at) if isinstance(at, str) else dict(at)
        tables = (name for name, of in self.earlier.items() if of == (measure, period, dims))
        return next(tables, f"{measure}@{period}" if dims else f"{measure}@{period}{_WHOLE}")

    def shares_of(self, measure: str) -> list[str]:
        """Return the names of the shares of a measure."""
        own = self._of[measure].get("shares", [])
        return [share.get("name") or f"{measure}_share" for share in own]

    @cached_property
    def earlier(self) -> dict[str, tuple[str, str, dict[str, str]]]:
        """Measure, period and codes of the profile's columns of earlier periods, by table."""
        return {
            f"{EARLIER}{name}": (of["measure"], of["period"], of.get("dims", {}))
            for name, of in self.profile.items()
            if "period" in of and of["measure"] in self.measures
        }

    @cached_property
    def tables(self) -> dict[str, list[Cell]]:
        """The cells of each table: of a mart, of a column of a profile, or of no public mart."""
        found: dict[str, list[Cell]] = {
            **{of["mart"]: [] for of in self.measures.values() if "mart" in of},
            **{name: [] for name in (*self.research, *self.earlier)},
        }
        for cell in self.cells.values():
            found.setdefault(self.table_of(cell.measure, cell.period, cell.dims), []).append(cell)
        return found

    def is_public(self, table: str) -> bool:
        """Return whether the counts of a table stand in a public mart."""
        return "@" not in table and (
            table not in self.measures or table == self.measures[table].get("mart")
        )

    def group_of(self, mart: str, column: str) -> str:
        """Return which of the tables that rules compare a column is of, hidden apart from others.

        That is its earlier period, or a measure in no mart.
        """
        if mart == NO_MART:
            return column
        of = self.profile.get(column) if mart == PROFILES else None
        if of is None or of["measure"] not in self.measures:
            return ""
        if "period" in of:
            return f"{EARLIER}{column}"
        return "" if "mart" in self.measures[of["measure"]] else str(of["measure"])

    @cached_property
    def systems(self) -> dict[str, list[str]]:
        """Tables that something ties together, by the first: those of one sheet, and earlier ones.

        A cell of an earlier period that stands in no mart is in a system of that period.
        """
        first: dict[str, str] = {}
        found: dict[str, list[str]] = {}
        for cell in self.cells.values():
            if not cell.period:
                table = self.table_of(cell.measure)
                tables = found.setdefault(first.setdefault(cell.place[0], table), [])
                tables += [table] if table not in tables else []
        for table, (measure, *_) in self.earlier.items():
            own = self.table_of(measure)
            system = next((one for one, tables in found.items() if own in tables), own)
            found.setdefault(system, []).append(table)
        found |= {mart: [mart] for mart in self.research}
        for table in self.tables:
            if "@" in table:
                period = table.partition("@")[2].removesuffix(_WHOLE)
                found.setdefault(period, []).append(table)
        return found

    def _among(
        self, measure: str, breakdown: str, period: str = "", *, every: bool = False
    ) -> list[Leaf] | None:
        """Return the cells that a total adds up; None for a figure that is no total.

        With `every`, also those that the total of the nation leaves out, as a profile has them.
        """
        parts = read_breakdown(breakdown)
        if not set(parts) <= set(self.lists):
            return None
        codes: dict[str, Sequence[str | None]] = {
            name: self._groups.get(name, {}).get(code, [code]) for name, code in parts.items()
        }
        by = sorted(set(parts) - {self._of[measure].get("crossed_by")})
        for level in self._of[measure].get("levels", []):
            if (
                not every
                and isinstance(level, dict)
                and sorted(level["by"]) == by
                and "without" in level
            ):
                codes[level["without"]] = [None]
        return [
            cell.place
            for cell in self.tables.get(self.table_of(measure, period, breakdown), ())
            if cell.measure == measure
            and (period in _NOW or cell.dims.keys() == parts.keys())
            and all(cell.dims.get(name) in among for name, among in codes.items())
        ]


@cache
def description(path: Path) -> Description:
    """Read a template's file once."""
    return Description(path)


def over_forces(measures: Iterable[str]) -> list[str]:
    """Return the measures of national_totals that tell how counts are spread over the forces."""
    return [name for of in measures for name in (f"forces_with_{of}", f"{of}_per_force", of)]
