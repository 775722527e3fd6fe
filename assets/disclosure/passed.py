"""What it tells that a return has passed a rule: ranges in which weighted sums of its cells lie.

The kinds of rules by which a template compares counts. Others tell too little of a small count, or
nothing (docs/disclosure.md says why). Where the cells stand, the choice of what to hide and the
audit find out each by itself.
"""

import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any, Final, NamedTuple

from assets.disclosure.known import Condition, Total, Ways
from schemas.rules.catalogue import RuleUse
from schemas.template import Place

Named = Callable[[str], Sequence[str]]
"""The cells of a template that are written so (`sheet/row/column`, where * is any code)."""

Leaves = Callable[[str], Sequence[Place]]
"""The cells that count something, of which a cell is the sum; itself where it is none."""

Cells = tuple[str, ...]
Limits = Mapping[str, Any]
_NO_END: Final = math.inf
_EITHER: Final = 2


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


def ways_of(
    items: Iterable[Told], leaves: Leaves, count: Callable[[Place], Total | None]
) -> list[Ways]:
    """Return what is told as conditions of unknowns, but for what is of cells without numbers.

    What holds where one and the same thing does not is together one: of what has numbers alone,
    since a return with one of two parts has passed what is told of that.

    Args:
        items: what is told.
        leaves: finds the cells that a cell adds up.
        count: the number of a cell, known or not; None for none.
    """
    found: list[tuple[tuple[Range, ...], Ways]] = []
    for item in items:
        ways = _ways_of(item, leaves, count)
        if found and len(ways) == len(found[-1][1]) == _EITHER and found[-1][0] == item.ways[0]:
            one, other = found.pop()[1]
            ways = [one, [*other, *ways[1]]]
        if ways:
            found.append((item.ways[0], ways))
    return [ways for _, ways in found]


def _ways_of(item: Told, leaves: Leaves, count: Callable[[Place], Total | None]) -> Ways:
    ways: Ways = []
    for way in item.ways:
        conditions = []
        for part in way:
            totals = []
            for weight, cells in part.parts:
                held = [[n for n in map(count, leaves(cell)) if n is not None] for cell in cells]
                lacks = (not n and c not in item.lacking for c, n in zip(cells, held, strict=True))
                if not any(held) or any(lacks):
                    return []
                found = [total for each in held for total in each]
                unknowns = sorted(number for total in found for number in total.unknowns)
                total = Total(tuple(unknowns), sum(total.shown for total in found))
                totals.append((weight, total))
            conditions.append(Condition.of(totals, part.low, part.high))
        ways.append(conditions)
    return ways


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
