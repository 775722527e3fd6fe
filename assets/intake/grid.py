"""What the readers of workbooks share: elements of XML, and what a cell holds and shows."""

import re
from collections.abc import Mapping, Sequence
from contextlib import suppress
from datetime import datetime, time
from typing import Final, NamedTuple
from xml.etree.ElementTree import Element, ParseError, TreeBuilder, XMLParser

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

_MOST_ELEMENTS: Final = 500_000
"""A part of a return has some thousands; one takes up to half a kilobyte of memory."""


def parsed(xml: bytes, prefixes: Mapping[str, str], *, partly: bool = False) -> Element:
    """Return the root of a part, with names of elements in short, such as `text:p`.

    `prefixes` are those of known namespaces; what is of another is called `?`. Of a damaged part
    `partly` gives what stands before the damage. It declares no entities: container.py has seen to
    that.

    Raises:
        RefusedError: it has far more elements than a return.
        ParseError, LookupError, ValueError: it is damaged.
    """
    if xml.count(b"<") - xml.count(b"</") > _MOST_ELEMENTS:
        raise refusal("many_cells", fix="empty_rows")
    builder = TreeBuilder()
    parser = XMLParser(target=builder)  # noqa: S314 - it declares no entities
    with suppress(*DAMAGED if partly else ()):
        parser.feed(xml)
        parser.close()
    root: Element | None = builder.close()
    if root is None:
        return Element("?")
    names: dict[str, str] = {}
    for each in root.iter():
        each.tag = names.get(each.tag) or names.setdefault(each.tag, short(each.tag, prefixes))
    return root


def short(name: str, prefixes: Mapping[str, str]) -> str:
    """Return the name of an element or attribute in short."""
    space, _, local = name.rpartition("}")
    prefix = prefixes.get(space[1:])
    return "?" if prefix is None else f"{prefix}{local}"


def found(root: Element, *path: str) -> list[Element]:
    """Return the elements on a path of names that begins with the root's, in order."""
    inside = [root] if root.tag == path[0] else []
    for name in path[1:]:
        inside = [child for each in inside for child in each if child.tag == name]
    return inside


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

NIL: Final = re.compile(r"[-\u2013\u2014\s\u00a3$\u20ac]*|nil|none|zero", re.IGNORECASE)
"""What may stand for a zero that is there, with the sign of a currency."""

CHANGES: Final = re.compile(
    r"[\d<>~\u2248\u00b1\u2264\u2265()%\u2030=*^\u00d7\u00bc-\u00be]|(?<!\w)[-+/\u2212]|[-+/\u2212](?!\w)"
    r"|(?<![^\W\d_])(?:k|mn?|mm|mio|bn?|ths?d?|thou(?:sands?)?|hundreds?|(?:m|b)illions?|dozens?|tens"
    r"|ca?|circa|approx\w*|about|around|nearly|almost|over|under|than|est\w*)(?![^\W\d_])",
    re.IGNORECASE,
)
"""What makes another number of one that it stands beside: 5 thousand, c. 5, <5."""


UNSEEN: Final = 3
"""Points of height or width at which nobody can read a row or column, or what stands there."""

WHITE: Final = "ffffff"
RGB: Final = re.compile("[0-9a-f]{6}")
_ALIKE: Final = 16


def blends(ink: str, paper: str) -> bool:
    """Whether text of a colour cannot be seen on another: as `RGB` has them, or by other names."""
    if ink == paper or not (RGB.fullmatch(ink) and RGB.fullmatch(paper)):
        return ink == paper
    pairs = zip(bytes.fromhex(ink), bytes.fromhex(paper), strict=True)
    return all(abs(one - other) < _ALIKE for one, other in pairs)


class Content(NamedTuple):
    """What a cell holds, wherever it stands; the fields are those of `Cell`."""

    text: str
    kind: str
    doubt: str | None = None

    @property
    def is_told(self) -> bool:
        """Whether it tells more than nothing does, which may stand for a zero too."""
        return self.kind != "formula" and self.text.strip() not in {"", "0"}


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
    if len(runs) == 1 and MARKS.isdisjoint(runs[0][0]):
        return content  # as most are
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


OUR_COMMENT: Final = "Found by Muster"
"""How our comments begin; not every program keeps their author."""
COMMENT_BEFORE: Final = "\n\nThe comment that stood here before:\n"


def is_theirs(comment: str) -> bool:
    """Whether anybody else than Muster has a part in a comment."""
    said = comment.strip()
    return bool(said) and (not said.startswith(OUR_COMMENT) or COMMENT_BEFORE.strip() in said)


LONGEST_FORMULA: Final = 8192
"""Characters of one that is read; Excel takes as many."""

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
