"""Exact bounds of hidden counts from what is known: linear and whole-number programs."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import chain
from typing import Any, Final

import numpy as np
from scipy.sparse import csr_array

from assets.disclosure.known import Condition, Knowledge, Total
from assets.disclosure.solver import Conditions, Floats, LinearProgram
from schemas.breakdown import Band
from schemas.errors import ContractError

_ROUNDING: Final = 1e-6
_REWARD: Final = 1000.0
"""What a step of the count that is asked for is worth, against a step of any other."""

_TURNS: Final = 6
"""How many choices a search near by may make in turn."""

_AGAIN: Final = 3
"""At how many tables that were found last the next search begins."""

_AT_ONCE: Final = 100
"""So many tables are held against what is known together."""

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
        choice = self.columns
        self.columns += 1
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
            below, inside, above = range(self.columns, self.columns + 3)
            self.columns += 3
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

    def conditions(self) -> Conditions:
        """Return the rows; what several editions tell alike stands once."""
        rows = {(tuple(sorted(row.terms.items())), row.low, row.high): None for row in self._rows}
        told = [(dict(terms), low, high) for terms, low, high in rows]
        return Conditions.of(told, self.columns)


class Extremes:
    """The least and the largest value that hidden counts can have.

    `table_low` and `table_high` are their extremes in the whole-number tables found so far that fit
    all that is known. `low` and `high` are their bounds by linear programming, where asked for.
    """

    def __init__(self, known: Knowledge) -> None:
        """State the programs."""
        self._puzzle = puzzle = Puzzle(known)
        self._unknowns, self._unlike = known.unknowns, known.unlike
        self._number = {name: number for number, name in enumerate(known.names)}
        self._true = np.array([name[-1] or 0 for name in known.names], dtype=float)
        self._first: Floats | None = None
        self._terms = [list(item.total.unknowns) for item in known.hidden]
        self._counts = _matrix([dict.fromkeys(t, 1.0) for t in self._terms], puzzle.columns)
        self._shown = np.array([item.total.shown for item in known.hidden], dtype=float)
        self._bounds = least, most = np.zeros(puzzle.columns), puzzle.most()
        self._conditions = puzzle.conditions()
        self._program = LinearProgram(self._conditions, least, most, bounds_stay=True)
        self._steps: LinearProgram | None = None
        self._begun: list[Floats] = []
        self.low, self.high = self._shown.copy(), np.full(len(known.hidden), np.inf)
        self.table_low, self.table_high = self.high, -self.high
        self.ceilings = np.array([puzzle.ceiling(item.total) for item in known.hidden])

    @property
    def widths(self) -> Floats:
        """How far the tables found so far are apart in each hidden count."""
        widths: Floats = self.table_high - self.table_low
        return widths

    def bound(self, needed: Floats) -> None:
        """Find the bounds of hidden counts by linear programming, as far apart as needed or exact.

        A bound that a solution for another count has reached already is known: no count can be
        less than what is shown of it, or more than its ceiling.

        Raises:
            ContractError: nothing fits: the public marts contradict each other.
        """
        low, high = np.full(len(self.low), np.inf), np.full(len(self.low), -np.inf)
        ends = ((1.0, low, self._shown, self.low), (-1.0, high, self.ceilings, self.high))
        lacking = np.flatnonzero(needed > 0).tolist()
        for places in [lacking, *([place] for place in lacking)] if lacking else []:
            for sign, seen, limit, found in ends:
                if len(places) == 1 and (high - low)[places] >= needed[places]:
                    found[places] = seen[places]
                elif len(places) == 1 and (sign * (seen - limit))[places] <= _ROUNDING:
                    found[places] = limit[places]
                else:
                    solution = self._found(self._program.solve(sign * self._cost(*places)))
                    values = self._counts @ solution + self._shown
                    np.minimum(low, values, out=low)
                    np.maximum(high, values, out=high)
                    found[places] = values[places]
        # So far apart can two whole numbers within the bounds be.
        self.room = np.floor(self.high + _ROUNDING) - np.ceil(self.low - _ROUNDING)

    def take(self, tables: Iterable[Mapping[Any, int]]) -> None:
        """Note tables that somebody else has found, those that fit all that is known here.

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

    def settle(self, needed: Floats) -> None:
        """Find bounds of the counts that do not differ as needed, and search in whole numbers.

        Raises:
            ContractError: no whole numbers fit: the public marts contradict each other.
        """
        self._begin()
        self.bound(np.where(self.widths < needed, np.inf, 0))
        goal = np.minimum(needed, self.room)
        self._try(goal)

    def reach(self, needed: Floats) -> Floats:
        """Return how far apart hidden counts can be by linear programming; at least by as much."""
        ends = self.ceilings - self._shown
        self.bound(np.where(ends >= needed, needed, 0))
        reach: Floats = np.minimum(self.room, ends)
        return reach

    def exact(self, needed: Floats) -> Floats:
        """Return how far apart hidden counts are in whole-number tables, or that it is enough.

        The tables keep to the rules in the way in which the returns do.
        """
        self.take(())
        first, (least, most) = self._begin(), (bound.copy() for bound in self._bounds)
        least[self._unknowns :] = most[self._unknowns :] = first[self._unknowns :]
        self._bounds = least, most
        self._try(needed)
        return self.widths

    def _begin(self) -> Floats:
        """Return the first table, the true one as a rule."""
        if self._first is None:
            nothing = np.zeros(self._puzzle.columns)
            self._note(self._found(self._program.solve_whole(nothing))[None])
        assert self._first is not None
        return self._first

    def _try(self, goal: Floats) -> None:
        """Look for tables in which counts that are not as wide as the goal are least and most."""
        for place in np.flatnonzero(self.widths < goal).tolist():
            for sign, ends, limits in (
                (-1.0, self.table_high, self.ceilings),
                (1.0, self.table_low, self._shown),
            ):
                if self.widths[place] < goal[place] and ends[place] != limits[place]:
                    self._whole(place, sign, goal[place])

    def _whole(self, place: int, sign: float, goal: float) -> None:
        """Note a table where a count is least or most, no farther from others than the goal.

        Whole numbers near by are found in a moment. Among all it takes long; so what such a search
        finds is where the next one begins, on the same sides of bands and of what rules tell.
        """
        least, most = (bound.copy() for bound in self._bounds)
        if len(self._terms[place]) == 1:
            far = self.table_low[place] + goal, self.table_high[place] - goal
            most[self._terms[place]] = np.inf if sign > 0 else far[0]
            least[self._terms[place]] = max(0, far[1]) if sign > 0 else 0
        cost = sign * self._cost(place)
        for low, high in chain(self._near(cost, least, most), [(least, most)]):
            self._program.bound(low, high)
            table = self._program.solve_whole(cost)
            if table is not None:
                self._note(table[None])
                self._begun += [table] if low is least else []
            if self.widths[place] >= goal:
                break
        self._program.bound(*self._bounds)

    def _near(self, cost: Floats, least: Floats, most: Floats) -> Iterator[tuple[Floats, Floats]]:
        """Yield bounds within which a table of little cost may be found in a moment."""
        first = self._begin()
        if self._steps is None:
            rows, at = self._conditions, self._conditions.matrix @ first
            rows = replace(rows, low=rows.low - at, high=rows.high - at).of_steps()
            self._steps = LinearProgram(rows, *np.zeros((2, 2 * len(first))), bounds_stay=False)
        costs = np.concatenate([1 + _REWARD * cost, 1 - _REWARD * cost])
        low, high = least - first, most - first
        turned: list[int] = []
        for _ in range(_TURNS):
            self._steps.bound(
                np.concatenate([np.maximum(low, 0), np.maximum(-high, 0)]),
                np.concatenate([np.maximum(high, 0), np.maximum(-low, 0)]),
            )
            found = self._steps.solve(costs)
            if found is None and not turned:
                break
            if found is None:
                low[turned[-1]] = high[turned.pop()] = 0
                continue
            steps = np.abs(np.subtract(*np.split(found, 2)))
            parts = np.where(np.abs(steps - np.rint(steps)) > _ROUNDING, steps, 0)[self._unknowns :]
            if not parts.any():
                moves = (steps > _ROUNDING) | (np.arange(len(first)) >= self._unknowns)
                yield np.where(moves, least, first), np.where(moves, most, first)
                break
            turned.append(self._unknowns + int(parts.argmax()))
            low[turned[-1]] = high[turned[-1]] = 1 - 2 * first[turned[-1]]
        for table in self._begun[-_AGAIN:]:
            low, high = least.copy(), most.copy()
            low[self._unknowns :] = high[self._unknowns :] = table[self._unknowns :]
            yield low, high

    def _found(self, solution: Floats | None) -> Floats:
        if solution is None:
            raise ContractError(_CONTRADICTION)
        return solution

    def _cost(self, *places: int) -> Floats:
        cost = np.zeros(self._puzzle.columns)
        for place in places:
            cost[self._terms[place]] += 1
        return cost

    def _note(self, tables: Floats) -> None:
        """Note tables, those that have been seen to fit."""
        tables = tables[self._program.fits(tables)]
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
