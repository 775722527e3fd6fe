"""What in the sheets of a template cannot be meant: their lines, sums and cells."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from typing import Any, Final, NamedTuple

from schemas.cover import PREFILLED, cover_faults
from schemas.faults import Fault, Unsure, twice
from schemas.measures import NOW, QUESTION
from schemas.rules.catalogue import rules
from schemas.toml_lines import Loc
from schemas.wording import listed

_READ_OF: Final = {
    "answers": ("rows", "questions"),
    "area": ("questions",),
    "check": ("rows",),
}
"""Keys of a line that are read of some kinds of lines alone."""

_OF_SUMS: Final = ("rule", "named", "unheld", "check")
"""Keys of a line that are read of sums alone."""

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
        has_cover = "cover" in [sheet["name"] for sheet in self.file["sheet"]]
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
                prefilled = {*PREFILLED} if sheet["name"] == "cover" else set[str]()
                misnamed = not has_cover or prefilled - {line["code"] for _, line in lines}
                for loc, line in lines:
                    yield from _line(loc, line)
                    if line["locked"] and line["code"] not in prefilled and not misnamed:
                        yield loc, f"{line['code']!r} is for the sender: it is not locked"
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
            periods = [line["period"] for line in (row, column) if line["period"] != NOW] or [NOW]
            if asked and (kind, periods[0]) != ("answer", NOW):
                of = f"is a question, of kind {kind} and period {periods[0]}"
                own = "it must be of kind answer, and of the collection's own period"
                yield of_kind("question", f"{code!r} {of}; {own}")
            if kind == "answer" and not row["answers"]:
                yield of_kind("answers", f"{code!r} is answered by a code; give its answers")
            yield from _not_of_kind(kind, (at, row), (top, column))
            if row["sum_of"] or column["sum_of"]:
                continue
            measure = row["measure"] or column["measure"] or sheet["measure"]
            dims = {**row["dims"], **column["dims"]}
            other = [name for name in row["dims"] if dims[name] != row["dims"][name]]
            other += ["period"] * (len({*periods}) > 1)
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
            counts = (measure, periods[0], *sorted((asked | dims).items()))
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


def _not_of_kind(kind: str, row: tuple[Loc, Said], column: tuple[Loc, Said]) -> Iterator[_Wrong]:
    """Yield what the row or column of a cell says that nothing reads in cells of its kind."""
    said = f"{row[1]['code']!r} is of kind {kind}"
    if kind != "answer" and row[1]["answers"]:
        out = f"{said}, not answered by a code; take its answers out"
        yield _Wrong(row[0], row[0], "answers", out)
    counts = kind in {"text", "date"} and (row[1]["dims"] or row[1]["measure"])  # told as such
    for loc, line in (row, column) if kind != "count" and not counts else ():
        if line["missing"].get(column[1]["code"], line["missing"].get("*")):
            yield _Wrong(loc, loc, "missing", f"{said}: a reason stands only in place of a count")


def _by_line(found: Sequence[_Wrong], rows: int) -> Iterator[Fault]:
    """Yield once what is wrong in several cells of a line: of a column where most rows have it."""
    times = Counter((each.kind, each.column) for each in found)
    told: dict[tuple[str, Loc], str] = {}
    for each in found:
        most = times[each.kind, each.column] > max(1, rows / 2)
        told.setdefault((each.kind, each.column if most else each.row), each.said)
    yield from ((loc, said) for (_, loc), said in told.items())


def _line(loc: Loc, line: Said) -> Iterator[Fault]:
    """Yield what a line lacks, and what it has that nothing reads there."""
    code = line["code"]
    if line["label"] is None and len(line["dims"]) != 1:
        yield loc, f"{code!r} needs a label: there is not one code alone that words it"
    for key, of in _READ_OF.items():
        if line[key] and loc[2] not in of:
            yield (*loc, key), f"{code!r} has {key}, which only {listed(of)} have; take it out"
    for key in _OF_SUMS if not line["sum_of"] else ():
        if line[key]:
            yield (*loc, key), f"{code!r} has {key}, and is no sum, which alone has that"


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
        for part in (each for each in line["unheld"] if parts and each in by_code):
            if part not in parts:
                yield (
                    (*at, "unheld"),
                    f"{part!r} is no part of {code!r}: name one of {listed(parts)}",
                )
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
