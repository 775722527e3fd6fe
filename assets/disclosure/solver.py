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
_FREE: Final = (-np.inf, np.inf)
_NODES: Final = 2000
"""How many branches a search in whole numbers may follow. Time would be no limit that is the same
on every machine."""

_PRIMAL: Final = 4
"""The method that begins from the last solution, as long as that still fits."""


Row = tuple[Mapping[int, float], float, float]
"""A sum of columns, how often it takes each of them, and the two ends it lies between."""


@dataclass(frozen=True)
class Conditions:
    """Rows of a program: each is a sum of columns between two limits, infinite for none.

    `shares` are the rows whose weights are not all 1: the number of the row, and of the row of each
    sum that it weighs, with the weight. Those have no limits of their own, and stand at the end.
    `numbers` are where the rows stand that were given.
    """

    matrix: csc_array
    low: Floats
    high: Floats
    shares: tuple[tuple[int, tuple[tuple[float, int], ...]], ...] = ()
    numbers: tuple[int, ...] = ()

    @classmethod
    def of(cls, rows: Sequence[Row], columns: int, unknowns: int | None = None) -> "Conditions":
        """Lay rows of so many columns out as a matrix; those from `unknowns` on are choices."""
        weights = [
            sorted({weight for place, weight in terms.items() if place < (unknowns or columns)})
            for terms, _, _ in rows
        ]
        shared = [not {*each} <= {1.0, -1.0} for each in weights]
        plain = [number for number, is_shared in enumerate(shared) if not is_shared]
        numbers = {number: at for at, number in enumerate(plain)}
        laid, shares = [rows[number] for number in plain], []
        for number in (number for number, is_shared in enumerate(shared) if is_shared):
            own = numbers[number] = len(laid)
            laid.append(rows[number])
            for each in weights[number]:
                own_terms = (place for place, w in rows[number][0].items() if w == each)
                part = {place: 1.0 for place in own_terms if place < (unknowns or columns)}
                laid.append((part, -np.inf, np.inf))
            sums = enumerate(weights[number], own + 1)
            shares.append((own, tuple((weight, at) for at, weight in sums)))
        found = [(at, place, w) for at, row in enumerate(laid) for place, w in row[0].items()]
        row, column, weight = np.array(found, dtype=float).reshape(-1, 3).T
        places = row.astype(np.int32), column.astype(np.int32)
        matrix = csc_array((weight, places), shape=(len(laid), columns))
        low, high = (np.array([row[end] for row in laid], dtype=float) for end in (1, 2))
        given = tuple(numbers[number] for number in range(len(rows)))
        return cls(matrix, low, high, tuple(shares), given)

    def of_steps(self) -> "Conditions":
        """Return the same of steps: columns for those up, and behind them for those down."""
        return replace(self, matrix=csc_array(hstack([self.matrix, -self.matrix])))


class LinearProgram:
    """Columns under conditions, between bounds that may change from one solution to the next."""

    def __init__(
        self, conditions: Conditions, low: Floats, high: Floats, *, bounds_stay: bool
    ) -> None:
        """State the program; it has no cost yet.

        `bounds_stay`: whether from one solution to the next the cost alone changes, as a rule.
        """
        self._conditions, self._low, self._high = conditions, low, high
        self._free_rows: set[int] = set()
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
        solver.passModel(program)
        return solver

    def stay_near(self, point: Floats | None, share: float = 0.5) -> None:
        """Keep the sums that rows weigh on such sides of whole numbers that the rows hold.

        Then solutions are whole numbers nearly always, as they are not where a row of shares cuts.
        They lie near a point, a solution; without one the sums are free again. The share of what a
        row leaves goes to the sums that use it up, the rest to those that make room.
        """
        rows = self._conditions
        values = None if point is None else rows.matrix @ point
        ends: dict[int, tuple[float, float]] = {}
        for own, sums in rows.shares:
            if values is None or own in self._free_rows:
                ends |= dict.fromkeys((number for _, number in sums), _FREE)
                continue
            sign = 1.0 if np.isfinite(rows.high[own]) else -1.0
            end = rows.high[own] if sign > 0 else -rows.low[own]
            left = max(0.0, end - sign * values[own])
            end -= sign * (values[own] - sum(weight * values[n] for weight, n in sums))
            using = [(sign * weight, n) for weight, n in sums if sign * weight > 0]
            for weight, number in using:
                most = np.floor(values[number] + share * left / len(using) / weight + _WHOLE)
                ends[number] = -np.inf, most
                end -= weight * most
            giving = [(-sign * weight, n) for weight, n in sums if sign * weight < 0]
            for weight, number in giving:
                least = values[number] if len(giving) > 1 else -end / weight
                ends[number] = np.ceil(least - _WHOLE), np.inf
        self._hold(ends)

    def hold(self, rows: Sequence[int], *, hold: bool) -> None:
        """Hold to rows, or let them be whatever they are."""
        own = {row: (self._conditions.low[row], self._conditions.high[row]) for row in rows}
        self._hold(own if hold else dict.fromkeys(own, _FREE))
        self._free_rows -= set(rows)
        self._free_rows |= set() if hold else set(rows)

    def _hold(self, ends: Mapping[int, tuple[float, float]]) -> None:
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

    def solve_near(self, cost: Floats) -> Floats | None:
        """Return a solution of least cost; where that is in fractions, whole numbers near by."""
        found = self.solve(cost)
        if found is not None and not is_whole(found):
            self.stay_near(found, 0)
            near = self.solve(cost)
            self.stay_near(None)
            found = near if near is not None and is_whole(near) else found
        return found

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
