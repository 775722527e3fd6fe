"""Reads the cells of an OpenDocument spreadsheet (.ods) as they stand there.

Belongs here: the same raw cells and facts that the same workbook would give as .xlsx. Does not:
what a cell means; interpretation starts in validation/.
"""

import re
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime, time
from typing import Final
from xml.parsers import expat

from assets.intake.container import Container
from assets.intake.quoting import in_doubt, the_sheet
from assets.intake.reading import UNCALCULATED, Cell, Fact, RawSheet, Reading, RefusedError
from assets.intake.sheet_scan import MAX_COLUMNS, MAX_ROWS
from schemas.template import address
from schemas.wording import visible

Attributes = dict[str, str]
Look = frozenset[tuple[str, str]]
"""The properties of a run of text, of those that can be seen."""

_MAX_SHEETS: Final = 100
_MAX_CELLS: Final = MAX_ROWS * MAX_COLUMNS
"""Of all sheets together, with those that one element repeats."""

_NAMESPACES: Final = {
    "urn:oasis:names:tc:opendocument:xmlns:office:1.0": "office",
    "urn:oasis:names:tc:opendocument:xmlns:style:1.0": "style",
    "urn:oasis:names:tc:opendocument:xmlns:table:1.0": "table",
    "urn:oasis:names:tc:opendocument:xmlns:text:1.0": "text",
    "urn:oasis:names:tc:opendocument:xmlns:xsl-fo-compatible:1.0": "fo",
    "urn:org:documentfoundation:names:experimental:calc:xmlns:calcext:1.0": "calcext",
}
_SAVE: Final = "Open the file in LibreOffice, save it anew (.ods or .xlsx), and send that."
_ERROR: Final = re.compile(r"#(REF|DIV/0|VALUE|NUM|NULL)!|#NAME\?|#N/A|Err:[0-9]{3}")
_WHOLE: Final = re.compile(r"-?[0-9]+")
_NUMBER: Final = re.compile(
    r"[+-]?(?:[0-9]{1,40}\.?[0-9]{0,40}|\.[0-9]{1,40})(?:[Ee][+-]?[0-9]{1,4})?"
)
_EXACT: Final = 2**53
_VALUES: Final = {
    "string": "string-value",
    "date": "date-value",
    "time": "time-value",
    "boolean": "boolean-value",
}
"""Where a value stands, by its type; that of numbers is `value`."""
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
_LOOKLESS: Final = ("fo:language", "fo:country", "fo:script", "style:rfc-language-tag")
"""What a style of text says that nobody sees; programs cut a text by it."""
_REFERENCE: Final = re.compile(r"\[((?:'(?:[^']|'')*'|[^\]'])*)\]")
_QUOTED: Final = re.compile(r'("(?:[^"]|"")*")')
_PLACE: Final = re.compile(r"(?:(\$?)((?:'(?:[^']|'')*'|[^.':])*))?\.([$A-Z0-9#!]+)")
_LONGEST_FORMULA: Final = 8192


def read_ods(container: Container) -> Reading:
    """Return the sheets of a spreadsheet with every filled cell, and the facts of the workbook.

    Raises:
        RefusedError: it is damaged, or a cell lies out of bounds.
    """
    styles = _Styles()
    if "styles.xml" in container.names():
        with suppress(RefusedError):  # looks carry no figure; what stood before the damage holds
            _parse(styles, container.read("styles.xml"))
    content = _Content(styles)
    _parse(content, container.read("content.xml"))
    if not content.sheets:
        raise RefusedError("the workbook lacks its sheets", _SAVE)
    return Reading(tuple(content.sheets.values()), (Fact("external_links", ""),) * content.links)


def _parse(handler: "_Styles", xml: bytes) -> None:
    parser = expat.ParserCreate(namespace_separator=" ")
    parser.StartElementHandler = lambda name, found: handler.start(
        _short(name), {_short(key): value for key, value in found.items()}
    )
    parser.EndElementHandler = lambda name: handler.end(_short(name))
    parser.CharacterDataHandler = handler.text
    try:
        parser.Parse(xml, True)
    except (ValueError, LookupError, expat.ExpatError) as error:
        raise RefusedError(f"the workbook is damaged ({type(error).__name__})", _SAVE) from error


def _short(name: str) -> str:
    """Return a name with the usual prefix of its namespace, whatever the file calls that."""
    space, _, local = name.rpartition(" ")
    return f"{_NAMESPACES.get(space, '?')}:{local}" if space else local


class _Styles:
    """Notes how styles of text and cells look, and which styles of tables hide them."""

    def __init__(self, known: "_Styles | None" = None) -> None:
        """Start with the styles that are `known`, which others can build on."""
        self.looks: dict[tuple[str, str], Look] = dict(known.looks) if known else {}
        self.hidden: set[str] = set(known.hidden) if known else set()
        self._style = ("", "")

    def start(self, name: str, found: Attributes) -> None:
        """Meet the start of an element."""
        match name:
            case "style:style":
                family = found.get("style:family", "")
                self._style = family, found.get("style:name", "")
                parent = family, found.get("style:parent-style-name", "")
                self.looks[self._style] = self.looks.get(parent, frozenset())
            case "style:text-properties" if self._style in self.looks:
                own = {k: v for k, v in found.items() if k not in _LOOKLESS and k[0] != "?"}
                self.looks[self._style] = frozenset(
                    {**dict(self.looks[self._style]), **own}.items()
                )
            case "style:table-properties" if found.get("table:display") == "false":
                self.hidden.add(self._style[1])

    def end(self, name: str) -> None:
        """Meet the end of an element."""
        if name == "style:style":
            self._style = ("", "")

    def text(self, text: str) -> None:
        """Pass over the text between styles."""


def _marks(look: Look) -> list[str]:
    """Return what a look does to a figure: it is struck out, or raised or lowered."""
    found = []
    for name, value in sorted(look):
        if name == "style:text-position" and not value.startswith("0"):
            found.append("subscript" if value.startswith(("sub", "-")) else "superscript")
        elif name.startswith("style:text-line-through-") and name.endswith(("-style", "-type")):
            found += [] if value == "none" else ["struck out"]
    return sorted(set(found))


@dataclass
class _Open:
    """The cell that is being read: its attributes, its paragraphs, and its runs of text."""

    found: Attributes
    look: Look
    paragraphs: list[str] = field(default_factory=list)
    odd: bool = False
    runs: list[tuple[Look, str]] = field(default_factory=list)

    def add(self, text: str, look: Look) -> None:
        """Add a piece of text to the last paragraph."""
        self.paragraphs[-1] += text
        if text.strip():
            self.runs.append((look, text.strip()))

    @property
    def shown(self) -> str:
        """What the cell shows, paragraphs on lines of their own."""
        return "\n".join(self.paragraphs)

    def format(self) -> str | None:
        """Say what is special about the looks of the text; None for a text like any other."""
        looks = {look for look, _ in self.runs}
        if len(looks) > 1:
            parts = []
            for look, text in self.runs[:5]:
                marks = _marks(look)
                parts.append(f"{in_doubt(text)}{f' ({chr(44).join(marks)})' if marks else ''}")
            return f"text in different formats: {', '.join(parts)}"
        marks = sorted({*_marks(self.look), *(mark for look in looks for mark in _marks(look))})
        return f"what is {' and '.join(marks)}" if marks else None


class _Content(_Styles):
    """Collects the sheets of content.xml."""

    def __init__(self, styles: _Styles) -> None:
        super().__init__(styles)
        self.sheets: dict[str, RawSheet] = {}
        self.links = False
        self._path: list[str] = []
        self._name: str | None = None
        self._cells: list[Cell] = []
        self._facts: list[Fact] = []
        self._row = self._column = self._all = self._columns = 0
        self._rows_repeated = 1
        self._row_cells: list[tuple[int, int, _Open]] = []
        self._column_styles: list[tuple[int, str]] = []
        self._row_style = ""
        self._cell: _Open | None = None
        self._spans: list[Look] = []

    def start(self, name: str, found: Attributes) -> None:
        """Meet the start of an element."""
        super().start(name, found)
        parent = self._path[-1] if self._path else ""
        self._path.append(name)
        if name in _LINKS:
            self.links = True
            if name == "table:table-source":
                self._name = None  # the copy of another file's sheet, for formulas that look at it
        if self._cell is not None:
            if name == "table:table":
                raise RefusedError("a cell of the workbook holds a table", _SAVE)
            self._start_text(self._cell, name, parent, found)
        elif name == "table:table" and parent == "office:spreadsheet":
            self._open_sheet(found)
        elif self._name is not None:
            self._start_in_sheet(name, parent, found)

    def _start_in_sheet(self, name: str, parent: str, found: Attributes) -> None:
        if name == "table:table-column":
            repeated = _count(found, "table:number-columns-repeated")
            if found.get("table:visibility") in _HIDDEN:
                span = f"{self._columns + 1}:{self._columns + repeated}"
                self._facts.append(Fact("hidden_columns", span))
            self._columns += repeated
            style = found.get("table:default-cell-style-name", "")
            self._column_styles.append((self._columns, style))
        elif name == "table:table-row":
            self._rows_repeated = _count(found, "table:number-rows-repeated")
            self._column = 0
            self._row_cells = []
            self._row_style = found.get("table:default-cell-style-name", "")
            if found.get("table:visibility") in _HIDDEN:
                last = min(self._row + self._rows_repeated, MAX_ROWS)
                rows = range(self._row + 1, last + 1)
                self._facts += [Fact("hidden_row", str(row)) for row in rows]
        elif name in _CELLS and parent == "table:table-row":
            style = found.get("table:style-name") or self._row_style or self._column_style()
            self._cell = _Open(found, self._look("table-cell", style))

    def _column_style(self) -> str:
        """Return the style of the column's cells, for those that have none of their own."""
        known = (style for last, style in self._column_styles if self._column < last)
        return next(known, "")

    def _open_sheet(self, found: Attributes) -> None:
        name = found.get("table:name", "")
        if name in self.sheets:
            raise RefusedError(f"the workbook has two of one name: {the_sheet(name)}", _SAVE)
        if len(self.sheets) == _MAX_SHEETS:
            raise RefusedError("the workbook has far more sheets than a return", _SAVE)
        self._name = name
        self._cells, self._facts, self._column_styles = [], [], []
        self._row = self._columns = 0
        if found.get("table:style-name") in self.hidden or found.get("table:display") == "false":
            self._facts.append(Fact("hidden_sheet", ""))

    def _start_text(self, cell: _Open, name: str, parent: str, found: Attributes) -> None:
        if not self._in_paragraph():
            return
        cell.odd |= name not in _IN_TEXT
        if name in _PARAGRAPHS:
            cell.odd |= parent in _PARAGRAPHS
            cell.paragraphs.append("")
            self._spans = [frozenset()]
        elif name == "text:span":
            self._spans.append(self._look("text", found.get("text:style-name", "")))
        elif name == "text:s":
            cell.add(" " * min(_count(found, "text:c"), MAX_COLUMNS), self._spans[-1])
        elif name == "text:tab":
            cell.add("\t", self._spans[-1])
        elif name == "text:line-break":
            cell.add("\n", self._spans[-1])

    def _look(self, family: str, style: str) -> Look:
        return self.looks.get((family, style), frozenset())

    def _in_paragraph(self) -> bool:
        """Whether what is read now is a cell's own text, not that of a comment or a drawing."""
        for name in reversed(self._path):
            if name in _CELLS:
                return True
            if not name.startswith("text:"):
                return False
        return False

    def text(self, text: str) -> None:
        """Meet a piece of text; spaces that stand together are one, as the format has it."""
        cell = self._cell
        if cell is None or not cell.paragraphs or self._path[-1] not in _IN_TEXT:
            return
        if self._in_paragraph():
            plain = _BLANKS.sub(" ", text)
            before = cell.paragraphs[-1]
            if not before or before.endswith((" ", "\n")):
                plain = plain.lstrip(" ")
            cell.add(plain, self._spans[-1])

    def end(self, name: str) -> None:
        """Meet the end of an element."""
        super().end(name)
        self._path.pop()
        if name == "text:span" and len(self._spans) > 1 and self._in_paragraph():
            self._spans.pop()
        elif name in _CELLS and self._cell and self._path[-1] == "table:table-row":
            if not any(each in _CELLS for each in self._path):
                self._end_cell(self._cell)
        elif name == "table:table-row" and self._name is not None and self._cell is None:
            self._end_row()
        elif (
            name == "table:table"
            and self._path[-1] == "office:spreadsheet"
            and self._name is not None
        ):
            facts = tuple(sorted(set(self._facts)))
            self.sheets[self._name] = RawSheet(self._name, tuple(sorted(self._cells)), facts)
            self._name = None

    def _end_cell(self, cell: _Open) -> None:
        self._cell = None
        repeated = _count(cell.found, "table:number-columns-repeated")
        first, self._column = self._column + 1, self._column + repeated
        wide = _count(cell.found, "table:number-columns-spanned")
        high = _count(cell.found, "table:number-rows-spanned")
        if wide > 1 or high > 1:
            here = self._row + 1
            span = f"{address(here, first)}:{address(here + high - 1, first + wide - 1)}"
            self._facts.append(Fact("merged", span))
        read = _read(cell)
        if "table:formula" in cell.found or read.text or read.doubt:
            self._row_cells.append((first, self._column, cell))

    def _end_row(self) -> None:
        top, self._row = self._row + 1, self._row + self._rows_repeated
        if not self._row_cells:
            return
        last = max(last for _, last, _ in self._row_cells)
        if self._row > MAX_ROWS or last > MAX_COLUMNS:
            here = address(min(self._row, MAX_ROWS + 1), min(last, MAX_COLUMNS + 1))
            raise RefusedError(
                f"{the_sheet(self._name or '')} has something in cell {here}; a return ends"
                f" before row {MAX_ROWS:,} and column {MAX_COLUMNS}",
                "Clear what stands there, save, and send the file again.",
            )
        for first, last, cell in self._row_cells:
            for row in range(top, self._row + 1):
                for column in range(first, last + 1):
                    self._all += 1
                    if self._all > _MAX_CELLS:
                        raise RefusedError("the workbook has far more cells than a return", _SAVE)
                    self._put(row, column, cell)

    def _put(self, row: int, column: int, cell: _Open) -> None:
        read = _read(cell)
        formula = _formula(cell.found)
        if formula is not None:
            if not read.text and not read.doubt and not _calculated(cell):
                read = read._replace(text=UNCALCULATED, kind="formula")
            fact = "uncalculated" if read.kind == "formula" else "formula"
            self._facts.append(Fact(fact, address(row, column)))
            self.links |= "'file:" in formula or "://" in formula
        self._cells.append(read._replace(row=row, column=column, formula=formula))


def _count(found: Attributes, name: str) -> int:
    """Return how often an element is repeated, or over how many cells it goes.

    Raises:
        ValueError: that is no number of at least 1.
    """
    number = int(found.get(name, "1"))
    if number < 1:
        raise ValueError(name)
    return number


def _calculated(cell: _Open) -> bool:
    """Whether a formula without a value was calculated: its result is an empty text."""
    return cell.found.get("office:value-type") == "string"


def _read(cell: _Open) -> Cell:
    """Return a cell as it stands, at no place; a blank one has no text and no doubt."""
    found, shown = cell.found, cell.shown
    if found.get("calcext:value-type") == "error" or _ERROR.fullmatch(shown.strip()):
        return Cell(0, 0, shown or "#VALUE!", "error")
    kind = found.get("office:value-type", "float" if "office:value" in found else "string")
    value = found.get(f"office:{_VALUES.get(kind, 'value')}")
    look, text, doubt = cell.format(), value or shown, None
    if cell.odd:
        doubt = "text with something else inside it, such as a note"
    elif kind == "string":
        kind = "text"
        if value and shown and value.split() != shown.split():
            doubt = _two_values(value, shown)
    elif value is None:
        doubt = f"{in_doubt(shown)} without the value that it shows"
    else:
        try:
            text, kind = _typed(kind, value.strip())
        except ValueError:
            doubt = f"{in_doubt(value)}, which is no {visible(kind, 20)}"
        else:
            if kind == "number" and _WHOLE.fullmatch(text) and not _shows(shown, int(text)):
                doubt = _two_values(text, shown)
    if doubt:
        # A cell whose text is empty would be a blank one, and what it holds pass unseen.
        return Cell(0, 0, " ".join(filter(None, (value, shown))) or "?", "odd", doubt)
    return Cell(0, 0, text, "rich" if look and text else kind, look if text else None)


def _shows(shown: str, number: int) -> bool:
    """Whether what a cell shows is its number; with words or units in it, nobody can tell."""
    found = _SHOWN.fullmatch(shown.strip())
    if found is None:
        return True
    read = (int(re.sub("[^-0-9]", "", part)) for part in (found[0], found[1]))
    return number in (read if found[2] else [next(read)])


def _two_values(*values: str) -> str:
    shown = ", ".join(in_doubt(value) for value in values)
    return f"more than one value, or something else inside one ({shown})"


def _typed(kind: str, value: str) -> tuple[str, str]:
    """Return the text and kind of a value that is stored by its type.

    Raises:
        ValueError: it is none of that type.
    """
    match kind:
        case "float" | "currency" | "percentage":
            if not _NUMBER.fullmatch(value):
                raise ValueError(value)
            return _number(value), "percent" if kind == "percentage" else "number"
        case "date":
            moment = datetime.fromisoformat(value).replace(tzinfo=None)
            return (moment.date() if moment.time() == time() else moment).isoformat(), "date"
        case "boolean" if value in {"true", "false"}:
            return value.upper(), "boolean"
        case "time":
            return value, "date"
    raise ValueError(kind)


def _number(text: str) -> str:
    value: int | float = float(text) if re.search("[.eE]", text) else int(text)
    if isinstance(value, float):
        # Sums of fractions end a hair beside the whole number; spreadsheets have 15 digits.
        rounded = float(f"{value:.15g}")
        if rounded.is_integer() and abs(rounded) < _EXACT:
            value = int(rounded)
    return str(value)


def _formula(found: Attributes) -> str | None:
    """Return a cell's formula as Excel writes it, array formulas in braces; None where none is."""
    formula = found.get("table:formula")
    if formula is None:
        return None
    dialect, _, text = formula.partition("=")
    if dialect in {"of:", "oooc:"}:
        text = translated(text)
    array = "table:number-matrix-rows-spanned" in found
    return f"{{{text}}}" if array or len(text) > _LONGEST_FORMULA else text


def translated(formula: str) -> str:
    """Return an OpenFormula without its `of:=` in Excel's notation.

    `SUM([.B2:.C2];[$Sheet2.B3])` is `SUM(B2:C2,Sheet2!B3)`; what stands in quotes stays.
    """
    parts = _QUOTED.split(formula)
    parts[::2] = [_outside_quotes(part) for part in parts[::2]]
    return "".join(parts)


def _outside_quotes(part: str) -> str:
    pieces: list[str] = []
    end = 0
    for match in _REFERENCE.finditer(part):
        pieces += [_operators(part[end : match.start()]), _excel_place(match[1])]
        end = match.end()
    return "".join([*pieces, _operators(part[end:])])


def _operators(text: str) -> str:
    return text.replace(";", ",").replace("~", ",").replace("!", " ")


def _excel_place(reference: str) -> str:
    """Return what stands between the brackets of a reference in Excel's notation."""
    places = _PLACE.findall(reference)
    if not places or len(places) > 2:
        return "#REF!"
    (_, sheet, first), *more = places
    prefix = f"{sheet}!" if sheet else ""
    if more:
        _, other, last = more[0]
        if other and other != sheet:
            return "#REF!"  # over several sheets: beyond what can be verified
        return f"{prefix}{first}:{last}"
    return f"{prefix}{first}"
