"""What can be known of hidden counts: unknowns, and what is told of sums of them.

Belongs here: the words in which readings.py says what is public, and bounds.py reads it.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import polars as pl

from schemas.breakdown import Band
from schemas.disclosure import UNAVAILABLE


@dataclass(frozen=True)
class Total:
    """A sum of unknowns and of a number that is known."""

    unknowns: tuple[int, ...]
    shown: int


@dataclass(frozen=True)
class Hidden:
    """A hidden count: where it stands, and the total that it is."""

    mart: str
    column: str
    cell: str
    total: Total

    @property
    def key(self) -> tuple[str, str, str]:
        """Where it stands."""
        return self.mart, self.column, self.cell


@dataclass
class Knowledge:
    """Of one table: its hidden counts, and what is known of sums of its unknowns.

    `equal`: a total and its value. `at_most`: a total that is no more than another. `limits`: a
    total and the range it lies in. `bands`: totals, a band, and how many of them lie in it, at
    least and at most. `unread`: public figures that are none of these.
    """

    unknowns: int = 0
    hidden: list[Hidden] = field(default_factory=list)
    equal: list[tuple[Total, int]] = field(default_factory=list)
    at_most: list[tuple[Total, Total]] = field(default_factory=list)
    limits: list[tuple[Total, int, int | None]] = field(default_factory=list)
    bands: list[tuple[list[Total], Band, int, int]] = field(default_factory=list)
    unread: list[str] = field(default_factory=list)


class Entries:
    """The entries of one table: shown ones with their values, the others as unknowns."""

    def __init__(self, mart: str, column: str, frame: pl.DataFrame) -> None:
        """Number the hidden entries; `frame` has `value` and `symbol` beside the key columns."""
        known = frame.filter(pl.col("symbol").ne_missing(UNAVAILABLE))
        self.rows = known.drop("value", "symbol").to_dicts()
        self.values: list[int | None] = known["value"].to_list()
        numbers = iter(range(len(self.rows)))
        self.unknown = [None if value is not None else next(numbers) for value in self.values]
        self.mart, self.column = mart, column
        self._holding: dict[tuple[str, Any], set[int]] = defaultdict(set)
        for place, row in enumerate(self.rows):
            for key, value in row.items():
                self._holding[key, value].add(place)

    def total(self, where: Mapping[str, Iterable[Any]]) -> Total | None:
        """Return the sum of the entries whose columns hold one of these codes; None for none."""
        places = set(range(len(self.rows)))
        for key, codes in where.items():
            places &= set().union(*(self._holding[key, code] for code in codes))
        if not places:
            return None
        unknowns = (self.unknown[place] for place in sorted(places))
        values = (self.values[place] for place in places)
        return Total(
            tuple(number for number in unknowns if number is not None),
            sum(value for value in values if value is not None),
        )

    def hidden(self) -> Iterator[Hidden]:
        """Yield the hidden entries."""
        for row, number in zip(self.rows, self.unknown, strict=True):
            if number is not None:
                cell = ";".join(f"{k}={v}" for k, v in row.items() if v is not None)
                yield Hidden(self.mart, self.column, cell, Total((number,), 0))
