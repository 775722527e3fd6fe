"""Exact bounds of hidden counts from what is known: linear and whole-number programs."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from functools import cached_property
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

from assets.disclosure.known import Condition, Knowledge, Total
from assets.disclosure.steps import TOGETHER, Floats, Program, Rows, Steps
from schemas.breakdown import Band
from schemas.errors import ContractError

Places = NDArray[np.int64]

_ROUNDING: Final = 1e-6
_AT_ONCE: Final = 100
"""So many tables are held against what is known together."""

_GROWTH: Final = 2.5
"""How many times as many forces are looked at next."""

_FREE: Final = 1000.0
"""By so much at least can a count that no total contains be more than any that is known."""

_CONTRADICTION: Final = (
    "The public marts contradict each other: no whole numbers fit them all. This is a fault of the"
    " program; report it."
)


class Puzzle:
    """Everything known of the unknowns of a table, as rows of a program.

    Unknowns come first; behind them stand choices of 0 or 1, which say on which side of a band a
    total lies.
    """

    def __init__(self, known: Knowledge) -> None:
        """Lay out what is known; what several editions tell alike stands once."""
        self.columns = self._unknowns = known.unknowns
        self._rows: list[Condition] = []
        plain: dict[frozenset[int], float] = {}
        for total, value in known.equal:
            self._rows.append(Condition.of([(1, total)], value, value))
        for total, low, most in known.limits:
            self._rows.append(Condition.of([(1, total)], low, np.inf if most is None else most))
        self._rows += known.rows
        for row in self._rows:
            if set(row.terms.values()) == {1.0}:
                terms = frozenset(row.terms)
                plain[terms] = min(row.high, plain.get(terms, np.inf))
        self._plain_sums: dict[int, list[tuple[float, frozenset[int]]]] = defaultdict(list)
        ends = {terms: high for terms, high in plain.items() if np.isfinite(high)}
        self._free = max(ends.values(), default=0.0) + _FREE
        for terms, high in ends.items():
            for number in terms:
                self._plain_sums[number].append((high, terms))
        self._most: dict[int, float] = {}
        self._asked: list[tuple[int, Condition]] = []
        self._banded: list[tuple[Total, float, float]] = []
        self._sides: list[int] = []
        names = [name[-2].partition(";")[0] for name in known.names] or range(known.unknowns)
        first: dict[Any, int] = {}
        self.groups = [first.setdefault(name, len(first)) for name in names]
        for none, some in known.implied:
            # Whole numbers: at least 1 of the one where there is any of the other.
            reach = self.ceiling(Total(tuple(none.terms), 0))
            both = {**none.terms, **dict.fromkeys(some.terms, -reach)}
            self._rows.append(Condition(both, -np.inf, 0))
        for ways in known.either:
            self._either(*ways)
        for band in known.bands:
            self._band(*band)

    def _either(self, one: list[Condition], other: list[Condition]) -> None:
        """Say that the rows of one list hold: a choice of 1 frees the first, of 0 the second."""
        choice = self._choices(1, next(iter(one[0].terms)))
        self._asked += [(choice, condition) for condition in one]
        for rows, frees in ((one, 1.0), (other, 0.0)):
            for row in rows:
                most = sum(w * self._unknown(n) for n, w in row.terms.items() if w > 0)
                least = sum(w * self._unknown(n) for n, w in row.terms.items() if w < 0)
                if np.isfinite(row.high):
                    free = max(0.0, most - row.high) * (1 if frees else -1)
                    end = row.high if frees else row.high - free
                    self._rows.append(Condition({**row.terms, choice: -free}, -np.inf, end))
                if np.isfinite(row.low):
                    free = max(0.0, row.low - least) * (1 if frees else -1)
                    end = row.low if frees else row.low + free
                    self._rows.append(Condition({**row.terms, choice: free}, end, np.inf))

    def _choices(self, many: int, of: int) -> int:
        """Add choices, whose group is that of an unknown, and return the number of the first."""
        self.groups += [self.groups[of]] * many
        self.columns += many
        return self.columns - many

    def _unknown(self, number: int) -> float:
        """Return the most that an unknown can be by a single sum."""
        if number not in self._most:
            self._most[number] = self.ceiling(Total((number,), 0))
        return self._most[number]

    def _band(self, totals: list[Total], band: Band, least: int, most: int) -> None:
        """Say how many totals lie in a band: each is below, inside or above it."""
        insides = []
        for total in totals:
            ceiling = self.ceiling(total)
            high = ceiling if band.high is None else min(band.high, ceiling)
            below = self._choices(3, total.unknowns[0] if total.unknowns else 0)
            inside, above = below + 1, below + 2
            insides.append(inside)
            self._banded.append((total, band.low, high))
            self._sides.append(below)
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
        tables[:, : self._unknowns] = values
        asked = [condition for _, condition in self._asked]
        found = _matrix([condition.terms for condition in asked], self._unknowns) @ values.T
        low, high = _column(c.low for c in asked), _column(c.high for c in asked)
        broken = (found < low - _ROUNDING) | (found > high + _ROUNDING)
        np.maximum.at(tables.T, [choice for choice, _ in self._asked], broken.astype(float))
        totals = [dict.fromkeys(total.unknowns, 1.0) for total, _, _ in self._banded]
        found = _matrix(totals, self._unknowns) @ values.T
        found += _column(total.shown for total, _, _ in self._banded)
        low = _column(low for _, low, _ in self._banded)
        high = _column(high for _, _, high in self._banded)
        side = np.array(self._sides, dtype=int)[:, None] + (found >= low) + (found > high)
        tables[np.arange(len(values)), side] = 1
        return tables

    def ceiling(self, total: Total) -> float:
        """Return the most that a total can be by a single sum that contains it, or its parts can.

        Of a count that no sum contains, which a hidden national total leaves, nobody can say. Here
        it is no more than a number that leaves it free enough.
        """
        unknowns = frozenset(total.unknowns)
        around = self._plain_sums[min(unknowns)] if unknowns else []
        sums = [high for high, terms in around if unknowns <= terms]
        if len(unknowns) > 1 and not sums:
            return sum(map(self._unknown, unknowns)) + total.shown
        return min(sums, default=self._free if unknowns else 0.0) + total.shown

    def most(self) -> Floats:
        """Return what bounds each column from above, besides the rows."""
        most = np.full(self.columns, np.inf)
        alone = [n for n in range(self._unknowns) if not self._plain_sums[n]]
        most[alone], most[self._unknowns :] = self._free, 1
        return most

    def conditions(self) -> Rows:
        """Return the rows; what several editions tell alike stands once."""
        rows = {(tuple(sorted(row.terms.items())), row.low, row.high): None for row in self._rows}
        low, high = (np.array([row[end] for row in rows], dtype=float) for end in (1, 2))
        matrix = _matrix([dict(terms) for terms, _, _ in rows], self.columns)
        matrix.eliminate_zeros()
        return Rows(matrix, low, high)


class Extremes:
    """The least and the largest value that hidden counts can have.

    `table_low` and `table_high` are their extremes in the whole-number tables found so far that fit
    all that is known. Beyond `low` and `high` no value lies.
    """

    def __init__(self, known: Knowledge) -> None:
        """State what is known.

        Raises:
            ContractError: nothing fits: the public marts contradict each other.
        """
        self._puzzle = puzzle = Puzzle(known)
        self._unknowns, self._unlike = known.unknowns, known.unlike
        self._number = {name: number for number, name in enumerate(known.names)}
        self._true = np.array([name[-1] or 0 for name in known.names], dtype=float)
        self._first: Floats | None = None
        self._terms = [list(item.total.unknowns) for item in known.hidden]
        self._counts = _matrix([dict.fromkeys(t, 1.0) for t in self._terms], puzzle.columns)
        self._shown = np.array([item.total.shown for item in known.hidden], dtype=float)
        self._rows = puzzle.conditions()
        self._bounds = self._rows.within(np.zeros(puzzle.columns), puzzle.most())
        self._steps: Steps | None = None
        ceilings = np.array([puzzle.ceiling(item.total) for item in known.hidden])
        self.low, self.high = self._ends(*self._bounds)
        self.high = np.minimum(self.high, ceilings)
        self.table_low = np.full(len(known.hidden), np.inf)
        self.table_high = -self.table_low

    def _ends(self, least: Floats, most: Floats) -> tuple[Floats, Floats]:
        return self._counts @ least + self._shown, self._counts @ most + self._shown

    @property
    def begun(self) -> bool:
        """Whether any table was found."""
        return self._first is not None

    @property
    def widths(self) -> Floats:
        """How far the tables found so far are apart in each hidden count."""
        widths: Floats = self.table_high - self.table_low
        return widths

    @property
    def room(self) -> Floats:
        """How far apart tables could be at most."""
        room: Floats = self.high - self.low
        return room

    def take(self, tables: Iterable[Mapping[Any, int]]) -> None:
        """Note the true table, and those that somebody else has found, as far as they fit.

        Args:
            tables: what is another number than in fact, by name of the unknown.
        """
        found = [self._true]
        for table in tables:
            if len(found) == _AT_ONCE:
                self._note(self._puzzle.complete(np.array(found)))
                found = []
            values = self._true.copy()
            for name, value in table.items():
                if (number := self._number.get(name)) is not None:
                    values[number] = value
            if (values != self._true).any():
                found.append(values)
        if found:
            self._note(self._puzzle.complete(np.array(found)))

    def widen(self, needed: Floats, how: str = "near") -> None:
        """Look for tables in which counts are as far apart as needed, or as they can be.

        Args:
            needed: by how much each count should differ.
            how: `near` the first table, with the rules passed in the way in which they are there;
                `around` it for those in which the counts of few forces differ, `all` of any.

        Raises:
            ContractError: no whole numbers fit: the public marts contradict each other.
        """
        first = self._begin()
        if self._steps is None:
            self._steps = self._steps_from(first)
        goal = np.minimum(needed, self.room)
        if how == "near":
            self._apart(first, goal)
        self._widen(self._steps, first, goal, how)

    def settle(self, needed: Floats) -> None:
        """Look for such tables in every way, one after the other."""
        for how in ("near", "around", "all"):
            self.widen(needed, how)

    def _steps_from(self, table: Floats) -> Steps:
        groups = np.array(self._puzzle.groups)
        return Steps(self._rows, *self._bounds, table, self._unknowns, groups)

    def _apart(self, first: Floats, goal: Floats) -> None:
        """Look for tables in which the counts of some forces alone differ, then of more."""
        groups, size = np.array(self._puzzle.groups), float(TOGETHER)
        while (parts := round((groups.max(initial=0) + 1) / size)) > 1:
            part_of = (groups + groups // parts) % parts
            of = np.array([part_of[terms[0]] if terms else -1 for terms in self._terms])
            for part in range(parts):
                if ((self.widths < goal) & (of == part)).any():
                    low, high = (np.where(part_of == part, end, first) for end in self._bounds)
                    steps = Steps(self._rows, low, high, first, self._unknowns, groups)
                    self._widen(steps, first, np.where(of == part, goal, 0), "near")
            size *= _GROWTH

    def _widen(self, steps: Steps, first: Floats, goal: Floats, how: str) -> None:
        """Look for tables by steps away from a first one."""
        for place in np.flatnonzero(self.widths < goal).tolist():
            for sign in (1.0, -1.0):
                lacks = np.flatnonzero(self.widths < goal)
                seen, end = (self.table_high, self.high) if sign > 0 else (self.table_low, self.low)
                if place not in lacks or seen[place] == end[place]:
                    continue
                cost = sign * self._counts[[place]].toarray()[0]
                more = sign * (seen[place] - self._shown[place]) - cost @ first + 1
                enough, terms = more - 1 + (goal - self.widths)[place], self._terms[place]
                ends = [bound.copy() for bound in self._bounds]
                if how != "all":  # where it may be more or less than enough, but not as much
                    ends[sign > 0][terms] = first[terms] + sign * enough
                if how == "near":
                    single = [p for p in lacks.tolist() if len(self._terms[p]) == 1]
                    welcome = np.zeros(len(first), dtype=bool)
                    welcome[[self._terms[p][0] for p in single]] = True
                    found = steps.near(cost, ends, welcome, more)
                else:
                    found = steps.around(cost, ends, more, enough, all_of=how == "all")
                for table in found:
                    self._note(table[None])
                    if how == "all":
                        # What was as hard to find for others is near by from there.
                        self._widen(self._steps_from(table), table, goal, "near")

    @cached_property
    def _kept(self) -> tuple[Floats, Floats]:
        """Return the bounds of tables that keep to the rules in the way in which the returns do."""
        first, (least, most) = self._begin(), (bound.copy() for bound in self._bounds)
        least[self._unknowns :] = most[self._unknowns :] = first[self._unknowns :]
        return self._rows.within(least, most)

    def left_kept(self, place: int, _: float) -> float:
        """Return how far apart a count can be at most in such tables, by bounds alone."""
        low, high = self._ends(*self._kept)
        return float(min(high[place], self.high[place]) - max(low[place], self.low[place]))

    def left_of(self, place: int, needed: float) -> float:
        """Return how far apart a count can be in such tables, or that it is as much as needed.

        What is not found is proven not to be there.
        """
        only = np.zeros(len(self.low))
        only[place] = needed
        self.widen(only)
        if self.widths[place] >= needed:
            return needed
        least, most = self._kept
        rows, free = self._rows.binding(least, most)
        cost = self._counts[[place]].toarray()[0]
        seen = (self.table_low[place], self.table_high[place]) - self._shown[place]
        program = Program(rows, least[free], most[free])
        ends = []
        for sign, end in ((1.0, seen[0]), (-1.0, -seen[1])):
            fixed = sign * cost @ np.where(least == most, least, 0)
            found = program.least(sign * cost[free], end - fixed) + fixed
            ends.append(found)
        return float(-ends[1] - ends[0])

    def _begin(self) -> Floats:
        """Return the first table, the true one as a rule."""
        if self._first is None:
            nothing = np.zeros(self._puzzle.columns)
            found, _ = Program(self._rows, nothing, self._puzzle.most()).solve_whole(nothing)
            if found is None:
                raise ContractError(_CONTRADICTION)
            self._note(found[None])
        if self._first is None:
            raise ContractError(_CONTRADICTION)
        return self._first

    def _note(self, tables: Floats) -> None:
        """Note tables, those that have been seen to fit."""
        tables = tables[self._rows.fits(tables)]
        for totals, differs in self._unlike:
            numbers = [
                [t[list(total.unknowns)].sum() + total.shown for total in totals] for t in tables
            ]
            tables = tables[[differs(values) for values in numbers]]
        if not len(tables):
            return
        if self._first is None:
            self._first = tables[0]
        values = self._counts @ tables.T + self._shown[:, None]
        self.table_low = np.minimum(self.table_low, values.min(axis=1))
        self.table_high = np.maximum(self.table_high, values.max(axis=1))


def _matrix(rows: Sequence[Mapping[int, float]], columns: int) -> csr_array:
    """Return a matrix with these rows, each its weights by column."""
    places = [(row, column, w) for row, terms in enumerate(rows) for column, w in terms.items()]
    row, column, weight = np.array(places, dtype=float).reshape(-1, 3).T
    return csr_array((weight, (row.astype(int), column.astype(int))), shape=(len(rows), columns))


def _column(values: Iterable[float]) -> Floats:
    return np.array(list(values), dtype=float)[:, None]
