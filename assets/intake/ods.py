"""Reads the cells of an OpenDocument spreadsheet (.ods) as they stand there."""

import re
from collections.abc import Iterator, Mapping
from typing import Final
from xml.etree.ElementTree import Element

from assets.intake.container import Container
from assets.intake.grid import (
    CHANGES,
    DAMAGED,
    LONGEST_FORMULA,
    NEVER_CALCULATED,
    NIL,
    Content,
    Font,
    Grid,
    found,
    is_theirs,
    odd,
    parsed,
    several_values,
    typed,
    with_looks,
)
from assets.intake.ods_looks import PREFIXES, Styles, full, get
from assets.intake.quoting import in_doubt, the_sheet
from assets.intake.reading import MAX_COLUMNS, MAX_ROWS, Fact, Reading, refusal
from schemas.template import address

_MAX_SHEETS: Final = 100
_MAX_CELLS: Final = MAX_ROWS * MAX_COLUMNS
"""Of all sheets together, with those that one element repeats."""

_ERROR: Final = re.compile(r"#(REF|DIV/0|VALUE|NUM|NULL)!|#NAME\?|#N/A|Err:[0-9]{3}")
_WHOLE: Final = re.compile(r"-?[0-9]+")
_VALUES: Final = {
    "string": "string-value",
    "date": "date-value",
    "time": "time-value",
    "boolean": "boolean-value",
}
"""Where a value stands, by its type; that of numbers is `value`."""
_TYPE: Final = "office:value-type"
_TYPES: Final = {
    "float": "number",
    "currency": "number",
    "percentage": "percent",
    "boolean": "boolean",
    "date": "date",
}
_TABLE: Final = "table:table"
_ROW: Final = "table:table-row"
_COLUMN: Final = "table:table-column"
_COPIED: Final = "table:table-source"
"""What the copy of another file's sheet has, for formulas that look at it."""
_LINKS: Final = {_COPIED, "table:dde-link", "table:cell-range-source"}
_HIDDEN: Final = {"collapse", "filter"}
_CELLS: Final = {"table:table-cell", "table:covered-table-cell"}
_PARAGRAPHS: Final = {"text:p", "text:h"}
_IN_TEXT: Final = {
    *_PARAGRAPHS, "text:span", "text:a", "text:s", "text:tab", "text:line-break",
    "text:list", "text:list-header", "text:list-item", "text:soft-page-break",
    "text:bookmark", "text:bookmark-start", "text:bookmark-end",
}  # fmt: skip
"""What a cell's text is made of; the rest, such as notes and readings, is no part of a figure."""
_PARTING: Final = r"[ .,'\u00a0\u2019\u202f]"
_SHOWN: Final = re.compile(
    rf"(?<!\d)(?<!\d{_PARTING})(-?\d+(?:{_PARTING}\d{{3}})*?)(?:[.,](0+))?(?!{_PARTING}?\d)"
)
"""A number as it is shown, with whatever parts its digits by threes, and decimals of zero."""
_BLANKS: Final = re.compile(r"[ \t\r\n]+")


def read_ods(container: Container) -> Reading:
    """Return the sheets of a spreadsheet with every filled cell; formulas are not yet verified.

    Raises:
        RefusedError: it is damaged, or a cell lies out of bounds.
    """
    book = _Book()
    book.styles.read(parsed(container.parts.get("styles.xml", b""), PREFIXES, partly=True))
    try:
        book.read(parsed(container.parts["content.xml"], PREFIXES))
    except DAMAGED as error:
        raise refusal("damaged_book", error=type(error).__name__) from error
    if not book.sheets:
        raise refusal("no_sheets", fix="libreoffice")
    sheets = tuple(grid.sheet() for grid in book.sheets.values())
    return Reading(sheets, (Fact("external_links", ""),) * book.links)


def _count(element: Element, name: str) -> int:
    """Return how often an element is repeated or spans; ValueError where that is no such number."""
    number = int(get(element, name, "1"))
    if number < 1:
        raise ValueError(name)
    return number


def _lines(table: Element, *, hidden: bool = False) -> Iterator[tuple[Element, bool]]:
    """Yield the rows and columns of a sheet, and whether a group in which they stand is hidden."""
    for child in table:
        if child.tag in {_ROW, _COLUMN}:
            yield child, hidden
        else:
            in_hidden = hidden or get(child, "table:display") == "false"
            yield from _lines(child, hidden=in_hidden)


class _Book:
    """Collects the sheets of content.xml, and how styles of cells and texts look."""

    def __init__(self) -> None:
        self.sheets: dict[str, Grid] = {}
        self.links = False
        self.styles = Styles()
        self._all = 0

    def read(self, root: Element) -> None:
        """Read the part that holds the sheets."""
        self.styles.read(root)
        self.links = any(each.tag in _LINKS for each in root.iter())
        for inside in root.iter("office:spreadsheet"):
            for table in found(inside, inside.tag, _TABLE):
                if next(table.iter(_COPIED), None) is None:
                    self._read_sheet(table)

    def _read_sheet(self, table: Element) -> None:
        grid = self._opened(table)
        columns: list[tuple[int, str]] = []  # the last one and the style of each run
        top = 1
        for line, in_hidden in _lines(table):
            folded = in_hidden or get(line, "table:visibility") in _HIDDEN
            hidden = folded or self.styles.hides(line)
            if line.tag == _ROW:
                top += self._read_row(grid, line, top, columns, hidden=hidden)
                continue
            first = columns[-1][0] + 1 if columns else 1
            last = first - 1 + _count(line, "table:number-columns-repeated")
            columns.append((last, get(line, "table:default-cell-style-name")))
            if hidden:
                grid.facts.add(Fact("hidden_columns", f"{first}:{last}"))

    def _opened(self, table: Element) -> Grid:
        name = get(table, "table:name")
        if not name:
            raise refusal("no_name", fix="libreoffice")
        if name in self.sheets:
            raise refusal("one_name", sheet=the_sheet(name), fix="libreoffice")
        if len(self.sheets) == _MAX_SHEETS:
            raise refusal("many_sheets")
        if any(each is not table for each in table.iter(_TABLE)):
            raise refusal("table_in_cell")
        hidden = self.styles.hides(table) or get(table, "table:display") == "false"
        self.sheets[name] = grid = Grid(name, "clear", hidden=hidden)
        return grid

    def _read_row(
        self, grid: Grid, row: Element, top: int, columns: list[tuple[int, str]], *, hidden: bool
    ) -> int:
        """Read a row, and return how often it is repeated."""
        height = _count(row, "table:number-rows-repeated")
        if hidden:
            rows = range(top, min(top + height, MAX_ROWS + 1))
            grid.facts.update(Fact("hidden_row", str(number)) for number in rows)
        filled = list(self._filled(grid, row, top, columns))
        if filled:
            last = max(last for _, last, *_ in filled)
            grid.check_bounds(min(top + height, MAX_ROWS + 2) - 1, min(last, MAX_COLUMNS + 1))
        self._all += sum(last - first + 1 for first, last, *_ in filled) * height
        if self._all > _MAX_CELLS:
            raise refusal("many_cells", fix="libreoffice")
        for first, last, content, formula, unseen in filled:
            self.links |= formula is not None and ("'file:" in formula or "://" in formula)
            for number in range(top, top + height):
                for column in range(first, last + 1):
                    grid.put(number, column, content, formula)
                    if unseen:
                        grid.facts.add(Fact("unseen", address(number, column)))
        return height

    def _filled(
        self, grid: Grid, row: Element, top: int, columns: list[tuple[int, str]]
    ) -> Iterator[tuple[int, int, Content, str | None, bool]]:
        """Yield the filled cells of a row: first and last column, content, formula, if unseen."""
        usual, last = get(row, "table:default-cell-style-name"), 0
        for element in (each for each in row if each.tag in _CELLS):
            of_column = next((style for end, style in columns if last < end), "")
            style = get(element, "table:style-name") or usual or of_column
            first, last = last + 1, last + _count(element, "table:number-columns-repeated")
            wide = _count(element, "table:number-columns-spanned")
            high = _count(element, "table:number-rows-spanned")
            if wide > 1 or high > 1:
                end = address(top + high - 1, first + wide - 1)
                grid.facts.add(Fact("merged", f"{address(top, first)}:{end}"))
            if any(is_theirs(_text_of(each)) for each in element.iter("office:annotation")):
                grid.facts.add(Fact("comment", address(top, first)))
            formula = _formula(element)
            shown = _Shown(element, self.styles.fonts, style)
            content = _value(element, shown)
            is_empty = not (content.text or content.doubt)
            # The result of a formula that is an empty text was calculated.
            if formula is not None and is_empty and get(element, _TYPE) != "string":
                content = NEVER_CALCULATED
            if formula is not None or not is_empty:
                is_unseen = ("table-cell", style) in self.styles.unseen or shown.is_bare
                yield first, last, content, formula, is_unseen and content.is_told


class _Shown:
    """What a cell shows: `text`, its `runs` of one font each, and whether it is odd or nothing."""

    def __init__(self, cell: Element, fonts: Mapping[tuple[str, str], Font], style: str) -> None:
        self.font, self._fonts = fonts.get(("table-cell", style), frozenset()), fonts
        self._paragraphs: list[str] = []
        self.runs: list[tuple[Font, str]] = []
        self.is_odd = any(part.tag in _CELLS for part in cell.iter() if part is not cell)
        self._read(cell, self.font)
        self.text = "\n".join(self._paragraphs)
        self.is_bare = bool(self._paragraphs) and not self.text.strip()

    def _read(self, element: Element, look: Font) -> None:
        """Read a cell's own text: not that of its comments and drawings, nor of notes in it."""
        is_text = element.tag in _IN_TEXT
        self._write(element.text if is_text else None, look)
        for child in element:
            if child.tag.startswith("text:"):
                inner = look
                self.is_odd |= child.tag not in _IN_TEXT
                match child.tag:
                    case "text:p" | "text:h":
                        self.is_odd |= element.tag in _PARAGRAPHS
                        self._paragraphs.append("")
                        inner = self.font
                    case "text:span":
                        style = get(child, "text:style-name")
                        inner = self.font | self._fonts.get(("text", style), frozenset())
                    case "text:s":
                        self._add(" " * min(_count(child, "text:c"), MAX_COLUMNS), look)
                    case "text:tab":
                        self._add("\t", look)
                    case "text:line-break":
                        self._add("\n", look)
                self._read(child, inner)
            self._write(child.tail if is_text else None, look)

    def _write(self, text: str | None, look: Font) -> None:
        """Add a text; spaces that stand together are one, as the format has it."""
        if text and self._paragraphs:
            plain, before = _BLANKS.sub(" ", text), self._paragraphs[-1]
            if not before or before.endswith((" ", "\n")):
                plain = plain.lstrip(" ")
            self._add(plain, look)

    def _add(self, text: str, look: Font) -> None:
        self._paragraphs[-1] += text
        if text.strip():
            self.runs.append((look, text.strip()))


def _text_of(annotation: Element) -> str:
    """Return what a comment says, without who said it and when."""
    lines = (each for each in annotation.iter() if each.tag in _PARAGRAPHS)
    return "\n".join("".join(line.itertext()) for line in lines)


def _value(element: Element, shown: _Shown) -> Content:
    """Return what a cell holds as it stands; a blank one has no text and no doubt."""
    if get(element, "calcext:value-type") == "error" or _ERROR.fullmatch(shown.text.strip()):
        return Content(shown.text or "#VALUE!", "error")
    untyped = "string" if element.get(full("office:value")) is None else "float"
    kind = get(element, _TYPE, untyped)
    value = element.get(full(f"office:{_VALUES.get(kind, 'value')}"))
    seen = value or "", shown.text
    if shown.is_odd:
        content = odd("text with something else inside it, such as a note", *seen)
    elif kind == "string":
        content = Content(value or shown.text, "text")
        if all(seen) and seen[0].split() != seen[1].split():
            content = several_values(*seen)
    elif value is None:
        content = odd(f"{in_doubt(shown.text)} without the value that it shows", *seen)
    elif kind == "time":
        content = Content(value.strip(), "date")
    else:
        content = typed(_TYPES.get(kind, ""), value)
        if content.doubt:
            content = odd(content.doubt, *seen)
        elif content.kind == "number" and not _shows(shown.text, content.text):
            content = several_values(content.text, shown.text)
    return with_looks(content, shown.runs or [(shown.font, content.text)])


def _shows(shown: str, number: str) -> bool:
    """Whether what a cell shows is its number, alone or among words or units."""
    plain = shown.strip()
    if not plain.strip("#") or not _WHOLE.fullmatch(number):
        return True  # nothing is shown, or not enough room for it
    found = _SHOWN.search(plain)
    if found is None:
        return number == "0" and NIL.fullmatch(plain) is not None
    read = [int(re.sub(r"[^-\d]", "", part)) for part in (found[0], found[1])]
    beside = plain[: found.start()] + plain[found.end() :]
    read = read if found[2] == "000" else read[1:]
    return int(number) in read and not CHANGES.search(beside)


def _formula(element: Element) -> str | None:
    """Return a cell's formula without its `of:=`, array formulas in braces; None where none is."""
    formula = element.get(full("table:formula"))
    if formula is None:
        return None
    text = formula.partition("=")[2]
    array = element.get(full("table:number-matrix-rows-spanned")) is not None
    return f"{{{text}}}" if array or len(text) > LONGEST_FORMULA else text
