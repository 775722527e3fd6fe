"""The texts and looks that the cells of an Excel workbook point to: rich text, formats, fonts."""

import re
from collections.abc import Iterator
from contextlib import suppress
from typing import Final, NamedTuple
from xml.etree.ElementTree import Element

from assets.intake.elements import DAMAGED, Names, elements, has_text_between, text_in
from assets.intake.quoting import in_doubt
from schemas.wording import visible

TRANSITIONAL: Final = "http://schemas.openxmlformats.org/"
STRICT: Final = "http://purl.oclc.org/ooxml/"
NAMES: Final = Names(
    {
        f"{TRANSITIONAL}spreadsheetml/2006/main": "",
        f"{STRICT}spreadsheetml/main": "",
        f"{TRANSITIONAL}package/2006/relationships": "",
    }
)

Font = frozenset[str]
"""What a font makes of text, as `_look` names it."""

_MARKS: Final = frozenset({"struck out", "superscript", "subscript"})
_NOT_SEEN: Final = {"family", "charset", "scheme"}
_TRUE: Final = {"1", "true", "on"}
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
    """A text of the workbook; `fault` says what is odd about how it is stored, null for most.

    `runs` are its pieces with fonts of their own; one without a font has that of its cell.
    """

    text: str
    runs: tuple[tuple[Font, str], ...] = ()
    fault: str | None = None

    def format(self, own: Font) -> str | None:
        """Say what is special about its looks in a cell with that font; None where nothing is."""
        seen = [(look or own, text) for look, text in self.runs if text.strip()]
        if len({look for look, _ in seen}) < 2:
            marks = sorted(_MARKS & seen[0][0]) if seen else []
            return f"a text that is {' and '.join(marks)}" if marks else None
        parts = (
            in_doubt(text) + (f" ({', '.join(sorted(_MARKS & look))})" if _MARKS & look else "")
            for look, text in seen[:5]
        )
        return f"text in different formats: {', '.join(parts)}"


def text_of(element: Element) -> Text:
    """Return the text that an <si> or <is> holds; how to pronounce it (rPh) is no part of it."""
    runs: list[tuple[Font, str]] = []
    odd, plain = has_text_between(element), False
    for child in element:
        if child.tag == "t":
            odd |= bool(runs or len(child))
            plain = True
            runs.append((frozenset(), unescaped(text_in(child))))
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
    return Text(
        "".join(text for _, text in runs),
        tuple(runs) if any(look for look, _ in runs) else (),
        "a text that is stored in an unusual way" if odd else None,
    )


def shared_texts(xml: bytes) -> list[Text]:
    """Return the texts that cells name by their number."""
    found = elements(xml, NAMES, ("/sst/si",))
    return [text_of(element) for path, element in found if path == "/sst/si"]


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
        usual = not part.attrib or value.lower() in _TRUE
        yield name if usual else f"{name} {sorted(part.items())}"


class CellFormat(NamedTuple):
    """How a cell shows what it holds.

    `kind` is date, duration, percent or empty; `marks` says struck out, superscript or subscript.
    """

    kind: str = ""
    marks: str = ""
    font: Font = frozenset()


_BUILT_IN: Final = {
    **dict.fromkeys([*range(14, 23), *range(27, 37), 45, 47, *range(50, 59)], "date"),
    46: "duration",
    9: "percent",
    10: "percent",
}
"""Number formats that a workbook need not spell out; 27 to 58 are those of East Asia."""

_LITERAL: Final = re.compile(r'"[^"]*"|\\.|_.|\*.|\[(?!hh?\]|mm?\]|ss?\])[^\]]*\]', re.IGNORECASE)
_FONT: Final = "/styleSheet/fonts/font"


class Styles:
    """The looks of cells by the number of their style.

    Looks carry no figure: what is faulty here is passed over, and the cell shows what it holds.
    """

    def __init__(self, xml: bytes) -> None:
        self._formats = dict(_BUILT_IN)
        self._fonts: list[set[str]] = []
        self._cells: list[tuple[str, str]] = []
        self._looks: dict[str, CellFormat] = {}
        with suppress(*DAMAGED):  # what stood before it holds
            for path, element in elements(xml, NAMES, (_FONT,)):
                if path == "/styleSheet/numFmts/numFmt":
                    number = _index(element.get("numFmtId", ""))
                    self._formats[number] = _kind(element.get("formatCode", ""))
                elif path == _FONT:
                    self._fonts.append(_font(element))
                elif path == "/styleSheet/cellXfs/xf":
                    self._cells.append((element.get("numFmtId", "0"), element.get("fontId", "0")))

    def look(self, style: str) -> CellFormat:
        """Return the look of a cell with that style."""
        if style not in self._looks:
            index, look = _index(style), CellFormat()
            if 0 <= index < len(self._cells):
                number, font = (_index(text) for text in self._cells[index])
                own = frozenset(self._fonts[font] if 0 <= font < len(self._fonts) else ())
                marks = " and ".join(sorted(_MARKS & own))
                look = CellFormat(self._formats.get(number, ""), marks, own)
            self._looks[style] = look
        return self._looks[style]


def _index(text: str) -> int:
    try:
        return whole(text)
    except ValueError:
        return -1


def _kind(code: str) -> str:
    """Tell what a number format makes of a number."""
    if "%" in code:
        return "percent"
    first = _LITERAL.sub("", code).partition(";")[0].lower()
    if re.search(r"\[(hh?|mm?|ss?)\]", first):
        return "duration"
    # Some programs write "General" in German, which holds letters of dates.
    return "date" if re.search("[dmyhs]", first) and first != "standard" else ""
