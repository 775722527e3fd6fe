"""Reads the cells of an Excel workbook as they stand there, and what its XML says beyond values."""

import re
from datetime import datetime, time, timedelta
from posixpath import basename, dirname, join, normpath
from typing import Final
from urllib.parse import unquote
from xml.etree.ElementTree import Element

from assets.intake.container import Container
from assets.intake.elements import DAMAGED, elements, has_text_between, text_in
from assets.intake.foreign import refusal
from assets.intake.looks import (
    NAMES,
    STRICT,
    TRANSITIONAL,
    Font,
    Styles,
    Text,
    shared_texts,
    text_of,
    unescaped,
    whole,
)
from assets.intake.notation import moved
from assets.intake.quoting import in_doubt, the_sheet, told
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
    place,
    several_values,
)
from schemas.template import address
from schemas.wording import visible

_RELATION: Final = (
    f"{{{TRANSITIONAL}officeDocument/2006/relationships}}id",
    f"{{{STRICT}officeDocument/relationships}}id",
)
_EPOCH: Final = datetime(1899, 12, 30)
_EPOCH_1904: Final = datetime(1904, 1, 1)
_TRUE: Final = {"1", "true", "on"}
_HIDES: Final = {"1", "true"}

Links = dict[str, tuple[str, str]]
"""What a part refers to, by relationship: the last word of its kind, and the part's name."""


def read_workbook(container: Container) -> Reading:
    """Return the sheets of a workbook with every filled cell; formulas are not yet verified.

    Raises:
        RefusedError: its parts do not fit together, one is damaged, or a filled cell lies out of
            bounds, stands twice, or is out of order.
    """
    # The format compares names of parts by `/` between folders, whatever their case.
    parts = {name.replace("\\", "/").lower(): part for name, part in container.parts.items()}
    try:
        main = _main_part(parts)
        links = _links(parts, main)
        listed, epoch = _sheets(parts[main])
        # A workbook has one part of each; styles carry no figure, so that they may be gone.
        texts = {part for kind, part in links.values() if kind == "sharedStrings"}
        styles = [part for kind, part in links.values() if kind == "styles"]
        if len(texts) > 1:
            raise ValueError("two tables of texts")
        shared = [text for part in texts for text in shared_texts(parts[part])]
        looks = Styles(parts.get(styles[0], b"") if styles else b"")
        found = {
            _Sheet(name, shared, looks, epoch, hidden=hidden): parts[links[relation][1]]
            for name, relation, hidden in listed
            if links[relation][0] == "worksheet"
        }
    except DAMAGED as error:
        raise refusal("lacks_part", error=visible(str(error))) from error
    if not found:
        raise refusal("no_sheets", fix="excel")
    outside = any("/externallinks/" in f"/{name}" for name in parts)
    return Reading(
        tuple(sheet.read(xml) for sheet, xml in found.items()),
        (Fact("external_links", ""),) if outside else (),
    )


def _main_part(parts: dict[str, bytes]) -> str:
    """Return the name of the workbook's main part, which the package names."""
    links = _links(parts, "") if "_rels/.rels" in parts else {}
    named = {part for kind, part in links.values() if kind == "officeDocument"}
    if len(named) > 1:
        raise ValueError("two workbooks in one")
    return named.pop() if named else "xl/workbook.xml"


def _links(parts: dict[str, bytes], part: str) -> Links:
    folder = dirname(part)
    found: Links = {}
    xml = parts[join(folder, "_rels", f"{basename(part)}.rels")]
    for path, element in elements(xml, NAMES, ()):
        if path == "/Relationships/Relationship" and element.get("TargetMode") != "External":
            relation, kind, target = (element.attrib[key] for key in ("Id", "Type", "Target"))
            if relation in found:
                raise ValueError(f"two relationships {relation!r}")
            target = unquote(target).replace("\\", "/")
            target = normpath(join("/", folder, target)).lstrip("/").lower()
            found[relation] = kind.rpartition("/")[2], target
    return found


def _sheets(xml: bytes) -> tuple[list[tuple[str, str, bool]], datetime]:
    """Return each sheet's name, its relation and whether it is hidden; and day 0 of all dates."""
    found: list[tuple[str, str, bool]] = []
    epoch = _EPOCH
    for path, element in elements(xml, NAMES, ()):
        if path == "/workbook/sheets/sheet":
            name = element.attrib["name"]
            if not name:
                raise refusal("no_name", fix="excel")
            if any(name == other for other, *_ in found):
                raise refusal("one_name", sheet=the_sheet(name), fix="excel")
            relation = next(
                (value for value in map(element.get, _RELATION) if value is not None), ""
            )
            found.append((name, relation, "hidden" in element.get("state", "").lower()))
        elif path == "/workbook/workbookPr" and element.get("date1904") in _TRUE:
            epoch = _EPOCH_1904
    return found, epoch


_ROW: Final = "/worksheet/sheetData/row"
_CELL: Final = f"{_ROW}/c"
_NUMBER: Final = re.compile(r"[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[Ee][+-]?[0-9]+)?")
_LONGEST_NUMBER: Final = 40
_MOST_MOVED: Final = 1_000_000
"""Characters of formulas that are spelt out for other cells; a few bytes name one of thousands."""
_BOOLEANS: Final = {"1": "TRUE", "true": "TRUE", "0": "FALSE", "false": "FALSE"}
_EXPECTED: Final = {"n": "a number", "b": "true or false", "d": "a date"}


def _parts_of(cell: Element) -> tuple[list[str], list[Element], Text | None, bool]:
    """Return a cell's values, formulas and own text, and whether anything else is in it."""
    values: list[str] = []
    formulas: list[Element] = []
    inline: Text | None = None
    odd = has_text_between(cell)
    for part in cell:
        match part.tag:
            case "v":
                odd |= bool(len(part))
                values.append(text_in(part))
            case "f":
                odd |= bool(len(part))
                formulas.append(part)
            case "is":
                odd |= inline is not None
                inline = text_of(part)
            case name:
                odd |= name != "extLst"
    return values, formulas, inline, odd


class _Sheet:
    """Reads one worksheet part."""

    def __init__(
        self, name: str, texts: list[Text], styles: Styles, epoch: datetime, *, hidden: bool
    ) -> None:
        self._name, self._texts, self._styles, self._epoch = name, texts, styles, epoch
        self._facts = {Fact("hidden_sheet", "")} if hidden else set[Fact]()
        self._cells: list[Cell] = []
        self._last = self._here = (0, 0)
        self._shared: dict[str, tuple[int, int, str]] = {}
        self._spilling: dict[tuple[int, int], str] = {}
        self._filled = self._moved = 0

    def read(self, xml: bytes) -> RawSheet:
        """Return the sheet with its cells and facts; cells with formulas have them."""
        try:
            for path, element in elements(xml, NAMES, (_CELL,)):
                self._meet(path, element)
        except DAMAGED as error:
            raise refusal("damaged_sheet", sheet=the_sheet(self._name), error=error) from error
        cells = map(self._spilt, self._cells) if self._spilling else self._cells
        return RawSheet(self._name, tuple(cells), tuple(sorted(self._facts)))

    def _meet(self, path: str, element: Element) -> None:
        if path == _CELL:
            self._cell(element)
        elif path == _ROW:
            row = element.get("r")
            self._here = (self._here[0] + 1 if row is None else whole(row)), 0
            if element.get("hidden") in _HIDES:
                self._facts.add(Fact("hidden_row", str(self._here[0])))
        elif path == "/worksheet/cols/col" and element.get("hidden") in _HIDES:
            span = f"{whole(element.attrib['min'])}:{whole(element.attrib['max'])}"
            self._facts.add(Fact("hidden_columns", span))
        elif path == "/worksheet/mergeCells/mergeCell":
            for end in element.attrib["ref"].split(":"):
                place(end)
            self._facts.add(Fact("merged", element.attrib["ref"]))
        elif path.endswith(("/c", "/row")) or (path.count("/") == 1 and path != "/worksheet"):
            raise ValueError(f"cells stand where none belong: {path}")

    def _cell(self, element: Element) -> None:
        """Read a cell: at its address, or else right of the last one."""
        row, column = self._here
        reference = element.get("r")
        self._here = (row, column + 1) if reference is None else place(reference)
        if self._here[0] != row:
            self._refuse_order(reference)
        values, formulas, inline, odd = _parts_of(element)
        if not (formulas or any(values) or inline or odd):
            return
        self._check_place(reference)
        seen = [*filter(None, values), *([inline.text] if inline else [])]
        if odd or (inline and len(seen) > 1) or len(values) > 1 or len(formulas) > 1:
            # A cell whose text is empty would be a blank one, and what it holds pass unseen.
            text = " ".join(filter(None, seen)) or "?"
            cell = Cell(*self._here, text, "odd", several_values(*map(in_doubt, seen)))
        else:
            cell = self._read(element, values[0] if values else "", inline)
        if formulas:
            stored = inline or any(map(str.strip, values))
            if not stored and element.get("t") != "str" and not cell.doubt:
                cell = cell._replace(text=UNCALCULATED, kind="formula")
            fact = "uncalculated" if cell.kind == "formula" else "formula"
            self._facts.add(Fact(fact, cell.address))
            kind = "text" if cell.kind == "rich" else cell.kind  # even a free text is in doubt then
            cell = cell._replace(kind=kind, formula=self._formula(formulas[0]))
        if cell.text or cell.doubt or formulas:
            self._cells.append(cell)

    def _check_place(self, reference: str | None) -> None:
        # Readers silently skip cells that do not ascend, so two readers would disagree on them.
        # No spreadsheet program writes such a file.
        if self._here <= self._last or not self._here[0]:
            self._refuse_order(reference)
        self._last = self._here
        if self._here[0] > MAX_ROWS or self._here[1] > MAX_COLUMNS:
            cell = address(*self._here)
            end = {"rows": f"{MAX_ROWS:,}", "columns": MAX_COLUMNS}
            name = the_sheet(self._name)
            raise refusal("far_out", sheet=name, cell=cell, fix="clear_cell", **end)

    def _refuse_order(self, reference: str | None) -> None:
        cell = reference or address(*self._here)
        raise refusal("order", sheet=the_sheet(self._name), cell=cell)

    def _read(self, element: Element, text: str, inline: Text | None) -> Cell:
        """Return the cell as it stands; one whose value is in doubt says why."""
        kind = element.get("t", "n")
        look = self._styles.look(element.get("s", "0"))
        if kind in {"s", "inlineStr"} or inline:
            cell = self._text_cell(kind, text, inline, look.font)
        else:
            cell = self._value_cell(kind, text, look.kind)
        if look.marks and cell.text and not cell.doubt:
            cell = cell._replace(kind="rich", doubt=f"a value that is {look.marks}")
        return cell

    def _text_cell(self, kind: str, text: str, found: Text | None, font: Font) -> Cell:
        if kind == "s" and text.strip() and not found:
            try:
                found = self._texts[whole(text.strip())]
            except (ValueError, IndexError):
                doubt = f"text number {told(text)}, which the workbook does not have"
                return Cell(*self._here, text, "odd", doubt)
        elif kind != "inlineStr" or not found:
            text = found.text if found else text
            if not text.strip():
                return Cell(*self._here, "", "text")
            doubt = f"{in_doubt(text)}, stored as something that it is not"
            return Cell(*self._here, text, "odd", doubt)
        if found.fault:
            return Cell(*self._here, found.text, "odd", found.fault)
        looks = found.format(font)
        return Cell(*self._here, found.text, "rich" if looks else "text", looks)

    def _value_cell(self, kind: str, text: str, look: str) -> Cell:
        plain = text.strip(" \t\r\n")
        found: tuple[str, ...] = ()
        if kind == "str":
            found = unescaped(text), "text"
        elif not plain:
            found = "", "text"
        elif kind == "n" and _NUMBER.fullmatch(plain) and len(plain) <= _LONGEST_NUMBER:
            found = self._number(number_text(plain), look)
        elif kind == "e":
            found = plain, "error"
        elif kind == "b" and plain in _BOOLEANS:
            found = _BOOLEANS[plain], "boolean"
        elif kind == "d" and (day := _iso_day(plain)):
            found = day, "date"
        else:
            known = _EXPECTED.get(kind, "of a known type")
            found = text, "odd", f"{in_doubt(text)}, which is not {known}"
        return Cell(*self._here, *found)

    def _number(self, text: str, look: str) -> tuple[str, str]:
        """Return a number's text and kind; one shown as a date is that date."""
        if look not in {"date", "duration"}:
            # Shown as 100%, the cell holds 1; read as a count it would be silently wrong.
            return text, look or "number"
        value: int | float = float(text) if re.search("[.en]", text) else int(text)
        try:
            return _moment(value, self._epoch, duration=look == "duration"), "date"
        except (OverflowError, ValueError):
            return "#VALUE!", "error"

    def _formula(self, element: Element) -> str:
        """Return the cell's formula as a spreadsheet shows it, array formulas in braces."""
        text, kind = text_in(element), element.get("t", "normal")
        if kind == "shared":
            number = element.get("si", "")
            if text:
                self._shared[number] = *self._here, text
                return text
            row, column, text = self._shared.get(number, (0, 0, ""))
            self._moved += len(text)
            if not text or self._moved > _MOST_MOVED:
                return "{}"
            return moved(text, self._here[0] - row, self._here[1] - column)
        if kind == "normal":
            return text
        # An array formula or a table of trials fills other cells too, which hold its results alone.
        first, _, last = element.get("ref", "").partition(":")
        if last:
            (top, left), (bottom, right) = place(first), place(last)
            self._filled += (bottom - top + 1) * (right - left + 1)
            if self._filled > MAX_ROWS * MAX_COLUMNS:
                raise ValueError("array formulas for more cells than a return has")
            for row in range(top, bottom + 1):
                spilt = ((row, column) for column in range(left, right + 1))
                self._spilling |= dict.fromkeys(spilt, f"{{{text}}}")
        return f"{{{text}}}"

    def _spilt(self, cell: Cell) -> Cell:
        formula = self._spilling.get((cell.row, cell.column))
        if formula is None or cell.formula is not None:
            return cell
        self._facts.add(Fact("formula", cell.address))
        return cell._replace(formula=formula)


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
    return moment_text(epoch + timedelta(days=days) + passed)


def _iso_day(text: str) -> str | None:
    """Return a date stored as text, with its time where it has one; None where it is none."""
    try:
        return moment_text(datetime.fromisoformat(text))
    except ValueError:
        try:
            return str(time.fromisoformat(text).replace(tzinfo=None))
        except ValueError:
            return None
