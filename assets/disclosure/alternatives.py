"""Other tables that show the public the same: same totals, same shown counts, other hidden ones.

Belongs here: the program that finds such a table. Does not: which are wanted (choose.py). A count
that differs in such a table has to be hidden; then nobody can tell which table is the true one.
"""

from collections.abc import Iterator, Mapping
from typing import Final

import numpy as np
from numpy.typing import NDArray

from assets.disclosure.counts import Block
from assets.disclosure.solver import Conditions, Floats, LinearProgram, Terms, is_whole
from assets.disclosure.spread import Bound

Counts = NDArray[np.int64]
Mask = NDArray[np.bool_]

_HIDDEN_COST: Final = 0.01
"""Of a step of a count that is hidden anyway: little, so that no count moves for nothing."""

_SUM_WEIGHT: Final = 2.0
"""A sum is worth more to a reader than an entry of the same size."""


class Alternatives:
    """Finds tables that agree with a block in all that is public, at little loss."""

    def __init__(self, block: Block) -> None:
        """Lay the sums of the block out as conditions on the steps away from its values."""
        self.true: Counts = np.array([count.value for count in block.counts], dtype=np.int64)
        is_sum = np.array([bool(count.parts) for count in block.counts])
        self._loss = (1 + np.log2(1 + self.true)) * np.where(is_sum, _SUM_WEIGHT, 1.0)
        self._fixed: Mask = np.array([count.known for count in block.counts])
        nowhere = np.zeros(2 * len(self.true))
        conditions = _conditions(block, self.true)
        self._program = LinearProgram(conditions, nowhere, nowhere, bounds_stay=False)
        self.ranges = {
            place: next(bound for bound in bounds if bound.holds(int(self.true[place])))
            for place, bounds in block.ranges.items()
        }

    def table(
        self,
        hidden: Mask,
        wanted: Mapping[int, int],
        reward: float,
        ranges: Mapping[int, Bound] | None = None,
    ) -> Counts | None:
        """Return a table that comes as near to the wanted values as any, None where there is none.

        Args:
            hidden: which counts are hidden already, so that they may differ without further loss.
            wanted: by place, the value to come near to.
            reward: how much loss a step towards a wanted value is worth.
            ranges: by place, a range to lie in instead of the one of the true value.
        """
        cost = np.where(hidden, _HIDDEN_COST, self._loss)
        up, down = cost.copy(), cost
        low = np.where(self._fixed, self.true, 0).astype(float)
        high = np.where(self._fixed, self.true, np.inf)
        for place, bound in {**self.ranges, **(ranges or {})}.items():
            low[place] = max(low[place], bound.low)
            high[place] = min(high[place], np.inf if bound.high is None else bound.high)
        if (low > high).any():
            return None
        for place, value in wanted.items():
            if value > self.true[place]:
                up[place], low[place] = -reward, max(low[place], self.true[place])
                high[place] = max(low[place], min(high[place], value))
            else:
                down[place], high[place] = -reward, min(high[place], self.true[place])
                low[place] = min(high[place], max(low[place], value))
        steps = self._solved(np.concatenate([up, down]), low - self.true, high - self.true)
        return None if steps is None else self.true + steps

    def _solved(self, cost: Floats, low: Floats, high: Floats) -> Counts | None:
        """Return the cheapest steps, each between its bounds, as the difference of up and down."""
        self._program.bound(
            np.concatenate([np.maximum(low, 0), np.maximum(-high, 0)]),
            np.concatenate([np.maximum(high, 0), np.maximum(-low, 0)]),
        )
        # Nearly always the answer is whole, because sums by force and by nation form a network.
        found = self._program.solve(cost)
        if found is not None and not is_whole(found):
            found = self._program.solve_whole(cost)
        if found is None:
            return None
        steps = np.rint(found).astype(np.int64)
        return steps[: len(low)] - steps[len(low) :]


def _conditions(block: Block, true: Counts) -> Conditions:
    """Sums stay sums and national totals stay what they are, whatever the steps up and down."""
    size = len(true)
    rows = [(_both_ways(terms, size), 0.0, 0.0) for terms in _equalities(block)]
    for small, large in block.at_most:
        terms = {**dict.fromkeys(small, 1.0), **dict.fromkeys(large, -1.0)}
        slack = float(true[large].sum() - true[small].sum())
        rows.append((_both_ways(terms, size), -np.inf, slack))
    return Conditions.of(rows, 2 * size)


def _both_ways(terms: Terms, size: int) -> Terms:
    return terms | {place + size: -sign for place, sign in terms.items()}


def _equalities(block: Block) -> Iterator[Terms]:
    for places in block.nation:
        yield dict.fromkeys(places, 1.0)
    for place, count in enumerate(block.counts):
        if count.parts:
            yield {**dict.fromkeys(count.parts, 1.0), place: -1.0}
