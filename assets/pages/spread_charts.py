"""Draws how figures are spread: over the forces, and within their sampling error.

Belongs here: drawings with a scale of their own. Does not: bars of a few figures (charts.py).
"""

from collections.abc import Sequence
from typing import Any, Final

import altair as alt

from assets.pages.charts import FONT, WIDTH, drawn
from assets.pages.content import Chart, Figure
from assets.pages.svg import INK, LINE, MUTED, SERIES

_HEIGHT: Final = 340
_NAMED: Final = 1
_ROW: Final = 64

Forces = Sequence[tuple[str, Figure]]


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
    height = alt.Y("value:Q", scale=alt.Scale(domain=[0, most], range=[_HEIGHT, 18]), axis=None)
    place = alt.X("place:O", axis=None, scale=alt.Scale(paddingInner=0.22, paddingOuter=0))
    base = alt.Chart(alt.InlineData(values=columns)).encode(x=place)
    limits = alt.Chart(
        alt.InlineData(values=[{"value": at, "label": words} for at, words in lines])
    )
    layers: list[Any] = [
        base.mark_bar(color=SERIES[0]).encode(y=height),
        limits.mark_rule(color=MUTED, strokeDash=[3, 3]).encode(y=height),
        limits.mark_text(align="right", dy=-11, color=INK, fontSize=FONT).encode(
            x=alt.value(WIDTH), y=height, text="label:N"
        ),
        base.mark_text(align="left", dx=8, dy=4, color=INK, fontSize=FONT).encode(
            y=height, text="label:N"
        ),
    ]
    said = "; ".join([*(words for _, words in lines), *(f"{label} {n:,.0f}" for label, n in known)])
    return drawn(ident, name, layers, _HEIGHT + 2, said)


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
    scale = alt.Scale(domain=[0, 100], range=[0, WIDTH - 60])
    band = alt.Scale(paddingInner=0, paddingOuter=0)
    layers: list[Any] = [_grid(scale, len(items) * _ROW)]
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
            base.mark_text(align="left", dx=4, dy=offset + 1, fontSize=FONT, color=INK).encode(
                x=alt.X("high:Q", scale=scale, axis=None), text="number:N"
            ),
            base.mark_text(align="left", dy=-22, fontSize=FONT, color=INK).encode(
                x=alt.value(0), text="label:N"
            ),
        ]  # fmt: skip
    said = "; ".join(
        f"{label}: " + ", ".join(f"{s} {p.text}" for s, (p, _) in zip(legend, pairs, strict=True))
        for label, pairs in items
    )
    return drawn(ident, name, layers, len(items) * _ROW, said, legend=legend)


def _grid(scale: alt.Scale, height: int) -> Any:
    ticks = alt.Chart(alt.InlineData(values=[{"at": at} for at in (0, 25, 50, 75, 100)]))
    return ticks.mark_rule(color=LINE).encode(
        x=alt.X("at:Q", scale=scale, axis=None), y=alt.value(0), y2=alt.value(height)
    )
