"""Writes the summary workbook: the national tables for people who open Excel.

Cover, contents, notes, and one table a sheet, as the guidance for government analysts asks.
"""

import textwrap
from collections import Counter
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Any, Final

import xlsxwriter

from assets.lake import put_in_place, scratch_file, write_errors
from assets.release.pages.content import Cell, Figure, Head, Page, PageTable, Style, Text
from assets.release.pages.figures import Edition
from assets.release.pages.pages import national_page
from assets.release.pages.wording import period, sentence

MISSING: Final = "[x]"
NOT_TOTALLED: Final = "[z]"
_EPOCH: Final = datetime(2012, 1, 1)
_SHORTHAND: Final = {
    MISSING: "not available: the figure is not known. It is not zero.",
    NOT_TOTALLED: "not applicable: no such total is made of what was asked.",
}
_OWN: Final = ("cover", "contents", "notes")
_WRAPPED: Final = {"text_wrap": True, "valign": "top"}
_LONGEST: Final = 31
"""Characters of the name of a sheet, at most."""
_NARROW: Final = 14
_WIDE: Final = 60
_LINE: Final = 15
"""Height of a line of text, in points."""
_ONE_TABLE: Final = "This worksheet contains one table."


def write_summary(path: Path, edition: Edition) -> None:
    """Write the summary workbook of a release. It is the full edition: nothing is suppressed.

    Args:
        path: where to.
        edition: the release.

    Raises:
        LakeError: the workbook cannot be written.
        SetupError: there is no such collection.
    """
    page = national_page(edition)
    tables = [
        block
        for section in page.sections
        for block in section.blocks
        if isinstance(block, PageTable)
    ]
    with write_errors(path), scratch_file(path.parent) as scratch:
        with _Book(str(scratch)) as book:
            _write(book, edition, page, tables)
        put_in_place(scratch, path, mode=0o644)


class _Book(xlsxwriter.Workbook):  # type: ignore[misc]  # has no types
    """A workbook whose formats are made once each, and whose sheets have their title in A1."""

    def looks(self, **looks: Any) -> Any:
        """Return the format of these looks."""
        made = self.__dict__.setdefault("_made", {})
        key = tuple(sorted(looks.items()))
        if key not in made:
            made[key] = self.add_format({"font_name": "Arial", "font_size": 11, **looks})
        return made[key]

    def sheet(self, name: str, title: str, widths: Sequence[int]) -> Any:
        """Return a new sheet with its title in A1."""
        page = self.add_worksheet(name)
        for number, width in enumerate(widths):
            page.set_column(number, number, width)
        page.write_string(0, 0, title, self.looks(bold=True, font_size=15))
        page.set_landscape()
        page.set_paper(9)
        page.fit_to_pages(1, 0)
        return page

    def words(
        self,
        name: str,
        title: str,
        heads: Sequence[str],
        widths: Sequence[int],
        rows: Sequence[tuple[str, str]],
        link: Any = None,
    ) -> None:
        """Add a sheet with a table of words; with a link format the first lead to sheets."""
        sheet = self.sheet(name, title, widths)
        sheet.write_string(1, 0, _ONE_TABLE, self.looks())
        of = name if link else f"{name}_table"
        _mark(self, sheet, 2, of, [Head(label, numeric=False) for label in heads], len(rows))
        for line, (first, second) in enumerate(rows, 3):
            if link:
                sheet.write_url(line, 0, f"internal:'{first}'!A1", link, first)
            else:
                sheet.write_string(line, 0, first, self.looks(**_WRAPPED))
                _fit(sheet, line, (first, second), widths)
            sheet.write_string(line, 1, second, self.looks(**_WRAPPED))


def _write(book: _Book, edition: Edition, page: Page, tables: list[PageTable]) -> None:
    book.set_properties({"title": page.title, "author": "Muster", "created": _EPOCH})
    book.set_size(2400, 1500)
    basis = f"{sentence(edition.about['basis'])}."
    cover = book.sheet("cover", f"{page.title}: summary tables", [90])
    lines = [
        *map(_plain, page.banner),
        f"Period: {period(edition.collection, 'collection')}.",
        f"Sources: {edition.about['sources']}.",
        "The worksheet contents lists the tables; the worksheet notes explains their shorthand.",
    ]
    for number, line in enumerate(lines, 1):
        cover.write_string(number, 0, line, book.looks(**_WRAPPED))
        _fit(cover, number, [line], [90])
    link = book.looks(font_color="#0B4F9E", underline=1)
    named = _by_sheet(tables)
    listed = [("notes", "Notes and shorthand"), *((name, of.caption) for name, of in named.items())]
    book.words("contents", "Contents", ("Worksheet", "What it contains"), (36, 90), listed, link)
    said = [
        (section.title, _plain(block))
        for section in page.sections
        for block in section.blocks
        if isinstance(block, Text) and not block.drawn
    ]
    listed = [*_SHORTHAND.items(), ("Basis", basis), *said]
    book.words("notes", "Notes and shorthand", ("About", "Note"), (30, 100), listed)
    for name, table in named.items():
        _table(book, name, table, basis)


def _plain(line: Text) -> str:
    return "".join(part if isinstance(part, str) else part.text for part in line.parts)


def _by_sheet(tables: list[PageTable]) -> dict[str, PageTable]:
    """Return the tables by the names of their sheets: their own, as Excel allows, and unique."""
    named: dict[str, PageTable] = {}
    for table in tables:
        name, taken = table.name, {*_OWN, *(known.lower() for known in named)}
        while len(name) > _LONGEST or name.lower() in taken:
            name = f"{name[: _LONGEST - 4]}_{len(named)}"
        named[name] = table
    return named


def _table(book: _Book, name: str, table: PageTable, basis: str) -> None:
    widths = [
        _width(head.label, [cells[number] for cells in table.rows], numeric=head.numeric)
        for number, head in enumerate(table.heads)
    ]
    sheet = book.sheet(name, table.caption, widths)
    notes = [_ONE_TABLE, basis, f"Shorthand: {MISSING} {_SHORTHAND[MISSING]}", *table.notes]
    for line, note in enumerate(notes, 1):
        sheet.write_string(line, 0, note, book.looks())
    top = len(notes) + 1
    _mark(book, sheet, top, f"{name}_table", table.heads, len(table.rows))
    _fit(sheet, top, [head.label for head in table.heads], widths)
    nothing = (tuple(Cell(MISSING) for _ in table.heads),)
    for line, cells in enumerate(table.rows or nothing, top + 1):
        for number, cell in enumerate(cells):
            _cell(book, sheet, line, number, cell)
        _fit(sheet, line, [_words(cell) for cell in cells], widths)
    sheet.freeze_panes(top + 1, 1)


def _mark(book: _Book, sheet: Any, top: int, name: str, labels: Sequence[Head], rows: int) -> None:
    """Mark a range as an Excel table and write its headings."""
    looks = {"bold": True, "text_wrap": True, "valign": "bottom", "bottom": 1}
    columns = []
    said: Counter[str] = Counter()
    for number, head in enumerate(labels):
        said[head.label.lower()] += 1  # A table whose headings are alike is none to Excel.
        again = said[head.label.lower()]
        beside = {"align": "right"} if head.numeric else {"indent": min(number, 1)}
        header = f"{head.label} ({again})" if again > 1 else head.label
        columns.append({"header": header, "header_format": book.looks(**looks, **beside)})
    options = {"name": name, "columns": columns, "style": None, "autofilter": False}
    sheet.add_table(top, 0, top + max(rows, 1), len(labels) - 1, options)


def _cell(book: _Book, sheet: Any, line: int, number: int, cell: Cell) -> None:
    content = cell.content
    if isinstance(content, Figure) and content.number is not None:
        style = _number_format(content.style, content.number)
        sheet.write_number(line, number, content.number, book.looks(num_format=style, valign="top"))
    elif isinstance(content, Figure) and content.value is None:
        shown = MISSING if content.asked else NOT_TOTALLED
        sheet.write_string(line, number, shown, book.looks(align="right", valign="top"))
    else:
        looks = book.looks(text_wrap=True, valign="top", align="left", indent=min(number, 1))
        sheet.write_string(line, number, _words(cell), looks)


def _words(cell: Cell) -> str:
    return f"{cell.text} ({cell.code})" if cell.code else cell.text


def _fit(sheet: Any, line: int, texts: Sequence[str], widths: Sequence[int]) -> None:
    """Make a row as high as its longest text wants: not every program does so by itself."""
    lines = max(
        len(textwrap.wrap(words, max(width, 1))) or 1
        for words, width in zip(texts, widths, strict=True)
    )
    sheet.set_row(line, _LINE * lines)


def _number_format(style: Style, value: float) -> str:
    places = style.places(value)
    digits = "#,##0" + ("." + "0" * places if places else "")
    written = f'{digits}"{style.suffix}"' if style.suffix else digits
    return f"+{written};-{written};{written}" if style.signed else written


def _width(label: str, cells: list[Cell], *, numeric: bool) -> int:
    if numeric:
        return max(_NARROW, max(len(word) for word in label.split()) + 2)
    return max(_NARROW, min(_WIDE, max((len(_words(cell)) for cell in cells), default=0) + 4))
