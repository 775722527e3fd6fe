"""Chooses what to hide: the small counts, and as little else as keeps them uncertain.

It looks for other tables that show the public the same; what differs in one has to be hidden. The
proof is the audit's (audit.py), from what is published alone.
"""

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final

import numpy as np
from numpy.typing import NDArray

from assets.disclosure.counts import Block, Count
from assets.disclosure.solver import Conditions, Floats, LinearProgram, Row, is_whole
from schemas.breakdown import Band
from schemas.disclosure import Protection

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
        rows: list[Row] = [(dict.fromkeys(places, 1.0), 0.0, 0.0) for places in block.nation]
        for place, count in enumerate(block.counts):
            if count.parts:
                rows.append(({**dict.fromkeys(count.parts, 1.0), place: -1.0}, 0.0, 0.0))
        begun = len(rows)
        for limit in (each for told in block.told for each in (*told.one, *told.other)):
            now = sum(weight * float(self.true[place]) for place, weight in limit.terms.items())
            rows.append((limit.terms, limit.low - now, limit.high - now))
        conditions = Conditions.of(rows, len(self.true)).of_steps()
        numbers = iter(conditions.numbers[begun:])
        self._sides = [
            tuple([next(numbers) for _ in side] for side in told[2:]) for told in block.told
        ]
        nowhere = np.zeros(2 * len(self.true))
        self._program = LinearProgram(conditions, nowhere, nowhere, bounds_stay=False)
        for _, other in self._sides:
            self._program.hold(other, hold=False)
        self.reach(far=False)
        self.ranges = {
            place: [band for band in bands if band.low <= self.true[place]][-1]
            for place, bands in block.ranges.items()
        }

    def table(
        self,
        hidden: Mask,
        wanted: Mapping[int, int],
        reward: float,
        ranges: Mapping[int, Band] | None = None,
        reached: tuple[Counts, Counts] | None = None,
    ) -> Counts | None:
        """Return a table that comes as near to the wanted values as any, None where there is none.

        Nor is there one where no wanted count would go beyond the least and most it has `reached`.
        Counts that are `hidden` may differ at no further loss; a step towards a wanted value is
        worth the `reward`; some counts may lie in other `ranges` than the true value does.
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
        found = self._program.solve_near(cost) if self._far else self._program.solve(cost)
        if found is None:
            return None, False
        return found[: len(low)] - found[len(low) :], is_whole(found)


_REWARDS: Final = (30.0, 1000.0)
"""What a step towards a wanted value may cost: first nearly nothing, at last whatever it takes."""

_AT_ONCE: Final = {str: 2, int: 1}
"""How many counts of a force, and of a national total, are moved together."""

_PARTNERS: Final = 3
"""How many forces are tried to change places with one whose range is too narrow."""


_BOUNDLESS: Final = 1000

_Sum = tuple[frozenset[int], int]
"""Places, and what their counts add up to."""


@dataclass(frozen=True)
class Choice:
    """By place: which counts are small, and which are hidden (the small ones are).

    `tables` are those that everybody must take for possible; each is all counts by place.
    """

    small: Mask
    hidden: Mask
    tables: list[Counts] = field(default_factory=list)


def choose(
    block: Block,
    protection: Protection,
    *,
    secondary: bool = True,
    wholly: Collection[str] = frozenset(),
) -> Choice:
    """Return which counts of a block to hide.

    Args:
        block: the counts.
        protection: which counts are small, and how uncertain they must stay.
        secondary: whether others are hidden to protect the small ones; only tests say no.
        wholly: forces of which every count that is not 0 is hidden.
    """
    ceilings = _ceilings(block)
    is_shown = np.array([count.is_shown for count in block.counts])
    was_hidden = np.array([count.was_hidden and not count.known for count in block.counts])
    small = np.array([_is_small(count, protection) for count in block.counts]) & (ceilings > 0)
    all_of = np.array(
        [
            count.force_code in wholly and count.value > 0 and not count.known
            for count in block.counts
        ]
    )
    hidden = small | was_hidden | ~is_shown | all_of & (ceilings > 0)
    tables: list[Counts] = []
    if secondary and hidden.any():
        judged = small | is_shown | was_hidden
        needed = np.where(judged, np.minimum(protection.width, ceilings), 0)
        search = _Search(block, hidden, needed, ceilings)
        hidden, tables = search.run(), search.tables
    return Choice(small & is_shown, hidden & is_shown, tables)


def _is_small(count: Count, protection: Protection) -> bool:
    return not count.known and protection.is_small(count.value)


def _ceilings(block: Block) -> Counts:
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
    largest = max((count.value for count in block.counts), default=0) + _BOUNDLESS
    most = [max([largest, *(value for _, value in sums)])] * len(block.counts)
    for places, value in sums:
        for place in places:
            most[place] = min(most[place], value)
    for place, count in enumerate(block.counts):
        if count.parts:
            within = (value for places, value in sums if places >= set(count.parts))
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


class _Search:
    """Adds tables until every small count differs enough between them; what differs is hidden."""

    def __init__(self, block: Block, hidden: Mask, needed: Counts, ceilings: Counts) -> None:
        self._block = block
        self._tables = Alternatives(block)
        self._hidden, self._needed, self._ceilings = hidden.copy(), needed, ceilings
        self._low, self._high = self._tables.true.copy(), self._tables.true.copy()
        self._shared = _shared(block)
        self.tables: list[Counts] = []
        self._only: str | None = None
        forces = np.array([count.force_code for count in block.counts])
        self._of = {force: forces == force for force in block.broken}

    def run(self) -> Mask:
        """Return which counts are hidden in the end."""
        for reward in _REWARDS:
            tried: set[int] = set()
            while wanted := dict(self._batch(tried)):
                before = (self._high - self._low)[list(wanted)]
                self._take(self._tables.table(self._hidden, wanted, reward))
                gained = (self._high - self._low)[list(wanted)] > before
                if not gained.any():
                    tried.update(wanted)
        self._tables.reach(far=True)
        self._each(self._as_far_as_it_goes)
        self._each(self._by_the_other_side)
        self._tables.reach(far=False)
        self._each(self._by_changing_places)
        self._tables.reach(far=True)
        self._each(self._by_an_answer)
        return self._hidden

    def _each(self, move: Callable[[int], None]) -> None:
        """Move every count that still differs too little."""
        for place in np.flatnonzero(self._lack() > 0).tolist():
            if self._lack()[place] > 0:
                move(place)

    def _lack(self) -> Counts:
        """By how much each count that is hidden differs too little so far."""
        return np.where(self._hidden, self._needed - (self._high - self._low), 0)

    def _batch(self, tried: set[int]) -> Iterator[tuple[int, int]]:
        """Yield counts, and values to bring them to, that do not stand in each other's way."""
        lack = self._lack()
        waiting = [place for place in np.flatnonzero(lack > 0).tolist() if place not in tried]
        taken: dict[str | int, int] = defaultdict(int)
        for place in sorted(waiting, key=lambda p: (-lack[p], p)):
            if all(taken[thing] < _AT_ONCE[type(thing)] for thing in self._shared[place]):
                for thing in self._shared[place]:
                    taken[thing] += 1
                yield place, self._aim(place)

    def _aim(self, place: int) -> int:
        """Return a value to bring a count to: down first, since that lets others go up."""
        down = int(max(0, self._high[place] - self._needed[place]))
        up = int(min(self._low[place] + self._needed[place], self._ceilings[place]))
        untouched = self._low[place] == self._tables.true[place] > 0
        return down if untouched or up <= self._high[place] else up

    def _take(self, table: Counts | None) -> None:
        if table is not None:
            self.tables.append(table)
            own = slice(None) if self._only is None else self._of[self._only]
            self._low[own] = np.minimum(self._low, table)[own]
            self._high[own] = np.maximum(self._high, table)[own]
            self._hidden |= table != self._tables.true

    def _as_far_as_it_goes(self, place: int, ranges: Mapping[int, Band] | None = None) -> None:
        """Move one count down and then up."""
        for value in (0, int(self._low[place] + self._needed[place])):
            if value != self._tables.true[place] and self._lack()[place] > 0:
                wanted = {place: value}
                reached = self._low, self._high
                self._take(self._tables.table(self._hidden, wanted, _REWARDS[-1], ranges, reached))

    def _by_the_other_side(self, place: int) -> None:
        """Move one count in tables where its force passes a rule in the other way.

        A small share of many cases may be any share of few.
        """
        force = self._block.counts[place].force_code
        for number, told in enumerate(self._block.told):
            if told.other and told.force_code == force:
                self._tables.turn(number, over=True)
                self._as_far_as_it_goes(place)
                self._tables.turn(number, over=False)

    def _by_an_answer(self, place: int) -> None:
        """Move one count of a force that was accepted with an answer to a rule that it breaks.

        Nobody outside knows which force that is. Of its own counts the rule tells nothing, though
        of others it does.
        """
        force = self._block.counts[place].force_code
        broken = self._block.broken.get(force, set())
        rules = [at for at, told in enumerate(self._block.told) if told.rule in broken]
        if broken:
            self._only = force
            self._tables.forget(rules, forget=True)
            self._as_far_as_it_goes(place)
            self._by_changing_places(place)
            self._tables.forget(rules, forget=False)
            self._only = None

    def _by_changing_places(self, place: int) -> None:
        """Move one count in tables where its force is in the range of another force.

        Where the nation is told that one force has 2, another may be that force.
        """
        for ranges in self._swaps(self._block.counts[place].force_code, self._needed[place]):
            self._as_far_as_it_goes(place, ranges)
            if self._lack()[place] <= 0:
                return

    def _swaps(self, force: str, needed: int) -> Iterator[dict[int, Band]]:
        """Yield ranges in which a force changes places with another, where its own holds it."""
        ranges, counts = self._tables.ranges, self._block.counts
        for own, band in ranges.items():
            value, low, high = counts[own].value, band.low, band.high
            is_free = value - low >= needed and (high is None or high - value >= needed)
            if counts[own].force_code != force or counts[own].known or is_free:
                continue
            others = [
                other
                for other in ranges
                if counts[other].column == counts[own].column
                and counts[other].editions == counts[own].editions
                and ranges[other] != band
            ]
            distance = {other: abs(counts[other].value - value) for other in others}
            nearest = sorted(others, key=lambda p: (not self._hidden[p], distance[p], p))
            for other in nearest[:_PARTNERS]:
                yield {own: ranges[other], other: band}


def _shared(block: Block) -> list[set[str | int]]:
    """Return, by place, its force (a code) and the national totals it is part of (numbers)."""
    of: list[set[str | int]] = [{count.force_code} for count in block.counts]
    for number, places in enumerate(block.nation):
        for place in places:
            of[place].add(number)
    for place, count in enumerate(block.counts):
        of[place].update(*(of[part] for part in count.parts))
    return of
