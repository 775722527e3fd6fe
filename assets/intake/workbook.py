"""Reads the cells of an Excel workbook as they stand there, and what its XML says beyond values."""

import re
from collections.abc import Sequence
from datetime import datetime, timedelta
from itertools import islice
from typing import Final
from xml.etree.ElementTree import Element

from assets.intake.conditions import Condition, conditions
from assets.intake.container import Container
from assets.intake.grid import (
    BLANK,
    DAMAGED,
    LONGEST_FORMULA,
    NEVER_CALCULATED,
    UNSEEN,
    Content,
    Grid,
    found,
    has_text_between,
    moved,
    odd,
    parsed,
    several_values,
    text_in,
    typed,
    with_looks,
)
from assets.intake.looks import (
    PREFIXES,
    STRICT,
    TRANSITIONAL,
    TRUE,
    CellFormat,
    NumberFormat,
    Text,
    cell_formats,
    index,
    shared_texts,
    text_of,
    unescaped,
    whole,
)
from assets.intake.package import commented, links_of, main_part
from assets.intake.quoting import in_doubt, the_sheet, told
from assets.intake.reading import (
    DISGUISED,
    MAX_COLUMNS,
    MAX_ROWS,
    Cell,
    Fact,
    RawSheet,
    Reading,
    moment_text,
    place,
    refusal,
)
from schemas.template import address
from schemas.wording import visible

_RELATION: Final = (
    f"{{{TRANSITIONAL}officeDocument/2006/relationships}}id",
    f"{{{STRICT}officeDocument/relationships}}id",
)
_EPOCH: Final = datetime(1899, 12, 30)
_EPOCH_1904: Final = datetime(1904, 1, 1)


def read_workbook(container: Container) -> Reading:
    """Return the sheets of a workbook with every filled cell; formulas are not yet verified.

    Raises:
        RefusedError: its parts do not fit together, one is damaged, or a filled cell lies out of
            bounds, stands twice, or is out of order.
    """
    # The format compares names of parts by `/` between folders, whatever their case.
    parts = {name.replace("\\", "/").lower(): part for name, part in container.parts.items()}
    try:
        main = main_part(parts)
        links = links_of(parts, main)
        listed, epoch = _sheets(parts[main])
        # A workbook has one part of each; styles carry no figure, so that they may be gone.
        texts = {part for kind, part in links.values() if kind == "sharedStrings"}
        styles = [parts.get(part, b"") for kind, part in links.values() if kind == "styles"]
        if len(texts) > 1:
            raise ValueError("two tables of texts")
        shared = [text for part in texts for text in shared_texts(parts[part])]
        formats, conditional = cell_formats(styles[0] if styles else b"")
        book = _Contents(shared, formats, epoch)
        sheets: dict[str, _Sheet] = {}
        for name, relation, hidden in listed:
            kind, part = links[relation]
            if part in sheets:
                raise ValueError("two sheets of one part")
            if kind == "worksheet":
                grid = Grid(name, "clear_cell", hidden=hidden)
                grid.facts.update(Fact("comment", cell) for cell in commented(parts, part))
                sheets[part] = _Sheet(book, grid, parts[part], conditional)
    except DAMAGED as error:
        raise refusal("lacks_part", error=visible(str(error))) from error
    if not sheets:
        raise refusal("no_sheets", fix="excel")
    outside = any("/externallinks/" in f"/{name}" for name in parts)
    return Reading(
        tuple(sheet.read() for sheet in sheets.values()),
        (Fact("external_links", ""),) if outside else (),
    )


def _sheets(xml: bytes) -> tuple[list[tuple[str, str, bool]], datetime]:
    """Return each sheet's name, its relation and whether it is hidden; and day 0 of all dates."""
    root = parsed(xml, PREFIXES)
    listed: list[tuple[str, str, bool]] = []
    for element in found(root, "workbook", "sheets", "sheet"):
        name = element.attrib["name"]
        if not name:
            raise refusal("no_name", fix="excel")
        if any(name == other for other, *_ in listed):
            raise refusal("one_name", sheet=the_sheet(name), fix="excel")
        relation = next((value for value in map(element.get, _RELATION) if value is not None), "")
        listed.append((name, relation, "hidden" in element.get("state", "").lower()))
    book = found(root, "workbook", "workbookPr")
    since_1904 = any(element.get("date1904") in TRUE for element in book)
    return listed, _EPOCH_1904 if since_1904 else _EPOCH


_MOST_MOVED: Final = 1_000_000
"""Characters of formulas that are spelt out for other cells; a few bytes name one of thousands."""
_MOST_CONDITIONS: Final = 10_000
_MOST_TRIED: Final = 1_000_000
_TYPES: Final = {"n": "number", "b": "boolean", "d": "date"}


def _parts_of(cell: Element) -> tuple[list[str], list[Element], list[Text], bool]:
    """Return a cell's values, formulas and own texts, and whether anything else is in it."""
    values: list[str] = []
    formulas: list[Element] = []
    texts: list[Text] = []
    is_odd = has_text_between(cell)
    for part in cell:
        match part.tag:
            case "v":
                is_odd |= bool(len(part))
                values.append(text_in(part))
            case "f":
                is_odd |= bool(len(part))
                formulas.append(part)
            case "is":
                texts.append(text_of(part))
            case name:
                is_odd |= name != "extLst"
    return values, formulas, texts, is_odd


def _as_seen(content: Content, look: NumberFormat) -> Content:
    """Return a number or a text, in doubt where its format shows something else."""
    if look.hides_what(content.kind, content.text):
        return content._replace(doubt=f"{told(content.text)}, {DISGUISED}")
    return content


class _Contents:
    """What cells hold whose texts and formats stand elsewhere in the workbook."""

    def __init__(self, texts: list[Text], formats: list[CellFormat], epoch: datetime) -> None:
        self._texts, self._formats, self._epoch = texts, formats, epoch
        self.hides = any(look.is_unseen for look in formats)
        self._looks: dict[str, CellFormat] = {}
        self._known: dict[tuple[str | None, str | None, str], Content] = {}

    def of(self, cell: Element) -> tuple[Content, Element | None] | None:
        """Return what a cell holds, and its formula; None where it has neither."""
        part = cell[0] if len(cell) == 1 else None
        if part is not None and part.tag == "v" and not (len(part) or part.tail or cell.text):
            return (self._plain(cell, part.text), None) if part.text else None
        values, formulas, texts, is_odd = _parts_of(cell)
        if not (any(values) or formulas or texts or is_odd):
            return None
        seen = [*filter(None, values), *(text.text for text in texts)]
        if is_odd or len(values) > 1 or len(formulas) > 1 or len(texts) > 1:
            content = several_values(*seen)
        elif texts:
            content = several_values(*seen) if len(seen) > 1 else self._read(cell, "", texts[0])
        else:
            content = self._plain(cell, "".join(values))
        if not formulas:
            return content, None
        is_stored = texts or any(map(str.strip, values)) or cell.get("t") == "str"
        if not (is_stored or content.doubt):
            content = NEVER_CALCULATED
        elif content.kind == "rich":  # even a free text is in doubt then
            content = content._replace(kind="text")
        return content, formulas[0]

    def _plain(self, cell: Element, value: str) -> Content:
        key = cell.get("t"), cell.get("s"), value
        if key not in self._known:
            self._known[key] = self._read(cell, value, None)
        return self._known[key]

    def _read(self, cell: Element, value: str, text: Text | None) -> Content:
        kind, look = cell.get("t", "n"), self.look(cell.get("s", "0"))
        if kind == "s" and value.strip() and not text:
            try:
                text = self._texts[whole(value.strip())]
            except (ValueError, IndexError):
                return odd(f"text number {told(value)}, which the workbook does not have", value)
        elif kind in {"s", "inlineStr"} or text:
            value = text.text if text else value
            if kind != "inlineStr" or not text:
                doubt = f"{in_doubt(value)}, stored as something that it is not"
                return odd(doubt, value) if value.strip() else BLANK
        if text is None:
            content = self._value(kind, value, look.number)
            return with_looks(content, [(look.font, content.text)])
        if text.is_odd:
            return odd("a text that is stored in an unusual way", text.text)
        runs = [(font or look.font, run) for font, run in text.runs]
        return with_looks(_as_seen(Content(text.text, "text"), look.number), runs)

    def look(self, style: str) -> CellFormat:
        """Return the format of a style by its number."""
        if style not in self._looks:
            number = index(style)
            known = 0 <= number < len(self._formats)
            self._looks[style] = self._formats[number] if known else CellFormat()
        return self._looks[style]

    def _value(self, kind: str, value: str, look: NumberFormat) -> Content:
        if kind == "str":
            return _as_seen(Content(unescaped(value), "text"), look)
        if not value.strip():
            return BLANK
        if kind == "e":
            return Content(value.strip(), "error")
        content = typed(_TYPES.get(kind, ""), value)
        if content.kind == "number":
            if look.kind == "percent":
                # Shown as 100%, the cell holds 1; read as a count it would be silently wrong.
                content = Content(content.text, "percent")
            elif look.kind:
                content = self._moment(content.text, duration=look.kind == "duration")
            else:
                content = _as_seen(content, look)
        return content

    def _moment(self, text: str, *, duration: bool) -> Content:
        """Return a serial number as the day, time of day or duration that it is shown as."""
        value: int | float = float(text) if re.search("[.en]", text) else int(text)
        try:
            if duration:
                return Content(str(timedelta(seconds=round(value * 86_400))), "date")
            days, fraction = divmod(value, 1)
            passed = timedelta(milliseconds=round(fraction * 86_400_000))
            if 0 <= value < 1 and not passed.days:
                return Content(str((datetime.min + passed).time()), "date")
            if 0 < value < 60 and self._epoch.year < 1900:
                days += 1  # Excel's 1900 has a 29 February, so that days before it are one off
            return Content(moment_text(self._epoch + timedelta(days=days) + passed), "date")
        except (OverflowError, ValueError):
            return Content("#VALUE!", "error")


def _unseen(line: Element, size: str, least: float) -> bool:
    """Whether a row or column is hidden, or has a size at which nobody can read it."""
    told = line.get(size, "")
    return line.get("hidden") in TRUE or (
        re.fullmatch(r"[0-9]*\.?[0-9]+", told) is not None and float(told) < least
    )


class _Sheet:
    """Reads one worksheet part."""

    def __init__(
        self, book: _Contents, grid: Grid, xml: bytes, conditional: Sequence[CellFormat | None]
    ) -> None:
        self._book, self._grid, self._xml, self._conditional = book, grid, xml, conditional
        self._conditions: list[Condition] = []
        self._last = self._here = (0, 0)
        self._shared: dict[str, tuple[int, int, str]] = {}
        self._spilling: dict[tuple[int, int], str] = {}
        self._filled = self._moved = self._tried = 0

    def read(self) -> RawSheet:
        """Return the sheet with its cells and facts; cells with formulas have them."""
        try:
            root = parsed(self._xml, PREFIXES)
            self._look_at(root)
            rows = found(root, "worksheet", "sheetData", "row")
            cells = sum(map(self._row, rows))
            everywhere = [len([*root.iter(name)]) for name in ("row", "c")]
            if root.tag != "worksheet" or everywhere != [len(rows), cells]:
                raise ValueError("cells stand where none belong")
        except DAMAGED as error:
            name = the_sheet(self._grid.name)
            raise refusal("damaged_sheet", sheet=name, error=error) from error
        if self._spilling:
            self._grid.cells = list(map(self._spilt, self._grid.cells))
        return self._grid.sheet()

    def _look_at(self, root: Element) -> None:
        for element in found(root, "worksheet", "cols", "col"):
            if _unseen(element, "width", 0.25):
                span = f"{whole(element.attrib['min'])}:{whole(element.attrib['max'])}"
                self._grid.facts.add(Fact("hidden_columns", span))
        for element in found(root, "worksheet", "mergeCells", "mergeCell"):
            for end in element.attrib["ref"].split(":"):
                place(end)
            self._grid.facts.add(Fact("merged", element.attrib["ref"]))
        self._conditions += islice(conditions(root, self._conditional), _MOST_CONDITIONS)
        if len(self._conditions) == _MOST_CONDITIONS:
            raise ValueError("more conditional formats than a return has")

    def _row(self, row: Element) -> int:
        """Read the cells of a row, and empty them; return how many they are."""
        number = row.get("r")
        self._here = (self._here[0] + 1 if number is None else whole(number)), 0
        if _unseen(row, "ht", UNSEEN):
            self._grid.facts.add(Fact("hidden_row", str(self._here[0])))
        cells = [cell for cell in row if cell.tag == "c"]
        for cell in cells:
            self._cell(cell)
            cell.clear()
        return len(cells)

    def _cell(self, element: Element) -> None:
        """Read a cell: at its address, or else right of the last one."""
        row, column = self._here
        reference = element.get("r")
        self._here = here = (row, column + 1) if reference is None else place(reference)
        if here[0] != row:
            self._refuse_order(reference)
        held = self._book.of(element)
        if held is None:
            return
        # Readers silently skip cells that do not ascend, so two readers would disagree on them.
        # No spreadsheet program writes such a file.
        if here <= self._last or not row:
            self._refuse_order(reference)
        self._last = here
        self._grid.check_bounds(*here)
        content, formula = held
        self._grid.put(*here, content, None if formula is None else self._formula(formula))
        if self._conditions or self._book.hides:
            self._look_through(self._book.look(element.get("s", "0")), content)

    def _look_through(self, look: CellFormat, content: Content) -> None:
        """Note a cell that shows nothing of what it holds, or may show something else."""
        self._tried += len(self._conditions)
        if self._tried > _MOST_TRIED:
            raise ValueError("more conditional formats than a return has")
        is_unseen = look.is_unseen and content.is_told
        if is_unseen or any(each.hides(self._here, content, look) for each in self._conditions):
            self._grid.facts.add(Fact("unseen", address(*self._here)))

    def _refuse_order(self, reference: str | None) -> None:
        cell = reference or address(*self._here)
        raise refusal("order", sheet=the_sheet(self._grid.name), cell=cell)

    def _formula(self, element: Element) -> str:
        """Return the cell's formula as a spreadsheet shows it, array formulas in braces."""
        text, kind = text_in(element), element.get("t", "normal")
        if len(text) > LONGEST_FORMULA:
            text = "{}"
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
        self._grid.facts.add(Fact("formula", cell.address))
        return cell._replace(formula=formula)
