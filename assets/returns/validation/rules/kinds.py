"""The kinds of rules that a template can use, each as the tests of a row that is a return.

A kind is a function, by the name under which templates use it (`use`): of one place where a finding
can stand it says when the rule holds. What compares the entries of a return one by one, with a list
or with another return, is in entries.py.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import polars as pl

from assets.returns.validation.rules.evaluate import EVERY, At, Fields, Test, missing, number, value
from schemas.collection import Collection
from schemas.rules.catalogue import RuleUse
from schemas.template import Place, Sum
from schemas.vocabulary import NOT_APPLICABLE, NOT_HELD

Asked = tuple[pl.Expr, Fields, pl.Expr]
"""When the rule holds, what its message says besides, and which returns it concerns."""


@dataclass(frozen=True)
class Use:
    """A rule as a template uses it, with the collection's limits."""

    item: RuleUse
    collection: Collection

    @property
    def limits(self) -> Mapping[str, float]:
        """The limits of the rule."""
        return self.collection.thresholds.get(self.item.id, {})

    def places(self, written: Sequence[str]) -> list[Place]:
        """Return the places that are meant."""
        return [place for text in written for place in self.collection.template.places(text)]

    def tests(self) -> Iterator[Test]:
        """Yield one test for each place where a finding can stand."""
        item = self.item
        for at, other in self.pairs():
            valid, fields, applies = KINDS[item.use](self, at, other)
            said = {"row": at[1], "column": at[2], **item.words, **fields}
            stands: At = (at[0], at[1] or None, at[2] or None)
            yield Test(item.id, item.use, valid, said, applies, stands, item.fix or None)

    def pairs(self) -> Iterator[tuple[Place, Place]]:
        """Yield each place with the one that it is compared with; a sheet has no codes."""
        if self.item.sheet:
            yield (self.item.sheet, "", ""), (self.item.sheet, "", "")
        for written, other in zip(self.item.at, self.item.other or self.item.at, strict=True):
            for at in self.places([written]):
                compared = zip(at, other.split("/"), strict=True)
                sheet, row, column = (code if text == "*" else text for code, text in compared)
                yield at, (sheet, row, column)


def _held(places: Sequence[Place]) -> pl.Expr:
    """Whether no place has a reason in place of a number."""
    return pl.all_horizontal(missing(place).is_null() for place in places)


def _added(places: Sequence[Place], unheld: Sequence[Place] = ()) -> pl.Expr:
    """Return the sum of places; of those in `unheld`, what is not held counts as nothing."""
    nothing = {place: pl.when(missing(place) == NOT_HELD).then(0) for place in unheld}
    numbers = [nothing[p].otherwise(number(p)) if p in nothing else number(p) for p in places]
    return pl.sum_horizontal(numbers, ignore_nulls=False)


def total_is_sum(each: Sum) -> Test:
    """Return the test of a total that the template describes as the sum of others."""
    added, said = _added(each.parts, list(each.unheld)), number(each.total)
    off = added - said
    few, many = pl.format("{} too few", off), pl.format("{} too many", -off)
    fields: Fields = {
        "parts": each.line.named or "the parts",
        "added": added,
        "said": said,
        "off": pl.when(off > 0).then(few).otherwise(many),
    }
    held = [place for place in (*each.parts, each.total) if place not in each.unheld]
    unheld = [missing(p).is_null() | (missing(p) == NOT_HELD) for p in each.unheld]
    applies = pl.all_horizontal(_held(held), *unheld)
    return Test(each.rule, "sum", off == 0, fields, applies, each.total)


def _needs(_: Use, at: Place, other: Place) -> Asked:
    """A count stands only where the other cell has one too."""
    return number(other) > 0, {"at": number(at)}, number(at) > 0


def _between(use: Use, at: Place, _: Place) -> Asked:
    """A count lies between two limits."""
    low, high = use.limits["lowest"], use.limits["highest"]
    fields: Fields = {"at": number(at), "nearest": number(at).clip(low, high), **use.limits}
    return number(at).is_between(low, high), fields, _held([at])


def _at_most(use: Use, _: Place, __: Place) -> Asked:
    """The sum of the parts is at most that of the whole."""
    parts, whole = use.places(use.item.parts), use.places(use.item.whole)
    unheld = parts if use.item.unheld else []
    theirs, ours = _added(parts, unheld), _added(whole)
    held = _held([place for place in (*parts, *whole) if place not in unheld])
    return theirs <= ours, {"parts": theirs, "whole": ours}, held


def _share(use: Use, at: Place, _: Place) -> Asked:
    """The parts lie between two limits, or below or above one, as a share of the whole."""
    part, whole, applies = _part(use, at)
    share = part.cast(pl.Float64)
    low, high = use.limits.get("lowest"), use.limits.get("highest")
    bounds = [share >= whole * low] if low is not None else []
    bounds += [share <= whole * high] if high is not None else []
    return pl.all_horizontal(bounds), {**_fields_of(part, whole), **use.limits}, applies


def _not_all(use: Use, at: Place, _: Place) -> Asked:
    """The parts are not the whole, where it is large enough."""
    part, whole, applies = _part(use, at)
    return part != whole, _fields_of(part, whole), applies


def _some(use: Use, at: Place, _: Place) -> Asked:
    """The parts are not nothing, where the whole is large enough."""
    part, whole, applies = _part(use, at)
    return part > 0, _fields_of(part, whole), applies


def _part(use: Use, at: Place) -> tuple[pl.Expr, pl.Expr, pl.Expr]:
    """Return the part, the whole, and whether the whole is enough to judge by."""
    (whole_at,), parts = use.places(use.item.whole), use.places(use.item.parts) or [at]
    whole = number(whole_at)
    fewest = use.limits[use.item.fewest] if use.item.fewest else 1
    return _added(parts), whole, _held(parts) & (whole.is_null() | (whole >= fewest))


def _fields_of(part: pl.Expr, whole: pl.Expr) -> dict[str, pl.Expr]:
    """Return a part and its whole, and what the part is at the share it usually has in returns."""
    usual = pl.when(whole > 0).then(part / whole).median()
    return {"part": part, "whole": whole, "typical": usual * whole}


def _change(use: Use, at: Place, other: Place) -> Asked:
    """A count differs from an earlier one by at most a share of that."""
    now, before = number(at), number(other)
    little = (now - before).abs() <= before * use.limits["share"]
    return little, {"at": now, "other": before}, _held([at, other])


def _rate(use: Use, at: Place, other: Place) -> Asked:
    """A monthly rate is in line with that of an earlier period, or nearly."""
    limits, months = use.limits, use.collection.period.months
    period = use.collection.comparators[use.collection.template.entry_at[other].period]
    now, before = number(at), number(other)
    usual = _usual(use, other)
    near = now.cast(pl.Float64).is_between(usual * limits["lowest"], usual * limits["highest"])
    fields: Fields = {
        "at": now,
        "other": before,
        "usual": usual,
        "months": months,
        "other_months": period.months,
        "until": f"{period.end:%B %Y}",
    }
    return near | ((now - usual).abs() < limits["difference"]), fields, _held([other])


def _some_after(use: Use, at: Place, other: Place) -> Asked:
    """There are not suddenly none where there were many."""
    before = number(other)
    many = _held([other]) & (before >= use.limits["comparator"])
    return number(at) > 0, {"other": before, "usual": _usual(use, other)}, many


def _usual(use: Use, other: Place) -> pl.Expr:
    """Return what a count would be at the monthly rate of an earlier period."""
    months = use.collection.period.months
    period = use.collection.comparators.get(use.collection.template.entry_at[other].period)
    return number(other) * (months / period.months if period else 1)


def _counted(use: Use, _: Place, __: Place) -> Asked:
    """The counts of a sheet are neither all round nor all the same."""
    counted = use.collection.template.counted()
    item, multiple = use.item, int(use.limits["multiple"])
    places = [e.place for e in counted if e.sheet == item.sheet and e.measure in item.measures]
    known = pl.all_horizontal(number(p).is_not_null() | missing(p).is_not_null() for p in places)
    above = pl.concat_list(number(p) for p in places).list.filter(pl.element() > 0)
    rounded = above.list.eval(pl.element() % multiple == 0).list.all()
    same = (above.list.n_unique() == 1) & (above.list.max() > 1)
    enough = ~known | (above.list.len() >= use.limits["counts"])
    fields: Fields = {"counts": above.list.len(), "multiple": multiple}
    return pl.when(known).then(~(rounded | same)), fields, enough


def _answer(use: Use, at: Place) -> tuple[pl.Expr, Fields]:
    """Return whether the question was answered so, and what a message tells of it."""
    ((cell, meant),) = use.item.where.items()
    (question,) = use.places([cell])
    answered = value(question)
    fields: Fields = {
        "at": number(at), "value": value(at), "question": question[1], "answered": answered,
    }  # fmt: skip
    return answered == meant, fields


def _held_where(use: Use, at: Place, _: Place) -> Asked:
    """There is a number exactly where the question was answered so."""
    so, fields = _answer(use, at)
    known = (number(at).is_not_null() | missing(at).is_not_null()) & so.is_not_null()
    return pl.when(known).then(so == missing(at).is_null()), fields, EVERY


def _none_where(use: Use, at: Place, _: Place) -> Asked:
    """There is nothing where the question was answered so."""
    so, fields = _answer(use, at)
    return number(at) == 0, fields, so


def _applicable_where(use: Use, at: Place, _: Place) -> Asked:
    """A question applies exactly where another was answered so."""
    so, fields = _answer(use, at)
    return so == (value(at) != NOT_APPLICABLE), fields, EVERY


def _excludes(use: Use, at: Place, _: Place) -> Asked:
    """An answer is not given where another question was answered so."""
    so, fields = _answer(use, at)
    return value(at) != use.item.answer, fields, so


def _not_applicable_without_authority(use: Use, at: Place, _: Place) -> Asked:
    """What does not exist has no register: the collection lists the forces without authority."""
    force = value(("cover", "force_code", "value"))
    without = force.is_in(list(use.collection.without_police_authority))
    valid = missing(at).eq_missing(pl.lit(NOT_APPLICABLE))
    return valid, {"value": value(at), "force": force}, without & value(at).is_not_null()


KINDS: Final[dict[str, Callable[[Use, Place, Place], Asked]]] = {
    test.__name__.removeprefix("_"): test
    for test in (
        _needs, _between, _at_most, _share, _not_all, _some, _change, _rate, _some_after, _counted,
        _held_where, _none_where, _applicable_where, _excludes, _not_applicable_without_authority,
    )
}  # fmt: skip
