"""The formulas in the workbook that tell a force, as it types, whether a total adds up.

Belongs here: which totals have a check, and its formula. The rules that decide are those of
validation/; a formula here is a help in Excel and is never read as data.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from schemas.template import Column, Row, Sheet

Place = tuple[str, str]
"""Row code and column code."""

ADDS_UP: Final = "adds up"
DOES_NOT_ADD_UP: Final = "does not add up"
RESULTS: Final = (ADDS_UP, DOES_NOT_ADD_UP)
"""What a check says."""


EARLIER: Final = "(previous)"
ANSWERS: Final = "(answers)"
GUIDANCE: Final = "guidance"
GUIDANCE_MARK: Final = "How to fill this return"
"""Name and text in A1 of the sheet that tells people how to fill the others, and is never read."""

BESIDE: Final = (EARLIER, ANSWERS)
"""Headers of what stands beside a table to be looked at: in their brackets no codes of entries."""


@dataclass(frozen=True)
class Check:
    """One formula: where it stands, the cells it adds, and the total it compares them with."""

    sheet: Sheet
    row: int
    column: int
    parts: tuple[Place, ...]
    total: Place
    label: str = ""

    @property
    def formula(self) -> str:
        """The Excel formula; `not_held` and blanks count as nothing, so a blank total fails."""
        total = self.sheet.address(*self.total)
        return (
            f"=IF(AND(COUNTBLANK({total})=0,SUM({self._parts})=SUM({total})),"
            f'"{ADDS_UP}","{DOES_NOT_ADD_UP}")'
        )

    @property
    def formula_to_fill(self) -> str:
        """The same for a workbook to be filled: it shows nothing until there is a number."""
        numbers = f"COUNT({self._parts},{self.sheet.address(*self.total)})"
        return f'=IF({numbers}=0,"",{self.formula[1:]})'

    @property
    def calculated(self) -> str:
        """The formula that makes the total itself; formulas.py knows it by heart."""
        return f'=IF(COUNT({self._parts})=0,"",SUM({self._parts}))'

    @property
    def _parts(self) -> str:
        return ",".join(self.sheet.address(*part) for part in self.parts)

    def holds(self, values: Mapping[tuple[str, str, str], str]) -> bool:
        """Return what the formula gives for these values."""
        total = values.get((self.sheet.name, *self.total))
        return total is not None and self._sum(values, self.parts) == self._sum(
            values, (self.total,)
        )

    def _sum(self, values: Mapping[tuple[str, str, str], str], places: tuple[Place, ...]) -> int:
        texts = (values.get((self.sheet.name, *place), "") for place in places)
        return sum(int(text) for text in texts if text.isdigit())


def checks(sheet: Sheet) -> Iterator[Check]:
    """Yield the checks of a sheet, one for each of its sums, each in a cell of its own.

    A sum along a row has its check beside the table, one column for each of the columns that add
    up; a sum down a column has it below, a line for each row that adds up others. In a sheet with
    one column a sum without wording has its check beside it too.
    """
    beside = max(sheet.column_numbers.values()) + 1
    below = max(sheet.row_numbers.values()) + 2
    adding = [column.code for column in sheet.heads if column.sum_of]
    apart = [row.code for row in sheet.rows if row.sum_of and (row.check or len(sheet.heads) > 1)]
    for each in sheet.sums():
        _, row, column = each.total
        parts = tuple((part_row, part_column) for _, part_row, part_column in each.parts)
        if not isinstance(each.line, Row):
            place = sheet.row_numbers[row], beside + adding.index(column)
        elif row in apart:
            place = below + apart.index(row), sheet.column_numbers[column]
        else:
            place = sheet.row_numbers[row], beside
        yield Check(sheet, *place, parts, (row, column), _label(each.line, column, sheet))


def _label(line: Column, column: str, sheet: Sheet) -> str:
    """Return what stands before a line of checks, once for all of its columns."""
    if not isinstance(line, Row) or column != sheet.heads[0].code:
        return ""
    derived = f"Check: {line.named or 'the parts'} add up to {line.label}"
    return line.check or (derived if len(sheet.heads) > 1 else "")
