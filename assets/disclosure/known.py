"""The words in which it is said what is known of hidden counts: unknowns, and sums of them."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Final, NamedTuple

from schemas.breakdown import Band

_ROUNDING: Final = 1e-9


class Total(NamedTuple):
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


class Condition(NamedTuple):
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

    def holds(self, values: Callable[[int], float]) -> bool:
        """Return whether it holds where the unknowns have these values."""
        value = sum(weight * values(number) for number, weight in self.terms.items())
        return bool(self.low - _ROUNDING <= value <= self.high + _ROUNDING)


Ways = list[list[Condition]]
"""Conditions of which those of one list hold, all of them."""


def uncertain(ways: Ways) -> Ways:
    """Return the ways without what holds for certain, and without those that cannot be.

    None where something holds for certain, or nothing can.
    """
    possible = [[each for each in way if each.terms] for way in ways if is_possible(way)]
    return possible if all(possible) else []


def is_possible(way: list[Condition]) -> bool:
    """Return whether no condition is broken whatever the unknowns are."""
    return all(condition.terms or condition.holds(float) for condition in way)


@dataclass
class Knowledge:
    """Of one system of tables: its hidden counts, and what is known of sums of its unknowns.

    `equal`: a total and its value. `left`: by unknown and edition, the least that a total leaves of
    which it is a part, with the exempt counts, whatever else is hidden. `rows`: what holds.
    `limits`: a total and the range it lies in. `either`: two lists, of which all of the one hold or
    all of the other. `implied`: that a sum is 0, or that another is at least 1. `bands`: totals, a
    band, and how many of them lie in it, at least and at most. `unlike`: totals, and whether
    numbers of theirs are none that are known not to be so. `unread`: public figures that are none
    of these. `names` are those of the unknowns, each with what it is in fact at its end. `broken`:
    the rules that a force has not passed, though its return was accepted.
    """

    unknowns: int = 0
    names: list[Any] = field(default_factory=list)
    hidden: list[Hidden] = field(default_factory=list)
    equal: list[tuple[Total, int]] = field(default_factory=list)
    left: dict[int, dict[int, int]] = field(default_factory=dict)
    rows: list[Condition] = field(default_factory=list)
    limits: list[tuple[Total, int, int | None]] = field(default_factory=list)
    either: list[tuple[list[Condition], list[Condition]]] = field(default_factory=list)
    implied: list[tuple[Condition, Condition]] = field(default_factory=list)
    bands: list[tuple[list[Total], Band, int, int]] = field(default_factory=list)
    unlike: list[tuple[list[Total], Callable[[Sequence[float]], bool]]] = field(
        default_factory=list
    )
    unread: list[str] = field(default_factory=list)
    broken: dict[str, set[str]] = field(default_factory=dict)

    def written(self) -> str:
        """Return all of it as text, the same for the same."""
        unlike = []
        for totals, differs in self.unlike:
            assert isinstance(differs, partial)
            unlike.append((totals, differs.func.__name__, differs.args))
        broken = [(force, sorted(rules)) for force, rules in sorted(self.broken.items())]
        return repr(vars(self) | {"unlike": unlike, "broken": broken})

    def add(self, told: "Knowledge", numbering: "Numbering") -> bool:
        """Add what is told of a return, where it is true; return whether it is."""
        values = numbering.value
        true = all(condition.holds(values) for condition in told.rows) and all(
            any(all(condition.holds(values) for condition in way) for way in ways)
            for ways in (*told.either, *([[none], [some]] for none, some in told.implied))
        )
        if true:
            self.rows += told.rows
            self.either += told.either
            self.implied += told.implied
        return true

    def tell(self, ways: Ways) -> None:
        """Add that the conditions of one of some lists hold."""
        possible = uncertain(ways)
        if len(possible) == 1:
            self.rows += possible[0]
        elif len(possible) > 1:
            one, other = possible
            weights = {weight for each in (*one, *other) for weight in each.terms.values()}
            if (len(one), len(other), one[0].high, other[0].low, weights) == (1, 1, 0, 1, {1}):
                self.implied.append((one[0], other[0]))
            else:
                self.either.append((one, other))


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

    def value(self, number: int) -> int:
        """Return what an unknown is in fact."""
        if len(self._names) < len(self._numbers):
            self._names = list(self._numbers)
        return self._names[number][-1] or 0

    def of_total(self, total: Total) -> int:
        """Return what a total is in fact."""
        return sum(map(self.value, total.unknowns)) + total.shown

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
