"""The figures that a template gives, and published ones that are none of them."""

from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from typing import Any, Final, NamedTuple, get_args

from schemas.breakdown import LAST, Band, read_breakdown, write_breakdown
from schemas.faults import known
from schemas.measures import NOW, QUESTION, Statistic
from schemas.template import Template

ANSWER: Final = "answer"
"""The key of a breakdown that has the answer to a question, or several: `yes|no`."""


class Level(NamedTuple):
    """Figures of one name and the same keys, which differ in their codes alone.

    `kind`: count, share, answers, per_month, statistic, band or change, `of` the measure that they
    are made of, `by` the keys of their breakdowns. Shares are of those at the keys of `within`.
    """

    name: str
    kind: str
    of: str
    unit: str
    by: tuple[str, ...]
    within: tuple[str, ...] = ()


@cache
def levels(template: Template) -> dict[str, list[Level]]:
    """Return by name what is totalled over the forces of a template's cells, in its own period."""
    found: dict[str, list[Level]] = {}
    asked = {row.entries[0].measure for row in template.asked}
    for name, of in template.measures.items():
        answers = [(QUESTION, ANSWER)] if name in asked else []
        crossed = [(*level.by, of.crossed_by) for level in of.levels if of.crossed_by]
        made: list[tuple[str, str, str, Sequence[tuple[str, ...]]]] = [
            (name, "count", of.unit, [*(level.by for level in of.levels), *crossed, *answers]),
            (name, "statistic", of.unit, [("statistic",)] if of.statistics else []),
            (f"{name}_per_month", "per_month", "per_month", of.per_month),
            (f"{name}_per_force", "statistic", of.unit, [(*b, "statistic") for b in of.per_force]),
            (f"forces_with_{name}", "band", "forces", [(*by, "count") for by in of.per_force]),
            (f"{name}_change", "change", of.unit, [()] if of.change else []),
            *((f"{name}_share", "answers", "percent", [by]) for by in answers),
        ]
        for called, kind, unit, at in made:
            found.setdefault(called, []).extend(Level(called, kind, name, unit, by) for by in at)
        for share in of.shares:
            called = of.share_name(name, share)
            level = Level(called, "share", name, "percent", share.by, share.within)
            found.setdefault(called, []).append(level)
    return found


def made_of(template: Template, name: str) -> tuple[str, str]:
    """Return of which kind the figures of a name are, and of which measure: itself, or another."""
    at = levels(template).get(name)
    return (at[-1].kind, at[-1].of) if at else ("count", name)


def totalled(template: Template, name: str) -> set[frozenset[str]] | None:
    """Return the keys of the totals that there are of a name, None where it is none's."""
    at = levels(template).get(name)
    return None if at is None else {frozenset(level.by) for level in at}


def figure_faults(
    row: Mapping[str, str], template: Template, *, is_national: bool
) -> Iterator[tuple[str, str]]:
    """Yield why a published figure is none that returns on a template give, after its column.

    The breakdown can be read. Where it is of all forces, a total of just its codes is needed.
    """
    name, period = row["measure"], row["period"]
    kind, of = made_of(template, name)
    if of not in template.measures:
        named = [called for called, at in levels(template).items() if at]
        yield "measure", known("measure", name, {**template.measures, **dict.fromkeys(named)})
        return
    parts = read_breakdown(row["breakdown"])
    wrong = [("breakdown", said) for said in _codes(parts, template, name)]
    in_order = sorted(parts, key=[*template.dimensions, *parts].index)
    written = write_breakdown({key: parts[key] for key in in_order})
    if not wrong and written != row["breakdown"]:
        wrong.append(("breakdown", f"must be written {written}, in the order of the lists"))
    periods = {e.period: e for e in template.counted() if e.measure == of}
    if period not in periods:
        wrong.append(("period", known(f"period of {of}", period, periods)))
    if kind == "count" and QUESTION not in parts and row["unit"] != template.measures[of].unit:
        wrong.append(("unit", f"must be {template.measures[of].unit!r}, the unit of {of}"))
    if kind != "change" and row["value"].startswith("-"):
        wrong.append(("value", "must be 0 or more"))
    yield from wrong
    if not wrong and is_national and QUESTION not in parts:
        codes = {key: code for key, code in parts.items() if key not in LAST}
        yield from (("breakdown", said) for said in _no_total(name, codes, period, template))


def _no_total(
    name: str, codes: Mapping[str, str], period: str, template: Template
) -> Iterator[str]:
    """Yield why no total of a measure, or figure derived of it, is at these codes."""
    kind, of = made_of(template, name)
    measure = template.measures[of]
    there = [{*level.by} - {*LAST} for level in levels(template)[name]]
    if period != NOW and kind in {"count", "per_month"}:
        asked = [e.dims for e in template.counted() if (e.measure, e.period) == (of, period)]
        there = [{*dims} for dims in asked if dims == codes]
    if {*codes} not in there:
        said = f"no total of {name} is by {' and '.join(codes) or 'nothing'}: have the template"
        yield f"{said} give it (levels, shares, ...), or say that its basis is document"
    for key, code in codes.items():
        crossed = key == measure.crossed_by and kind != "share"
        if code in template.groups.get(key, {}) and not crossed:
            said = f"{code!r} is a group, of which only a measure that is crossed_by {key!r} has"
            yield f"{said} totals: say that its basis is document"


def _codes(parts: Mapping[str, str], template: Template, name: str) -> Iterator[str]:
    """Yield the keys and codes of the breakdown of a figure of that name that are none."""
    kind, of = made_of(template, name)
    entries = [row.entries[0] for row in template.asked]
    asked = {entry.row_code: entry.answers for entry in entries if entry.measure == of}
    there: dict[str, Any] = {QUESTION: asked, ANSWER: asked.get(parts.get(QUESTION, ""), ())}
    there |= {
        key: {**codes, **template.groups.get(key, {})} for key, codes in template.lists.items()
    }
    there["statistic"] = template.measures[of].statistics if name == of else get_args(Statistic)
    for key, code in parts.items():
        if key == "count" and kind != "band":
            yield f"counts of forces are called forces_with_{of}, not {name}"
        elif key == "count":
            try:
                Band.parse(code)
            except ValueError as error:
                yield str(error)
        elif key not in there:
            yield known("list", key, [*template.lists])
        else:
            for each in code.split("|") if key == ANSWER else [code]:
                if each not in there[key]:
                    yield known(f"code of {key}", each, there[key])
