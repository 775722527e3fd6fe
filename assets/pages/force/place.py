"""Draws where one force stands among all: a column a force, its own one marked.

Belongs here: the one drawing that every force page has, too many for a charting library to draw
in good time. Does not: the charts of the national page (charts.py).
"""

from collections.abc import Mapping
from html import escape
from typing import Final

from assets.pages.content import Chart, Figure

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
