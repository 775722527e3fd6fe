"""What somebody knows of hidden counts, and the same laid out as a puzzle of whole numbers."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from itertools import compress
from operator import not_
from typing import Any, Final, NamedTuple

import numpy as np

from assets.disclosure.passed import Ways, uncertain
from assets.disclosure.solver import WHOLE, Condition, Floats, Rows, Total, matrix_of
from schemas.breakdown import Band

_FREE: Final = 1000.0
"""By so much at least can a count that no total contains be more than any that is known."""


class Hidden(NamedTuple):
    """A hidden count: where it stands, and the total that it is.

    `of` are the places of the counts that it adds up: two of a cell are the same if these are.
    `first` and `last` are the numbers of the editions that hide it, counted from 0.
    """

    mart: str
    column: str
    cell: str
    total: Total
    of: tuple[int, ...] = ()
    first: int = 0
    last: int = 0

    @property
    def key(self) -> tuple[Any, ...]:
        """What tells it apart from others, whichever edition hides it."""
        return self.mart, self.column, self.cell, self.of


class OfForce(NamedTuple):
    """The total of a force, with the least and most it can be."""

    total: Total
    low: int
    high: float


@dataclass
class Knowledge:
    """Of one system of tables: its unknowns, its hidden counts, and what is known of sums.

    `counts` are the names of all counts, of which some edition shows `values`, by their places;
    `names` are the others, the unknowns, and `numbers` theirs by place. `sums` are what is shown by
    edition, column and cell. A name has a mark at its end, which is the same as long as the count
    is: the count itself, so that it can be said whether a return keeps to a rule. A count that two
    editions have alike is one unknown.

    `rows`: what holds. `either`: two lists, of which all of
    the one hold or all of the other. `bands`: totals, a band, and how many of them lie in it, at
    least and at most. `unlike`: totals, and whether numbers of theirs are none that are known not
    to be so. `unread`: public figures that are none of these. `broken`: the rules that a force has
    not passed, though its return was accepted.
    """

    counts: Sequence[Any] = ()
    values: dict[int, int] = field(default_factory=dict)
    sums: dict[tuple[int, str, str], int] = field(default_factory=dict)
    names: list[Any] = field(default_factory=list)
    numbers: dict[int, int] = field(default_factory=dict)
    hidden: dict[Any, Hidden] = field(default_factory=dict)
    rows: list[Condition] = field(default_factory=list)
    either: list[Ways] = field(default_factory=list)
    bands: list[tuple[list[Total], Band, float, float]] = field(default_factory=list)
    unlike: list[tuple[list[Total], Callable[[Sequence[float]], bool]]] = field(
        default_factory=list
    )
    unread: list[str] = field(default_factory=list)
    broken: dict[str, set[str]] = field(default_factory=dict)

    def total(self, places: Iterable[int]) -> Total:
        """Return the sum of counts: of the unknown ones, and of those that some edition shows."""
        unknowns, shown = [], 0
        for place in places:
            if (value := self.values.get(place)) is None:
                unknowns.append(self._number(place))
            else:
                shown += value
        return Total(tuple(unknowns), shown)

    def of_unknowns(self, told: Condition) -> Condition:
        """Return a condition of the counts at places as one of those that are unknown."""
        terms, shown = {}, 0.0
        for place, weight in told.terms.items():
            if (value := self.values.get(place)) is None:
                terms[self._number(place)] = weight
            else:
                shown += weight * value
        return Condition.beside(terms, shown, told.low, told.high)

    def _number(self, place: int) -> int:
        number = self.numbers.setdefault(place, len(self.names))
        if number == len(self.names):
            self.names.append(self.counts[place])
        return number

    def value(self, number: int) -> int:
        """Return what an unknown is in fact."""
        return self.names[number][-1] or 0

    def of_total(self, total: Total) -> int:
        """Return what a total is in fact."""
        return sum(map(self.value, total.unknowns)) + total.shown

    def hide(self, item: Hidden) -> None:
        """Note a hidden count; an edition before may have hidden it."""
        self.hidden[item.key] = self.hidden.get(item.key, item)._replace(last=item.last)

    def hold(self, total: Total, low: float, high: float) -> None:
        """Note the ends between which a total lies."""
        self.rows.append(Condition.of([(1, total)], low, high))

    def tell(self, told: Iterable[Ways]) -> bool:
        """Note what rules tell of a return where all of it is true; return whether it is.

        Of each, one of some lists of conditions holds.
        """
        possible = [open_ways for ways in told if (open_ways := uncertain(ways))]
        is_true = all(
            any(all(each.holds(self.value) for each in way) for way in ways) for ways in possible
        )
        for ways in possible if is_true else ():
            if len(ways) == 1:
                self.rows += ways[0]
            else:
                self.either.append(ways)
        return is_true

    def tell_band(self, spread: Sequence[OfForce], band: Band, least: float, most: float) -> None:
        """Note how many totals lie in a band; where none or all of the unsure do, each one does."""
        top = np.inf if band.high is None else band.high
        sure = [each for each in spread if band.low <= each.low and each.high <= top]
        may = [each for each in spread if each.low <= top and each.high >= band.low]
        unsure = [each.total for each in may if each not in sure]
        least, most = max(0, least - len(sure)), min(len(unsure), most - len(sure))
        if least == len(unsure):
            self._hold_each(unsure, band.low, top)
        elif most == 0 and band.low == 0 and band.high is not None:
            self._hold_each(unsure, band.high + 1, np.inf)
        elif most == 0 and band.high is None:
            self._hold_each(unsure, 0, band.low - 1)
        elif least > 0 or most < len(unsure):
            self.bands.append((unsure, band, least, most))

    def tell_end(self, spread: Sequence[OfForce], value: int, *, is_least: bool) -> None:
        """Note that no total is beyond a number, and that one reaches it."""
        unsure = [each.total for each in spread if each.low != each.high]
        self._hold_each(unsure, *((value, np.inf) if is_least else (0, value)))
        sure = {each.low for each in spread if each.low == each.high}
        told = any(band == Band(value, value) and least for _, band, least, _ in self.bands)
        if value not in sure and not told:
            self.bands.append((unsure, Band(value, value), 1, len(unsure)))

    def _hold_each(self, totals: Iterable[Total], low: float, high: float) -> None:
        for total in totals:
            self.hold(total, low, high)


class Puzzle:
    """Everything known of the unknowns of a system, as rows of a program.

    Unknowns come first; behind them stand choices of 0 or 1, which say on which side of a band a
    total lies, or which of two lists of conditions holds. `groups` says of each column whose it is.
    """

    def __init__(self, known: Knowledge) -> None:
        """Lay out what is known."""
        self.columns = self.unknowns = len(known.names)
        # In one order whatever was read first: in another one, a search may end elsewhere.
        self._rows = sorted(known.rows, key=lambda row: row.low != row.high)
        sums: dict[frozenset[int], float] = {}
        for row in self._rows:
            if set(row.terms.values()) == {1.0}:
                terms = frozenset(row.terms)
                sums[terms] = min(row.high, sums.get(terms, np.inf))
        ends = {terms: high for terms, high in sums.items() if np.isfinite(high)}
        self._free = max(ends.values(), default=0.0) + _FREE
        self._sums: dict[int, list[tuple[float, frozenset[int]]]] = defaultdict(list)
        for terms, high in ends.items():
            for number in terms:
                self._sums[number].append((high, terms))
        self._most: dict[int, float] = {}
        self._asked: list[tuple[int, Condition]] = []
        self._banded: list[tuple[int, Total, float, float]] = []
        first: dict[Any, int] = {}
        names = (name[-2].partition(";")[0] for name in known.names)
        self.groups = [first.setdefault(name, len(first)) for name in names]
        implied = [_is_implied(*ways) for ways in known.either]
        for (none,), (some,) in compress(known.either, implied):
            # Whole numbers: at least 1 of the one where there is any of the other.
            both = {**none.terms, **dict.fromkeys(some.terms, -self.ceiling(none.terms))}
            self._rows.append(Condition(both, -np.inf, 0))
        for ways in compress(known.either, map(not_, implied)):
            self._either(*ways)
        for band in known.bands:
            self._band(*band)

    def _either(self, one: list[Condition], other: list[Condition]) -> None:
        """Say that the rows of one list hold: a choice of 1 frees the first, of 0 the second."""
        choice = self._choices(1, next(iter(one[0].terms)))
        self._asked += [(choice, condition) for condition in one]
        for rows, sign in ((one, 1), (other, -1)):
            for terms, low, high in rows:
                most = sum(w * self._single(n) for n, w in terms.items() if w > 0)
                least = sum(w * self._single(n) for n, w in terms.items() if w < 0)
                if np.isfinite(high):
                    free = sign * max(0.0, most - high)
                    freed = Condition({**terms, choice: -free}, -np.inf, high - min(free, 0))
                    self._rows.append(freed)
                if np.isfinite(low):
                    free = sign * max(0.0, low - least)
                    freed = Condition({**terms, choice: free}, low + min(free, 0), np.inf)
                    self._rows.append(freed)

    def _choices(self, many: int, of: int) -> int:
        """Add choices, whose group is that of an unknown, and return the number of the first."""
        self.groups += [self.groups[of]] * many
        self.columns += many
        return self.columns - many

    def _single(self, number: int) -> float:
        if number not in self._most:
            self._most[number] = self.ceiling([number])
        return self._most[number]

    def _band(self, totals: list[Total], band: Band, least: float, most: float) -> None:
        """Say how many totals lie in a band: each is below, inside or above it."""
        insides = []
        for total in totals:
            ceiling = self.ceiling(total.unknowns) + total.shown
            high = ceiling if band.high is None else min(band.high, ceiling)
            below = self._choices(3, total.unknowns[0] if total.unknowns else 0)
            inside, above = below + 1, below + 2
            insides.append(inside)
            self._banded.append((below, total, band.low, high))
            terms = dict.fromkeys(total.unknowns, 1.0)
            low = {**terms, inside: -float(band.low), above: -high - 1}
            ends = {**terms, below: 1.0 - band.low, inside: -high, above: -ceiling}
            self._rows += [
                Condition({below: 1.0, inside: 1.0, above: 1.0}, 1, 1),
                Condition(low, -total.shown, np.inf),
                Condition(ends, -np.inf, -total.shown),
            ]
        self._rows.append(Condition(dict.fromkeys(insides, 1.0), least, most))

    def complete(self, values: Floats) -> Floats:
        """Return solutions of values of the unknowns, a row each: with the choices they lead to."""
        tables = np.zeros((len(values), self.columns))
        tables[:, : self.unknowns] = values
        asked = Rows.of([condition for _, condition in self._asked], self.unknowns)
        found = (asked.matrix @ values.T).T
        broken = (found < asked.low - WHOLE) | (found > asked.high + WHOLE)
        choices = [choice for choice, _ in self._asked]
        np.maximum.at(tables.T, choices, broken.T.astype(float))
        totals = [dict.fromkeys(total.unknowns, 1.0) for _, total, *_ in self._banded]
        found = matrix_of(totals, self.unknowns) @ values.T
        of = [(below, total.shown, low, high) for below, total, low, high in self._banded]
        below, shown, low, high = np.array(of, dtype=float).reshape(-1, 4).T[:, :, None]
        found += shown
        side = below.astype(int) + (found >= low) + (found > high)
        tables[np.arange(len(values)), side] = 1
        return tables

    def ceiling(self, unknowns: Iterable[int]) -> float:
        """Return the most that a sum can be by a single sum that contains it, or its parts can.

        Of a count that no sum contains, which a hidden national total leaves, nobody can say. Here
        it is no more than a number that leaves it free enough.
        """
        own = frozenset(unknowns)
        sums = [high for high, terms in self._sums[min(own)] if own <= terms] if own else []
        if len(own) > 1 and not sums:
            return sum(map(self._single, unknowns))
        return min(sums, default=self._free if own else 0.0)

    def most(self) -> Floats:
        """Return what bounds each column from above, besides the rows."""
        most = np.full(self.columns, np.inf)
        most[[n for n in range(self.unknowns) if not self._sums[n]]] = self._free
        most[self.unknowns :] = 1
        return most

    def conditions(self) -> Rows:
        """Return the rows; what several editions tell alike stands once."""
        rows = {(frozenset(row.terms.items()), row.low, row.high): row for row in self._rows}
        return Rows.of([*rows.values()], self.columns)


def _is_implied(one: list[Condition], other: list[Condition]) -> bool:
    """Return whether it is told that a sum is 0, or that another is at least 1."""
    weights = {weight for each in (*one, *other) for weight in each.terms.values()}
    return (len(one), len(other), one[0].high, other[0].low, weights) == (1, 1, 0, 1, {1})
