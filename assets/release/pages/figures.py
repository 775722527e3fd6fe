"""Looks figures up in the marts, each with its address.

Nothing but a percent or a count of rows is computed: everything else on a page stands in a mart.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property, lru_cache
from typing import Any, Final

import polars as pl

from assets.release.pages.content import COUNT, PERCENT, RANK, Figure, Style
from assets.release.pages.description import Description, description
from assets.release.pages.wording import Wording, ordinal
from schemas.collection import Collection, load_collection
from schemas.disclosure import SUPPRESSED
from schemas.template import Entry

ROWS: Final = "rows"
Key = str | int | bool | None
Row = dict[str, Any]


@dataclass(frozen=True, eq=False)
class Edition:
    """A release to be read by people: its marts by name, and what it says about itself.

    `about` has release, collection, sources and basis. `of_all` keeps figures of all forces
    together, which every page shows.
    """

    marts: Mapping[str, pl.DataFrame]
    about: Mapping[str, str]
    of_all: dict[tuple[Any, ...], Figure] = field(default_factory=dict)
    _rows: dict[tuple[str, tuple[str, ...]], dict[tuple[str, ...], list[Row]]] = field(
        default_factory=dict
    )

    @cached_property
    def collection(self) -> Collection:
        """The collection the release is of."""
        return load_collection(self.about["collection"])

    @property
    def is_public(self) -> bool:
        """Whether it is the public one."""
        return self.about.get("edition") == "public"

    @cached_property
    def description(self) -> Description:
        """What stands on the pages of the collection."""
        return description(self.collection.template)

    @cached_property
    def wording(self) -> Wording:
        """The words of the collection's codes."""
        return Wording(self.collection.template, self.description.words)

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

    def rows(self, mart: str, **where: Key) -> list[Row]:
        """Return the rows of a mart that have these values; none where there is no such mart.

        Values may be texts, as they stand in addresses.
        """
        names = tuple(where)
        if (mart, names) not in self._rows:
            found = self._rows[mart, names] = {}
            if names and (every := self.rows(mart)):
                keys = zip(
                    *(map(_key, self.marts[mart][name].to_list()) for name in names), strict=True
                )
                for key, row in zip(keys, every, strict=True):
                    found.setdefault(key, []).append(row)
            elif mart in self.marts:
                found[()] = self.marts[mart].to_dicts()
        return self._rows[mart, names].get(tuple(map(_key, where.values())), [])

    def figure(self, mart: str, column: str, style: Style = COUNT, **where: Key) -> Figure:
        """Return the value of a mart's column in the rows that have these values.

        Numbers of several rows are added up; one that is unknown makes the sum unknown. The column
        `rows` counts them: unknown where there is no such mart. A symbol beside a value says that
        it stands in the full edition alone.
        """
        known = any(where.keys() <= row.keys() for row in self.rows(mart)[:1])
        rows = self.rows(mart, **where) if known else []
        if column == ROWS:
            value: Any = len(rows) if mart in self.marts else None
        else:
            value = _added([row.get(column) for row in rows])
        symbols = (row.get(f"{column}_symbol", row.get("symbol")) for row in rows)
        hidden = value is None and SUPPRESSED in symbols
        return Figure(value, _address(mart, column, where), style, hidden=hidden)

    def rank(self, mart: str, column: str, force_code: str) -> Figure:
        """Return the place of a force among those whose number is known, the largest first."""
        of = self.figure(mart, column, RANK, force_code=force_code)
        if of.number is None:
            return of
        known = _ranked(self, mart, column)
        place, after = bisect_left(known, -of.number), bisect_right(known, -of.number)
        unseen = " shown" * (self.is_public and len(known) < len(self.names))
        alike = "joint " * (after - place > 1)
        return replace(of, value=f"{alike}{ordinal(place + 1)} of {len(known)}{unseen}")


@lru_cache(maxsize=32)
def _ranked(edition: Edition, mart: str, column: str) -> list[float]:
    """Return the known numbers of all forces below zero, the largest first."""
    numbers = (edition.figure(mart, column, force_code=code).number for code in edition.names)
    return sorted(-one for one in numbers if one is not None)


def share(part: Figure, whole: Figure, style: Style = PERCENT) -> Figure:
    """Return how much a figure is of another, in percent or as the style says.

    Unknown where there is no whole.
    """
    value = None
    if part.number is not None and whole.number:
        value = style.per * part.number / whole.number
    asked, hidden = part.asked and whole.asked, part.hidden or whole.hidden
    return Figure(value, part.source, style, of=whole.source, asked=asked, hidden=hidden)


def _added(values: list[Any]) -> Any:
    """Return the sum of numbers, or the one value there is."""
    if None in values or not values:
        return None
    adds = isinstance(values[0], int | float) and not isinstance(values[0], bool)
    return sum(values) if adds else values[0] if len(values) == 1 else None


def _key(value: Key) -> str:
    return "" if value is None else str(value)


def _address(mart: str, column: str, where: Mapping[str, Key]) -> str:
    parts = (f"{name}={_key(value)}" for name, value in where.items())
    return " ".join((mart, *parts, column))
