"""Draws what grows with a number as SVG: two logarithmic axes, so that linear growth is a slope.

The dashed line is linear growth from the first point of the first series.
"""

from collections.abc import Iterator, Mapping, Sequence
from html import escape
from math import ceil, floor, log10
from typing import Final

Series = Mapping[str, Mapping[int, float]]
"""Values by number, by the name of what they are of."""

_WIDE: Final = 460
_LEFT, _RIGHT, _TOP, _HIGH, _FOOT = 62, 100, 34, 300, 46
_COLOURS: Final = ("#222222", "#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9")
_LINE: Final = 13


def chart(along: str, panels: Mapping[str, Series]) -> str:
    """Return a chart with a panel for each title, beside each other, along the same numbers."""
    width, height = _WIDE * len(panels), _TOP + _HIGH + _FOOT
    drawn = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}"'
        f' font-family="sans-serif" font-size="11" role="img" aria-label="{escape(along)}">',
        f'<rect width="{width}" height="{height}" fill="white"/>',
    ]
    for number, (title, series) in enumerate(panels.items()):
        panel = _panel(title, along, {name: by for name, by in series.items() if by})
        drawn += [f'<g transform="translate({number * _WIDE} 0)">', *panel, "</g>"]
    return "\n".join([*drawn, "</svg>", ""])


def _panel(title: str, along: str, series: Series) -> Iterator[str]:
    numbers = sorted({number for by in series.values() for number in by})
    across = _Axis(numbers, _LEFT, _WIDE - _RIGHT)
    first, base = next(iter(next(iter(series.values())).items()))
    linear = [(number, base * number / first) for number in (numbers[0], numbers[-1])]
    held = [value for by in series.values() for value in by.values()]
    up = _Axis([*held, *(value for _, value in linear)], _TOP + _HIGH, _TOP)
    yield _text(_LEFT, _TOP - 16, title, ' font-size="13" font-weight="bold"')
    for value in up.marks():
        at = up(value)
        yield f'<path d="M{_LEFT} {at:.1f}H{_WIDE - _RIGHT}" stroke="#dddddd"/>'
        yield _text(
            _LEFT - 6, at + 4, f"{value:,.0f}" if value >= 1 else f"{value:g}", ' text-anchor="end"'
        )
    for number in numbers:
        yield _text(across(number), _TOP + _HIGH + 16, f"{number:,}", ' text-anchor="middle"')
    middle = (_LEFT + _WIDE - _RIGHT) / 2
    yield _text(middle, _TOP + _HIGH + 34, along, ' text-anchor="middle"')
    yield _drawn(linear, across, up, '#888888" stroke-dasharray="4,4')
    lowest = -1.0 * _LINE
    ends = {name: up([*by.values()][-1]) for name, by in series.items()}
    for name in sorted(ends, key=ends.__getitem__):
        colour = _COLOURS[[*series].index(name) % len(_COLOURS)]
        points = sorted(series[name].items())
        yield _drawn(points, across, up, colour)
        for number, value in points:
            yield f'<circle cx="{across(number):.1f}" cy="{up(value):.1f}" r="3" fill="{colour}"/>'
        lowest = max(ends[name] + 4, lowest + _LINE)  # names stand apart from each other
        yield _text(_WIDE - _RIGHT + 8, lowest, name, f' fill="{colour}"')


class _Axis:
    """Places values between two ends by their logarithm, to whole powers of ten."""

    def __init__(self, values: Sequence[float], start: float, end: float) -> None:
        held = [value for value in values if value > 0] or [1]
        self._low, self._high = floor(log10(min(held))), max(ceil(log10(max(held))), 1)
        self._start, self._end = start, end

    def __call__(self, value: float) -> float:
        share = (log10(max(value, 10**self._low)) - self._low) / (self._high - self._low or 1)
        return self._start + share * (self._end - self._start)

    def marks(self) -> list[float]:
        return [10.0**power for power in range(self._low, self._high + 1)]


def _drawn(points: Sequence[tuple[int, float]], across: _Axis, up: _Axis, stroke: str) -> str:
    path = "L".join(f"{across(number):.1f} {up(value):.1f}" for number, value in points)
    return f'<path d="M{path}" fill="none" stroke="{stroke}" stroke-width="1.5"/>'


def _text(left: float, top: float, said: str, look: str = "") -> str:
    return f'<text x="{left:.1f}" y="{top:.1f}"{look}>{escape(said)}</text>'
