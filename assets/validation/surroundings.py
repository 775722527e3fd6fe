"""What stands around the entries: merged cells, hidden parts, links (S006), stray cells (S012).

Belongs here: findings about a workbook's structure that its values do not show. Does not: the
entries themselves (entry_values.py), codes and headings (layout.py).
"""

from collections.abc import Iterator
from typing import Final

from assets.intake.quoting import quoted, shown
from assets.intake.reading import Cell, RawSheet, Reading
from assets.intake.sheet_scan import place
from assets.template.checks import RESULTS, checks
from assets.validation.layout import Layout, SheetLayout, Slot, is_list_of_problems
from schemas.finding import Finding, Place, finding
from schemas.template import Sheet, Template, address

_MOST: Final = 25
"""Stray cells told one by one; the rest is counted."""


def surroundings(reading: Reading, layout: Layout, template: Template) -> Iterator[Finding]:
    """Yield the findings about everything but codes and entries."""
    if any(fact.fact == "external_links" for fact in reading.facts):
        message = "the workbook has links to other files"
        fix = "In Excel: Data, Edit Links, Break Link. Then save and send again."
        yield finding("S006", message, fix=fix)
    for raw in reading.sheets:
        if not is_list_of_problems(raw):
            yield from _hidden_sheet(raw)
    for sheet in layout.sheets:
        yield from _merged(sheet)
        yield from _hidden_cells(sheet)
        yield from _stray(sheet, template.sheet(sheet.name))


def _hidden_sheet(raw: RawSheet) -> Iterator[Finding]:
    if raw.cells and any(fact.fact == "hidden_sheet" for fact in raw.facts):
        message = f"sheet {raw.name!r} is hidden and holds {len(raw.cells)} filled cells"
        yield finding("S006", message, Place(sheet=raw.name), severity="Q")


def _merged(sheet: SheetLayout) -> Iterator[Finding]:
    for fact in sheet.raw.facts:
        if fact.fact != "merged":
            continue
        first, _, last = fact.place.partition(":")
        (top, left), (bottom, right) = place(first), place(last or first)
        slot = next(
            (
                slot
                for slot in sheet.slots
                for row, column in [place(slot.address)]
                if top <= row <= bottom and left <= column <= right
            ),
            None,
        )
        if slot:
            message = f"the entry cell is merged with others ({fact.place})"
            fix = f"Unmerge {fact.place} and type each figure into its own cell."
            yield finding("S006", message, slot.place, fix=fix)


def _hidden_cells(sheet: SheetLayout) -> Iterator[Finding]:
    rows = {int(fact.place) for fact in sheet.raw.facts if fact.fact == "hidden_row"}
    columns = [
        range(int(first), int(last) + 1)
        for fact in sheet.raw.facts
        if fact.fact == "hidden_columns"
        for first, _, last in [fact.place.partition(":")]
    ]

    def hidden(slot: Slot) -> bool:
        row, column = place(slot.address)
        return row in rows or any(column in span for span in columns)

    first = next((slot for slot in sheet.slots if slot.cell and hidden(slot)), None)
    if first:
        count = sum(1 for slot in sheet.slots if slot.cell and hidden(slot))
        message = f"{count} entry cells stand in hidden rows or columns, the first here"
        yield finding("S006", message, first.place, severity="Q")


def _stray(sheet: SheetLayout, described: Sheet) -> Iterator[Finding]:
    """Yield filled cells below the header that are no entry, in rows and columns of known codes.

    A row or column whose own code is wrong has a finding already, and what a label says is free.
    Formulas are the template's
    checks, or a force's own sums beside the table, and count nothing.
    """
    entries = {slot.address for slot in sheet.slots}
    checked = set(_checked(sheet, described))
    formulas = {fact.place for fact in sheet.raw.facts if fact.fact in {"formula", "uncalculated"}}
    stray = [
        cell
        for cell in sheet.raw.cells
        if cell.row > sheet.top
        and cell.column > 1
        and cell.text.strip()
        and cell.address not in entries
        and cell.address not in formulas
        and not _explained(sheet, cell)
        and not (cell.text.strip() in RESULTS and cell.address in checked)
    ]
    for cell in stray[:_MOST]:
        message = f"{quoted(cell.text)} stands outside the entry cells; nothing counts it"
        yield finding("S012", message, Place(sheet.name, cell.address, value=shown(cell.text)))
    if len(stray) > _MOST:
        message = f"and {len(stray) - _MOST} more cells of this sheet stand outside the entry cells"
        yield finding("S012", message, Place(sheet.name, stray[_MOST].address))


def _checked(sheet: SheetLayout, described: Sheet) -> Iterator[str]:
    """Yield where the template's own checks stand in a sheet as it was found.

    Saved as CSV, or with values pasted over formulas, their results are texts like any other.
    """
    row_of = {code: row for row, code in sheet.rows.items() if code}
    column_of = {code: column for column, code in sheet.columns.items() if code}
    codes = {row: code for code, row in described.row_numbers.items()}
    beside = max(column_of.values(), default=0) + 1
    below, last = max(row_of.values(), default=sheet.top), max(codes)
    for check in checks(described):
        code, column = codes.get(check.row), column_of.get(check.total[1])
        if code in row_of:
            yield address(row_of[code], beside)
        elif code is None and column:
            yield address(below + check.row - last, column)


def _explained(sheet: SheetLayout, cell: Cell) -> bool:
    return (cell.row in sheet.rows and sheet.rows[cell.row] is None) or (
        cell.column in sheet.columns and sheet.columns[cell.column] is None
    )
