"""The texts and looks that the cells of an Excel workbook point to: rich text, formats, fonts."""

import re
from collections.abc import Iterator
from typing import Final, NamedTuple
from xml.etree.ElementTree import Element

from assets.intake.grid import (
    CHANGES,
    NIL,
    RGB,
    UNSEEN,
    WHITE,
    Font,
    blends,
    found,
    has_text_between,
    parsed,
    text_in,
)
from schemas.wording import visible

TRANSITIONAL: Final = "http://schemas.openxmlformats.org/"
STRICT: Final = "http://purl.oclc.org/ooxml/"
PREFIXES: Final = {
    f"{TRANSITIONAL}spreadsheetml/2006/main": "",
    f"{STRICT}spreadsheetml/main": "",
    f"{TRANSITIONAL}package/2006/relationships": "",
}

_NOT_SEEN: Final = {"family", "charset", "scheme"}
TRUE: Final = {"1", "true", "on"}
FALSE: Final = {"0", "false", "off"}
_ESCAPE: Final = re.compile("_x([0-9A-Fa-f]{4})_")


def whole(text: str) -> int:
    """Return a number such as an index or a row.

    Raises:
        ValueError: the text is anything else, though Python may read it as a number.
    """
    if not (text.isascii() and text.isdigit()):
        raise ValueError(f"not a number: {visible(text, 20)!r}")
    return int(text)


def unescaped(text: str) -> str:
    """Return a text with its _xHHHH_ escapes read; _x005F_ stands for the underscore itself."""
    if "_x" not in text:
        return text
    read = _ESCAPE.sub(lambda match: chr(int(match[1], 16)), text)
    # Two escapes can be one character beyond 0xFFFF; half of one is none.
    return read.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


class Text(NamedTuple):
    """A text of the workbook; `is_odd` where it is stored in an unusual way.

    `runs` are its pieces with fonts of their own; one without a font has that of its cell.
    """

    text: str
    runs: tuple[tuple[Font, str], ...] = ()
    is_odd: bool = False


_PLAIN: Final = frozenset[str]()
_MOST_RUNS: Final = 200
"""Pieces of a text that are looked at for each cell that shows it."""


def text_of(element: Element) -> Text:
    """Return the text that an <si> or <is> holds; how to pronounce it (rPh) is no part of it."""
    part = element[0] if len(element) == 1 else None
    if part is not None and part.tag == "t" and not (len(part) or part.tail or element.text):
        return Text(text := unescaped(part.text or ""), ((_PLAIN, text),))
    runs: list[tuple[Font, str]] = []
    odd, plain = has_text_between(element), False
    for child in element:
        if child.tag == "t":
            odd |= bool(runs or len(child))
            plain = True
            runs.append((_PLAIN, unescaped(text_in(child))))
        elif child.tag == "r":
            odd |= plain or has_text_between(child)
            look: set[str] = set()
            done = False
            for part in child:
                if part.tag == "t":
                    odd |= done or bool(len(part))
                    runs.append((frozenset(look), unescaped(text_in(part))))
                    look, done = set(), True
                elif part.tag == "rPr" and not done:
                    look |= _font(part)
                else:
                    odd |= part.tag != "rPr" or bool(len(part))
        else:
            odd |= not child.tag.startswith(("rPh", "phoneticPr"))
    return Text("".join(text for _, text in runs), tuple(runs), odd or len(runs) > _MOST_RUNS)


def shared_texts(xml: bytes) -> list[Text]:
    """Return the texts that cells name by their number."""
    return [text_of(element) for element in found(parsed(xml, PREFIXES), "sst", "si")]


def _font(element: Element) -> set[str]:
    """Return how the properties of a font make text look; none where they change nothing."""
    return {look for part in element.iter() if part is not element for look in _look(part)}


def _look(part: Element) -> Iterator[str]:
    name, value = part.tag, part.get("val", "")
    if value.lower() in FALSE or name in _NOT_SEEN or (name, value) == ("vertAlign", "baseline"):
        return
    if name == "strike":
        yield "struck out"
    elif name == "vertAlign":
        yield value
    else:
        if name == "rFont":  # a run of text calls so what a font of the workbook calls its name
            name = "name"
        usual = not part.attrib or value.lower() in TRUE
        yield name if usual else f"{name} {sorted(part.items())}"


class NumberFormat(NamedTuple):
    """What becomes of what a cell holds: `kind` is date, duration, percent or empty.

    `hides`, `hides_zero` and `hides_text` tell of what something else may be read: of a whole
    number, of a zero, of a text. One that `is_white` says so in place of the font.
    """

    kind: str = ""
    hides: bool = False
    hides_zero: bool = False
    hides_text: bool = False
    is_white: bool = False

    def hides_what(self, kind: str, text: str) -> bool:
        """Whether something else may be read than what a cell of a kind holds."""
        of_number = self.hides_zero if text == "0" else self.hides
        return (self.hides_text if kind == "text" else of_number) and bool(text.strip())


class CellFormat(NamedTuple):
    """How a cell shows what it holds; `ink` and `paper` are colours, empty where none is told.

    `is_unseen`: nobody can see it, or sees it repeated.
    """

    number: NumberFormat = NumberFormat()
    font: Font = frozenset()
    ink: str = ""
    paper: str = WHITE
    is_unseen: bool = False

    def under(self, other: "CellFormat") -> NumberFormat:
        """Return what becomes of what a cell holds where a conditional format is on."""
        change = bool(other.ink or other.paper)
        is_unseen = change and blends(other.ink or self.ink, other.paper or self.paper)
        return NumberFormat(hides=True, hides_text=True) if is_unseen else other.number


_BUILT_IN: Final = {
    number: NumberFormat(kind, hides=not kind, hides_zero=not kind)
    for kind, numbers in {
        "date": [*range(14, 23), *range(27, 37), 45, 47, *range(50, 59), *range(71, 82)],
        "duration": [46],
        "percent": [9, 10, 67, 68],
        "": [11, 48],  # with an exponent
    }.items()
    for number in numbers
}
"""Number formats that a workbook need not spell out; those from 27 are of East Asia."""


def cell_formats(xml: bytes) -> tuple[list[CellFormat], list[CellFormat | None]]:
    """Return the formats of cells in order of the numbers of their styles, and conditional ones.

    Of these None stands for one that hides nothing. Looks carry no figure: what is faulty here is
    passed over, and the cell shows what it holds.
    """
    root, plain, known = parsed(xml, PREFIXES, partly=True), NumberFormat(), dict(_BUILT_IN)
    for each in found(root, "styleSheet", "numFmts", "numFmt"):
        known[index(each.get("numFmtId", ""))] = _number(each.get("formatCode", ""))
    fonts = dict(enumerate(map(_lettering, found(root, "styleSheet", "fonts", "font"))))
    papers = dict(enumerate(map(_paper, found(root, "styleSheet", "fills", "fill"))))
    formats = []
    for each in found(root, "styleSheet", "cellXfs", "xf"):
        number = known.get(index(each.get("numFmtId", "0")), plain)
        font, ink, is_tiny = fonts.get(index(each.get("fontId", "0")), (_PLAIN, "", False))
        paper = papers.get(index(each.get("fillId", "0")), WHITE)
        repeats = any(part.get("horizontal") == "fill" for part in each)  # 5 is shown as 5555
        is_unseen = is_tiny or repeats or blends(WHITE if number.is_white else ink, paper)
        formats.append(CellFormat(number, font, ink, paper, is_unseen))
    conditional = list(map(_conditional, found(root, "styleSheet", "dxfs", "dxf")))
    looks = {*formats, CellFormat()}
    known_all = len(looks) * len(conditional) < _MOST_LOOKS
    return formats, [
        None if known_all and all(look.under(each) == plain for look in looks) else each
        for each in conditional
    ]


_MOST_LOOKS: Final = 100_000
"""Looks that are tried under conditional formats; a workbook has some hundreds."""


def _conditional(dxf: Element) -> CellFormat:
    look = CellFormat(paper="")
    for each in dxf:
        match each.tag:
            case "font":
                look = look._replace(ink=_lettering(each)[1])
            case "fill":
                look = look._replace(paper=_colour(next(each.iter("bgColor"), None)))
            case "numFmt":
                number = _number(each.get("formatCode", ""))
                number = NumberFormat(hides=True) if number.kind else number
                look = look._replace(number=number, ink=WHITE if number.is_white else look.ink)
    return look


def _lettering(font: Element) -> tuple[Font, str, bool]:
    """Return how text of a font looks, its colour, and whether it is too small to be read."""
    told = {each.tag: each for each in font}
    size = told["sz"].get("val", "") if "sz" in told else ""
    is_tiny = _SIZE.fullmatch(size) is not None and float(size) < UNSEEN
    return frozenset(_font(font)), _colour(told.get("color")), is_tiny


def _paper(fill: Element) -> str:
    """Return the colour on which a cell's text stands; a pattern has none."""
    for pattern in found(fill, "fill", "patternFill"):
        match pattern.get("patternType", "none"):
            case "none":
                return WHITE
            case "solid":
                return _colour(next(pattern.iter("fgColor"), None)) or WHITE
    return "a pattern"


def _colour(told: Element | None) -> str:
    """Return a colour as six hexadecimal digits; one that a theme or a list has, by its place."""
    if told is None:
        return ""
    rgb, tint = told.get("rgb", "")[-6:].lower(), told.get("tint", "0")
    known = _BASIC.get((told.get("theme", ""), told.get("indexed", "")))
    if known and _TINT.fullmatch(tint):
        part = float(tint)
        level = round(255 * (min(1 + part, 1) if known == WHITE else max(part, 0)))
        return f"{level:02x}" * 3
    return rgb if RGB.fullmatch(rgb) else f"of {sorted(told.items())}"


_SIZE: Final = re.compile(r"[0-9]{1,9}(?:\.[0-9]{1,9})?")
_TINT: Final = re.compile(r"-?[01](?:\.[0-9]{1,20})?")
_BASIC: Final = {
    **dict.fromkeys([("0", ""), ("", "1"), ("", "9"), ("", "65")], WHITE),
    **dict.fromkeys([("1", ""), ("", "0"), ("", "8"), ("", "64")], "000000"),
}
"""White and black by their places in a theme, or in the list of colours."""


def index(text: str) -> int:
    """Return a number such as that of a style, -1 where it is none."""
    try:
        return whole(text)
    except ValueError:
        return -1


_PIECE: Final = re.compile(
    r'"([^"]*)"|\\(.)|_.|\*\D|\[\$([^\]-]*)[^\]]*\]|\[([^\]]*)\]|([^"])', re.DOTALL
)
_LONGEST_CODE: Final = 255
"""Characters that Excel lets a number format have."""
_SCALES: Final = re.compile(r"[0#?],+(?![0#?,])")
_DURATION: Final = re.compile("hh?|mm?|ss?", re.IGNORECASE)
_DATE: Final = re.compile(r"[dmyhsgb]|e(?![-+])")
_PARTING: Final = " \u00a0\u202f'\u2019"
_WHOLE: Final = re.compile(
    rf"[0#?][0#?,]*(?:[{_PARTING}][0#?]{{3}})*(?:\.[0#?]*)?(?: \?+/\?+)?|\.[0#?]+|@"
)
"""What shows a whole number: its digits, in threes, and decimals or a fraction that it has not."""


class _Section(NamedTuple):
    """A part of a number format: what is for digits, the words, and what is in brackets.

    Words among the digits are one sign there that is for none.
    """

    plain: str
    said: str
    brackets: tuple[str, ...]

    @property
    def hides(self) -> tuple[bool, bool]:
        """Whether something else may be read than what a cell holds, and than a zero."""
        beside, numbers = _WHOLE.subn("", self.plain)
        seen = beside.replace("\0", "") + self.said
        if not numbers:
            return True, not NIL.fullmatch(seen)
        more = numbers > 1 or re.search(r"\d", seen) is not None
        return more or bool(_SCALES.search(self.plain) or CHANGES.search(seen)), more


def _number(code: str) -> NumberFormat:
    """Tell what a number format makes of what a cell holds."""
    if len(code) > _LONGEST_CODE:
        return NumberFormat(hides=True, hides_zero=True, hides_text=True)
    sections = [*_sections(code or "@")]
    hidden = [section.hides for section in sections]
    above, zero = hidden[0], hidden[2] if len(hidden) > 2 else hidden[0]
    if any(not {*"<>="}.isdisjoint("".join(section.brackets)) for section in sections):
        # Which of them a number meets is left open, but that [=0] is for none.
        of_numbers = [each for each in sections if "=0" not in each.brackets]
        above = any(each.hides[0] for each in of_numbers), False
        zero = False, any(each for _, each in hidden)
    of_text = hidden[3:] or [section.hides for section in sections if "@" in section.plain]
    kind = "percent" if "%" in code else _kind(sections[0])  # the first says what it is
    is_white = any(not _WHITE.isdisjoint(map(str.lower, each.brackets)) for each in sections[:2])
    return NumberFormat(kind, above[0], zero[1], any(each for each, _ in of_text), is_white)


_WHITE: Final = {"white", "color2", "color 2"}


def _kind(section: _Section) -> str:
    if any(_DURATION.fullmatch(bracket) for bracket in section.brackets):
        return "duration"
    return "date" if _DATE.search(section.plain) else ""


def _sections(code: str) -> Iterator[_Section]:
    pieces = list[tuple[str, ...]]()
    for match in (*_PIECE.finditer(code), None):
        if match and match[5] != ";":
            pieces.append(match.groups(""))
            continue
        said = [quoted + escaped + currency for quoted, escaped, currency, *_ in pieces]
        plain = "".join(
            each[4] or (" " if words in {*_PARTING, ","} else "\0" * bool(words))
            for each, words in zip(pieces, said, strict=True)
        )
        # Some programs write "General" in German, which holds letters of dates.
        plain = re.sub("general|standard", "0", plain.lower())
        yield _Section(plain, "".join(said), tuple(each[3] for each in pieces))
        pieces = []
