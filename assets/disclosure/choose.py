"""Chooses what to hide: the small counts, and as little else as keeps them uncertain.

Belongs here: how uncertain each count has to be, and the search. Does not: the proof, which the
audit (audit.py) gives from what is published alone.
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np

from assets.disclosure.alternatives import Alternatives, Counts, Mask
from assets.disclosure.counts import Block, Count
from assets.disclosure.spread import Bound
from schemas.disclosure import Protection

_REWARDS: Final = (30.0, 1000.0)
"""What a step towards a wanted value may cost: first nearly nothing, at last whatever it takes."""

_AT_ONCE: Final = {str: 2, int: 1}
"""How many counts of a force, and of a national total, are moved together."""

_PARTNERS: Final = 3
"""How many forces are tried to change places with one whose range is too narrow."""


@dataclass(frozen=True)
class Choice:
    """By place: which counts are small, and which are hidden (the small ones are)."""

    small: Mask
    hidden: Mask


def choose(block: Block, protection: Protection, *, secondary: bool = True) -> Choice:
    """Return which counts of a block to hide.

    Args:
        block: the counts.
        protection: which counts are small, and how uncertain they must stay.
        secondary: whether others are hidden to protect the small ones; only tests say no.
    """
    ceilings = _ceilings(block)
    is_shown = np.array([count.is_shown for count in block.counts])
    small = np.array([_is_small(count, protection) for count in block.counts]) & (ceilings > 0)
    hidden = small | ~is_shown
    if secondary and small.any():
        needed = np.where(small | is_shown, np.minimum(protection.width, ceilings), 0)
        hidden = _Search(block, hidden, needed, ceilings).run()
    return Choice(small, hidden & is_shown)


def _is_small(count: Count, protection: Protection) -> bool:
    return not count.known and protection.is_small(count.value)


def _ceilings(block: Block) -> Counts:
    """Return the most that each count can be for somebody who knows what is public anyway.

    That are the national totals, the known counts, and the difference of two known counts of a
    force where one is part of the other.
    """
    sums = [
        (frozenset(places), sum(block.counts[p].value for p in places)) for places in block.nation
    ]
    by_force = defaultdict(list)
    for place, count in enumerate(block.counts):
        if count.known:
            by_force[count.force_code].append((frozenset(count.parts or [place]), count.value))
    for known in by_force.values():
        sums += known
        sums += [(a - b, x - y) for a, x in known for b, y in known if b < a]
    most = [max(value for _, value in sums)] * len(block.counts)
    for places, value in sums:
        for place in places:
            most[place] = min(most[place], value)
    for place, count in enumerate(block.counts):
        if count.parts:
            within = (value for places, value in sums if places >= set(count.parts))
            most[place] = min(sum(most[part] for part in count.parts), *within, most[place])
    return np.array(most, dtype=np.int64)


class _Search:
    """Adds tables until every small count differs enough between them; what differs is hidden."""

    def __init__(self, block: Block, hidden: Mask, needed: Counts, ceilings: Counts) -> None:
        self._block = block
        self._tables = Alternatives(block)
        self._hidden, self._needed, self._ceilings = hidden.copy(), needed, ceilings
        self._low, self._high = self._tables.true.copy(), self._tables.true.copy()
        self._shared, _ = _shared(block)

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
        for move in (self._as_far_as_it_goes, self._by_changing_places):
            for place in np.flatnonzero(self._lack() > 0).tolist():
                if self._lack()[place] > 0:
                    move(place)
        return self._hidden

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
            self._low = np.minimum(self._low, table)
            self._high = np.maximum(self._high, table)
            self._hidden |= table != self._tables.true

    def _as_far_as_it_goes(self, place: int, ranges: Mapping[int, Bound] | None = None) -> None:
        """Move one count down and then up."""
        for value in (0, int(self._low[place] + self._needed[place])):
            if value != self._tables.true[place] and self._lack()[place] > 0:
                wanted = {place: value}
                self._take(self._tables.table(self._hidden, wanted, _REWARDS[-1], ranges))

    def _by_changing_places(self, place: int) -> None:
        """Move one count in tables where its force is in the range of another force.

        Where the nation is told that one force has 2, another may be that force.
        """
        for ranges in self._swaps(self._block.counts[place].force_code, self._needed[place]):
            self._as_far_as_it_goes(place, ranges)
            if self._lack()[place] <= 0:
                return

    def _swaps(self, force: str, needed: int) -> Iterator[dict[int, Bound]]:
        """Yield ranges in which a force changes places with another, where its own holds it."""
        ranges, counts = self._tables.ranges, self._block.counts
        for own, (low, high) in ranges.items():
            value = counts[own].value
            is_free = value - low >= needed and (high is None or high - value >= needed)
            if counts[own].force_code != force or counts[own].known or is_free:
                continue
            others = [
                other
                for other in ranges
                if counts[other].column == counts[own].column and ranges[other] != ranges[own]
            ]
            distance = {other: abs(counts[other].value - value) for other in others}
            nearest = sorted(others, key=lambda p: (not self._hidden[p], distance[p], p))
            for other in nearest[:_PARTNERS]:
                yield {own: ranges[other], other: ranges[own]}


def _shared(block: Block) -> tuple[list[set[str | int]], dict[str | int, int]]:
    """Return, by place, what a count shares with others, and how many cases each such thing has.

    That is its force (a code), and the national totals it is part of (numbers).
    """
    of: list[set[str | int]] = [{count.force_code} for count in block.counts]
    room: dict[str | int, int] = defaultdict(int)
    for number, places in enumerate(block.nation):
        for place in places:
            of[place].add(number)
            room[number] += block.counts[place].value
            room[block.counts[place].force_code] += block.counts[place].value
    for place, count in enumerate(block.counts):
        of[place].update(*(of[part] for part in count.parts))
    return of, room
