"""What in a template's conditions contradicts itself, and what can never find or count anything.

Asked of the solver, so only of files that somebody examines. That a table which is added up both
ways says its last total twice is no mistake: of sums only one that is written twice is told.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import timedelta
from itertools import groupby
from operator import itemgetter
from pathlib import Path
from typing import Final

import numpy as np
from scipy.optimize import OptimizeResult, linprog

from schemas.collection_fields import Collection, Period
from schemas.faults import Fault, read_toml, worded
from schemas.template import Edit, Place, Template
from schemas.toml_lines import Loc
from schemas.wording import listed

_LEAST: Final = 1e-6
"""What is below it is the solver's way to say 0."""

_MOST: Final = 10
"""Contradictions that are told at once: each can hide others."""

_LARGEST: Final = {
    "between": ("highest", 1),
    "ceiling": ("ceiling", 1),
    "share": ("highest", _LEAST),
}
"""By the use of a rule: its largest limit, and what that is no less than."""

_Line = tuple[Loc, tuple[Edit, ...]]
"""A line of the file that states conditions, one for each cell that it is about."""


def contradictions(template: Template) -> list[Fault]:
    """Return the conditions that together leave a cell no number but 0, each set at its last."""
    lines, found = _lines(template), list[Fault]()
    while len(found) < _MOST and (cells := _always_nothing(lines)):
        together = lines
        for line in lines:
            fewer = [each for each in together if each is not line]
            if cells[0] in _always_nothing(fewer):
                together = fewer
        *others, last = together
        stuck = listed("/".join(cell) for cell in _always_nothing(together))
        beside = f" beside {listed(map(_called, others))}" if others else ""
        said = f"{_called(last)}{beside} leaves no number but 0 for {stuck}; mend what is wrong"
        found.append((last[0], said))
        lines = [line for line in lines if line is not last]
    return found


def never_failing(template: Template) -> list[Fault]:
    """Return the conditions that stand there twice, or hold wherever the others do."""
    lines = _lines(template)
    found = dict[Loc, str]()
    first: dict[tuple[frozenset[tuple[Place, int]], bool], _Line] = {}
    for line in lines:
        for edit in line[1]:
            same = first.setdefault((frozenset(_weights(edit).items()), edit.equal), line)
            if same is not line:
                said = f"{_called(line)} asks the same as {_called(same)}"
                found.setdefault(line[0], f"{said}: one of them is enough")
    for line in lines:
        others = [each for each in lines if each is not line and each[0] not in found]
        (edit, *_) = line[1]
        if line[0] not in found and not edit.equal and not _can_be_broken(edit, others):
            said = "can never be broken, because the sums and rules beside it see to it"
            found[line[0]] = f"{_called(line)} {said}: take it out, or name other cells"
    return [*found.items()]


def unused(template: Template) -> list[Fault]:
    """Return the lists, codes and groups that no cell, total or sum is of, and sums of several."""
    found = list[Fault]()
    used = {each for entry in template.counted() for each in entry.dims.items()}
    of_lists, crossed = (
        {name for name, _ in used},
        {m.crossed_by for m in template.measures.values()},
    )
    for name, codes in template.lists.items():
        if name not in of_lists:
            found.append((("lists", name), "no cell is counted by this list; take it out"))
            continue
        gone = [code for code in codes if (name, code) not in used]
        found += ((("lists", name, code), "no cell is counted at this code: is a row missing?")
                  for code in gone)  # fmt: skip
    for loc, edit in template.stated():
        leaves = (leaf for part in edit.parts for leaf in template.leaves.get(part, (part,)))
        counted = dict.fromkeys(str(template.entry_at[leaf].measure) for leaf in leaves)
        if edit.equal and len(counted) > 1 and loc not in dict(found):
            found.append((loc, f"this sum adds up {' and '.join(counted)}: is that what is meant?"))
    sums = {each.line.code for each in template.sums()}
    for name, groups in template.groups.items():
        for group in {} if name in crossed else {*groups} - sums:
            said = f"no total is given of this group: let a measure be crossed_by {name!r}, or call"
            found.append((("groups", name, group), f"{said} the sum of its codes so"))
    return found


def uneven(collection: Collection) -> list[Fault]:
    """Return the periods that are no span of whole months, by which rates are divided."""
    given: dict[Loc, Period] = {("period",): collection.period}
    given |= {("comparators", name): one for name, one in collection.comparators.items()}
    return [
        (loc, f"this is no span of whole months: rates are divided by the {one.months} it touches")
        for loc, one in given.items()
        if (one.start.day, (one.end + timedelta(1)).day) != (1, 1)
    ]


def clashing(collection: Collection) -> list[Fault]:
    """Return what no return can keep: limits that leave nothing but 0, or go not together.

    Those that go not together are set at the last of them.
    """
    template, found = collection.template, [*_nothing_kept(collection)]
    edits = [edit for _, several in _lines(template) for edit in several]
    limits: dict[str, list[tuple[Place, float, float]]] = {}
    for use in template.rules:
        given, within = collection.thresholds.get(use.id, {}), limits.setdefault(use.id, [])
        for written in use.at if use.use == "between" else ():
            low, high = given.get("lowest", 0), given.get("highest", np.inf)
            within += [(place, low, high) for place in template.places(written)]
        if use.use == "ceiling":
            counts = (entry.place for entry in template.entries() if entry.kind == "count")
            within += [(place, 0, given.get("ceiling", np.inf)) for place in counts]
    together = [rule for rule in limits if limits[rule]]
    if any(loc[0] == "thresholds" for loc, _ in found if loc) or _can_be_kept(
        edits, [each for rule in together for each in limits[rule]]
    ):
        return found
    for rule in [*together]:
        fewer = [each for each in together if each != rule]
        if not _can_be_kept(edits, [each for name in fewer for each in limits[name]]):
            together = fewer
    said = f"no return can keep the limits of {listed(together)} where its sums hold; mend one"
    return [(("thresholds", together[-1]), said)]


def _nothing_kept(collection: Collection) -> Iterator[Fault]:
    """Yield the limits below each count but 0, and more forces than could ever be public."""
    for use in collection.template.rules:
        key, least = _LARGEST.get(use.use, ("", 0))
        largest = collection.thresholds.get(use.id, {}).get(key)
        if largest is not None and largest < least:
            yield ("thresholds", use.id, key), f"{largest:g} leaves no number but 0; raise it"
    public, there = collection.disclosure, len(collection.forces)
    if public and public.fewest_forces > there:
        said = f"{there} forces are expected, so that no public edition could ever be made"
        yield ("disclosure", "fewest_forces"), said


def examined(path: Path, of: Template | Collection) -> tuple[list[str], list[str]]:
    """Return a line for each contradiction in a sound file, and for what never fails."""
    if isinstance(of, Collection):
        faults, notes = clashing(of), uneven(of)
    else:
        faults = contradictions(of)
        notes = [] if faults else [*unused(of), *never_failing(of)]
    _, text = read_toml(path)
    return worded(path, text, faults), worded(path, text, notes)


def _lines(template: Template) -> list[_Line]:
    by_line = groupby(template.stated(), key=itemgetter(0))
    return [(loc, tuple(edit for _, edit in edits)) for loc, edits in by_line]


def _called(line: _Line) -> str:
    """Return what a line is called: `the sum 'total' in investigations`, `rule C502`."""
    loc, (edit, *_) = line
    if not edit.equal:
        return f"rule {edit.rule}"
    sheet, row, column = edit.whole[0]
    return f"the sum {row if 'rows' in loc else column!r} in {sheet}"


def _weights(edit: Edit) -> dict[Place, int]:
    weights = edit.weights(dict.fromkeys((*edit.parts, *edit.whole), 0))
    return {place: weight for place, weight in weights.items() if weight}


def _always_nothing(lines: Iterable[_Line]) -> list[Place]:
    """Return the cells that are 0 in every return which meets all conditions.

    What meets conditions that only compare meets them added up too: so all other cells can be 1 or
    more in one return.
    """
    edits = [edit for _, several in lines for edit in several]
    cells = dict.fromkeys((place for edit in edits for place in _weights(edit)), 1)
    return [place for place, most in _most(edits, cells, besides=True) if most <= _LEAST]


def _can_be_broken(edit: Edit, lines: Iterable[_Line]) -> bool:
    """Return whether a return that meets all conditions of some lines can break another."""
    weights, others = _weights(edit), [each for _, several in lines for each in several]
    return sum(weights[place] * most for place, most in _most(others, weights)) > _LEAST


def _can_be_kept(edits: Sequence[Edit], limits: Iterable[tuple[Place, float, float]]) -> bool:
    """Return whether a return can meet conditions with each number within its limits."""
    within: dict[Place, tuple[float, float]] = {}
    for place, low, high in limits:
        before = within.get(place, (0, np.inf))
        within[place] = max(low, before[0]), min(high, before[1])
    if any(low > high for low, high in within.values()):
        return False
    return not within or bool(_solved(edits, {}, within).success)


def _most(
    edits: Sequence[Edit], gain: Mapping[Place, int], *, besides: bool = False
) -> Iterator[tuple[Place, float]]:
    """Yield the places of a gain with numbers up to 1 that meet conditions and gain the most.

    The conditions only compare, so whatever meets them does so in that size too. With `besides`
    each may have any number more, which gains nothing.
    """
    within = dict.fromkeys([*gain, *(place for edit in edits for place in _weights(edit))], (0, 1))
    numbers = _solved(edits, gain, within, besides=besides).x if within else ()
    yield from (each for each in zip(within, numbers, strict=False) if each[0] in gain)


def _solved(
    edits: Sequence[Edit],
    gain: Mapping[Place, int],
    within: Mapping[Place, tuple[float, float]],
    *,
    besides: bool = False,
) -> OptimizeResult:
    """Return the numbers within their limits, else from 0, that meet conditions, in their order."""
    places = list(dict.fromkeys([*within, *(p for edit in edits for p in _weights(edit))]))
    at = {place: number for number, place in enumerate(places)}
    counts = np.zeros((len(edits), len(places)))
    for row, edit in enumerate(edits):
        for place, weight in _weights(edit).items():
            counts[row, at[place]] = weight
    cost = [-gain.get(place, 0) for place in places]
    ends = [within.get(place, (0, np.inf)) for place in places]
    if besides:
        counts = np.hstack((counts, counts))
        cost, ends = cost + [0] * len(places), ends + [(0, np.inf)] * len(places)
    equal, none = np.array([edit.equal for edit in edits], dtype=bool), np.zeros(len(edits))
    return linprog(cost, counts[~equal], none[~equal], counts[equal], none[equal], ends)
