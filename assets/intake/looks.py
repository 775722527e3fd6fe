"""The texts and looks that the cells of an Excel workbook point to: rich text, formats, fonts."""

import re
from collections.abc import Iterator
from typing import Final, NamedTuple
from xml.etree.ElementTree import Element

from assets.intake.grid import NIL, Font, found, has_text_between, parsed, text_in
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
_FALSE: Final = {"0", "false", "off"}
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
    if value.lower() in _FALSE or name in _NOT_SEEN or (name, value) == ("vertAlign", "baseline"):
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
    """What becomes of a number: `kind` is date, duration, percent or empty.

    `hides` and `hides_zero` tell whether something else is shown than a whole number, or a zero.
    """

    kind: str = ""
    hides: bool = False
    hides_zero: bool = False


class CellFormat(NamedTuple):
    """How a cell shows what it holds."""

    number: NumberFormat = NumberFormat()
    font: Font = frozenset()


_BUILT_IN: Final = {
    **dict.fromkeys([*range(14, 23), *range(27, 37), 45, 47, *range(50, 59)], "date"),
    46: "duration",
    9: "percent",
    10: "percent",
}
"""Number formats that a workbook need not spell out; 27 to 58 are those of East Asia."""


def cell_formats(xml: bytes) -> list[CellFormat]:
    """Return the formats of cells in order of the numbers of their styles.

    Looks carry no figure: what is faulty here is passed over, and the cell shows what it holds.
    """
    root, plain = parsed(xml, PREFIXES, partly=True), NumberFormat()
    known = {number: NumberFormat(kind) for number, kind in _BUILT_IN.items()}
    for each in found(root, "styleSheet", "numFmts", "numFmt"):
        known[index(each.get("numFmtId", ""))] = _number(each.get("formatCode", ""))
    fonts = [frozenset(_font(each)) for each in found(root, "styleSheet", "fonts", "font")]
    formats = []
    for each in found(root, "styleSheet", "cellXfs", "xf"):
        number, font = index(each.get("numFmtId", "0")), index(each.get("fontId", "0"))
        is_known = 0 <= font < len(fonts)
        formats.append(CellFormat(known.get(number, plain), fonts[font] if is_known else _PLAIN))
    return formats


def index(text: str) -> int:
    """Return a number such as that of a style, -1 where it is none."""
    try:
        return whole(text)
    except ValueError:
        return -1


_PIECE: Final = re.compile(r'"([^"]*)"|\\(.)|_.|\*.|\[([^\]]*)\]|([^"])', re.DOTALL)
_LONGEST_CODE: Final = 255
"""Characters that Excel lets a number format have."""
_SCALES: Final = re.compile(r"[0#?],+(?![0#?,])")
_DURATION: Final = re.compile("hh?|mm?|ss?", re.IGNORECASE)
_ANY_NUMBER: Final = re.compile(r"[0#?@]|general|standard", re.IGNORECASE)


def _number(code: str) -> NumberFormat:
    """Tell what a number format makes of a number."""
    if len(code) > _LONGEST_CODE:
        return NumberFormat(hides=True, hides_zero=True)
    hidden: list[tuple[bool, bool]] = []
    kind, on_condition = "", False
    for section in _sections(code):
        plain, said, conditions = ("".join(pieces) for pieces in section)
        if not hidden:  # the first says what it is
            kind = _kind(plain.lower(), section[2])
        on_condition |= not {*"<>="}.isdisjoint(conditions)
        more = re.search(r"\d", said) is not None
        if _ANY_NUMBER.search(plain):
            hidden.append((more or _SCALES.search(plain) is not None, more))
        else:
            hidden.append((bool(said.strip()), not NIL.fullmatch(said)))
    above, zero = hidden[0], hidden[2] if len(hidden) > 2 else hidden[0]
    if on_condition:  # which of them a number meets is left open
        above = zero = any(each for each, _ in hidden), any(each for _, each in hidden)
    return NumberFormat("percent" if "%" in code else kind, above[0], zero[1])


def _kind(plain: str, brackets: list[str]) -> str:
    if any(_DURATION.fullmatch(bracket) for bracket in brackets):
        return "duration"
    # Some programs write "General" in German, which holds letters of dates.
    return "date" if re.search("[dmyhs]", plain) and plain != "standard" else ""


def _sections(code: str) -> Iterator[tuple[list[str], list[str], list[str]]]:
    """Yield the parts of a number format: what is for numbers, the words, what is in brackets."""
    plain, said, brackets = list[str](), list[str](), list[str]()
    for match in _PIECE.finditer(code):
        quoted, escaped, bracket, other = match.groups()
        if other == ";":
            yield plain, said, brackets
            plain, said, brackets = [], [], []
            continue
        said.append(quoted or escaped or "")
        brackets.append(bracket or "")
        plain.append(other or "")
    yield plain, said, brackets
