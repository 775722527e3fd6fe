"""What a return workbook consists of: sheets, rows, columns and the entry at each crossing.

Belongs here: the structure, and where each entry stands in the blank workbook. Does not: the
content of template `returns` (returns_template.py), nor writing or reading files (assets/).
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Final, Literal

Kind = Literal["count", "answer", "date", "text"]

HEADER_CODE: Final = "code"
"""The text in column A that marks the header row of a sheet."""

LABEL_CODE: Final = "label"
_LEAST_HEADER_ROW: Final = 5

_FIRST_ENTRY_COLUMN: Final = 3


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
    """One cell a force answers: its kind and what may stand in it besides.

    `answers` lists the codes of an `answer`; `missing` the reasons (`not_held`, `not_applicable`)
    that are accepted in place of a value. A `locked` cell is prefilled and not for the force.
    """

    sheet: str
    row_code: str
    column_code: str
    kind: Kind
    answers: tuple[str, ...] = ()
    missing: tuple[str, ...] = ()
    locked: bool = False

    @property
    def place(self) -> tuple[str, str, str]:
        """Sheet, row code and column code, which identify the entry."""
        return self.sheet, self.row_code, self.column_code


@dataclass(frozen=True)
class Row:
    """One line of a sheet. `entries` has one entry for each of the sheet's columns, in order.

    `is_sum` marks a row whose figures repeat the sum of others.
    """

    code: str
    label: str
    entries: tuple[Entry, ...]
    is_sum: bool = False


@dataclass(frozen=True)
class Sheet:
    """One sheet: `columns` maps column codes to their wording.

    In instructions `{period}`, `{census}`, `{soft}` and `{hard}` stand for the collection's dates.
    """

    name: str
    title: str
    instructions: tuple[str, ...]
    columns: dict[str, str]
    rows: tuple[Row, ...]

    def __hash__(self) -> int:
        """Hash by name, which is unique in a template."""
        return hash(self.name)

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


@dataclass(frozen=True)
class Template:
    """A return template: its sheets in order."""

    name: str
    version: int
    sheets: tuple[Sheet, ...]

    def __hash__(self) -> int:
        """Hash by name and version, which identify a template."""
        return hash((self.name, self.version))

    def sheet(self, name: str) -> Sheet:
        """Return the sheet of that name."""
        return next(sheet for sheet in self.sheets if sheet.name == name)

    def entries(self) -> Iterator[Entry]:
        """Yield every entry, sheet by sheet, row by row."""
        return (entry for sheet in self.sheets for row in sheet.rows for entry in row.entries)

    @cached_property
    def entry_at(self) -> dict[tuple[str, str, str], Entry]:
        """Each entry by (sheet, row code, column code)."""
        return {entry.place: entry for entry in self.entries()}
