"""The figures that a template gives, and published ones that are none of them."""

from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any, Final, get_args

from schemas.breakdown import LAST, Band, read_breakdown, write_breakdown
from schemas.faults import known
from schemas.measures import NOW, QUESTION, Statistic
from schemas.template import Template

ANSWER: Final = "answer"
"""The key of a breakdown that has the answer to a question, or several: `yes|no`."""


@cache
def kinds(template: Template) -> dict[str, tuple[str, str, Any]]:
    """Return of each measure that is no plain count its kind, what it is made of, and how."""
    made: dict[str, tuple[str, str, Any]] = {}
    asked = {row.entries[0].measure for row in template.asked}
    for name, measure in template.measures.items():
        for share in measure.shares:
            of_name = measure.share_name(name, share)
            made.setdefault(of_name, ("share", name, []))[2].append(share)
        if name in asked:
            made[f"{name}_share"] = "answers", name, None
        if measure.per_month:
            made[f"{name}_per_month"] = "per_month", name, None
        if measure.per_force:
            made[f"{name}_per_force"] = "statistic", name, None
            made[f"forces_with_{name}"] = "band", name, None
        if measure.statistics:
            made[name] = "statistic", name, None
        if measure.change:
            made[f"{name}_change"] = "change", name, measure.change
    return made


@cache
def totalled(template: Template) -> dict[str, set[frozenset[str]]]:
    """Return by measure, and by what is derived of it, the keys of the totals there are."""
    found: dict[str, set[frozenset[str]]] = {}
    for name, measure in template.measures.items():
        levels = {frozenset(level.by) for level in measure.levels}
        crossed = {level | {measure.crossed_by} for level in levels if measure.crossed_by}
        single = {frozenset({"statistic"})} if measure.statistics else set()
        found[name] = {*levels, *crossed, *single}
        found[f"{name}_per_month"] = {frozenset(level) for level in measure.per_month}
        found[f"{name}_per_force"] = {frozenset({*of, "statistic"}) for of in measure.per_force}
        found[f"forces_with_{name}"] = {frozenset({*of, "count"}) for of in measure.per_force}
        found[f"{name}_change"] = {frozenset()} if measure.change else set()
        for share in measure.shares:
            of_name = measure.share_name(name, share)
            found.setdefault(of_name, set()).add(frozenset(share.by))
    for row in template.asked:
        name = str(row.entries[0].measure)
        found[name] = found[f"{name}_share"] = {frozenset({QUESTION, ANSWER})}
    return found


def figure_faults(
    row: Mapping[str, str], template: Template, *, is_national: bool
) -> Iterator[tuple[str, str]]:
    """Yield why a published figure is none that returns on a template give, after its column.

    Args:
        row: the figure as its file has it; its breakdown can be read.
        template: the template.
        is_national: whether it is of all forces, so that a total of just its codes is needed.
    """
    name, period = row["measure"], row["period"]
    kind, of, _ = kinds(template).get(name, ("count", name, None))
    if of not in template.measures:
        yield "measure", known("measure", name, {**template.measures, **kinds(template)})
        return
    parts = read_breakdown(row["breakdown"])
    wrong = [("breakdown", said) for said in _codes(parts, template, of)]
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
    kind, of, _ = kinds(template).get(name, ("count", name, None))
    measure = template.measures[of]
    levels = [{*level} - {*LAST} for level in totalled(template)[name]]
    if period != NOW and kind in {"count", "per_month"}:
        asked = [e.dims for e in template.counted() if (e.measure, e.period) == (of, period)]
        levels = [{*dims} for dims in asked if dims == codes]
    if {*codes} not in levels:
        said = f"no total of {name} is by {' and '.join(codes) or 'nothing'}: have the template"
        yield f"{said} give it (levels, shares, ...), or say that its basis is document"
    for key, code in codes.items():
        if code in template.groups.get(key, {}) and key != measure.crossed_by:
            said = f"{code!r} is a group, of which only a measure that is crossed_by {key!r} has"
            yield f"{said} totals: say that its basis is document"


def _codes(parts: Mapping[str, str], template: Template, of: str) -> Iterator[str]:
    """Yield the keys and codes of a breakdown that are none, and keys out of their order."""
    entries = [row.entries[0] for row in template.asked]
    asked = {entry.row_code: entry.answers for entry in entries if entry.measure == of}
    there: dict[str, Any] = {QUESTION: asked, ANSWER: asked.get(parts.get(QUESTION, ""), ())}
    there |= {
        key: {**codes, **template.groups.get(key, {})} for key, codes in template.lists.items()
    }
    there["statistic"] = get_args(Statistic)
    for key, code in parts.items():
        if key == "count":
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
