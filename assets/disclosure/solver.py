"""One linear program that is solved again and again, each time from where the last one ended.

The use of the solver HiGHS: thousands of bounds of one table are found in a second or two this way.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

import highspy as highs
import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csc_array, hstack

Floats = NDArray[np.float64]

_WHOLE: Final = 1e-6
_NODES: Final = 2000
"""How many branches a search in whole numbers may follow. Time would be no limit that is the same
on every machine."""

_PRIMAL: Final = 4
"""The method that begins from the last solution, as long as that still fits."""


Row = tuple[Mapping[int, float], float, float]
"""A sum of columns, how often it takes each of them, and the two ends it lies between."""


_Places = NDArray[np.intp] | slice


@dataclass(frozen=True)
class Conditions:
    """Rows of a program: each is a sum of columns between two limits, infinite for none."""

    matrix: csc_array
    low: Floats
    high: Floats

    @classmethod
    def of(cls, rows: Sequence[Row], columns: int) -> "Conditions":
        """Lay rows of so many columns out as a matrix."""
        found = [(at, place, w) for at, row in enumerate(rows) for place, w in row[0].items()]
        row, column, weight = np.array(found, dtype=float).reshape(-1, 3).T
        places = row.astype(np.int32), column.astype(np.int32)
        matrix = csc_array((weight, places), shape=(len(rows), columns))
        low, high = (np.array([row[end] for row in rows], dtype=float) for end in (1, 2))
        return cls(matrix, low, high)

    def of_steps(self, ups: _Places = slice(None), downs: _Places = slice(None)) -> "Conditions":
        """Return the same of steps: of the columns that go up, and behind them of those down."""
        steps = [self.matrix[:, ups], -self.matrix[:, downs]]  # type: ignore[index]
        return replace(self, matrix=csc_array(hstack(steps)))


class LinearProgram:
    """Columns under conditions, between bounds that may change from one solution to the next."""

    def __init__(
        self, conditions: Conditions, low: Floats, high: Floats, *, bounds_stay: bool
    ) -> None:
        """State the program; it has no cost yet.

        `bounds_stay`: whether from one solution to the next the cost alone changes, as a rule.
        """
        self._conditions, self._low, self._high = conditions, low, high
        self._columns = np.arange(len(low), dtype=np.int32)
        self._solver = self._stated()
        self._whole: highs.Highs | None = None
        if bounds_stay:
            self._solver.setOptionValue("simplex_strategy", _PRIMAL)

    def _stated(self) -> highs.Highs:
        """Return a solver that knows the program."""
        rows = self._conditions
        program = highs.HighsLp()
        program.num_row_, program.num_col_ = rows.matrix.shape
        program.col_cost_ = np.zeros(len(self._low))
        program.col_lower_, program.col_upper_ = self._low, self._high
        program.row_lower_, program.row_upper_ = rows.low, rows.high
        matrix = program.a_matrix_
        matrix.num_row_, matrix.num_col_ = rows.matrix.shape
        matrix.format_ = highs.MatrixFormat.kColwise
        matrix.start_ = rows.matrix.indptr
        matrix.index_ = rows.matrix.indices
        matrix.value_ = rows.matrix.data
        solver = highs.Highs()  # type: ignore[no-untyped-call]
        solver.setOptionValue("output_flag", False)
        # Costs are apart by themselves, and most runs begin from the last one.
        solver.setOptionValue("dual_simplex_cost_perturbation_multiplier", 0.0)
        solver.setOptionValue("presolve", "off")
        solver.passModel(program)
        return solver

    def hold(self, ends: Mapping[int, tuple[float, float]]) -> None:
        """Change the limits of rows."""
        low, high = np.array(list(ends.values()), dtype=float).reshape(-1, 2).T
        rows = np.array(list(ends), dtype=np.int32)
        self._solver.changeRowsBounds(len(rows), rows, low, high)  # type: ignore[attr-defined]

    def fits(self, points: Floats) -> NDArray[np.bool_]:
        """Return of points, a row each, whether they keep every row, and no column is negative."""
        rows = self._conditions
        values = (rows.matrix @ points.T).T
        inside = (values >= rows.low - _WHOLE) & (values <= rows.high + _WHOLE)
        return np.asarray(inside.all(axis=1) & (points >= 0).all(axis=1))

    def bound(self, low: Floats, high: Floats) -> None:
        """Change the bounds of the columns; the solver is told those that are others."""
        news = np.flatnonzero((low != self._low) | (high != self._high)).astype(np.int32)
        self._low, self._high = low, high
        self._solver.changeColsBounds(len(news), news, low[news], high[news])

    def solve(self, cost: Floats) -> Floats | None:
        """Return a solution of least cost, None where there is none."""
        self._solver.changeColsCost(len(cost), self._columns, cost)
        self._solver.run()
        if self._solver.getModelStatus() != highs.HighsModelStatus.kOptimal:
            return None
        return np.array(self._solver.getSolution().col_value)

    def solve_whole(self, cost: Floats) -> Floats | None:
        """Return a solution of least cost in whole numbers, None where there is none.

        The search ends after much work, with the best there is by then.
        """
        if self._whole is None:
            self._whole = self._stated()
            kinds = np.array([highs.HighsVarType.kInteger] * len(cost))
            self._whole.changeColsIntegrality(len(cost), self._columns, kinds)
            self._whole.setOptionValue("mip_rel_gap", 0.0)
            self._whole.setOptionValue("mip_max_nodes", _NODES)
        self._whole.changeColsBounds(len(cost), self._columns, self._low, self._high)
        self._whole.changeColsCost(len(cost), self._columns, cost)
        self._whole.run()
        found = self._whole.getInfo().primal_solution_status
        if found != highs.SolutionStatus.kSolutionStatusFeasible:
            return None
        solution: Floats = np.rint(np.array(self._whole.getSolution().col_value))
        return solution


def is_whole(solution: Floats) -> bool:
    """Return whether a solution consists of whole numbers."""
    return bool(np.abs(solution - np.rint(solution)).max(initial=0) < _WHOLE)
