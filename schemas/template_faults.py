"""What in the sheets of a template cannot be meant: their lines, sums and cells."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from itertools import product
from typing import Any, Final, NamedTuple

from schemas.cover import PREFILLED, cover_faults
from schemas.faults import Fault, Unsure, twice
from schemas.measures import NOW, QUESTION, Line, TemplateFile
from schemas.rules.catalogue import rules
from schemas.template import Entry, Template
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

Lines = Sequence[tuple[Loc, Line]]
"""Rows or columns of a sheet as the file has them, each with the keys that lead to it."""

Sums = Mapping[str, Sequence[str]]
"""The parts that each row or column of a sheet adds up, by its code: none where it counts."""

_Wrong = tuple[Loc, Loc, str, str]
"""The row and the column of a cell, in which way it is wrong, and what is said of that."""


class Cell(NamedTuple):
    """A cell that counts something, and the keys that lead to its row and its column."""

    row: Loc
    column: Loc
    entry: Entry

    def __str__(self) -> str:
        """Return how it is called."""
        return " ".join(self.entry.place)


class Sheets:
    """The sheets of a template, as its file has them with names mended, and as they are built.

    `counted` has each cell by what it counts: measure, period, dims. `doubtful` are the measures
    of cells that do not count what they are meant to.
    """

    def __init__(self, file: TemplateFile, template: Template, unsure: Unsure) -> None:
        """Take a template, in which nothing is counted yet, and where nobody can tell."""
        self.file, self.template, self.unsure = file, template, unsure
        self.counted: dict[tuple[Any, ...], Cell] = {}
        self.doubtful: set[str | None] = set() if file.sheet else {None}

    def faults(self) -> Iterator[Fault]:
        """Yield everything that is wrong."""
        has_cover = "cover" in [sheet.name for sheet in self.file.sheet]
        for number, sheet in enumerate(self.file.sheet):
            columns, rows, questions = (
                [(("sheet", number, kind, i), line) for i, line in enumerate(getattr(sheet, kind))]
                for kind in ("columns", "rows", "questions")
            )
            rows += questions
            built = self.template.sheets[number]
            if not columns or not rows:
                self.doubtful.add(None)
                self.unsure.names.add(sheet.name)
                said = f"the sheet {sheet.name!r} has no cell: it needs columns, and rows or"
                yield ("sheet", number), f"{said} questions"
            for lines, said_of in ((rows, built.rows), (columns, built.heads)):
                yield from twice([(loc, line.code) for loc, line in lines])
                yield from _labels(lines, [line.label for line in said_of])
                yield from _sums(lines)
                yield from self._left_out(lines, sheet.measure)
                prefilled = {*PREFILLED} if sheet.name == "cover" else set[str]()
                misnamed = not has_cover or prefilled - {line.code for _, line in lines}
                for loc, line in lines:
                    yield from _line(loc, line)
                    if line.locked and line.code not in prefilled and not misnamed:
                        yield loc, f"{line.code!r} is for the sender: it is not locked"
            yield from _by_line([*self._cells(number, rows, columns)], len(rows))
        yield from cover_faults(self.file.sheet)
        yield from self._nested()

    def _cells(self, number: int, rows: Lines, columns: Lines) -> Iterator[_Wrong]:
        """Count the cells of a sheet; yield what is wrong with one."""
        built = (entry for row in self.template.sheets[number].rows for entry in row.entries)
        for ((at, row), (top, column)), entry in zip(product(rows, columns), built, strict=True):
            by = at if row.kind or "questions" in at else top if column.kind else (*at[:2], "kind")
            yield from _of_kind(entry, (at, row), (top, column), by)
            if row.sum_of or column.sum_of:
                continue
            measure, dims = entry.measure, {**row.dims, **column.dims}
            other = [name for name in row.dims if dims[name] != row.dims[name]]
            other += ["period"] * (len({row.period, column.period} - {NOW}) > 1)
            if other:
                said = f"its row and its column {column.code!r} have another {other[0]}"
                yield at, top, "dims", said
                self.doubtful |= {measure} if measure or dims else set()
            elif measure is None or measure not in self.file.measures:
                if measure is None and dims:
                    said = f"{row.code!r} has dims and no measure; say what it counts"
                    yield at, top, "measure", said
                self.doubtful |= {None} if measure or dims else set()
            else:
                if entry.kind not in {"count", "answer"}:
                    none = f"counts {measure}, and is no count or answer but {entry.kind}"
                    yield at, by, "kind", f"{row.code!r} {none}"
                dims |= {QUESTION: row.code} if "questions" in at else {}
                if there := self._count(Cell(at, top, entry), dims):
                    said = f"{row.code!r} counts the same as {there}: it would be counted twice"
                    yield at, top, "twice", said

    def _count(self, cell: Cell, dims: Mapping[str, str]) -> Cell | None:
        """Count a cell; return the one that counts the same, None where it is the only one."""
        counts = (cell.entry.measure, cell.entry.period, *sorted(dims.items()))
        there = self.counted.setdefault(counts, cell)
        if there is not cell or self.unsure.has(*cell.row) or self.unsure.has(*cell.column):
            self.doubtful.add(cell.entry.measure)
        return there if there is not cell else None

    def _nested(self) -> Iterator[Fault]:
        """Yield the cells whose count holds that of another, which a total would add again."""
        now = [
            (of, {*dims}, at) for (of, period, *dims), at in self.counted.items() if period == NOW
        ]
        found = list[_Wrong]()
        for measure, dims, cell in now:
            part = next((at for m, d, at in now if m == measure and dims < d), None)
            if part and "rows" in cell.row:
                said = (
                    f"what {cell.entry.row_code!r} counts in {cell.entry.column_code!r} holds what"
                    f" {part} counts, and a total would add both: mark it with sum_of, or give it"
                    " a code of its own"
                )
                self.doubtful.add(measure)
                found.append((cell.row, cell.column, "nested", said))
        yield from _by_line(found, len({cell.row for *_, cell in now}))

    def _left_out(self, lines: Lines, measure: str | None) -> Iterator[Fault]:
        """Yield the sums without a line that counts what all their parts count.

        A sum of some codes alone is meant where it is called as the group of just these is, and
        where a wider sum has the others too.
        """
        by_code = {line.code: line for _, line in lines}
        sums = {code: line.sum_of for code, line in by_code.items()}
        leaves = {at: {code for code in within(line.code, sums) if not sums[code]}
                  for at, line in lines if line.sum_of}  # fmt: skip
        for at, line in (each for each in lines if each[0] in leaves):
            codes = leaves[at]
            parts = [by_code[code] for code in codes]
            if not any(part.dims for part in parts) or line.code in _below(line.sum_of, sums):
                continue
            shared = set.intersection(*(_counts(part, measure) for part in parts))
            for code, other in by_code.items():
                counts = _counts(other, measure)
                alike = shared < counts or (
                    len(parts) == 1
                    and (
                        {name for name, _ in counts} == {name for name, _ in shared}
                        and len(counts - shared) == 1
                        and counts ^ shared <= {*other.dims.items(), *parts[0].dims.items()}
                    )
                )
                if other.sum_of or code in codes or not alike:
                    continue
                meant = any(codes | {code} <= wider for wider in leaves.values()) or any(
                    {part.dims.get(name) for part in parts}
                    == set(self.file.groups.get(name, {}).get(line.code, ()))
                    for name, _ in counts - shared
                )
                if not meant:
                    yield (
                        (*at, "sum_of"),
                        f"{line.code!r} leaves out {code!r}, which counts what its parts count:"
                        f" add it, or call the sum as the one of [groups] that has its codes",
                    )


def _of_kind(
    entry: Entry, row: tuple[Loc, Line], column: tuple[Loc, Line], by: Loc
) -> Iterator[_Wrong]:
    """Yield what the row or column of a cell says that cells of its kind are not, or lack.

    `by` is where it is said of which kind it is.
    """
    (at, of), (_, top), kind = row, column, entry.kind
    if "questions" in at and (kind, entry.period) != ("answer", NOW):
        asked = f"is a question, of kind {kind} and period {entry.period}"
        own = "it must be of kind answer, and of the collection's own period"
        yield at, by, "question", f"{of.code!r} {asked}; {own}"
    if kind == "answer" and not of.answers:
        yield at, by, "answers", f"{of.code!r} is answered by a code; give its answers"
    said = f"{of.code!r} is of kind {kind}"
    if kind != "answer" and of.answers:
        yield at, at, "answers", f"{said}, not answered by a code; take its answers out"
    counts = kind in {"text", "date"} and (of.dims or of.measure)  # told as such
    for loc, line in (row, column) if kind != "count" and not counts else ():
        if line.missing_in(top.code):
            yield loc, loc, "missing", f"{said}: a reason stands only in place of a count"


def _by_line(found: Sequence[_Wrong], rows: int) -> Iterator[Fault]:
    """Yield once what is wrong in several cells of a line: of a column where most rows have it."""
    times = Counter((kind, column) for _, column, kind, _ in found)
    told: dict[tuple[str, Loc], str] = {}
    for row, column, kind, said in found:
        most = times[kind, column] > max(1, rows / 2)
        told.setdefault((kind, column if most else row), said)
    yield from ((loc, said) for (_, loc), said in told.items())


def _line(loc: Loc, line: Line) -> Iterator[Fault]:
    """Yield what a line lacks, and what it has that nothing reads there."""
    code = line.code
    if line.label is None and len(line.dims) != 1:
        yield loc, f"{code!r} needs a label: there is not one code alone that words it"
    for key, of in _READ_OF.items():
        if getattr(line, key) and loc[2] not in of:
            yield (*loc, key), f"{code!r} has {key}, which only {listed(of)} have; take it out"
    for key in _OF_SUMS if not line.sum_of else ():
        if getattr(line, key):
            yield (*loc, key), f"{code!r} has {key}, and is no sum, which alone has that"


def _labels(lines: Lines, labels: Sequence[str]) -> Iterator[Fault]:
    """Yield lines that are called as others are: of cells that moved their labels tell.

    What is called alike in its list is told there.
    """
    there: dict[str, Line] = {}
    for (loc, line), label in zip(lines, labels, strict=True):
        other = there.setdefault(label, line)
        if other.code != line.code and (line.label, other.label) != (None, None):
            said = f"{line.code!r} is called {label!r}, as {other.code!r} is"
            yield (*loc, "label"), f"{said}: nobody could tell them apart"


def _sums(lines: Lines) -> Iterator[Fault]:
    sums = {line.code: line.sum_of for _, line in lines}
    of_sums = {rule.id for rule in rules().values() if "sum" in rule.says}
    ring = set[str]()
    for at, line in lines:
        code, parts, below = line.code, line.sum_of, _below(line.sum_of, sums)
        if code in below and code not in ring:
            ring |= below
            yield (*at, "sum_of"), f"{code!r} is a part of itself"
        leaves = Counter(
            leaf for part in set(parts) for leaf in within(part, sums) if not sums[leaf]
        )
        if again := [leaf for leaf, times in leaves.items() if times > 1 and code not in below]:
            said = f"{code!r} adds up {again[0]!r} more than once, by several of its parts"
            yield (*at, "sum_of"), said
        if line.rule and line.rule not in of_sums:
            said = f"there is no rule {line.rule!r} of sums that a sum could be held to"
            yield (*at, "rule"), said
        for part in line.unheld if parts else ():
            if part in sums and part not in parts:
                said = f"{part!r} is no part of {code!r}: name one of {listed(parts)}"
                yield (*at, "unheld"), said
        if parts and (line.dims or line.measure):
            yield at, f"{code!r} is a sum, which counts nothing; give it no dims"


def _below(parts: Sequence[str], sums: Sums) -> set[str]:
    """Return all that a sum of parts adds up, by their codes: itself where it is one of these."""
    return set[str]().union(*(within(part, sums) for part in parts))


def within(code: str, sums: Sums) -> set[str]:
    """Return a line and all that it adds up, by their codes."""
    found, left = set[str](), [code]
    while left:
        one = left.pop()
        if one in sums and one not in found:
            found.add(one)
            left += sums[one]
    return found


def _counts(line: Line, measure: str | None) -> set[tuple[str, str | None]]:
    """Return what a line counts: measure, period and codes."""
    of = {("measure", line.measure or measure), ("period", line.period)}
    return of | set(line.dims.items())
