"""A force's own workbook, opened to be changed and saved so that nothing in it runs or is lost.

What may be opened whole, what stands in for it, and cells that are never formulas. Reading for
validation never goes this way (intake/).
"""

import re
import warnings
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from io import BytesIO
from pathlib import Path
from typing import Final
from xml.etree import ElementTree
from xml.parsers import expat
from zipfile import ZIP_DEFLATED, ZipFile, ZipInfo

from openpyxl import Workbook, load_workbook
from openpyxl.cell.cell import Cell as SheetCell
from openpyxl.utils.cell import get_column_letter
from openpyxl.utils.datetime import to_excel
from openpyxl.worksheet.worksheet import Worksheet
from openpyxl.writer.excel import ExcelWriter

from assets.intake.container import MIB, open_container
from assets.intake.reading import Cell, RawSheet, Reading, place
from assets.returns.validation.layout import Layout
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

_NOT_IN_XML: Final = re.compile(r"[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_WHOLE: Final = re.compile(r"0|[1-9][0-9]{0,14}")
_LIKE_A_FORMULA: Final = ("=", "+", "-", "@", "\t", "\r")
_MAIN: Final = "{http://schemas.openxmlformats.org/spreadsheetml/2006/main}"
_LONG_AGO: Final = (1980, 1, 1, 0, 0, 0)
"""The earliest time that a zip can give a member."""

_DAY: Final = re.compile(r"[0-9]{4}-")


@dataclass(frozen=True)
class Copy:
    """A workbook to be marked, and its sheets under the names that findings have for them.

    `whole` is false where it holds the cells alone, without the looks of the force's own file.
    """

    book: Workbook
    sheets: dict[str, Worksheet]
    whole: bool


def own_workbook(path: Path, reading: Reading, layout: Layout) -> Copy | None:
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
            return Copy(book, _as_found(sheets, layout), whole=True)
    return None


def workbook_of_cells(reading: Reading, layout: Layout) -> Copy:
    """Make a workbook of the cells of a return, each at its place; a refused file has none."""
    book = Workbook()
    book.remove(book.worksheets[0])
    book.properties.creator = "Muster"
    book.properties.created = book.properties.modified = _EPOCH
    sheets = {}
    entries = {(s.raw.name, slot.address) for s in layout.sheets for slot in s.slots}
    for raw in reading.sheets:
        title = _NOT_IN_TITLES.sub("_", visible(raw.name))[:_LONGEST_TITLE]
        sheets[raw.name] = sheet = book.create_sheet(title)
        for cell in raw.cells:
            here, text = (sheet, cell.row, cell.column), cell.text
            if cell.doubt and (raw.name, cell.address) in entries:
                # Alone the text would read as a plain value when the copy is sent.
                write_text(*here, f"{text} [{cell.doubt}]")
            elif cell.kind == "percent":
                # As a number a share would read as a count; as a text it stays what it is.
                write_text(*here, f"{float(text):.10%}")
            elif cell.kind == "error":
                write_text(*here, text).data_type = "e"
            else:
                write_plain(*here, text)
            width = sheet.column_dimensions[get_column_letter(cell.column)]
            width.width = 34 if cell.column < 3 else 18
    return Copy(book, _as_found(sheets, layout), whole=False)


def _opens_whole(path: Path) -> bool:
    """Whether a readable return is a workbook that can be opened whole within bounds.

    openpyxl then makes an object for every cell of a range, and would never end with one that is
    merged down to XFD1048576.
    """
    container = open_container(path)
    if container.kind != "workbook":
        return False
    parts = [part for name, part in container.parts.items() if name.endswith((".xml", ".rels"))]
    cells = sum(map(_cells_in_ranges, parts))
    return sum(map(len, parts)) <= _MOST_XML and cells <= _MOST_IN_RANGES


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


def _as_found(sheets: dict[str, Worksheet], layout: Layout) -> dict[str, Worksheet]:
    """Add the template's name of each sheet that was found under another one."""
    names = {sheet.slots[0].entry.sheet: sheet.raw.name for sheet in layout.sheets if sheet.slots}
    return {name: sheets[found] for name, found in names.items() if found in sheets} | sheets


def write_text(sheet: Worksheet, row: int, column: int, text: str) -> SheetCell:
    """Write a text and return its cell; what no workbook can hold is replaced.

    The type keeps it from being calculated when the file is opened, the quote prefix when somebody
    edits the cell and leaves it.
    """
    cell = sheet.cell(row, column)
    assert isinstance(cell, SheetCell), "sheets made here have no merged cells"
    cell.value = _NOT_IN_XML.sub("\ufffd", text)
    cell.data_type = "s"
    cell.quotePrefix = text.startswith(_LIKE_A_FORMULA)
    return cell


def write_plain(sheet: Worksheet, row: int, column: int, text: str) -> SheetCell:
    """Write a whole number as a number, and anything else as text; return the cell."""
    cell = write_text(sheet, row, column, text)
    if _WHOLE.fullmatch(text):
        cell.value = int(text)
    return cell


def packed(book: Workbook, results: Mapping[str, RawSheet]) -> bytes:
    """Return the workbook as a file, with the results that its formulas had in the return.

    `results` has the raw sheet for each sheet title. Without its result a formula would read as
    one that was never calculated, and show nothing in a preview.
    """
    saved, made = BytesIO(), BytesIO()
    # Unlike book.save, the writer leaves the time of the last change alone.
    ExcelWriter(book, ZipFile(saved, "w", ZIP_DEFLATED)).save()
    raws = {str(s.path).lstrip("/"): results[s.title] for s in book if s.title in results}
    with ZipFile(saved) as old, ZipFile(made, "w") as new:
        for name in old.namelist():
            content = old.read(name)
            if name in raws and any(fact.fact == "formula" for fact in raws[name].facts):
                content = _with_results(content, raws[name], book.epoch)
            new.writestr(ZipInfo(name, _LONG_AGO), content, ZIP_DEFLATED)
    return made.getvalue()


def _with_results(xml: bytes, raw: RawSheet, epoch: datetime) -> bytes:
    """Give each formula of a sheet the result that it had in the return."""
    cells = {cell.address: cell for cell in raw.cells}
    formulas = {fact.place for fact in raw.facts if fact.fact == "formula"}
    root = ElementTree.fromstring(xml)  # noqa: S314 - written by openpyxl a moment ago
    for element in root.iter(f"{_MAIN}c"):
        here, value = element.get("r", ""), element.find(f"{_MAIN}v")
        if here in formulas and value is not None and element.find(f"{_MAIN}f") is not None:
            value.text, kind = _stored(cells.get(here), epoch)
            if kind:
                element.set("t", kind)
    written: bytes = ElementTree.tostring(root, encoding="utf-8", xml_declaration=True)
    return written


def _stored(result: Cell | None, epoch: datetime) -> tuple[str, str | None]:
    """Return a result as a workbook stores it, with its type; none at all is an empty text."""
    if result is None:
        return "", "str"
    if result.kind == "boolean":
        return str(int(result.text == "TRUE")), "b"
    if result.kind == "date" and _DAY.match(result.text):
        return str(to_excel(datetime.fromisoformat(result.text), epoch)), None  # type: ignore[no-untyped-call]
    return result.text, {"text": "str", "error": "e"}.get(result.kind)
