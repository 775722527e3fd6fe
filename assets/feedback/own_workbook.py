"""Opens a force's own workbook to be changed, or makes one of its cells where that cannot be.

Belongs here: what may be opened whole, and what stands in for it. Does not: any mark. Reading for
validation never goes this way (intake/).
"""

import re
import warnings
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Final
from xml.parsers import expat

from openpyxl import Workbook, load_workbook
from openpyxl.utils.cell import get_column_letter
from openpyxl.worksheet.worksheet import Worksheet

from assets.feedback.text_cells import write_plain, write_text
from assets.intake.container import MIB, open_container
from assets.intake.reading import Cell, Reading
from assets.intake.sheet_scan import place
from assets.validation.layout import lay_out
from schemas.returns_template import returns_template
from schemas.wording import visible

STUMBLES: Final = (
    ArithmeticError,
    AttributeError,
    LookupError,
    OSError,
    SyntaxError,
    TypeError,
    ValueError,
)
"""What openpyxl raises on content that reading the cells passes over."""

_MOST_XML: Final = MIB
"""A return has a tenth of that. Opened whole, every formatted cell costs time and memory."""

_MOST_IN_RANGES: Final = 20_000
"""Cells; a return merges and links a few."""

_EPOCH: Final = datetime(2012, 1, 1)
"""Time of making of every workbook made here, so that the same cells give the same bytes."""

_NOT_IN_TITLES: Final = re.compile(r"[\[\]:*?/\\']")
_LONGEST_TITLE: Final = 28
"""Excel takes 31; the rest is for the number that a title gets which stands there already."""


@dataclass(frozen=True)
class Copy:
    """A workbook to be marked, and its sheets under the names that findings have for them.

    `whole` is false where it holds the cells alone, without the looks of the force's own file.
    """

    book: Workbook
    sheets: dict[str, Worksheet]
    whole: bool


def own_workbook(path: Path, reading: Reading) -> Copy | None:
    """Open a force's workbook with all that openpyxl keeps of it; None where it cannot be opened.

    A zip of CSV files, and a file that was refused, cannot. Nor can one with an odd cell, of which
    openpyxl would keep one value without a word.
    """
    odd = any(cell.kind == "odd" for sheet in reading.sheets for cell in sheet.cells)
    if reading.refusal or odd or not _opens_whole(path):
        return None
    with warnings.catch_warnings(), path.open("rb") as file, suppress(*STUMBLES):
        warnings.simplefilter("ignore")  # what openpyxl does not keep
        book = load_workbook(file, rich_text=True)
        sheets: dict[str, Worksheet] = {sheet.title: sheet for sheet in book.worksheets}
        if all(sheet.name in sheets for sheet in reading.sheets):  # it finds none of a strict one
            return Copy(book, _as_found(sheets, reading), whole=True)
    return None


def workbook_of_cells(reading: Reading) -> Copy:
    """Make a workbook of the cells of a return, each at its place; a refused file has none."""
    book = Workbook()
    book.remove(book.worksheets[0])
    book.properties.creator = "Muster"
    book.properties.created = book.properties.modified = _EPOCH
    sheets = {}
    layout = lay_out(reading.sheets, returns_template())
    entries = {(s.raw.name, slot.address) for s in layout.sheets for slot in s.slots}
    for raw in reading.sheets:
        title = _NOT_IN_TITLES.sub("_", visible(raw.name))[:_LONGEST_TITLE]
        sheets[raw.name] = sheet = book.create_sheet(title)
        for cell in raw.cells:
            if cell.doubt and (raw.name, cell.address) in entries:
                # Alone the text would read as a plain value when the copy is sent.
                write_text(sheet, cell.row, cell.column, f"{cell.text} [{cell.doubt}]")
            else:
                _write(sheet, cell)
        for column in {cell.column for cell in raw.cells}:
            sheet.column_dimensions[get_column_letter(column)].width = 34 if column < 3 else 18
    return Copy(book, _as_found(sheets, reading), whole=False)


def _opens_whole(path: Path) -> bool:
    """Whether a readable return is a workbook that can be opened whole within bounds.

    openpyxl then makes an object for every cell of a range, and would never end with one that is
    merged down to XFD1048576.
    """
    with open_container(path) as container:
        if container.kind != "workbook":
            return False
        parts = [name for name in container.names() if name.endswith((".xml", ".rels"))]
        sizes = [len(container.read(name)) for name in parts]
        cells = sum(_cells_in_ranges(container.read(name)) for name in parts)
    return sum(sizes) <= _MOST_XML and cells <= _MOST_IN_RANGES


def _cells_in_ranges(xml: bytes) -> int:
    """Count the cells that the ranges of merges, links, tables and comments name."""
    cells = 0

    def start(tag: str, attributes: dict[str, str]) -> None:
        nonlocal cells
        first, _, last = attributes.get("ref", "").replace("$", "").partition(":")
        if last and not tag.endswith("dimension"):
            try:
                (top, left), (bottom, right) = place(first), place(last)
            except ValueError:  # whole rows or columns
                cells += _MOST_IN_RANGES + 1
            else:
                cells += (bottom - top + 1) * (right - left + 1)

    parser = expat.ParserCreate()
    parser.StartElementHandler = start
    parser.Parse(xml, True)
    return cells


def _as_found(sheets: dict[str, Worksheet], reading: Reading) -> dict[str, Worksheet]:
    """Add the template's name of each sheet that was found under another one."""
    layout = lay_out(reading.sheets, returns_template())
    names = {sheet.slots[0].entry.sheet: sheet.raw.name for sheet in layout.sheets if sheet.slots}
    return {name: sheets[found] for name, found in names.items() if found in sheets} | sheets


def _write(sheet: Worksheet, cell: Cell) -> None:
    here = cell.row, cell.column
    if cell.kind == "percent":
        # As a number a share would read as a count; as a text it stays what it is.
        write_text(sheet, *here, f"{float(cell.text):.10%}")
    elif cell.kind == "error":
        write_text(sheet, *here, cell.text).data_type = "e"
    else:
        write_plain(sheet, *here, cell.text)
