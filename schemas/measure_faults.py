"""What in the measures of a template cannot be meant, and what its cells do not count."""

import json
from collections.abc import Collection, Iterator, Mapping
from typing import Any, Final

from schemas.faults import Fault, Loc
from schemas.measures import NOW, QUESTION
from schemas.sheet_faults import Sheets

_OF_EVERY_COLLECTION: Final = ("reporting_bodies", "months_in_collection")
_OF_RESEARCH: Final = ("social_media_", "survey_")
"""What figures beside those of the returns are called, or how their names begin."""

_KEYS: Final = {
    "investigations": ({"category", "outcome"}, {"recipient", "media"}),
    "register_entries": ({"body", "kind", "decision"}, set[str]()),
}
"""Measures that have a mart of their name: by which lists each row is counted, or may be."""

_SHOWN: Final = {
    "investigations": ("investigations", "cases"),
    "register_entries": ("register_entries", "entries"),
    "second_job_applications": ("second_jobs", "count"),
    "second_job_approvals_in_breach": ("second_jobs", "count"),
}
"""Measures whose entries stand in a public mart of their own: the mart and its column."""

Said = Mapping[str, Any]


def measure_faults(file: Said, sheets: Sheets, none: Collection[str]) -> Iterator[Fault]:
    """Yield everything that is wrong with measures, and with the figures made of them.

    Args:
        file: what the file says, whose names are known.
        sheets: its sheets, the cells of which were counted.
        none: names that are told to be none, and may be meant for what has another name.
    """
    counted = {cell[0] for cell in sheets.counted}
    for name, measure in file["measures"].items():
        yield from _levels(("measures", name), measure)
        yield from _spread(("measures", name), measure)
        if None in sheets.doubtful or name in sheets.doubtful:
            continue
        yield from _as_counted(name, measure, sheets, none)
        if name not in counted:
            yield ("measures", name), f"no cell of the sheets counts {name!r}; take it out"
    yield from _figures(file, sheets)
    yield from _named_alike(file["measures"], sheets)
    if file["disclosure"] is not None:
        yield from _protections(file["disclosure"], file["measures"], none)


def _levels(loc: Loc, measure: Said) -> Iterator[Fault]:
    """Yield levels crossed twice, rates of what is no level, and shares not of their own whole."""
    if measure["change"] == QUESTION:
        yield (*loc, "change"), f"there is no change along {QUESTION!r}; name a list"
    if measure["kind"] == "stock" and measure["per_month"]:
        rate = "a stock is a number at a date, which has no rate a month; take per_month out, or"
        yield (*loc, "per_month"), f"{rate} kind where it is counted over the period"
    levels, crossed = [level["by"] for level in measure["levels"]], measure["crossed_by"]
    for i, by in enumerate(levels):
        if crossed in by:
            crosses = f"{crossed!r} crosses every level already; take it out here"
            yield (*loc, "levels", i), crosses
    for key in ("per_month", "per_force"):
        for dims in measure[key]:
            if set(dims) not in map(set, levels):
                none = f"{json.dumps(dims)} is none of the measure's levels; add it there"
                yield (*loc, key), none
    for i, share in enumerate(measure["shares"]):
        for dim in sorted(set(share["within"]) - set(share["by"])):
            yield (*loc, "shares", i), f"{dim!r} is in within and must be in by as well"


def _spread(loc: Loc, measure: Said) -> Iterator[Fault]:
    """Yield spreads over the forces at levels that leave cells out."""
    for level in measure["levels"]:
        if level["without"] and {*level["by"]} in map(set, measure["per_force"]):
            every = f"a spread is of all that a force counted, and {json.dumps(level['by'])} leaves"
            yield (*loc, "per_force"), f"{every} out what has {level['without']!r}; take one out"


def _as_counted(name: str, said: Said, sheets: Sheets, none: Collection[str]) -> Iterator[Fault]:
    """Yield what the cells of a measure do not give: two ends of a change, keys of a mart."""
    loc, along = ("measures", name), said["change"]
    cells = [
        (dict(dims), cell.row)
        for (measure, period, *dims), cell in sheets.counted.items()
        if (measure, period) == (name, NOW)
    ]
    codes = {dims.get(along) for dims, _ in cells} - {None}
    if along not in {None, QUESTION} and cells and len(codes) < 2:
        few = f"{name!r} is counted at no two codes of {along!r}: there is no change along it"
        yield (*loc, "change"), few
    if 0 < sum(QUESTION in dims for dims, _ in cells) < len(cells):
        yield loc, f"{name!r} is asked by questions and counted by rows; give each its own"
    if said["statistics"] and len(cells) > 1:
        many = f"{name!r} is counted in {len(cells)} cells; statistics are of one that each has"
        yield (*loc, "statistics"), many
    always, also = _KEYS.get(name, (set[str](), set[str]()))
    other = [row for dims, row in cells if not always <= dims.keys() <= always | also]
    if name in _KEYS and other and not (always | also) & {*none}:
        keys = " and ".join(sorted(always))
        yield other[0], f"the mart {name!r} counts by {keys}; call the measure otherwise"


def _figures(file: Said, sheets: Sheets) -> Iterator[Fault]:
    """Yield the columns that say the same, and the figures that no cell counts."""
    said: dict[str, str] = {}
    for name, column in file["profile"].items():
        if (same := said.setdefault(json.dumps(column, sort_keys=True), name)) != name:
            yield ("profile", name), f"{name!r} says the same as {same!r}; take one out"
    figures: list[tuple[Loc, Said]] = [(("profile", n), of) for n, of in file["profile"].items()]
    figures += [(("measures", name, "within"), measure["within"])
                for name, measure in file["measures"].items() if measure["within"]]  # fmt: skip
    for loc, figure in figures:
        of, dims = (figure["measure"], figure["period"]), figure["dims"].items()
        there = any(cell[:2] == of and dims <= dict(cell[2:]).items() for cell in sheets.counted)
        told = sheets.doubtful & {None, of[0]} or of[0] not in {cell[0] for cell in sheets.counted}
        if not there and not told:
            yield loc, "no cell of the sheets counts this; take it out, or name what one counts"


def _named_alike(measures: Mapping[str, Said], sheets: Sheets) -> Iterator[Fault]:
    """Yield the figures derived of a measure that are called as others are."""
    whose: dict[str, tuple[Any, ...]] = {name: (name,) for name in measures}
    whose |= dict.fromkeys(_OF_EVERY_COLLECTION, ())
    asked = {cell[0] for cell in sheets.counted if QUESTION in dict(cell[2:])}
    whose |= {f"{name}_share": (name, "questions") for name in asked}
    for name, measure in measures.items():
        if name in _OF_EVERY_COLLECTION or name.startswith(_OF_RESEARCH):
            yield ("measures", name), f"figures of other sources are called {name!r} already"
        named: list[tuple[Loc, str, tuple[str, ...]]] = [
            (("shares", i), share["name"] or f"{name}_share", tuple(sorted(share["by"])))
            for i, share in enumerate(measure["shares"])
        ]
        derived = (("per_month", f"{name}_per_month"), ("per_force", f"{name}_per_force"),
                   ("change", f"{name}_change"), ("per_force", f"forces_with_{name}"))  # fmt: skip
        named += [((key,), called, ()) for key, called in derived if measure[key]]
        seen: set[tuple[str, tuple[str, ...]]] = set()
        for key, called, by in named:
            mine = (name, key[0])
            if whose.setdefault(called, mine) != mine or (called, by) in seen:
                said = f"there are figures called {called!r} already; give other names"
                yield ("measures", name, *key), said
            seen.add((called, by))


def _protections(
    said: Said, measures: Mapping[str, Said], none: Collection[str]
) -> Iterator[Fault]:
    """What nobody thought of must not become public: each measure is open or protected."""
    for name, protected in said["measures"].items():
        misspelt = {shown for other, shown in _SHOWN.items() if other in none}
        places = {(None, None), _SHOWN.get(name), *misspelt}
        if (protected["mart"], protected["value"]) not in places:
            said_so = f"no mart shows {name!r} so; take mart and value out"
            yield ("disclosure", "measures", name), said_so
    named = [*said["open"], *said["measures"]]
    for name in measures:
        if named.count(name) != 1:
            once = f"must be named once, open or protected, not {named.count(name)} times"
            yield ("disclosure",), f"{name!r} {once}"
