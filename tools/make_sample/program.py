"""An integer program in the sample's own terms: counts near a draw, and conditions on their sums.

Belongs here: the one use of scipy's solver. Does not: any force, figure or rule; the solve_*
modules state those.
"""

import math
from collections.abc import Iterable, Mapping
from typing import Literal

from scipy.optimize import Bounds, LinearConstraint, milp
from scipy.sparse import csr_array

Unknown = int
"""Names a whole number the program is to find."""


class Program:
    """Unknown whole numbers of at least 0, linear conditions on them, and a cost to keep small."""

    def __init__(self) -> None:
        self._costs: list[float] = []
        self._ceilings: list[float] = []
        self._whole: list[Literal[0, 1]] = []
        self._conditions: list[tuple[Mapping[int, float], float, float]] = []

    def _column(self, ceiling: float, cost: float, *, whole: bool) -> int:
        self._costs.append(cost)
        self._ceilings.append(ceiling)
        self._whole.append(1 if whole else 0)
        return len(self._costs) - 1

    def choice(self, cost: float = 0.0) -> Unknown:
        """Add an unknown that is 0 or 1, at this cost where it is 1."""
        return self._column(1, cost, whole=True)

    def near(self, target: int, weight: float) -> Unknown:
        """Add an unknown that costs the weight for each step away from the target.

        Steps beyond the ordinary scatter of a count cost three times as much, so that an
        adjustment is shared out rather than put on one count.
        """
        unknown = self._column(math.inf, 0, whole=True)
        scatter = 1 + math.isqrt(target)
        steps = {unknown: 1.0}
        for direction in (-1.0, 1.0):
            steps[self._column(scatter, weight, whole=False)] = direction
            steps[self._column(math.inf, 3 * weight, whole=False)] = direction
        self.require(steps, target, target)
        return unknown

    def sum(self, unknowns: Iterable[Unknown]) -> Unknown:
        """Add an unknown that is the sum of others."""
        whole = self._column(math.inf, 0, whole=True)
        self.require({**dict.fromkeys(unknowns, 1.0), whole: -1.0}, 0, 0)
        return whole

    def require(
        self, terms: Mapping[Unknown, float], low: float = -math.inf, high: float = math.inf
    ) -> None:
        """Require that the sum of coefficient times unknown lies between two bounds."""
        self._conditions.append((terms, low, high))

    def require_total(self, unknowns: Iterable[Unknown], total: float) -> None:
        """Require that the unknowns add up to a total."""
        self.require(dict.fromkeys(unknowns, 1.0), total, total)

    def require_share(
        self, part: Unknown, whole: Unknown, low: float = 0.0, high: float = 1.0
    ) -> None:
        """Require that a part is between two shares of its whole."""
        self.require({part: 1.0, whole: -high}, high=0)
        if low:
            self.require({part: 1.0, whole: -low}, low=0)

    def solve(self) -> list[int]:
        """Return the value of each unknown, in the order they were added, at the least cost.

        Raises:
            ValueError: no whole numbers meet the conditions.
        """
        entries = [
            (value, row, column)
            for row, (terms, _, _) in enumerate(self._conditions)
            for column, value in terms.items()
        ]
        values, rows, columns = zip(*entries, strict=True)
        matrix = csr_array(
            (values, (rows, columns)), shape=(len(self._conditions), len(self._costs))
        )
        _, lows, highs = zip(*self._conditions, strict=True)
        result = milp(
            self._costs,
            integrality=self._whole,
            bounds=Bounds(0, self._ceilings),
            constraints=LinearConstraint(matrix, lows, highs),
            options={"mip_rel_gap": 0},
        )
        if not result.success:
            raise ValueError(f"the conditions cannot be met: {result.message}")
        return [round(value) for value in result.x]
