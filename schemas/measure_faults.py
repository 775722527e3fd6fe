"""What in the measures of a template cannot be meant, and figures of them that no cell gives."""

import json
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from typing import Any, Final

from schemas.faults import Fault, known
from schemas.measures import NOW, QUESTION, SHOWN, CaseRows, Figure, Measure, Protections
from schemas.template import Entry, Template
from schemas.template_faults import Cell, Sheets
from schemas.toml_lines import Loc
from schemas.wording import listed

_OF_EVERY_COLLECTION: Final = ("reporting_bodies", "months_in_collection")
_OF_RESEARCH: Final = ("social_media_", "survey_")
"""What figures beside those of the returns are called, or how their names begin."""

_KEYS: Final = {
    "investigations": ({"category", "outcome"}, {"recipient", "media"}),
    "register_entries": ({"body", "kind", "decision"}, set[str]()),
}
"""Measures that have a mart of their name: by which lists each row is counted, or may be."""

_OF_COUNTS: Final = (
    "levels", "crossed_by", "shares", "per_month", "per_force", "statistics", "change",
)  # fmt: skip
"""What is derived of the sums of a measure."""

_NOT_ADDED: Final = ("percent", "per_month", "per_force")


def measure_faults(sheets: Sheets) -> Iterator[Fault]:
    """Yield everything that is wrong with measures, and with the figures made of them.

    `sheets` are those of the template, the cells of which were counted.
    """
    template, doubtful, none = sheets.template, sheets.doubtful, sheets.unsure.names
    for name, measure in template.measures.items():
        yield from _levels(("measures", name), sheets.file.measures[name])
        if measure.within and measure.within.measure == name:
            own = "no measure is within itself; take it out, or name the other"
            yield ("measures", name, "within"), own
        cells = [cell for cell in sheets.counted.values() if cell.entry.measure == name]
        if not doubtful & {None, name}:
            yield from _as_counted(name, measure, cells, none)
            if not cells:
                yield ("measures", name), f"no cell of the sheets counts {name!r}; take it out"
    entries = [cell.entry for cell in sheets.counted.values()]
    yield from _figures(template, entries, doubtful)
    yield from _named_alike(template.measures, entries)
    yield from _one_a_row(sheets.counted.values(), template)
    if (cases := template.cases) and not doubtful & {None, cases.measure}:
        yield from _cases(cases, entries, none)
    if template.disclosure is not None:
        yield from _protections(template.disclosure, template, none)


def _levels(loc: Loc, measure: Measure) -> Iterator[Fault]:
    """Yield levels crossed twice, rates of what is no level, and shares not of their own whole."""
    if measure.change == QUESTION:
        yield (*loc, "change"), f"there is no change along {QUESTION!r}; name a list"
    if measure.kind == "stock" and measure.per_month:
        rate = "a stock is a number at a date, which has no rate a month; take per_month out, or"
        yield (*loc, "per_month"), f"{rate} kind where it is counted over the period"
    levels, crossed = [{*level.by} for level in measure.levels], measure.crossed_by
    for i, by in enumerate(levels):
        if crossed in by:
            crosses = f"{crossed!r} crosses every level already; take it out here"
            yield (*loc, "levels", i), crosses
    for key, rates in (("per_month", measure.per_month), ("per_force", measure.per_force)):
        for dims in rates:
            if {*dims} not in levels:
                none = f"{json.dumps(dims)} is none of the measure's levels; add it there"
                yield (*loc, key), none
    for i, share in enumerate(measure.shares):
        for dim in sorted({*share.within} - {*share.by}):
            yield (*loc, "shares", i), f"{dim!r} is in within and must be in by as well"


def _as_counted(
    name: str, said: Measure, cells: Sequence[Cell], none: Collection[str]
) -> Iterator[Fault]:
    """Yield what the cells of a measure do not give: its totals, two ends of a change, a mart."""
    loc, along = ("measures", name), said.change
    now = [cell for cell in cells if cell.entry.period == NOW]
    by = [cell.entry.dims for cell in now]
    asked = sum(QUESTION in dims for dims in by)
    if 0 < asked < len(by):
        yield loc, f"{name!r} is asked by questions and counted by rows; give each its own"
    elif asked or (cells and not now):
        why = (
            "asked by questions, whose totals are by answer"
            if asked
            else ("asked of earlier periods alone, each count of which stands for itself")
        )
        given = (key for key in _OF_COUNTS if getattr(said, key))
        yield from (((*loc, key), f"{name!r} is {why}; take {key} out") for key in given)
    elif now:
        yield from _at_levels(loc, said, [{*dims} for dims in by])
        yield from _derived(loc, said, [{*dims} for dims in by])
    codes = {dims.get(along or "") for dims in by} - {None}
    if along not in {None, QUESTION} and by and not asked and len(codes) < 2:
        few = f"{name!r} is counted at no two codes of {along!r}: there is no change along it"
        yield (*loc, "change"), few
    always, also = _KEYS.get(name, (set[str](), set[str]()))
    other = [cell.row for cell in now if not always <= {*cell.entry.dims} <= always | also]
    if name in _KEYS and other and not (always | also) & {*none}:
        keys = " and ".join(sorted(always))
        yield other[0], f"the mart {name!r} counts by {keys}; call the measure otherwise"


def _at_levels(loc: Loc, said: Measure, cells: Sequence[set[str]]) -> Iterator[Fault]:
    """Yield the levels of a measure at which it has no cell; `cells` are by their dimensions."""
    if not (said.levels or said.statistics):
        yield loc, f"no total of {loc[1]!r} is given: give it levels, or statistics"
    for i, level in enumerate(said.levels):
        by, without = {*level.by}, level.without
        at = [without in dims for dims in cells if by <= dims]
        if all(at):
            yield (*loc, "levels", i), _none(loc, by, without)
        elif without and not any(at):
            yield (*loc, "levels", i), f"leaves nothing out: no cell there has {without!r} too"
        if without and by in map(set, said.per_force):
            every = f"a spread is of all that a force counted, and {json.dumps(level.by)} leaves"
            yield (*loc, "per_force"), f"{every} out what has {without!r}; take one out"
    if said.crossed_by and not any(said.crossed_by in dims for dims in cells):
        yield (*loc, "crossed_by"), _none(loc, [said.crossed_by])


def _derived(loc: Loc, said: Measure, cells: Sequence[set[str]]) -> Iterator[Fault]:
    """Yield the shares, sums and statistics that such cells do not give."""
    for i, share in enumerate(said.shares):
        if not any({*share.by} <= dims for dims in cells):
            yield (*loc, "shares", i), _none(loc, share.by)
        elif {*share.by} == {*share.within}:
            yield (*loc, "shares", i), "this share is always 100 per cent; name more lists in by"
    if said.unit in _NOT_ADDED and said.levels:
        more = "cannot be added up; give the measure statistics in place of levels"
        yield (*loc, "unit"), f"numbers in {said.unit} {more}"
    if said.statistics and len(cells) > 1:
        many = f"{loc[1]!r} is counted in {len(cells)} cells; statistics are of one that each has"
        yield (*loc, "statistics"), many
    if said.statistics and said.per_force:
        beside = "no spread is given beside statistics, which are one; take it out"
        yield (*loc, "per_force"), beside


def _none(loc: Loc, by: Iterable[str], without: str | None = None) -> str:
    what = [f"has {listed(sorted(by))}"] * bool(by) + [f"is without {without}"] * bool(without)
    return f"no cell of {loc[1]!r} {' and '.join(what)}; take it out, or give cells the codes"


def _one_a_row(cells: Iterable[Cell], template: Template) -> Iterator[Fault]:
    """Yield the second count of a row in a mart that has one of each row."""
    seen = set[str]()
    for cell in cells:
        mart, _ = template.shown(cell.entry.measure or "") or ("", "")
        if mart != "second_jobs" or cell.entry.period != NOW:
            continue
        if (code := cell.entry.row_code) in seen:
            one = f"the mart {mart!r} has one count of a row, and {code!r} is counted again"
            yield cell.row, f"{one}; call the row otherwise, or the measure"
            return
        seen.add(code)


def _cases(cases: CaseRows, entries: Sequence[Entry], none: Collection[str]) -> Iterator[Fault]:
    """Yield why the rows of an extract cannot be what a measure counts."""
    always, also = _KEYS["investigations"]
    if (always | also) & {*none}:
        return
    by = [each.dims for each in entries if (each.measure, each.period) == (cases.measure, NOW)]
    outcomes = dict.fromkeys(dims["outcome"] for dims in by if "outcome" in dims)
    if not by or not all(always <= {*dims} <= always | also for dims in by):
        said = "and perhaps recipient and media: the cells of the measure must be, too"
        yield (
            ("cases", "measure"),
            f"a row of an extract is counted by category and outcome, {said}",
        )
    elif cases.open not in outcomes:
        yield ("cases", "open"), known("outcome that it is counted at", cases.open, outcomes)


def _figures(
    template: Template, entries: Sequence[Entry], doubtful: set[str | None]
) -> Iterator[Fault]:
    """Yield the columns that say the same, and the figures that no cell counts."""
    figures: dict[Loc, Figure] = {("profile", name): of for name, of in template.profile.items()}
    for loc, figure in figures.items():
        same = next(name for (_, name), of in figures.items() if of == figure)
        if same != loc[1]:
            yield loc, f"{loc[1]!r} says the same as {same!r}; take one out"
    figures |= {("measures", name, "within"): measure.within
                for name, measure in template.measures.items() if measure.within}  # fmt: skip
    for loc, figure in figures.items():
        of = [entry for entry in entries if entry.measure == figure.measure]
        at = [entry.dims for entry in of if entry.period == figure.period]
        if figure.period == NOW:
            there = any(figure.dims.items() <= dims.items() for dims in at)
        else:
            there = figure.dims in at
        asked = any(QUESTION in entry.dims for entry in of)
        if there and asked and QUESTION not in figure.dims:
            said = f"names no question: {figure.measure!r} is asked by questions, and not added up"
            yield loc, said
        elif of and not there and doubtful.isdisjoint({None, figure.measure}):
            no_part = " (of an earlier period a cell is no part of a sum)"
            why = no_part if at and figure.period != NOW else ""
            yield loc, f"no cell of the sheets counts this{why}; take it out, or name what one does"


def _named_alike(measures: Mapping[str, Measure], entries: Iterable[Entry]) -> Iterator[Fault]:
    """Yield the figures derived of a measure that are called as others are."""
    whose: dict[str, tuple[Any, ...]] = {name: (name,) for name in measures}
    whose |= dict.fromkeys(_OF_EVERY_COLLECTION, ())
    asked = {str(entry.measure) for entry in entries if QUESTION in entry.dims}
    whose |= {f"{name}_share": (name, "questions") for name in asked}
    for name, measure in measures.items():
        if name in _OF_EVERY_COLLECTION or name.startswith(_OF_RESEARCH):
            yield ("measures", name), f"figures of other sources are called {name!r} already"
        named: list[tuple[Loc, str, tuple[str, ...]]] = [
            (("shares", i), measure.share_name(name, share), tuple(sorted(share.by)))
            for i, share in enumerate(measure.shares)
        ]
        derived = (("per_month", f"{name}_per_month"), ("per_force", f"{name}_per_force"),
                   ("change", f"{name}_change"), ("per_force", f"forces_with_{name}"))  # fmt: skip
        named += [((key,), called, ()) for key, called in derived if getattr(measure, key)]
        seen: set[tuple[str, tuple[str, ...]]] = set()
        for key, called, by in named:
            mine = (name, key[0])
            if whose.setdefault(called, mine) != mine or (called, by) in seen:
                said = f"there are figures called {called!r} already; give other names"
                yield ("measures", name, *key), said
            seen.add((called, by))


def _protections(said: Protections, template: Template, none: Collection[str]) -> Iterator[Fault]:
    """What nobody thought of must not become public: each measure is open or protected."""
    misspelt, subjects = {of[:2] for other, of in SHOWN.items() if other in none}, dict[str, str]()
    for name, protected in said.measures.items():
        shown = template.shown(name)
        if (protected.mart, protected.value) not in {(None, None), shown, *misspelt}:
            said_so = f"no mart shows {name!r} so; take mart and value out"
            yield ("disclosure", "measures", name), said_so
        subject = subjects.setdefault(shown[0], protected.subject) if shown else protected.subject
        if shown and subject != protected.subject:
            same = f"stands in the mart {shown[0]!r} beside what is of {subject!r}: say the same"
            yield ("disclosure", "measures", name, "subject"), same
    named = [*said.open, *said.measures]
    for name in template.measures:
        if named.count(name) != 1:
            once = f"must be named once, open or protected, not {named.count(name)} times"
            yield ("disclosure",), f"{name!r} {once}"
