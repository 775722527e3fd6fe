"""Reads one worksheet part: every filled cell, and what its XML says beyond values.

Belongs here: the text and kind of each cell, its formula, merges, hidden parts, bounds. Does not:
whether a fact is a finding (validation/), or what a formula gives (formulas.py).
"""

import re
from datetime import datetime, time, timedelta
from functools import lru_cache
from typing import Final
from xml.parsers import expat

from assets.intake.formulas import moved
from assets.intake.ooxml import SAVE, Font, Styles, Text, TextReader, Walker, unescaped, whole
from assets.intake.quoting import in_doubt, the_sheet, told
from assets.intake.reading import UNCALCULATED, Cell, Fact, RawSheet, RefusedError
from schemas.template import address

MAX_ROWS: Final = 2000
MAX_COLUMNS: Final = 100
"""A return's largest sheet has about fifty rows and ten columns."""

_TRUE: Final = {"1", "true"}
_ROW: Final = "/worksheet/sheetData/row"
_CELL: Final = f"{_ROW}/c"
_VALUE: Final = f"{_CELL}/v"
_FORMULA: Final = f"{_CELL}/f"
_TEXT: Final = f"{_CELL}/is"
_EXTENSIONS: Final = f"{_CELL}/extLst"
_NUMBER: Final = re.compile(r"[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[Ee][+-]?[0-9]+)?")
_LONGEST_NUMBER: Final = 40
_MOST_MOVED: Final = 1_000_000
"""Characters of formulas that are spelt out for other cells; a few bytes name one of thousands."""
_EXACT: Final = 2**53
_BOOLEANS: Final = {"1": "TRUE", "true": "TRUE", "0": "FALSE", "false": "FALSE"}


def scan_sheet(
    name: str, xml: bytes, texts: list[Text], styles: Styles, epoch: datetime
) -> RawSheet:
    """Return a worksheet with its cells and facts; cells with formulas have them.

    `epoch` is day 0 of the workbook's dates.

    Raises:
        RefusedError: the part is damaged, or a filled cell lies out of bounds, stands twice, or is
            out of order.
    """
    scanner = _Scanner(name, texts, styles, epoch)
    try:
        scanner.walk(xml)
    except (ValueError, LookupError, expat.ExpatError) as error:
        raise RefusedError(f"{the_sheet(name)} is damaged ({error})", SAVE) from error
    return scanner.sheet()


@lru_cache(4096)
def place(reference: str) -> tuple[int, int]:
    """Return the 1-based row and column of an address such as C7.

    Raises:
        ValueError: the text is not an address.
    """
    letters = reference.rstrip("0123456789")
    column = 0
    for letter in letters:
        if not "A" <= letter <= "Z":
            raise ValueError(f"not a cell address: {reference!r}")
        column = column * 26 + ord(letter) - ord("A") + 1
    row = reference[len(letters) :]
    if not column or not row or not int(row):
        raise ValueError(f"not a cell address: {reference!r}")
    return int(row), column


class _Scanner(Walker):
    def __init__(self, name: str, texts: list[Text], styles: Styles, epoch: datetime) -> None:
        self._name, self._texts, self._styles, self._epoch = name, texts, styles, epoch
        self._facts: set[Fact] = set()
        self._cells: list[Cell] = []
        self._last = (0, 0)
        self._row = self._column = 0
        self._shared: dict[str, tuple[int, int, str]] = {}
        self._spilling: dict[tuple[int, int], str] = {}
        self._filled = self._moved = 0
        self._new_cell({})

    def _new_cell(self, attributes: dict[str, str]) -> None:
        self._attributes = attributes
        self._pieces: list[str] | None = None
        self._values: list[str] = []
        self._formulas: list[tuple[dict[str, str], str]] = []
        self._formula_attributes: dict[str, str] = {}
        self._reader: TextReader | None = None
        self._inline: Text | None = None
        self._odd = False

    def start(self, path: str, attributes: dict[str, str]) -> None:
        """Meet the start of an element."""
        if path.startswith(_CELL):
            self._start_in_cell(path, attributes)
        elif path == _ROW:
            self._row = whole(attributes["r"]) if "r" in attributes else self._row + 1
            self._column = 0
            if attributes.get("hidden") in _TRUE:
                self._facts.add(Fact("hidden_row", str(self._row)))
        elif path == "/worksheet/cols/col" and attributes.get("hidden") in _TRUE:
            span = f"{whole(attributes['min'])}:{whole(attributes['max'])}"
            self._facts.add(Fact("hidden_columns", span))
        elif path == "/worksheet/mergeCells/mergeCell":
            for end in attributes["ref"].split(":"):
                place(end)
            self._facts.add(Fact("merged", attributes["ref"]))
        elif path.endswith(("/c", "/row")) or (path.count("/") == 1 and path != "/worksheet"):
            raise ValueError(f"cells stand where none belong: {path}")

    def _start_in_cell(self, path: str, attributes: dict[str, str]) -> None:
        if path == _CELL:
            self._new_cell(attributes)
            self._place()
        elif path == _VALUE:
            self._pieces = []
        elif path == _FORMULA:
            self._pieces, self._formula_attributes = [], attributes
        elif path == _TEXT:
            self._odd |= self._inline is not None
            self._reader = TextReader()
        elif path.startswith(_TEXT) and self._reader:
            self._reader.start(path.removeprefix(_TEXT), attributes)
        elif not path.startswith(_EXTENSIONS):
            self._odd = True  # something inside a value, or beside it

    def text(self, data: str) -> None:
        """Meet a piece of text."""
        if self._pieces is not None:
            self._pieces.append(data)
        elif self._reader:
            self._reader.piece(self._paths[-1].removeprefix(_TEXT), data)
        elif self._paths[-1] == _CELL and data.strip():
            self._odd = True

    def end(self, path: str) -> None:
        """Meet the end of an element."""
        if path == _CELL:
            self._end_cell()
        elif path == _VALUE:
            self._values.append("".join(self._pieces or ()))
            self._pieces = None
        elif path == _FORMULA:
            self._formulas.append((self._formula_attributes, "".join(self._pieces or ())))
            self._pieces = None
        elif path == _TEXT and self._reader:
            self._inline, self._reader = self._reader.result(), None
        elif path.startswith(_TEXT) and self._reader:
            self._reader.end(path.removeprefix(_TEXT))

    def _place(self) -> None:
        """Note where the cell stands: at its address, or else right of the last one."""
        reference = self._attributes.get("r")
        if reference is None:
            self._column += 1
            return
        row, self._column = place(reference)
        if row != self._row:
            self._refuse_order()

    def _end_cell(self) -> None:
        if not (self._formulas or any(self._values) or self._inline or self._odd):
            return
        here = self._row, self._column
        self._check_place(here)
        cell = self._read(here)
        if self._formulas:
            cell = self._with_formula(cell)
        if cell.text or cell.doubt or self._formulas:
            self._cells.append(cell)

    def _with_formula(self, cell: Cell) -> Cell:
        here, formula = (cell.row, cell.column), self._formula((cell.row, cell.column))
        stored = any(value.strip() for value in self._values) or self._inline
        if not stored and self._attributes.get("t") != "str" and not cell.doubt:
            cell = Cell(*here, UNCALCULATED, "formula")
        fact = "uncalculated" if cell.kind == "formula" else "formula"
        self._facts.add(Fact(fact, cell.address))
        kind = "text" if cell.kind == "rich" else cell.kind  # even a free text is in doubt then
        return Cell(*here, cell.text, kind, cell.doubt, formula)

    def _check_place(self, here: tuple[int, int]) -> None:
        # Readers silently skip cells that do not ascend, so two readers would disagree on them.
        # No spreadsheet program writes such a file.
        if here <= self._last or not here[0]:
            self._refuse_order()
        if here[0] > MAX_ROWS or here[1] > MAX_COLUMNS:
            cell = address(*here)
            raise RefusedError(
                f"{the_sheet(self._name)} has something in cell {cell}; a return ends before"
                f" row {MAX_ROWS:,} and column {MAX_COLUMNS}",
                f"Clear cell {cell} (Ctrl+End leads there), save, and send the file again.",
            )
        self._last = here

    def _refuse_order(self) -> None:
        cell = self._attributes.get("r") or address(self._row, self._column)
        raise RefusedError(
            f"{the_sheet(self._name)} stores cell {cell} twice or out of order", SAVE
        )

    def _read(self, here: tuple[int, int]) -> Cell:
        """Return the cell as it stands; one whose value is in doubt says why."""
        values = [value for value in self._values if value]
        both = self._inline is not None and bool(values)
        if self._odd or both or len(self._values) > 1 or len(self._formulas) > 1:
            seen = [*values, *([self._inline.text] if self._inline else [])]
            shown = ", ".join(in_doubt(value) for value in seen)
            doubt = f"more than one value, or something else inside one ({shown})"
            # A cell whose text is empty would be a blank one, and what it holds pass unseen.
            return Cell(*here, " ".join(filter(None, seen)) or "?", "odd", doubt)
        text = values[0] if values else ""
        kind = self._attributes.get("t", "n")
        look = self._styles.look(self._attributes.get("s", "0"))
        if kind in {"s", "inlineStr"} or self._inline:
            cell = self._text_cell(here, kind, text, look.font)
        else:
            cell = self._value_cell(here, kind, text, look.kind)
        if look.marks and cell.text and not cell.doubt:
            cell = cell._replace(kind="rich", doubt=f"a value that is {look.marks}")
        return cell

    def _text_cell(self, here: tuple[int, int], kind: str, text: str, font: Font) -> Cell:
        found = self._inline
        if kind == "s" and text.strip() and not found:
            try:
                found = self._texts[whole(text.strip())]
            except (ValueError, IndexError):
                doubt = f"text number {told(text)}, which the workbook does not have"
                return Cell(*here, text, "odd", doubt)
        elif kind != "inlineStr" or not found:
            text = found.text if found else text
            doubt = f"{in_doubt(text)}, stored as something that it is not"
            if not text.strip():
                return Cell(*here, "", "text")
            return Cell(*here, text, "odd", doubt)
        if found.fault:
            return Cell(*here, found.text, "odd", found.fault)
        looks = found.format(font)
        return Cell(*here, found.text, "rich" if looks else "text", looks)

    def _value_cell(self, here: tuple[int, int], kind: str, text: str, look: str) -> Cell:
        plain = text.strip(" \t\r\n")
        if kind == "str":
            return Cell(*here, unescaped(text), "text")
        if not plain:
            return Cell(*here, "", "text")
        if kind == "n" and _NUMBER.fullmatch(plain) and len(plain) <= _LONGEST_NUMBER:
            found = _number(plain, look, self._epoch)
        elif kind == "e":
            found = plain, "error"
        elif kind == "b" and plain in _BOOLEANS:
            found = _BOOLEANS[plain], "boolean"
        elif kind == "d" and (day := _iso_day(plain)):
            found = day, "date"
        else:
            known = {"n": "a number", "b": "true or false", "d": "a date"}
            doubt = f"{in_doubt(text)}, which is not {known.get(kind, 'of a known type')}"
            return Cell(*here, text, "odd", doubt)
        return Cell(*here, *found)

    def _formula(self, here: tuple[int, int]) -> str:
        """Return the cell's formula as a spreadsheet shows it, array formulas in braces."""
        attributes, text = self._formulas[0]
        kind = attributes.get("t", "normal")
        if kind == "shared":
            number = attributes.get("si", "")
            if text:
                self._shared[number] = *here, text
                return text
            row, column, text = self._shared.get(number, (0, 0, ""))
            self._moved += len(text)
            if not text or self._moved > _MOST_MOVED:
                return "{}"
            return moved(text, here[0] - row, here[1] - column)
        if kind == "normal":
            return text
        # An array formula or a table of trials fills other cells too, which hold its results alone.
        first, _, last = attributes.get("ref", "").partition(":")
        if last:
            (top, left), (bottom, right) = place(first), place(last)
            self._filled += (bottom - top + 1) * (right - left + 1)
            if self._filled > MAX_ROWS * MAX_COLUMNS:
                raise ValueError("array formulas for more cells than a return has")
            for row in range(top, bottom + 1):
                spilt = ((row, column) for column in range(left, right + 1))
                self._spilling |= dict.fromkeys(spilt, f"{{{text}}}")
        return f"{{{text}}}"

    def sheet(self) -> RawSheet:
        """Return what was read once the part's end was met."""
        if self._spilling:
            self._cells = [self._spilt(cell) for cell in self._cells]
        return RawSheet(self._name, tuple(self._cells), tuple(sorted(self._facts)))

    def _spilt(self, cell: Cell) -> Cell:
        formula = self._spilling.get((cell.row, cell.column))
        if formula is None or cell.formula is not None:
            return cell
        self._facts.add(Fact("formula", cell.address))
        return cell._replace(formula=formula)


def _number(text: str, look: str, epoch: datetime) -> tuple[str, str]:
    """Return a number's text and kind; one shown as a date is that date."""
    value: int | float = float(text) if re.search("[.eE]", text) else int(text)
    if isinstance(value, float):
        # Sums of fractions end a hair beside the whole number; Excel itself has 15 digits.
        rounded = float(f"{value:.15g}")
        if rounded.is_integer() and abs(rounded) < _EXACT:
            value = int(rounded)
    if look == "percent":
        # Shown as 100%, the cell holds 1; read as a count it would be silently wrong.
        return str(value), "percent"
    if not look:
        return str(value), "number"
    try:
        return _moment(value, epoch, duration=look == "duration"), "date"
    except (OverflowError, ValueError):
        return "#VALUE!", "error"


def _moment(value: float, epoch: datetime, *, duration: bool) -> str:
    """Return a serial number as the day, time of day or duration that it is shown as."""
    if duration:
        return str(timedelta(seconds=round(value * 86_400)))
    days, fraction = divmod(value, 1)
    passed = timedelta(milliseconds=round(fraction * 86_400_000))
    if 0 <= value < 1 and not passed.days:
        return str((datetime.min + passed).time())
    if 0 < value < 60 and epoch.year < 1900:
        days += 1  # Excel's 1900 has a 29 February, so that days before it are one off
    moment = epoch + timedelta(days=days) + passed
    return (moment.date() if moment.time() == time() else moment).isoformat()


def _iso_day(text: str) -> str | None:
    """Return a date stored as text, with its time where it has one; None where it is none."""
    try:
        moment = datetime.fromisoformat(text).replace(tzinfo=None)
    except ValueError:
        try:
            return str(time.fromisoformat(text).replace(tzinfo=None))
        except ValueError:
            return None
    return (moment.date() if moment.time() == time() else moment).isoformat()
