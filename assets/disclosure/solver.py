"""Weighted sums between two ends, and the programs of them that HiGHS solves."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, NamedTuple

import highspy as highs
import numpy as np
from numpy.typing import NDArray

from schemas.lean import without

# It takes over every name of numpy, and with them what compiles Fortran and what tests.
with without(later=("numpy.core", "numpy.ctypeslib", "numpy.f2py", "numpy.testing")):
    import scipy.sparse

Floats = NDArray[np.float64]
Mask = NDArray[np.bool_]
_Columns = NDArray[np.intp] | slice

WHOLE: Final = 1e-6
"""How far from a whole number a solution may be that is one."""

_HOLDS: Final = 1e-9
_ROUNDS: Final = 12
"""How often bounds are drawn from bounds."""

_FAR: Final = 1e7
"""In place of no bound, so that nothing is reckoned with infinity."""

_GOLDEN, _PLASTIC = 0.6180339887498949, 0.7548776662466927
"""Multiples of these, less their whole parts, are spread evenly."""

_NODES: Final = 2000
"""How many branches a search in whole numbers may follow. Time would be no limit that is the same
on every machine."""


class Total(NamedTuple):
    """A sum of unknowns and of a number that is known."""

    unknowns: tuple[int, ...]
    shown: int


class Condition(NamedTuple):
    """A weighted sum of unknowns that lies between two ends, infinite for none."""

    terms: Mapping[int, float]
    low: float
    high: float

    @classmethod
    def of(cls, parts: Sequence[tuple[float, Total]], low: float, high: float) -> Condition:
        """Return what it tells that so many times each total add up to something between ends."""
        terms: dict[int, float] = defaultdict(float)
        for weight, total in parts:
            for number in total.unknowns:
                terms[number] += weight
        return cls.beside(terms, sum(weight * total.shown for weight, total in parts), low, high)

    @classmethod
    def beside(cls, terms: Mapping[int, float], shown: float, low: float, high: float) -> Condition:
        """Return what it tells that unknowns and a number that is known add up to such a sum."""
        kept = {number: weight for number, weight in terms.items() if weight}
        ends = low - shown, high - shown
        if kept and max(kept.values()) < 0:
            kept, ends = {n: -weight for n, weight in kept.items()}, (-ends[1], -ends[0])
        return cls(kept, *ends)

    def holds(self, values: Callable[[int], float]) -> bool:
        """Return whether it holds where the unknowns have these values."""
        value = sum(weight * values(number) for number, weight in self.terms.items())
        return bool(self.low - _HOLDS <= value <= self.high + _HOLDS)


def matrix_of(rows: Sequence[Mapping[int, float]], columns: int) -> scipy.sparse.csr_array:
    """Return a matrix with these rows, each its weights by column."""
    places = [(row, column, w) for row, terms in enumerate(rows) for column, w in terms.items()]
    row, column, weight = np.array(places, dtype=float).reshape(-1, 3).T
    at = row.astype(int), column.astype(int)
    return scipy.sparse.csr_array((weight, at), shape=(len(rows), columns))


@dataclass(frozen=True)
class Rows:
    """Conditions laid out: each is a weighted sum of columns between two ends."""

    matrix: scipy.sparse.csr_array
    low: Floats
    high: Floats

    @classmethod
    def of(cls, conditions: Sequence[Condition], columns: int) -> Rows:
        """Lay conditions of so many columns out as a matrix."""
        low, high = (np.array([row[end] for row in conditions], dtype=float) for end in (1, 2))
        matrix = matrix_of([row.terms for row in conditions], columns)
        matrix.eliminate_zeros()
        return cls(matrix, low, high)

    def of_steps(
        self, low: Floats, high: Floats, ups: _Columns = slice(None), downs: _Columns = slice(None)
    ) -> Rows:
        """Return them, with other ends, of steps: of columns that go up, then of those down."""
        steps = [self.matrix[:, ups], -self.matrix[:, downs]]  # type: ignore[index]
        return Rows(scipy.sparse.csr_array(scipy.sparse.hstack(steps)), low, high)

    def fits(self, points: Floats) -> Mask:
        """Return of points, a row each, whether they keep every row, and no column is negative."""
        values = (self.matrix @ points.T).T
        inside = (values >= self.low - WHOLE) & (values <= self.high + WHOLE)
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
            np.maximum.at(low, column, np.ceil(own[0] - WHOLE))
            np.minimum.at(high, column, np.floor(own[1] + WHOLE))
            if (low == least).all() and (high == most).all():
                break
            least, most = low, high
        return least, most

    def binding(self, least: Floats, most: Floats) -> tuple[Rows, NDArray[np.intp]]:
        """Return the rows that can be broken within bounds, of the columns that are not fixed."""
        plus, minus = self.matrix.maximum(0), self.matrix.minimum(0)
        low, high = plus @ least + minus @ most, plus @ most + minus @ least
        can = (low < self.low - WHOLE) | (high > self.high + WHOLE)
        fixed = np.where(least == most, least, 0)
        at, free = self.matrix[can] @ fixed, np.flatnonzero(least < most)
        return Rows(self.matrix[can][:, free], self.low[can] - at, self.high[can] - at), free


class Program:
    """A program that is solved again and again, each time from where the last solution ended."""

    def __init__(self, rows: Rows, least: Floats, most: Floats, *, presolve: bool = True) -> None:
        """State rows and bounds of columns; it has no cost yet."""
        matrix = scipy.sparse.csc_array(rows.matrix)
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
        self._solver = highs.Highs()  # type: ignore[no-untyped-call]
        self._solver.setOptionValue("output_flag", False)
        # Costs are apart by themselves, and most runs begin from the last one.
        self._solver.setOptionValue("dual_simplex_cost_perturbation_multiplier", 0.0)
        if not presolve:
            self._solver.setOptionValue("presolve", "off")
        self._solver.passModel(program)

    def hold(self, ends: Mapping[int, tuple[float, float]]) -> None:
        """Change the ends of rows."""
        low, high = np.array(list(ends.values()), dtype=float).reshape(-1, 2).T
        rows = np.array(list(ends), dtype=np.int32)
        self._solver.changeRowsBounds(len(rows), rows, low, high)  # type: ignore[attr-defined]

    def solve(self, cost: Floats, least: Floats, most: Floats) -> Floats | None:
        """Return a solution of least cost between bounds, None where there is none."""
        news = _differ(least != self._least, most != self._most)
        self._solver.changeColsBounds(len(news), news, least[news], most[news])
        news = _differ(cost != self._cost)
        self._solver.changeColsCost(len(news), news, cost[news])
        self._least, self._most, self._cost = least, most, cost
        self._solver.run()
        if self._solver.getModelStatus() != highs.HighsModelStatus.kOptimal:
            return None
        return np.array(self._solver.getSolution().col_value)

    def solve_whole(self, cost: Floats) -> Floats | None:
        """Return the best whole numbers that are found, if any; no more is asked of it then."""
        columns = np.arange(len(cost), dtype=np.int32)
        whole = np.array([highs.HighsVarType.kInteger] * len(cost))
        self._solver.changeColsIntegrality(len(cost), columns, whole)
        self._solver.changeColsCost(len(cost), columns, cost)
        self._solver.setOptionValue("mip_rel_gap", 0.0)
        self._solver.setOptionValue("mip_max_nodes", _NODES)
        self._solver.run()
        found = self._solver.getInfo().primal_solution_status
        if found != highs.SolutionStatus.kSolutionStatusFeasible:
            return None
        values: Floats = np.rint(np.array(self._solver.getSolution().col_value))
        return values


def _differ(*where: Mask) -> NDArray[np.int32]:
    return np.flatnonzero(np.any(where, axis=0)).astype(np.int32)


def is_whole(solution: Floats) -> bool:
    """Return whether a solution consists of whole numbers."""
    return bool(np.abs(solution - np.rint(solution)).max(initial=0) < WHOLE)


def spread(places: NDArray[Any], turn: int) -> Floats:
    """Return numbers from 0 to 1 by place, spread evenly, others each turn."""
    shares: Floats = (places * _GOLDEN + turn * _PLASTIC) % 1
    return shares
