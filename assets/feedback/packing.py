"""Saves a marked workbook: the same workbook gives the same bytes, and formulas keep results.

Belongs here: what openpyxl does not do when it saves. Does not: what stands in the workbook.
"""

import re
from collections.abc import Mapping
from datetime import datetime
from io import BytesIO
from typing import Final
from xml.etree import ElementTree
from zipfile import ZIP_DEFLATED, ZipFile, ZipInfo

from openpyxl import Workbook
from openpyxl.utils.datetime import to_excel
from openpyxl.writer.excel import ExcelWriter

from assets.intake.reading import Cell, RawSheet

_MAIN: Final = "{http://schemas.openxmlformats.org/spreadsheetml/2006/main}"
_LONG_AGO: Final = (1980, 1, 1, 0, 0, 0)
"""The earliest time that a zip can give a member."""

_DAY: Final = re.compile(r"[0-9]{4}-")

_TYPES: Final = {"text": "str", "boolean": "b", "error": "e"}


def packed(book: Workbook, results: Mapping[str, RawSheet]) -> bytes:
    """Return the workbook as a file, with the results that its formulas had in the return.

    `results` has the raw sheet for each sheet title. Without its result a formula would read as
    one that was never calculated, and show nothing in a preview.
    """
    saved = BytesIO()
    # Unlike book.save, the writer leaves the time of the last change alone.
    ExcelWriter(book, ZipFile(saved, "w", ZIP_DEFLATED)).save()
    parts = {
        str(sheet.path).lstrip("/"): _calculated(results[sheet.title])
        for sheet in book.worksheets
        if sheet.title in results
    }
    made = BytesIO()
    with ZipFile(saved) as old, ZipFile(made, "w") as new:
        for name in old.namelist():
            content = old.read(name)
            if parts.get(name):
                content = _with_results(content, parts[name], book.epoch)
            new.writestr(ZipInfo(name, _LONG_AGO), content, ZIP_DEFLATED)
    return made.getvalue()


def _calculated(raw: RawSheet) -> dict[str, Cell | None]:
    """Return the result of each formula by its place; None is an empty text."""
    cells = {cell.address: cell for cell in raw.cells}
    return {fact.place: cells.get(fact.place) for fact in raw.facts if fact.fact == "formula"}


def _with_results(xml: bytes, results: Mapping[str, Cell | None], epoch: datetime) -> bytes:
    root = ElementTree.fromstring(xml)  # noqa: S314 - written by openpyxl a moment ago
    for element in root.iter(f"{_MAIN}c"):
        here = element.get("r", "")
        value = element.find(f"{_MAIN}v")
        if here in results and value is not None and element.find(f"{_MAIN}f") is not None:
            result = results[here]
            value.text = _stored(result, epoch) if result else ""
            kind = result.kind if result else "text"
            if kind in _TYPES:
                element.set("t", _TYPES[kind])
    written: bytes = ElementTree.tostring(root, encoding="utf-8", xml_declaration=True)
    return written


def _stored(result: Cell, epoch: datetime) -> str:
    """Return a result as a workbook stores it."""
    if result.kind == "boolean":
        return str(int(result.text == "TRUE"))
    if result.kind == "date" and _DAY.match(result.text):
        day = datetime.fromisoformat(result.text)
        return str(to_excel(day, epoch))  # type: ignore[no-untyped-call]
    return result.text
