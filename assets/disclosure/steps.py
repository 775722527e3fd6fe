"""The programs of the audit: what is known as rows, and the steps from one table to another.

Near a table that is known there are others nearly always, and few steps away from it: such steps
run in rings through sums, and so are whole numbers. Where they are not, or where a rule must be
passed in another way, whole numbers are looked for among the counts of few forces, then of more.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

import highspy as highs
import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csc_array, csr_array, hstack, vstack
from scipy.sparse.csgraph import connected_components

Floats = NDArray[np.float64]
Mask = NDArray[np.bool_]

_WHOLE: Final = 1e-6
_ROUNDS: Final = 12
"""How often bounds are drawn from bounds."""

_REWARD: Final = 1000.0
"""What a step of the count that is asked for is worth, against a step of any other."""

_WELCOME: Final = 0.1
"""What a step costs that is welcome."""

_TURNS: Final = 3
"""How often other forces are looked at, before more are looked at together."""

TOGETHER: Final = 44
"""So many forces are looked at together without delay."""

_GOLDEN, _PLASTIC = 0.6180339887498949, 0.7548776662466927
"""Multiples of these, less their whole parts, are spread evenly."""

_FAR: Final = 1e7
"""In place of no bound, so that nothing is reckoned with infinity."""

_NODES: Final = 2000
"""How many branches a search in whole numbers may follow. Time would be no limit that is the same
on every machine."""


@dataclass(frozen=True)
class Rows:
    """Conditions: each is a weighted sum of columns between two ends, infinite for none."""

    matrix: csr_array
    low: Floats
    high: Floats

    def fits(self, points: Floats) -> Mask:
        """Return of points, a row each, whether they keep every row, and no column is negative."""
        values = (self.matrix @ points.T).T
        inside = (values >= self.low - _WHOLE) & (values <= self.high + _WHOLE)
        return np.asarray(inside.all(axis=1) & (points >= 0).all(axis=1))

    def within(self, least: Floats, most: Floats) -> tuple[Floats, Floats]:
        """Return the bounds of whole numbers that follow from bounds of the columns, row by row."""
        least, most = least.copy(), np.minimum(most, _FAR)
        row = np.repeat(np.arange(len(self.low)), np.diff(self.matrix.indptr))
        column, weight = self.matrix.indices, self.matrix.data
        for _ in range(_ROUNDS):
            ends = np.sort([weight * least[column], weight * most[column]], axis=0)
            sums = [np.bincount(row, end, len(self.low))[row] - end for end in ends]
            own = np.sort(
                [(self.low[row] - sums[1]) / weight, (self.high[row] - sums[0]) / weight], axis=0
            )
            low, high = least.copy(), most.copy()
            np.maximum.at(low, column, np.ceil(own[0] - _WHOLE))
            np.minimum.at(high, column, np.floor(own[1] + _WHOLE))
            if (low == least).all() and (high == most).all():
                break
            least, most = low, high
        return least, most

    def binding(self, least: Floats, most: Floats) -> "tuple[Rows, NDArray[np.intp]]":
        """Return the rows that can be broken within bounds, of the columns that are not fixed."""
        plus, minus = self.matrix.maximum(0), self.matrix.minimum(0)
        low, high = plus @ least + minus @ most, plus @ most + minus @ least
        can = (low < self.low - _WHOLE) | (high > self.high + _WHOLE)
        fixed = np.where(least == most, least, 0)
        at, free = self.matrix[can] @ fixed, np.flatnonzero(least < most)
        return Rows(self.matrix[can][:, free], self.low[can] - at, self.high[can] - at), free


class Program:
    """A linear program that is solved again and again, each time from where the last one ended."""

    def __init__(self, rows: Rows, least: Floats, most: Floats) -> None:
        """State rows and bounds of columns; it has no cost yet."""
        matrix = csc_array(rows.matrix)
        program = highs.HighsLp()
        program.num_row_, program.num_col_ = matrix.shape
        program.col_cost_ = np.zeros(len(least))
        program.col_lower_, program.col_upper_ = least, most
        program.row_lower_, program.row_upper_ = rows.low, rows.high
        sparse = program.a_matrix_
        sparse.num_row_, sparse.num_col_ = matrix.shape
        sparse.format_ = highs.MatrixFormat.kColwise
        sparse.start_, sparse.index_ = matrix.indptr, matrix.indices
        sparse.value_ = matrix.data
        self._least, self._most, self._cost = least, most, np.zeros(len(least))
        self.solver = highs.Highs()  # type: ignore[no-untyped-call]
        self.solver.setOptionValue("output_flag", False)
        self.solver.setOptionValue("dual_simplex_cost_perturbation_multiplier", 0.0)
        self.solver.passModel(program)

    def solve(self, cost: Floats, least: Floats, most: Floats) -> Floats | None:
        """Return a solution of least cost between bounds, None where there is none."""
        news = _differ(least != self._least, most != self._most)
        self.solver.changeColsBounds(len(news), news, least[news], most[news])
        news = _differ(cost != self._cost)
        self.solver.changeColsCost(len(news), news, cost[news])
        self._least, self._most, self._cost = least, most, cost
        self.solver.run()
        if self.solver.getModelStatus() != highs.HighsModelStatus.kOptimal:
            return None
        return np.array(self.solver.getSolution().col_value)

    def least(self, cost: Floats, seen: float) -> float:
        """Return less than which no whole numbers cost, where some are known to cost as much."""
        found = self.solve(cost, self._least, self._most)
        bound = -np.inf if found is None else np.ceil(cost @ found - _WHOLE)
        if bound < seen - _WHOLE:
            bound = np.ceil(self.solve_whole(cost)[1] - _WHOLE)
            self._are_whole(whole=False)
        # Some are known to cost no more than that, whatever a search says.
        return float(min(bound, seen))

    def solve_whole(self, cost: Floats) -> tuple[Floats | None, float]:
        """Return the best solution in whole numbers that is found, and less than which none costs.

        None where none is found.
        """
        columns = np.arange(len(cost), dtype=np.int32)
        self._are_whole(whole=True)
        self.solver.changeColsCost(len(cost), columns, cost)
        self._cost = cost
        self.solver.setOptionValue("mip_rel_gap", 0.0)
        self.solver.setOptionValue("mip_max_nodes", _NODES)
        self.solver.run()
        told = self.solver.getInfo()
        found = told.primal_solution_status == highs.SolutionStatus.kSolutionStatusFeasible
        values = np.rint(np.array(self.solver.getSolution().col_value)) if found else None
        return values, float(told.mip_dual_bound)

    def _are_whole(self, *, whole: bool) -> None:
        kind = highs.HighsVarType.kInteger if whole else highs.HighsVarType.kContinuous
        columns = np.arange(len(self._cost), dtype=np.int32)
        self.solver.changeColsIntegrality(len(columns), columns, np.array([kind] * len(columns)))


def _differ(*where: Mask) -> NDArray[np.int32]:
    return np.flatnonzero(np.any(where, axis=0)).astype(np.int32)


class Steps:
    """Finds tables near one that is known; the columns from `unknowns` on are choices.

    `groups` says of each column whose it is: a search looks at some groups before it looks at all.
    """

    def __init__(
        self,
        rows: Rows,
        least: Floats,
        most: Floats,
        table: Floats,
        unknowns: int,
        groups: NDArray[np.intp],
    ) -> None:
        """Take what is known, bounds that follow from it, and the table."""
        self._table = table
        self._rows, self._free = rows.binding(least, most)
        at = table[self._free]
        self._down, self._up = least[self._free] - at, most[self._free] - at
        self._is_choice, self._groups = self._free >= unknowns, groups[self._free]
        self._columns = csc_array(self._rows.matrix)
        values = self._rows.matrix @ at
        self._ends = self._rows.low - values, self._rows.high - values
        none = np.zeros(2 * len(at))
        both = csr_array(hstack([self._rows.matrix, -self._rows.matrix]))
        self._program = Program(Rows(both, *self._ends), none, none)

    def near(
        self, wanted: Floats, ends: Sequence[Floats], welcome: Mask, more: float
    ) -> Iterator[Floats]:
        """Yield a table in which a sum is larger and few columns move, with the choices as made.

        Args:
            wanted: how often the sum takes each column.
            ends: how far each column may go, down and up.
            welcome: columns that may as well move.
            more: by how much the sum must be larger at least.
        """
        sum_of, down, up = self._asked(wanted, ends)
        down, up = (np.where(self._is_choice, 0, end) for end in (down, up))
        each = np.where(welcome[self._free], _WELCOME, 1.0)
        steps = self._solved(sum_of, each, down, up, more)
        if steps is None:
            return
        apart = self._without_parts(steps)
        if sum_of @ apart >= more - _WHOLE:
            yield self._moved(apart)
        else:
            yield from self._whole(sum_of, more, down, up, np.abs(steps) > _WHOLE)

    def _without_parts(self, steps: Floats) -> Floats:
        """Return the steps but those that hang together, by sums, with a step that is no whole."""
        parts = np.abs(steps - np.rint(steps)) > _WHOLE
        kept: Floats = np.rint(steps)
        if parts.any():
            moving = np.flatnonzero(np.abs(steps) > _WHOLE)
            among = abs(self._columns[:, moving])
            _, component = connected_components(among.T @ among, directed=False)
            kept[moving[np.isin(component, component[parts[moving]])]] = 0
        return kept

    def around(
        self,
        wanted: Floats,
        ends: Sequence[Floats],
        more: float,
        enough: float,
        *,
        all_of: bool,
    ) -> Iterator[Floats]:
        """Yield tables of whole numbers in which a sum is larger, and few groups move.

        Those move of which parts of ones may, at one cost of each group or another; or, with
        `all_of`, ever more besides that have sums in common with these, until it is `enough`: to
        all of them.
        """
        sum_of, down, up = self._asked(wanted, ends)
        for turn in range(1 if all_of else _TURNS):
            each = np.array(1 + turn * ((self._groups * _GOLDEN + turn * _PLASTIC) % 1), float)
            steps = self._solved(sum_of, each, down, up, more)
            if steps is None:
                return
            inside = np.isin(self._groups, self._groups[np.abs(steps) > _WHOLE])
            own = len(np.unique(self._groups[inside]))
            size = TOGETHER if all_of else own * (1 + turn // (_TURNS - 1))
            while True:
                inside = self._with_more(inside, size)
                for table in self._whole(sum_of, more, down, up, inside):
                    yield table
                    more = 1 + float(sum_of @ (table - self._table)[self._free])
                    if more > enough or not all_of:
                        return
                if inside.all() or not all_of:
                    break
                size *= 4

    def _with_more(self, inside: Mask, most: int) -> Mask:
        """Return the columns of some groups, and of others that have most sums with them."""
        if most <= len(own := np.unique(self._groups[inside])):
            return inside
        touched = np.diff(csr_array(self._columns[:, inside]).indptr) > 0
        shared = np.diff(csc_array(self._rows.matrix[touched]).indptr)
        common = np.bincount(self._groups, shared, self._groups.max() + 1)
        common[own] = np.inf
        return np.isin(self._groups, np.argsort(-common, kind="stable")[:most])

    def _asked(self, wanted: Floats, ends: Sequence[Floats]) -> tuple[Floats, Floats, Floats]:
        """Return of the free columns how often a sum takes each, and how far each may go."""
        at = self._table[self._free]
        down = np.minimum(np.maximum(self._down, ends[0][self._free] - at), 0)
        up = np.maximum(np.minimum(self._up, ends[1][self._free] - at), 0)
        return wanted[self._free], down, up

    def _solved(
        self, sum_of: Floats, each: Floats, down: Floats, up: Floats, more: float
    ) -> Floats | None:
        """Return the steps, parts of ones too, by which a sum is larger; None where there are none.

        `each` is what a step of each column costs.
        """
        costs = np.concatenate([each - _REWARD * sum_of, each + _REWARD * sum_of])
        found = self._program.solve(costs, np.zeros(2 * len(up)), np.concatenate([up, -down]))
        if found is None:
            return None
        steps: Floats = np.subtract(*np.split(found, 2))
        return steps if sum_of @ steps >= more - _WHOLE else None

    def _moved(self, steps: Floats) -> Floats:
        table = self._table.copy()
        table[self._free] += np.rint(steps)
        return table

    def _whole(
        self, sum_of: Floats, more: float, down: Floats, up: Floats, moves: Mask
    ) -> Iterator[Floats]:
        """Yield the table of whole numbers in which a sum is largest, and some columns move."""
        places = np.flatnonzero(moves)
        matrix = csr_array(self._columns[:, places])
        touched = np.flatnonzero(np.diff(matrix.indptr))
        larger = Rows(
            csr_array(vstack([matrix[touched], csr_array(sum_of[None, places])])),
            np.append(self._ends[0][touched], more),
            np.append(self._ends[1][touched], np.inf),
        )
        least, most = larger.within(down[places], up[places])
        if (least > most).any():
            return
        rows, free = larger.binding(least, most)
        steps = np.zeros(len(moves))
        steps[places] = least
        if len(free):
            found, _ = Program(rows, least[free], most[free]).solve_whole(-sum_of[places][free])
            if found is None:
                return
            steps[places[free]] = found
        yield self._moved(steps)
