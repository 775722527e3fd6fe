"""Writes the summary workbook: the national tables for people who open Excel.

Cover, contents, notes, and one table a sheet, as the guidance for government analysts asks.
"""

import io
import textwrap
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Any, Final

import xlsxwriter

from assets.html import render
from assets.ods_file import packed
from assets.release.pages.content import (
    MISSING,
    Cell,
    Figure,
    Head,
    PageTable,
    Style,
    Text,
    in_words,
)
from assets.release.pages.figures import Edition
from assets.release.pages.pages import national_page
from assets.release.pages.wording import period, sentence

_OPEN_DOCUMENT: Final = Path(__file__).parent / "templates" / "summary.ods.j2"
_EPOCH: Final = datetime(2012, 1, 1)
_SHORTHAND: Final = {
    MISSING: "not available: the figure is not known. It is not zero",
    "[z]": "not applicable: no such total is made of what was asked",
    "[c]": "confidential: hidden to protect a small count, its own or another one",
}
_OWN: Final = ("cover", "contents", "notes")
_WRAPPED: Final = {"text_wrap": True, "valign": "top"}
_HEAD: Final = {"bold": True, "text_wrap": True, "valign": "bottom", "bottom": 1}
Look = Callable[..., Any]
"""Makes a format of a workbook, once of the same looks."""
_LONGEST: Final = 31
"""Characters of the name of a sheet, at most."""
_NARROW: Final = 14
_WIDE: Final = 60
_LINE: Final = 15
"""Height of a line of text, in points."""
_SHORT: Final = "Shorthand: " + "; ".join(f"{sign} {of}" for sign, of in _SHORTHAND.items()) + "."
_ONE_TABLE: Final = "This worksheet contains one table."


@dataclass(frozen=True)
class Sheet:
    """A sheet: its title, lines of text below, and a table but on the cover.

    Those that are `linked` lead by their first cells to the sheets of these names.
    """

    name: str
    title: str
    lines: tuple[str, ...]
    heads: tuple[Head, ...] = ()
    rows: tuple[tuple[Cell, ...], ...] = ()
    widths: tuple[int, ...] = (90,)
    linked: bool = False


def sheets(edition: Edition) -> list[Sheet]:
    """Return the sheets of the summary of a release: cover, contents, notes, one a table."""
    page = national_page(edition)
    blocks = [(section.title, block) for section in page.sections for block in section.blocks]
    basis = f"{sentence(edition.about['basis'])}."
    cover = (
        page.over,
        *map(_plain, page.banner),
        f"Period: {period(edition.collection, 'collection')}.",
        f"Sources: {edition.about['sources']}.",
        "The worksheet contents lists the tables; the worksheet notes explains their shorthand.",
    )
    named = _by_sheet([block for _, block in blocks if isinstance(block, PageTable)])
    listed = [("notes", "Notes and shorthand"), *((name, of.caption) for name, of in named.items())]
    said = [
        (title, _plain(block))
        for title, block in blocks
        if isinstance(block, Text) and not block.drawn
    ]
    shorthand = [(symbol, f"{meaning}.") for symbol, meaning in _SHORTHAND.items()]
    notes = [*shorthand, ("Basis", basis), *said]
    contents = in_words("contents", "Contents", ("Worksheet", "What it contains"), listed)
    explained = in_words("notes", "Notes and shorthand", ("About", "Note"), notes)
    return [
        Sheet("cover", f"{page.title}: summary tables", cover),
        _of_table("contents", contents, (), (36, 90), linked=True),
        _of_table("notes", explained, (), (30, 100)),
        *(_of_table(name, table, (basis, _SHORT, *table.notes)) for name, table in named.items()),
    ]


def _of_table(
    name: str, of: PageTable, lines: tuple[str, ...], widths: tuple[int, ...] = (), **look: bool
) -> Sheet:
    fitting = (
        _width(head.label, [cells[number] for cells in of.rows], numeric=head.numeric)
        for number, head in enumerate(of.heads)
    )
    rows = of.rows or (tuple(Cell(MISSING) for _ in of.heads),)
    lines = _ONE_TABLE, *lines
    return Sheet(name, of.caption, lines, of.heads, rows, widths or tuple(fitting), **look)


def summary(edition: Edition) -> bytes:
    """Return the summary workbook of a release.

    Raises:
        SetupError: there is no such collection.
    """
    buffer = io.BytesIO()
    # Ninety files in between take as long as all else here.
    with xlsxwriter.Workbook(buffer, {"in_memory": True}) as book:

        @cache
        def look(**looks: Any) -> Any:
            return book.add_format({"font_name": "Arial", "font_size": 11, **looks})

        title = national_page(edition).title
        book.set_properties({"title": title, "author": "Muster", "created": _EPOCH})
        book.set_size(2400, 1500)
        for sheet in sheets(edition):
            _write(book.add_worksheet(sheet.name), sheet, look)
    return buffer.getvalue()


def open_document(edition: Edition) -> bytes:
    """Return the same sheets as an OpenDocument spreadsheet."""
    return packed(render(_OPEN_DOCUMENT, sheets=sheets(edition)).rstrip("\n"))


def _write(sheet: Any, of: Sheet, look: Look) -> None:
    """Write a sheet: its title in A1, its lines, and its table, marked as one of Excel's."""

    def fit(line: int, texts: Iterable[str]) -> None:
        # Not every program makes a row as high as its longest text wants by itself.
        pairs = zip(texts, of.widths, strict=True)
        lines = max(len(textwrap.wrap(words, max(width, 1))) or 1 for words, width in pairs)
        sheet.set_row(line, _LINE * lines)

    for number, width in enumerate(of.widths):
        sheet.set_column(number, number, width)
    sheet.write_string(0, 0, of.title, look(bold=True, font_size=15))
    sheet.set_landscape()
    sheet.set_paper(9)
    sheet.fit_to_pages(1, 0)
    for number, text in enumerate(of.lines, 1):
        sheet.write_string(number, 0, text, look(**({} if of.heads else _WRAPPED)))
        if not of.heads:
            fit(number, [text])
    if not of.heads:
        return
    top = len(of.lines) + 1
    sheet.add_table(top, 0, top + max(len(of.rows), 1), len(of.heads) - 1, {
        "name": of.name if of.linked else f"{of.name}_table", "columns": _columns(of.heads, look),
        "style": None, "autofilter": False,
    })  # fmt: skip
    fit(top, [head.label for head in of.heads])
    link = look(font_color="#0B4F9E", underline=1)
    for line, cells in enumerate(of.rows, top + 1):
        for number, cell in enumerate(cells):
            if of.linked and not number:
                sheet.write_url(line, 0, f"internal:'{cell.text}'!A1", link, cell.text)
            else:
                _cell(sheet, line, number, cell, look)
        fit(line, [cell.words for cell in cells])
    sheet.freeze_panes(top + 1, 1)


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


def _columns(heads: Sequence[Head], look: Look) -> list[dict[str, Any]]:
    columns = []
    said: Counter[str] = Counter()
    for number, head in enumerate(heads):
        said[head.label.lower()] += 1  # A table whose headings are alike is none to Excel.
        again = said[head.label.lower()]
        beside = {"align": "right"} if head.numeric else {"indent": min(number, 1)}
        header = f"{head.label} ({again})" if again > 1 else head.label
        columns.append({"header": header, "header_format": look(**_HEAD, **beside)})
    return columns


def _cell(sheet: Any, line: int, number: int, cell: Cell, look: Look) -> None:
    content = cell.content
    if isinstance(content, Figure) and content.number is not None:
        style = _number_format(content.style, content.number)
        sheet.write_number(line, number, content.number, look(num_format=style, valign="top"))
    elif isinstance(content, Figure) and content.value is None:
        sheet.write_string(line, number, content.short, look(align="right", valign="top"))
    else:
        text = look(text_wrap=True, valign="top", align="left", indent=min(number, 1))
        sheet.write_string(line, number, cell.words, text)


def _number_format(style: Style, value: float) -> str:
    places = style.places(value)
    digits = "#,##0" + ("." + "0" * places if places else "")
    written = f'{digits}"{style.suffix}"' if style.suffix else digits
    return f"+{written};-{written};{written}" if style.signed else written


def _width(label: str, cells: list[Cell], *, numeric: bool) -> int:
    if numeric:
        return max(_NARROW, max(len(word) for word in label.split()) + 2)
    return max(_NARROW, min(_WIDE, max((len(cell.words) for cell in cells), default=0) + 4))
