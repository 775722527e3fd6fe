"""What the readers of workbooks share: elements of XML, what a cell holds and shows, and formulas.

Elements that are read come whole, the others by their name; formulas are in Excel's notation.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, time
from typing import Any, Final, NamedTuple
from xml.etree.ElementTree import Element, ParseError, XMLPullParser

from assets.intake.quoting import in_doubt, the_sheet
from assets.intake.reading import (
    MAX_COLUMNS,
    MAX_ROWS,
    UNCALCULATED,
    Cell,
    Fact,
    RawSheet,
    column_number,
    moment_text,
    number_text,
    refusal,
)
from schemas.template import address, column_letter

DAMAGED: Final = (ParseError, LookupError, ValueError)
"""What a part raises that is damaged; a LookupError also where its encoding is unknown."""

_CHUNK: Final = 1 << 16
"""Bytes of a part that become elements before any is read; most parts have fewer."""
_DEEPEST: Final = 100
"""Elements inside each other that are not read; a part of ours has about ten."""
_MOST_WITHIN: Final = 100_000
"""Elements that wait for the end of one that is read whole, such as a cell."""
_MOST_KNOWN: Final = 500
"""Names that are kept to be found again; a file can make up any number of them."""


class Names(dict[str, str]):
    """Names of elements in short, such as `text:p`, by their full names."""

    def __init__(self, prefixes: Mapping[str, str]) -> None:
        """Put a prefix for each namespace; what is of another is called `?`."""
        super().__init__()
        self._prefixes = prefixes

    def __missing__(self, name: str) -> str:
        space, _, local = name.rpartition("}")
        prefix = self._prefixes.get(space[1:])
        short = "?" if prefix is None else f"{prefix}{local}"
        if len(self) < _MOST_KNOWN:
            self[name] = short
        return short


def elements(xml: bytes, names: Names, whole: tuple[str, ...]) -> Iterator[tuple[str, Element]]:
    """Yield the elements of a part in order, each with its path, such as /sst/si.

    One whose path ends like one of `whole` comes with all that is in it, which does not come by
    itself; of any other, its attributes count alone. None stays once the next is asked for, so that
    a part of any size takes little memory. It declares no entities: container.py has seen to that.

    Raises:
        ParseError, LookupError, ValueError: the part is damaged; what stands before it is yielded.
    """
    above: list[tuple[str, Element]] = []
    within, depth = 0, 0
    for event, element in _events(xml):
        if event == "start" and within:
            within, depth = within + 1, depth + 1
            if within > _MOST_WITHIN:
                raise ValueError("too many elements in one")
        elif event == "start":
            path = f"{above[-1][0] if above else ''}/{names[element.tag]}"
            above.append((path, element))
            if len(above) > _DEEPEST:
                raise ValueError("elements nested too deep")
            if path.endswith(whole):
                within = 1
            else:
                yield path, element
        elif depth:
            depth -= 1
        else:
            path, _ = above.pop()
            if within:
                yield path, _in_short(element, names)
                within = 0
            if above:
                above[-1][1].remove(element)


def _in_short(element: Element, names: Names) -> Element:
    for each in element.iter():
        each.tag = names[each.tag]
    return element


def _events(xml: bytes) -> Iterator[Any]:
    """Yield where elements start and end; where a part is damaged, those before it too."""
    parser: XMLPullParser[Element] = XMLPullParser(("start", "end"))
    for start in range(0, len(xml), _CHUNK):
        parser.feed(xml[start : start + _CHUNK])
        yield from parser.read_events()
    try:
        parser.close()
    finally:
        yield from parser.read_events()


def text_in(element: Element) -> str:
    """Return all text in an element; comments part it no more."""
    return "".join(element.itertext()) if len(element) else element.text or ""


def has_text_between(element: Element) -> bool:
    """Whether text stands beside the elements inside an element, where none belongs."""
    texts = (element.text, *(each.tail for each in element))
    return any(text and not text.isspace() for text in texts)


Font = frozenset[str]
"""What a font makes of text: `MARKS`, and whatever else can be seen in the words of its format."""

MARKS: Final = frozenset({"struck out", "superscript", "subscript"})
"""What a font does to a figure."""

_NUMBER: Final = re.compile(r"[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[Ee][+-]?[0-9]+)?")
_LONGEST_NUMBER: Final = 40
_BOOLEANS: Final = {"1": "TRUE", "true": "TRUE", "0": "FALSE", "false": "FALSE"}
_EXPECTED: Final = {
    "number": "a number",
    "percent": "a number",
    "boolean": "true or false",
    "date": "a date",
}

NIL: Final = re.compile(r"[-\u2013\u2014\s]*|nil|none|zero", re.IGNORECASE)
"""What may stand for a zero that is there."""


class Content(NamedTuple):
    """What a cell holds, wherever it stands; the fields are those of `Cell`."""

    text: str
    kind: str
    doubt: str | None = None


BLANK: Final = Content("", "text")
NEVER_CALCULATED: Final = Content(UNCALCULATED, "formula")


def odd(doubt: str, *seen: str) -> Content:
    """Return what a cell holds whose value is in doubt, with all that is seen in it."""
    # A cell whose text is empty would be a blank one, and what it holds pass unseen.
    return Content(" ".join(filter(None, seen)) or "?", "odd", doubt)


def several_values(*seen: str) -> Content:
    """Return what a cell holds that holds all these."""
    shown = ", ".join(map(in_doubt, filter(None, seen)))
    return odd(f"more than one value, or something else inside one ({shown})", *seen)


def typed(kind: str, text: str) -> Content:
    """Return a value that is stored as one of that kind, in doubt where it is none."""
    plain, found = text.strip(" \t\r\n"), None
    if kind in {"number", "percent"}:
        if _NUMBER.fullmatch(plain) and len(plain) <= _LONGEST_NUMBER:
            found = number_text(plain)
    elif kind == "boolean":
        found = _BOOLEANS.get(plain)
    elif kind == "date":
        found = _moment(plain)
    if found is None:
        return odd(f"{in_doubt(text)}, which is not {_EXPECTED.get(kind, 'of a known type')}", text)
    return Content(found, kind)


def _moment(text: str) -> str | None:
    """Return a date with its time where it has one, or a time; None where the text is neither."""
    try:
        return moment_text(datetime.fromisoformat(text))
    except ValueError:
        try:
            return str(time.fromisoformat(text).replace(tzinfo=None))
        except ValueError:
            return None


def with_looks(content: Content, runs: Sequence[tuple[Font, str]]) -> Content:
    """Return a content with what its looks put in doubt: pieces of text, each with its font."""
    seen = [(font, text) for font, text in runs if text.strip()]
    fonts = {font for font, _ in seen}
    if content.doubt or not content.text or not fonts:
        return content
    if len(fonts) == 1:
        marks = sorted(MARKS & fonts.pop())
        doubt = f"a value that is {' and '.join(marks)}" if marks else None
    else:
        parts = (
            in_doubt(text) + (f" ({', '.join(sorted(MARKS & font))})" if MARKS & font else "")
            for font, text in seen[:5]
        )
        doubt = f"text in different formats: {', '.join(parts)}"
    return Content(content.text, "rich", doubt) if doubt else content


class Grid:
    """One sheet while it is read: its cells and facts. `fix` tells who is to clear a cell."""

    def __init__(self, name: str, fix: str, *, hidden: bool) -> None:
        self.name, self._fix = name, fix
        self.cells: list[Cell] = []
        self.facts = {Fact("hidden_sheet", "")} if hidden else set[Fact]()

    def check_bounds(self, row: int, column: int) -> None:
        """Refuse a filled cell that lies where no return has one."""
        if row > MAX_ROWS or column > MAX_COLUMNS:
            end = {"rows": f"{MAX_ROWS:,}", "columns": MAX_COLUMNS}
            cell = address(row, column)
            raise refusal("far_out", sheet=the_sheet(self.name), cell=cell, fix=self._fix, **end)

    def put(self, row: int, column: int, content: Content, formula: str | None = None) -> None:
        """Put a cell with its formula; one that is blank and has none is not there."""
        if formula is not None:
            fact = "uncalculated" if content.kind == "formula" else "formula"
            self.facts.add(Fact(fact, address(row, column)))
        elif not (content.text or content.doubt):
            return
        self.cells.append(Cell(row, column, *content, formula))

    def sheet(self) -> RawSheet:
        """Return the sheet as it was read."""
        return RawSheet(self.name, tuple(sorted(self.cells)), tuple(sorted(self.facts)))


_REFERENCE: Final = re.compile(
    r"""(?x) ("[^"]*" | '[^']*' | \[[^\]]*\])  # texts and names of sheets stay
    | (?<![\w.$]) (\$?) ([A-Za-z]{1,3}) (\$?) ([0-9]{1,7}) (?![\w.(!])"""
)


def moved(formula: str, rows: int, columns: int) -> str:
    """Return a formula as it reads that many rows below and columns right of its own cell."""

    def shift(match: re.Match[str]) -> str:
        kept, column_fixed, letters, row_fixed, row = match.groups()
        if kept:
            return kept
        there = column_number(letters) + (0 if column_fixed else columns)
        number = int(row) + (0 if row_fixed else rows)
        if there < 1 or number < 1:
            return "#REF!"
        return f"{column_fixed}{column_letter(there)}{row_fixed}{number}"

    return _REFERENCE.sub(shift, formula)


_OPEN: Final = re.compile(
    r"""(?x) ("(?:[^"]|"")*")  # texts stay
    | \[ \$? ((?:'(?:[^']|'')*' | [^'".:\[\]])*) \. ([$A-Z0-9]+)
      (?: : (?:\$?\2)? \. ([$A-Z0-9]+) )? \]
    | \[ [^\]]* \]  # no place, or over several sheets
    | ([;~!])"""
)
_JOINS: Final = {";": ",", "~": ",", "!": " "}


def translated(formula: str) -> str:
    """Return an OpenFormula without its `of:=` in Excel's notation.

    `SUM([.B2:.C2];[$Sheet2.B3])` is `SUM(B2:C2,Sheet2!B3)`; what stands in quotes stays.
    """

    def excel(match: re.Match[str]) -> str:
        text, sheet, first, last, joins = match.groups()
        if text or joins:
            return text or _JOINS[joins]
        if not first:
            return "#REF!"
        return f"{sheet}!" * bool(sheet) + first + f":{last}" * bool(last)

    return _OPEN.sub(excel, formula)
