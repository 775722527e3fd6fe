"""Exact bounds of hidden counts from what is known: linear and whole-number programs.

Belongs here: the programs. Does not: what is known (readings.py), nor what is enough (audit.py).
"""

from collections import defaultdict
from collections.abc import Iterable
from typing import Final

import numpy as np
from scipy.sparse import csr_array

from assets.disclosure.known import Knowledge, Total
from assets.disclosure.solver import Conditions, Floats, LinearProgram, Terms, is_whole
from schemas.breakdown import Band
from schemas.errors import ContractError

_ROUNDING: Final = 1e-6
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
        """Lay out what is known."""
        self.columns = known.unknowns
        self._rows: list[tuple[Terms, float, float]] = []
        for total, value in known.equal:
            self._row(_terms(total), value - total.shown, value - total.shown)
        for small, large in known.at_most:
            terms = _terms(small)
            for number in large.unknowns:
                terms[number] = terms.get(number, 0) - 1
            self._row(terms, -np.inf, large.shown - small.shown)
        for total, low, most in known.limits:
            high = np.inf if most is None else most - total.shown
            self._row(_terms(total), low - total.shown, high)
        self._plain_sums: dict[int, list[tuple[float, frozenset[int]]]] = defaultdict(list)
        for terms, _, high in self._rows:
            if set(terms.values()) == {1.0}:
                plain = high, frozenset(terms)
                for number in terms:
                    self._plain_sums[number].append(plain)
        for band in known.bands:
            self._band(*band)

    def _row(self, terms: Terms, low: float, high: float) -> None:
        self._rows.append((terms, low, high))

    def _band(self, totals: list[Total], band: Band, least: int, most: int) -> None:
        """Say how many totals lie in a band: each is below, inside or above it."""
        insides = []
        for total in totals:
            ceiling = self.ceiling(total)
            high = ceiling if band.high is None else min(band.high, ceiling)
            below, inside, above = range(self.columns, self.columns + 3)
            self.columns += 3
            insides.append(inside)
            terms = _terms(total)
            self._row({below: 1, inside: 1, above: 1}, 1, 1)
            self._row({**terms, inside: -band.low, above: -high - 1}, -total.shown, np.inf)
            ends = {below: 1 - band.low, inside: -high, above: -ceiling}
            self._row({**terms, **ends}, -np.inf, -total.shown)
        self._row(dict.fromkeys(insides, 1.0), least, most)

    def ceiling(self, total: Total) -> float:
        """Return the most that a total can be by a single sum that contains it."""
        unknowns = frozenset(total.unknowns)
        around = self._plain_sums[min(unknowns)] if unknowns else []
        return min((h for h, terms in around if unknowns <= terms), default=0.0) + total.shown

    def conditions(self) -> Conditions:
        """Return the rows as the solver takes them."""
        return Conditions.of(self._rows, self.columns)


class Extremes:
    """The least and the largest value that hidden counts can have.

    `low` and `high` are their bounds by linear programming, once asked for. `table_low` and
    `table_high` are their extremes in the whole-number tables found so far that fit all that is
    known.
    """

    def __init__(self, known: Knowledge) -> None:
        """State the programs."""
        puzzle = Puzzle(known)
        self._unknowns = known.unknowns
        self._terms = [list(item.total.unknowns) for item in known.hidden]
        self._counts = _sums(self._terms, puzzle.columns)
        self._shown = np.array([item.total.shown for item in known.hidden], dtype=float)
        least, most = np.zeros(puzzle.columns), np.full(puzzle.columns, np.inf)
        most[known.unknowns :] = 1
        self._free = least, most
        self._program = LinearProgram(puzzle.conditions(), least, most, bounds_stay=True)
        self.low, self.high = self._shown.copy(), np.full(len(known.hidden), np.inf)
        self.table_low, self.table_high = self.high, -self.high
        self._table: Floats | None = None
        self.ceilings = np.array([puzzle.ceiling(item.total) for item in known.hidden])

    @property
    def widths(self) -> Floats:
        """How far the tables found so far are apart in each hidden count."""
        widths: Floats = self.table_high - self.table_low
        return widths

    @property
    def room(self) -> Floats:
        """How far apart two whole numbers within the bounds can be."""
        room: Floats = np.floor(self.high + _ROUNDING) - np.ceil(self.low - _ROUNDING)
        return room

    def bound(self, places: Iterable[int]) -> None:
        """Find the bounds of hidden counts by linear programming.

        A bound that a solution for another count has reached already is known: no count can be
        less than what is shown of it, or more than its ceiling.

        Raises:
            ContractError: nothing fits: the public marts contradict each other.
        """
        low, high = np.full(len(self.low), np.inf), np.full(len(self.low), -np.inf)
        for place in places:
            for sign, seen, limit, ends in (
                (1.0, low, self._shown, self.low),
                (-1.0, high, self.ceilings, self.high),
            ):
                if sign * (seen[place] - limit[place]) <= _ROUNDING:
                    ends[place] = limit[place]
                    continue
                values = self._values(self._solved(sign * self._cost(place)))
                np.minimum(low, values, out=low)
                np.maximum(high, values, out=high)
                ends[place] = values[place]

    def find_tables(self, needed: Floats) -> None:
        """Look for tables until each hidden count differs as needed between them, or cannot.

        Raises:
            ContractError: no whole numbers fit: the public marts contradict each other.
        """
        if self._table is None:
            self._note(self._whole(np.zeros(len(self._free[0]))))
        goal = np.minimum(needed, self.room)
        while True:
            self._widen(np.flatnonzero(self.widths < goal).tolist(), goal)
            narrow = np.flatnonzero(self.widths < goal)
            if not len(narrow):
                return
            for sign in (-1.0, 1.0):
                if self.widths[narrow[0]] < goal[narrow[0]]:
                    self._note(self._whole(sign * self._cost(narrow[0])))
            goal[narrow[0]] = min(goal[narrow[0]], self.widths[narrow[0]])

    def _widen(self, places: Iterable[int], goal: Floats) -> None:
        """Look among tables that choose as the last one does: there linear programming suffices."""
        least, most = (bound.copy() for bound in self._free)
        if self._table is not None:
            least[self._unknowns :] = most[self._unknowns :] = self._table[self._unknowns :]
        self._program.bound(least, most)
        for place in places:
            for sign in (1.0, -1.0):
                if self.widths[place] < goal[place]:
                    self._solved(sign * self._cost(place))
        self._program.bound(*self._free)

    def _whole(self, cost: Floats) -> Floats:
        table = self._program.solve_whole(cost)
        if table is None:
            raise ContractError(_CONTRADICTION)
        return table

    def _solved(self, cost: Floats) -> Floats:
        """Return a solution of least cost; one that is a table is noted."""
        solution = self._program.solve(cost)
        if solution is None:
            raise ContractError(_CONTRADICTION)
        if is_whole(solution):
            self._note(np.rint(solution))
        return solution

    def _cost(self, place: int) -> Floats:
        cost = np.zeros(len(self._free[0]))
        cost[self._terms[place]] = 1
        return cost

    def _values(self, solution: Floats) -> Floats:
        values: Floats = self._counts @ solution + self._shown
        return values

    def _note(self, table: Floats) -> None:
        self._table = table
        values = self._values(table)
        self.table_low = np.minimum(self.table_low, values)
        self.table_high = np.maximum(self.table_high, values)


def _terms(total: Total) -> Terms:
    return dict.fromkeys(total.unknowns, 1.0)


def _sums(terms: list[list[int]], columns: int) -> csr_array:
    """Return a matrix with a row a list, and a 1 in each column that the list names."""
    pairs = [(row, column) for row, found in enumerate(terms) for column in found]
    rows, places = np.array(pairs, dtype=int).reshape(-1, 2).T
    return csr_array((np.ones(len(pairs)), (rows, places)), shape=(len(terms), columns))
