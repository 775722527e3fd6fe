"""Reads the cells of an Excel workbook as they stand there.

Belongs here: every filled cell with its sheet, place, text and kind. Does not: what a cell
means; interpretation starts in validation/.
"""

import warnings
from datetime import date, datetime
from posixpath import join, normpath
from typing import Any, Final
from xml.etree import ElementTree

from openpyxl import load_workbook

from assets.intake.container import Container
from assets.intake.reading import Cell, Fact, RawSheet, RefusedError
from assets.intake.sheet_scan import MAX_COLUMNS, MAX_ROWS, place, scan_sheet

_MAIN: Final = "{http://schemas.openxmlformats.org/spreadsheetml/2006/main}"
_RELATION: Final = "{http://schemas.openxmlformats.org/officeDocument/2006/relationships}id"
_SAVE: Final = "Open the file in Excel, save it as a new workbook (.xlsx), and send that."
_UNCALCULATED: Final = "a formula that was never calculated"


def read_workbook(container: Container) -> tuple[RawSheet, ...]:
    """Return the sheets of a workbook with every filled cell.

    Raises:
        RefusedError: the workbook's parts do not fit together, or a cell lies out of bounds.
    """
    states = _sheet_parts(container)
    facts = {
        name: tuple(sorted(scan_sheet(name, container.read(part)) + hidden))
        for name, (part, hidden) in states.items()
    }
    cells = _values(container)
    return tuple(
        RawSheet(name, tuple(sorted(cells[name] + _uncalculated(found))), found)
        for name, found in facts.items()
    )


def workbook_facts(container: Container) -> tuple[Fact, ...]:
    """Return what is to be known of the workbook beside its sheets."""
    links = any(name.startswith("xl/externalLinks/") for name in container.names())
    return (Fact("external_links", ""),) if links else ()


def _sheet_parts(container: Container) -> dict[str, tuple[str, tuple[Fact, ...]]]:
    """Map the name of each worksheet to its part in the zip, and to its being hidden."""
    try:
        # The preflight lets no XML with entities pass.
        book = ElementTree.fromstring(container.read("xl/workbook.xml"))  # noqa: S314
        links = ElementTree.fromstring(container.read("xl/_rels/workbook.xml.rels"))  # noqa: S314
        targets = {
            link.attrib["Id"]: normpath(join("/xl", link.attrib["Target"])).lstrip("/")
            for link in links
            if link.attrib["Type"].endswith("/worksheet")
        }
        sheets: dict[str, tuple[str, tuple[Fact, ...]]] = {}
        for sheet in book.iter(f"{_MAIN}sheet"):
            name, relation = sheet.attrib["name"], sheet.attrib[_RELATION]
            if name in sheets:
                raise RefusedError(f"the workbook has two sheets {name!r}", _SAVE)
            if relation in targets:
                hidden = "hidden" in sheet.get("state", "").lower()
                sheets[name] = targets[relation], (Fact("hidden_sheet", ""),) if hidden else ()
    except (KeyError, ElementTree.ParseError) as error:
        raise RefusedError(f"the workbook lacks a part it needs ({error})", _SAVE) from error
    if not sheets or not {part for part, _ in sheets.values()} <= set(container.names()):
        raise RefusedError("the workbook lacks its sheets", _SAVE)
    return sheets


def _values(container: Container) -> dict[str, list[Cell]]:
    with container.path.open("rb") as file, warnings.catch_warnings():
        warnings.simplefilter("ignore")  # extensions it does not keep; nothing is written back
        try:
            book = load_workbook(file, read_only=True, data_only=True, keep_links=False)
            try:
                # The bounds are given because the stored dimension of a sheet can be wrong.
                return {
                    sheet.title: [
                        _cell(cell)
                        for row in sheet.iter_rows(1, MAX_ROWS, 1, MAX_COLUMNS)
                        for cell in row
                        if cell.value is not None
                    ]
                    for sheet in book.worksheets
                }
            finally:
                book.close()
        except MemoryError:
            raise
        except Exception as error:
            # openpyxl has no exception of its own for content it cannot make sense of: damaged
            # parts end in any of a dozen. The file itself has been read whole by the preflight.
            raise RefusedError(f"the workbook's content is damaged ({error})", _SAVE) from error


def _cell(cell: Any) -> Cell:
    value, kind = cell.value, "text"
    if cell.data_type == "e":
        kind = "error"
    elif isinstance(value, bool):
        value, kind = str(value).upper(), "boolean"
    elif isinstance(value, datetime):
        midnight = not (value.hour or value.minute or value.second or value.microsecond)
        value, kind = (value.date() if midnight else value).isoformat(), "date"
    elif isinstance(value, date):
        value, kind = value.isoformat(), "date"
    elif isinstance(value, int | float):
        # Shown as 100%, the cell holds 1; read as a count it would be silently wrong.
        kind = "percent" if "%" in str(cell.number_format) else "number"
        if isinstance(value, float) and value.is_integer() and abs(value) < 2**53:
            value = int(value)
    elif not isinstance(value, str):
        kind = "date"  # a time of day or a duration
    return Cell(cell.row, cell.column, str(value), kind)


def _uncalculated(facts: tuple[Fact, ...]) -> list[Cell]:
    """Formulas that were never calculated: a reader of values sees a blank there."""
    return [
        Cell(*place(fact.place), _UNCALCULATED, "formula")
        for fact in facts
        if fact.fact == "uncalculated"
    ]
