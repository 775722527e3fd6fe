"""Reads public editions as somebody would who wants to know what is hidden.

Apart from the choice of what to hide, on purpose: it reads the template's file by itself, and of
each edition the public marts and which counts are the same as in another one.
"""

import math
import tomllib
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from fnmatch import fnmatchcase
from functools import cache, cached_property, partial
from pathlib import Path
from typing import Any, Final, NamedTuple

import numpy as np
import polars as pl

from assets.disclosure.known import Hidden, Knowledge, Numbering, Total, cell_of
from assets.disclosure.over_forces import OfForce, read_spread
from assets.disclosure.passed import ways_of
from assets.disclosure.published import Edition
from schemas.breakdown import read_breakdown
from schemas.collection import Collection
from schemas.disclosure import PROFILES, SUPPRESSED, UNAVAILABLE
from schemas.rules.catalogue import RuleUse
from schemas.template import Place

Leaf = tuple[Any, ...]
"""What tells the counts of one force apart: the place of a cell, or a research's codes."""

_CELLS: Final = "cells"
_WHOLE: Final = "@all"
"""Ends the name of a table of wholes of an earlier period, which are no sums of its parts."""

_NOW: Final = ("collection", "")
_RESEARCH_TOTALS: Final = {
    "social_media_instances": "social_media",
    "social_media_cases": "social_media",
}
"""National figures of the research, and the mart that they add up."""


@dataclass(frozen=True)
class _Cell:
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
        self.profile: dict[str, dict[str, Any]] = file.get("profile", {})
        self.rules = [RuleUse.model_validate(use) for use in file.get("rules", [])]
        said = file.get("disclosure", {})
        self.measures: dict[str, dict[str, str]] = said.get("measures", {})
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
        self._leaves: dict[str, list[Place]] = {}
        self.cells = {cell.place: cell for sheet in file["sheet"] for cell in self._counted(sheet)}

    def _counted(self, sheet: dict[str, Any]) -> Iterator[_Cell]:
        for row in sheet.get("rows", []):
            for column in sheet["columns"]:
                measure = row.get("measure") or column.get("measure") or sheet.get("measure")
                if "sum_of" in row or "sum_of" in column or measure not in self.measures:
                    continue
                codes = {**row.get("dims", {}), **column.get("dims", {})}
                dims = {name: codes[name] for name in self.lists if name in codes}
                place = sheet["name"], row["code"], column["code"]
                yield _Cell(measure, row.get("period", ""), place, dims)

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

    def table_of(self, measure: str, period: str = "", breakdown: object = "") -> str:
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
    def tables(self) -> dict[str, list[_Cell]]:
        """The cells of each table: of a mart, of a column of a profile, or of no public mart."""
        found: dict[str, list[_Cell]] = {
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
        for column, (measure, _) in self.earlier.items():
            own = self.table_of(measure)
            next(tables for tables in found.values() if own in tables).append(column)
        found |= {mart: [mart] for mart in self.research}
        for table in self.tables:
            if "@" in table:
                period = table.partition("@")[2].removesuffix(_WHOLE)
                found.setdefault(period, []).append(table)
        return found

    def among(self, measure: str, breakdown: str, period: str = "") -> list[Leaf] | None:
        """Return the cells that a total adds up; None for a figure that is no total."""
        parts = read_breakdown(breakdown)
        if not set(parts) <= set(self.lists):
            return None
        codes: dict[str, Sequence[str | None]] = {
            name: self._groups.get(name, {}).get(code, [code]) for name, code in parts.items()
        }
        by = sorted(set(parts) - {self._of[measure].get("crossed_by")})
        for level in self._of[measure].get("levels", []):
            if isinstance(level, dict) and sorted(level["by"]) == by and "without" in level:
                codes[level["without"]] = [None]
        return [
            cell.place
            for cell in self.tables.get(self.table_of(measure, period, breakdown), ())
            if cell.measure == measure
            and all(cell.dims.get(name) in among for name, among in codes.items())
        ]


@cache
def description(path: Path) -> Description:
    """Read a template's file once."""
    return Description(path)


class _Entry(NamedTuple):
    """A count of an edition: its key and place, its name with what it is in fact, what is shown."""

    key: Mapping[str, Any]
    leaf: Leaf
    name: tuple[str, str, str, int | None]
    value: int | None


def _entries(edition: Edition, said: Description) -> dict[str, list[_Entry]]:
    """Return every count of single forces by table, those that have a number."""
    public = edition.public
    profiles = public[PROFILES].filter(pl.col("basis") != "published")
    value_of = {of["mart"]: of["value"] for of in said.measures.values() if "mart" in of}
    found: dict[str, list[_Entry]] = {}
    for table, cells in said.tables.items():
        held: Iterable[tuple[dict[str, Any], Leaf | None, int | None]]
        if not said.is_public(table):
            mart, column = _CELLS, table.partition("@")[0]
            forces = profiles["force_code"].to_list()
            held = ((_own(force, cell), cell.place, None) for force in forces for cell in cells)
        elif table in said.earlier:
            mart, column = PROFILES, table
            frame = profiles.select("force_code", table, pl.col(f"{table}_symbol").alias("symbol"))
            held = _rows(frame, table, cells)
        elif table in public:
            mart, column = table, value_of.get(table, "instances")
            held = _rows(public[table].drop("basis"), column, cells)
        else:
            continue
        found[table] = []
        for key, leaf, value in held:
            name = mart, column, cell_of(key)
            # Which of those that stand nowhere a force gives, he is told.
            if leaf is not None and (mart != _CELLS or name in edition.marks):
                entry = _Entry(key, leaf, (*name, edition.marks.get(name)), value)
                found[table].append(entry)
    return found


def _own(force: str, cell: _Cell) -> dict[str, Any]:
    return {"force_code": force, **({"period": cell.period} if cell.period else {}), **cell.dims}


def _rows(
    frame: pl.DataFrame, column: str, cells: Sequence[_Cell]
) -> Iterator[tuple[dict[str, Any], Leaf | None, int | None]]:
    """Yield key, cell and shown value of the rows of a public mart that have a number."""
    names = [name for name in frame.columns if name not in {"force_code", column, "symbol"}]
    at: dict[tuple[Any, ...], Leaf] = {}
    for cell in cells:
        key = (cell.place[1] if name == "item" else cell.dims.get(name) for name in names)
        at[tuple(key)] = cell.place
    for row in frame.filter(pl.col("symbol").ne_missing(UNAVAILABLE)).iter_rows(named=True):
        value, _ = row.pop(column), row.pop("symbol")
        codes = tuple(row[name] for name in names)
        yield row, at.get(codes) if cells else codes, value


class Counts:
    """The counts of one edition in a system of tables: shown ones with values, others unknown.

    Numbers are given once every edition's counts are named, so that what one shows is known in all.
    """

    def __init__(self, entries: Mapping[str, list[_Entry]], numbering: Numbering) -> None:
        """Name the counts, by table, of the system."""
        self.entries, self._numbering = entries, numbering
        self._names: dict[str, dict[Leaf, Any]] = defaultdict(dict)
        for entry in (entry for table in entries.values() for entry in table):
            self._names[entry.key["force_code"]][entry.leaf] = entry.name
            if entry.value is not None:
                numbering.values[entry.name] = entry.value

    def names(self, leaves: Iterable[Leaf], force: str | None = None) -> tuple[Any, ...]:
        """Return the names of counts of a force, or of all, that have a number."""
        of = self._names.values() if force is None else [self._names.get(force, {})]
        leaves = list(leaves)
        return tuple(names[leaf] for names in of for leaf in leaves if leaf in names)

    def total(self, leaves: Iterable[Leaf], force: str | None = None) -> Total | None:
        """Return the sum of counts; None where none of them has a number."""
        names = self.names(leaves, force)
        return self._numbering.total(names) if names else None


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
    everything = [_entries(edition, said) for edition in editions]
    for system, names in said.systems.items():
        if only not in {None, system}:
            continue
        known, numbering = Knowledge(), Numbering()
        # First every entry is named, since what one edition shows is known of the others.
        counts = [
            Counts({name: entries[name] for name in names if name in entries}, numbering)
            for entries in everything
        ]
        for number, edition in enumerate(editions):
            away = {
                (entry.key["force_code"], entry.leaf): entry.name[-1]
                for table, entries in everything[number].items()
                if table not in names and said.is_public(table)
                for entry in entries
            }
            year = collection.census.year
            reader = _Reader(known, numbering, said, edition, counts[number], away, year)
            for table in counts[number].entries:
                reader.read_hidden(table, number)
                reader.read_figures(table)
                reader.read_profiles(table, number)
            for measure in said.measures:
                if said.table_of(measure) in counts[number].entries:
                    spread_of = partial(reader.spread, measure)
                    read_spread(known, numbering, measure, edition.public, spread_of)
            reader.read_rules()
        known.unknowns, known.names = len(numbering), numbering.names
        hidden: dict[Any, Hidden] = {}
        for item in known.hidden:
            hidden[item.key] = replace(hidden.get(item.key, item), last=item.last)
        known.hidden = list(hidden.values())
        found[system] = known
    return found


@dataclass(frozen=True)
class _Reader:
    """Adds to the knowledge what one edition tells of the tables of one system.

    `away` are the counts of other systems that stand in a public mart, by force and leaf: where a
    rule compares with them they are given away here.
    """

    known: Knowledge
    numbering: Numbering
    said: Description
    edition: Edition
    counts: Counts
    away: Mapping[tuple[str, Leaf], int | None]
    year: int

    def read_hidden(self, table: str, edition: int) -> None:
        """Read which counts are hidden."""
        for entry in self.counts.entries[table]:
            if entry.value is None:
                total, names = self.numbering.total([entry.name]), (entry.name,)
                self.known.hidden.append(Hidden(*entry.name[:3], total, names, edition, edition))

    def read_figures(self, table: str) -> None:
        """Read the national totals, and the printed figures of forces, that add a table up."""
        public = self.edition.public
        for row in public["national_totals"].drop_nulls("value").iter_rows(named=True):
            if self._table(row) == table:
                self._tell(self._total(table, row), row["value"])
        forces = pl.col("scope").is_in(public[PROFILES]["force_code"].to_list())
        for row in public["reconciliation"].filter(forces).iter_rows(named=True):
            if self._table(row) != table or row["symbol"] == UNAVAILABLE:
                continue
            total = self._total(table, row, row["scope"])
            if row["computed"] is not None:
                self._tell(total, row["computed"])
            elif total is not None and total.unknowns:
                # It is hidden since it is another number than what is printed. On which side of
                # that it lies nobody is told; it is given away here.
                printed = row["published"]
                is_more = self.numbering.of_total(total) > printed
                ends = (math.floor(printed) + 1, None) if is_more else (0, math.ceil(printed) - 1)
                self.known.limits.append((total, *ends))

    def _table(self, row: Mapping[str, Any]) -> str | None:
        if row["measure"] in self.said.measures:
            return self.said.table_of(row["measure"], row["period"], row["breakdown"])
        return _RESEARCH_TOTALS.get(row["measure"])

    def _total(self, table: str, row: Mapping[str, Any], force: str | None = None) -> Total | None:
        leaves = (
            self._researched(table, row["measure"], row["breakdown"])
            if table in self.said.research
            else self.said.among(row["measure"], row["breakdown"], row["period"])
        )
        return None if leaves is None else self.counts.total(leaves, force)

    def _researched(self, table: str, measure: str, breakdown: str) -> list[Leaf]:
        """Return the counts of a research at some codes; cases are those of the census's year."""
        parts: dict[str, Any] = read_breakdown(breakdown)
        codes = {"year": self.year} if measure == "social_media_cases" else parts
        return list(
            dict.fromkeys(
                entry.leaf
                for entry in self.counts.entries[table]
                if all(str(entry.key[name]) == str(code) for name, code in codes.items())
            )
        )

    def _tell(self, total: Total | None, value: float) -> None:
        if total is not None and total.unknowns:
            self.known.equal.append((total, round(value)))

    def read_profiles(self, table: str, edition: int) -> None:
        """Read the columns of force_profiles that add a table up."""
        columns: dict[str, list[Leaf] | None] = {
            name: self.said.among(of["measure"], _breakdown(of.get("dims", {})))
            for name, of in self.said.profile.items()
            if of["measure"] in self.said.measures
            and "period" not in of
            and self.said.table_of(of["measure"]) == table
        }
        if table in self.said.research:
            columns["social_media_cases"] = self._researched(table, "social_media_cases", "")
        for row in self.edition.public[PROFILES].iter_rows(named=True):
            force = row["force_code"]
            for column, leaves in columns.items():
                if leaves is None or column not in row:
                    continue
                if row[f"{column}_symbol"] == SUPPRESSED:
                    names, cell = self.counts.names(leaves, force), f"force_code={force}"
                    total = self.numbering.total(names)
                    hidden = Hidden(PROFILES, column, cell, total, names, edition, edition)
                    self.known.hidden += [hidden] if names else []
                elif row[column] is not None:
                    self._tell(self.counts.total(leaves, force), row[column])

    def spread(self, measure: str, parts: Mapping[str, str]) -> list[OfForce]:
        """Return the totals of the forces that a statistic is about, as far as profiles tell."""
        dims = {name: code for name, code in parts.items() if name in self.said.lists}
        column, whole = (
            next((n for n, of in self.said.profile.items() if of == {"measure": measure, **at}), "")
            for at in ({"dims": dims} if dims else {}, {})
        )
        leaves = self.said.among(measure, _breakdown(dims)) or []
        found = []
        for row in self.edition.public[PROFILES].sort("force_code").iter_rows(named=True):
            total = self.counts.total(leaves, row["force_code"])
            if total is not None and (shown := row.get(column)) is not None:
                found.append(OfForce(total, shown, shown))
            elif total is not None:
                most = row.get(whole)
                found.append(OfForce(total, total.shown, np.inf if most is None else most))
        return found

    def read_rules(self) -> None:
        """Add what is known since returns have passed the rules that were in force.

        A return that breaks a rule was accepted with an answer: it is noted among the broken ones.
        """
        told = self.edition.told(self.said.rules, self.said.named, self.said.leaves)
        for rule, force, items in told:
            found = Knowledge()
            for item in items:
                found.tell(ways_of(item, self.said.leaves, partial(self._count, force)))
            if not self.known.add(found, self.numbering):
                self.known.broken.setdefault(force, set()).add(rule)

    def _count(self, force: str, place: Place) -> Total | None:
        away = self.away.get((force, place))
        return self.counts.total([place], force) if away is None else Total((), away)


def _breakdown(dims: Mapping[str, str]) -> str:
    return ";".join(f"{name}={code}" for name, code in dims.items())
