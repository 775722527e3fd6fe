"""Finds what stands around the entries of a received return, and whether it can be seen."""

from collections.abc import Iterator, Set
from typing import Final

from assets.intake.quoting import quoted, shown
from assets.intake.reading import Reading, place
from assets.returns.template.checks import RESULTS, checks
from assets.returns.validation.layout import Layout, SheetLayout, called, is_ours
from schemas.finding import Finding, Place, finding
from schemas.template import Sheet, Template, address
from schemas.wording import Number, plural

_SHOW: Final = "Show it (in Excel: Unhide). If it is not to count, ask the data team first."
_CLEAR: Final = (
    "Clear such formats (in Excel: Clear Formats; Conditional Formatting, Clear Rules), and see"
    " whether the figures are right. If they are not to count, ask the data team first."
)
_SPILT: Final = (
    "the figure may be the beginning of one with a comma, such as 1,500, whose end stands in the"
    " next column, as an earlier value"
)
_QUOTES: Final = "If it is, write it without the comma. If not, give the reason for the change."
_OTHERS: Final = "Tell the data team what stands there, or send the zip without it."
_COMMENT: Final = "Tell the data team what the comments say, and delete them."
_MOST: Final = 25
"""Stray cells told one by one; the rest is counted."""


def surroundings(reading: Reading, layout: Layout, template: Template) -> Iterator[Finding]:
    """Yield the findings about everything but codes and entries."""
    if any(fact.fact == "external_links" for fact in reading.facts):
        message = "the workbook has links to other files"
        fix = "In Excel: Data, Edit Links, Break Link. Then save and send again."
        yield finding("S006", message, fix=fix)
    others = sum(fact.fact == "other_file" for fact in reading.facts)
    if others:
        message = f"beside the sheets the zip holds {plural(others, 'file')}, which nothing reads"
        yield finding("S004", message, fix=_OTHERS, severity="Q")
    for raw in reading.sheets:
        hidden = raw.cells and any(fact.fact == "hidden_sheet" for fact in raw.facts)
        if hidden and not is_ours(raw):
            name = layout.names[raw.name]
            message = f"sheet {called(name)} is hidden and holds {len(raw.cells)} filled cells"
            yield finding("S006", message, Place(sheet=name), fix=_SHOW, severity="Q")
    for sheet in layout.sheets:
        yield from _merged(sheet)
        yield from _hidden_cells(sheet)
        stray = list(_stray(sheet, template.sheet(sheet.name)))
        yield from stray
        yield from _commented(sheet, {each.cell for each in stray})


def _merged(sheet: SheetLayout) -> Iterator[Finding]:
    for fact in sheet.raw.facts:
        if fact.fact == "merged":
            first, _, last = fact.place.partition(":")
            (top, left), (bottom, right) = place(first), place(last or first)
            for slot in sheet.slots:
                row, column = place(slot.address)
                if top <= row <= bottom and left <= column <= right:
                    message = f"the entry cell is merged with others ({fact.place})"
                    fix = f"Unmerge {fact.place} and type each figure into its own cell."
                    yield finding("S006", message, slot.place, fix=fix)
                    break


def _hidden_cells(sheet: SheetLayout) -> Iterator[Finding]:
    facts = sheet.raw.facts
    rows = {int(fact.place) for fact in facts if fact.fact == "hidden_row"}
    spans = [f.place.partition(":")[::2] for f in facts if f.fact == "hidden_columns"]
    columns = {c for first, last in spans for c in range(int(first), int(last) + 1)}
    at = [(slot, *place(slot.address)) for slot in sheet.slots if slot.cell]
    hidden = [slot for slot, row, column in at if row in rows or column in columns]
    if hidden:
        message = f"{plural(len(hidden), 'entry cell')} in hidden rows or columns, the first here"
        yield finding("S006", message, hidden[0].place, fix=_SHOW, severity="Q")
    unseen = {fact.place for fact in facts if fact.fact == "unseen"}
    hidden = [slot for slot, *_ in at if slot.address in unseen and slot.entry.kind != "text"]
    if hidden:
        message = (
            f"{plural(len(hidden), 'entry cell')} whose colour, size, alignment or conditional"
            " format can show something else than stands there, or nothing; the first here"
        )
        yield finding("S006", message, hidden[0].place, fix=_CLEAR, severity="Q")

    spilt = {fact.place for fact in facts if fact.fact == "spilt"}
    for slot, *_ in at:
        is_told = slot.cell is None or slot.cell.doubt
        if slot.address in spilt and slot.entry.kind == "count" and not is_told:
            yield finding("S006", _SPILT, slot.place, fix=_QUOTES, severity="Q")


def _stray(sheet: SheetLayout, described: Sheet) -> Iterator[Finding]:
    """Yield filled cells below the header that are no entry, in rows and columns of known codes.

    A row or column whose own code is wrong has a finding already, and what a label says is free.
    Formulas are the template's checks, or a force's own sums beside the table, and count nothing.
    """
    passed = {slot.address for slot in sheet.slots}
    passed |= {f.place for f in sheet.raw.facts if f.fact in {"formula", "uncalculated"}}
    unknown_rows = {row for row, code in sheet.rows.items() if code is None}
    unknown_columns = {column for column, code in sheet.columns.items() if code is None}
    stray = [
        cell
        for cell in sheet.raw.cells
        if cell.row > sheet.top
        and cell.column > 1
        and cell.row not in unknown_rows
        and cell.column not in unknown_columns
        and cell.text.strip()
        and cell.address not in passed
    ]
    if any(cell.text.strip() in RESULTS for cell in stray):
        checked = set(_checked(sheet, described))
        stray = [c for c in stray if c.text.strip() not in RESULTS or c.address not in checked]
    for cell in stray[:_MOST]:
        message = f"{quoted(cell.text)} stands outside the entry cells; nothing counts it"
        yield finding("S012", message, Place(sheet.name, cell.address, value=shown(cell.text)))
    if len(stray) > _MOST:
        rest = Number(len(stray) - _MOST)
        more = f"{rest:more cell|more cells} of this sheet {rest:!stands|stand}"
        message = f"and {more} outside the entry cells"
        yield finding("S012", message, Place(sheet.name, stray[_MOST].address))


def _commented(sheet: SheetLayout, told: Set[str | None]) -> Iterator[Finding]:
    """Yield that comments stand in a sheet, unless at nothing but cells of which all is `told`."""
    at = [fact.place for fact in sheet.raw.facts if fact.fact == "comment"]
    left = sorted({*at} - told, key=place)
    if left:
        slots = {slot.address: slot.place for slot in sheet.slots}
        first = next((slots[cell] for cell in left if cell in slots), Place(sheet.name, left[0]))
        message = (
            f"{plural(len(at), 'comment')} in this sheet, one of them here; nothing reads them"
        )
        yield finding("S012", message, first, fix=_COMMENT)


def _checked(sheet: SheetLayout, described: Sheet) -> Iterator[str]:
    """Yield where the template's own checks stand in a sheet as it was found.

    Saved as CSV, or with values pasted over formulas, their results are texts like any other.
    """
    row_of = {code: row for row, code in sheet.rows.items() if code}
    column_of = {code: column for column, code in sheet.columns.items() if code}
    codes = {row: code for code, row in described.row_numbers.items()}
    beside = max(column_of.values(), default=0) - max(described.column_numbers.values())
    below, last = max(row_of.values(), default=sheet.top), max(codes)
    for check in checks(described):
        code, column = codes.get(check.row), column_of.get(check.total[1])
        if code in row_of:
            yield address(row_of[code], beside + check.column)
        elif code is None and column:
            yield address(below + check.row - last, column)
