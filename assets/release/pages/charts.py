"""Draws charts as SVG in a page's own colours: they follow light and dark like its text.

A row's label stands above its bar: a chart is then as legible on a phone. Nothing is measured, so
fonts do not move anything.
"""

from collections.abc import Iterator, Mapping, Sequence
from html import escape
from itertools import pairwise
from typing import Final

from assets.release.pages.content import Chart, Figure

Items = Sequence[tuple[str, Sequence[Figure]]]
"""Rows of a chart: a label, and a figure of each series."""

_WIDTH: Final = 440
_BARS: Final = 372
_ROW, _STACK, _THIN, _TALL = 42, 46, 60, 64
_SKY, _TREND = 340, 180
_LINE: Final = 16
"""From one line of words to the next."""
_SPAN: Final = 160
"""Width of a force's name with its figure, at most."""
_ABREAST: Final = 4
_LEAST_SHARE: Final = 9.0
"""Percent of a bar below which its number would not fit into its part."""
_SERIES: Final = [f"var(--s{number})" for number in range(1, 6)]
_MUTED: Final = ' stroke="var(--muted)" stroke-dasharray="3,3"'
_MIDDLE, _END = ' text-anchor="middle"', ' text-anchor="end"'


def bars(ident: str, name: str, legend: Sequence[str], items: Items) -> Chart:
    """Return one bar for each row, in the order given, with its number at its end."""
    del legend
    drawn = [*_labels(items, _ROW, 16), *_bars(items, 0, _ROW, 22, 14)]
    said = "; ".join(f"{label}: {figure.text}" for label, (figure,) in items)
    return _chart(ident, name, drawn, len(items) * _ROW, said)


def pairs(ident: str, name: str, legend: Sequence[str], items: Items) -> Chart:
    """Return two thin bars for each row: a period above another."""
    drawn = [*_labels(items, _THIN, 12), *_bars(items, 0, _THIN, 21.5, 13)]
    drawn += _bars(items, 1, _THIN, 39.5, 13)
    said = "; ".join(f"{label}: {one.text}, before {two.text}" for label, (one, two) in items)
    return _chart(ident, name, drawn, len(items) * _THIN, said, legend)


def stacks(ident: str, name: str, legend: Sequence[str], items: Items) -> Chart:
    """Return for each row one bar of a whole length, split by the shares given in percent."""
    drawn, part = _labels(items, _STACK, 18), _WIDTH / 100
    for row, (_, figures) in enumerate(items):
        top, start = row * _STACK, 0.0
        for figure, colour in zip(figures, _SERIES, strict=False):
            share = figure.number or 0.0
            box = _box(start * part, top + 22, share * part, 20)
            drawn.append(_path(box, colour, ' stroke="var(--page)" stroke-width="1.5"'))
            if share >= _LEAST_SHARE:
                look = f'{_MIDDLE} font-size="12px"'
                at = (start + share / 2) * part
                drawn.append(_text(at, top + 37, f"{share:.0f}%", look, "var(--on)"))
            start += share
    return _chart(ident, name, drawn, len(items) * _STACK, _listed(legend, items), legend)


def intervals(ident: str, name: str, legend: Sequence[str], items: Items) -> Chart:
    """Return for each row a point a series, on a scale of percent, with its margin of error.

    The figures of a row are a percent and its margin, in percentage points, for each series; a
    percent that is unknown has no point.
    """
    height, part = len(items) * _TALL, (_WIDTH - 60) / 100
    grid = ' stroke="var(--line)"'
    drawn = [_line(at * part, 0, at * part, height, grid) for at in (0, 25, 50, 75, 100)]
    drawn += _labels(items, _TALL, 14)
    for row, (_, figures) in enumerate(items):
        for series in range(len(legend)):
            percent, margin = figures[2 * series : 2 * series + 2]
            if percent.number is None:
                continue
            x, y, error = percent.number * part, row * _TALL + 28 + 20 * series, margin.number or 0
            colour = _SERIES[series]
            ends = x - error * part, y, x + error * part, y
            drawn.append(_line(*ends, f' stroke="{colour}" stroke-width="2"'))
            square = _path(_box(x - 4.2, y - 4.2, 8.4, 8.4), colour)
            drawn.append(_point(x, y, colour) if series else square)
            drawn.append(_text(ends[2] + 4, y + 5, percent.text))
    said = _listed(legend, [(label, figures[::2]) for label, figures in items])
    return _chart(ident, name, drawn, height, said, legend)


def skyline(
    ident: str, name: str, forces: Mapping[str, Figure], lines: Sequence[tuple[float, str]]
) -> Chart:
    """Return one column a force, the largest first, with a line and its words at each threshold.

    A force whose figure is unknown has no column; the largest is named.
    """
    known = _largest_first(forces)
    most = max(known.values(), default=0.0) or 1.0
    down = (_SKY - 18) / most
    step = min(_WIDTH / max(len(known) - 0.22, 1), _STEPS)
    boxes = (
        _box(place * step, _SKY - value * down, step * 0.78, value * down)
        for place, value in enumerate(known.values())
    )
    drawn = [_path("".join(boxes), _SERIES[0])]
    # The words of a line stand at its end: above the columns there, and above each other.
    below = [*known.values()][int((_WIDTH - _SPAN) / step) :]
    free = _SKY - max(below, default=0.0) * down + _LINE - 6
    for at, words in sorted(lines):
        if at <= most:
            y = _SKY - at * down
            free = min(y - 7, free - _LINE)
            drawn += [_line(0, y, _WIDTH, y, _MUTED), _text(_WIDTH, free, words, _END)]
    named = [f"{label} {value:,.0f}" for label, value in known.items()]
    drawn += [_text(0, 12, named[0])] if named else []
    said = "; ".join([*(words for _, words in lines), *named])
    return _chart(ident, name, drawn, _SKY + 2, said)


def trend(ident: str, name: str, points: Sequence[tuple[str, Figure, str | None]]) -> Chart:
    """Return a figure over time: a line from point to point, but never across a break.

    A point is `(label, figure, why)`: `why` says that and why it is not the same count as the point
    before. A figure that is unknown has no point, and no line leads to it or on from it.
    """
    most = max((figure.number or 0.0 for _, figure, _ in points), default=0.0) or 1.0
    across, down = _WIDTH / len(points), (_TREND - 40) / most
    drawn = [_line(0, _TREND, _WIDTH, _TREND, ' stroke="var(--line)"')]
    at: list[tuple[float, float] | None] = []
    turns = 1 if len(points) <= _ABREAST else 2  # labels that do not fit abreast: in two lines
    for place, (label, figure, why) in enumerate(points):
        x = (place + 0.5) * across
        if why is not None and place:
            between = place * across
            drawn += [_line(between, 20, between, _TREND, _MUTED)]
            drawn += [_text(between, 14, "break", _MIDDLE)]
        at.append(None if figure.number is None else (x, _TREND - figure.number * down))
        drawn.append(_text(x, _TREND + 20 + _LINE * (place % turns), label, _MIDDLE))
    for (one, two), (*_, why) in zip(pairwise(at), points[1:], strict=True):
        if one and two and why is None:
            way = f"M{_n(one[0])},{_n(one[1])}L{_n(two[0])},{_n(two[1])}"
            drawn.append(f'<path d="{way}" stroke="{_SERIES[0]}" stroke-width="2"/>')
    for here, (_, figure, _) in zip(at, points, strict=True):
        if here:
            drawn += [_point(*here, _SERIES[0]), _text(here[0], here[1] - 10, figure.text, _MIDDLE)]
    said = "; ".join(
        f"{label}: {figure.text}" + (f", after a break ({why})" if why and place else "")
        for place, (label, figure, why) in enumerate(points)
    )
    return _chart(ident, name, drawn, _TREND + 12 + _LINE * turns, said)


_STEPS: Final = 44.0
"""From one column to the next, at most: few forces have no broad ones."""
_STEP: Final = 10.0
_HEIGHT, _TOP = 96, 36
_LEAST: Final = 1.5
"""Height of the smallest column: it is still seen."""


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
    step = min(_STEP, _WIDTH / max(len(known), 1))
    tall = [max(_HEIGHT * value / most, _LEAST) for value in known.values()]
    columns = [
        _box(number * step, _TOP + _HEIGHT - height, 0.7 * step, height)
        for number, height in enumerate(tall)
    ]
    mine = order.index(force) if force in known else None
    others = "".join(path for number, path in enumerate(columns) if number != mine)
    drawn = [
        _path(others, "var(--quiet)"),
        _path("" if mine is None else columns[mine], _SERIES[0]),
    ]
    if order and mine != 0:
        drawn.append(_text(0, _TOP - 6 - _LINE, f"{order[0]} {forces[order[0]].text}"))
    if mine is not None:
        # Its words stand above the tallest that they stretch over: the first, as columns fall.
        left, look, tallest = mine * step, ' font-weight="600"', tall[mine]
        if left + _SPAN > _WIDTH:
            left, look = left + 0.7 * step, look + _END
            tallest = tall[max(mine - int(_SPAN / step), 0)]
        top = _TOP + _HEIGHT - tallest - 6
        drawn.append(_text(left, top, f"{force} {forces[force].text}", look))
    said = f"{force}: {forces[force].text}" if force in forces else f"{force}: not known"
    return _chart(ident, f"{name} by force", drawn, _HEIGHT + _TOP, said, caption=name)


def _labels(items: Items, row: int, y: int) -> list[str]:
    return [_text(0, number * row + y, label) for number, (label, _) in enumerate(items)]


def _bars(items: Items, series: int, row: int, y: float, size: int) -> Iterator[str]:
    """Yield the bars of a series, each with its number at its end; all series have one scale."""
    most = max((figure.number or 0.0 for _, figures in items for figure in figures), default=0.0)
    for number, (_, figures) in enumerate(items):
        length, top = _BARS * (figures[series].number or 0.0) / (most or 1), number * row + y
        yield _path(_box(0, top, length, size), _SERIES[series])
        yield _text(length + 6, int(top) + 12, figures[series].text)


def _listed(legend: Sequence[str], items: Items) -> str:
    return "; ".join(
        f"{label}: " + ", ".join(f"{s} {f.text}" for s, f in zip(legend, figures, strict=True))
        for label, figures in items
    )


def _largest_first(forces: Mapping[str, Figure]) -> dict[str, float]:
    known = {label: figure.number for label, figure in forces.items() if figure.number is not None}
    return dict(sorted(known.items(), key=lambda item: (-item[1], item[0])))


def _chart(
    ident: str, name: str, drawn: Sequence[str], height: int, said: str,
    legend: Sequence[str] = (), caption: str = "",
) -> Chart:  # fmt: skip
    """Return a drawing; `said` is it in words, for those who cannot see it."""
    svg = (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {height}" role="img"'
        f' aria-labelledby="{ident}-name {ident}-text"><title id="{ident}-name">{escape(name)}'
        f'</title><desc id="{ident}-text">{escape(said)}.</desc>{"".join(drawn)}</svg>'
    )
    return Chart(svg, caption or name, tuple(legend))


def _box(x: float, y: float, width: float, height: float) -> str:
    return f"M{_n(x)} {_n(y)}h{_n(width)}v{_n(height)}h-{_n(width)}z"


def _path(d: str, fill: str, look: str = "") -> str:
    return f'<path fill="{fill}"{look} d="{d}"/>'


def _point(x: float, y: float, fill: str) -> str:
    return f'<circle cx="{_n(x)}" cy="{_n(y)}" r="4.2" fill="{fill}"/>'


def _line(x1: float, y1: float, x2: float, y2: float, look: str) -> str:
    return f'<line x1="{_n(x1)}" y1="{_n(y1)}" x2="{_n(x2)}" y2="{_n(y2)}"{look}/>'


def _text(x: float, y: float, words: str, look: str = "", fill: str = "currentColor") -> str:
    return f'<text x="{_n(x)}" y="{_n(y)}"{look} fill="{fill}">{escape(words)}</text>'


def _n(value: float) -> str:
    """Return a number as a drawing has it: the last digits of a float are no picture."""
    return f"{value:.1f}".removesuffix(".0")
