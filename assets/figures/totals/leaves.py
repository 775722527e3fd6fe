"""The counted cells of a template beside what the live returns hold there, and their sums.

A cell that no live return gives still has a row, without a force, so that its total is unknown
rather than absent. Integers are summed and divided once at the end, so the same inputs give the
same bytes.
"""

from collections.abc import Mapping, Sequence
from functools import cache
from typing import Final

import polars as pl

from schemas.breakdown import breakdown_of, read_breakdown
from schemas.measures import NOW, QUESTION
from schemas.template import Template

_PLACE: Final = ["sheet", "row_code", "column_code"]
ANSWER: Final = "answer"
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
        schema=dict.fromkeys(["measure", "period", *_PLACE, *template.dimensions], pl.String),
        orient="row",
    )


def leaves(live: pl.DataFrame, template: Template) -> pl.DataFrame:
    """Return one row a force and counted cell: the columns of `places`, and of LiveEntries."""
    return places(template).join(live, on=_PLACE, how="left", nulls_equal=True)


def sent(cells: pl.DataFrame) -> pl.DataFrame:
    """Return the leaves that a force gave."""
    return cells.filter(pl.col("force_code").is_not_null())


def leaf_cells(
    everything: pl.DataFrame,
    template: Template,
    measure: str,
    breakdown: str,
    period: str,
    *,
    every: bool = False,
) -> pl.DataFrame | None:
    """Return the live cells that a count is the sum of, or None where the measure is no such count.

    Args:
        everything: as `leaves` returns it.
        template: the template the returns were made with.
        measure: a measure that is a plain count (not a share, a rate or a statistic).
        breakdown: its breakdown.
        period: its period.
        every: also the cells that a total at its level leaves out, as in a part of a share.

    Returns:
        Rows of those, `number` being what each adds: for a count of answers, 1 where the
        force gave the answer and 0 where it gave another.
    """
    parts = read_breakdown(breakdown)
    answer = parts.pop(ANSWER, None)
    if measure not in template.measures or not set(parts) <= set(template.dimensions):
        return None
    cells = everything.filter(counted_in(template, measure, parts, period, every=every))
    if answer is not None:
        given = pl.col("value").is_in(answer.split("|"))
        cells = cells.with_columns(given.cast(pl.Int64).alias("number"))
    elif QUESTION in parts:
        return None
    return sent(cells)


def counted_in(
    template: Template, measure: str, codes: Mapping[str, str], period: str, *, every: bool = False
) -> pl.Expr:
    """Return whether a leaf is counted in a figure: a measure at some codes, in a period.

    A code is one of a dimension's list, or a group's. What was asked of an earlier period stands
    for itself, so that it is counted in the figure of its own codes alone. What a total at its
    level leaves out (`without`) is no part of it, unless `every` such cell is meant.
    """
    of_codes = [
        pl.col(name).is_in(list(template.groups.get(name, {}).get(code, (code,))))
        for name, code in codes.items()
    ]
    others = [name for name in template.dimensions if period != NOW and name not in codes]
    if not every and (left_out := template.measures[measure].left_out(codes)):
        others.append(left_out)
    return pl.all_horizontal(
        pl.col("measure") == measure,
        pl.col("period") == period,
        *of_codes,
        *(pl.col(name).is_null() for name in others),
    )


def cells_in(
    template: Template, measure: str, codes: Mapping[str, str], *, every: bool = False
) -> list[Mapping[str, str]]:
    """Return the codes of each cell that is counted in a figure of now, as `counted_in` tells.

    A question counts as a cell for each of its answers: `a|b` is either.
    """
    left_out = None if every else template.measures[measure].left_out(codes)
    wanted = {
        name: code.split("|") if name == ANSWER
        else template.groups.get(name, {}).get(code, (code,))
        for name, code in codes.items()
    }  # fmt: skip
    return [
        cell
        for cell in _cells_of_now(template).get(measure, ())
        if left_out not in cell and all(cell.get(name) in of for name, of in wanted.items())
    ]


@cache
def _cells_of_now(template: Template) -> dict[str, list[Mapping[str, str]]]:
    found: dict[str, list[Mapping[str, str]]] = {}
    for entry in template.counted():
        answers = [{ANSWER: answer} for answer in entry.answers] if QUESTION in entry.dims else [{}]
        if entry.period == NOW:
            found.setdefault(str(entry.measure), []).extend({**entry.dims, **of} for of in answers)
    return found


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
    return pl.when(pl.col(whole) > 0).then(pl.col(part) * 100 / pl.col(whole))


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
