"""Draws charts as SVG in a page's own colours: they follow light and dark like its text.

Altair draws them, a row's label above its bar: a chart is then as legible on a phone. The one
drawing that every force page has is made here: too many for a charting library in good time.
"""

import re
from collections.abc import Mapping, Sequence
from html import escape
from typing import Any, Final
from xml.etree import ElementTree as ET

import altair as alt
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


Item = tuple[str, Figure]
Forces = Sequence[tuple[str, Figure]]

_WIDTH: Final = 440
_BARS: Final = 372
_ROW: Final = 42
_THIN: Final = 60
_TALL: Final = 64
_SKY: Final = 340
_NAMED: Final = 1
_TREND: Final = 180
_FONT: Final = 14
_LEAST_SHARE: Final = 9.0
"""Percent of a bar below which its number would not fit into its part."""


def bars(ident: str, name: str, items: Sequence[Item]) -> Chart:
    """Return one bar for each item, in the order given, with its number at its end."""
    rows = [_row(label, figure, place) for place, (label, figure) in enumerate(items)]
    length = _length(figure for _, figure in items)
    base = _chart(rows)
    layers = [
        _labels(base),
        base.mark_bar(size=14, yOffset=8, color=SERIES[0]).encode(x=length),
        _numbers(base, length, 8),
    ]
    return _drawn(ident, name, layers, len(items) * _ROW, _described(items))


def pairs(ident: str, name: str, legend: tuple[str, str], items: Sequence[Any]) -> Chart:
    """Return two thin bars for each item `(label, first, second)`: a period above another."""
    length = _length(figure for _, *both in items for figure in both)
    layers = []
    for place, (offset, colour) in enumerate(((-2, SERIES[0]), (16, SERIES[1]))):
        chosen = [(label, both[place]) for label, *both in items]
        base = _chart([_row(label, figure, at) for at, (label, figure) in enumerate(chosen)])
        layers += [
            base.mark_bar(size=13, yOffset=offset, color=colour).encode(x=length),
            _numbers(base, length, offset),
        ]
        if place == 0:
            layers.append(_labels(base, -22))
    said = "; ".join(f"{label}: {one.text}, before {two.text}" for label, one, two in items)
    return _drawn(ident, name, layers, len(items) * _THIN, said, legend=legend)


def stacks(
    ident: str, name: str, legend: tuple[str, ...], items: Sequence[tuple[str, Sequence[Figure]]]
) -> Chart:
    """Return for each item one bar of a whole length, split by the shares given in percent."""
    rows: list[dict[str, Any]] = []
    for place, (label, figures) in enumerate(items):
        start = 0.0
        for series, figure in enumerate(figures):
            share = figure.number or 0.0
            fits = share >= _LEAST_SHARE
            rows.append(
                {
                    "row": place,
                    "label": label if series == 0 else "",
                    "start": start,
                    "end": start + share,
                    "middle": start + share / 2,
                    "series": str(series),
                    "number": f"{share:.0f}%" if fits else "",
                }
            )
            start += share
    scale = alt.Scale(domain=[0, 100], range=[0, _WIDTH])
    colours = alt.Scale(
        domain=[str(number) for number in range(len(legend))], range=list(SERIES[: len(legend)])
    )
    base = _chart(rows)
    parts = base.mark_bar(size=20, yOffset=9, stroke=PAGE, strokeWidth=1.5).encode(
        x=alt.X("start:Q", scale=scale, axis=None),
        x2="end:Q",
        color=alt.Color("series:N", scale=colours, legend=None),
    )
    numbers = base.mark_text(dy=10, color=ON_SERIES, fontSize=12).encode(
        x=alt.X("middle:Q", scale=scale, axis=None), text="number:N"
    )
    said = "; ".join(
        f"{label}: " + ", ".join(f"{s} {f.text}" for s, f in zip(legend, figures, strict=True))
        for label, figures in items
    )
    height = len(items) * (_ROW + 4)
    return _drawn(ident, name, [_labels(base), parts, numbers], height, said, legend=legend)


def skyline(ident: str, name: str, forces: Forces, lines: Sequence[tuple[float, str]]) -> Chart:
    """Return one column a force, the largest first, with a line and its words at each threshold.

    A force whose figure is unknown has no column; the largest are named.
    """
    known = sorted(
        ((label, figure.number) for label, figure in forces if figure.number is not None),
        key=lambda item: (-item[1], item[0]),
    )
    most = max((value for _, value in known), default=0.0) or 1.0
    columns = [
        {"place": place, "value": value, "label": f"{label} {value:,.0f}" if place < _NAMED else ""}
        for place, (label, value) in enumerate(known)
    ]
    height = alt.Y("value:Q", scale=alt.Scale(domain=[0, most], range=[_SKY, 18]), axis=None)
    place = alt.X("place:O", axis=None, scale=alt.Scale(paddingInner=0.22, paddingOuter=0))
    base = alt.Chart(alt.InlineData(values=columns)).encode(x=place)
    limits = alt.Chart(
        alt.InlineData(values=[{"value": at, "label": words} for at, words in lines])
    )
    layers: list[Any] = [
        base.mark_bar(color=SERIES[0]).encode(y=height),
        limits.mark_rule(color=MUTED, strokeDash=[3, 3]).encode(y=height),
        limits.mark_text(align="right", dy=-11, color=INK, fontSize=_FONT).encode(
            x=alt.value(_WIDTH), y=height, text="label:N"
        ),
        base.mark_text(align="left", dx=8, dy=4, color=INK, fontSize=_FONT).encode(
            y=height, text="label:N"
        ),
    ]
    said = "; ".join([*(words for _, words in lines), *(f"{label} {n:,.0f}" for label, n in known)])
    return _drawn(ident, name, layers, _SKY + 2, said)


def trend(ident: str, name: str, points: Sequence[tuple[str, Figure, str | None]]) -> Chart:
    """Return a figure over time: a line from point to point, but never across a break.

    A point is `(label, figure, why)`: `why` says that and why it is not the same count as the point
    before. A figure that is unknown has no point, and no line leads to it or on from it.
    """
    rows: list[dict[str, Any]] = []
    stretch = 0
    for place, (label, figure, why) in enumerate(points):
        apart = why is not None and place > 0
        stretch += apart or figure.number is None
        rows.append(
            {
                "place": place, "label": label, "value": figure.number, "number": figure.text,
                "stretch": stretch, "between": place - 0.5 if apart else None, "word": "break",
            }
        )  # fmt: skip
        stretch += figure.number is None
    most = max((row["value"] or 0.0 for row in rows), default=0.0) or 1.0
    across = alt.Scale(domain=[-0.5, len(rows) - 0.5], range=[0, _WIDTH])
    height = alt.Y("value:Q", scale=alt.Scale(domain=[0, most], range=[_TREND, 40]), axis=None)
    x = alt.X("place:Q", scale=across, axis=None)
    known = alt.Chart(
        alt.InlineData(values=[row for row in rows if row["value"] is not None])
    ).encode(x=x)
    breaks = alt.Chart(
        alt.InlineData(values=[row for row in rows if row["between"] is not None])
    ).encode(x=alt.X("between:Q", scale=across, axis=None))
    layers: list[Any] = [
        alt.Chart(alt.InlineData(values=[{}]))
        .mark_rule(color=LINE)
        .encode(x=alt.value(0), x2=alt.value(_WIDTH), y=alt.value(_TREND)),
        breaks.mark_rule(color=MUTED, strokeDash=[3, 3]).encode(
            y=alt.value(20), y2=alt.value(_TREND)
        ),
        breaks.mark_text(color=INK, fontSize=_FONT).encode(y=alt.value(10), text="word:N"),
        known.mark_line(color=SERIES[0], strokeWidth=2).encode(y=height, detail="stretch:N"),
        known.mark_point(color=SERIES[0], filled=True, opacity=1, size=70).encode(y=height),
        known.mark_text(dy=-14, color=INK, fontSize=_FONT).encode(y=height, text="number:N"),
        alt.Chart(alt.InlineData(values=rows))
        .mark_text(color=INK, fontSize=_FONT)
        .encode(x=x, y=alt.value(_TREND + 16), text="label:N"),
    ]
    said = "; ".join(
        f"{label}: {figure.text}" + (f", after a break ({why})" if why and place else "")
        for place, (label, figure, why) in enumerate(points)
    )
    return _drawn(ident, name, layers, _TREND + 28, said)


def intervals(
    ident: str,
    name: str,
    legend: tuple[str, ...],
    items: Sequence[tuple[str, Sequence[tuple[Figure, Figure]]]],
) -> Chart:
    """Return for each item a point a series, on a scale of percent, with its margin of error.

    A pair is a percent and its margin, in percentage points; one that is unknown has no point.
    """
    rows = [
        {
            "row": row,
            "label": label if series == 0 else "",
            "value": percent.number,
            "low": percent.number - (margin.number or 0.0),
            "high": percent.number + (margin.number or 0.0),
            "number": percent.text,
            "series": series,
        }
        for row, (label, pairs) in enumerate(items)
        for series, (percent, margin) in enumerate(pairs)
        if percent.number is not None
    ]
    scale = alt.Scale(domain=[0, 100], range=[0, _WIDTH - 60])
    band = alt.Scale(paddingInner=0, paddingOuter=0)
    layers: list[Any] = [_grid(scale, len(items) * _TALL)]
    for series in range(len(legend)):
        mine = [row for row in rows if row["series"] == series]
        base = alt.Chart(alt.InlineData(values=mine)).encode(
            y=alt.Y("row:O", axis=None, scale=band)
        )
        offset = 20 * series - 4
        layers += [
            base.mark_rule(color=SERIES[series], strokeWidth=2, yOffset=offset).encode(
                x=alt.X("low:Q", scale=scale, axis=None), x2="high:Q"
            ),
            base.mark_point(
                color=SERIES[series], filled=True, opacity=1, size=70, yOffset=offset,
                shape="circle" if series else "square",
            ).encode(x=alt.X("value:Q", scale=scale, axis=None)),
            base.mark_text(align="left", dx=4, dy=offset + 1, fontSize=_FONT, color=INK).encode(
                x=alt.X("high:Q", scale=scale, axis=None), text="number:N"
            ),
            base.mark_text(align="left", dy=-22, fontSize=_FONT, color=INK).encode(
                x=alt.value(0), text="label:N"
            ),
        ]  # fmt: skip
    said = "; ".join(
        f"{label}: " + ", ".join(f"{s} {p.text}" for s, (p, _) in zip(legend, pairs, strict=True))
        for label, pairs in items
    )
    return _drawn(ident, name, layers, len(items) * _TALL, said, legend=legend)


def _grid(scale: alt.Scale, height: int) -> Any:
    ticks = alt.Chart(alt.InlineData(values=[{"at": at} for at in (0, 25, 50, 75, 100)]))
    return ticks.mark_rule(color=LINE).encode(
        x=alt.X("at:Q", scale=scale, axis=None), y=alt.value(0), y2=alt.value(height)
    )


def _row(label: str, figure: Figure, place: int) -> dict[str, Any]:
    return {"row": place, "label": label, "value": figure.number or 0.0, "number": figure.text}


def _chart(rows: list[dict[str, Any]]) -> alt.Chart:
    scale = alt.Scale(paddingInner=0, paddingOuter=0)
    return alt.Chart(alt.InlineData(values=rows)).encode(y=alt.Y("row:O", axis=None, scale=scale))


def _length(figures: Any) -> alt.X:
    most = max((figure.number or 0.0 for figure in figures), default=0.0)
    return alt.X("value:Q", scale=alt.Scale(domain=[0, most or 1], range=[0, _BARS]), axis=None)


def _labels(base: alt.Chart, dy: int = -9) -> Any:
    return base.mark_text(align="left", dy=dy, color=INK, fontSize=_FONT).encode(
        x=alt.value(0), text="label:N"
    )


def _numbers(base: alt.Chart, length: alt.X, dy: int) -> Any:
    return base.mark_text(align="left", dx=6, dy=dy + 1, color=INK, fontSize=_FONT).encode(
        x=length, text="number:N"
    )


def _described(items: Sequence[Item]) -> str:
    return "; ".join(f"{label}: {figure.text}" for label, figure in items)


def _drawn(
    ident: str,
    name: str,
    layers: list[Any],
    height: int,
    said: str,
    *,
    legend: tuple[str, ...] = (),
) -> Chart:
    """Lay the layers over each other; nothing is measured, so fonts do not move anything."""
    chart = (
        alt.layer(*layers)
        .properties(
            width=_WIDTH,
            height=height,
            autosize=alt.AutoSizeParams(type="none"),
            padding=0,
            background="transparent",
        )
        .configure(font="Liberation Sans", aria=False)
        .configure_view(stroke=None)
        .to_dict()
    )
    return Chart(page_svg(chart, ident, name, f"{said}."), name, legend)


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
