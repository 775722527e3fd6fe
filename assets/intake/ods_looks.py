"""How the styles of an OpenDocument spreadsheet let its cells, rows and texts look."""

import re
from functools import cache
from typing import Final
from xml.etree.ElementTree import Element

from assets.intake.grid import UNSEEN, WHITE, Font, blends, short

Look = dict[str, str]
"""The properties of a style of text, of those that can be seen."""

_OASIS: Final = "urn:oasis:names:tc:opendocument:xmlns:"
_SPACES: Final = {
    "office": f"{_OASIS}office:1.0",
    "style": f"{_OASIS}style:1.0",
    "table": f"{_OASIS}table:1.0",
    "text": f"{_OASIS}text:1.0",
    "fo": f"{_OASIS}xsl-fo-compatible:1.0",
    "calcext": "urn:org:documentfoundation:names:experimental:calc:xmlns:calcext:1.0",
}
PREFIXES: Final = {space: f"{prefix}:" for prefix, space in _SPACES.items()}
_POINTS: Final = {"mm": 2.83, "cm": 28.3, "in": 72, "pt": 1, "pc": 12}
_PAPER: Final = "fo:background-color"
_REPEATED: Final = "style:repeat-content"
_LENGTH: Final = re.compile(rf"([0-9]*\.?[0-9]+)({'|'.join(_POINTS)})")
_LOOKLESS: Final = {"fo:language", "fo:country", "fo:script", "style:rfc-language-tag", "?"}
"""What a style of text says that nobody sees; programs cut a text by it."""


@cache
def full(name: str) -> str:
    """Return the full name of an attribute."""
    prefix, _, local = name.partition(":")
    return f"{{{_SPACES[prefix]}}}{local}"


def get(element: Element, name: str, default: str = "") -> str:
    """Return an attribute by its name in short."""
    return element.get(full(name), default)


class Styles:
    """The styles of a spreadsheet by family and name.

    `fonts` tells how text of each looks, `unseen` of which nobody can see it.
    """

    def __init__(self) -> None:
        self._looks: dict[tuple[str, str], Look] = {}
        self.fonts: dict[tuple[str, str], Font] = {}
        self._hiding: set[tuple[str, str]] = set()
        self.unseen: set[tuple[str, str]] = set()

    def read(self, root: Element) -> None:
        """Read the styles of a part."""
        for element in root.iter("style:style"):
            self._style(element)

    def _style(self, element: Element) -> None:
        family, name = get(element, "style:family"), get(element, "style:name")
        look = dict(self._looks.get((family, get(element, "style:parent-style-name")), {}))
        maps = set[tuple[str, str]]()
        for part in element.iter():
            if part.tag == "style:text-properties":
                own = {short(key, PREFIXES): value for key, value in part.items()}
                look |= {key: own[key] for key in own.keys() - _LOOKLESS}
            elif part.tag == "style:table-cell-properties":
                for each in (_PAPER, _REPEATED):
                    look[each] = get(part, each) or look.get(each, "")
            elif part.tag == "style:map":
                maps.add((family, get(part, "style:apply-style-name")))
            elif get(part, "table:display") == "false" or _is_unseen(part):
                self._hiding.add((family, name))
        self._looks[family, name], self.fonts[family, name] = look, _font(look)
        if _is_lost(look) or maps & self.unseen:
            self.unseen.add((family, name))

    def hides(self, element: Element) -> bool:
        """Whether the style of a sheet, row or column lets nobody see it."""
        family = element.tag.removeprefix("table:")
        return (family, get(element, "table:style-name")) in self._hiding


def _is_unseen(look: Element) -> bool:
    """Whether the look of a row or column is so small that nobody can read it."""
    sizes = [get(look, "style:row-height"), get(look, "style:column-width")]
    lengths = filter(None, map(_LENGTH.fullmatch, sizes))
    return any(float(size[1]) * _POINTS[size[2]] < UNSEEN for size in lengths)


def _is_lost(look: Look) -> bool:
    """Whether text of a look is too small to be read, or repeated, or has its cell's colour."""
    size, told = _LENGTH.fullmatch(look.get("fo:font-size", "")), look.get(_PAPER, "")
    paper = told.lower() if told.startswith("#") else f"#{WHITE}"
    ink = look.get("fo:color", "").lower()
    is_tiny = size is not None and float(size[1]) * _POINTS[size[2]] < UNSEEN
    is_other = is_tiny or look.get(_REPEATED) == "true"
    return is_other or blends(ink.lstrip("#"), paper.lstrip("#"))


def _font(look: Look) -> Font:
    """Return what a look makes of a figure, and whatever else of it can be seen."""
    found = set()
    for name, value in look.items():
        found.add(f"{name} {value}")
        if name == "style:text-position" and not value.startswith("0"):
            found.add("subscript" if value.startswith(("sub", "-")) else "superscript")
        elif name.startswith("style:text-line-through-") and name.endswith(("-style", "-type")):
            found |= set() if value == "none" else {"struck out"}
    return frozenset(found)
