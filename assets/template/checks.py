"""The formulas in the workbook that tell a force, as it types, whether a total adds up.

Belongs here: which totals have a check, and its formula. The rules that decide are those of
validation/; a formula here is a help in Excel and is never read as data.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from schemas import vocabulary as v
from schemas.returns_template import INVESTIGATION_ROWS, TOTAL
from schemas.template import Sheet

Place = tuple[str, str]
"""Row code and column code."""

ADDS_UP: Final = "adds up"
DOES_NOT_ADD_UP: Final = "does not add up"
RESULTS: Final = (ADDS_UP, DOES_NOT_ADD_UP)
"""What a check says."""

_DISCLOSURE: Final = "information_disclosure"


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
    """Yield the checks of a sheet: beside each row's total, and below the table for columns."""
    beside = max(sheet.column_numbers.values()) + 1
    below = max(sheet.row_numbers.values()) + 2
    if sheet.name == "investigations":
        for row, number in sheet.row_numbers.items():
            parts = tuple((row, outcome) for outcome in v.OUTCOMES)
            yield Check(sheet, number, beside, parts, (row, TOTAL))
        yield from _columns(sheet, below)
    elif sheet.name == "registers":
        for row, number in sheet.row_numbers.items():
            parts = tuple((row, decision) for decision in v.REGISTER_DECISIONS)
            yield Check(sheet, number, beside, parts, (row, TOTAL))
    elif sheet.name == "second_jobs":
        parts = tuple((decision, "count") for decision in v.SECOND_JOB_DECISIONS)
        yield Check(sheet, sheet.row_numbers[TOTAL], beside, parts, (TOTAL, "count"))


def _columns(sheet: Sheet, below: int) -> Iterator[Check]:
    kinds = [r.code for r in INVESTIGATION_ROWS if r.recipient]
    subjects = [_DISCLOSURE, *(r.code for r in INVESTIGATION_ROWS if r.is_part and not r.recipient)]
    sums = (
        (kinds, _DISCLOSURE, "Check: the kinds of disclosure add up to information disclosure"),
        (subjects, TOTAL, "Check: the categories add up to all investigations"),
    )
    for line, (rows, total, label) in enumerate(sums, below):
        for index, (code, column) in enumerate(sheet.column_numbers.items()):
            parts = tuple((row, code) for row in rows)
            yield Check(sheet, line, column, parts, (total, code), label if index == 0 else "")
