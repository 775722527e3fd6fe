"""A force's own workbook, marked: every problem at its cell, and a first sheet that lists them.

The force's file is only read. A zip of CSV files becomes a workbook of the same cells. The first
cell of the list tells readers of returns that it is ours and holds nothing to be read.
"""

import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from textwrap import wrap
from typing import Final

from openpyxl.cell.cell import Cell, MergedCell
from openpyxl.comments import Comment
from openpyxl.styles import Alignment, Border, Font, PatternFill, Side
from openpyxl.utils.cell import get_column_letter, quote_sheetname
from openpyxl.worksheet.hyperlink import Hyperlink
from openpyxl.worksheet.properties import PageSetupProperties
from openpyxl.worksheet.worksheet import Worksheet

from assets.feedback.problems import (
    LOOK_IS,
    Cause,
    Look,
    Problem,
    basis_line,
    causes_of,
    fix,
    grouped,
    message,
    severity_word,
    tally,
)
from assets.feedback.safe_cells import (
    STUMBLES,
    Copy,
    own_workbook,
    packed,
    workbook_of_cells,
    write_plain,
    write_text,
)
from assets.intake.reader import cover_values, read_return
from assets.intake.reading import Reading
from assets.lake import atomic_file
from assets.returns.validation.check import Checked
from assets.returns.validation.layout import PROBLEMS_MARK, is_list_of_problems, lay_out
from schemas.finding import Finding
from schemas.template import Template
from schemas.vocabulary import SEVERITIES
from schemas.wording import visible

FILLS: Final = {
    "B": PatternFill("solid", fgColor="F6A8A0"),
    "Q": PatternFill("solid", fgColor="FFCB45"),
    "N": PatternFill("solid", fgColor="BBD9F2"),
    "look": PatternFill("solid", fgColor="63B76C"),
}
"""By severity, and where to look first.

Apart in lightness too, so that they differ in print and to people who see few colours.
"""

_HEADS: Final = (
    "no.", "severity", "rule", "sheet", "cells", "value", "what is wrong", "what to do",
)  # fmt: skip
_WIDTHS: Final = (5, 15, 7, 15, 22, 18, 64, 54)
_SHEET, _CELLS = 3, 4
"""Columns, from 0, that lead to the place of a problem."""

_MOST_LINES: Final = 8
"""Lines about one problem in the list; the table below it has every cell."""

_LINE_HEIGHT: Final = 15
_FITS: Final = 1.2
"""Characters of running text that fit where one digit would."""

_MOST_HEIGHT: Final = 405
"""Excel shows no row higher than 409 points."""

_TITLE_FONT: Final = Font(name="Calibri", size=15, bold=True)
_SUBTITLE_FONT: Final = Font(name="Calibri", size=12, bold=True)
_HEAD_FONT: Final = Font(name="Calibri", size=11, bold=True, color="FFFFFF")
_TEXT_FONT: Final = Font(name="Calibri", size=11)
_LINK_FONT: Final = Font(name="Calibri", size=11, color="0B4F9E", underline="single")
_HEAD_FILL: Final = PatternFill("solid", fgColor="1F3A5F")
_TOP: Final = Alignment(vertical="top", horizontal="left", wrap_text=True)
_RULE: Final = Border(bottom=Side(style="thin", color="B8B8B8"))


def add_problems_sheet(
    copy: Copy, about: Sequence[str], problems: Sequence[Problem], causes: Sequence[Cause]
) -> None:
    """Put the list of all problems before the other sheets; `about` are lines to stand above it.

    Under the cells of a cause stands what follows from it, which can be folded away.
    """
    sheet = copy.book.create_sheet("problems", 0)
    _show_first(copy, sheet)
    write_text(sheet, 1, 1, PROBLEMS_MARK).font = _TITLE_FONT
    for row, text in enumerate(about, 2):
        # Over the whole width of the list, so that it wraps where the list ends.
        cell = write_text(sheet, row, 1, text)
        cell.font, cell.alignment = _TEXT_FONT, _TOP
        sheet.merge_cells(start_row=row, end_row=row, start_column=1, end_column=len(_WIDTHS))
        sheet.row_dimensions[row].height = _LINE_HEIGHT * _lines(text, sum(_WIDTHS))
    row = len(about) + 3
    if problems:
        for column, head in enumerate(_HEADS, 1):
            cell = write_text(sheet, row, column, head)
            cell.font, cell.fill, cell.alignment = _HEAD_FONT, _HEAD_FILL, _TOP
        sheet.freeze_panes = f"A{row + 1}"
        sheet.print_title_rows = f"{row}:{row}"
    if causes:
        sheet.sheet_properties.outlinePr.summaryBelow = False
    for texts, links, fill, level in _listed(problems, causes):
        row += 1
        _write_row(copy, sheet, row, texts, links, fill)
        sheet.row_dimensions[row].outlineLevel = level
    several = [(n, p) for n, p in enumerate(problems, 1) if len(p.findings) > 1]
    if several:
        row += 3
        title = "Cell by cell: the problems above that concern several cells"
        write_text(sheet, row, 1, title).font = _SUBTITLE_FONT
    for number, problem in several:
        for item in problem.findings:
            row += 1
            place = visible(item.sheet or ""), item.cell or "", visible(item.value or "")
            texts = [str(number), "", "", *place, message(item), fix(item)]
            _write_row(copy, sheet, row, texts, {_CELLS if item.cell else _SHEET: item})


def _listed(
    problems: Sequence[Problem], causes: Sequence[Cause]
) -> Iterator[tuple[list[str], dict[int, Finding | Look], PatternFill, int]]:
    """Yield the rows of the list: texts, what each column leads to, fill, and how far folded."""
    numbers = iter(range(1, len(problems) + 1))
    for cause in (*causes, None):
        for look in cause.looks if cause else ():
            found = "" if look.found is None else str(look.found)
            texts = ["", look.title, "", look.sheet, look.cell, found, look.wording, look.says]
            yield texts, dict.fromkeys((_SHEET, _CELLS), look), FILLS["look"], 0
        for problem in problems:
            if next(iter(problem.causes), None) is cause:
                # Some programs do not wrap a link, and would cut a list of cells off.
                linked = (_SHEET, _CELLS) if len(problem.cells) == 1 else (_SHEET,)
                links: dict[int, Finding | Look] = dict.fromkeys(linked, problem.findings[0])
                texts = [str(next(numbers)), *_texts(problem)]
                yield texts, links, FILLS[problem.severity], 1 if cause else 0


def _show_first(copy: Copy, sheet: Worksheet) -> None:
    """Open the copy at the list: a second selected sheet would take whatever is typed there too."""
    for other in copy.book.worksheets:
        other.sheet_view.tabSelected = other is sheet
    copy.book.active = sheet
    for column, width in enumerate(_WIDTHS, 1):
        sheet.column_dimensions[get_column_letter(column)].width = width
    sheet.sheet_view.showGridLines = False
    sheet.page_setup.orientation = "landscape"
    sheet.page_setup.paperSize = sheet.PAPERSIZE_A4
    sheet.page_setup.fitToHeight = 0
    sheet.sheet_properties.pageSetUpPr = PageSetupProperties(fitToPage=True)


def _texts(problem: Problem) -> list[str]:
    """Return what the list says of a problem, column by column after its number."""
    lines = list(problem.lines)
    if len(lines) > _MOST_LINES:
        rest = len(lines) - _MOST_LINES + 1
        lines[_MOST_LINES - 1 :] = [f"and {rest} more like these, listed below, cell by cell"]
    place = visible(problem.sheet or "the file"), ", ".join(problem.cells), problem.value
    word = severity_word(problem.severity)
    return [word, problem.rule_id, *place, "\n".join(lines), problem.fix]


def _write_row(
    copy: Copy,
    sheet: Worksheet,
    row: int,
    texts: Sequence[str],
    links: Mapping[int, Finding | Look],
    fill: PatternFill | None = None,
) -> None:
    """Write a row of the list, with links to where findings stand, if that is in the workbook."""
    for number, text in enumerate(texts):
        cell = write_plain(sheet, row, number + 1, text)
        cell.font, cell.alignment, cell.border = _TEXT_FONT, _TOP, _RULE
        if fill and number == 1:
            cell.fill = fill
        item = links.get(number)
        if item and item.sheet in copy.sheets:
            title = quote_sheetname(copy.sheets[item.sheet].title)
            cell.hyperlink = Hyperlink(ref=cell.coordinate, location=f"{title}!{item.cell or 'A1'}")
            cell.font = _LINK_FONT
    lines = max(map(_lines, texts, _WIDTHS))
    sheet.row_dimensions[row].height = min(_LINE_HEIGHT * lines + 3, _MOST_HEIGHT)


def _lines(text: str, width: int) -> int:
    """Return how many lines a text takes: Excel fits heights by itself, other programs do not."""
    return sum(max(1, len(wrap(line, round(width * _FITS)))) for line in text.split("\n"))


AUTHOR: Final = "Muster"
_OURS: Final = "Found by Muster"
"""How our comments begin; not every program keeps their author."""
_THEIRS: Final = "\n\nThe comment that stood here before:\n"
_MARKED: Final = (
    "Each cell is marked in its sheet, with a comment that says what is wrong and what to do."
    " Mend it in this copy or in your own workbook, and send that: this sheet is not read."
)
_LOOK: Final = f"Green is where to look first: {LOOK_IS}"
_NO_COPY: Final = "The file could not be read as a return, so this is not a copy of it."
_CELLS_ALONE: Final = "This copy holds the cells of your file alone, each sheet at its name."
_NOT_CHECKED: Final = (
    "Not checked yet, because what they look at could not be read: {}."
    " They are checked once it can."
)
_WIDTH: Final = 380
_CHARACTERS_A_LINE: Final = 56
_COMMENT_LINE: Final = 17

_LONGEST_STEM: Final = 200
"""Bytes; file systems take 255, and a number may follow."""


def marked_copy(
    path: Path,
    reading: Reading,
    findings: Sequence[Finding],
    template: Template,
    *,
    name: str,
    causes: Sequence[Cause] = (),
    not_evaluable: Sequence[str] = (),
) -> bytes:
    """Return the marked copy of a received file, an Excel workbook.

    Where the file cannot be opened whole, the copy holds its cells alone; where it was refused,
    nothing but the list of problems.

    The `causes` are shown with what follows from them. Rules that are
    `not_evaluable` could not be told.
    """
    problems, layout = grouped(findings, template, causes), lay_out(reading.sheets, template)
    about = [f"{visible(name)}: {tally(problems)}."]
    if basis := basis_line(cover_values(reading).get("basis")):
        about.append(basis)
    about.append(_NO_COPY if reading.refusal else _MARKED)
    if causes:
        about.append(_LOOK)
    if not_evaluable and not reading.refusal:
        about.append(_NOT_CHECKED.format(", ".join(not_evaluable)))
    own = own_workbook(path, reading, layout)
    if own:
        with suppress(*STUMBLES):  # not all that openpyxl can open it can save
            return _marked(own, reading, problems, causes, about)
    if reading.sheets:
        about.append(_CELLS_ALONE)
    return _marked(workbook_of_cells(reading, layout), reading, problems, causes, about)


def _marked(
    copy: Copy,
    reading: Reading,
    problems: Sequence[Problem],
    causes: Sequence[Cause],
    about: Sequence[str],
) -> bytes:
    for raw in reading.sheets:
        if is_list_of_problems(raw):
            copy.book.remove(copy.sheets[raw.name])
        elif raw.name in copy.sheets:
            _unmark(copy.sheets[raw.name])
    _mark(
        copy,
        [look for cause in causes for look in cause.looks],
        [item for problem in problems for item in problem.findings],
    )
    add_problems_sheet(copy, about, problems, causes)
    return packed(copy.book, {raw.name: raw for raw in reading.sheets} if copy.whole else {})


def _mark(copy: Copy, looks: Sequence[Look], findings: Sequence[Finding]) -> None:
    """Mark what has a cell in the workbook; several at one cell in one comment."""
    at_cell: dict[tuple[str, str], list[Look | Finding]] = {}
    severities = list(SEVERITIES)
    ordered = sorted(findings, key=lambda item: severities.index(item.severity))
    marks: list[Look | Finding] = [*looks, *ordered]
    for item in marks:
        if item.cell and item.sheet in copy.sheets:
            sheet, at = copy.sheets[item.sheet], item.cell
            if isinstance(sheet[at], MergedCell):  # of merged cells the first can have a comment
                ranges = (merged for merged in sheet.merged_cells.ranges if at in merged)
                at = next((str(one.coord.partition(":")[0]) for one in ranges), at)
            at_cell.setdefault((sheet.title, at), []).append(item)
    for (title, address), items in at_cell.items():
        cell, first = copy.book[title][address], items[0]
        cell.fill = FILLS["look" if isinstance(first, Look) else first.severity]
        said = [
            f"{item.title}: {item.says}"
            if isinstance(item, Look)
            else f"{item.rule_id}: {severity_word(item.severity)}\n{message(item)}"
            f"\nWhat to do: {fix(item)}"
            for item in items
        ]
        theirs = f"{_THEIRS}{cell.comment.text}" if cell.comment else ""
        text = "\n\n".join([_OURS, *said]) + theirs
        lines = sum(1 + len(line) // _CHARACTERS_A_LINE for line in text.split("\n"))
        height = _COMMENT_LINE * (lines + 1)
        cell.comment = Comment(text, AUTHOR, width=_WIDTH, height=height)


def _unmark(sheet: Worksheet) -> None:
    """Take the marks of an earlier copy off: a mended cell must not keep the old complaint."""
    # Only cells that are stored: going through all rows would make those in between.
    for cell in list(sheet._cells.values()):
        if isinstance(cell, Cell) and cell.comment and cell.comment.text.startswith(_OURS):
            _, _, theirs = cell.comment.text.partition(_THEIRS)
            cell.comment = Comment(theirs, "") if theirs else None
            cell.fill = PatternFill()


def write_marked_copies(checked: Sequence[Checked], folder: Path, template: Template) -> list[Path]:
    """Write the marked copy of each checked file into a folder, and return their paths.

    A copy is named after its file; where two files share a name, the later copies are numbered.
    No file that was checked is ever written to.

    Raises:
        OSError: a file cannot be opened any more.
        LakeError: the folder cannot be written.
    """
    files = [Path(item.file) for item in checked]
    taken = {path.name.casefold() for path in files if path.parent.resolve() == folder.resolve()}
    written = []
    for item, path in zip(checked, files, strict=True):
        target = folder / _free_name(path.stem, taken)
        content = marked_copy(
            path,
            read_return(path),
            item.findings,
            template,
            name=path.name,
            causes=causes_of(item.repairs, template),
            not_evaluable=item.not_evaluable,
        )
        with atomic_file(target) as file:
            file.write(content)
        written.append(target)
    return written


def _free_name(stem: str, taken: set[str]) -> str:
    """Return a name that is not taken, whatever the case of its letters, and take it.

    A name that would be too long with what is added to it loses its end.
    """
    stem = os.fsdecode(os.fsencode(stem)[:_LONGEST_STEM])
    stem = stem.encode("utf-8", "surrogateescape").decode("utf-8", "ignore")
    name, number = f"{stem}-marked.xlsx", 1
    while name.casefold() in taken:
        number += 1
        name = f"{stem}-marked-{number}.xlsx"
    taken.add(name.casefold())
    return name
