"""Turns a drawn chart into SVG that stands in a page: its colours, its fonts, its name.

Belongs here: what is the same for every chart. Does not: what a chart shows (charts.py). Colours
are the page's own, so that a chart follows light and dark like the text around it.
"""

import re
from typing import Any, Final
from xml.etree import ElementTree as ET

import vl_convert

INK: Final = "#000001"
MUTED: Final = "#000002"
LINE: Final = "#000003"
ON_SERIES: Final = "#000004"
PAGE: Final = "#000005"
SERIES: Final = ("#000011", "#000012", "#000013", "#000014", "#000015")
"""Stand-ins that no chart shows: each becomes a colour of the page."""

_COLOURS: Final = {
    INK: "currentColor",
    MUTED: "var(--muted)",
    LINE: "var(--line)",
    ON_SERIES: "var(--on)",
    PAGE: "var(--page)",
    **{stand_in: f"var(--s{number})" for number, stand_in in enumerate(SERIES, 1)},
}
_SVG: Final = "http://www.w3.org/2000/svg"
_DROPPED: Final = (
    "role", "aria-roledescription", "aria-hidden", "class", "font-family", "width", "height",
    "version",
)  # fmt: skip
_LONG: Final = re.compile(r"-?\d+\.\d{2,}")

ET.register_namespace("", _SVG)


def page_svg(chart: dict[str, Any], ident: str, name: str, description: str) -> str:
    """Draw a Vega-Lite chart as SVG to stand in a page.

    Args:
        chart: the chart, with the stand-ins for colours.
        ident: an id that nothing else in the page has.
        name: what the chart shows.
        description: the same in words, for those who cannot see it.
    """
    root = ET.fromstring(vl_convert.vegalite_to_svg(chart))  # noqa: S314 - drawn here
    for element in list(root.iter()):
        _clean(element)
    root.set("role", "img")
    root.set("aria-labelledby", f"{ident}-name {ident}-text")
    for place, (tag, words) in enumerate((("title", name), ("desc", description))):
        child = ET.Element(f"{{{_SVG}}}{tag}", id=f"{ident}-{'text' if place else 'name'}")
        child.text = words
        root.insert(place, child)
    return ET.tostring(root, encoding="unicode")


def _clean(element: ET.Element) -> None:
    """Drop what a page does not need, and round: the last digits of a float are no picture."""
    for child in list(element):
        if child.tag == f"{{{_SVG}}}path" and child.get("class") in {"background", "foreground"}:
            element.remove(child)
    for name, value in list(element.items()):
        if name in _DROPPED:
            if not (name in {"width", "height"} and element.tag == f"{{{_SVG}}}rect"):
                del element.attrib[name]
        elif value in _COLOURS:
            element.set(name, _COLOURS[value])
        elif name != "viewBox":
            element.set(name, _LONG.sub(_rounded, value))


def _rounded(found: re.Match[str]) -> str:
    return f"{float(found.group()):.1f}".removesuffix(".0")
