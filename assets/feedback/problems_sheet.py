"""Writes the sheet that lists all problems, each with links to its cells.

Its first cell tells readers of returns that the sheet is ours and holds nothing to be read.
"""

from collections.abc import Sequence
from textwrap import wrap
from typing import Final

from openpyxl.cell.cell import Cell
from openpyxl.styles import Alignment, Border, Font, PatternFill, Side
from openpyxl.utils.cell import get_column_letter, quote_sheetname
from openpyxl.worksheet.hyperlink import Hyperlink
from openpyxl.worksheet.properties import PageSetupProperties
from openpyxl.worksheet.worksheet import Worksheet

from assets.feedback.problems import Problem, fix, message, severity_word
from assets.feedback.safe_cells import Copy, write_plain, write_text
from assets.validation.layout import PROBLEMS_MARK
from schemas.finding import Finding
from schemas.wording import visible

FILLS: Final = {
    "B": PatternFill("solid", fgColor="F6A8A0"),
    "Q": PatternFill("solid", fgColor="FFCB45"),
    "N": PatternFill("solid", fgColor="BBD9F2"),
}
"""Apart in lightness too, so that they differ in print and to people who see few colours."""

_TITLE: Final = "problems"
_COLUMNS: Final = {
    "no.": 5,
    "severity": 15,
    "rule": 7,
    "sheet": 15,
    "cells": 22,
    "value": 18,
    "what is wrong": 64,
    "what to do": 54,
}
_MOST_LINES: Final = 8
"""Lines about one problem in the list; the table below it has every cell."""

_LINE_HEIGHT: Final = 15
_FITS: Final = 1.2
"""Characters of running text that fit where one digit would."""

_MOST_HEIGHT: Final = 405
"""Excel shows no row higher than 409 points."""

_FONT: Final = "Calibri"
_TITLE_FONT: Final = Font(name=_FONT, size=15, bold=True)
_SUBTITLE_FONT: Final = Font(name=_FONT, size=12, bold=True)
_HEAD_FONT: Final = Font(name=_FONT, size=11, bold=True, color="FFFFFF")
_HEAD_FILL: Final = PatternFill("solid", fgColor="1F3A5F")
_TEXT_FONT: Final = Font(name=_FONT, size=11)
_LINK_FONT: Final = Font(name=_FONT, size=11, color="0B4F9E", underline="single")
_TOP: Final = Alignment(vertical="top", horizontal="left", wrap_text=True)
_RULE: Final = Border(bottom=Side(style="thin", color="B8B8B8"))


def add_problems_sheet(copy: Copy, about: Sequence[str], problems: Sequence[Problem]) -> None:
    """Put the list of all problems before the other sheets; `about` are lines to stand above it."""
    sheet = copy.book.create_sheet(_TITLE, 0)
    _show_first(copy, sheet)
    write_text(sheet, 1, 1, PROBLEMS_MARK).font = _TITLE_FONT
    for row, text in enumerate(about, 2):
        _write_across(sheet, row, text)
    row = len(about) + 3
    if problems:
        _write_heads(sheet, row)
        sheet.freeze_panes = f"A{row + 1}"
        sheet.print_title_rows = f"{row}:{row}"
    for number, problem in enumerate(problems, 1):
        row += 1
        _write_problem(copy, sheet, row, number, problem)
    several = [(n, p) for n, p in enumerate(problems, 1) if len(p.findings) > 1]
    if several:
        _write_cells(copy, sheet, row + 3, several)


def _show_first(copy: Copy, sheet: Worksheet) -> None:
    """Open the copy at the list: a second selected sheet would take whatever is typed there too."""
    for other in copy.book.worksheets:
        other.sheet_view.tabSelected = other is sheet
    copy.book.active = sheet
    for column, width in enumerate(_COLUMNS.values(), 1):
        sheet.column_dimensions[get_column_letter(column)].width = width
    sheet.sheet_view.showGridLines = False
    sheet.page_setup.orientation = "landscape"
    sheet.page_setup.paperSize = sheet.PAPERSIZE_A4
    sheet.page_setup.fitToHeight = 0
    sheet.sheet_properties.pageSetUpPr = PageSetupProperties(fitToPage=True)


def _write_across(sheet: Worksheet, row: int, text: str) -> None:
    """Write a line over the whole width of the list, so that it wraps where the list ends."""
    cell = write_text(sheet, row, 1, text)
    cell.font, cell.alignment = _TEXT_FONT, _TOP
    sheet.merge_cells(start_row=row, end_row=row, start_column=1, end_column=len(_COLUMNS))
    sheet.row_dimensions[row].height = _LINE_HEIGHT * _lines(text, sum(_COLUMNS.values()))


def _write_heads(sheet: Worksheet, row: int) -> None:
    for column, head in enumerate(_COLUMNS, 1):
        cell = write_text(sheet, row, column, head)
        cell.font, cell.fill, cell.alignment = _HEAD_FONT, _HEAD_FILL, _TOP


def _write_problem(copy: Copy, sheet: Worksheet, row: int, number: int, problem: Problem) -> None:
    lines = list(problem.lines)
    if len(lines) > _MOST_LINES:
        rest = len(lines) - _MOST_LINES + 1
        lines[_MOST_LINES - 1 :] = [f"and {rest} more like these, listed below, cell by cell"]
    texts = [
        severity_word(problem.severity),
        problem.rule_id,
        visible(problem.sheet or "the file"),
        ", ".join(problem.cells),
        problem.value,
        "\n".join(lines),
        problem.fix,
    ]
    cells = _write_row(sheet, row, number, texts)
    cells[1].fill = FILLS[problem.severity]
    _link(copy, cells[3], problem.findings[0])
    # Some programs do not wrap a link, and would cut a list of cells off.
    if len(problem.cells) == 1:
        _link(copy, cells[4], problem.findings[0])


def _write_cells(
    copy: Copy, sheet: Worksheet, row: int, problems: Sequence[tuple[int, Problem]]
) -> None:
    """Write every finding of the problems that have several, each with its own link."""
    title = "Cell by cell: the problems above that concern several cells"
    write_text(sheet, row, 1, title).font = _SUBTITLE_FONT
    for number, problem in problems:
        for item in problem.findings:
            row += 1
            value = visible(item.value or "")
            place = ["", "", visible(item.sheet or ""), item.cell or "", value]
            cells = _write_row(sheet, row, number, [*place, message(item), fix(item)])
            _link(copy, cells[4 if item.cell else 3], item)


def _write_row(sheet: Worksheet, row: int, number: int, texts: Sequence[str]) -> list[Cell]:
    cells = [write_plain(sheet, row, c, text) for c, text in enumerate([str(number), *texts], 1)]
    for cell in cells:
        cell.font, cell.alignment, cell.border = _TEXT_FONT, _TOP, _RULE
    lines = max(map(_lines, texts, list(_COLUMNS.values())[1:]))
    sheet.row_dimensions[row].height = min(_LINE_HEIGHT * lines + 3, _MOST_HEIGHT)
    return cells


def _lines(text: str, width: int) -> int:
    """Return how many lines a text takes: Excel fits heights by itself, other programs do not."""
    return sum(max(1, len(wrap(line, round(width * _FITS)))) for line in text.split("\n"))


def _link(copy: Copy, cell: Cell, item: Finding) -> None:
    """Lead from a cell of the list to where a finding stands, if that is in the workbook."""
    if item.sheet in copy.sheets:
        title = quote_sheetname(copy.sheets[item.sheet].title)
        cell.hyperlink = Hyperlink(ref=cell.coordinate, location=f"{title}!{item.cell or 'A1'}")
        cell.font = _LINK_FONT
