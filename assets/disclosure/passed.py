"""What it tells that a return has passed a rule: ranges in which weighted sums of its cells lie.

The kinds of rules by which a template compares counts. Others tell too little of a small count, or
nothing (docs/disclosure.md says why). Where the cells stand, the choice of what to hide and the
audit find out each by itself.
"""

import math
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence, Set
from itertools import groupby
from typing import Any, Final, NamedTuple

from assets.disclosure.solver import Condition, Total
from schemas.rules.catalogue import RuleUse
from schemas.template import Place


class Cells(NamedTuple):
    """The cells of a template as rules write them, `sheet/row/column`, where * is any code.

    `leaves` are the cells that count something, of which a cell is the sum; itself for none.
    """

    named: Callable[[str], Sequence[str]]
    leaves: Callable[[str], Sequence[Place]]


Codes = tuple[str, ...]
Limits = Mapping[str, Any]
_NO_END: Final = math.inf

Ways = list[list[Condition]]
"""Conditions of which those of one list hold, all of them."""

Held = Mapping[str, Mapping[Any, Total]]
"""By force and cell a total of one count: an unknown, or what is known."""


def uncertain(ways: Ways) -> Ways:
    """Return the ways without what holds for certain, and without those that cannot be.

    None where something holds for certain, or nothing can.
    """
    possible = [[each for each in way if each.terms] for way in ways if is_possible(way)]
    return possible if all(possible) else []


def is_possible(way: list[Condition]) -> bool:
    """Return whether no condition is broken whatever the unknowns are."""
    return all(condition.terms or condition.holds(float) for condition in way)


class Range(NamedTuple):
    """The ends between which sums of cells lie, each sum taken so many times."""

    parts: tuple[tuple[float, Codes], ...]
    low: float
    high: float


class Told(NamedTuple):
    """What a rule tells: one of these lists of ranges holds.

    Of cells that all have a number but those that are `lacking`; where a question, if one is given,
    has this answer.
    """

    ways: tuple[tuple[Range, ...], ...]
    lacking: Codes = ()
    where: tuple[tuple[str, str], ...] = ()


def told(uses: Iterable[RuleUse], rule: str, limits: Limits, cells: Cells) -> list[Told]:
    """Return what a rule of a template tells of the returns that have passed it.

    `limits` are those of the collection (published.py); of a rate also the months.
    """
    own = (use for use in uses if use.id == rule and use.use in TELLING)
    return [each for use in own for each in TELLING[use.use](use, limits, cells)]


def ways_of(
    items: Iterable[Told],
    forces: Sequence[str],
    held: Held,
    unknown: Set[Place],
    cells: Cells,
    answers: Collection[tuple[str, str, str]],
) -> Iterator[tuple[str, list[Ways]]]:
    """Yield by force what is told as conditions of unknowns, of the cells that have numbers.

    What holds where one and the same thing does not is together one: of what has numbers alone,
    since a return with one of two parts has passed what is told of that. `unknown` are the cells of
    which some number is not known; `answers` force, question and answer of all that was answered.
    """
    read = [
        item
        for item in items
        if not unknown.isdisjoint(
            place
            for way in item.ways
            for part in way
            for _, codes in part.parts
            for cell in codes
            for place in cells.leaves(cell)
        )
    ]
    groups = [
        list(same)
        for _, same in groupby(read, lambda item: item.ways[0] if len(item.ways) > 1 else item)
    ]
    for force in forces:
        found: list[Ways] = []
        for group in groups if force in held else ():
            laid = [
                ways
                for item in group
                if all((force, at.split("/")[1], so) in answers for at, so in item.where)
                if (ways := _laid(item, held[force], cells)) is not None
            ]
            if any(each.terms for ways in laid for way in ways for each in way):
                one, *others = zip(*laid, strict=True)
                found.append(
                    [one[0], *([each for way in other for each in way] for other in others)]
                )
        yield force, found


def _laid(item: Told, has: Mapping[Any, Total], cells: Cells) -> Ways | None:
    """Return what is told of a force as conditions; None where it lacks a number."""
    ways: Ways = []
    for way in item.ways:
        ways.append([])
        for part in way:
            totals = []
            for weight, codes in part.parts:
                own = [[has[leaf] for leaf in cells.leaves(cell) if leaf in has] for cell in codes]
                lacks = any(
                    not of and cell not in item.lacking for cell, of in zip(codes, own, strict=True)
                )
                if lacks or not any(own):
                    return None
                totals += [(weight, total) for of in own for total in of]
            ways[-1].append(Condition.of(totals, part.low, part.high))
    return ways


def cells_of(use: RuleUse, cells: Cells) -> list[str]:
    """Return every cell that a rule reads as a count."""
    return [cell for key in (use.at, use.parts, use.whole, use.other) for cell in _all(key, cells)]


def _all(written: Iterable[str], cells: Cells) -> Codes:
    return tuple(cell for text in written for cell in cells.named(text))


def _pairs(use: RuleUse, cells: Cells) -> Iterator[tuple[Codes, Codes, str]]:
    """Yield each cell, the one that it is compared with, and how that is written."""
    for at, other in zip(use.at, use.other, strict=True):
        for cell in cells.named(at):
            parts = zip(cell.split("/"), other.split("/"), strict=True)
            like = "/".join(code if text == "*" else text for code, text in parts)
            yield (cell,), (like,), other


def _least(low: float, *parts: tuple[float, Codes]) -> Range:
    return Range(parts, low, _NO_END)


def _most(high: float, *parts: tuple[float, Codes]) -> Range:
    return Range(parts, -_NO_END, high)


def _needs(use: RuleUse, _: Limits, cells: Cells) -> Iterator[Told]:
    """Something only where there is something else; of a sum, unless it follows from its parts."""
    pairs = [(at, other, set(cells.leaves(other))) for (at,), (other,), _ in _pairs(use, cells)]
    for at, other, those in pairs:
        parts = ["/".join(place) for place in cells.leaves(at)]
        follows = all(any(p == part and some <= those for p, _, some in pairs) for part in parts)
        if parts == [at] or not follows:
            yield Told(((_most(0, (1, (at,))),), (_least(1, (1, (other,))),)))


def _between(use: RuleUse, limits: Limits, cells: Cells) -> Iterator[Told]:
    for at in _all(use.at, cells):
        yield Told(((Range(((1, (at,)),), int(limits["lowest"]), int(limits["highest"])),),))


def _none_where(use: RuleUse, _: Limits, cells: Cells) -> Iterator[Told]:
    for at in _all(use.at, cells):
        yield Told(((Range(((1, (at,)),), 0, 0),),), where=tuple(use.where.items()))


def _at_most(use: RuleUse, _: Limits, cells: Cells) -> Iterator[Told]:
    parts, whole = _all(use.parts, cells), _all(use.whole, cells)
    yield Told(((_least(0, (1, whole), (-1, parts)),),), parts if use.unheld else ())


def _of_whole(use: RuleUse, limits: Limits, cells: Cells) -> Iterator[Told]:
    """A part is a share of a whole, some of it or not all, where that is enough to judge by."""
    part, whole = _all(use.parts or use.at, cells), _all(use.whole, cells)
    ours, all_of = ({place for at in of for place in cells.leaves(at)} for of in (part, whole))
    is_within, held = ours <= all_of, []
    if use.use == "some":
        held = [_least(1, (1, part))]
    elif use.use == "share":
        if (low := limits.get("lowest")) is not None:
            held.append(_least(0, (1, part), (-low, whole)))
        if (high := limits.get("highest")) is not None:
            held.append(_most(0, (1, part), (-high, whole)))
    elif is_within:
        held = [_least(1, (1, whole), (-1, part))]
    else:
        return
    few = _most(math.ceil(limits[use.fewest]) - 1 if use.fewest else 0, (1, whole))
    # A share of nothing holds too.
    alone = use.use == "share" and is_within and not use.fewest
    yield Told((tuple(held),) if alone else ((few,), tuple(held)))


def _change(use: RuleUse, limits: Limits, cells: Cells) -> Iterator[Told]:
    share = limits["share"]
    for at, other, _written in _pairs(use, cells):
        low, high = _least(0, (1, at), (share - 1, other)), _most(0, (1, at), (-share - 1, other))
        yield Told(((low, high),))


def _rate(use: RuleUse, limits: Limits, cells: Cells) -> Iterator[Told]:
    """A rate is in line with that of the period before, or hardly differs."""
    months = limits["months"]
    for at, other, written in _pairs(use, cells):
        before = limits["months_before"]
        before = before[written] if isinstance(before, Mapping) else before
        if before:
            most = math.ceil(limits["difference"] * before) - 1
            usual = (
                _least(0, (before, at), (-limits["lowest"] * months, other)),
                _most(0, (before, at), (-limits["highest"] * months, other)),
            )
            yield Told((usual, (Range(((before, at), (-months, other)), -most, most),)))


def _some_after(use: RuleUse, limits: Limits, cells: Cells) -> Iterator[Told]:
    few = math.ceil(limits["comparator"]) - 1
    for at, other, _written in _pairs(use, cells):
        yield Told(((_most(few, (1, other)),), (_least(1, (1, at)),)))


TELLING: Final[dict[str, Callable[[RuleUse, Limits, Cells], Iterator[Told]]]] = {
    "rate": _rate,
    "some_after": _some_after,
    "between": _between,
    "at_most": _at_most,
    "share": _of_whole,
    "some": _of_whole,
    "not_all": _of_whole,
    "change": _change,
    "none_where": _none_where,
    "needs": _needs,
}
"""What each kind of rule tells (assets/returns/validation/rules/kinds.py has what it tests)."""
