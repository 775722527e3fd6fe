"""The formulas in the workbook that tell a force, as it types, whether a total adds up.

Belongs here: which totals have a check, and its formula. The rules that decide are those of
validation/; a formula here is a help in Excel and is never read as data.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from schemas.template import Sheet

Place = tuple[str, str]
"""Row code and column code."""

ADDS_UP: Final = "adds up"
DOES_NOT_ADD_UP: Final = "does not add up"
RESULTS: Final = (ADDS_UP, DOES_NOT_ADD_UP)
"""What a check says."""


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
        parts = ",".join(self.sheet.address(*part) for part in self.parts)
        total = self.sheet.address(*self.total)
        return (
            f"=IF(AND(COUNTBLANK({total})=0,SUM({parts})=SUM({total})),"
            f'"{ADDS_UP}","{DOES_NOT_ADD_UP}")'
        )

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
    """Yield the checks of a sheet: beside each row's total, and below the table for columns.

    A total of all rows, in a sheet with one column, is a row's total: its check stands beside it.
    """
    beside = max(sheet.column_numbers.values()) + 1
    below = max(sheet.row_numbers.values()) + 2
    lines = {row.code: below + n for n, row in enumerate(r for r in sheet.rows if r.check)}
    labels = {row.code: row.check for row in sheet.rows}
    first = next(iter(sheet.columns))
    for each in sheet.sums():
        _, row, column = each.total
        parts = tuple((part_row, part_column) for _, part_row, part_column in each.parts)
        if each.parts[0][1] == row or row not in lines:
            yield Check(sheet, sheet.row_numbers[row], beside, parts, (row, column))
        else:
            label = labels[row] if column == first else ""
            place = lines[row], sheet.column_numbers[column]
            yield Check(sheet, *place, parts, (row, column), label)
