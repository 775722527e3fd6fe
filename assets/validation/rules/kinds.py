"""The kinds of rules that a template can use, each as the tests of a row that is a return.

A kind is a function, by the name under which templates use it (`use`): it is given which cells are
meant, and yields one test for each place where a finding can stand. What compares the entries of a
return one by one, with a list or with another return, is in entries.py.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Final

import polars as pl

from assets.validation.rules.evaluate import EVERY, At, Cells, Fields, Test, worded
from schemas.collection import Collection
from schemas.rules.catalogue import RuleUse, rules
from schemas.template import Place, Sum
from schemas.vocabulary import NOT_APPLICABLE, NOT_HELD


@dataclass(frozen=True)
class Use:
    """A rule as a template uses it, with the cells of returns and the collection's limits."""

    item: RuleUse
    cells: Cells
    collection: Collection

    @property
    def limits(self) -> Mapping[str, float]:
        """The limits of the rule."""
        return self.collection.thresholds.get(self.item.id, {})

    def places(self, written: Sequence[str]) -> list[Place]:
        """Return the places that are meant."""
        return [place for text in written for place in self.collection.template.places(text)]

    def pairs(self) -> Iterator[tuple[Place, Place]]:
        """Yield each place with the one it is compared with."""
        for at, other in zip(self.item.at, self.item.other, strict=True):
            for place in self.places([at]):
                yield place, _like(place, other)

    def answer(self) -> tuple[pl.Expr, str, Fields]:
        """Return what was answered to the question, the answer meant, and both for a message."""
        ((cell, answer),) = self.item.where.items()
        (place,) = self.places([cell])
        answered = self.cells.value(place)
        return answered, answer, {"question": place[1], "answered": answered}

    def held(self, places: Sequence[Place]) -> pl.Expr:
        """Whether no place has a reason in place of a number."""
        return pl.all_horizontal(self.cells.missing(place).is_null() for place in places)

    def added(self, places: Sequence[Place], unheld: Sequence[Place] = ()) -> pl.Expr:
        """Return the sum of places; of those in `unheld`, what is not held counts as nothing."""
        return _added(self.cells, places, unheld)

    def test(self, at: At, valid: pl.Expr, fields: Fields, applies: pl.Expr = EVERY) -> Test:
        """Return a test of the rule whose message has these fields."""
        rule, item = rules()[self.item.id], self.item
        codes = {"row": at[1] or "", "column": at[2] or ""}
        message = partial(
            worded, rule.says[item.use], {**codes, **rule.words, **item.words, **fields}
        )
        return Test(item.id, valid, message, at, applies, item.fix or None)


def _like(place: Place, written: str) -> Place:
    """Return a place as written, each `*` standing for what stands there in another place."""
    parts = zip(place, written.split("/"), strict=True)
    sheet, row, column = (code if text == "*" else text for code, text in parts)
    return sheet, row, column


def _added(cells: Cells, places: Sequence[Place], unheld: Sequence[Place]) -> pl.Expr:
    numbers = [
        pl.when(cells.missing(place) == NOT_HELD).then(0).otherwise(cells.number(place))
        if place in unheld
        else cells.number(place)
        for place in places
    ]
    return pl.sum_horizontal(numbers, ignore_nulls=False)


def total_is_sum(each: Sum, cells: Cells) -> Test:
    """Return the test of a total that the template describes as the sum of others."""
    added, said = _added(cells, each.parts, list(each.unheld)), cells.number(each.total)
    off = added - said
    few, many = pl.format("{} too few", off), pl.format("{} too many", -off)
    fields: Fields = {
        "parts": each.line.named or "the parts",
        "total": each.line.code,
        "added": added,
        "said": said,
        "off": pl.when(off > 0).then(few).otherwise(many),
    }
    held = [
        reason.is_null() | (reason == NOT_HELD) if place in each.unheld else reason.is_null()
        for place in (*each.parts, each.total)
        for reason in [cells.missing(place)]
    ]
    message = partial(worded, rules()[each.rule].says["sum"], fields)
    return Test(each.rule, off == 0, message, each.total, pl.all_horizontal(held))


def _needs(use: Use) -> Iterator[Test]:
    """A count stands only where the other cell has one too."""
    for at, other in use.pairs():
        count = use.cells.number(at)
        yield use.test(at, use.cells.number(other) > 0, {"at": count}, count > 0)


def _between(use: Use) -> Iterator[Test]:
    """A count lies between two limits."""
    for at in use.places(use.item.at):
        count, low, high = use.cells.number(at), use.limits["lowest"], use.limits["highest"]
        fields: Fields = {"at": count, "lowest": low, "highest": high}
        yield use.test(at, count.is_between(low, high), fields, use.held([at]))


def _at_most(use: Use) -> Iterator[Test]:
    """The sum of the parts is at most that of the whole."""
    (at,), parts, whole = (use.places(p) for p in (use.item.at, use.item.parts, use.item.whole))
    unheld = parts if use.item.unheld else []
    theirs, ours = use.added(parts, unheld), use.added(whole)
    held = use.held([place for place in (*parts, *whole) if place not in unheld])
    yield use.test(at, theirs <= ours, {"parts": theirs, "whole": ours}, held)


def _share(use: Use) -> Iterator[Test]:
    """The parts lie between two limits, or below or above one, as a share of the whole."""
    at, part, whole, applies = _part(use)
    share = part.cast(pl.Float64)
    fields: Fields = {"part": part, "whole": whole, **use.limits}
    low, high = use.limits.get("lowest"), use.limits.get("highest")
    bounds = [share >= whole * low] if low is not None else []
    bounds += [share <= whole * high] if high is not None else []
    yield use.test(at, pl.all_horizontal(bounds), fields, applies)


def _not_all(use: Use) -> Iterator[Test]:
    """The parts are not the whole, where it is large enough."""
    at, part, whole, applies = _part(use)
    yield use.test(at, part != whole, {"part": part, "whole": whole}, applies)


def _some(use: Use) -> Iterator[Test]:
    """The parts are not nothing, where the whole is large enough."""
    at, part, whole, applies = _part(use)
    yield use.test(at, part > 0, {"part": part, "whole": whole}, applies)


def _part(use: Use) -> tuple[Place, pl.Expr, pl.Expr, pl.Expr]:
    """Return where it stands, the part, the whole, and whether the whole is enough to judge by."""
    (at,), (whole_at,) = use.places(use.item.at), use.places(use.item.whole)
    parts = use.places(use.item.parts) or [at]
    whole = use.cells.number(whole_at)
    fewest = use.limits[use.item.fewest] if use.item.fewest else 1
    enough = whole.is_null() | (whole >= fewest)
    return at, use.added(parts), whole, use.held(parts) & enough


def _change(use: Use) -> Iterator[Test]:
    """A count differs from an earlier one by at most a share of that."""
    for at, other in use.pairs():
        now, before = use.cells.number(at), use.cells.number(other)
        valid = (now - before).abs() <= before * use.limits["share"]
        yield use.test(at, valid, {"at": now, "other": before}, use.held([at, other]))


def _rate(use: Use) -> Iterator[Test]:
    """A monthly rate is in line with that of an earlier period, or nearly."""
    limits, months = use.limits, use.collection.period.months
    for at, other in use.pairs():
        period = use.collection.comparators[use.collection.template.entry_at[other].period]
        now, before = use.cells.number(at), use.cells.number(other)
        usual = before * months / period.months
        near = now.cast(pl.Float64).is_between(usual * limits["lowest"], usual * limits["highest"])
        fields: Fields = {
            "at": now,
            "other": before,
            "months": months,
            "other_months": period.months,
            "until": f"{period.end:%B %Y}",
        }
        valid = near | ((now - usual).abs() < limits["difference"])
        yield use.test(at, valid, fields, use.held([other]))


def _some_after(use: Use) -> Iterator[Test]:
    """There are not suddenly none where there were many."""
    for at, other in use.pairs():
        before = use.cells.number(other)
        applies = use.held([other]) & (before >= use.limits["comparator"])
        yield use.test(at, use.cells.number(at) > 0, {"other": before}, applies)


def _counted(use: Use) -> Iterator[Test]:
    """The counts of a sheet are neither all round nor all the same."""
    places = [
        entry.place
        for entry in use.collection.template.counted()
        if entry.sheet == use.item.sheet and entry.measure in use.item.measures
    ]
    cells, name = use.cells, f"{use.item.id} of {'/'.join((use.item.sheet, *use.item.measures))}"
    known = cells.once(
        f"{name}: known",
        pl.all_horizontal(
            cells.number(place).is_not_null() | cells.missing(place).is_not_null()
            for place in places
        ),
    )
    counts = pl.concat_list([cells.number(place) for place in places])
    above = cells.once(name, counts.list.filter(pl.element() > 0))
    multiple = int(use.limits["multiple"])
    rounded = above.list.eval(pl.element() % multiple == 0).list.all()
    same = (above.list.n_unique() == 1) & (above.list.max() > 1)
    yield use.test(
        (use.item.sheet, None, None),
        pl.when(known).then(~(rounded | same)),
        {"counts": above.list.len(), "multiple": multiple},
        ~known | (above.list.len() >= use.limits["counts"]),
    )


def _held_where(use: Use) -> Iterator[Test]:
    """There is a number exactly where the question was answered so."""
    answered, answer, told = use.answer()
    for at in use.places(use.item.at):
        missing = use.cells.missing(at)
        known = (use.cells.number(at).is_not_null() | missing.is_not_null()) & (
            answered.is_not_null()
        )
        valid = pl.when(known).then((answered == answer) == missing.is_null())
        yield use.test(at, valid, {"value": use.cells.value(at), **told})


def _none_where(use: Use) -> Iterator[Test]:
    """There is nothing where the question was answered so."""
    answered, answer, told = use.answer()
    for at in use.places(use.item.at):
        count = use.cells.number(at)
        yield use.test(at, count == 0, {"at": count, **told}, answered == answer)


def _applicable_where(use: Use) -> Iterator[Test]:
    """A question applies exactly where another was answered so."""
    answered, answer, told = use.answer()
    for at in use.places(use.item.at):
        value = use.cells.value(at)
        valid = (answered == answer) == (value != NOT_APPLICABLE)
        yield use.test(at, valid, {"value": value, **told})


def _excludes(use: Use) -> Iterator[Test]:
    """An answer is not given where another question was answered so."""
    answered, answer, told = use.answer()
    for at in use.places(use.item.at):
        value = use.cells.value(at)
        fields: Fields = {"value": value, **told}
        yield use.test(at, value != use.item.answer, fields, answered == answer)


def _not_applicable_without_authority(use: Use) -> Iterator[Test]:
    """What does not exist has no register: the collection lists the forces without authority."""
    force = use.cells.value(("cover", "force_code", "value"))
    without = force.is_in(list(use.collection.without_police_authority))
    for at in use.places(use.item.at):
        value, missing = use.cells.value(at), use.cells.missing(at)
        fields: Fields = {"value": value, "force": force}
        valid = missing.eq_missing(pl.lit(NOT_APPLICABLE))
        yield use.test(at, valid, fields, without & value.is_not_null())


KINDS: Final[dict[str, Callable[[Use], Iterator[Test]]]] = {
    "needs": _needs,
    "between": _between,
    "at_most": _at_most,
    "share": _share,
    "not_all": _not_all,
    "some": _some,
    "change": _change,
    "rate": _rate,
    "some_after": _some_after,
    "counted": _counted,
    "held_where": _held_where,
    "none_where": _none_where,
    "applicable_where": _applicable_where,
    "excludes": _excludes,
    "not_applicable_without_authority": _not_applicable_without_authority,
}
