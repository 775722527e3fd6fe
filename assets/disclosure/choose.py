"""Chooses what to hide: the small counts, and as little else as keeps them uncertain.

It looks for other tables that show the public the same; what differs in one has to be hidden. First
many counts are moved at once, as far as what is hidden already allows; then few, at little loss.
The proof is the audit's (audit.py), from what is published alone.
"""

import os
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from itertools import repeat
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from assets.disclosure.alternatives import NEITHER, OTHER, Alternatives, Counts, most_of
from assets.disclosure.counts import Block, Passed
from assets.disclosure.solver import Condition, Floats, Mask, spread
from schemas.disclosure import Protection

_GROUP: Final = 44
"""How many forces are looked at together, about: their sums stay what they are."""

_HIDDEN_COST: Final = 0.01
"""Of a step of a count that is hidden anyway: little, so that no count moves for nothing."""

_APART: Final = 0.02
"""By what share costs differ from count to count at most: then one table alone is the cheapest."""

_SUM_WEIGHT: Final = 2.0
"""A sum is worth more to a reader than an entry of the same size."""

_REWARDS: Final = (30.0, 1000.0)
"""What a step towards a wanted value may cost: first nearly nothing, at last whatever it takes."""

_FORCES: Final = 16
"""A count of so many forces is moved together with one more of the same national total."""

_OF: Final = {str: 2, int: 1}
"""How many counts of a force are moved together to one of a national total."""

_IDLE: Final = 2
"""How many tables in a row may prove next to nothing."""

_NEXT_TO_NOTHING: Final = 0.03

_Found = tuple[Mask, Counts, Counts, list[dict[int, int]]]


class Choice(NamedTuple):
    """The places of the counts that are small, and of those that are hidden (the small ones are).

    `tables` are those that everybody must take for possible: place, and what each has there.
    """

    small: list[int]
    hidden: list[int]
    tables: list[list[tuple[int, int]]]


def choose(block: Block, protection: Protection, wholly: Collection[str] = frozenset()) -> Choice:
    """Return which counts of a block to hide.

    Of the forces in `wholly` every count that is not 0 is hidden.
    """
    ceilings, counts = most_of(block), block.counts
    true = np.array([count.value for count in counts], dtype=np.int64)
    is_shown = np.array([count.is_shown for count in counts])
    was_hidden = np.array([count.was_hidden and not count.known for count in counts])
    can_be = np.array([not count.known for count in counts]) & (ceilings > 0)
    small = can_be & np.array([protection.is_small(count.value) for count in counts])
    all_of = can_be & np.array([count.force_code in wholly for count in counts]) & (true > 0)
    hidden = small | was_hidden | ~is_shown | all_of
    judged = small | is_shown | was_hidden
    needed = np.where(judged, np.minimum(protection.width, ceilings), 0)
    seen, tables = (true, true.copy()), []

    def searched(places: NDArray[np.intp], in_every_way: bool) -> _Found:
        own = (of[places] for of in (needed, ceilings, *seen))
        return _Search(_part(block, places), hidden[places], *own).found(in_every_way)

    passes = _passes(block) if hidden.any() else []
    for number, groups in enumerate(passes, 1):
        with ThreadPoolExecutor(os.cpu_count()) as pool:
            found = list(pool.map(searched, groups, repeat(number == len(passes))))
        for places, (own_hidden, low, high, own_tables) in zip(groups, found, strict=True):
            hidden[places], seen[0][places], seen[1][places] = own_hidden, low, high
            for table in own_tables:
                tables.append([(int(places[at]), value) for at, value in table.items()])
    own, gone = (np.flatnonzero(of & is_shown).tolist() for of in (small, hidden))
    return Choice(own, gone, tables)


def _passes(block: Block) -> list[list[NDArray[np.intp]]]:
    """Return the places of groups of forces; of many forces, each is in two groups in turn."""
    forces = sorted({count.force_code for count in block.counts})
    groups = max(1, round(len(forces) / _GROUP))
    number = {force: at for at, force in enumerate(forces)}
    of = np.array([number[count.force_code] for count in block.counts])
    splits = (of % groups, of * groups // len(forces))[: min(groups, 2)]
    return [[np.flatnonzero(split == each) for each in range(groups)] for split in splits]


def _part(block: Block, places: NDArray[np.intp]) -> Block:
    """Return the counts of some forces, whose sums stay what they are whatever others have."""
    at = {place: number for number, place in enumerate(places.tolist())}
    if len(at) == len(block.counts):
        return block
    counts = [block.counts[place] for place in at]
    forces = {count.force_code for count in counts}
    nation = ([at[place] for place in total if place in at] for total in block.nation)
    return Block(
        block.subject,
        [count._replace(parts=tuple(at[part] for part in count.parts)) for count in counts],
        [places for places in nation if places],
        [
            Passed(told.rule, told.force_code, _moved(told.one, at), _moved(told.other, at))
            for told in block.told
            if told.force_code in forces
        ],
        {force: rules for force, rules in block.broken.items() if force in forces},
        {at[place]: bands for place, bands in block.ranges.items() if place in at},
    )


def _moved(conditions: Iterable[Condition], at: Mapping[int, int]) -> list[Condition]:
    return [each._replace(terms={at[p]: w for p, w in each.terms.items()}) for each in conditions]


class _Search:
    """Adds tables until every hidden count differs enough between them; what differs is hidden."""

    def __init__(
        self,
        block: Block,
        hidden: Mask,
        needed: Counts,
        ceilings: Counts,
        low: Counts,
        high: Counts,
    ) -> None:
        self._block, self._own = block, len(block.counts)
        self._tables = Alternatives(block, ceilings)
        self._true = self._tables.true
        rules = len(self._true) - self._own
        self._hidden = np.append(hidden, np.ones(rules, dtype=bool))
        self._needed = np.append(needed, np.zeros(rules, dtype=np.int64))
        self._ceilings = np.append(ceilings, self._true[self._own :])
        self._low, self._high = (np.append(end, self._true[self._own :]) for end in (low, high))
        is_sum = np.array([bool(count.parts) for count in block.counts] + [True] * rules)
        self._loss: Floats = (1 + np.log2(1 + self._true)) * np.where(is_sum, _SUM_WEIGHT, 1.0)
        self._places = np.arange(len(self._true), dtype=float)
        self._apart = 1 + _APART * spread(self._places, 0)
        self._shared = _shared(block)
        self._forces = np.array([count.force_code for count in block.counts])
        self._only: str | None = None
        self._turn = 0
        self._found: list[dict[int, int]] = []

    def found(self, in_every_way: bool) -> _Found:
        """Add tables; at last, for what differs too little still, those that are less usual.

        Return which counts are hidden in the end, the least and the most that each is in a table,
        and the tables.
        """
        self._at_no_loss()
        forces = len(set(self._forces))
        for reward, at_once in zip(_REWARDS, (1 + forces // _FORCES, 1), strict=True):
            self._at_little(reward, at_once)
            self._at_no_loss()
        for force in np.unique(self._forces[self._lacking()]) if in_every_way else ():
            self._in_another_way(str(force))
        own = slice(self._own)
        return self._hidden[own], self._low[own], self._high[own], self._found

    def _lack(self) -> Counts:
        """By how much each count that is hidden differs too little so far."""
        return np.where(self._hidden, np.maximum(self._needed - (self._high - self._low), 0), 0)

    def _lacking(self) -> list[int]:
        places: list[int] = np.flatnonzero(self._lack()).tolist()
        return places

    def _take(self, table: Counts | None) -> None:
        if table is None:
            return
        differs = table != self._true
        own = np.flatnonzero(differs[: self._own]).tolist()
        self._found.append({place: int(table[place]) for place in own})
        seen = slice(None) if self._only is None else np.flatnonzero(self._forces == self._only)
        self._low[seen] = np.minimum(self._low, table)[seen]
        self._high[seen] = np.maximum(self._high, table)[seen]
        self._hidden |= differs

    def _at_no_loss(self) -> None:
        """Move all counts that differ too little, some up and some down: hidden ones alone."""
        idle = 0
        while idle < _IDLE and (lack := self._lack()).any():
            self._turn += 1
            shares = spread(self._places, self._turn)
            ups = (self._low <= 0) | (self._high < self._ceilings) & (shares < 0.5)
            reward = np.where(lack > 0, -1 - shares / 10, 0)
            cost = _HIDDEN_COST * self._apart
            up = np.where(ups & (lack > 0), reward, cost)
            down = np.where(~ups & (lack > 0), reward, cost)
            ends = np.where(self._hidden, np.inf, 0)
            self._take(self._tables.find(up, down, -ends, ends))
            gained = lack.sum() - self._lack().sum()
            idle = 0 if gained > _NEXT_TO_NOTHING * lack.sum() else idle + 1

    def _at_little(self, reward: float, at_once: int, among: Collection[int] | None = None) -> None:
        """Move counts that differ too little, a few at once, as long as that proves something."""
        tried: set[tuple[int, bool]] = set()
        while wanted := dict(self._batch(tried, at_once, among)):
            cost: Floats = np.where(self._hidden, _HIDDEN_COST, self._loss) * self._apart
            up, down = cost, cost.copy()
            low, high = np.full(len(cost), -np.inf), np.full(len(cost), np.inf)
            for place, value in wanted.items():
                step = value - self._true[place]
                (up if step > 0 else down)[place] = -reward
                low[place], high[place] = min(step, 0), max(step, 0)
            before = self._lack()
            self._take(self._tables.find(up, down, low, high))
            if (self._lack()[list(wanted)] == before[list(wanted)]).all():
                tried.update((p, value > self._true[p]) for p, value in wanted.items())

    def _batch(
        self,
        tried: Collection[tuple[int, bool]],
        at_once: int,
        among: Collection[int] | None,
    ) -> Iterator[tuple[int, int]]:
        """Yield counts, and values to bring them to, that do not stand in each other's way."""
        lack, taken = self._lack(), Counter[str | int]()
        waiting = [place for place in self._lacking() if among is None or place in among]
        for place in sorted(waiting, key=lambda p: (-lack[p], p)):
            true = self._true[place]
            aims = [
                to for to in self._aims(place) if to != true and (place, to > true) not in tried
            ]
            if aims and all(taken[it] < at_once * _OF[type(it)] for it in self._shared[place]):
                taken.update(self._shared[place])
                yield place, aims[0]

    def _aims(self, place: int) -> tuple[int, int]:
        """Return values to bring a count to: down first, since that lets others go up."""
        down = int(max(0, self._high[place] - self._needed[place]))
        up = int(min(self._low[place] + self._needed[place], self._ceilings[place]))
        untouched = self._low[place] == self._true[place] > 0
        return (down, up) if untouched or up <= self._high[place] else (up, down)

    def _in_another_way(self, force: str) -> None:
        """Move the counts of a force in tables where rules hold in other ways.

        A small share of many cases may be any share of few. And of a return that was accepted with
        an answer to a rule that it breaks, that rule tells nothing, though of others it does:
        nobody outside knows which return that is.
        """
        told = list(enumerate(self._block.told))
        for number, item in told:
            if item.other and item.force_code == force:
                self._tried_so(force, {number: OTHER}, _places(item))
        if broken := self._block.broken.get(force):
            self._only = force
            self._tried_so(force, {n: NEITHER for n, item in told if item.rule in broken}, None)
            self._only = None

    def _tried_so(
        self, force: str, holds: Mapping[int, int | None], places: set[int] | None
    ) -> None:
        """Move the counts of a force that differ too little, those of some places, in one way."""
        lacking = [place for place in self._lacking() if self._forces[place] == force]
        if places is not None:
            parts = ((place, self._block.counts[place].parts or [place]) for place in lacking)
            lacking = [place for place, of in parts if not places.isdisjoint(of)]
        if lacking:
            with self._tables.otherwise(holds):
                self._at_little(_REWARDS[-1], 1, lacking)


def _places(told: Passed) -> set[int]:
    return {place for side in (told.one, told.other) for each in side for place in each.terms}


def _shared(block: Block) -> list[set[str | int]]:
    """Return, by place, its force (a code) and the national totals it is part of (numbers)."""
    of: list[set[str | int]] = [{count.force_code} for count in block.counts]
    for number, places in enumerate(block.nation):
        for place in places:
            of[place].add(number)
    for place, count in enumerate(block.counts):
        of[place].update(*(of[part] for part in count.parts))
    return of
