"""One linear program that is solved again and again, each time from where the last one ended.

Belongs here: the use of the solver HiGHS. Thousands of bounds of one table are
found in a second or two this way; scipy's public functions begin each from nothing.
"""

from dataclasses import dataclass
from typing import Final

import highspy as highs
import numpy as np
from numpy.typing import NDArray
from scipy.optimize import Bounds, LinearConstraint, milp
from scipy.sparse import csc_array, lil_array

Floats = NDArray[np.float64]

_WHOLE: Final = 1e-6
_PRIMAL: Final = 4
"""The method that begins from the last solution, as long as that still fits."""


Terms = dict[int, float]
"""A sum of columns: how often it takes each of them."""


@dataclass(frozen=True)
class Conditions:
    """Rows of a program: each is a sum of columns between two limits, infinite for none."""

    matrix: csc_array
    low: Floats
    high: Floats

    @classmethod
    def of(cls, rows: list[tuple[Terms, float, float]], columns: int) -> "Conditions":
        """Lay rows of so many columns out as a matrix."""
        matrix = lil_array((len(rows), columns))
        for number, (terms, _, _) in enumerate(rows):
            places = sorted(terms)
            matrix.rows[number], matrix.data[number] = places, [terms[p] for p in places]
        low, high = (np.array([row[end] for row in rows], dtype=float) for end in (1, 2))
        return cls(csc_array(matrix), low, high)


class LinearProgram:
    """Columns under conditions, between bounds that may change from one solution to the next."""

    def __init__(
        self, conditions: Conditions, low: Floats, high: Floats, *, bounds_stay: bool
    ) -> None:
        """State the program; it has no cost yet.

        Args:
            conditions: its rows.
            low: the least of each column.
            high: the most of each column.
            bounds_stay: whether from one solution to the next the cost alone changes, as a rule.
        """
        self._conditions, self._low, self._high = conditions, low, high
        self._columns = np.arange(len(low), dtype=np.int32)
        self._solver = highs.Highs()  # type: ignore[no-untyped-call]
        self._solver.setOptionValue("output_flag", False)
        if bounds_stay:
            self._solver.setOptionValue("simplex_strategy", _PRIMAL)
        program = highs.HighsLp()
        program.num_row_, program.num_col_ = conditions.matrix.shape
        program.col_cost_ = np.zeros(len(low))
        program.col_lower_, program.col_upper_ = low, high
        program.row_lower_, program.row_upper_ = conditions.low, conditions.high
        matrix = program.a_matrix_
        matrix.num_row_, matrix.num_col_ = conditions.matrix.shape
        matrix.format_ = highs.MatrixFormat.kColwise
        matrix.start_ = conditions.matrix.indptr
        matrix.index_ = conditions.matrix.indices
        matrix.value_ = conditions.matrix.data
        self._solver.passModel(program)

    def bound(self, low: Floats, high: Floats) -> None:
        """Change the bounds of the columns."""
        self._low, self._high = low, high
        self._solver.changeColsBounds(len(low), self._columns, low, high)

    def solve(self, cost: Floats) -> Floats | None:
        """Return a solution of least cost, None where there is none."""
        self._solver.changeColsCost(len(cost), self._columns, cost)
        self._solver.run()
        if self._solver.getModelStatus() != highs.HighsModelStatus.kOptimal:
            return None
        return np.array(self._solver.getSolution().col_value)

    def solve_whole(self, cost: Floats) -> Floats | None:
        """Return a solution of least cost in whole numbers, None where there is none."""
        rows = self._conditions
        found = milp(
            cost,
            integrality=np.ones(len(cost), dtype=np.int64),
            bounds=Bounds(self._low, self._high),
            constraints=LinearConstraint(rows.matrix, rows.low, rows.high),
            options={"mip_rel_gap": 0},
        )
        return None if found.x is None else np.rint(found.x)


def is_whole(solution: Floats) -> bool:
    """Return whether a solution consists of whole numbers."""
    return bool(np.abs(solution - np.rint(solution)).max(initial=0) < _WHOLE)
