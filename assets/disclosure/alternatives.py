"""Other tables that show the public the same: same totals, same shown counts, other hidden ones.

Belongs here: the program that finds such a table. Does not: which are wanted (choose.py). A count
that differs in such a table has to be hidden; then nobody can tell which table is the true one.
"""

from collections.abc import Iterable, Iterator, Mapping
from typing import Final

import numpy as np
from numpy.typing import NDArray

from assets.disclosure.counts import Block
from assets.disclosure.limits import Limit
from assets.disclosure.solver import Conditions, Floats, LinearProgram, Terms, Weighted, is_whole
from assets.disclosure.spread import Bound

Counts = NDArray[np.int64]
Mask = NDArray[np.bool_]

_HIDDEN_COST: Final = 0.01
"""Of a step of a count that is hidden anyway: little, so that no count moves for nothing."""

_STEP: Final = 1 - 1e-6
"""A whole step, but for rounding."""

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
        rows = _Rows(block, self.true)
        self._sides = rows.sides
        self._program = LinearProgram(rows.conditions, nowhere, nowhere, bounds_stay=False)
        for _, other in self._sides:
            self._program.hold(other, hold=False)
        self.reach(far=False)
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
        reached: tuple[Counts, Counts] | None = None,
    ) -> Counts | None:
        """Return a table that comes as near to the wanted values as any, None where there is none.

        Nor is there one where no wanted count would go beyond what it has reached.

        Args:
            hidden: which counts are hidden already, so that they may differ without further loss.
            wanted: by place, the value to come near to.
            reward: how much loss a step towards a wanted value is worth.
            ranges: by place, a range to lie in instead of the one of the true value.
            reached: the least and the most that each count is in the tables found so far.
        """
        cost = np.where(hidden, _HIDDEN_COST, self._loss)
        up, down = cost.copy(), cost
        low: Floats = np.where(self._fixed, self.true, 0).astype(float)
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

        def is_news(steps: Floats) -> bool:
            if reached is None:
                return True
            values = (self.true + steps)[list(wanted)]
            least, most = (ends[list(wanted)] for ends in reached)
            return bool(((values <= least - _STEP) | (values >= most + _STEP)).any())

        costs = np.concatenate([up, down])
        least: Floats = low - self.true
        most: Floats = high - self.true
        steps, is_table = self._solved(costs, least, most)
        # What fractions do not reach, whole numbers do not.
        if steps is not None and not is_table and self._far and is_news(steps):
            for place in wanted:
                least[place] = most[place] = np.trunc(steps[place])
            steps, is_table = self._solved(costs, least, most)
        if steps is None or not is_table:
            return None
        return self.true + np.rint(steps).astype(np.int64)

    def turn(self, rule: int, *, over: bool) -> None:
        """Let the other side of what a rule tells hold, or the one that holds in fact again."""
        one, other = self._sides[rule]
        self._program.hold(one, hold=not over)
        self._program.hold(other, hold=over)

    def forget(self, rules: Iterable[int], *, forget: bool) -> None:
        """Look for tables that need not keep some of the rules, or for those that keep them."""
        for rule in rules:
            self._program.hold(self._sides[rule][0], hold=not forget)

    def reach(self, *, far: bool) -> None:
        """Say whether to look for every table that keeps the rules, or for those near by.

        Near by, rules are kept by bounds, with tables in whole numbers nearly always.
        """
        self._far = far
        self._program.stay_near(None if far else np.zeros(2 * len(self.true)))

    def _solved(self, cost: Floats, low: Floats, high: Floats) -> tuple[Floats | None, bool]:
        """Return the cheapest steps, each between its bounds, and whether they are whole.

        Nearly always they are, because sums by force and by nation form a network. Where they are
        not, for the sums that a rule compares, whole numbers near by are tried.
        """
        self._program.bound(
            np.concatenate([np.maximum(low, 0), np.maximum(-high, 0)]),
            np.concatenate([np.maximum(high, 0), np.maximum(-low, 0)]),
        )
        found = self._program.solve(cost)
        if found is not None and not is_whole(found) and self._far:
            self._program.stay_near(found, 0)
            near = self._program.solve(cost)
            self._program.stay_near(None)
            found = near if near is not None and is_whole(near) else found
        if found is None:
            return None, False
        return found[: len(low)] - found[len(low) :], is_whole(found)


class _Rows:
    """The conditions of a block on the steps away from its values.

    Sums stay sums and national totals stay what they are, whatever the steps up and down; and what
    rules tell holds. `sides` has of each rule the rows of the side that holds, and of the other.
    """

    def __init__(self, block: Block, true: Counts) -> None:
        self._true, self._size = true, len(true)
        self._plain = [(self._both_ways(terms), 0.0, 0.0) for terms in _equalities(block)]
        self._weighted: list[Weighted] = []
        placed = [
            tuple(list(map(self._add, side)) for side in (told.one, told.other))
            for told in block.told
        ]
        self.conditions = Conditions.of(self._plain, 2 * self._size, self._weighted)
        self.sides = [
            tuple([self._row(*place) for place in side] for side in sides) for sides in placed
        ]

    def _add(self, limit: Limit) -> tuple[bool, int]:
        terms = limit.terms
        now = sum(weight * float(self._true[place]) for place, weight in terms.items())
        ends = limit.low - now, limit.high - now
        weights = sorted(set(terms.values()))
        if {abs(weight) for weight in weights} == {1.0}:
            self._plain.append((self._both_ways(terms), *ends))
            return True, len(self._plain) - 1
        sums = [
            (weight, self._both_ways({place: 1.0 for place in terms if terms[place] == weight}))
            for weight in weights
        ]
        self._weighted.append((sums, {}, *ends))
        return False, len(self._weighted) - 1

    def _row(self, is_plain: bool, number: int) -> int:
        return number if is_plain else self.conditions.shares[number][0]

    def _both_ways(self, terms: Terms) -> Terms:
        return {**terms} | {place + self._size: -sign for place, sign in terms.items()}


def _equalities(block: Block) -> Iterator[Terms]:
    for places in block.nation:
        yield dict.fromkeys(places, 1.0)
    for place, count in enumerate(block.counts):
        if count.parts:
            yield {**dict.fromkeys(count.parts, 1.0), place: -1.0}
