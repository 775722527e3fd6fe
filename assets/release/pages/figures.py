"""Looks figures up in the marts, each with its address.

Nothing but a percent or a count of rows is computed: everything else on a page stands in a mart.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any, Final

import polars as pl

from assets.release.pages.charts import Spread
from assets.release.pages.content import COUNT, PERCENT, RANK, Figure, Style
from assets.release.pages.description import Description, description, totals_of
from assets.release.pages.wording import Wording, ordinal
from schemas.collection import Collection, load_collection
from schemas.disclosure import SUPPRESSED
from schemas.template import Entry

ROWS: Final = "rows"
Key = str | int | bool | None
_Index = dict[tuple[str, ...], Any]
_Rows = dict[tuple[Key, ...], list[dict[str, Any]]]


@dataclass(frozen=True, eq=False)
class Edition:
    """A release to be read by people: its marts by name, and what it says about itself.

    `about` has release, collection, sources and basis. What every page shows is kept: `by_force`
    figures of every force, by address, `ranked` their numbers below zero, the largest
    first, and `of_all` figures of all forces together.
    """

    marts: Mapping[str, pl.DataFrame]
    about: Mapping[str, str]
    by_force: dict[str, Spread] = field(default_factory=dict)
    ranked: dict[tuple[str, str], list[float]] = field(default_factory=dict)
    of_all: dict[tuple[Any, ...], Figure] = field(default_factory=dict)
    _indices: dict[tuple[str, str, tuple[str, ...]], _Index] = field(default_factory=dict)
    _rows: dict[tuple[str, tuple[str, ...]], _Rows] = field(default_factory=dict)

    @cached_property
    def collection(self) -> Collection:
        """The collection the release is of."""
        return load_collection(self.about["collection"])

    @cached_property
    def description(self) -> Description:
        """What stands on the pages of the collection."""
        return description(self.collection.template)

    @cached_property
    def wording(self) -> Wording:
        """The words of the collection's codes."""
        return Wording(self.collection.template, self.description.words)

    @cached_property
    def totals(self) -> dict[str, set[frozenset[str]]]:
        """By measure, the keys that its national totals are broken down by."""
        return totals_of(self.collection.template)

    @cached_property
    def names(self) -> dict[str, str]:
        """Short name of each expected force, by code."""
        known = dict(self.collection.bodies.select("force_code", "short_name").iter_rows())
        return {code: known[code] for code in self.collection.forces}

    @cached_property
    def counted(self) -> dict[str, list[Entry]]:
        """The entries that count each measure, in their order."""
        found: dict[str, list[Entry]] = {}
        for entry in self.collection.template.counted():
            found.setdefault(str(entry.measure), []).append(entry)
        return found

    def rows(self, mart: str, **where: Key) -> list[dict[str, Any]]:
        """Return the rows of a mart that have these values; none where there is no such mart."""
        names = tuple(where)
        if (mart, names) not in self._rows:
            found = self._rows[mart, names] = {}
            frame = self.marts.get(mart)
            for row in () if frame is None else frame.iter_rows(named=True):
                found.setdefault(tuple(row[name] for name in names), []).append(row)
        return self._rows[mart, names].get(tuple(where.values()), [])

    def figure(self, mart: str, column: str, style: Style = COUNT, **where: Key) -> Figure:
        """Return the value of a mart's column in the rows that have these values.

        Numbers of several rows are added up; one that is unknown makes the sum unknown. The column
        `rows` counts them: unknown where there is no such mart. Values may be texts, as they stand
        in addresses.
        """
        found = self._index(mart, column, tuple(where)).get(tuple(map(_key, where.values())))
        if column == ROWS and mart in self.marts:
            found = found or 0
        hidden = found is None and self._is_hidden(mart, column, where)
        return Figure(found, _address(mart, column, where), style, hidden=hidden)

    def _is_hidden(self, mart: str, column: str, where: Mapping[str, Key]) -> bool:
        """Return whether a symbol says that a value stands in the full edition alone."""
        frame = self.marts.get(mart)
        beside = (f"{column}_symbol", "symbol")
        symbol = next((s for s in beside if frame is not None and s in frame.columns), None)
        if frame is None or symbol is None or not {*where} <= {*frame.columns}:
            return False
        key = (mart, symbol, tuple(where))
        if key not in self._indices:
            marked = frame.filter(pl.col(symbol) == SUPPRESSED).select(*where)
            self._indices[key] = {tuple(map(_key, row)): True for row in marked.iter_rows()}
            if not where and marked.height:
                self._indices[key] = {(): True}
        return tuple(map(_key, where.values())) in self._indices[key]

    def rank(self, mart: str, column: str, force_code: str) -> Figure:
        """Return the place of a force among those whose number is known, the largest first."""
        of = self.figure(mart, column, RANK, force_code=force_code)
        if (mart, column) not in self.ranked:
            numbers = (self.figure(mart, column, force_code=code).number for code in self.names)
            self.ranked[mart, column] = sorted(-one for one in numbers if one is not None)
        known = self.ranked[mart, column]
        if of.number is None:
            return of
        place, after = bisect_left(known, -of.number), bisect_right(known, -of.number)
        unseen = " shown" * (self.about.get("edition") == "public" and len(known) < len(self.names))
        alike = "joint " * (after - place > 1)
        return replace(of, value=f"{alike}{ordinal(place + 1)} of {len(known)}{unseen}")

    def _index(self, mart: str, column: str, names: tuple[str, ...]) -> _Index:
        key = (mart, column, names)
        if key not in self._indices:
            frame = self.marts.get(mart)
            if frame is None or not {column, *names} <= {*frame.columns, ROWS}:
                self._indices[key] = {}
            else:
                self._indices[key] = _indexed(frame, column, names)
        return self._indices[key]


def share(part: Figure, whole: Figure, style: Style = PERCENT) -> Figure:
    """Return how much a figure is of another, in percent or as the style says.

    Unknown where there is no whole.
    """
    value = None
    if part.number is not None and whole.number:
        value = style.per * part.number / whole.number
    asked, hidden = part.asked and whole.asked, part.hidden or whole.hidden
    return Figure(value, part.source, style, of=whole.source, asked=asked, hidden=hidden)


def _indexed(frame: pl.DataFrame, column: str, names: tuple[str, ...]) -> _Index:
    if column == ROWS:
        value = pl.len()
    elif frame.schema[column].is_numeric():
        known = pl.col(column).is_not_null().all()
        value = pl.when(known).then(pl.col(column).sum())
    else:
        value = pl.when(pl.len() == 1).then(pl.col(column).first())
    if not names:
        return {(): frame.select(value).item()} if frame.height else {}
    found = frame.group_by(names).agg(value.alias("__value"))
    return {tuple(map(_key, keys)): result for *keys, result in found.iter_rows()}


def _key(value: Key) -> str:
    return "" if value is None else str(value)


def _address(mart: str, column: str, where: Mapping[str, Key]) -> str:
    parts = (f"{name}={_key(value)}" for name, value in where.items())
    return " ".join((mart, *parts, column))
