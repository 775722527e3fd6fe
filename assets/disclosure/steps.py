"""The programs of the audit: what is known as rows, and the steps from one table to another.

Near a table that is known there are others nearly always, and few steps away from it: such steps
run in rings through sums, and so are whole numbers. Where they are not, or where a rule must be
passed in another way, a few branches are followed.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

import highspy as highs
import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csc_array, csr_array, hstack, vstack

Floats = NDArray[np.float64]
Mask = NDArray[np.bool_]

_WHOLE: Final = 1e-6
_ROUNDS: Final = 12
"""How often bounds are drawn from bounds."""

_REWARD: Final = 1000.0
"""What a step of the count that is asked for is worth, against a step of any other."""

_WELCOME: Final = 0.1
"""What a step costs that is welcome."""

_TURNS: Final = 6
"""How many rules may be passed in another way in turn."""

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

    def may_be_solved(self) -> bool:
        """Return whether there may be whole numbers, as far as is seen before any search."""
        self._are_whole(whole=True)
        self.solver.presolve()
        none = highs.HighsPresolveStatus.kInfeasible
        return bool(self.solver.getModelPresolveStatus() != none)

    def _are_whole(self, *, whole: bool) -> None:
        kind = highs.HighsVarType.kInteger if whole else highs.HighsVarType.kContinuous
        columns = np.arange(len(self._cost), dtype=np.int32)
        self.solver.changeColsIntegrality(len(columns), columns, np.array([kind] * len(columns)))


def _differ(*where: Mask) -> NDArray[np.int32]:
    return np.flatnonzero(np.any(where, axis=0)).astype(np.int32)


def _can_be(rows: Rows, least: Floats, most: Floats) -> bool:
    """Return whether whole numbers may keep the rows, as far as is seen at once."""
    if (least > most).any():
        return False
    rows, free = rows.binding(least, most)
    return not len(free) or Program(rows, least[free], most[free]).may_be_solved()


class Steps:
    """Finds tables near one that is known; the columns from `unknowns` on are choices."""

    def __init__(
        self,
        rows: Rows,
        least: Floats,
        most: Floats,
        table: Floats,
        unknowns: int,
    ) -> None:
        """Take what is known, bounds that follow from it, and the table."""
        self._table = table
        self._rows, self._free = rows.binding(least, most)
        self._at = at = table[self._free]
        self._down, self._up = least[self._free] - at, most[self._free] - at
        self._is_choice = self._free >= unknowns
        matrix, values = self._rows.matrix, self._rows.matrix @ at
        both = csr_array(hstack([matrix, -matrix]))
        none = np.zeros(2 * len(at))
        ends = self._rows.low - values, self._rows.high - values
        self._program = Program(Rows(both, *ends), none, none)

    def tables(
        self,
        wanted: Floats,
        ends: Sequence[Floats],
        welcome: Mask,
        more: float,
        *,
        far: bool,
    ) -> Iterator[Floats]:
        """Yield tables in which a sum is larger, those that are found first at first.

        Args:
            wanted: how often the sum takes each column.
            ends: how far each column may go, down and up.
            welcome: columns that may as well move.
            more: by how much the sum must be larger at least.
            far: whether to look for every table, with the rules passed in any way; or near by.
        """
        sum_of, each = wanted[self._free], np.where(welcome[self._free], _WELCOME, 1.0)
        costs = np.concatenate([each - _REWARD * sum_of, each + _REWARD * sum_of])
        down = np.minimum(np.maximum(self._down, ends[0][self._free] - self._at), 0)
        up = np.maximum(np.minimum(self._up, ends[1][self._free] - self._at), 0)
        if not far:
            down, up = (np.where(self._is_choice, 0, end) for end in (down, up))
        turned: list[int] = []
        begun = down.copy(), up.copy()
        for _ in range(_TURNS if far else 1):
            least = np.concatenate([np.maximum(down, 0), np.maximum(-up, 0)])
            most = np.concatenate([np.maximum(up, 0), np.maximum(-down, 0)])
            found = self._program.solve(costs, least, most)
            if found is None and not turned:
                return
            if found is None:
                down[turned[-1]] = up[turned.pop()] = 0
                continue
            steps = np.subtract(*np.split(found, 2))
            if sum_of @ steps < more - _WHOLE:
                return
            parts = np.abs(steps - np.rint(steps))
            if parts.max(initial=0) <= _WHOLE:
                yield self._moved(steps)
                return
            parts[~self._is_choice] = 0
            if not far or parts.max() <= _WHOLE:
                moves = (np.abs(steps) > _WHOLE) | (self._is_choice & far)
                least, most = (np.where(moves, end, 0) for end in begun)
                yield from self._whole(sum_of, more, least, most)
                return
            turned.append(int(parts.argmax()))
            down[turned[-1]] = up[turned[-1]] = 1 - 2 * self._at[turned[-1]]

    def _moved(self, steps: Floats) -> Floats:
        table = self._table.copy()
        table[self._free] += np.rint(steps)
        return table

    def _whole(self, sum_of: Floats, more: float, down: Floats, up: Floats) -> Iterator[Floats]:
        """Yield the table of whole numbers within these steps in which a sum is largest."""
        matrix = csr_array(vstack([self._rows.matrix, csr_array(sum_of[None])]))
        low = np.append(self._rows.low, sum_of @ self._at + more)
        larger = Rows(matrix, low, np.append(self._rows.high, np.inf))
        least, most = self._at + down, self._at + up
        if not _can_be(larger, *larger.within(least, most)):
            return
        least, most = self._rows.within(least, most)
        rows, free = self._rows.binding(least, most)
        found, _ = Program(rows, least[free], most[free]).solve_whole(-sum_of[free])
        if found is not None:
            values = least.copy()
            values[free] = found
            yield self._moved(values - self._at)

    def all_of(self, wanted: Floats, ends: Sequence[Floats], more: float) -> Iterator[Floats]:
        """Yield the table in which a sum is largest of all, if a long search finds it."""
        sum_of = wanted[self._free]
        down = np.minimum(np.maximum(self._down, ends[0][self._free] - self._at), 0)
        up = np.maximum(np.minimum(self._up, ends[1][self._free] - self._at), 0)
        least = np.zeros(2 * len(up))
        found = self._program.solve(
            np.concatenate([-sum_of, sum_of]), least, np.concatenate([up, -down])
        )
        if found is not None and sum_of @ np.subtract(*np.split(found, 2)) >= more - _WHOLE:
            yield from self._whole(sum_of, more, down, up)
