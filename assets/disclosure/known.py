"""What can be known of hidden counts: unknowns, what is told of sums of them, and of their spread.

The words in which readings.py and promises.py say what is public, and bounds.py reads it.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from schemas.breakdown import Band

_EXACT: Final = 1e-9


@dataclass(frozen=True)
class Total:
    """A sum of unknowns and of a number that is known."""

    unknowns: tuple[int, ...]
    shown: int


@dataclass(frozen=True)
class Hidden:
    """A hidden count: where it stands, and the total that it is.

    `names` are those of the entries that it adds up: two counts of a cell are the same if theirs
    are. `first` and `last` are the numbers of the editions that hide it, counted from 0.
    """

    mart: str
    column: str
    cell: str
    total: Total
    names: tuple[Any, ...] = ()
    first: int = 0
    last: int = 0

    @property
    def key(self) -> tuple[Any, ...]:
        """What tells it apart from others, whichever edition hides it."""
        return self.mart, self.column, self.cell, self.names


@dataclass(frozen=True)
class Condition:
    """A weighted sum of unknowns that lies between two ends, infinite for none."""

    terms: Mapping[int, float]
    low: float
    high: float

    @classmethod
    def of(cls, parts: Sequence[tuple[float, Total]], low: float, high: float) -> "Condition":
        """Return what it tells that so many times each total add up to something between ends."""
        terms: dict[int, float] = defaultdict(float)
        for weight, total in parts:
            for number in total.unknowns:
                terms[number] += weight
        shown = sum(weight * total.shown for weight, total in parts)
        kept = {number: weight for number, weight in terms.items() if weight}
        ends = low - shown, high - shown
        if kept and all(weight < 0 for weight in kept.values()):
            kept, ends = {n: -weight for n, weight in kept.items()}, (-ends[1], -ends[0])
        return cls(kept, *ends)

    @property
    def is_certain(self) -> bool | None:
        """Whether it holds whatever the unknowns are; None where that depends on them."""
        if self.terms:
            return None
        return self.low <= _EXACT and self.high >= -_EXACT


@dataclass
class Knowledge:
    """Of one system of tables: its hidden counts, and what is known of sums of its unknowns.

    `equal`: a total and its value. `rows`: weighted sums and their range. `limits`: a total and the
    range it lies in. `either`: two lists of rows, of which all of the one hold or all of the other.
    `implied`: a total that is 0 where another one is. `bands`: totals, a band, and how many of them
    lie in it, at least and at most. `unlike`: totals, and whether numbers of theirs are none that
    are known not to be so. `unread`: public figures that are none of these. `names` are
    those of the unknowns, each with what it is in fact at its end. `broken`: the rules that a force
    has not passed, though its return was accepted.
    """

    unknowns: int = 0
    names: list[Any] = field(default_factory=list)
    hidden: list[Hidden] = field(default_factory=list)
    equal: list[tuple[Total, int]] = field(default_factory=list)
    rows: list[Condition] = field(default_factory=list)
    limits: list[tuple[Total, int, int | None]] = field(default_factory=list)
    either: list[tuple[list[Condition], list[Condition]]] = field(default_factory=list)
    implied: list[tuple[Total, Total]] = field(default_factory=list)
    bands: list[tuple[list[Total], Band, int, int]] = field(default_factory=list)
    unlike: list[tuple[list[Total], Callable[[Sequence[float]], bool]]] = field(
        default_factory=list
    )
    unread: list[str] = field(default_factory=list)
    broken: dict[str, set[str]] = field(default_factory=dict)

    def add(self, told: "Knowledge", numbering: "Numbering") -> bool:
        """Add what is told of a return, where it is true; return whether it is."""

        def holds(row: Condition) -> bool:
            value = numbering.true(row.terms)
            return row.low - _EXACT <= value <= row.high + _EXACT

        true = all(map(holds, told.rows)) and all(
            all(map(holds, one)) or all(map(holds, other)) for one, other in told.either
        )
        for some, only_with in told.implied:
            counts = (
                numbering.true(dict.fromkeys(total.unknowns, 1.0)) + total.shown
                for total in (some, only_with)
            )
            true &= next(counts) == 0 or next(counts) > 0
        if true:
            self.rows += told.rows
            self.either += told.either
            self.implied += told.implied
        return true

    def tell(self, parts: Sequence[tuple[float, Total]], low: float, high: float) -> None:
        """Add that so many times each total add up to something between two ends."""
        row = Condition.of(parts, low, high)
        if row.terms:
            self.rows.append(row)

    def tell_either(self, one: Sequence[Condition], other: Sequence[Condition]) -> None:
        """Add that all rows of the one list hold, or all of the other."""
        ways = [
            [row for row in rows if row.is_certain is None]
            for rows in (one, other)
            if all(row.is_certain is not False for row in rows)
        ]
        if len(ways) == 1:
            self.rows += ways[0]
        elif len(ways) > 1 and all(ways):
            (none, *more), (some, *others) = ways
            weights = {*none.terms.values(), *some.terms.values()}
            if (none.high, some.low, weights) == (0, 1, {1}) and not (more or others):
                self.implied.append((Total(tuple(none.terms), 0), Total(tuple(some.terms), 0)))
            else:
                self.either.append((ways[0], ways[1]))


class Numbering:
    """The unknowns of several editions: a count that is the same in two of them is one.

    It is named by its cell and by a mark, which is the same as long as the count is: the count
    itself, so that it can be said whether a return keeps to a rule.
    """

    def __init__(self) -> None:
        """Begin with none."""
        self.values: dict[Any, int] = {}
        self._numbers: dict[Any, int] = {}
        self._names: list[Any] = []

    def __len__(self) -> int:
        """Return how many unknowns there are."""
        return len(self._numbers)

    @property
    def names(self) -> list[Any]:
        """The names of the unknowns, by number."""
        return list(self._numbers)

    def true(self, terms: Mapping[int, float]) -> float:
        """Return what a weighted sum of unknowns is in fact."""
        if len(self._names) < len(self._numbers):
            self._names = list(self._numbers)
        return sum(weight * (self._names[n][-1] or 0) for n, weight in terms.items())

    def of_total(self, total: Total) -> float:
        """Return what a total is in fact."""
        return self.true(dict.fromkeys(total.unknowns, 1.0)) + total.shown

    def total(self, names: Iterable[Any]) -> Total:
        """Return the sum of counts: of the unknown ones, and of those that some edition shows."""
        unknowns, shown = [], 0
        for name in names:
            if name in self.values:
                shown += self.values[name]
            else:
                unknowns.append(self._numbers.setdefault(name, len(self._numbers)))
        return Total(tuple(unknowns), shown)


def cell_of(row: Mapping[str, Any]) -> str:
    """Return the name of a row by its key: key=value pairs joined by ';'."""
    return ";".join(f"{key}={value}" for key, value in row.items() if value is not None)
