"""The counted cells of a template: what the live returns hold there, and which a figure is of."""

from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from typing import Final, NamedTuple

import polars as pl

from schemas.breakdown import LAST, read_breakdown
from schemas.figures import ANSWER, levels
from schemas.measures import NOW, QUESTION
from schemas.template import Entry, Place, Template

PLACE: Final = ["sheet", "row_code", "column_code"]
LEAF: Final = pl.concat_str(PLACE, separator="/").alias("leaf")


@cache
def places(template: Template) -> pl.DataFrame:
    """Return one row a counted cell: measure, period, each dimension (null: none), its place."""
    return pl.DataFrame(
        [
            (entry.measure, entry.period, *entry.place, *map(entry.dims.get, template.dimensions))
            for entry in template.counted()
        ],
        schema=dict.fromkeys(["measure", "period", *PLACE, *template.dimensions], pl.String),
        orient="row",
    )


def leaves(live: pl.DataFrame, template: Template) -> pl.DataFrame:
    """Return the counted cells that forces gave: the columns of `places`, and of LiveEntries."""
    return places(template).join(live, on=PLACE)


_OF_EVERY_CELL: Final = {"share", "answers", "change"}
"""Kinds of figures that leave no cell out, whatever a total at their level does."""


class Counted(NamedTuple):
    """What a figure counts: of which kind it is (schemas.figures.Level), and its cells.

    `whole` are the cells that it is divided by, `first` those from which a change is counted. Of
    answers, `given` are those that are counted.
    """

    kind: str
    measure: str
    cells: list[Entry]
    whole: list[Entry]
    first: list[Entry]
    given: tuple[str, ...] = ()

    @property
    def signed(self) -> tuple[tuple[Place, int], ...]:
        """The place of each cell, with the sign by which it is added."""
        before = len(self.first)
        return tuple((cell.place, -1 if at < before else 1) for at, cell in enumerate(self.cells))


def counted_in(
    template: Template, measure: str, breakdown: str, period: str = NOW
) -> Counted | None:
    """Return what a figure counts, None where it is not made of a template's cells.

    All that computes or explains a figure of returns reads it here; the second engine does not.
    """
    parts, at = read_breakdown(breakdown), levels(template).get(measure)
    level = next((one for one in at or () if {*one.by} == parts.keys()), at[-1] if at else None)
    kind, of = (level.kind, level.of) if level else ("count", measure)
    codes = {key: code for key, code in parts.items() if key not in {ANSWER, *LAST}}
    if of not in template.measures or not codes.keys() <= {*template.dimensions}:
        return None
    if (QUESTION in codes) != (ANSWER in parts):
        return None
    cells = cells_in(template, of, codes, period, every=kind in _OF_EVERY_CELL)
    whole, first = cells if kind == "answers" else [], list[Entry]()
    if level and kind == "share":
        if {*level.by} != codes.keys():
            return None
        within = {key: codes[key] for key in level.within}
        every = cells_in(template, of, within, period, every=True)
        whole = [cell for cell in every if {*level.by} <= cell.dims.keys()]
    if kind == "change":
        key = template.measures[of].change or ""
        first, last = (
            [cell for cell in cells if cell.dims.get(key) == template.codes_of(of, key)[end]]
            for end in (0, -1)
        )
        cells = [*first, *last]
    given = tuple(parts[ANSWER].split("|")) if ANSWER in parts else ()
    return Counted(kind, of, cells, whole, first, given)


def cells_in(
    template: Template,
    measure: str,
    codes: Mapping[str, str],
    period: str = NOW,
    *,
    every: bool = False,
) -> list[Entry]:
    """Return the cells that are counted in a figure: a measure at some codes, in a period.

    A code is one of a dimension's list, or a group's. What was asked of an earlier period stands
    for itself, so that it is counted in the figure of its own codes alone. What a total at its
    level leaves out (`without`) is no part of it, unless `every` such cell is meant.
    """
    left_out = None if every else template.measures[measure].left_out(codes)
    wanted = {key: template.groups.get(key, {}).get(code, (code,)) for key, code in codes.items()}
    return [
        cell
        for cell in _by_measure(template).get((measure, period), ())
        if left_out not in cell.dims
        and (period == NOW or cell.dims.keys() == codes.keys())
        and all(cell.dims.get(key) in of for key, of in wanted.items())
    ]


@cache
def _by_measure(template: Template) -> dict[tuple[str, str], list[Entry]]:
    found: dict[tuple[str, str], list[Entry]] = {}
    for entry in template.counted():
        found.setdefault((str(entry.measure), entry.period), []).append(entry)
    return found


def held_in(
    live: pl.DataFrame, cells: Iterable[Entry], given: Sequence[str] | None = None
) -> pl.DataFrame:
    """Return the live entries at some cells, in the template's order.

    Of answers that are `given`, `number` is 1 where the force gave one and 0 where another.
    """
    at = pl.DataFrame([c.place for c in cells], dict.fromkeys(PLACE, pl.String), orient="row")
    found = at.join(live, on=PLACE, maintain_order="left_right")
    is_given = pl.col("value").is_in(list(given or ())).cast(pl.Int64)
    return found.with_columns(number=is_given) if given else found


def sum_of(cells: pl.DataFrame) -> int | None:
    """Return the sum of leaf cells, None where none of them holds a number."""
    held = cells["number"].drop_nulls()
    return int(held.sum()) if len(held) else None


def percent(part: str, whole: str) -> pl.Expr:
    """Return part as a percent of whole, null where there is no whole."""
    return pl.when(pl.col(whole) > 0).then(divided(pl.col(part) * 100, pl.col(whole)))


def divided(number: pl.Expr, by: pl.Expr) -> pl.Expr:
    """Return a quotient as close as it can be told.

    Polars multiplies by the inverse where all rows are divided by one number, and 49 of 98 would
    be less than half: so each row has its own.
    """
    return number / (by + 0 * number)
