"""Conditions that share cells, as a program in whole numbers, and what cells would meet them."""

from collections.abc import Iterable, Iterator, Sequence, Set
from dataclasses import dataclass
from itertools import chain, combinations, islice, pairwise
from typing import Final

import numpy as np
from numpy.typing import NDArray

from schemas.template import Edit, Grid, Numbers, Place, Weights

SEVERAL: Final = 8
"""How many repairs of one cause are looked for."""

_MOST_CHANGED: Final = 5
"""How many numbers a repair may change; one that changes more names no cause."""

MOST_CELLS: Final = 8
"""How many cells a repair may have with those that have no number yet."""

FEWEST_SHIFTED: Final = 3
"""How many cells a shifted line must explain: fewer are as easily wrong one by one."""

_LARGEST: Final = 10**9
"""A number above it is none: sums of such could not be told from each other by the solver."""

_NODES: Final = 1000
"""How far the solver looks. A count, not a time: the same return always gets the same repairs."""

NONE: Final = -1
"""In place of a number where nobody can say which."""

Array = NDArray[np.int64]
Columns = NDArray[np.intp]
Floats = NDArray[np.float64]
Ways = list[tuple["Change", ...]]


@dataclass(frozen=True)
class Change:
    """A cell that says `found` (None: nothing, or no number), and what it may say instead.

    That is any whole number from `low` to `high`; without a limit where `high` is None.
    """

    place: Place
    found: int | None
    low: int
    high: int | None

    @property
    def needed(self) -> int | None:
        """The one number that meets all conditions; None where several do."""
        return self.low if self.low == self.high else None


@dataclass(frozen=True)
class Cause:
    """What would each mend the same conditions, which are not met or not to be told.

    `slips` is how many slips of the hand each is.
    """

    ways: Ways
    edits: frozenset[Edit]
    slips: int


def linked(edits: Iterable[Edit], numbers: Numbers) -> "Iterator[Linked]":
    """Yield the conditions that are not met, with all that share cells with them."""
    stated = [(edit, weights) for edit in edits if (weights := edit.weights(numbers))]
    groups: list[tuple[set[Place], list[tuple[Edit, Weights]]]] = []
    for each in stated:
        joined = [group for group in groups if group[0] & each[1].keys()]
        groups = [group for group in groups if group not in joined]
        places = set(each[1]).union(*(group[0] for group in joined))
        groups.append((places, [*(e for group in joined for e in group[1]), each]))
    for _, several in groups:
        found = Linked(several, numbers)
        if found.failing():
            yield found


@dataclass(frozen=True)
class Slip:
    """What `numbers` would stand in the cells of some conditions but for one slip, or two."""

    slips: int
    about: "Linked"
    numbers: Array


class Linked:
    """Conditions that share cells, as a program in whole numbers over the cells, its columns."""

    def __init__(self, stated: Sequence[tuple[Edit, Weights]], numbers: Numbers) -> None:
        self.stated, self._numbers = stated, numbers
        self.places = sorted({place for _, weights in stated for place in weights})
        self._at = {place: column for column, place in enumerate(self.places)}
        self._sums = np.zeros((len(stated), len(self.places)), dtype=np.int64)
        for row, (_, weights) in enumerate(stated):
            self._sums[row, [self._at[place] for place in weights]] = [*weights.values()]
        self._more = np.array([edit.more for edit, _ in stated], dtype=np.int64)
        self._equal = np.array([edit.equal for edit, _ in stated])
        says = [n if isinstance(n := numbers[p], int) else NONE for p in self.places]
        self._says = np.array([n if n <= _LARGEST else NONE for n in says], dtype=np.int64)
        self._known = self._says >= 0

    def failing(self, changed: Set[Place] = frozenset()) -> frozenset[Edit]:
        """Return the conditions that are not met, or about which nobody can say.

        With changed places, those that are about one of them.
        """
        wrong = (self.stated[row] for row in np.flatnonzero(self._fails()).tolist())
        return frozenset(e for e, weights in wrong if not changed or changed & weights.keys())

    def _fails(self) -> NDArray[np.bool_]:
        unsaid: NDArray[np.bool_] = (self._sums[:, ~self._known] != 0).any(axis=1)
        return unsaid | self._unmet(self._says)

    def causes(self) -> Iterator[Cause]:
        """Yield each cause with its smallest changes.

        Where case rows ask for more than anybody would have mistyped, they are left out.
        """
        smallest = self.smallest()
        first = next(smallest, None)
        if first is None:
            own = [edit for edit, _ in self.stated if edit.whole]
            if len(own) < len(self.stated):
                for each in linked(own, self._numbers):
                    yield from each.causes()
            return
        parts = self._parts(first)
        for part in parts:
            places = {self.places[column] for column in part}
            if len(part) > MOST_CELLS:
                continue
            mine = self._but(first, part) if len(parts) > 1 else self
            sets = mine.smallest() if len(parts) > 1 else chain([first], smallest)
            ways = [mine.way(each, mine._changed(each)) for each in islice(sets, SEVERAL)]
            if ways := [way for way in ways if way]:
                yield Cause(ways, mine.failing(places), len(ways[0]))

    def _but(self, numbers: Array, part: Sequence[int]) -> "Linked":
        """Return the same conditions, where all but some columns are mended already."""
        rest = {self.places[c]: int(numbers[c]) for c in self._changed(numbers) if c not in part}
        return Linked(self.stated, {**self._numbers, **rest})

    def _parts(self, numbers: Array) -> list[list[int]]:
        """Return changed columns by what they mend.

        Together go those that a condition links, and those that as few changes mend only together:
        1 too many in each of two rows and two columns stands in either pair of corners.
        """
        parts, fewest = self._apart(numbers), int(((numbers != self._says) & self._known).sum())
        for column in (c for part in parts for c in part if len(part) <= MOST_CELLS):
            for end in ((0, numbers[column] - 1), (numbers[column] + 1, np.inf)):
                if (other := self._solved(fewest, (), (column, *end))) is not None:
                    traded = [part for part in parts if (other != numbers)[part].any()]
                    at = parts.index(traded[0])
                    parts = [part for part in parts if part not in traded]
                    parts.insert(at, sorted(chain(*traded)))
        return parts

    def smallest(self) -> Iterator[Array]:
        """Yield the numbers that meet all conditions with the fewest changes, set by set."""
        fewest, found = _MOST_CHANGED, list[NDArray[np.bool_]]()
        while (numbers := self._solved(fewest, found)) is not None:
            changed = (numbers != self._says) & self._known
            yield numbers
            if not changed.any():
                return
            fewest = int(changed.sum())
            found.append(changed)

    def slips(self, grid: Grid) -> Iterator[Slip]:
        """Yield what would stand there but for a slip along a row or a column, or that and a cell.

        Some of the line were typed a place too far, or two neighbours in place of each other.
        """
        has, found = (self._sums != 0).astype(np.int64), dict[bytes, tuple[Array, bool]]()
        fails = self._fails()
        for line in (*grid, *zip(*grid, strict=True)) if fails.any() else ():
            lane = np.array([self._at[place] for place in line if place in self._at], dtype=np.intp)
            source = np.array([*_moved(lane, self._says)], dtype=np.intp)
            if not len(source):
                continue
            numbers = np.where(source == NONE, NONE, self._says[source])
            about = (numbers != self._says) @ has.T > 0
            rows = np.flatnonzero((about & fails).any(axis=1))
            if not len(rows):
                continue
            said = (numbers == NONE) @ has.T == 0
            wrong = (about & said & self._unmet(numbers)).astype(np.int64)
            # A cell that all which fails then has in it may be wrong as well.
            other = wrong @ has == wrong.sum(axis=1, keepdims=True)
            for row in rows:
                moved = bool((source[row] == NONE).any())
                if not wrong[row].any():
                    found[numbers[row].tobytes()] = numbers[row], moved
                for column in np.flatnonzero(other[row] & wrong[row].any()):
                    both = numbers[row].copy()
                    both[column] = NONE
                    found.setdefault(both.tobytes(), (both, moved))
        for numbers, moved in found.values():
            about, told = (self._sums[:, numbers != self._says] != 0).any(axis=1), -1
            while told != (told := about.sum()):  # what is free may stand in others too
                free = (self._sums[about] != 0).any(axis=0) & (numbers == NONE)
                about |= (self._sums[:, free] != 0).any(axis=1)
            mine = Linked(
                [self.stated[row] for row in np.flatnonzero(about).tolist()], self._numbers
            )
            here = numbers[[self._at[place] for place in mine.places]]
            # Where some were moved, one was typed over.
            slips = 1 + int((here == NONE).sum()) - moved
            if slips <= MOST_CELLS:
                yield Slip(slips, mine, here)

    def _difference(self, numbers: Array) -> Array:
        """Return by how much each condition is missed; what is not known counts as nothing."""
        return np.where(numbers == NONE, 0, numbers) @ self._sums.T - self._more

    def _unmet(self, numbers: Array) -> NDArray[np.bool_]:
        off = self._difference(numbers)
        return np.where(self._equal, off != 0, off > 0)

    def _changed(self, numbers: Array) -> Columns:
        """Return the columns at which numbers are not what stands there, or nothing stands."""
        return np.flatnonzero((numbers != self._says) | ~self._known)

    def _apart(self, numbers: Array) -> list[list[int]]:
        """Return changed columns by what they mend: those that a condition links go together."""
        groups: list[list[int]] = []
        for column in self._changed(numbers).tolist():
            near = (self._sums[self._sums[:, column] != 0] != 0).any(axis=0)
            joined = [group for group in groups if near[group].any()]
            groups = [group for group in groups if group not in joined]
            groups.append([*(c for group in joined for c in group), column])
        return groups

    def way(self, numbers: Array, free: Columns | None = None) -> tuple[Change, ...]:
        """Return the changes to numbers; `free`, else NONE, may be any that meet all conditions.

        None at all where no number would do there.
        """
        free = np.flatnonzero(numbers == NONE) if free is None else free
        ends: dict[int, tuple[int, int | None]] = {}
        for column in self._changed(numbers).tolist():
            ends[column] = int(numbers[column]), int(numbers[column])
        rest = numbers.copy()
        rest[free] = 0
        for at, column in enumerate(free.tolist()):
            within = self._within(at, free, rest)
            if within is None:
                return ()
            ends[column] = within
        changes = []
        for column, (low, high) in sorted(ends.items()):
            said = self._numbers[self.places[column]]
            found = said if isinstance(said, int) else None
            if not low == high == found:
                changes.append(Change(self.places[column], found, low, high))
        return tuple(changes)

    def _within(self, at: int, free: Columns, given: Array) -> tuple[int, int | None] | None:
        """Return from what to what one of several free numbers may be, None for none."""
        bounds, cost = (np.zeros(len(free)), np.full(len(free), np.inf)), np.zeros(len(free))
        cost[at] = 1.0
        least, most = (self._program(each, bounds, free, given) for each in (cost, -cost))
        if least is None:
            return None
        return int(least[at]), None if most is None else int(most[at])

    def _solved(
        self,
        fewest: int,
        besides: Sequence[NDArray[np.bool_]],
        within: tuple[int, float, float] | None = None,
    ) -> Array | None:
        """Return numbers that meet all conditions with at most so many changes; None for none.

        No set of cells may be changed that has one of those `besides` in it, and the number of one
        column is `within` two. Behind the columns of the changes are those of whether there is one.
        """
        known, count = self._known, len(self.places)
        says, unmet = np.where(known, self._says, 0), self._unmet(self._says)
        # No change is larger than what is missing, counted twice: the solver is exact where
        # what it is told of is as small as that.
        reach = 2 * float(np.abs(self._difference(self._says))[unmet].sum())
        told = self._sums[unmet & (self._sums[:, ~known] == 0).all(axis=1)] != 0
        each = np.eye(count)[known]
        changes = np.array([known, *besides, *-told.astype(float)], dtype=float)
        limits = np.vstack(
            [
                # A known cell stays unless it is changed, and where a sum does not hold one is.
                np.hstack([each, -each * reach]),
                np.hstack([-each, -each * says]),
                np.hstack([np.zeros_like(changes), changes]),
            ]
        )
        at_most = [0.0] * 2 * len(each) + [fewest, *(b.sum() - 1.0 for b in besides)]
        most = np.concatenate([np.where(known, reach, says.sum() + reach), known])
        least = np.concatenate([-says, np.zeros(count)])
        if within:
            column, low, high = within
            least[column] = max(least[column], low - says[column])
            most[column] = min(most[column], high - says[column])
            if least[column] > most[column]:
                return None
        change = self._program(
            np.repeat([0.0, 1.0], count),
            (least, most),
            np.arange(count),
            says,
            (limits, at_most + [-1.0] * len(told)),
        )
        if change is None:
            return None
        numbers = says + change[:count]
        few = ((numbers != says) & known).sum() <= fewest
        return numbers if few and not self._unmet(numbers).any() else None

    def _program(
        self,
        cost: Floats,
        bounds: tuple[Floats, Floats],
        free: Columns,
        given: Array,
        besides: tuple[Floats, Sequence[float]] | None = None,
    ) -> Array | None:
        """Return the cheapest whole numbers that, added to those `given`, meet all conditions.

        None where there are none, or the cheapest has no end. The first of them are those of the
        columns `free`; `besides` says how often each counts, and what they are at most.
        """
        from scipy.optimize import Bounds, LinearConstraint, milp

        sums = np.zeros((len(self.stated), len(cost)))
        sums[:, : len(free)] = self._sums[:, free]
        off = -self._difference(given).astype(float)
        limits = [LinearConstraint(sums, np.where(self._equal, off, -np.inf), off)]
        if besides:
            limits.append(LinearConstraint(besides[0], -np.inf, besides[1]))
        found = milp(
            cost,
            integrality=np.ones(len(cost), dtype=int),
            bounds=Bounds(*bounds),
            constraints=limits,
            options={"node_limit": _NODES},
        )
        return np.rint(found.x).astype(np.int64) if found.success else None


def _moved(lane: Columns, says: Array) -> Iterator[Columns]:
    """Yield where the number of each column stands if a lane was typed with one slip.

    NONE stands where nobody can say, because the number was typed over.
    """
    for first, last in combinations(range(len(lane)), 2):
        near, far = lane[first:last], lane[first + 1 : last + 1]
        for to, of in ((near, far), (far, near)):
            begun = says[to[0] if to is near else to[-1]], says[of[0] if to is near else of[-1]]
            if last - first + 1 >= FEWEST_SHIFTED and begun[0] in {NONE, 0, begun[1]}:
                source = np.arange(len(says))
                source[lane[[first, last]]] = NONE
                source[to] = of
                yield source
    for pair in pairwise(lane):
        if NONE not in says[[*pair]]:
            source = np.arange(len(says))
            source[[*pair]] = pair[::-1]
            yield source
