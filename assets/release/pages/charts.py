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

from assets.release.pages.content import Chart, Figure

Items = Sequence[tuple[str, Sequence[Figure]]]
"""Rows of a chart: a label, and a figure of each series."""

# Stand-ins that no chart shows: each becomes a colour of the page.
INK, MUTED, LINE, ON_SERIES, PAGE = (f"#00000{number}" for number in range(1, 6))
SERIES: Final = tuple(f"#00001{number}" for number in range(1, 6))
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

_WIDTH: Final = 440
_BARS: Final = 372
_ROW, _STACK, _THIN, _TALL = 42, 46, 60, 64
_SKY, _TREND = 340, 180
_ABREAST: Final = 4
_FONT: Final = 14
_LEAST_SHARE: Final = 9.0
"""Percent of a bar below which its number would not fit into its part."""
_TIGHT: Final = alt.Scale(paddingInner=0, paddingOuter=0)


def bars(ident: str, name: str, legend: Sequence[str], items: Items) -> Chart:
    """Return one bar for each row, in the order given, with its number at its end."""
    del legend
    base, length = _rows(items, 0), _length(items)
    layers = [_labels(base), *_bar(base, length, 14, 8, SERIES[0])]
    said = "; ".join(f"{label}: {figure.text}" for label, (figure,) in items)
    return _drawn(ident, name, layers, len(items) * _ROW, said)


def pairs(ident: str, name: str, legend: Sequence[str], items: Items) -> Chart:
    """Return two thin bars for each row: a period above another."""
    now, then, length = _rows(items, 0), _rows(items, 1), _length(items)
    upper, lower = _bar(now, length, 13, -2, SERIES[0]), _bar(then, length, 13, 16, SERIES[1])
    said = "; ".join(f"{label}: {one.text}, before {two.text}" for label, (one, two) in items)
    layers = [*upper, _labels(now, -22), *lower]
    return _drawn(ident, name, layers, len(items) * _THIN, said, legend)


def stacks(ident: str, name: str, legend: Sequence[str], items: Items) -> Chart:
    """Return for each row one bar of a whole length, split by the shares given in percent."""
    rows: list[dict[str, Any]] = []
    for place, (label, figures) in enumerate(items):
        start = 0.0
        for series, share in enumerate(figure.number or 0.0 for figure in figures):
            rows.append(
                {
                    "row": place, "label": "" if series else label, "series": str(series),
                    "start": start, "middle": start + share / 2, "end": start + share,
                    "number": f"{share:.0f}%" if share >= _LEAST_SHARE else "",
                }
            )  # fmt: skip
            start += share
    scale = alt.Scale(domain=[0, 100], range=[0, _WIDTH])
    order = [str(number) for number in range(len(legend))]
    colours = alt.Scale(domain=order, range=list(SERIES[: len(legend)]))
    base = _data(rows).encode(y=alt.Y("row:O", axis=None, scale=_TIGHT))
    parts = base.mark_bar(size=20, yOffset=9, stroke=PAGE, strokeWidth=1.5).encode(
        x=alt.X("start:Q", scale=scale, axis=None),
        x2="end:Q",
        color=alt.Color("series:N", scale=colours, legend=None),
    )
    numbers = base.mark_text(dy=10, color=ON_SERIES, fontSize=12).encode(
        x=alt.X("middle:Q", scale=scale, axis=None), text="number:N"
    )
    said = _listed(legend, items)
    layers = [_labels(base), parts, numbers]
    return _drawn(ident, name, layers, len(items) * _STACK, said, legend)


def intervals(ident: str, name: str, legend: Sequence[str], items: Items) -> Chart:
    """Return for each row a point a series, on a scale of percent, with its margin of error.

    The figures of a row are a percent and its margin, in percentage points, for each series; a
    percent that is unknown has no point.
    """
    height, scale = len(items) * _TALL, alt.Scale(domain=[0, 100], range=[0, _WIDTH - 60])
    grid = _data([{"at": at} for at in (0, 25, 50, 75, 100)]).mark_rule(color=LINE)
    x = alt.X("at:Q", scale=scale, axis=None)
    layers: list[Any] = [grid.encode(x=x, y=alt.value(0), y2=alt.value(height))]
    for series in range(len(legend)):
        rows = []
        for place, (label, figures) in enumerate(items):
            percent, margin = figures[2 * series : 2 * series + 2]
            if percent.number is not None:
                error = margin.number or 0.0
                rows.append(
                    {
                        "row": place, "label": "" if series else label, "value": percent.number,
                        "low": percent.number - error, "high": percent.number + error,
                        "number": percent.text, "series": series,
                    }
                )  # fmt: skip
        base = _data(rows).encode(y=alt.Y("row:O", axis=None, scale=_TIGHT))
        low, value, high = (
            alt.X(f"{at}:Q", scale=scale, axis=None) for at in ("low", "value", "high")
        )
        colour, offset = SERIES[series], 20 * series - 4
        layers += [
            base.mark_rule(color=colour, strokeWidth=2, yOffset=offset).encode(x=low, x2="high:Q"),
            base.mark_point(
                color=colour,
                filled=True,
                opacity=1,
                size=70,
                yOffset=offset,
                shape="circle" if series else "square",
            ).encode(x=value),
            _text(base, align="left", dx=4, dy=offset + 1).encode(x=high, text="number:N"),
            _labels(base, -22),
        ]
    said = _listed(legend, [(label, figures[::2]) for label, figures in items])
    return _drawn(ident, name, layers, height, said, legend)


def skyline(
    ident: str, name: str, forces: Mapping[str, Figure], lines: Sequence[tuple[float, str]]
) -> Chart:
    """Return one column a force, the largest first, with a line and its words at each threshold.

    A force whose figure is unknown has no column; the largest is named.
    """
    known = _largest_first(forces)
    columns = [
        {"place": place, "value": value, "label": "" if place else f"{label} {value:,.0f}"}
        for place, (label, value) in enumerate(known.items())
    ]
    height = _height(known.values(), _SKY, 18)
    scale = alt.Scale(paddingInner=0.22, paddingOuter=0)
    base = _data(columns).encode(x=alt.X("place:O", axis=None, scale=scale))
    limits = _data([{"value": at, "label": words} for at, words in lines])
    layers: list[Any] = [
        base.mark_bar(color=SERIES[0]).encode(y=height),
        limits.mark_rule(color=MUTED, strokeDash=[3, 3]).encode(y=height),
        _text(limits, align="right", dy=-11).encode(x=alt.value(_WIDTH), y=height, text="label:N"),
        _text(base, align="left", dx=8, dy=4).encode(y=height, text="label:N"),
    ]
    named = (f"{label} {value:,.0f}" for label, value in known.items())
    said = "; ".join([*(words for _, words in lines), *named])
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
    across = alt.Scale(domain=[-0.5, len(rows) - 0.5], range=[0, _WIDTH])
    height = _height([row["value"] or 0.0 for row in rows], _TREND, 40)
    x, between = (alt.X(f"{at}:Q", scale=across, axis=None) for at in ("place", "between"))
    known = _data([row for row in rows if row["value"] is not None]).encode(x=x)
    breaks = _data([row for row in rows if row["between"] is not None]).encode(x=between)
    ends = {"x": alt.value(0), "x2": alt.value(_WIDTH), "y": alt.value(_TREND)}
    layers: list[Any] = [
        _data([{}]).mark_rule(color=LINE).encode(**ends),
        breaks.mark_rule(color=MUTED, strokeDash=[3, 3]).encode(
            y=alt.value(20), y2=alt.value(_TREND)
        ),
        _text(breaks).encode(y=alt.value(10), text="word:N"),
        known.mark_line(color=SERIES[0], strokeWidth=2).encode(y=height, detail="stretch:N"),
        known.mark_point(color=SERIES[0], filled=True, opacity=1, size=70).encode(y=height),
        _text(known, dy=-14).encode(y=height, text="number:N"),
    ]
    turns = 1 if len(rows) <= _ABREAST else 2  # labels that do not fit abreast stand in two lines
    for turn in range(turns):
        y = alt.value(_TREND + 16 * (turn + 1))
        layers.append(_text(_data(rows[turn::turns])).encode(x=x, y=y, text="label:N"))
    said = "; ".join(
        f"{label}: {figure.text}" + (f", after a break ({why})" if why and place else "")
        for place, (label, figure, why) in enumerate(points)
    )
    return _drawn(ident, name, layers, _TREND + 12 + 16 * turns, said)


def _data(rows: list[dict[str, Any]]) -> alt.Chart:
    return alt.Chart(alt.InlineData(values=rows))


def _rows(items: Items, series: int) -> alt.Chart:
    rows = [
        {
            "row": place, "label": label, "value": figures[series].number or 0.0,
            "number": figures[series].text,
        }
        for place, (label, figures) in enumerate(items)
    ]  # fmt: skip
    return _data(rows).encode(y=alt.Y("row:O", axis=None, scale=_TIGHT))


def _length(items: Items) -> alt.X:
    most = max((figure.number or 0.0 for _, figures in items for figure in figures), default=0.0)
    return alt.X("value:Q", scale=alt.Scale(domain=[0, most or 1], range=[0, _BARS]), axis=None)


def _height(values: Any, bottom: int, top: int) -> alt.Y:
    most = max(values, default=0.0) or 1.0
    return alt.Y("value:Q", scale=alt.Scale(domain=[0, most], range=[bottom, top]), axis=None)


def _bar(base: alt.Chart, length: alt.X, size: int, offset: int, colour: str) -> list[Any]:
    """Return bars, each with its number at its end."""
    return [
        base.mark_bar(size=size, yOffset=offset, color=colour).encode(x=length),
        _text(base, align="left", dx=6, dy=offset + 1).encode(x=length, text="number:N"),
    ]


def _text(base: alt.Chart, **looks: Any) -> Any:
    return base.mark_text(**looks, color=INK, fontSize=_FONT)


def _labels(base: alt.Chart, dy: int = -9) -> Any:
    return _text(base, align="left", dy=dy).encode(x=alt.value(0), text="label:N")


def _listed(legend: Sequence[str], items: Items) -> str:
    return "; ".join(
        f"{label}: " + ", ".join(f"{s} {f.text}" for s, f in zip(legend, figures, strict=True))
        for label, figures in items
    )


def _largest_first(forces: Mapping[str, Figure]) -> dict[str, float]:
    known = {label: figure.number for label, figure in forces.items() if figure.number is not None}
    return {
        label: known[label] for label in sorted(known, key=lambda label: (-known[label], label))
    }


def _drawn(
    ident: str, name: str, layers: list[Any], height: int, said: str, legend: Sequence[str] = ()
) -> Chart:
    """Lay the layers over each other; nothing is measured, so fonts do not move anything.

    `said` is the chart in words, for those who cannot see it.
    """
    chart = (
        alt.layer(*layers)
        .properties(
            width=_WIDTH, height=height, autosize=alt.AutoSizeParams(type="none"), padding=0,
            background="transparent",
        )
        .configure(font="Liberation Sans", aria=False)
        .configure_view(stroke=None)
    )  # fmt: skip
    root = ET.fromstring(vl_convert.vegalite_to_svg(chart.to_dict()))  # noqa: S314 - drawn here
    for element in list(root.iter()):
        _clean(element)
    root.set("role", "img")
    root.set("aria-labelledby", f"{ident}-name {ident}-text")
    for place, (tag, suffix, words) in enumerate(
        (("title", "name", name), ("desc", "text", f"{said}."))
    ):
        child = ET.Element(f"{{{_SVG}}}{tag}", id=f"{ident}-{suffix}")
        child.text = words
        root.insert(place, child)
    return Chart(ET.tostring(root, encoding="unicode"), name, tuple(legend))


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


_STEP, _BAR = 10, 7
_HEIGHT, _TOP = 96, 20
_LEAST: Final = 1.5
"""Height of the smallest column: it is still seen."""
_CLEAR: Final = 0.7
"""Part of the tallest column below which a label leaves the tallest one's label free."""
_SPAN: Final = 16
"""Columns that a label stretches over, at most."""


def place(ident: str, name: str, forces: Mapping[str, Figure], force: str) -> Chart:
    """Return the drawing of a count that every force has, the largest first.

    Args:
        ident: an id that nothing else in the page has.
        name: what is counted.
        forces: the count of each force, by the force's name; unknown ones have no column.
        force: the force whose page it is.
    """
    known = _largest_first(forces)
    order, most = list(known), max(known.values(), default=0.0) or 1.0
    tall = [max(_HEIGHT * value / most, _LEAST) for value in known.values()]
    columns = [
        f"M{number * _STEP} {_TOP + _HEIGHT - height:.1f}h{_BAR}v{height:.1f}h-{_BAR}z"
        for number, height in enumerate(tall)
    ]
    mine = order.index(force) if force in known else None
    others = "".join(path for number, path in enumerate(columns) if number != mine)
    labels = ""
    # The first column is as tall as the drawing: its name stands beside it.
    if mine != 0 and order and (mine is None or tall[mine] < _CLEAR * _HEIGHT):
        labels = _name(f"{order[0]} {forces[order[0]].text}", _STEP + 2, _TOP + 11, "start")
    if mine is not None:
        words, left, top, fits = f"{force} {forces[force].text}", _STEP + 2, _TOP + 11.0, True
        if mine:
            # Others stand above the tallest that their words stretch over: the first, as they fall.
            fits = mine + _SPAN < len(tall)
            left = mine * _STEP if fits else mine * _STEP + _BAR
            tallest = tall[mine] if fits else tall[max(mine - _SPAN, 1)]
            top = _TOP + _HEIGHT - tallest - 6
        labels += _name(words, left, top, "start" if fits else "end", ' font-weight="600"')
    said = f"{force}: {forces[force].text}" if force in forces else f"{force}: not known"
    svg = (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 440 {_HEIGHT + _TOP}" role="img"'
        f' aria-labelledby="{ident}-name {ident}-text"><title id="{ident}-name">{escape(name)}'
        f' by force</title><desc id="{ident}-text">{escape(said)}</desc>'
        f'<path fill="var(--quiet)" d="{others}"/>'
        f'<path fill="var(--s1)" d="{"" if mine is None else columns[mine]}"/>{labels}</svg>'
    )
    return Chart(svg, name)


def _name(words: str, x: int, y: float, anchor: str, weight: str = "") -> str:
    return (
        f'<text x="{x}" y="{y:.0f}" text-anchor="{anchor}"{weight} fill="currentColor">'
        f"{escape(words)}</text>"
    )
