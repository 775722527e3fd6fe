"""Other tables that show the public the same as a block of counts, as steps away from its values.

A linear program whose columns are the counts, and the sums of them that something is told of. What
is told of one sum alone is the ends of its column; so the rows are few, and add up. Solutions are
whole numbers nearly always then.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import Final

import numpy as np
from numpy.typing import NDArray

from assets.disclosure.counts import Block
from assets.disclosure.solver import Condition, Floats, Program, Rows, is_whole

Counts = NDArray[np.int64]

_ROUNDING: Final = 1e-6
_BOUNDLESS: Final = 10**6
"""More than any sum: what its parts leave is less."""

_LEFT: Final = 0.5
"""The share of what a rule leaves that goes, near the true table, to the sums that use it up."""

ONE: Final = 0
OTHER: Final = 1
NEITHER: Final = None
"""Which side of what a rule tells holds: the one that is so in fact, or the other one."""


_FREE: Final = 1000
"""By so much at least can a count that no total contains be more than any that is known."""

_Sum = tuple[frozenset[int], int]
"""Places, and what their counts add up to."""

_Told = tuple[Condition, int | None]
"""The ends of a weighted sum of steps; the row that holds it, of more than one column."""


class Alternatives:
    """Finds tables that agree with a block in all that is public.

    Columns are the counts by place, and behind them sums that only rules know. `true` has the
    values of all.
    """

    def __init__(self, block: Block, ceilings: Counts) -> None:
        """Lay out what adds up, and what is told of sums."""
        self._values = [count.value for count in block.counts]
        self._parts = {place: count.parts for place, count in enumerate(block.counts)}
        self._column: dict[frozenset[int], int] = {}
        for place, parts in self._parts.items():
            self._column.setdefault(frozenset(parts or [place]), place)
        self._rows: list[Condition] = []
        self._told = [
            [[self._in_short(each) for each in side] for side in (told.one, told.other)]
            for told in block.told
        ]
        self.true: Counts = np.array(self._values, dtype=np.int64)
        self._ranges = {
            place: [band for band in bands if band.low <= self.true[place]][-1]
            for place, bands in block.ranges.items()
        }
        known = np.zeros(len(self.true), dtype=bool)
        known[: len(block.counts)] = [count.known for count in block.counts]
        most = np.full(len(self.true), _BOUNDLESS, dtype=np.int64)
        most[: len(ceilings)] = ceilings
        self._ends = np.where(known, 0, -self.true), np.where(known, 0, most - self.true)
        self._ups = np.flatnonzero(self._ends[1] > 0)
        self._downs = np.flatnonzero(self._ends[0] < 0)
        rows = [Condition(dict.fromkeys(places, 1.0), 0.0, 0.0) for places in block.nation]
        for place, parts in self._parts.items():
            if parts:
                rows.append(Condition({**dict.fromkeys(parts, 1.0), place: -1.0}, 0.0, 0.0))
        laid = Rows.of(self._rows + rows, len(self.true))
        steps = laid.of_steps(laid.low, laid.high, self._ups, self._downs)
        nowhere = np.zeros(len(self._ups) + len(self._downs))
        self._program = Program(steps, nowhere, nowhere, presolve=False)
        self._holds: dict[int, int | None] = dict.fromkeys(range(len(self._told)), ONE)
        self._settle()

    def _in_short(self, told: Condition) -> _Told:
        """Return what is told of places as what that is of the steps of whole sums of them.

        Of a sum whose parts are taken more and less often, the sum as often as most are, and the
        rest.
        """
        parts: dict[float, set[int]] = defaultdict(set)
        for place, weight in told.terms.items():
            parts[weight].add(place)
        terms: dict[int, float] = {}
        whole = self._column.get(frozenset(told.terms))
        usual = max(parts, key=lambda weight: len(parts[weight])) if whole is not None else 0.0
        if whole is not None:
            terms[whole] = usual
        for weight, places in parts.items():
            if weight != usual:
                terms[self._sum(frozenset(places))] = weight - usual
        now = sum(weight * self._values[at] for at, weight in terms.items())
        low, high = told.low - now, told.high - now
        if len(terms) == 1:
            ((at, weight),) = terms.items()
            low, high = sorted((low / weight, high / weight))
            low, high = np.ceil(low - _ROUNDING), np.floor(high + _ROUNDING)
            return Condition({at: 1.0}, low, high), None
        self._rows.append(Condition(terms, -np.inf, np.inf))
        return Condition(terms, low, high), len(self._rows) - 1

    def _sum(self, places: frozenset[int]) -> int:
        """Return the column of a sum, a new one where nobody but a rule knows it."""
        if places not in self._column:
            self._column[places] = len(self._values)
            self._parts[len(self._values)] = tuple(sorted(places))
            self._values.append(sum(self._values[place] for place in places))
        return self._column[places]

    @contextmanager
    def otherwise(self, holds: Mapping[int, int | None]) -> Iterator[None]:
        """Look for tables where other sides of some rules hold."""
        before = self._holds
        self._holds = {**before, **holds}
        self._settle()
        yield
        self._holds = before
        self._settle()

    def _settle(self) -> None:
        """Find the ends between which steps may lie, and hold to the rows of the rules."""
        self._low, self._high = (end.astype(float) for end in self._ends)
        for at, band in self._ranges.items():
            most = np.inf if band.high is None else band.high - self.true[at]
            self._within(at, band.low - self.true[at], most)
        ends = dict.fromkeys(range(len(self._rows)), (-np.inf, np.inf))
        self._rules = []
        for number, side in self._holds.items():
            for each, row in self._told[number][side] if side is not None else ():
                if row is None:
                    (at,) = each.terms
                    self._within(at, each.low, each.high)
                else:
                    self._rules.append(each)
                    ends[row] = each.low, each.high
        self._program.hold(ends)

    def _within(self, at: int, low: float, high: float) -> None:
        self._low[at], self._high[at] = max(self._low[at], low), min(self._high[at], high)

    def find(self, up: Floats, down: Floats, low: Floats, high: Floats) -> Counts | None:
        """Return the table of least cost, None where there is none in whole numbers.

        `up` and `down` are what a step costs by column; `low` and `high` the ends of the steps,
        beside those that are public.
        """
        costs = np.concatenate([up[self._ups], down[self._downs]])
        low, high = np.maximum(low, self._low), np.minimum(high, self._high)
        first = steps = self._solved(costs, low, high)
        nearby: Iterable[tuple[Floats, float]] = (
            [] if first is None else [(first, 0.0), (np.zeros(len(low)), _LEFT)]
        )
        for point, share in nearby:
            if steps is not None and is_whole(steps):
                break
            steps = self._solved(costs, *self._near(point, share, low, high))
        if steps is None or not is_whole(steps):
            return None
        return self.true + np.rint(steps).astype(np.int64)

    def _solved(self, costs: Floats, low: Floats, high: Floats) -> Floats | None:
        """Return the cheapest steps, in fractions too; None where there are none."""
        if (low > high).any():
            return None
        ups, downs = self._ups, self._downs
        found = self._program.solve(
            costs,
            np.concatenate([np.maximum(low[ups], 0), np.maximum(-high[downs], 0)]),
            np.concatenate([np.maximum(high[ups], 0), np.maximum(-low[downs], 0)]),
        )
        if found is None:
            return None
        steps = np.zeros(len(low))
        steps[ups] = found[: len(ups)]
        steps[downs] -= found[len(ups) :]
        return steps

    def _near(
        self, point: Floats, share: float, low: Floats, high: Floats
    ) -> tuple[Floats, Floats]:
        """Return ends of sums, whole ones, within which every rule holds; the point is near by.

        The share of what a rule leaves goes to the sums that use it up, the rest to those that
        make room.
        """
        low, high = low.copy(), high.copy()
        for terms, least, most in self._rules:
            sign = 1.0 if np.isfinite(most) else -1.0
            signed = {at: sign * weight for at, weight in terms.items()}
            end = most if sign > 0 else -least
            left = max(0.0, end - sum(weight * point[at] for at, weight in signed.items()))
            using = [at for at, weight in signed.items() if weight > 0]
            giving = [at for at, weight in signed.items() if weight < 0]
            for at in using:
                whole = np.floor(point[at] + share * left / len(using) / signed[at] + _ROUNDING)
                high[at] = min(high[at], whole)
                end -= signed[at] * whole
            for at in giving:
                whole = np.ceil((point[at] if len(giving) > 1 else end / signed[at]) - _ROUNDING)
                low[at] = max(low[at], whole)
        return low, high


def most_of(block: Block) -> Counts:
    """Return the most that each count can be for somebody who knows what is public anyway.

    That are the national totals, the known counts, and the difference of two of them where one is
    part of the other: of two known counts of a force, or of the totals of two editions.
    """
    sums = [
        (frozenset(places), sum(block.counts[p].value for p in places)) for places in block.nation
    ]
    sums += list(_differences(sums))
    by_force = defaultdict(list)
    for place, count in enumerate(block.counts):
        if count.known:
            by_force[count.force_code].append((frozenset(count.parts or [place]), count.value))
    for known in by_force.values():
        sums += known
        sums += [(a - b, x - y) for a, x in known for b, y in known if b < a]
    # Of what no total includes, nobody can say how much it is at most.
    largest = max((count.value for count in block.counts), default=0) + _FREE
    most = [max([largest, *(value for _, value in sums)])] * len(block.counts)
    for places, value in sums:
        for place in places:
            most[place] = min(most[place], value)
    around: dict[int, list[_Sum]] = defaultdict(list)
    for places, value in sums:
        for place in places:
            around[place].append((places, value))
    for place, count in enumerate(block.counts):
        if count.parts:
            sums = around[count.parts[0]]
            within = (value for places, value in sums if places.issuperset(count.parts))
            most[place] = min(sum(most[part] for part in count.parts), *within, most[place])
    return np.array(most, dtype=np.int64)


def _differences(sums: list[_Sum]) -> Iterator[_Sum]:
    """Yield what is left of a national total without a smaller one that is part of it."""
    of: dict[int, list[_Sum]] = defaultdict(list)
    for places, value in sums:
        for place in places:
            of[place].append((places, value))
    for part, value in sums:
        for whole, total in of[min(part)]:
            if part < whole:
                yield whole - part, total - value
