"""Reads public editions as somebody would who wants to know what is hidden.

Apart from the choice of what to hide, on purpose: it reads the template's file by itself, and of
each edition the public marts and which counts are the same as in another one.
"""

import math
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, Final, NamedTuple

import numpy as np
import polars as pl

from assets.disclosure.described import Cell, Description, Leaf, description, over_forces
from assets.disclosure.known import Hidden, Knowledge, OfForce
from assets.disclosure.published import Edition, cell_of
from assets.disclosure.solver import Total
from schemas.breakdown import Band, read_breakdown, write_breakdown
from schemas.collection import Collection
from schemas.disclosure import PROFILES, SUPPRESSED, UNAVAILABLE

_CELLS: Final = "cells"
_CASES: Final = "social_media_cases"
_OUTCOMES, _BY_OUTCOME = "investigations", "outcome_breakdown"
"""A measure, and the mart of its totals by category and outcome."""

_QUANTILES: Final = {
    "minimum": 0.0,
    "lower_quartile": 0.25,
    "median": 0.5,
    "upper_quartile": 0.75,
    "maximum": 1.0,
}
_RESEARCH_TOTALS: Final = {"social_media_instances": "social_media", _CASES: "social_media"}
"""National figures of the research, and the mart that they add up."""


class _Entry(NamedTuple):
    """A count of an edition: its key and place, its name with what it is in fact, what is shown."""

    key: Mapping[str, Any]
    leaf: Leaf
    name: tuple[str, str, str, int | None]
    value: int | None


class _Figure(NamedTuple):
    """A figure that adds counts up, of a force or of all: what is shown, and what is printed."""

    measure: str
    breakdown: str
    period: str
    force: str | None
    value: float | None
    printed: float


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
        # What another collection counted he may have from its edition: here it is given away.
        elsewhere = any(cell.period in edition.collection.compared for cell in cells)
        for key, leaf, shown in held:
            name = mart, column, cell_of(key)
            value = edition.marks.get(name) if elsewhere else shown
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


def _figures(edition: Edition, said: Description) -> dict[str, list[_Figure]]:
    """Return the national totals, and the printed figures, by the table that they add up."""
    public, key = edition.public, ("measure", "breakdown", "period")
    shown = public["national_totals"].drop_nulls("value")
    shown = shown.select(*key, pl.lit(None).alias("force"), "value", pl.lit(0.0).alias("printed"))
    of_force = pl.col("scope").is_in(public[PROFILES]["force_code"].to_list())
    force = pl.when(of_force).then("scope").alias("force")
    printed = public["reconciliation"].filter(pl.col("symbol").ne_missing(UNAVAILABLE))
    printed = printed.select(*key, force, "computed", "published")
    printed = printed.sort(pl.col("force").is_not_null(), maintain_order=True)
    found: dict[str, list[_Figure]] = defaultdict(list)
    for figure in map(_Figure._make, (*shown.rows(), *printed.rows())):
        table = _RESEARCH_TOTALS.get(figure.measure)
        if figure.measure in said.measures:
            table = said.table_of(figure.measure, figure.period, figure.breakdown)
        if table is not None:
            found[table].append(figure)
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
    entries = [_entries(edition, said) for edition in editions]
    figures = [_figures(edition, said) for edition in editions]
    for system in said.systems if only is None else [only]:
        known = found[system] = Knowledge()
        # First every entry is named, since what one edition shows is known of the others.
        readers = [
            _Reader(known, said, edition, number, collection, system, entries[number])
            for number, edition in enumerate(editions)
        ]
        for reader, of_tables in zip(readers, figures, strict=True):
            reader.read(of_tables)
    if only is None and found:
        unread = (each for edition in editions for each in _computed(edition, said))
        next(iter(found.values())).unread += dict.fromkeys(unread)
    return found


def _computed(edition: Edition, said: Description) -> Iterator[str]:
    """Yield what is computed and shown of a measure whose totals are not all, or of no total."""
    public = edition.public
    shown = public["national_totals"].drop_nulls("value").select("measure", "breakdown").rows()
    if _BY_OUTCOME in public:
        codes = public[_BY_OUTCOME].select("category", "outcome").iter_rows()
        shown += [(_BY_OUTCOME, f"category={one};outcome={other}") for one, other in codes]
    for measure in said.measures:
        of = public["national_totals"].filter(measure=measure)
        rows = of.select("breakdown", "period", "symbol", "value").iter_rows()
        totals = [(said.among(measure, *key), symbol, value) for *key, symbol, value in rows]
        is_hidden = any(cells is not None and symbol == SUPPRESSED for cells, symbol, _ in totals)
        whole = {frozenset(cells or ()) for cells, _, value in totals if value is not None}
        parts = {*said.shares_of(measure)} | ({_BY_OUTCOME} if measure == _OUTCOMES else set())
        computed = parts.union(f"{measure}_{what}" for what in ("per_month", "per_force", "change"))
        for name, breakdown in shown:
            spread = "statistic=" in breakdown and "statistic=mean" not in breakdown
            is_told = is_hidden and name in computed and not spread
            if name in parts:
                part = said.among(measure, breakdown, every=True)
                is_told |= frozenset(part or ()) not in whole
            if is_told:
                yield f"{name} {breakdown}"
        if is_hidden and "comparisons" in public and measure in public["comparisons"]["measure"]:
            yield f"{measure} in comparisons"


@dataclass
class _Reader:
    """Adds to the knowledge what one edition tells of the tables of one system.

    `everything` are the entries of all systems. Those of the others, but of earlier periods in no
    public mart, are given away where a rule compares with them.
    """

    known: Knowledge
    said: Description
    edition: Edition
    number: int
    collection: Collection
    system: str
    everything: Mapping[str, list[_Entry]]

    def __post_init__(self) -> None:
        """Name the entries."""
        own = self.said.systems[self.system]
        self._tables = {name: self.everything[name] for name in own if name in self.everything}
        self._names: dict[str, dict[Leaf, Any]] = defaultdict(dict)
        for entry in (entry for table in self._tables.values() for entry in table):
            force = entry.key["force_code"]
            self._names[force][entry.leaf] = entry.name
            if entry.value is not None:
                self.known.values[entry.name] = entry.value

    def read(self, figures: Mapping[str, Sequence[_Figure]]) -> None:
        """Read all there is."""
        for table, entries in self._tables.items():
            for entry in entries:
                if entry.value is None:
                    self._hide(*entry.name[:3], (entry.name,))
            self._read_figures(table, figures.get(table, ()))
            self._read_profiles(table)
        for measure in self.said.measures:
            if self.said.table_of(measure) in self._tables:
                self._read_spread(measure)
        self._read_rules()

    def _hide(self, mart: str, column: str, cell: str, names: tuple[Any, ...]) -> None:
        total, at = self.known.total(names), self.number
        self.known.hide(Hidden(mart, column, cell, total, names, at, at))

    def _of(self, leaves: Iterable[Leaf] | None, force: str | None = None) -> tuple[Any, ...]:
        """Return the names of counts of a force, or of all, that have a number."""
        of = self._names.values() if force is None else [self._names.get(force, {})]
        leaves = list(leaves or ())
        return tuple(names[leaf] for names in of for leaf in leaves if leaf in names)

    def _read_figures(self, table: str, figures: Iterable[_Figure]) -> None:
        """Read the national totals, and the printed figures of forces, that add a table up."""
        for figure in figures:
            leaves: list[Leaf] | None
            if table in self.said.research:
                leaves = self._researched(table, figure.measure, figure.breakdown)
            else:
                leaves = self.said.among(figure.measure, figure.breakdown, figure.period)
            names = self._of(leaves, figure.force)
            total = self.known.total(names)
            if not total.unknowns:
                continue
            if figure.value is not None:
                self._tell(names, figure.value)
            elif figure.force is None:
                # Where it were what is printed, it would be shown.
                self.known.unlike.append(([total], partial(_is_not, figure.printed)))
            else:
                # It is hidden since it is another number than what is printed. On which side of
                # that it lies nobody is told; it is given away here.
                printed = figure.printed
                is_more = self.known.of_total(total) > printed
                self.known.hold(total, *_beyond(printed, np.inf, is_more=is_more))

    def _researched(self, table: str, measure: str, breakdown: str) -> list[Leaf]:
        """Return the counts of a research at some codes; cases are those of the census's year."""
        parts: dict[str, Any] = read_breakdown(breakdown)
        codes = {"year": self.collection.census.year} if measure == _CASES else parts
        of = [
            entry.leaf
            for entry in self._tables[table]
            if all(str(entry.key[name]) == str(code) for name, code in codes.items())
        ]
        return list(dict.fromkeys(of))

    def _tell(self, names: Sequence[Any], value: float) -> None:
        """Add what a sum is."""
        total = self.known.total(names)
        if total.unknowns:
            self.known.hold(total, round(value), round(value))

    def _read_profiles(self, table: str) -> None:
        """Read the columns of force_profiles that add a table up."""
        columns: dict[str, list[Leaf] | None] = {
            name: self.said.among(of["measure"], write_breakdown(of.get("dims", {})), every=True)
            for name, of in self.said.profile.items()
            if of["measure"] in self.said.measures
            and "period" not in of
            and self.said.table_of(of["measure"]) == table
        }
        if table in self.said.research:
            columns[_CASES] = self._researched(table, _CASES, "")
        for row in self.edition.public[PROFILES].iter_rows(named=True):
            force = row["force_code"]
            for column, leaves in columns.items():
                if leaves is None or column not in row:
                    continue
                names = self._of(leaves, force)
                if row[f"{column}_symbol"] == SUPPRESSED and names:
                    self._hide(PROFILES, column, f"force_code={force}", names)
                elif row[column] is not None:
                    self._tell(names, row[column])

    def _read_spread(self, measure: str) -> None:
        """Read the statistics over forces; bands come before ends, by name."""
        public, text = self.edition.public, pl.col("breakdown").str
        spread = text.contains("statistic=") & ~text.contains("statistic=mean")
        here = pl.col("measure").is_in(over_forces([measure])) & (text.contains("count=") | spread)
        shown = public["national_totals"].filter(here).sort("measure", "breakdown")
        for breakdown, value in shown.drop_nulls("value").select("breakdown", "value").iter_rows():
            parts = read_breakdown(breakdown)
            of_forces, name = self._spread(measure, parts), parts.get("statistic", "")
            if "count" in parts:
                number = round(value)
                self.known.tell_band(of_forces, Band.parse(parts["count"]), number, number)
            elif name in {"minimum", "maximum"} and not _is_fixed(of_forces, name):
                self.known.tell_end(of_forces, round(value), is_least=name == "minimum")
            elif not _is_fixed(of_forces, name):
                self.known.unread.append(f"{name} of {breakdown}")
        hidden = public["reconciliation"].filter(here, pl.col("symbol") == SUPPRESSED)
        for breakdown, printed in hidden.select("breakdown", "published").iter_rows():
            parts = read_breakdown(breakdown)
            of_forces = self._spread(measure, parts)
            if "count" in parts:
                # On which side of what is printed their number is, is given away here.
                band, true = (
                    Band.parse(parts["count"]),
                    [self.known.of_total(t) for t, *_ in of_forces],
                )
                top = np.inf if band.high is None else band.high
                is_more = sum(band.low <= count <= top for count in true) > printed
                ends = _beyond(printed, len(of_forces), is_more=is_more)
                self.known.tell_band(of_forces, band, *ends)
            else:
                differs = partial(_differs, parts["statistic"], printed)
                self.known.unlike.append(([each.total for each in of_forces], differs))

    def _spread(self, measure: str, parts: Mapping[str, str]) -> list[OfForce]:
        """Return the totals of the forces that a statistic is about, as far as profiles tell."""
        dims = {name: code for name, code in parts.items() if name in self.said.lists}
        column, whole = (
            next((n for n, of in self.said.profile.items() if of == {"measure": measure, **at}), "")
            for at in ({"dims": dims} if dims else {}, {})
        )
        leaves = self.said.among(measure, write_breakdown(dims)) or []
        if leaves != self.said.among(measure, write_breakdown(dims), every=True):
            column = ""
        found = []
        for row in self.edition.public[PROFILES].sort("force_code").iter_rows(named=True):
            if names := self._of(leaves, row["force_code"]):
                total, shown, most = self.known.total(names), row.get(column), row.get(whole)
                low, high = total.shown, np.inf if most is None else most
                ends = (low, high) if shown is None else (shown, shown)
                found.append(OfForce(total, *ends))
        return found

    def _read_rules(self) -> None:
        """Add what is known since returns have passed the rules that were in force.

        A return that breaks a rule was accepted with an answer: it is noted among the broken ones.
        """
        held: dict[str, dict[Leaf, Total]] = defaultdict(dict)
        for force, names in self._names.items():
            held[force] = {leaf: self.known.total([name]) for leaf, name in names.items()}
        for table, entries in self.everything.items():
            for entry in entries if table not in self._tables and "@" not in table else ():
                if entry.name[-1] is not None:
                    held[entry.key["force_code"]][entry.leaf] = Total((), entry.name[-1])
        for rule, force, ways in self.edition.told(self.said.rules, self.said.written, held):
            if not self.known.tell(ways):
                self.known.broken.setdefault(force, set()).add(rule)


def _beyond(printed: float, most: float, *, is_more: bool) -> tuple[float, float]:
    """Return the ends of a number on one side of what is printed, where it is no more than that."""
    return (math.floor(printed) + 1, most) if is_more else (0, math.ceil(printed) - 1)


def _is_fixed(spread: Sequence[OfForce], statistic: str) -> bool:
    if any(np.isinf(each.high) for each in spread):
        return False
    low, high = ([each[end] for each in spread] for end in (1, 2))
    quantile = _QUANTILES[statistic]
    return bool(np.quantile(low, quantile) == np.quantile(high, quantile))


def _differs(statistic: str, printed: float, totals: Sequence[float]) -> bool:
    """Return whether a statistic is not what is printed: then it would be shown."""
    return bool(np.quantile(totals, _QUANTILES[statistic]) != printed)


def _is_not(printed: float, values: Sequence[float]) -> bool:
    return values[0] != printed
