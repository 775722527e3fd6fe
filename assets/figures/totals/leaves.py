"""The counted cells of a template: what the live returns hold there, their sums, and the way back.

What a figure counts is told by its name alone, apart from the sums, so that each can be held to the
other.

A cell that no live return gives still has a row, without a force, so that its total is unknown
rather than absent. Integers are summed and divided once at the end, so the same inputs give the
same bytes.
"""

from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from typing import Final, NamedTuple

import polars as pl

from schemas.breakdown import LAST, breakdown_of, read_breakdown
from schemas.figures import ANSWER, kinds
from schemas.measures import NOW, QUESTION
from schemas.template import Entry, Template

PLACE: Final = ["sheet", "row_code", "column_code"]
LEAF: Final = pl.concat_str(PLACE, separator="/").alias("leaf")
ROW: Final = [
    "measure", "breakdown", "period", "value", "unit", "forces_included", "provisional",
]  # fmt: skip
"""A row of NationalTotals but for `forces_expected`."""

_HELD: Final = pl.col("number").is_not_null()


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
    """Return one row a force and counted cell: the columns of `places`, and of LiveEntries."""
    return places(template).join(live, on=PLACE, how="left", nulls_equal=True)


def sent(cells: pl.DataFrame) -> pl.DataFrame:
    """Return the leaves that a force gave."""
    return cells.filter(pl.col("force_code").is_not_null())


class Counted(NamedTuple):
    """What a figure counts: of which `kind` it is (`count`, or as `kinds` has it), and its cells.

    `whole` are the cells that it is divided by, `first` those from which a change is counted. Of
    answers, `given` are those that are counted.
    """

    kind: str
    measure: str
    cells: list[Entry]
    whole: list[Entry]
    first: list[Entry]
    given: tuple[str, ...] = ()


def counted_in(
    template: Template, measure: str, breakdown: str, period: str = NOW
) -> Counted | None:
    """Return what a figure counts, None where it is not made of a template's cells."""
    kind, of, how = kinds(template).get(measure, ("count", measure, None))
    parts = read_breakdown(breakdown)
    codes = {key: code for key, code in parts.items() if key not in {ANSWER, *LAST}}
    if of not in template.measures or not codes.keys() <= {*template.dimensions}:
        return None
    if (QUESTION in codes) != (ANSWER in parts):
        return None
    is_part = kind in {"share", "answers"}
    cells = cells_in(template, of, codes, period, every=is_part)
    whole, first = cells if kind == "answers" else [], list[Entry]()
    if kind == "share":
        share = next((share for share in how if {*share.by} == codes.keys()), None)
        if share is None:
            return None
        within = {key: codes[key] for key in share.within}
        every = cells_in(template, of, within, period, every=True)
        whole = [cell for cell in every if {*share.by} <= cell.dims.keys()]
    if kind == "change":
        first, last = (
            [cell for cell in cells if cell.dims.get(how) == template.codes_of(of, how)[end]]
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


def summed(counted: pl.DataFrame, dims: Sequence[str]) -> pl.DataFrame:
    """Return one row for each combination of `dims`: total, forces_included, provisional.

    `total` is an integer, null where no live return gives a number.
    """
    return grouped(
        counted.drop_nulls(dims) if dims else counted,
        dims,
        pl.when(_HELD.any()).then(pl.col("number").sum()).alias("total"),
        pl.col("force_code").filter(_HELD).n_unique().cast(pl.Int64).alias("forces_included"),
        pl.col("provisional").filter(_HELD).any().alias("provisional"),
    )


def grouped(frame: pl.DataFrame, dims: Sequence[str], *found: pl.Expr) -> pl.DataFrame:
    """Return what is asked of each combination of `dims`, of all rows where there are none."""
    return frame.group_by(dims).agg(found) if dims else frame.select(found)


def sums(
    counted: pl.DataFrame, dims: Sequence[str], measure: str, unit: str, period: str = NOW
) -> pl.DataFrame:
    """Return the sums at each combination of `dims`, as ROW."""
    return as_rows(summed(counted, dims), dims, pl.col("total"), measure, unit, period)


def shares(
    counted: pl.DataFrame,
    dims: Sequence[str],
    within: Sequence[str],
    measure: str,
    period: str = NOW,
) -> pl.DataFrame:
    """Return each sum as a percent of the sum it is part of, as ROW; null where that is zero."""
    parts, wholes = summed(counted, dims), summed(counted, within)
    whole = wholes.select(*within, pl.col("total").alias("whole"))
    both = parts.join(whole, on=list(within)) if within else parts.join(whole, how="cross")
    return as_rows(both, dims, percent("total", "whole"), measure, "percent", period)


def percent(part: str, whole: str) -> pl.Expr:
    """Return part as a percent of whole, null where there is no whole."""
    return pl.when(pl.col(whole) > 0).then(divided(pl.col(part) * 100, pl.col(whole)))


def divided(number: pl.Expr, by: pl.Expr) -> pl.Expr:
    """Return a quotient as close as it can be told.

    Polars multiplies by the inverse where all rows are divided by one number, and 49 of 98 would
    be less than half: so each row has its own.
    """
    return number / (by + 0 * number)


def as_rows(
    frame: pl.DataFrame,
    dims: Sequence[str],
    value: pl.Expr,
    measure: str,
    unit: str,
    period: str = NOW,
) -> pl.DataFrame:
    """Return values of a frame as ROW: the breakdown is written from `dims`."""
    return frame.select(
        pl.lit(measure).alias("measure"),
        breakdown_of(*dims),
        pl.lit(period).alias("period"),
        value.cast(pl.Float64).alias("value"),
        pl.lit(unit).alias("unit"),
        "forces_included",
        "provisional",
    )
