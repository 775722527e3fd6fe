"""SVG that stands in a page, in the page's own colours: it follows light and dark like its text.

A chart that Altair made, and the one drawing that every force page has: too many for a charting
library to draw in good time.
"""

import re
from collections.abc import Mapping
from html import escape
from typing import Any, Final
from xml.etree import ElementTree as ET

import vl_convert

from assets.pages.content import Chart, Figure

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

_STEP: Final = 10
_BAR: Final = 7
_HEIGHT: Final = 96
_TOP: Final = 20
_LEAST: Final = 1.5
"""Height of the smallest column: it is still seen."""
_CLEAR: Final = 0.7
"""Part of the tallest column below which a label leaves the tallest one's label free."""
_SPAN: Final = 16
"""Columns that a label stretches over, at most."""

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


def place(name: str, ident: str, figures: Mapping[str, Figure], force: str) -> Chart:
    """Return the drawing of a count that every force has, the largest first.

    Args:
        name: what is counted.
        ident: an id that nothing else in the page has.
        figures: the count of each force, by the force's name; unknown ones have no column.
        force: the force whose page it is.
    """
    known = {label: figure.number for label, figure in figures.items() if figure.number is not None}
    order = sorted(known, key=lambda label: (-known[label], label))
    most = max(known.values(), default=0.0) or 1.0
    tall = [max(_HEIGHT * known[label] / most, _LEAST) for label in order]
    columns = [_column(number, height) for number, height in enumerate(tall)]
    mine = order.index(force) if force in known else None
    others = "".join(path for number, path in enumerate(columns) if number != mine)
    labels = ""
    if mine != 0 and order and (mine is None or tall[mine] < _CLEAR * _HEIGHT):
        labels += _beside(f"{order[0]} {figures[order[0]].text}", bold=False)
    if mine is not None:
        words = f"{force} {figures[force].text}"
        labels += _above(words, mine, tall) if mine else _beside(words, bold=True)
    said = f"{force}: {figures[force].text}"
    svg = (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 440 {_HEIGHT + _TOP}" role="img"'
        f' aria-labelledby="{ident}-name {ident}-text"><title id="{ident}-name">{escape(name)}'
        f' by force</title><desc id="{ident}-text">{escape(said)}</desc>'
        f'<path fill="var(--quiet)" d="{others}"/>'
        f'<path fill="var(--s1)" d="{"" if mine is None else columns[mine]}"/>{labels}</svg>'
    )
    return Chart(svg, name)


def _column(number: int, height: float) -> str:
    top = _TOP + _HEIGHT - height
    return f"M{number * _STEP} {top:.1f}h{_BAR}v{height:.1f}h-{_BAR}z"


def _beside(words: str, *, bold: bool) -> str:
    """Name the first column, which is as tall as the drawing."""
    return _text(words, _STEP + 2, _TOP + 11, "start", bold=bold)


def _above(words: str, number: int, tall: list[float]) -> str:
    """Name a column above the tallest that its words stretch over: the first, as they fall."""
    fits = number + _SPAN < len(tall)
    tallest = tall[number] if fits else tall[max(number - _SPAN, 1)]
    left = number * _STEP if fits else number * _STEP + _BAR
    top = _TOP + _HEIGHT - tallest - 6
    return _text(words, left, top, "start" if fits else "end", bold=True)


def _text(words: str, x: int, y: float, anchor: str, *, bold: bool) -> str:
    weight = ' font-weight="600"' if bold else ""
    return (
        f'<text x="{x}" y="{y:.0f}" text-anchor="{anchor}"{weight} fill="currentColor">'
        f"{escape(words)}</text>"
    )
