"""Reads a return sent as a zip of CSV files, one a sheet, named after it."""

import codecs
import csv
import re
from collections.abc import Iterable, Iterator
from contextlib import suppress
from io import StringIO
from pathlib import PurePosixPath
from typing import Final

from assets.intake.container import OTHER_TABLES, Container, hidden
from assets.intake.quoting import expected_sheets
from assets.intake.reading import (
    MAX_COLUMNS,
    MAX_ROWS,
    Cell,
    Fact,
    RawSheet,
    Reading,
    RefusedError,
    refusal,
)
from schemas.reference import force_codes
from schemas.template import HEADER_CODE, LABEL_CODE, address
from schemas.vocabulary import MISSING_REASONS
from schemas.wording import visible

SEPARATORS: Final = ",;\t"
_HEADER: Final = re.compile(rf'(?:\A|[\r\n]) *+"?{HEADER_CODE} *+"? *+([{SEPARATORS}])', re.I)
SEP_LINE: Final = re.compile(r'"?sep=(.)"?[ ,;\t]*(?:\r\n|\r|\n|\Z)', re.IGNORECASE)
"""The first line by which Excel is told the separator; it is no row."""

_NUMBERED: Final = re.compile(r"(?:\(\d+\)|copy|[- ])+$", re.IGNORECASE)
"""What systems add to the name of a file that is there already."""
_LONGEST_NAME: Final = 255
"""Characters that the name of a file can have on a disk."""
_COMMA: Final = re.compile(r"[0-9]{1,3}(?:,[0-9]{3})+")
_CTRL_Z: Final = "\x1a"
_MARKS: Final = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
    (b"(?:[^\0]{2}){0,3}[^\0]\0[^\0]", "utf-16-le"),
    (b"(?:[^\0]{2}){0,3}\0[^\0].[^\0]", "utf-16-be"),
    (b"", "utf-8"),
)
"""Patterns that texts begin with, and how they are encoded: many bear no mark."""


def encoding_of(content: bytes) -> str:
    """Tell the encoding of a text by its mark, or by the first zero beside its letters."""
    return next(encoding for mark, encoding in _MARKS if re.match(mark, content, re.DOTALL))


def read_csv_zip(container: Container) -> Reading:
    """Return one sheet for each CSV file, its rows and columns numbered as a spreadsheet would.

    Raises:
        RefusedError: a file is not text, is not CSV, is too long, or two give the same sheet.
    """
    found: dict[str, str] = {}
    for name, sheet in _named(container.parts):
        if sheet in found:
            both = " and ".join(repr(visible(each)) for each in (found[sheet], name))
            raise refusal("two_files", sheet=repr(visible(sheet)), files=both)
        found[sheet] = name
    texts = {
        sheet: _separated(visible(name), _text(visible(name), container.parts[name]))
        for sheet, name in found.items()
    }
    told = {separator for _, separator in texts.values() if separator}
    usual = told.pop() if len(told) == 1 else ","
    sheets = (
        RawSheet(sheet, *_cells(visible(found[sheet]), text, separator or usual))
        for sheet, (text, separator) in texts.items()
    )
    others = [name for name in container.parts if name not in found.values() and not hidden(name)]
    return Reading(tuple(sheets), tuple(Fact("other_file", str(at)) for at, _ in enumerate(others)))


def _named(names: Iterable[str]) -> list[tuple[str, str]]:
    """Return the files that are sheets, and the sheet that each is named after."""
    plain = [name for name in names if not hidden(name)]
    tables = [(name, _sheet_name(name)) for name in plain if name.lower().endswith(".csv")]
    named: list[tuple[str, str]] = []
    for name in (name for name in plain if name.lower().endswith(OTHER_TABLES)):
        with suppress(*[RefusedError] * bool(tables)):  # notes on two sheets
            if (sheet := _sheet_name(name)) in expected_sheets():
                named.append((name, sheet))
    if not (tables or named):
        raise refusal("neither")  # notes, of whatever
    return tables + named


def _sheet_name(name: str) -> str:
    """Return the sheet of the template that a file is named after, else its own name.

    A name may have other words around the sheet's: a force, a year, the number of a copy.
    """
    # Where endings are not shown, a name gets a second one.
    last = PurePosixPath(name).name[-_LONGEST_NAME:]
    stem = re.sub(r"(?:\.(?:csv|tsv|txt))+$", "", last, flags=re.IGNORECASE)
    words = re.split(r"[\W_]+", _NUMBERED.sub("", stem).casefold())
    meant: dict[str, list[str]] = {}
    for sheet in expected_sheets():
        parts = sheet.split("_")
        starts = (n for n in range(len(words)) if words[n : n + len(parts)] == parts)
        if (start := next(starts, None)) is not None:
            meant[sheet] = words[start + len(parts) :]
    if len(meant) > 1:
        raise refusal("two_sheets", name=repr(visible(name)), sheets=" and ".join(meant))
    codes = {code.casefold() for code in force_codes()}
    for sheet, after in meant.items():
        # Not a cover letter.
        if all(word.isdigit() or word in codes or not word for word in after):
            return sheet
    return stem


def _cells(name: str, text: str, separator: str) -> tuple[tuple[Cell, ...], tuple[Fact, ...]]:
    rows: list[list[str]] = []
    try:
        # Row by row, so that what no return has is met before all of it is taken in.
        for number, row in enumerate(
            csv.reader(StringIO(text, newline=""), delimiter=separator, strict=True), 1
        ):
            first = MAX_COLUMNS if number <= MAX_ROWS else 0
            beyond = next((at for at, each in enumerate(row[first:], first + 1) if each), None)
            if beyond:
                end = {"rows": f"{MAX_ROWS:,}", "columns": MAX_COLUMNS}
                raise refusal("csv_far_out", name=repr(name), row=number, column=beyond, **end)
            rows += [row[:MAX_COLUMNS]] if number <= MAX_ROWS else []
    except csv.Error as error:
        raise refusal("no_csv", name=repr(name), error=error) from error
    top = _header_row(rows)
    _refuse_mixed(name, rows, separator, top)
    cells = [
        Cell(row_number, column_number, text, "text")
        for row_number, row in enumerate(rows, 1)
        for column_number, text in enumerate(row, 1)
        if text
    ]
    if separator == "," and top is not None:
        heads = [text.strip().casefold() for text in rows[top]]
        if not any(0 < len(row) < len(heads) for row in rows[top:]):
            # Empty cells are written too: a comma more makes a line longer.
            heads = [head or "?" for head in heads]
        shifted = [_shifted(row, heads) if at > top else None for at, row in enumerate(rows)]
        told = (_parted(c) if shifted[c.row - 1] == c.column else c for c in cells)
        return tuple(told), tuple(_spilt(rows, heads, text))
    return tuple(map(_doubted, cells) if separator == ";" else cells), ()


def _shifted(row: list[str], heads: list[str]) -> int | None:
    """Return the column of the first number of a line that commas without quotes may have shifted.

    Of 1,072 there are two cells then, as of a label with a comma. So the line is longer than the
    header row, or has a figure where that has no code, or one that goes on with a zero.
    """
    texts = [text.strip() for text in row]
    numbers = [at for at, text in enumerate(texts[1:], 1) if text.isdecimal()]
    parted = [at for at in numbers if _COMMA.fullmatch(",".join(texts[at : at + 2]))]
    if going_on := [at for at in parted if texts[at + 1].startswith("0")]:
        return going_on[0] + 1
    least = (numbers or [len(texts)])[0] + 1
    reasons = (at for at, text in enumerate(texts[least:], least) if text in MISSING_REASONS)
    figures = [*numbers[1:], *reasons]
    beside = any(at >= len(heads) or heads[at] in {"", LABEL_CODE} for at in figures)
    first = parted if beside or len(row) > len(heads) else []
    first = first or (numbers if beside else [])
    return first[0] + 1 if first else None


def _spilt(rows: list[list[str]], heads: list[str], text: str) -> Iterator[Fact]:
    """Yield the figures of a text that 1,500 may have spilt from: the 500 is an earlier value then.

    So it can be where there is none, and the line leaves it out. In a sheet of several columns an
    earlier value beside a figure is that of another.
    """
    no_codes = {"", "?", HEADER_CODE, LABEL_CODE}
    coded = [at for at, head in enumerate(heads) if not (head in no_codes or head[0] == "(")]
    at = coded[0] if len(coded) == 1 else len(heads)
    if not heads[at + 1 : at + 2] or heads[at + 1][:1] != "(":
        return
    for number, row in enumerate(rows, 1):
        both = ",".join(pair := row[at : at + 2])
        is_one = len(pair) > 1 and _COMMA.fullmatch(both) and both in text
        if is_one and 0 < 10 * int(pair[0]) <= int(pair[1]):
            yield Fact("spilt", address(number, at + 1))


def _parted(cell: Cell) -> Cell:
    doubt = f"{cell.text.strip()} in a line that commas part otherwise than the header row"
    return cell._replace(kind="odd", doubt=f"{doubt}: a comma in a number or a label needs quotes")


def _doubted(cell: Cell) -> Cell:
    """Return a cell of a file separated by semicolons: its comma may be a decimal one."""
    text = cell.text.strip()
    if not _COMMA.fullmatch(text):
        return cell
    doubt = f"{text} in a file separated by semicolons, where a comma may start decimals"
    return cell._replace(kind="odd", doubt=doubt)


def _separated(name: str, text: str) -> tuple[str, str | None]:
    """Return the text without a line that only tells its separator, and the separator.

    The header row tells it, for the whole file; None where there is none.
    """
    told = SEP_LINE.match(text)
    separators = {match[1] for match in _HEADER.finditer(text)}
    if told:
        text = text[told.end() :]
        separators.add(told[1])
    if len(separators) > 1 or not separators <= set(SEPARATORS):
        shown = " and ".join(repr(each) for each in sorted(separators))
        raise refusal("separators", name=repr(name), separators=shown)
    return text, separators.pop() if separators else None


def _header_row(rows: list[list[str]]) -> int | None:
    """Return the place of the header row, None where there is none."""
    first = [row[0].strip().casefold() if row else "" for row in rows]
    return first.index(HEADER_CODE) if HEADER_CODE in first else None


def _refuse_mixed(name: str, rows: list[list[str]], separator: str, top: int | None) -> None:
    """Refuse a file some of whose lines have another separator than its header row."""
    others = set(SEPARATORS) - {separator}
    if top is None:
        return
    for number, row in enumerate(rows[top:], top + 1):
        whole = len(row) == 1 < len(rows[top])
        if (whole or number == top + 1) and any(others.intersection(cell) for cell in row):
            raise refusal("mixed", name=repr(name), separator=repr(separator), line=number)


def _text(name: str, content: bytes) -> str:
    """Decode a CSV file: UTF-8, UTF-16 where it says so or plainly is, else that of Windows."""
    encoding = encoding_of(content)
    if encoding == "utf-8" and b"\0" in content.rstrip(b"\0\x1a"):
        raise refusal("no_text", name=repr(name))
    if encoding.startswith("utf-16") and len(content) % 2 and content.endswith(b"\x1a"):
        content = content[:-1]
    try:
        text = content.decode(encoding)
    except UnicodeDecodeError as error:
        if encoding != "utf-8":
            said = encoding.removesuffix("-sig").upper()
            raise refusal("not_in", name=repr(name), encoding=said) from error
        # What Excel for Windows writes as plain "CSV". Every byte is a character there, and the
        # codes and numbers are ASCII in both.
        text = content.decode("cp1252", errors="replace")
    # Old programs of Windows end a text with Ctrl-Z.
    text = text.replace("\r\r\n", "\r\n")  # what a line ends with that was translated twice
    end = text.rstrip("\r\n\0")
    return end.rstrip(_CTRL_Z) if end.endswith(_CTRL_Z) else text
