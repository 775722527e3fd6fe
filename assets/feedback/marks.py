"""Marks each problem at its cell: a fill and a comment that says what is wrong and what to do.

Belongs here: what is put on the force's own sheets, and taken off again from a copy that was
marked before. Does not: the list of problems (problems_sheet.py).
"""

from collections.abc import Iterable
from typing import Final

from openpyxl.cell.cell import Cell, MergedCell
from openpyxl.comments import Comment
from openpyxl.styles import PatternFill
from openpyxl.worksheet.worksheet import Worksheet

from assets.feedback.own_workbook import Copy
from assets.feedback.problems import fix, message, severity_word
from schemas.finding import Finding
from schemas.vocabulary import SEVERITIES

AUTHOR: Final = "Muster"
_OURS: Final = "Found by Muster"
"""How our comments begin; not every program keeps their author."""

FILLS: Final = {
    "B": PatternFill("solid", fgColor="F6A8A0"),
    "Q": PatternFill("solid", fgColor="FFCB45"),
    "N": PatternFill("solid", fgColor="BBD9F2"),
}
"""Apart in lightness too, so that they differ in print and to people who see few colours."""

_THEIRS: Final = "\n\nThe comment that stood here before:\n"
_WIDTH: Final = 380
_CHARACTERS_A_LINE: Final = 56
_LINE_HEIGHT: Final = 17


def mark(copy: Copy, findings: Iterable[Finding]) -> None:
    """Mark every finding that has a cell in the workbook; several at one cell in one comment."""
    at_cell: dict[tuple[str, str], list[Finding]] = {}
    for item in findings:
        if item.cell and item.sheet in copy.sheets:
            sheet = copy.sheets[item.sheet]
            cell = _top_left(sheet, item.cell)
            at_cell.setdefault((sheet.title, cell), []).append(item)
    for (title, address), items in at_cell.items():
        items.sort(key=lambda item: list(SEVERITIES).index(item.severity))
        cell = copy.book[title][address]
        cell.fill = FILLS[items[0].severity]
        theirs = f"{_THEIRS}{cell.comment.text}" if cell.comment else ""
        cell.comment = _comment("\n\n".join([_OURS, *map(_text, items)]) + theirs)


def unmark(sheet: Worksheet) -> None:
    """Take the marks of an earlier copy off: a mended cell must not keep the old complaint."""
    # Only cells that are stored: going through all rows would make those in between.
    for cell in list(sheet._cells.values()):
        if isinstance(cell, Cell) and cell.comment and cell.comment.text.startswith(_OURS):
            _, _, theirs = cell.comment.text.partition(_THEIRS)
            cell.comment = Comment(theirs, "") if theirs else None
            cell.fill = PatternFill()


def _top_left(sheet: Worksheet, address: str) -> str:
    """Return where a mark can stand: of merged cells only the first can have a comment."""
    if isinstance(sheet[address], MergedCell):
        for merged in sheet.merged_cells.ranges:
            if address in merged:
                return str(merged.coord.partition(":")[0])
    return address


def _text(item: Finding) -> str:
    heading = f"{item.rule_id}: {severity_word(item.severity)}"
    return f"{heading}\n{message(item)}\nWhat to do: {fix(item)}"


def _comment(text: str) -> Comment:
    lines = sum(1 + len(line) // _CHARACTERS_A_LINE for line in text.split("\n"))
    return Comment(text, AUTHOR, width=_WIDTH, height=_LINE_HEIGHT * (lines + 1))
