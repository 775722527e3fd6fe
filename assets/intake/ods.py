"""Reads the cells of an OpenDocument spreadsheet (.ods) as they stand there."""

import re
from collections.abc import Iterator
from contextlib import suppress
from datetime import datetime
from functools import cache
from typing import Final, NamedTuple
from xml.etree.ElementTree import Element

from assets.intake.container import Container
from assets.intake.elements import DAMAGED, Names, elements
from assets.intake.foreign import refusal
from assets.intake.notation import translated
from assets.intake.quoting import in_doubt, the_sheet
from assets.intake.reading import (
    MAX_COLUMNS,
    MAX_ROWS,
    UNCALCULATED,
    Cell,
    Fact,
    RawSheet,
    Reading,
    moment_text,
    number_text,
    several_values,
)
from schemas.template import address
from schemas.wording import visible

TextFormat = frozenset[tuple[str, str]]
"""The properties of a run of text, of those that can be seen."""

_MAX_SHEETS: Final = 100
_MAX_CELLS: Final = MAX_ROWS * MAX_COLUMNS
"""Of all sheets together, with those that one element repeats."""

_OASIS: Final = "urn:oasis:names:tc:opendocument:xmlns:"
_SPACES: Final = {
    "office": f"{_OASIS}office:1.0",
    "style": f"{_OASIS}style:1.0",
    "table": f"{_OASIS}table:1.0",
    "text": f"{_OASIS}text:1.0",
    "fo": f"{_OASIS}xsl-fo-compatible:1.0",
    "calcext": "urn:org:documentfoundation:names:experimental:calc:xmlns:calcext:1.0",
}
_NAMES: Final = Names({space: f"{prefix}:" for prefix, space in _SPACES.items()})
_ERROR: Final = re.compile(r"#(REF|DIV/0|VALUE|NUM|NULL)!|#NAME\?|#N/A|Err:[0-9]{3}")
_WHOLE: Final = re.compile(r"-?[0-9]+")
_NUMBER: Final = re.compile(
    r"[+-]?(?:[0-9]{1,40}\.?[0-9]{0,40}|\.[0-9]{1,40})(?:[Ee][+-]?[0-9]{1,4})?"
)
_VALUES: Final = {
    "string": "string-value",
    "date": "date-value",
    "time": "time-value",
    "boolean": "boolean-value",
}
"""Where a value stands, by its type; that of numbers is `value`."""
_STYLE: Final = "/style:style"
_SHEET: Final = "/office:spreadsheet/table:table"
_ROW: Final = "/table:table-row"
_LINKS: Final = {"table:table-source", "table:dde-link", "table:cell-range-source"}
_HIDDEN: Final = {"collapse", "filter"}
_CELLS: Final = {"table:table-cell", "table:covered-table-cell"}
_PARAGRAPHS: Final = {"text:p", "text:h"}
_IN_TEXT: Final = {
    *_PARAGRAPHS, "text:span", "text:a", "text:s", "text:tab", "text:line-break",
    "text:list", "text:list-header", "text:list-item", "text:soft-page-break",
    "text:bookmark", "text:bookmark-start", "text:bookmark-end",
}  # fmt: skip
"""What a cell's text is made of; the rest, such as notes and readings, is no part of a figure."""
_SHOWN: Final = re.compile(r"(-?[0-9]+(?:[ .,'\u00a0\u2019\u202f][0-9]+)*?)(?:[.,](0+))?")
"""A number as it is shown, with whatever parts its digits, and with decimals of zero."""
_BLANKS: Final = re.compile(r"[ \t\r\n]+")
_LOOKLESS: Final = {"fo:language", "fo:country", "fo:script", "style:rfc-language-tag", "?"}
"""What a style of text says that nobody sees; programs cut a text by it."""
_LONGEST_FORMULA: Final = 8192


def read_ods(container: Container) -> Reading:
    """Return the sheets of a spreadsheet with every filled cell; formulas are not yet verified.

    Raises:
        RefusedError: it is damaged, or a cell lies out of bounds.
    """
    content = _Content()
    with suppress(*DAMAGED):  # looks carry no figure
        content.read_styles(container.parts.get("styles.xml", b""))
    try:
        content.read(container.parts["content.xml"])
    except DAMAGED as error:
        raise refusal("damaged_book", error=type(error).__name__) from error
    if not content.sheets:
        raise refusal("no_sheets", fix="libreoffice")
    sheets = tuple(
        RawSheet(name, tuple(sorted(sheet.cells)), tuple(sorted(set(sheet.facts))))
        for name, sheet in content.sheets.items()
    )
    return Reading(sheets, (Fact("external_links", ""),) * content.links)


@cache
def _full(name: str) -> str:
    """Return the full name of an attribute."""
    prefix, _, local = name.partition(":")
    return f"{{{_SPACES[prefix]}}}{local}"


def _get(element: Element, name: str, default: str = "") -> str:
    return element.get(_full(name), default)


def _count(element: Element, name: str) -> int:
    """Return how often an element is repeated, or over how many cells it goes.

    Raises:
        ValueError: that is no number of at least 1.
    """
    number = int(_get(element, name, "1"))
    if number < 1:
        raise ValueError(name)
    return number


class _Sheet(NamedTuple):
    """What is known of a sheet so far; `columns` has the last column and the style of each run."""

    path: str
    cells: list[Cell]
    facts: list[Fact]
    columns: list[tuple[int, str]]


class _Content:
    """Collects the sheets of content.xml, and how styles of cells and texts look."""

    def __init__(self) -> None:
        self.sheets: dict[str, _Sheet] = {}
        self.links = False
        self.looks: dict[tuple[str, str], TextFormat] = {}
        self._hiding: set[str] = set()
        self._name = ""
        self._row = self._all = 0

    def read_styles(self, xml: bytes) -> None:
        """Read a part for its styles alone; what stands before damage is kept."""
        for path, element in elements(xml, _NAMES, (_STYLE,)):
            if path.endswith(_STYLE):
                self._style(element)

    def read(self, xml: bytes) -> None:
        """Read the part that holds the sheets."""
        for path, element in elements(xml, _NAMES, (_STYLE, _ROW)):
            if path.endswith(_STYLE):
                self._style(element)
                continue
            row = path.endswith(_ROW)
            names = {part.tag for part in element.iter()} if row else {path.rpartition("/")[2]}
            self.links |= not names.isdisjoint(_LINKS)
            if "table:table-source" in names:
                # The copy of another file's sheet, for formulas that look at it.
                self.sheets.pop(self._name, None)
            sheet = self.sheets.get(self._name)
            if path.endswith(_SHEET):
                self._open(path, element)
            elif sheet and path.startswith(f"{sheet.path}/"):
                if row:
                    if "table:table" in names:
                        raise refusal("table_in_cell")
                    self._meet_row(sheet, element)
                elif path.endswith("/table:table-column"):
                    _meet_columns(sheet, element)

    def _style(self, element: Element) -> None:
        family, name = _get(element, "style:family"), _get(element, "style:name")
        look = dict(self.looks.get((family, _get(element, "style:parent-style-name")), ()))
        for part in element.iter():
            if part.tag == "style:text-properties":
                own = {
                    _NAMES[key] if key[0] == "{" else key: part.attrib[key] for key in part.attrib
                }
                look |= {key: own[key] for key in own.keys() - _LOOKLESS}
            elif part.tag == "style:table-properties" and _get(part, "table:display") == "false":
                self._hiding.add(name)
        self.looks[family, name] = frozenset(look.items())

    def _open(self, path: str, element: Element) -> None:
        self._name = name = _get(element, "table:name")
        if not name:
            raise refusal("no_name", fix="libreoffice")
        if name in self.sheets:
            raise refusal("one_name", sheet=the_sheet(name), fix="libreoffice")
        if len(self.sheets) == _MAX_SHEETS:
            raise refusal("many_sheets")
        style, shown = element.get(_full("table:style-name")), _get(element, "table:display")
        hidden = style in self._hiding or shown == "false"
        self.sheets[name] = _Sheet(path, [], [Fact("hidden_sheet", "")] if hidden else [], [])
        self._row = 0

    def _meet_row(self, sheet: _Sheet, row: Element) -> None:
        top, self._row = self._row + 1, self._row + _count(row, "table:number-rows-repeated")
        if _get(row, "table:visibility") in _HIDDEN:
            rows = range(top, min(self._row, MAX_ROWS) + 1)
            sheet.facts.extend(Fact("hidden_row", str(number)) for number in rows)
        filled = list(self._filled(sheet, row, top))
        last = max((last for _, last, _ in filled), default=0)
        if filled and (self._row > MAX_ROWS or last > MAX_COLUMNS):
            here = address(min(self._row, MAX_ROWS + 1), min(last, MAX_COLUMNS + 1))
            end = {"rows": f"{MAX_ROWS:,}", "columns": MAX_COLUMNS}
            raise refusal("far_out", sheet=the_sheet(self._name), cell=here, fix="clear", **end)
        self._all += sum(last - first + 1 for first, last, _ in filled) * (self._row - top + 1)
        if self._all > _MAX_CELLS:
            raise refusal("many_cells")
        for first, last, cell in filled:
            formula = cell.formula or ""
            self.links |= "'file:" in formula or "://" in formula
            for number in range(top, self._row + 1):
                for column in range(first, last + 1):
                    sheet.cells.append(cell._replace(row=number, column=column))
                    if cell.formula is not None:
                        fact = "uncalculated" if cell.kind == "formula" else "formula"
                        sheet.facts.append(Fact(fact, address(number, column)))

    def _filled(self, sheet: _Sheet, row: Element, top: int) -> Iterator[tuple[int, int, Cell]]:
        """Yield the filled cells of a row, each with the first and the last of its columns."""
        usual, last = _get(row, "table:default-cell-style-name"), 0
        for element in (each for each in row if each.tag in _CELLS):
            of_column = next((style for end, style in sheet.columns if last < end), "")
            style = _get(element, "table:style-name") or usual or of_column
            first, last = last + 1, last + _count(element, "table:number-columns-repeated")
            wide = _count(element, "table:number-columns-spanned")
            high = _count(element, "table:number-rows-spanned")
            if wide > 1 or high > 1:
                end = address(top + high - 1, first + wide - 1)
                sheet.facts.append(Fact("merged", f"{address(top, first)}:{end}"))
            cell = _read(element, _Shown(element, self.looks, style))
            if cell.text or cell.doubt or cell.formula is not None:
                yield first, last, cell


def _meet_columns(sheet: _Sheet, element: Element) -> None:
    first = sheet.columns[-1][0] + 1 if sheet.columns else 1
    last = first - 1 + _count(element, "table:number-columns-repeated")
    sheet.columns.append((last, _get(element, "table:default-cell-style-name")))
    if _get(element, "table:visibility") in _HIDDEN:
        sheet.facts.append(Fact("hidden_columns", f"{first}:{last}"))


class _Shown:
    """What a cell shows: `text`, whether it is `odd`, and what is special about its `format`."""

    def __init__(self, cell: Element, looks: dict[tuple[str, str], TextFormat], style: str) -> None:
        self._looks = looks
        self._paragraphs: list[str] = []
        self._runs: list[tuple[TextFormat, str]] = []
        self.odd = any(part.tag in _CELLS for part in cell.iter() if part is not cell)
        self._read(cell, frozenset())
        self.text = "\n".join(self._paragraphs)
        self.format = self._format(looks.get(("table-cell", style), frozenset()))

    def _read(self, element: Element, look: TextFormat) -> None:
        """Read a cell's own text: not that of its comments and drawings, nor of notes in it."""
        is_text = element.tag in _IN_TEXT
        self._write(element.text if is_text else None, look)
        for child in element:
            if child.tag.startswith("text:"):
                inner = look
                self.odd |= child.tag not in _IN_TEXT
                match child.tag:
                    case "text:p" | "text:h":
                        self.odd |= element.tag in _PARAGRAPHS
                        self._paragraphs.append("")
                        inner = frozenset()
                    case "text:span":
                        style = _get(child, "text:style-name")
                        inner = self._looks.get(("text", style), frozenset())
                    case "text:s":
                        self._add(" " * min(_count(child, "text:c"), MAX_COLUMNS), look)
                    case "text:tab":
                        self._add("\t", look)
                    case "text:line-break":
                        self._add("\n", look)
                self._read(child, inner)
            self._write(child.tail if is_text else None, look)

    def _write(self, text: str | None, look: TextFormat) -> None:
        """Add a text; spaces that stand together are one, as the format has it."""
        if text and self._paragraphs:
            plain, before = _BLANKS.sub(" ", text), self._paragraphs[-1]
            if not before or before.endswith((" ", "\n")):
                plain = plain.lstrip(" ")
            self._add(plain, look)

    def _add(self, text: str, look: TextFormat) -> None:
        self._paragraphs[-1] += text
        if text.strip():
            self._runs.append((look, text.strip()))

    def _format(self, own: TextFormat) -> str | None:
        looks = {look for look, _ in self._runs}
        if len(looks) > 1:
            parts = []
            for look, text in self._runs[:5]:
                marks = _marks(look)
                parts.append(in_doubt(text) + (f" ({','.join(marks)})" if marks else ""))
            return f"text in different formats: {', '.join(parts)}"
        marks = sorted({*_marks(own), *(mark for look in looks for mark in _marks(look))})
        return f"what is {' and '.join(marks)}" if marks else None


def _marks(look: TextFormat) -> list[str]:
    """Return what a look does to a figure: it is struck out, or raised or lowered."""
    found = set()
    for name, value in look:
        if name == "style:text-position" and not value.startswith("0"):
            found.add("subscript" if value.startswith(("sub", "-")) else "superscript")
        elif name.startswith("style:text-line-through-") and name.endswith(("-style", "-type")):
            found |= set() if value == "none" else {"struck out"}
    return sorted(found)


def _read(element: Element, shown: _Shown) -> Cell:
    """Return a cell as it stands, at no place; a blank one has no text, doubt or formula."""
    cell, formula = _value(element, shown), _formula(element)
    # The result of a formula that is an empty text was calculated.
    calculated = cell.text or cell.doubt or _get(element, "office:value-type") == "string"
    if formula is not None and not calculated:
        cell = cell._replace(text=UNCALCULATED, kind="formula")
    return cell._replace(formula=formula)


def _value(element: Element, shown: _Shown) -> Cell:
    if _get(element, "calcext:value-type") == "error" or _ERROR.fullmatch(shown.text.strip()):
        return Cell(0, 0, shown.text or "#VALUE!", "error")
    untyped = "string" if element.get(_full("office:value")) is None else "float"
    kind = _get(element, "office:value-type", untyped)
    value = element.get(_full(f"office:{_VALUES.get(kind, 'value')}"))
    text, doubt = value or shown.text, None
    if shown.odd:
        doubt = "text with something else inside it, such as a note"
    elif kind == "string":
        kind = "text"
        if value and shown.text and value.split() != shown.text.split():
            doubt = several_values(in_doubt(value), in_doubt(shown.text))
    elif value is None:
        doubt = f"{in_doubt(shown.text)} without the value that it shows"
    else:
        try:
            text, kind = _typed(kind, value.strip())
        except ValueError:
            doubt = f"{in_doubt(value)}, which is no {visible(kind, 20)}"
        else:
            if kind == "number" and _WHOLE.fullmatch(text) and not _shows(shown.text, int(text)):
                doubt = several_values(in_doubt(text), in_doubt(shown.text))
    if doubt:
        # A cell whose text is empty would be a blank one, and what it holds pass unseen.
        return Cell(0, 0, " ".join(filter(None, (value, shown.text))) or "?", "odd", doubt)
    look = shown.format if text else None
    return Cell(0, 0, text, "rich" if look else kind, look)


def _shows(shown: str, number: int) -> bool:
    """Whether what a cell shows is its number; with words or units in it, nobody can tell."""
    found = _SHOWN.fullmatch(shown.strip())
    if found is None:
        return True
    read = [int(re.sub("[^-0-9]", "", part)) for part in (found[0], found[1])]
    return number in (read if found[2] else read[:1])


def _typed(kind: str, value: str) -> tuple[str, str]:
    """Return the text and kind of a value that is stored by its type.

    Raises:
        ValueError: it is none of that type.
    """
    match kind:
        case "float" | "currency" | "percentage" if _NUMBER.fullmatch(value):
            return number_text(value), "percent" if kind == "percentage" else "number"
        case "date":
            return moment_text(datetime.fromisoformat(value)), "date"
        case "boolean" if value in {"true", "false"}:
            return value.upper(), "boolean"
        case "time":
            return value, "date"
    raise ValueError(kind)


def _formula(element: Element) -> str | None:
    """Return a cell's formula as Excel writes it, array formulas in braces; None where none is."""
    formula = element.get(_full("table:formula"))
    if formula is None:
        return None
    dialect, _, text = formula.partition("=")
    if dialect in {"of:", "oooc:"}:
        text = translated(text)
    array = element.get(_full("table:number-matrix-rows-spanned")) is not None
    return f"{{{text}}}" if array or len(text) > _LONGEST_FORMULA else text
