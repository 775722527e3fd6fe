"""Writes a text into a cell as what it says: never a formula, whatever it begins with."""

import re
from typing import Final

from openpyxl.cell.cell import Cell
from openpyxl.worksheet.worksheet import Worksheet

_NOT_IN_XML: Final = re.compile(r"[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_WHOLE: Final = re.compile(r"0|[1-9][0-9]{0,14}")
_LIKE_A_FORMULA: Final = ("=", "+", "-", "@", "\t", "\r")


def write_text(sheet: Worksheet, row: int, column: int, text: str) -> Cell:
    """Write a text and return its cell; what no workbook can hold is replaced.

    The type keeps it from being calculated when the file is opened, the quote prefix when somebody
    edits the cell and leaves it.
    """
    cell = sheet.cell(row, column)
    assert isinstance(cell, Cell), "sheets made here have no merged cells"
    cell.value = _NOT_IN_XML.sub("\ufffd", text)
    cell.data_type = "s"
    cell.quotePrefix = text.startswith(_LIKE_A_FORMULA)
    return cell


def write_plain(sheet: Worksheet, row: int, column: int, text: str) -> Cell:
    """Write a whole number as a number, and anything else as text; return the cell."""
    cell = write_text(sheet, row, column, text)
    if _WHOLE.fullmatch(text):
        cell.value = int(text)
    return cell
