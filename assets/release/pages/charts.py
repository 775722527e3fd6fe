"""Draws charts as lists in a page's own colours and type: labels wrap, nothing shrinks on a phone.

A figure in a chart keeps its address, so that it is held to the marts like one in a table. What a
colour means is the same on every page: `now` is this collection or this force, `then` what it is
beside; parts of a whole have colours of their own. What has no words for its shape alone, such as
44 columns, is named and described for those who cannot see it.
"""

from bisect import bisect_left
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, partial
from pathlib import Path
from typing import Final

from markupsafe import Markup

from assets.html import macros
from assets.release.pages.content import Figure, Text

Items = Sequence[tuple[str | Text, Sequence[Figure]]]
"""Rows of a chart: a label, and a figure of each series."""

_SEEN: Final = 1.5
"""Percent of the height that the smallest column has: it is still seen."""
_FLAT: Final = 1.5
"""A column so many times as high as the next would flatten that and the rest."""
_MOST_CUT: Final = 3
_MOST: Final = 100
"""Columns of a chart, at most: more would be no wider than a hair."""
_OVER: Final = 1.15
"""How far a column that is cut stands above the highest whole one."""
_APART: Final = 10.0
"""Percent of the height between the words of two lines, at least."""
_SHADES: Final = 4
PAIR: Final = ("now", "then")
PARTS: Final = tuple(f"p{number}" for number in range(1, 6))


def rows(kind: str, items: Items, legend: Sequence[str] = ()) -> Markup:
    """Return a chart with a row for each of what is compared.

    In `bars` and `pairs` a row has a bar a series, all on one scale; in `stacks` one bar of a whole
    length, split by shares in percent; in `intervals` a point a series with its margin of error:
    there the figures of a row are a percent and its margin for each series, the newest last.
    """
    most = max((f.number or 0.0 for _, figures in items for f in figures), default=0.0) or 1.0
    return _DRAWN[kind](items, legend, most)


@dataclass(frozen=True)
class Spread:
    """A figure of every force, by the force's name: what the charts of all forces' pages share."""

    forces: Mapping[str, Figure]

    @cached_property
    def known(self) -> dict[str, float]:
        """The numbers that are known, the largest first."""
        known = {f: figure.number for f, figure in self.forces.items() if figure.number is not None}
        return dict(sorted(known.items(), key=lambda item: (-item[1], item[0])))

    @cached_property
    def cut(self) -> int:
        """How many columns would flatten the rest: their tops are cut off."""
        known = [*self.known.values()]
        places = range(1, min(len(known), _MOST_CUT + 1))
        return next((at for at in places if known[at - 1] > _FLAT * known[at] > 0), 0)

    @cached_property
    def top(self) -> float:
        """The number at the top of the chart."""
        numbers = [*self.known.values()]
        return (_OVER * numbers[self.cut] if self.cut else numbers[0]) or 1.0

    def height(self, number: float) -> float:
        """Return the percent of the height that a number has."""
        return min(100 * number / self.top, 100.0)

    @cached_property
    def drawn(self) -> dict[str, str]:
        """The columns by force: of very many forces some, at even steps from the largest."""
        known = [*self.known]
        few = min(len(known), _MOST)
        return {
            force: self.column(force)
            for n in range(few)
            for force in [known[n * len(known) // few]]
        }

    @cached_property
    def hides(self) -> bool:
        """Whether the number of a force is hidden."""
        return any(figure.hidden for figure in self.forces.values())

    def column(self, force: str, look: str = "then") -> str:
        """Return the column of a force."""
        number = self.known[force]
        is_cut = " cut" * (self.cut > 0 and number > self.top)
        return f'<i class="{look}{is_cut}" style="--h:{_n(max(self.height(number), _SEEN))}"></i>'


def columns(
    ident: str,
    name: str,
    spread: Spread,
    mine: str | None = None,
    lines: Sequence[tuple[float, Text]] = (),
) -> Markup:
    """Return one column a force, the largest first, with a line and its words at each threshold.

    Where the largest would flatten the rest its top is cut off, and the words say so. A force whose
    figure is unknown has no column. `ident` is an id that nothing else in the page has, and `mine`
    the force whose page it is: its column stands out and is named.
    """
    known, drawn = spread.known, spread.drawn
    if mine in known:
        drawn = {**drawn, mine: spread.column(mine, "now")}
        drawn = dict(sorted(drawn.items(), key=lambda item: (-known[item[0]], item[0])))
    # The words of a line stand at its end: above the columns there, and above each other.
    order = list(known)
    free, above = spread.height(known[order[len(order) // 2]]) - _APART if known else 0.0, []
    for limit, said in sorted(lines, key=lambda line: line[0]) if known else ():
        if limit <= spread.top:
            free = max(spread.height(limit), free + _APART)
            above.append((spread.height(limit), free, said))
    named = [*order[: spread.cut or 1], *([mine] if mine in known else []), *order[-1:]]
    cut, whole = ", ".join(order[: spread.cut]), "it" if spread.cut == 1 else "they"
    more = (
        f" The columns are {_MOST} of them, at even steps." * (len(known) > _MOST)
        + " A force whose number is hidden has no column." * spread.hides
        + f" Cut off at the top, as {whole} would flatten the rest: {cut}." * bool(cut)
    )
    told = {force: spread.forces[force] for force in named}
    shown = Markup("".join(drawn.values()))  # noqa: S704 - numbers
    return _DRAWN["columns"](ident, name, mine, shown, above, told, more)


def tiles(
    forces: Mapping[str, tuple[str, Figure, str]], places: Mapping[str, tuple[int, int]]
) -> Markup:
    """Return a map on which each force is a tile of the same size, darker for a larger figure.

    Of each force by its code: its name, figure and page, and row and column of its tile; those
    without a place stand in a row below.
    """
    known = sorted(of.number for _, of, _ in forces.values() if of.number is not None)
    last = max((row for row, _ in places.values()), default=-1)
    below, across = 0, max((column for _, column in places.values()), default=6) + 1
    drawn = []
    for code, (name, figure, href) in forces.items():
        row, column = places.get(code, (last + 1 + below // across, below % across))
        below += code not in places
        at = code, row + 1, column + 1
        drawn.append((*at, _shade(figure, known), name, figure, href))
    return _DRAWN["tiles"](drawn)


def _shade(figure: Figure, known: Sequence[float]) -> str:
    """Return the shade of a tile: a quarter of the forces have each."""
    if figure.number is None:
        return "none"
    below = bisect_left(known, figure.number)
    return f"q{1 + _SHADES * below // len(known)}"


def _n(number: float) -> str:
    """Return a number as a drawing has it: the last digits of a float are no picture."""
    return f"{number:.1f}".removesuffix(".0")


_DRAWN: Final = macros(
    Path(__file__).parent / "templates" / "charts.html.j2",
    n=_n,
    zip=partial(zip, strict=False),
    pair=PAIR,
    parts_of=PARTS,
)
"""What draws: a macro for each chart."""
