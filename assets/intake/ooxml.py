"""Follows the XML parts of a workbook, and reads the texts and looks that cells point to.

Belongs here: elements in their place, rich text, number formats and fonts. Does not: worksheets
(sheet_scan.py), and how the parts fit together (workbook.py).
"""

import re
from contextlib import suppress
from typing import Final, NamedTuple
from xml.parsers import expat

from assets.intake.quoting import in_doubt
from assets.intake.reading import RefusedError
from schemas.wording import visible

SAVE: Final = "Open the file in Excel, save it as a new workbook (.xlsx), and send that."

_TRANSITIONAL: Final = "http://schemas.openxmlformats.org/"
_STRICT: Final = "http://purl.oclc.org/ooxml/"
_NAMESPACES: Final = {
    f"{_TRANSITIONAL}spreadsheetml/2006/main",
    f"{_STRICT}spreadsheetml/main",
    f"{_TRANSITIONAL}package/2006/relationships",
}
RELATION: Final = (
    f"{_TRANSITIONAL}officeDocument/2006/relationships id",
    f"{_STRICT}officeDocument/relationships id",
)
"""The attribute by which an element names a relationship, as a Walker gives it."""

_DEEPEST: Final = 20
"""Elements inside each other; a workbook's own part has eight."""

_MOST_KNOWN: Final = 500
"""Paths that are kept to be found again; a file can make up any number of them."""

_TRUE: Final = {"1", "true", "on"}
_FALSE: Final = {"0", "false", "off"}


class Walker:
    """Follows one part: each element comes with its path, such as /sst/si/t.

    An element of another namespace, or nested too deep, has `?` for its name.

    Raises:
        RefusedError: the part declares entities.
        expat.ExpatError, ValueError, LookupError: it is damaged.
    """

    def walk(self, xml: bytes) -> None:
        """Follow the part from its start to its end."""
        self._paths = [""]
        self._known: dict[tuple[str, str], str] = {}
        parser = expat.ParserCreate(namespace_separator=" ")
        # The preflight looks at parts by the endings of their names, which a workbook may choose.
        parser.StartDoctypeDeclHandler = _refuse
        parser.StartElementHandler = self._start
        parser.EndElementHandler = self._end
        parser.CharacterDataHandler = self.text
        parser.Parse(xml, True)

    def start(self, path: str, attributes: dict[str, str]) -> None:
        """Meet the start of an element."""

    def end(self, path: str) -> None:
        """Meet the end of an element."""

    def text(self, data: str) -> None:
        """Meet a piece of text; what a comment or a reference parts comes in several."""

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        parent = self._paths[-1]
        path = self._known.get((parent, name)) or self._path(parent, name)
        self._paths.append(path)
        self.start(path, attributes)

    def _path(self, parent: str, name: str) -> str:
        if len(self._paths) > _DEEPEST:
            return parent
        namespace, _, local = name.rpartition(" ")
        path = f"{parent}/{local if namespace in _NAMESPACES else '?'}"
        if len(self._known) < _MOST_KNOWN:
            self._known[parent, name] = path
        return path

    def _end(self, _: str) -> None:
        self.end(self._paths.pop())


def _refuse(*_: object) -> None:
    raise RefusedError("the workbook declares XML entities, which no Excel workbook does", SAVE)


def whole(text: str) -> int:
    """Return a number such as an index or a row.

    Raises:
        ValueError: the text is anything else, though Python may read it as a number.
    """
    if not (text.isascii() and text.isdigit()):
        raise ValueError(f"not a number: {visible(text, 20)!r}")
    return int(text)


_ESCAPE: Final = re.compile("_x([0-9A-Fa-f]{4})_")


def unescaped(text: str) -> str:
    """Return a text with its _xHHHH_ escapes read; _x005F_ stands for the underscore itself."""
    if "_x" not in text:
        return text
    read = _ESCAPE.sub(lambda match: chr(int(match[1], 16)), text)
    # Two escapes can be one character beyond 0xFFFF; half of one is none.
    return read.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


Font = frozenset[str]
"""What a font makes of text, as `_look` names it."""


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
        parts = (in_doubt(text) + _marks(look) for look, text in seen[:5])
        return f"text in different formats: {', '.join(parts)}"


class TextReader:
    """Puts a text, <si> or <is>, together from its elements; paths begin below that element.

    What tells how to pronounce it (rPh) is no part of it.
    """

    def __init__(self) -> None:
        self._runs: list[tuple[Font, str]] = []
        self._pieces: list[str] | None = None
        self._look: set[str] = set()
        self._odd = self._open = self._whole = False

    def start(self, path: str, attributes: dict[str, str]) -> None:
        """Meet the start of an element below the text."""
        if path in {"/t", "/r/t"}:
            self._pieces = []
            self._odd |= path == "/t" and bool(self._runs)
        elif path == "/r":
            self._odd |= self._whole
            self._look, self._open = set(), True
        elif path.startswith("/r/rPr/") and self._open:
            self._look |= _look(path.rpartition("/")[2], attributes)
        elif path != "/r/rPr" and not path.startswith(("/rPh", "/phoneticPr")):
            self._odd = True

    def piece(self, path: str, data: str) -> None:
        """Meet a piece of text."""
        if self._pieces is not None:
            self._pieces.append(data)
        elif path in {"", "/r"} and data.strip():
            self._odd = True

    def end(self, path: str) -> None:
        """Meet the end of an element below the text."""
        if path in {"/t", "/r/t"}:
            self._odd |= path == "/r/t" and not self._open
            self._whole |= path == "/t"
            self._runs.append((frozenset(self._look), unescaped("".join(self._pieces or ()))))
            self._pieces, self._open = None, False
        elif path == "/r":
            self._open, self._look = False, set()

    def result(self) -> Text:
        """Return the text once its end was met."""
        text = "".join(text for _, text in self._runs)
        fault = "a text that is stored in an unusual way" if self._odd else None
        plain = not any(look for look, _ in self._runs)
        return Text(text, () if plain else tuple(self._runs), fault)


_MARKS: Final = frozenset({"struck out", "superscript", "subscript"})
_NOT_SEEN: Final = {"family", "charset", "scheme"}


def _marks(look: Font) -> str:
    marks = sorted(_MARKS & look)
    return f" ({', '.join(marks)})" if marks else ""


def _look(name: str, attributes: dict[str, str]) -> set[str]:
    """Return how one property of a font makes text look; none where it changes nothing."""
    value = attributes.get("val", "")
    if value.lower() in _FALSE or name in _NOT_SEEN or (name, value) == ("vertAlign", "baseline"):
        return set()
    if name == "strike":
        return {"struck out"}
    if name == "rFont":  # a run of text calls so what a font of the workbook calls its name
        name = "name"
    if name == "vertAlign":
        return {value}
    if not attributes or value.lower() in _TRUE:
        return {name}
    return {f"{name} {sorted(attributes.items())}"}


class SharedTexts(Walker):
    """The texts that cells name by their number."""

    def __init__(self, xml: bytes) -> None:
        self.texts: list[Text] = []
        self._reader = TextReader()
        self.walk(xml)

    def start(self, path: str, attributes: dict[str, str]) -> None:
        """Meet the start of an element."""
        if path == _SI:
            self._reader = TextReader()
        elif path.startswith(_SI):
            self._reader.start(path.removeprefix(_SI), attributes)

    def text(self, data: str) -> None:
        """Meet a piece of text."""
        if self._paths[-1].startswith(_SI):
            self._reader.piece(self._paths[-1].removeprefix(_SI), data)

    def end(self, path: str) -> None:
        """Meet the end of an element."""
        if path == _SI:
            self.texts.append(self._reader.result())
        elif path.startswith(_SI):
            self._reader.end(path.removeprefix(_SI))


_SI: Final = "/sst/si"


class Look(NamedTuple):
    """How a cell shows what it holds.

    `kind` is date, duration, percent or empty; `marks` says struck out, superscript or subscript.
    """

    kind: str = ""
    marks: str = ""
    font: Font = frozenset()


_PLAIN: Final = Look()
_BUILT_IN: Final = {
    **dict.fromkeys([*range(14, 23), *range(27, 37), 45, 47, *range(50, 59)], "date"),
    46: "duration",
    9: "percent",
    10: "percent",
}
"""Number formats that a workbook need not spell out; 27 to 58 are those of East Asia."""

_LITERAL: Final = re.compile(r'"[^"]*"|\\.|_.|\*.|\[(?!hh?\]|mm?\]|ss?\])[^\]]*\]', re.IGNORECASE)


class Styles(Walker):
    """The looks of cells by the number of their style.

    Looks carry no figure: what is faulty here is passed over, and the cell shows what it holds.
    """

    def __init__(self, xml: bytes) -> None:
        self._formats = dict(_BUILT_IN)
        self._fonts: list[set[str]] = []
        self._cells: list[tuple[str, str]] = []
        with suppress(expat.ExpatError, LookupError, ValueError):  # what stood before it holds
            self.walk(xml)
        self._looks: dict[str, Look] = {}

    def start(self, path: str, attributes: dict[str, str]) -> None:
        """Meet the start of an element."""
        if path == "/styleSheet/numFmts/numFmt":
            number = _index(attributes.get("numFmtId", ""))
            self._formats[number] = _kind(attributes.get("formatCode", ""))
        elif path == "/styleSheet/fonts/font":
            self._fonts.append(set())
        elif path.startswith("/styleSheet/fonts/font/") and self._fonts:
            self._fonts[-1] |= _look(path.rpartition("/")[2], attributes)
        elif path == "/styleSheet/cellXfs/xf":
            self._cells.append((attributes.get("numFmtId", "0"), attributes.get("fontId", "0")))

    def look(self, style: str) -> Look:
        """Return the look of a cell with that style."""
        if style not in self._looks:
            self._looks[style] = self._made(_index(style))
        return self._looks[style]

    def _made(self, index: int) -> Look:
        if not 0 <= index < len(self._cells):
            return _PLAIN
        format_id, font = (_index(text) for text in self._cells[index])
        own = frozenset(self._fonts[font]) if 0 <= font < len(self._fonts) else frozenset()
        return Look(self._formats.get(format_id, ""), " and ".join(sorted(_MARKS & own)), own)


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
