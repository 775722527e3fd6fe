"""Reads public editions as somebody would who wants to know what is hidden.

Written apart from the choice of what to hide, on purpose: it reads the template's file by itself,
and of each edition the public marts and which counts are the same as in another one.
"""

import math
import tomllib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from fnmatch import fnmatchcase
from functools import cache, cached_property
from pathlib import Path
from typing import Any, Final

import polars as pl

from assets.disclosure.known import (
    Entries,
    Hidden,
    Knowledge,
    Numbering,
    Row,
    Total,
    cell_of,
    read_spread,
)
from assets.disclosure.passed import Range, Told, told
from assets.disclosure.published import Edition
from schemas.breakdown import read_breakdown
from schemas.collection import Collection
from schemas.disclosure import SUPPRESSED
from schemas.rules.catalogue import RuleUse
from schemas.template import Place

Figure = Mapping[str, Any]
Public = Mapping[str, pl.DataFrame]

_WHOLE: Final = "@all"
"""Ends the name of a table of wholes of an earlier period, which are no sums of its parts."""

_VALUES: Final = ("value", "symbol")
_NOW: Final = ("collection", "")
_PROFILES: Final = "force_profiles"
_RESEARCH_TOTALS: Final = {
    "social_media_instances": "social_media",
    "social_media_cases": "social_media",
}
"""National figures of the research, and the mart that they add up."""


@dataclass(frozen=True)
class _Cell:
    """A cell that counts: its measure, period (empty for the collection's own), row and codes."""

    sheet: str
    measure: str
    period: str
    row: str
    column: str
    dims: Mapping[str, str]

    @property
    def place(self) -> Place:
        """Where it stands."""
        return self.sheet, self.row, self.column


class Description:
    """What a template's file says of protected counts."""

    def __init__(self, path: Path) -> None:
        """Read the file."""
        file = tomllib.loads(path.read_text(encoding="utf-8"))
        self.lists: list[str] = list(file["lists"])
        self.groups: dict[str, dict[str, list[str]]] = file.get("groups", {})
        self.profile: dict[str, dict[str, Any]] = file.get("profile", {})
        said = file.get("disclosure", {})
        self.measures: dict[str, dict[str, str]] = said.get("measures", {})
        self.research: list[str] = said.get("research", [])
        self._levels = {
            name: measure.get("levels", []) for name, measure in file["measures"].items()
        }
        self._crossed = {name: of.get("crossed_by") for name, of in file["measures"].items()}
        self.cells = [cell for sheet in file["sheet"] for cell in self._cells(sheet)]
        self.at = {cell.place: cell for cell in self.cells}
        self.rules = [RuleUse.model_validate(use) for use in file.get("rules", [])]
        self._leaves: dict[str, list[Place]] = {}
        self._lines = {
            sheet["name"]: tuple(
                {line["code"]: line.get("sum_of", []) for line in lines}
                for lines in (sheet.get("rows") or sheet.get("questions", []), sheet["columns"])
            )
            for sheet in file["sheet"]
        }

    def _cells(self, sheet: dict[str, Any]) -> Iterator[_Cell]:
        for row in sheet.get("rows", []):
            for column in sheet["columns"]:
                measure = row.get("measure") or column.get("measure") or sheet.get("measure")
                if "sum_of" in row or "sum_of" in column or measure not in self.measures:
                    continue
                codes = {**row.get("dims", {}), **column.get("dims", {})}
                dims = {name: codes[name] for name in self.lists if name in codes}
                at = row["code"], column["code"]
                yield _Cell(sheet["name"], measure, row.get("period", ""), *at, dims)

    def named(self, written: str) -> list[str]:
        """Return the cells that a rule writes so."""
        cells = (
            f"{sheet}/{row}/{column}"
            for sheet, (rows, columns) in self._lines.items()
            for row in rows
            for column in columns
        )
        return [cell for cell in cells if fnmatchcase(cell, written)]

    def leaves(self, cell: str) -> list[Place]:
        """Return the cells that count something, of which a cell is the sum."""
        if cell not in self._leaves:
            sheet, row, column = cell.split("/")
            rows, columns = self._lines[sheet]
            along, down = rows[row] or [row], columns[column] or [column]
            parts = [f"{sheet}/{one}/{other}" for one in along for other in down]
            self._leaves[cell] = (
                [(sheet, row, column)]
                if parts == [cell]
                else [place for part in parts for place in self.leaves(part)]
            )
        return self._leaves[cell]

    def table_of(self, measure: str, period: str = "", breakdown: str = "") -> str:
        """Return the table that a measure's total adds up.

        What was asked of an earlier period stands for itself: a whole is no sum of its parts.
        """
        if period in _NOW:
            return self.measures[measure].get("mart", measure)
        columns = (name for name, of in self.earlier.items() if of == (measure, period))
        return f"{measure}@{period}" if breakdown else next(columns, f"{measure}@{period}{_WHOLE}")

    @cached_property
    def earlier(self) -> dict[str, tuple[str, str]]:
        """Measure and period of the columns of a profile that are a whole of an earlier period."""
        return {
            name: (of["measure"], of["period"])
            for name, of in self.profile.items()
            if "period" in of and "dims" not in of and of["measure"] in self.measures
        }

    @cached_property
    def nowhere(self) -> dict[str, list[_Cell]]:
        """The cells that stand in no public mart, by table."""
        found: dict[str, list[_Cell]] = {}
        for cell in self.cells:
            if not cell.period and "mart" not in self.measures[cell.measure]:
                found.setdefault(cell.measure, []).append(cell)
            elif cell.period and (
                cell.dims or (cell.measure, cell.period) not in self.earlier.values()
            ):
                table = f"{cell.measure}@{cell.period}{'' if cell.dims else _WHOLE}"
                found.setdefault(table, []).append(cell)
        return found

    @cached_property
    def systems(self) -> dict[str, list[str]]:
        """Tables that something ties together, by the first: those of one sheet, and earlier ones.

        A cell of an earlier period that stands in no mart is in a system of that period.
        """
        first: dict[str, str] = {}
        found: dict[str, list[str]] = {}
        for cell in self.cells:
            if not cell.period:
                table = self.table_of(cell.measure)
                tables = found.setdefault(first.setdefault(cell.sheet, table), [])
                tables += [table] if table not in tables else []
        for column, (measure, _) in self.earlier.items():
            own = self.table_of(measure)
            next(tables for tables in found.values() if own in tables).append(column)
        found |= {mart: [mart] for mart in self.research}
        for table in self.nowhere:
            if "@" in table:
                period = table.partition("@")[2].removesuffix(_WHOLE)
                found.setdefault(period, []).append(table)
        return found

    def where(
        self, measure: str, breakdown: str, columns: Iterable[str]
    ) -> dict[str, list[Any]] | None:
        """Return the codes, by column of its table, of the entries that a total adds up.

        None for a figure that is no total.
        """
        parts = read_breakdown(breakdown)
        if not set(parts) <= set(self.lists):
            return None
        codes: dict[str, list[Any]] = {
            name: self.groups.get(name, {}).get(code, [code]) for name, code in parts.items()
        }
        by = sorted(set(parts) - {self._crossed.get(measure)})
        for level in self._levels.get(measure, []):
            if isinstance(level, dict) and sorted(level["by"]) == by and "without" in level:
                codes[level["without"]] = [None]
        if "item" not in columns:
            return codes
        return {
            "item": [
                cell.row
                for cell in self.cells
                if cell.measure == measure
                and all(cell.dims.get(name) in among for name, among in codes.items())
            ]
        }


@cache
def description(path: Path) -> Description:
    """Read a template's file once."""
    return Description(path)


def knowledge(
    editions: Sequence[Edition], collection: Collection, only: str | None = None
) -> dict[str, Knowledge]:
    """Return what all these editions tell of counts of single forces, by system of tables.

    Args:
        editions: public editions of a collection, oldest first.
        collection: the collection: its template, and the year of its cases on social media.
        only: the one system that is asked for; None for all.
    """
    found, said = {}, description(collection.template.path)
    frames = [_frames(edition, said) for edition in editions]
    for system, names in said.systems.items():
        if only not in {None, system}:
            continue
        known, numbering = Knowledge(), Numbering()
        # First every entry is named, since what one edition shows is known of the others.
        named = [
            {name: Entries(*of[name], edition.marks, numbering) for name in names if name in of}
            for edition, of in zip(editions, frames, strict=True)
        ]
        for number, (edition, tables) in enumerate(zip(editions, named, strict=True)):
            reader = _Reader(known, tables, edition.public, said, collection.census.year, numbering)
            for table, entries in tables.items():
                known.hidden += entries.hidden(number)
                reader.read(table)
                reader.read_profiles(table, number)
            for measure in said.measures:
                if said.table_of(measure) in tables:
                    read_spread(
                        known,
                        said,
                        measure,
                        tables[said.table_of(measure)],
                        edition.public,
                        numbering,
                    )
            _Rules(known, tables, frames[number], edition, said, numbering).read()
        known.unknowns, known.names = len(numbering), numbering.names
        hidden: dict[Any, Hidden] = {}
        for item in known.hidden:
            hidden[item.key] = replace(hidden.get(item.key, item), last=item.last)
        known.hidden = list(hidden.values())
        found[system] = known
    return found


def _frames(edition: Edition, said: Description) -> dict[str, tuple[str, str, pl.DataFrame]]:
    """Return mart, column and entries of each table of counts of single forces."""
    public = edition.public
    profiles = public[_PROFILES].filter(pl.col("basis") != "published")
    shown = {of["mart"]: of["value"] for of in said.measures.values() if "mart" in of}
    found = {}
    for mart, column in {**shown, **dict.fromkeys(said.research, "instances")}.items():
        if mart in public:
            frame = public[mart].drop("basis").rename({column: "value"})
            if "item" in frame.columns:
                items = [c.row for c in said.cells if said.table_of(c.measure) == mart]
                frame = frame.filter(pl.col("item").is_in(items))
            found[mart] = mart, column, frame
    for name in said.earlier:
        shown_as = pl.col(name).alias("value"), pl.col(f"{name}_symbol").alias("symbol")
        found[name] = _PROFILES, name, profiles.select("force_code", *shown_as)
    forces = profiles["force_code"].to_list()
    for table, cells in said.nowhere.items():
        measure, _, period = table.removesuffix(_WHOLE).partition("@")
        lists = [name for name in said.lists if any(name in cell.dims for cell in cells)]
        columns = ["force_code", *["period"] * bool(period), *lists]
        rows = [
            {"force_code": force, "period": period, **cell.dims}
            for force in forces
            for cell in cells
        ]
        keys = pl.DataFrame(rows, dict.fromkeys(columns, pl.String))
        hidden = pl.lit(None, pl.Int64).alias("value"), pl.lit(SUPPRESSED).alias("symbol")
        found[table] = "cells", measure, keys.with_columns(hidden)
    return found


class _Reader:
    """Adds to the knowledge what one edition's figures tell of the tables of one system."""

    def __init__(
        self,
        known: Knowledge,
        tables: Mapping[str, Entries],
        public: Public,
        said: Description,
        year: int,
        numbering: Numbering,
    ) -> None:
        self._known, self._tables, self._public = known, tables, public
        self._numbering = numbering
        self._said, self._year = said, year

    def read(self, table: str) -> None:
        """Read the national totals, and the printed figures of forces, that add a table up."""
        shown = self._public["national_totals"].drop_nulls("value")
        for row in shown.iter_rows(named=True):
            if self._table(row) == table:
                self._tell(self._total(table, row), row["value"])
        forces = pl.col("scope").is_in(self._public[_PROFILES]["force_code"].to_list())
        for row in self._public["reconciliation"].filter(forces).iter_rows(named=True):
            if self._table(row) != table or row["symbol"] == "x":
                continue
            total = self._total(table, row, row["scope"])
            if row["computed"] is not None:
                self._tell(total, row["computed"])
            elif total is not None and total.unknowns:
                # It is hidden since it is another number than what is printed. On which side of
                # that it lies nobody is told; it is given away here.
                printed, is_more = (
                    row["published"],
                    self._numbering.of_total(total) > row["published"],
                )
                ends = (math.floor(printed) + 1, None) if is_more else (0, math.ceil(printed) - 1)
                self._known.limits.append((total, *ends))

    def _table(self, row: Figure) -> str | None:
        measure = row["measure"]
        if measure in self._said.measures:
            return self._said.table_of(measure, row["period"], row["breakdown"])
        return _RESEARCH_TOTALS.get(measure)

    def _total(self, table: str, row: Figure, force: str | None = None) -> Total | None:
        of_force = {} if force is None else {"force_code": [force]}
        where = self._where(table, row["measure"], row["breakdown"])
        return None if where is None else self._tables[table].total({**where, **of_force})

    def _where(self, table: str, measure: str, breakdown: str) -> dict[str, list[Any]] | None:
        if measure == "social_media_cases":
            return {"year": [self._year]}
        if measure in _RESEARCH_TOTALS:
            parts: dict[str, Any] = read_breakdown(breakdown)
            return {k: [int(code) if k == "year" else code] for k, code in parts.items()}
        return self._said.where(measure, breakdown, self._tables[table].columns)

    def _tell(self, total: Total | None, value: float) -> None:
        if total is not None and total.unknowns:
            self._known.equal.append((total, round(value)))

    def read_profiles(self, table: str, edition: int) -> None:
        """Read the columns of force_profiles that add a table up."""
        columns = {
            name: self._where(table, of["measure"], "")
            if "dims" not in of
            else self._where(
                table, of["measure"], ";".join(f"{k}={code}" for k, code in of["dims"].items())
            )
            for name, of in self._said.profile.items()
            if of["measure"] in self._said.measures
            and "period" not in of
            and self._said.table_of(of["measure"]) == table
        }
        if table in self._said.research:
            columns["social_media_cases"] = {"year": [self._year]}
        entries = self._tables[table]
        for row in self._public[_PROFILES].iter_rows(named=True):
            for column, codes in columns.items():
                if codes is None or column not in row:
                    continue
                where = {**codes, "force_code": [row["force_code"]]}
                if row[f"{column}_symbol"] == SUPPRESSED:
                    cell = f"force_code={row['force_code']}"
                    hidden = entries.hidden_sum(_PROFILES, column, cell, where, edition)
                    self._known.hidden += [hidden] if hidden.names else []
                elif row[column] is not None:
                    self._tell(entries.total(where), row[column])


class _Rules:
    """Reads the state of a return as an attacker would: an accepted one has passed the rules."""

    def __init__(
        self,
        known: Knowledge,
        tables: Mapping[str, Entries],
        frames: Mapping[str, tuple[str, str, pl.DataFrame]],
        edition: Edition,
        said: Description,
        numbering: Numbering,
    ) -> None:
        self._known, self._tables, self._frames = known, tables, frames
        self._edition, self._said, self._numbering = edition, said, numbering

    def read(self) -> None:
        """Add what is known since returns have passed the rules that were in force.

        A return that breaks a rule was accepted with an answer: it is noted among the broken ones.
        """
        uses, answers = self._said.rules, self._edition.answers
        for rule in dict.fromkeys(use.id for use in uses if use.id in self._edition.rules):
            limits = self._edition.rules[rule]
            tells = told(uses, rule, limits, self._said.named, self._said.leaves)
            for force in self._edition.passed(rule):
                found = Knowledge()
                for item in tells:
                    if all((force, at.split("/")[1], is_so) in answers for at, is_so in item.where):
                        self._tell(found, item, force)
                if not self._known.add(found, self._numbering):
                    self._known.broken.setdefault(force, set()).add(rule)

    def _tell(self, found: Knowledge, item: Told, force: str) -> None:
        ways = []
        for way in item.ways:
            rows = [self._condition(part, item.lacking, force) for part in way]
            if None in rows:
                return
            ways.append([row for row in rows if row is not None])
        if len(ways) == 1:
            found.rows += [row for row in ways[0] if row.terms]
        else:
            found.tell_either(*ways)

    def _condition(self, part: Range, lacking: Sequence[str], force: str) -> Row | None:
        """Return a range as a row of unknowns; None where a cell has no number, or is left out."""
        totals = []
        for weight, cells in part.parts:
            found: list[int | tuple[int]] = []
            for cell in cells:
                counts = [self._count(place, force) for place in self._said.leaves(cell)]
                held = [count for count in counts if count is not None]
                if not held and cell not in lacking:
                    return None
                found += held
            if not found:
                return None
            unknowns = tuple(count[0] for count in found if isinstance(count, tuple))
            shown = sum(count for count in found if isinstance(count, int))
            totals.append((weight, Total(unknowns, shown)))
        return Row.of(totals, part.low, part.high)

    def _count(self, place: Place, force: str) -> int | tuple[int] | None:
        """Return a count that is shown, or the number of an unknown one; None for neither.

        One of another system is given away here where it stands in a mart; what is told of one that
        stands in none is left out.
        """
        cell = self._said.at.get(place)
        if cell is None:
            return None
        table = self._said.table_of(cell.measure, cell.period, "dims" if cell.dims else "")
        if table not in self._frames or (table in self._said.nowhere and table not in self._tables):
            return None
        mart, column, frame = self._frames[table]
        own = {"force_code": force, "item": cell.row, "period": cell.period, **cell.dims}
        name = cell_of({key: own.get(key) for key in frame.columns if key not in _VALUES})
        if table in self._tables:
            return self._tables[table].count(name)
        return self._edition.marks.get((mart, column, name))
