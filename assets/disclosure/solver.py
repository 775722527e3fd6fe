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

    def __init__(self, rows: Conditions, low: Floats, high: Floats) -> None:
        """State the program; it has no cost yet."""
        self._low, self._high = low, high
        self._columns = np.arange(len(low), dtype=np.int32)
        program = highs.HighsLp()
        program.num_row_, program.num_col_ = rows.matrix.shape
        program.col_cost_ = np.zeros(len(low))
        program.col_lower_, program.col_upper_ = low, high
        program.row_lower_, program.row_upper_ = rows.low, rows.high
        matrix = program.a_matrix_
        matrix.num_row_, matrix.num_col_ = rows.matrix.shape
        matrix.format_ = highs.MatrixFormat.kColwise
        matrix.start_ = rows.matrix.indptr
        matrix.index_ = rows.matrix.indices
        matrix.value_ = rows.matrix.data
        self._solver = highs.Highs()  # type: ignore[no-untyped-call]
        self._solver.setOptionValue("output_flag", False)
        # Costs are apart by themselves, and most runs begin from the last one.
        self._solver.setOptionValue("dual_simplex_cost_perturbation_multiplier", 0.0)
        self._solver.setOptionValue("presolve", "off")
        self._solver.passModel(program)

    def hold(self, ends: Mapping[int, tuple[float, float]]) -> None:
        """Change the limits of rows."""
        low, high = np.array(list(ends.values()), dtype=float).reshape(-1, 2).T
        rows = np.array(list(ends), dtype=np.int32)
        self._solver.changeRowsBounds(len(rows), rows, low, high)  # type: ignore[attr-defined]

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


def is_whole(solution: Floats) -> bool:
    """Return whether a solution consists of whole numbers."""
    return bool(np.abs(solution - np.rint(solution)).max(initial=0) < _WHOLE)
