"""What a return consists of: sheets, rows, columns, the entries at their crossings."""

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from fnmatch import translate
from functools import cache, cached_property
from pathlib import Path
from typing import Final

from pydantic import SkipValidation

from schemas.measures import (
    NOW,
    QUESTION,
    SHOWN,
    CaseRows,
    Figure,
    Kind,
    Line,
    Measure,
    Protections,
)  # fmt: skip
from schemas.rules.catalogue import RuleUse, rules
from schemas.toml_lines import Loc
from schemas.vocabulary import NOT_HELD

Place = tuple[str, str, str]
"""Sheet, row code and column code, which identify an entry."""

Numbers = Mapping[Place, int | str | None]
"""Of each place its number; the reason why it has none; None where it is blank or unreadable."""

Weights = dict[Place, int]
"""How often each place counts."""

Grid = tuple[tuple[Place, ...], ...]
"""The places of a sheet, row by row."""

HEADER_CODE: Final = "code"
"""The text in column A that marks the header row of a sheet."""

LABEL_CODE: Final = "label"

SUM: Final = "C001"
"""The rule that a sum is held to where the template names none."""

_LEAST_HEADER_ROW: Final = 5
_FIRST_ENTRY_COLUMN: Final = 3


@cache
def column_letter(number: int) -> str:
    """Return the letters of a 1-based column number: 1 is A, 28 is AB."""
    letters = ""
    while number:
        number, rest = divmod(number - 1, 26)
        letters = chr(ord("A") + rest) + letters
    return letters


def address(row: int, column: int) -> str:
    """Return the A1 form of a 1-based row and column."""
    return f"{column_letter(column)}{row}"


@dataclass(frozen=True)
class Entry:
    """One cell a force answers: what may stand in it, and what it counts.

    `answers` lists the codes of an `answer`; `missing` the reasons (`not_held`, `not_applicable`)
    that are accepted in place of a value. A `locked` cell is prefilled and not for the force.
    `measure` is what it counts, None where it counts nothing: a sum repeats what other cells say.
    `dims` maps the dimensions to this cell's codes, in the order of the template's lists.
    """

    sheet: str
    row_code: str
    column_code: str
    kind: Kind
    answers: tuple[str, ...] = ()
    missing: tuple[str, ...] = ()
    locked: bool = False
    measure: str | None = None
    dims: Mapping[str, str] = field(default_factory=dict)
    period: str = NOW

    def __hash__(self) -> int:
        """Hash by place, which is unique in a template."""
        return hash(self.place)

    @property
    def place(self) -> Place:
        """Sheet, row code and column code, which identify the entry."""
        return self.sheet, self.row_code, self.column_code


class Column(Line):
    """One column of a sheet; `sum_of` lists the columns whose sum it repeats."""

    label: str


class Row(Column):
    """One line of a sheet. `entries` has one entry for each of the sheet's columns, in order.

    `sum_of` lists the rows whose sum it repeats.
    """

    entries: SkipValidation[tuple[Entry, ...]]


@dataclass(frozen=True)
class Edit:
    """A condition on the numbers of a return: `parts` add up to `whole`, or to at most that.

    `more` is added to the whole. Of `unheld`, what has a reason in place of a number counts as
    nothing. `rule` is what holds returns to it, with findings `at` these places.
    """

    rule: str
    parts: tuple[Place, ...]
    whole: tuple[Place, ...]
    unheld: frozenset[Place] = frozenset()
    equal: bool = True
    at: tuple[Place, ...] = ()
    more: int = 0

    def weights(self, numbers: Numbers) -> Weights:
        """Return how often each place counts in parts less whole; none where it does not apply.

        Of a whole of whose parts none is held it says nothing: it is not 0 for that.
        """
        weights = Counter(self.parts)
        weights.subtract(self.whole)
        reasons = {p for p in weights if isinstance(numbers.get(p, NOT_HELD), str)}
        nothing = reasons & self.unheld & numbers.keys()
        if reasons - nothing or (nothing and nothing.issuperset(self.parts)):
            return {}
        return {p: w for p, w in weights.items() if p not in nothing}


@dataclass(frozen=True)
class Sum(Edit):
    """A total that a return repeats, by its place; `line` is the row or the column that does."""

    line: Column = field(kw_only=True, hash=False)

    @property
    def total(self) -> Place:
        """The place that repeats it."""
        return self.whole[0]


@dataclass(frozen=True)
class Sheet:
    """One sheet.

    In instructions `{period}`, `{census}`, `{soft}` and `{hard}` stand for the collection's dates.
    """

    name: str
    title: str
    instructions: tuple[str, ...]
    heads: tuple[Column, ...]
    rows: tuple[Row, ...]

    def __hash__(self) -> int:
        """Hash by name, which is unique in a template."""
        return hash(self.name)

    @cached_property
    def columns(self) -> dict[str, str]:
        """The wording of each column by its code."""
        return {column.code: column.label for column in self.heads}

    @property
    def header(self) -> tuple[str, ...]:
        """The header row's cells: `code`, `label`, then the column codes."""
        return (HEADER_CODE, LABEL_CODE, *self.columns)

    @property
    def header_row(self) -> int:
        """Row of the header in the blank workbook, below the title, instructions and wordings."""
        return max(_LEAST_HEADER_ROW, len(self.instructions) + 3)

    @cached_property
    def row_numbers(self) -> dict[str, int]:
        """Row number of each row code in the blank workbook."""
        return {row.code: self.header_row + 1 + index for index, row in enumerate(self.rows)}

    @cached_property
    def column_numbers(self) -> dict[str, int]:
        """Column number of each column code in the blank workbook."""
        return {code: _FIRST_ENTRY_COLUMN + index for index, code in enumerate(self.columns)}

    def address(self, row_code: str, column_code: str) -> str:
        """Return where an entry stands in the blank workbook."""
        return address(self.row_numbers[row_code], self.column_numbers[column_code])

    def sums(self) -> Iterator[Sum]:
        """Yield every total of the sheet with its parts: along each row, then down each column."""
        entries = {(row.code, e.column_code): e for row in self.rows for e in row.entries}
        for column in self.heads:
            for row in self.rows if column.sum_of else ():
                parts = [entries[row.code, part] for part in column.sum_of]
                yield self._sum(entries[row.code, column.code], parts, column)
        for row in self.rows:
            for column in self.heads if row.sum_of else ():
                parts = [entries[part, column.code] for part in row.sum_of]
                yield self._sum(entries[row.code, column.code], parts, row)

    def _sum(self, total: Entry, parts: list[Entry], line: Column) -> Sum:
        places, whole = tuple(part.place for part in parts), (total.place,)
        unheld = frozenset(part.place for part in parts if part.missing)
        return Sum(line.rule or SUM, places, whole, unheld, at=whole, line=line)


@dataclass(frozen=True)
class Template:
    """A return template: its code lists, each code with its label, and its sheets in order.

    `groups` maps a dimension to the codes that stand for several of its list; `since` maps it to
    codes that the version before called otherwise, each with its name there. `cases` is None where
    no case-level extracts are taken. `rules` are those between cells, but for sums, which follow
    from the sheets. `disclosure` says what a public edition protects; without it there is none.
    `path` is the file, for who reads it by itself.
    """

    name: str
    version: int
    lists: dict[str, dict[str, str]]
    groups: dict[str, dict[str, tuple[str, ...]]]
    measures: dict[str, Measure]
    profile: dict[str, Figure]
    sheets: tuple[Sheet, ...]
    since: dict[str, dict[str, str]] = field(default_factory=dict)
    cases: CaseRows | None = None
    rules: tuple[RuleUse, ...] = ()
    disclosure: Protections | None = None
    path: Path = Path()

    def __hash__(self) -> int:
        """Hash by name and version, which identify a template."""
        return hash((self.name, self.version))

    def sheet(self, name: str) -> Sheet:
        """Return the sheet of that name."""
        return next(sheet for sheet in self.sheets if sheet.name == name)

    def entries(self) -> Iterator[Entry]:
        """Yield every entry, sheet by sheet, row by row."""
        return (entry for sheet in self.sheets for row in sheet.rows for entry in row.entries)

    @property
    def dimensions(self) -> tuple[str, ...]:
        """What cells are counted by, in the order of the lists."""
        return (QUESTION, *self.lists)

    def ordered(self, levels: Iterable[Iterable[str]]) -> list[str]:
        """Return the dimensions of some levels, each once, in the order of the lists."""
        return sorted({name for level in levels for name in level}, key=self.dimensions.index)

    def counted(self) -> list[Entry]:
        """Return the entries that count something, in their order."""
        return [entry for entry in self.entries() if entry.measure is not None]

    @property
    def cases_rule(self) -> str | None:
        """The rule that holds counts to the rows of case-level extracts, null where none does."""
        return next((use.id for use in self.rules if use.use == "cases" and self.cases), None)

    @property
    def of_cases(self) -> str | None:
        """The measure that the rows of case-level extracts count, null where none does."""
        return self.cases.measure if self.cases else None

    @property
    def main(self) -> str | None:
        """The first measure that has a total of everything: every force has a part in it."""
        whole = (
            (n, m)
            for n, m in self.measures.items()
            if any(not lv.by and not lv.without for lv in m.levels)
        )
        return next((name for name, _ in whole), None)

    def codes_of(self, measure: str | None, dimension: str) -> tuple[str, ...]:
        """Return the codes that cells of a measure in the own period have, in the list's order."""
        cells = (e for e in self.counted() if (e.measure, e.period) == (measure, NOW))
        used = {entry.dims.get(dimension) for entry in cells}
        return tuple(code for code in self.lists.get(dimension, {}) if code in used)

    @cached_property
    def asked(self) -> list[Row]:
        """The rows that are questions, each answered by a code, in their order."""
        rows = (row for sheet in self.sheets for row in sheet.rows)
        return [row for row in rows if row.entries and QUESTION in row.entries[0].dims]

    def shown(self, measure: str) -> tuple[str, str] | None:
        """Return the public mart in which a measure's entries stand, and its column, if any does.

        It is no matter of what a template says: a count that stands where it is not looked for
        would be public unprotected.
        """
        mart, column, needs = SHOWN.get(measure, ("", "", ""))
        return (mart, column) if needs in self.measures else None

    def sums(self) -> list[Sum]:
        """Return every total with its parts, sheet by sheet."""
        return [each for sheet in self.sheets for each in sheet.sums()]

    def stated(self) -> Iterator[tuple[Loc, Edit]]:
        """Yield every linear condition, after the keys that lead to the line that states it."""
        for number, sheet in enumerate(self.sheets):
            for each in sheet.sums():
                rows = isinstance(each.line, Row)
                lines: Sequence[Column] = sheet.rows if rows else sheet.heads
                line = ("rows" if rows else "columns", lines.index(each.line), "sum_of")
                yield ("sheet", number, *line), each
        for number, use in enumerate(self.rules):
            if use.use == "at_most":
                parts, whole, at = (
                    tuple(place for text in written for place in self.places(text))
                    for written in (use.parts, use.whole, use.at)
                )
                unheld = frozenset(parts if use.unheld else ())
                yield ("rules", number), Edit(use.id, parts, whole, unheld, equal=False, at=at)

    @cached_property
    def edits(self) -> tuple[Edit, ...]:
        """The linear conditions that a return is rejected by."""
        every = (edit for _, edit in self.stated())
        return tuple(e for e in every if e.equal or rules()[e.rule].severity == "B")

    @cached_property
    def grids(self) -> tuple[Grid, ...]:
        """The places of each sheet, row by row."""
        return tuple(tuple(tuple(e.place for e in r.entries) for r in s.rows) for s in self.sheets)

    @cached_property
    def leaves(self) -> dict[Place, tuple[Place, ...]]:
        """By the place of each sum the cells that it adds up in the end, none of which is a sum."""
        sums = {each.total: each.parts for each in self.sums()}

        def below(place: Place) -> tuple[Place, ...]:
            if place not in sums:
                return (place,)
            return tuple(leaf for part in sums[place] for leaf in below(part))

        return {total: below(total) for total in sums}

    def places(self, written: str) -> list[Place]:
        """Return the places written as `sheet/row/column`, where a `*` stands for any code."""
        if not {*"*?["} & {*written}:
            return [place for place in [tuple(written.split("/"))] if place in self.entry_at]
        is_meant = re.compile(translate(written)).match
        return [place for place in self.entry_at if is_meant("/".join(place))]

    @cached_property
    def rules_in_use(self) -> frozenset[str]:
        """The rules that a return on this template is held to: no limits but theirs are needed."""
        always = {rule.id for rule in rules().values() if rule.needs}
        return frozenset(always | {s.rule for s in self.sums()} | {use.id for use in self.rules})

    @cached_property
    def national_rules(self) -> frozenset[str]:
        """The rules with limits that totals of this template are held to.

        M006 judges the main measure by its dimensions, M007 the shares of it.
        """
        main = self.measures.get(self.main or "")
        if main is None:
            return frozenset()
        parted = main.crossed_by or any(level.by and not level.without for level in main.levels)
        shared = any(len(share.by) == 1 and not share.within for share in main.shares)
        return frozenset(rule for rule, judges in (("M006", parted), ("M007", shared)) if judges)

    @cached_property
    def entry_at(self) -> dict[Place, Entry]:
        """Each entry by (sheet, row code, column code)."""
        return {entry.place: entry for entry in self.entries()}
