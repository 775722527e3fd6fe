"""Finds the template's entries in the sheets of a received return, and what stands around them."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Final, Generic, TypeVar

from assets.intake.quoting import codes_of, quoted, sheet_shown, shown
from assets.intake.reading import Cell, RawSheet
from assets.returns.template.checks import BESIDE, GUIDANCE_MARK
from schemas.finding import Finding, Place, finding
from schemas.template import HEADER_CODE, LABEL_CODE, Entry, Sheet, Template, address
from schemas.wording import plural

T = TypeVar("T")

_CLOSE: Final = 0.75
"""Similarity above which a text is taken for a misspelt code; the return is rejected either way."""

_FEW: Final = 3
_NO_CODES: Final = (LABEL_CODE, *BESIDE)
"""Headers of columns that tell people something, and count nothing."""

PROBLEMS: Final = "problems"
PROBLEMS_MARK: Final = "Problems found by Muster"
"""Name and text in A1 of the sheet that Muster adds to a marked copy, and may come back with it."""


@dataclass(frozen=True)
class Slot:
    """One entry of the template in a received file: its address there, and the cell if filled.

    Once it is typed: its value and, for a count, the number; or why it is `missing`.
    """

    entry: Entry
    address: str
    cell: Cell | None
    value: str | None = None
    number: int | None = None
    missing: str | None = None

    @property
    def place(self) -> Place:
        """The slot as the place of a finding."""
        entry = self.entry
        text = shown(self.cell.text, codes_of(entry)) if self.cell else None
        return Place(entry.sheet, self.address, entry.row_code, entry.column_code, text)

    @property
    def quoted(self) -> str:
        """What stands in the slot, as a message may quote it."""
        return quoted(self.cell.text, codes_of(self.entry)) if self.cell else "nothing"


@dataclass(frozen=True)
class SheetLayout:
    """One sheet as it was found: the header's row, and the codes of its rows and columns.

    `name` is the template's name for it, `raw` has the name that stands in the file.
    `rows` and `columns` map numbers to codes; one whose text is no code, or is only for people, to
    None.
    """

    name: str
    raw: RawSheet
    top: int
    rows: dict[int, str | None]
    columns: dict[int, str | None]
    slots: tuple[Slot, ...]


@dataclass(frozen=True)
class Layout:
    """What could be found, and what is wrong with sheets, headings and codes.

    `names` has how to call each sheet that is there, by its name.
    """

    sheets: tuple[SheetLayout, ...]
    findings: tuple[Finding, ...]
    names: Mapping[str, str]

    @property
    def slots(self) -> list[Slot]:
        """Every slot, in the order of the template."""
        return [slot for sheet in self.sheets for slot in sheet.slots]


def is_ours(sheet: RawSheet, *marks: str) -> bool:
    """Whether Muster added the sheet, with one of the marks or any: it is no part of the return."""
    known = marks or (PROBLEMS_MARK, GUIDANCE_MARK)
    return any(cell.address == "A1" and cell.text in known for cell in sheet.cells[:1])


def lay_out(sheets: tuple[RawSheet, ...], template: Template) -> Layout:
    """Find each entry by its codes, in whatever order sheets, rows and columns stand.

    A misspelt name or code is one finding, and its cells are read as what was meant, so that a
    force sees everything else that is wrong in the same round.
    """
    wanted = [sheet.name for sheet in template.sheets]
    theirs = [(sheet.name, sheet) for sheet in sheets if not is_ours(sheet)]
    matched = _match(theirs, wanted)
    names = {
        sheet.name: sheet.name if sheet.name in wanted else sheet_shown(sheet.name, number, wanted)
        for number, sheet in enumerate(sheets, 1)
    }
    findings = list(_sheet_findings(matched, names))
    found: list[SheetLayout] = []
    for sheet in template.sheets:
        if sheet.name in matched.found:
            layout = _lay_out_sheet(matched.found[sheet.name][1], sheet, findings)
            found += [layout] if layout else []
    return Layout(tuple(found), tuple(findings), names)


@dataclass(frozen=True)
class _Match(Generic[T]):
    """Texts matched with the codes that are wanted: each code to the text that stands for it."""

    found: dict[str, tuple[str, T]]
    missing: list[str]
    again: list[tuple[str, T]]
    unknown: list[tuple[str, T]]


def _match(texts: Iterable[tuple[str, T]], wanted: list[str]) -> _Match[T]:
    found: dict[str, tuple[str, T]] = {}
    again: list[tuple[str, T]] = []
    others: list[tuple[str, T]] = []
    for text, item in texts:
        if text not in wanted:
            others.append((text, item))
        elif text in found:
            again.append((text, item))
        else:
            found[text] = text, item
    unknown = []
    for text, item in others:
        open_codes = [code for code in wanted if code not in found]
        meant = open_codes and get_close_matches(_plain(text), open_codes, n=1, cutoff=_CLOSE)
        if meant:
            found[meant[0]] = text, item
        else:
            unknown.append((text, item))
    return _Match(found, [code for code in wanted if code not in found], again, unknown)


def _plain(text: str) -> str:
    return "_".join(text.casefold().replace("-", " ").split())


def _sheet_findings(matched: _Match[RawSheet], names: Mapping[str, str]) -> Iterable[Finding]:
    for expected, (name, _) in matched.found.items():
        if name != expected:
            here = Place(sheet=names[name])
            shown = names[name]
            named = f"the sheet is named {name!r}" if shown == name else f"sheet {shown} is renamed"
            message = f"{named}; the template's name is {expected!r}"
            yield finding("S004", message, here, fix=f"Rename it to {expected}.")
    for name in matched.missing:
        message = f"there is no sheet {name!r}, so none of its figures can be read"
        yield finding("S004", message, Place(sheet=name))
    for name, sheet in matched.unknown:
        here = Place(sheet=names[name])
        alike = next((code for code in matched.found if _plain(code) == _plain(name)), None)
        if sheet.cells and alike:
            message = f"sheets {name!r} and {alike!r} differ only by case; which one counts?"
            yield finding("S004", message, here)
        elif sheet.cells:
            filled = f"{plural(len(sheet.cells), 'filled cell')}, from {sheet.cells[0].address} on"
            message = f"sheet {called(names[name])} is not in the template; nothing of it counts"
            fix = "Move what belongs to the return into its sheets, and delete this one."
            yield finding("S004", f"{message} ({filled})", here, fix=fix, severity="Q")


def called(name: str) -> str:
    """Return a name of a sheet between quotes, but not the place that stands for one."""
    return name if name.startswith("no. ") else repr(name)


def _lay_out_sheet(raw: RawSheet, sheet: Sheet, findings: list[Finding]) -> SheetLayout | None:
    """Lay one sheet out and add what is wrong with it; None where it has no header row."""
    cells = {(cell.row, cell.column): cell for cell in raw.cells if cell.text.strip()}
    first_column = [(cell.text.strip(), cell) for (_, column), cell in cells.items() if column == 1]
    header = _match(first_column, [HEADER_CODE]).found.get(HEADER_CODE)
    if header is None:
        message = f"no row has {HEADER_CODE!r} in column A, so none of the sheet can be read"
        findings.append(finding("S005", message, Place(sheet=sheet.name, cell="A1")))
        return None
    text, top = header
    if text != HEADER_CODE:
        findings.append(_misspelt(sheet, HEADER_CODE, top))
    header_row = [cell for (row, column), cell in cells.items() if row == top.row and column > 1]
    heads = [(cell.text.strip(), cell) for cell in header_row]
    labels = [cell for text, cell in heads if text in _NO_CODES]
    columns = _match([head for head in heads if head[0] not in _NO_CODES], list(sheet.columns))
    findings += _code_findings(sheet, columns, top)
    codes = [(text, cell) for text, cell in first_column if cell.row > top.row]
    rows = _match(codes, [row.code for row in sheet.rows])
    findings += _code_findings(sheet, rows, None)
    findings += _label_findings(sheet, cells, top.row, rows.found, columns.found)
    slots = [
        Slot(entry, address(*here), cells.get(here))
        for row in sheet.rows
        for entry in row.entries
        if entry.row_code in rows.found and entry.column_code in columns.found
        for here in [(rows.found[row.code][1].row, columns.found[entry.column_code][1].column)]
    ]
    return SheetLayout(
        sheet.name,
        raw,
        top.row,
        {cell.row: code for code, cell in _placed(rows)},
        {cell.column: code for code, cell in [*_placed(columns), *((None, c) for c in labels)]},
        tuple(slots),
    )


def _placed(match: _Match[Cell]) -> Iterable[tuple[str | None, Cell]]:
    for code, (_, cell) in match.found.items():
        yield code, cell
    for _, cell in [*match.again, *match.unknown]:
        yield None, cell


def _misspelt(sheet: Sheet, expected: str, cell: Cell) -> Finding:
    place = Place(sheet.name, cell.address, value=shown(cell.text, [expected]))
    message = f"{quoted(cell.text, [expected])} stands where the code {expected!r} belongs"
    return finding("S005", message, place, fix=f"Put {expected} back in {cell.address}.")


def _code_findings(sheet: Sheet, match: _Match[Cell], top: Cell | None) -> Iterator[Finding]:
    """Yield what is wrong with the codes of columns, given the top of their header, or of rows."""
    line, rule = ("column", "S005") if top else ("row", "S013")
    known = list(sheet.columns) if top else [row.code for row in sheet.rows]
    for expected, (text, cell) in match.found.items():
        if text != expected:
            yield _misspelt(sheet, expected, cell)
        elif cell.doubt:
            place = Place(sheet.name, cell.address, value=expected)
            yield finding("S005", f"the code is {cell.doubt}", place, fix=_alone(expected, cell))
    lost = [*match.missing]
    fix = f"Put {' or '.join(lost)} back where it belongs." if 0 < len(lost) <= _FEW else None
    for code in lost:
        lacks = f"the header row {top.row} has no column" if top else "there is no row"
        message = f"{lacks} {code!r}, so its figures cannot be read"
        yield finding(rule, message, _at_code(sheet, line, code, top), fix=fix if top else None)
    for text, cell in match.again:
        message = f"{line} {text!r} stands twice, here and in {match.found[text][1].address}"
        yield finding(rule, message, _at_code(sheet, line, text, cell))
    for text, cell in match.unknown:
        where = "the header row" if top else "column A"
        message = f"{quoted(text, known)} in {where} is not a {line} code of this sheet"
        at = Place(sheet.name, cell.address, value=shown(text, known))
        yield finding("S005", message, at, fix=fix)


def _alone(code: str, cell: Cell) -> str:
    return f"Type {code} alone into {cell.address}: no formula, no mark, nothing struck out."


Found = Mapping[str, tuple[str, Cell]]
"""What stands for each code: its text and cell."""


def _label_findings(
    sheet: Sheet, cells: Mapping[tuple[int, int], Cell], top: int, rows: Found, columns: Found
) -> Iterator[Finding]:
    """Yield the labels that are another code's: sorted or moved without the codes beside them.

    A label may say anything else. That of a column stands above the header.
    """
    headed = (at for (row, at), c in cells.items() if row == top and c.text.strip() == LABEL_CODE)
    column = next(headed, 0)
    of_rows = {row.code: row.label for row in sheet.rows}
    placed = [("row", of_rows, code, (cell.row, column)) for code, (_, cell) in rows.items()]
    placed += [
        ("column", sheet.columns, code, (top - 1, cell.column))
        for code, (_, cell) in columns.items()
    ]
    for line, labels, code, here in placed:
        text = cells[here].text if here in cells else ""
        if text in {"", labels[code]}:
            continue
        meant = [other for other, label in labels.items() if _plain(label) == _plain(text)]
        if meant and code not in meant:
            other = meant[0]
            message = f"beside the {line} code {code!r} stands the label of {other!r}: which is it?"
            fix = f"Put the codes, labels and figures of {code} and {other} together again."
            at = Place(sheet.name, address(*here), value=labels[other], **{f"{line}_code": code})
            yield finding("S005", message, at, fix=fix)


def _at_code(sheet: Sheet, line: str, code: str, cell: Cell | None) -> Place:
    return Place(sheet.name, cell.address if cell else None, **{f"{line}_code": code})
