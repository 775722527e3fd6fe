"""Reads public editions as somebody would who wants to know what is hidden.

Apart from the choice of what to hide, on purpose: it reads the template's file by itself, and of
each edition the public marts and which counts are the same as in another one.
"""

import math
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, Final, NamedTuple

import numpy as np
import polars as pl

from assets.disclosure.described import Cell, Description, Leaf, description
from assets.disclosure.known import Hidden, Knowledge, Numbering, Total, cell_of
from assets.disclosure.over_forces import OfForce, read_spread
from assets.disclosure.passed import Held
from assets.disclosure.published import Edition
from schemas.breakdown import read_breakdown
from schemas.collection import Collection
from schemas.disclosure import PROFILES, SUPPRESSED, UNAVAILABLE

_CELLS: Final = "cells"
_OUTCOMES: Final = "investigations"
"""The measure whose totals outcome_breakdown has."""

_RESEARCH_TOTALS: Final = {
    "social_media_instances": "social_media",
    "social_media_cases": "social_media",
}
"""National figures of the research, and the mart that they add up."""


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


def _own(force: str, cell: Cell) -> dict[str, Any]:
    return {"force_code": force, **({"period": cell.period} if cell.period else {}), **cell.dims}


def _rows(
    frame: pl.DataFrame, column: str, cells: Sequence[Cell]
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


class _Figure(NamedTuple):
    """A figure that adds counts up, of a force or of all: what is shown, and what is printed."""

    measure: str
    breakdown: str
    period: str
    force: str | None
    value: float | None
    printed: float


def _figures(edition: Edition, said: Description) -> dict[str, list[_Figure]]:
    """Return the national totals, and the printed figures, by the table that they add up."""
    public, key = edition.public, ("measure", "breakdown", "period")
    forces = pl.col("scope").is_in(public[PROFILES]["force_code"].to_list())
    shown = public["national_totals"].drop_nulls("value")
    shown = shown.select(*key, pl.lit(None).alias("force"), "value", pl.lit(0.0).alias("printed"))
    printed = public["reconciliation"].filter(pl.col("symbol").ne_missing(UNAVAILABLE))
    force = pl.when(forces).then("scope").alias("force")
    printed = printed.select(*key, force, "computed", "published")
    of_force = printed["force"].is_not_null()
    found: dict[str, list[_Figure]] = defaultdict(list)
    for row in (*shown.rows(), *printed.filter(~of_force).rows(), *printed.filter(of_force).rows()):
        figure = _Figure(*row)
        table = _RESEARCH_TOTALS.get(figure.measure)
        if figure.measure in said.measures:
            table = said.table_of(figure.measure, figure.period, figure.breakdown)
        if table is not None:
            found[table].append(figure)
    return found


class Counts:
    """The counts of one edition in a system of tables: shown ones with values, others unknown.

    Numbers are given once every edition's counts are named, so that what one shows is known in all.
    """

    def __init__(
        self, entries: Mapping[str, list[_Entry]], numbering: Numbering, collection: Collection
    ) -> None:
        """Name the counts, by table, of the system; `exempt` are those that are shown as such."""
        self.entries, self._numbering = entries, numbering
        self._names: dict[str, dict[Leaf, Any]] = defaultdict(dict)
        self.exempt: dict[Any, int] = {}
        for entry in (entry for table in entries.values() for entry in table):
            force = entry.key["force_code"]
            self._names[force][entry.leaf] = entry.name
            if entry.value is not None:
                numbering.values[entry.name] = entry.value
                if collection.is_exempt(*entry.name[:2], force, entry.value):
                    self.exempt[entry.name] = entry.value

    def names(self, leaves: Iterable[Leaf], force: str | None = None) -> tuple[Any, ...]:
        """Return the names of counts of a force, or of all, that have a number."""
        of = self._names.values() if force is None else [self._names.get(force, {})]
        leaves = list(leaves)
        return tuple(names[leaf] for names in of for leaf in leaves if leaf in names)

    def total(self, leaves: Iterable[Leaf], force: str | None = None) -> Total | None:
        """Return the sum of counts; None where none of them has a number."""
        names = self.names(leaves, force)
        return self._numbering.total(names) if names else None

    def totals(self, away: Mapping[tuple[str, Leaf], int | None]) -> dict[str, dict[Leaf, Total]]:
        """Return every count by force and leaf, with those of other systems, which are known."""
        found = {
            force: {leaf: self._numbering.total([name]) for leaf, name in names.items()}
            for force, names in self._names.items()
        }
        for (force, leaf), count in away.items():
            if count is not None:
                found.setdefault(force, {})[leaf] = Total((), count)
        return found


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
    figures = [_figures(edition, said) for edition in editions]
    for system, names in said.systems.items():
        if only not in {None, system}:
            continue
        known, numbering = Knowledge(), Numbering()
        # First every entry is named, since what one edition shows is known of the others.
        counts = [
            Counts(
                {name: entries[name] for name in names if name in entries}, numbering, collection
            )
            for entries in everything
        ]
        for number, edition in enumerate(editions):
            away = {
                (entry.key["force_code"], entry.leaf): entry.name[-1]
                for table, entries in everything[number].items()
                if table not in names and "@" not in table
                for entry in entries
            }
            reader = _Reader(
                known, numbering, said, edition, number, counts[number], away, collection
            )
            for table in counts[number].entries:
                reader.read_hidden(table)
                reader.read_figures(table, figures[number].get(table, ()))
                reader.read_profiles(table)
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
    if only is None and found:
        unread = (each for edition in editions for each in _computed(edition, said))
        next(iter(found.values())).unread += dict.fromkeys(unread)
    return found


def _computed(edition: Edition, said: Description) -> Iterator[str]:
    """Yield what is computed of a measure's totals and shown, though some of those are not."""
    national = edition.public["national_totals"]
    for measure, breakdown in dict.fromkeys(
        national.filter(symbol=SUPPRESSED).select("measure", "breakdown").iter_rows()
    ):
        if measure not in said.measures or not set(read_breakdown(breakdown)) <= set(said.lists):
            continue
        named = pl.col("measure").is_in(said.computed_of(measure))
        named |= pl.col("measure").str.starts_with(f"{measure}_")
        named &= ~pl.col("measure").is_in(said.all_measures)
        shown = national.drop_nulls("value").filter(named)
        yield from shown.select(pl.format("{} {}", "measure", "breakdown")).to_series()
        of = {"comparisons": pl.col("measure") == measure}
        if measure == _OUTCOMES:
            of["outcome_breakdown"] = pl.lit(value=True)
        for mart, rows in of.items():
            if mart in edition.public and edition.public[mart].filter(rows).height:
                yield f"{measure} in {mart}"


@dataclass(frozen=True)
class _Reader:
    """Adds to the knowledge what one edition tells of the tables of one system.

    `away` are the counts of other systems but those of earlier periods in no public mart, by force
    and leaf: where a rule compares with them they are given away here.
    """

    known: Knowledge
    numbering: Numbering
    said: Description
    edition: Edition
    number: int
    counts: Counts
    away: Mapping[tuple[str, Leaf], int | None]
    collection: Collection

    def read_hidden(self, table: str) -> None:
        """Read which counts are hidden."""
        for entry in self.counts.entries[table]:
            if entry.value is None:
                total, names = self.numbering.total([entry.name]), (entry.name,)
                at = self.number, self.number
                self.known.hidden.append(Hidden(*entry.name[:3], total, names, *at))

    def read_figures(self, table: str, figures: Iterable[_Figure]) -> None:
        """Read the national totals, and the printed figures of forces, that add a table up."""
        for figure in figures:
            names = self._names(table, *figure[:3], figure.force)
            total = self.numbering.total(names)
            if not total.unknowns:
                continue
            if figure.value is not None:
                self._tell(names, figure.value, stays=True)
            elif figure.force is None:
                # Where it were what is printed, it would be shown.
                self.known.unlike.append(([total], partial(_is_not, figure.printed)))
            else:
                # It is hidden since it is another number than what is printed. On which side of
                # that it lies nobody is told; it is given away here.
                printed = figure.printed
                is_more = self.numbering.of_total(total) > printed
                ends = (math.floor(printed) + 1, None) if is_more else (0, math.ceil(printed) - 1)
                self.known.limits.append((total, *ends))

    def _names(
        self, table: str, measure: str, breakdown: str, period: str, force: str | None
    ) -> tuple[Any, ...]:
        leaves = (
            self._researched(table, measure, breakdown)
            if table in self.said.research
            else self.said.among(measure, breakdown, period)
        )
        return () if leaves is None else self.counts.names(leaves, force)

    def _researched(self, table: str, measure: str, breakdown: str) -> list[Leaf]:
        """Return the counts of a research at some codes; cases are those of the census's year."""
        parts: dict[str, Any] = read_breakdown(breakdown)
        codes = {"year": self.collection.census.year} if measure == "social_media_cases" else parts
        return list(
            dict.fromkeys(
                entry.leaf
                for entry in self.counts.entries[table]
                if all(str(entry.key[name]) == str(code) for name, code in codes.items())
            )
        )

    def _tell(self, names: Sequence[Any], value: float, *, stays: bool) -> None:
        """Add what a sum is; `stays` where it is shown whatever is hidden to protect others."""
        total = self.numbering.total(names)
        if not total.unknowns:
            return
        self.known.equal.append((total, round(value)))
        if stays:
            exempt = self.counts.exempt
            left = round(value) - sum(exempt[name] for name in exempt.keys() & set(names))
            for unknown in total.unknowns:
                seen = self.known.left.setdefault(unknown, {})
                seen[self.number] = min(left, seen.get(self.number, left))

    def read_profiles(self, table: str) -> None:
        """Read the columns of force_profiles that add a table up."""
        columns: dict[str, list[Leaf] | None] = {
            name: self.said.among(of["measure"], _breakdown(of.get("dims", {})), every=True)
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
                names = self.counts.names(leaves, force)
                if row[f"{column}_symbol"] == SUPPRESSED:
                    at, cell = (self.number, self.number), f"force_code={force}"
                    hidden = Hidden(PROFILES, column, cell, self.numbering.total(names), names, *at)
                    self.known.hidden += [hidden] if names else []
                elif row[column] is not None:
                    is_exempt = self.collection.is_exempt(PROFILES, column, force, row[column])
                    self._tell(names, row[column], stays=is_exempt)

    def spread(self, measure: str, parts: Mapping[str, str]) -> list[OfForce]:
        """Return the totals of the forces that a statistic is about, as far as profiles tell."""
        dims = {name: code for name, code in parts.items() if name in self.said.lists}
        column, whole = (
            next((n for n, of in self.said.profile.items() if of == {"measure": measure, **at}), "")
            for at in ({"dims": dims} if dims else {}, {})
        )
        leaves = self.said.among(measure, _breakdown(dims)) or []
        if leaves != self.said.among(measure, _breakdown(dims), every=True):
            column = ""
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
        held = Held(self.counts.totals(self.away))
        for rule, force, all_ways in self.edition.told(
            self.said.rules, self.said.named, self.said.leaves, held
        ):
            found = Knowledge()
            for ways in all_ways:
                found.tell(ways)
            if not self.known.add(found, self.numbering):
                self.known.broken.setdefault(force, set()).add(rule)


def _is_not(printed: float, values: Sequence[float]) -> bool:
    return values[0] != printed


def _breakdown(dims: Mapping[str, str]) -> str:
    return ";".join(f"{name}={code}" for name, code in dims.items())
