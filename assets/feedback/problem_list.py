"""The list of problems that a marked copy begins with, and that goes out about an extract."""

import tomllib
from collections.abc import Collection, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final, NamedTuple

import polars as pl
from openpyxl.styles import Alignment, Border, Font, PatternFill, Protection, Side
from openpyxl.utils.cell import get_column_letter, quote_sheetname
from openpyxl.worksheet.hyperlink import Hyperlink
from openpyxl.worksheet.properties import PageSetupProperties
from openpyxl.worksheet.worksheet import Worksheet

from assets.feedback.causes import Look
from assets.feedback.problems import Problem, Thing, findings_of, fix, message, severity_word, tally
from assets.feedback.safe_cells import Copy, packed, workbook_of_cells, write_plain, write_text
from assets.html import render
from assets.intake.reading import Cell, RawSheet, Reading
from assets.returns.desk.returned import BELOW, HEADS, QUERY
from assets.returns.validation.layout import PROBLEMS, PROBLEMS_MARK, lay_out
from schemas.finding import Finding
from schemas.rules.catalogue import every_rule
from schemas.template import Template
from schemas.wording import LINE_HEIGHT, lines_of, visible

_LOOKS: Final = tomllib.loads(Path(__file__).with_suffix(".toml").read_text(encoding="utf-8"))
FILLS: Final = {name: PatternFill("solid", fgColor=of) for name, of in _LOOKS["fills"].items()}
_FONTS: Final = {name: Font(name="Calibri", **of) for name, of in _LOOKS["fonts"].items()}
_HEADS, _WIDTHS = (tuple(each) for each in zip(*_LOOKS["columns"].items(), strict=True))
_TOP: Final = Alignment(vertical="top", horizontal="left", wrap_text=True)
_RULE: Final = Border(bottom=Side(style="thin", color="B8B8B8"))
_ABOUT: Final = Path(__file__).parent / "templates" / "about.txt.j2"
_ANSWER_WIDTHS: Final = (54, 30, 24)
_ROOM: Final = 3
"""Lines that a reason has room for."""
_SHEET, _CELLS = 3, 4
"""Columns, from 0, that lead to the place of a problem."""

_MOST_LINES: Final = 8
"""Lines about one problem in the list; the table below it has every cell."""


_MOST_HEIGHT: Final = 405
"""Excel shows no row higher than 409 points."""

_AT_ONCE: Final = "A reason in this row answers all; one in a row below answers that query alone."
_TO_DO: Final = "Correct it if you agree. Nothing was changed; you know what is right."

Answer = tuple[str, str, str]
"""What stands beside a query: reason, role, and its code, without which nothing can be typed."""
Answers = Mapping[Finding, Answer]
Links = dict[int, Finding | Look]
"""What the columns of a row lead to."""


def add_problems_sheet(
    copy: Copy,
    about: Mapping[str, Any],
    things: Sequence[Thing],
    answers: Answers,
) -> None:
    """Put the list of all problems before the other sheets, under lines that tell what it is about.

    Under the cells of a cause stands what follows from it, which can be folded away: not in a list
    with cells for `answers`, all others of which are locked.
    """
    sheet = copy.book.create_sheet(PROBLEMS, 0)
    _show_first(copy, sheet)
    lines = render(_ABOUT, **about).splitlines()
    for row, text in enumerate(lines, 2):
        # Over the whole width of the list, so that it wraps where the list ends.
        cell = write_text(sheet, row, 1, text)
        cell.font, cell.alignment = _FONTS["text"], _TOP
        sheet.merge_cells(start_row=row, end_row=row, start_column=1, end_column=len(_WIDTHS))
        sheet.row_dimensions[row].height = LINE_HEIGHT * lines_of(text, sum(_WIDTHS))
    row = len(lines) + 3
    if any(thing.problems for thing in things):
        for column, head in enumerate((*_HEADS, *HEADS) if answers else _HEADS, 1):
            cell = write_text(sheet, row, column, head)
            cell.font, cell.fill, cell.alignment = _FONTS["head"], FILLS["head"], _TOP
        sheet.freeze_panes = f"A{row + 1}"
        sheet.print_title_rows = f"{row}:{row}"
    if any(thing.cause for thing in things):
        sheet.sheet_properties.outlinePr.summaryBelow = False
    for each in _rows(things, answers):
        if isinstance(each, str):
            row += 3
            write_text(sheet, row, 1, each).font = _FONTS["subtitle"]
        else:
            row += 1
            _write_row(copy, sheet, row, each)
    if answers:
        for column, width in enumerate(_ANSWER_WIDTHS, len(_HEADS) + 1):
            sheet.column_dimensions[get_column_letter(column)].width = width
        sheet.protection.sheet = True
        sheet.protection.formatColumns = sheet.protection.formatRows = False


class _Row(NamedTuple):
    """A row of the list: how far it is folded away, and what stands beside it as an answer."""

    texts: Sequence[str]
    links: Links
    fill: PatternFill | None = None
    level: int = 0
    answer: Answer | None = None


def _rows(things: Sequence[Thing], answers: Answers) -> Iterator[_Row | str]:
    """Yield the rows of the list, and the titles of what stands below it."""
    several = []
    for thing in things:
        label, of, mine = thing.label, thing.cause or thing.about, thing.problems
        for way, look in enumerate(thing.cause.looks if thing.cause else ()):
            found = "" if look.found is None else str(look.found)
            place = look.sheet, look.cell, look.wording, found
            texts = ["" if way else label, look.title, "", *place, look.says, _TO_DO]
            yield _Row(texts, dict.fromkeys((_SHEET, _CELLS), look), FILLS["look"])
        if thing.about:
            place = thing.where, "", thing.called, ""
            said = f"{thing.lines[0]} {_AT_ONCE}" if answers else thing.lines[0]
            texts = [label, severity_word(mine[0]), thing.rule_id, *place, said, thing.fix]
            yield _Row(texts, {}, FILLS[thing.severity], 0, _answer_to_all(mine, answers))
        for number, problem in enumerate(mine, 1):
            # Some programs do not wrap a link, and would cut a list of cells off.
            linked = (_SHEET, _CELLS) if len(problem.cells) == 1 else (_SHEET,)
            links: Links = dict.fromkeys(linked, problem.findings[0])
            texts = [f"{label}.{number}" if of else label, *_texts(problem)]
            answer = answers.get(problem.findings[0])
            if len(problem.findings) > 1:
                answer = answer and (BELOW, "", "")
                several.append((texts[0], problem))
            # What can be folded away cannot be where all but the answers is locked.
            yield _Row(texts, links, FILLS[problem.severity], int(bool(of and not answers)), answer)
    named = {problem.rule_id for thing in things for problem in thing.problems}
    yield from _below(several, named, answers)


def _below(
    several: Sequence[tuple[str, Problem]], named: Collection[str], answers: Answers
) -> Iterator[_Row | str]:
    """Yield a row for each cell of problems that concern several, and one for each rule named."""
    if several:
        yield "Cell by cell: the problems above that concern several cells"
    for label, problem in several:
        for item, wording in zip(problem.findings, problem.wordings, strict=True):
            place = visible(item.sheet or ""), item.cell or "", wording, visible(item.value or "")
            texts = [label, "", "", *place, message(item), fix(item)]
            yield _Row(texts, {_CELLS if item.cell else _SHEET: item}, answer=answers.get(item))
    if named:
        yield "The rules named above"
    for rule in every_rule().values():
        if rule.id in named:
            told = f"{rule.checks} {rule.why}".replace("`", "")
            yield _Row(["", "", rule.id, "", "", rule.title, "", told, rule.address or ""], {})


def _answer_to_all(problems: Sequence[Problem], answers: Answers) -> Answer | None:
    """Return what stands beside a question: what was answered to all of it, and all its codes."""
    given = [answers[it] for each in problems for it in each.findings if it in answers]
    if not given:
        return None
    (reason, role), *others = {(reason, role) for reason, role, _ in given}
    codes = " ".join(code for *_, code in given)
    return ("", "", codes) if others else (reason, role, codes)


def _show_first(copy: Copy, sheet: Worksheet) -> None:
    """Open the copy at the list: a second selected sheet would take whatever is typed there too."""
    write_text(sheet, 1, 1, PROBLEMS_MARK).font = _FONTS["title"]
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
    place = visible(problem.sheet or "the file"), ", ".join(problem.cells), problem.called
    word = severity_word(problem)
    return [word, problem.rule_id, *place, problem.value, "\n".join(lines), problem.fix]


def _write_row(copy: Copy, sheet: Worksheet, row: int, of: _Row) -> None:
    """Write a row of the list, with links to where findings stand, if that is in the workbook.

    What is answered beside a query is unlocked to be typed into, but for the query's code.
    """
    reason, *_, code = of.answer or ("", "")
    for number, text in enumerate((*of.texts, *(of.answer or ()))):
        beside = number - len(_HEADS)
        cell = (write_plain if beside < 0 else write_text)(sheet, row, number + 1, text)
        cell.font, cell.alignment, cell.border = _FONTS["text"], _TOP, _RULE
        if of.fill and number == 1:
            cell.fill = of.fill
        if code and 0 <= beside < HEADS.index(QUERY):
            cell.fill, cell.protection = FILLS["entry"], Protection(locked=False)
        item = of.links.get(number)
        if item and item.sheet in copy.sheets:
            title = quote_sheetname(copy.sheets[item.sheet].title)
            cell.hyperlink = Hyperlink(ref=cell.coordinate, location=f"{title}!{item.cell or 'A1'}")
            cell.font = _FONTS["link"]
    lines = max(map(lines_of, of.texts, _WIDTHS))
    if code:  # a row whose height is given does not grow with what is typed
        lines = max(lines, _ROOM, lines_of(reason, _ANSWER_WIDTHS[0]))
    sheet.row_dimensions[row].height = min(LINE_HEIGHT * lines + 3, _MOST_HEIGHT)
    sheet.row_dimensions[row].outlineLevel = of.level


_MOST_BAD: Final = 5_000
_LONGEST: Final = 1_000
"""Bad rows that are shown, and characters of each value; the quarantine has all."""


def extract_list(
    things: Sequence[Thing], bad: pl.DataFrame, template: Template, name: str
) -> bytes:
    """Return a workbook about an extract to mend: its problems, and its bad rows as they were sent.

    `bad` has the columns of the quarantine.
    """
    shown = bad.head(_MOST_BAD)
    lines = [bad.columns, *shown.cast(pl.String).fill_null("").iter_rows()]
    cells = (
        Cell(row, column, text[:_LONGEST], "text")
        for row, line in enumerate(lines, 1)
        for column, text in enumerate(line, 1)
        if text
    )
    reading = Reading((RawSheet("bad rows", tuple(cells)),) if bad.height else ())
    copy = workbook_of_cells(reading, lay_out(reading.sheets, template))
    about = {"name": name, "tally": tally(findings_of(things)), "basis": None, "of_extract": True}
    asked = any(thing.severity == "Q" for thing in things)
    of_rows = {"bad": bad.height, "most_bad": _MOST_BAD, "asked": asked}
    add_problems_sheet(copy, about | of_rows, things, {})
    return packed(copy.book, {})
