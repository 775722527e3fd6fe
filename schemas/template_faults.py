"""What in a template cannot be meant: lines, sums and cells of its sheets, and its measures."""

import json
from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from functools import partial
from typing import Any, Final, NamedTuple

from schemas.cover import cover_faults
from schemas.faults import Fault, Loc, Unsure, twice
from schemas.measures import NOW, QUESTION
from schemas.rules.catalogue import rules

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
Lines = Sequence[tuple[Loc, Said]]
"""Rows or columns of a sheet as the file has them, each with the keys that lead to it."""


class Cell(NamedTuple):
    """The cell of a row and a column, by the keys that lead to these, and how it is called."""

    row: Loc
    column: Loc
    called: str


class _Wrong(NamedTuple):
    """What is wrong in the cell of a row and a column, of a kind."""

    row: Loc
    column: Loc
    kind: str
    said: str


class Sheets:
    """The sheets of a file whose names are known.

    `counted` has each cell by what it counts: measure, period, dims. `doubtful` are the measures
    of cells that do not count what they are meant to.
    """

    def __init__(self, file: Mapping[str, Any], unsure: Unsure) -> None:
        """Take a file, in which nothing is counted yet, and where in it nobody can tell."""
        self.file, self.unsure = file, unsure
        self.counted: dict[tuple[Any, ...], Cell] = {}
        self.doubtful: set[str | None] = set()

    def faults(self) -> Iterator[Fault]:
        """Yield everything that is wrong."""
        for number, sheet in enumerate(self.file["sheet"]):
            columns, rows, questions = (
                [(("sheet", number, kind, i), line) for i, line in enumerate(sheet[kind])]
                for kind in ("columns", "rows", "questions")
            )
            rows += questions
            if not columns or not rows:
                self.doubtful.add(None)
                said = f"the sheet {sheet['name']!r} has no cell: it needs columns, and rows or"
                yield ("sheet", number), f"{said} questions"
            for lines in (rows, columns):
                yield from twice([(loc, line["code"]) for loc, line in lines])
                yield from _sums(lines)
                yield from self._left_out(lines, sheet["measure"])
                for loc, line in lines:
                    if line["label"] is None and len(line["dims"]) != 1:
                        said = "needs a label: there is not one code alone that words it"
                        yield loc, f"{line['code']!r} {said}"
            yield from _by_line([*self._cells(sheet, rows, columns)], len(rows))
        yield from cover_faults(self.file["sheet"])
        yield from self._nested()

    def _cells(self, sheet: Said, rows: Lines, columns: Lines) -> Iterator[_Wrong]:
        """Count the cells of a sheet; yield what is wrong with one."""
        for (at, row), (top, column) in ((r, c) for r in rows for c in columns):
            code, kind = row["code"], row["kind"] or column["kind"] or sheet["kind"]
            asked = {QUESTION: code} if "questions" in at else {}
            by = at if asked or row["kind"] else top if column["kind"] else (*at[:2], "kind")
            wrong, of_kind = partial(_Wrong, at, top), partial(_Wrong, at, by)
            if asked and (kind, row["period"]) != ("answer", NOW):
                of = f"is a question, of kind {kind} and period {row['period']}"
                own = "it must be of kind answer, and of the collection's own period"
                yield of_kind("question", f"{code!r} {of}; {own}")
            if kind == "answer" and not row["answers"]:
                yield of_kind("answers", f"{code!r} is answered by a code; give its answers")
            if row["sum_of"] or column["sum_of"]:
                continue
            measure = row["measure"] or column["measure"] or sheet["measure"]
            dims = {**row["dims"], **column["dims"]}
            other = [name for name in row["dims"] if dims[name] != row["dims"][name]]
            if other:
                said = f"its row and its column {column['code']!r} have another {other[0]}"
                yield wrong("dims", said)
            elif measure is None and dims:
                yield wrong("measure", f"{code!r} has dims and no measure; say what it counts")
            if other or measure not in self.file["measures"]:
                self.doubtful |= {measure if other else None} if measure or dims else set()
                continue
            if kind not in {"count", "answer"}:
                none = f"counts {measure}, and is no count or answer but {kind}"
                yield of_kind("kind", f"{code!r} {none}")
            counts = (measure, row["period"], *sorted((asked | dims).items()))
            cell = Cell(at, top, f"{sheet['name']} {code} {column['code']}")
            if there := self._count(cell, counts):
                said = f"{code!r} counts the same as {there.called}: it would be counted twice"
                yield wrong("twice", said)

    def _count(self, cell: Cell, counts: tuple[Any, ...]) -> Cell | None:
        """Count a cell; return the one that counts the same, None where it is the only one."""
        there = self.counted.setdefault(counts, cell)
        if there is not cell or self.unsure.has(*cell.row) or self.unsure.has(*cell.column):
            self.doubtful.add(counts[0])
        return there if there is not cell else None

    def _nested(self) -> Iterator[Fault]:
        """Yield the cells whose count holds that of another, which a total would add again."""
        now = [(key[0], set(key[2:]), at) for key, at in self.counted.items() if key[1] == NOW]
        found: list[_Wrong] = []
        for measure, dims, cell in now:
            part = next((at for m, d, at in now if m == measure and dims < d), None)
            if part and "rows" in cell.row:
                _, row, column = cell.called.split()
                said = (
                    f"what {row!r} counts in {column!r} holds what {part.called} counts, and a"
                    " total would add both: mark it with sum_of, or give it a code of its own"
                )
                self.doubtful.add(measure)
                found.append(_Wrong(cell.row, cell.column, "nested", said))
        yield from _by_line(found, len({cell.row for *_, cell in now}))

    def _left_out(self, lines: Lines, measure: str | None) -> Iterator[Fault]:
        """Yield the sums without a line that counts what all their parts count.

        A sum of some codes alone is meant where it is called as the group of just these is, and
        where a wider sum has the others too.
        """
        by_code = {line["code"]: line for _, line in lines}
        sums = [
            (at, line, {c for c in within(line["code"], by_code) if not by_code[c]["sum_of"]})
            for at, line in lines
            if line["sum_of"]
        ]
        for at, line, codes in sums:
            parts = [by_code[code] for code in codes]
            if not any(part["dims"] for part in parts) or line["code"] in _below(line, by_code):
                continue
            shared = set.intersection(*(_counts(part, measure) for part in parts))
            for code, other in by_code.items():
                counts = _counts(other, measure)
                alike = shared < counts or (
                    len(parts) == 1
                    and (
                        {name for name, _ in counts} == {name for name, _ in shared}
                        and len(counts - shared) == 1
                        and counts ^ shared <= {*other["dims"].items(), *parts[0]["dims"].items()}
                    )
                )
                if other["sum_of"] or code in codes or not alike:
                    continue
                meant = any(codes | {code} <= wider for *_, wider in sums) or any(
                    {part["dims"].get(name) for part in parts}
                    == set(self.file["groups"].get(name, {}).get(line["code"], ()))
                    for name, _ in counts - shared
                )
                if not meant:
                    yield (
                        (*at, "sum_of"),
                        f"{line['code']!r} leaves out {code!r}, which counts what its parts count:"
                        f" add it, or call the sum as the one of [groups] that has its codes",
                    )


def _by_line(found: Sequence[_Wrong], rows: int) -> Iterator[Fault]:
    """Yield once what is wrong in several cells of a line: of a column where most rows have it."""
    times = Counter((each.kind, each.column) for each in found)
    told: dict[tuple[str, Loc], str] = {}
    for each in found:
        most = times[each.kind, each.column] > max(1, rows / 2)
        told.setdefault((each.kind, each.column if most else each.row), each.said)
    yield from ((loc, said) for (_, loc), said in told.items())


def _sums(lines: Lines) -> Iterator[Fault]:
    by_code = {line["code"]: line for _, line in lines}
    of_sums = {rule.id for rule in rules().values() if "sum" in rule.says}
    ring = set[str]()
    for at, line in lines:
        code, parts = line["code"], line["sum_of"]
        below = _below(line, by_code)
        if code in below and code not in ring:
            ring |= below
            yield (*at, "sum_of"), f"{code!r} is a part of itself"
        leaves = Counter(
            leaf
            for part in set(parts)
            for leaf in within(part, by_code)
            if leaf in by_code and not by_code[leaf]["sum_of"]
        )
        if again := [leaf for leaf, times in leaves.items() if times > 1 and code not in below]:
            said = f"{code!r} adds up {again[0]!r} more than once, by several of its parts"
            yield (*at, "sum_of"), said
        if line["rule"] and line["rule"] not in of_sums:
            said = f"there is no rule {line['rule']!r} of sums that a sum could be held to"
            yield (*at, "rule"), said
        if parts and (line["dims"] or line["measure"]):
            yield at, f"{code!r} is a sum, which counts nothing; give it no dims"


def _below(line: Said, lines: Mapping[str, Said]) -> set[str]:
    """Return all that a line adds up, by their codes; itself only where it is a part of itself."""
    return set[str]().union(*(within(part, lines) for part in line["sum_of"]))


def within(code: str, lines: Mapping[str, Said]) -> set[str]:
    """Return a line and all that it adds up, by their codes."""
    found, left = set[str](), [code]
    while left:
        one = left.pop()
        if one in lines and one not in found:
            found.add(one)
            left += lines[one]["sum_of"]
    return found


def _counts(line: Said, measure: str | None) -> set[tuple[str, str | None]]:
    """Return what a line counts: measure, period and codes."""
    of = {("measure", line["measure"] or measure), ("period", line["period"])}
    return of | set(line["dims"].items())


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
    if cells and not (
        said["levels"] or said["statistics"] or any(QUESTION in dims for dims, _ in cells)
    ):
        yield loc, f"no total of {name!r} is given: give it levels, or statistics"
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
