"""Draws the charts of the national page with Altair.

Belongs here: from figures to a drawing, its labels at the marks. Does not: which figures are drawn
(national/), nor colours and names (svg.py). A row's label stands above its bar: a chart is then as
legible on a phone.
"""

from collections.abc import Sequence
from typing import Any, Final

import altair as alt

from assets.pages.content import Chart, Figure
from assets.pages.svg import INK, ON_SERIES, PAGE, SERIES, page_svg

Item = tuple[str, Figure]

WIDTH: Final = 440
_BARS: Final = 372
_ROW: Final = 42
_THIN: Final = 60
FONT: Final = 14
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
    return drawn(ident, name, layers, len(items) * _ROW, _described(items))


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
    return drawn(ident, name, layers, len(items) * _THIN, said, legend=legend)


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
    scale = alt.Scale(domain=[0, 100], range=[0, WIDTH])
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
    return drawn(ident, name, [_labels(base), parts, numbers], height, said, legend=legend)


def _row(label: str, figure: Figure, place: int) -> dict[str, Any]:
    return {"row": place, "label": label, "value": figure.number or 0.0, "number": figure.text}


def _chart(rows: list[dict[str, Any]]) -> alt.Chart:
    scale = alt.Scale(paddingInner=0, paddingOuter=0)
    return alt.Chart(alt.InlineData(values=rows)).encode(y=alt.Y("row:O", axis=None, scale=scale))


def _length(figures: Any) -> alt.X:
    most = max((figure.number or 0.0 for figure in figures), default=0.0)
    return alt.X("value:Q", scale=alt.Scale(domain=[0, most or 1], range=[0, _BARS]), axis=None)


def _labels(base: alt.Chart, dy: int = -9) -> Any:
    return base.mark_text(align="left", dy=dy, color=INK, fontSize=FONT).encode(
        x=alt.value(0), text="label:N"
    )


def _numbers(base: alt.Chart, length: alt.X, dy: int) -> Any:
    return base.mark_text(align="left", dx=6, dy=dy + 1, color=INK, fontSize=FONT).encode(
        x=length, text="number:N"
    )


def _described(items: Sequence[Item]) -> str:
    return "; ".join(f"{label}: {figure.text}" for label, figure in items)


def drawn(
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
            width=WIDTH,
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
