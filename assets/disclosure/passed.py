"""What it tells that a return has passed a rule: ranges in which weighted sums of its cells lie.

The kinds of rules by which a template compares counts. Others tell too little of a small count, or
nothing (docs/disclosure.md says why). Where the cells stand, the choice of what to hide and the
audit find out each by itself.
"""

import math
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from itertools import groupby
from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from assets.disclosure.known import Condition, Total, Ways
from schemas.rules.catalogue import RuleUse
from schemas.template import Place

Named = Callable[[str], Sequence[str]]
"""The cells of a template that are written so (`sheet/row/column`, where * is any code)."""

Leaves = Callable[[str], Sequence[Place]]
"""The cells that count something, of which a cell is the sum; itself where it is none."""

Cells = tuple[str, ...]
Limits = Mapping[str, Any]
Answers = Collection[tuple[str, str, str]]
Mask = NDArray[np.bool_]
_NO_END: Final = math.inf
_KNOWN: Final = -1
"""In place of the number of an unknown, where there is none."""


class Range(NamedTuple):
    """The ends between which sums of cells lie, each sum taken so many times."""

    parts: tuple[tuple[float, Cells], ...]
    low: float
    high: float


class Told(NamedTuple):
    """What a rule tells: one of these lists of ranges holds.

    Of cells that all have a number but those that are `lacking`; where a question, if one is given,
    has this answer.
    """

    ways: tuple[tuple[Range, ...], ...]
    lacking: Cells = ()
    where: tuple[tuple[str, str], ...] = ()


def told(
    uses: Iterable[RuleUse], rule: str, limits: Limits, named: Named, leaves: Leaves
) -> list[Told]:
    """Return what a rule of a template tells of the returns that have passed it.

    `limits` are those of the collection (published.py); of a rate also the months.
    """
    found: list[Told] = []
    for use in uses:
        if use.id == rule and use.use in TELLING:
            found += TELLING[use.use](use, limits, named, leaves)
    return found


class Held:
    """The counts that forces have at cells: unknowns, or what is known; a row a force."""

    def __init__(self, counts: Mapping[str, Mapping[Any, Total]]) -> None:
        """Take by force and cell a total of one count."""
        self.rows = {force: row for row, force in enumerate(counts)}
        self._columns: dict[Any, int] = {}
        found = [
            (row, self._columns.setdefault(cell, len(self._columns)), number, total.shown)
            for row, of in enumerate(counts.values())
            for cell, total in of.items()
            for number in total.unknowns or (_KNOWN,)
        ]
        rows, columns, numbers, shown = np.array(found, dtype=int).reshape(-1, 4).T
        shape = len(self.rows), len(self._columns)
        self.has, self.shown = np.zeros(shape, dtype=bool), np.zeros(shape, dtype=int)
        self.number = np.full(shape, _KNOWN)
        self.has[rows, columns] = True
        self.shown[rows, columns], self.number[rows, columns] = shown, numbers

    def is_unknown(self, item: Told, leaves: Leaves) -> bool:
        """Return whether any force has an unknown among the cells that something is told of."""
        cells = {cell for way in item.ways for part in way for _, of in part.parts for cell in of}
        columns = self.at(place for cell in cells for place in leaves(cell))
        return bool((self.number[:, columns] != _KNOWN).any())

    def at(self, cells: Iterable[Any]) -> list[int]:
        """Return the columns of those cells that any force has."""
        return [self._columns[cell] for cell in cells if cell in self._columns]


class _Laid:
    """A range laid over every force: who has its numbers, and what is unknown of them."""

    def __init__(self, part: Range, lacking: Cells, held: Held, leaves: Leaves) -> None:
        weights, shown = np.zeros(held.has.shape[1]), np.zeros(len(held.rows))
        order: dict[int, None] = {}
        self.usable = np.ones(len(held.rows), dtype=bool)
        for weight, cells in part.parts:
            at = [held.at(leaves(cell)) for cell in cells]
            has = [held.has[:, own].any(axis=1) for own in at]
            for cell, each in zip(cells, has, strict=True):
                self.usable &= each | (cell in lacking)
            self.usable &= np.any(has, axis=0)
            columns = sorted(column for own in at for column in own)
            order |= dict.fromkeys(columns)
            np.add.at(weights, columns, weight)
            shown = shown + weight * held.shown[:, columns].sum(axis=1)
        there = np.array([column for column in order if weights[column]], dtype=int)
        self._weights, self._numbers = weights[there], held.number[:, there]
        self._low, self._high = part.low - shown, part.high - shown
        self.unknown = (self._numbers != _KNOWN).any(axis=1)

    def condition(self, row: int) -> Condition:
        """Return the condition of the unknowns of a force."""
        here = self._numbers[row] != _KNOWN
        weights, low, high = self._weights[here], float(self._low[row]), float(self._high[row])
        if len(weights) and (weights < 0).all():
            weights, low, high = -weights, -high, -low
        numbers = self._numbers[row][here].tolist()
        return Condition(dict(zip(numbers, weights.tolist(), strict=True)), low, high)


def ways_of(
    items: Iterable[Told], forces: Sequence[str], held: Held, leaves: Leaves, answers: Answers
) -> Iterator[tuple[str, list[Ways]]]:
    """Yield by force what is told as conditions of unknowns, of the cells that have numbers.

    What holds where one and the same thing does not is together one: of what has numbers alone,
    since a return with one of two parts has passed what is told of that.

    Args:
        items: what is told.
        forces: of whom.
        held: the numbers of their cells, known or not.
        leaves: finds the cells that a cell adds up.
        answers: force, question and answer, of all that was answered.
    """
    items = [item for item in items if held.is_unknown(item, leaves)]
    groups = [
        [(each, *_laid(each, held, leaves, answers)) for each in same]
        for _, same in groupby(items, lambda item: item.ways[0] if len(item.ways) > 1 else item)
    ]
    unknown = [np.any([of & some for _, of, some, _ in group], axis=0) for group in groups]
    for force in forces:
        row = held.rows.get(force, _KNOWN)
        found = []
        for group, here in zip(groups, unknown, strict=True):
            if row == _KNOWN or not here[row]:
                continue
            usable = [laid for _, of, _, laid in group if of[row]]
            told = [[[part.condition(row) for part in way] for way in laid] for laid in usable]
            one, *others = zip(*told, strict=True)
            found.append([one[0], *([each for way in other for each in way] for other in others)])
        yield force, found


def _laid(
    item: Told, held: Held, leaves: Leaves, answers: Answers
) -> tuple[Mask, Mask, list[list[_Laid]]]:
    """Return who has the numbers of what is told, of whom any is unknown, and the ranges."""
    laid = [[_Laid(part, item.lacking, held, leaves) for part in way] for way in item.ways]
    parts = [part for way in laid for part in way]
    asked = [
        all((force, at.split("/")[1], so) in answers for at, so in item.where)
        for force in held.rows
    ]
    usable: Mask = np.all([np.array(asked), *(part.usable for part in parts)], axis=0)
    return usable, np.any([part.unknown for part in parts], axis=0), laid


def cells_of(use: RuleUse, named: Named) -> list[str]:
    """Return every cell that a rule reads as a count."""
    return [cell for key in (use.at, use.parts, use.whole, use.other) for cell in _all(key, named)]


def _all(written: Iterable[str], named: Named) -> Cells:
    return tuple(cell for text in written for cell in named(text))


def _pairs(use: RuleUse, named: Named) -> Iterator[tuple[Cells, Cells, str]]:
    """Yield each cell, the one that it is compared with, and how that is written."""
    for at, other in zip(use.at, use.other, strict=True):
        for cell in named(at):
            parts = zip(cell.split("/"), other.split("/"), strict=True)
            like = "/".join(code if text == "*" else text for code, text in parts)
            yield (cell,), (like,), other


def _needs(use: RuleUse, _: Limits, named: Named, leaves: Leaves) -> Iterator[Told]:
    """Something only where there is something else; of a sum, unless it follows from its parts."""
    pairs = [(at, other, set(leaves(other))) for (at,), (other,), _ in _pairs(use, named)]
    for at, other, those in pairs:
        parts = ["/".join(place) for place in leaves(at)]
        follows = all(any(p == part and some <= those for p, _, some in pairs) for part in parts)
        if parts == [at] or not follows:
            none = Range(((1, (at,)),), -_NO_END, 0)
            yield Told(((none,), (Range(((1, (other,)),), 1, _NO_END),)))


def _between(use: RuleUse, limits: Limits, named: Named, _: Leaves) -> Iterator[Told]:
    for at in _all(use.at, named):
        yield Told(((Range(((1, (at,)),), int(limits["lowest"]), int(limits["highest"])),),))


def _at_most(use: RuleUse, _: Limits, named: Named, __: Leaves) -> Iterator[Told]:
    parts, whole = _all(use.parts, named), _all(use.whole, named)
    more = Range(((1, whole), (-1, parts)), 0, _NO_END)
    yield Told(((more,),), parts if use.unheld else ())


def _share(use: RuleUse, limits: Limits, named: Named, leaves: Leaves) -> Iterator[Told]:
    part, whole = _part(use, named)
    low, high = limits.get("lowest"), limits.get("highest")
    held = [Range(((1, part), (-low, whole)), 0, _NO_END)] if low is not None else []
    held += [Range(((1, part), (-high, whole)), -_NO_END, 0)] if high is not None else []
    yield from _of_enough(use, limits, whole, held, within=_is_within(part, whole, leaves))


def _some(use: RuleUse, limits: Limits, named: Named, _: Leaves) -> Iterator[Told]:
    part, whole = _part(use, named)
    yield from _of_enough(use, limits, whole, [Range(((1, part),), 1, _NO_END)])


def _not_all(use: RuleUse, limits: Limits, named: Named, leaves: Leaves) -> Iterator[Told]:
    part, whole = _part(use, named)
    if _is_within(part, whole, leaves):
        fewer = Range(((1, whole), (-1, part)), 1, _NO_END)
        yield from _of_enough(use, limits, whole, [fewer])


def _part(use: RuleUse, named: Named) -> tuple[Cells, Cells]:
    return _all(use.parts or use.at, named), _all(use.whole, named)


def _is_within(part: Cells, whole: Cells, leaves: Leaves) -> bool:
    ours, all_of = ({place for cell in cells for place in leaves(cell)} for cells in (part, whole))
    return ours <= all_of


def _of_enough(
    use: RuleUse, limits: Limits, whole: Cells, held: Sequence[Range], *, within: bool = False
) -> Iterator[Told]:
    """Yield what holds where the whole is enough to judge by; of a share of nothing too."""
    few = Range(((1, whole),), -_NO_END, math.ceil(limits[use.fewest]) - 1 if use.fewest else 0)
    yield Told((tuple(held),) if within and not use.fewest else ((few,), tuple(held)))


def _change(use: RuleUse, limits: Limits, named: Named, _: Leaves) -> Iterator[Told]:
    share = limits["share"]
    for at, other, _written in _pairs(use, named):
        low = Range(((1, at), (share - 1, other)), 0, _NO_END)
        yield Told(((low, Range(((1, at), (-share - 1, other)), -_NO_END, 0)),))


def _rate(use: RuleUse, limits: Limits, named: Named, _: Leaves) -> Iterator[Told]:
    """A rate is in line with that of the period before, or hardly differs."""
    months = limits["months"]
    for at, other, written in _pairs(use, named):
        before = limits["months_before"]
        before = before[written] if isinstance(before, Mapping) else before
        if before:
            most = math.ceil(limits["difference"] * before) - 1
            usual = (
                Range(((before, at), (-limits["lowest"] * months, other)), 0, _NO_END),
                Range(((before, at), (-limits["highest"] * months, other)), -_NO_END, 0),
            )
            yield Told((usual, (Range(((before, at), (-months, other)), -most, most),)))


def _some_after(use: RuleUse, limits: Limits, named: Named, _: Leaves) -> Iterator[Told]:
    few = math.ceil(limits["comparator"]) - 1
    for at, other, _written in _pairs(use, named):
        some = Range(((1, at),), 1, _NO_END)
        yield Told(((Range(((1, other),), -_NO_END, few),), (some,)))


def _none_where(use: RuleUse, _: Limits, named: Named, __: Leaves) -> Iterator[Told]:
    for at in _all(use.at, named):
        yield Told(((Range(((1, (at,)),), 0, 0),),), where=tuple(use.where.items()))


TELLING: Final[dict[str, Callable[[RuleUse, Limits, Named, Leaves], Iterator[Told]]]] = {
    "rate": _rate,
    "some_after": _some_after,
    "between": _between,
    "at_most": _at_most,
    "share": _share,
    "some": _some,
    "not_all": _not_all,
    "change": _change,
    "none_where": _none_where,
    "needs": _needs,
}
"""What each kind of rule tells (assets/returns/validation/rules/kinds.py has what it tests)."""
