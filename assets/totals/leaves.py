"""The counted cells of a template beside what the live returns hold there, and back from a figure.

Belongs here: from a cell to its measure and dimensions, and from a measure and breakdown to its
cells. Does not: adding up (cube.py). A cell that no live return gives still has a row, without a
force, so that its total is unknown rather than absent.
"""

from collections.abc import Mapping
from functools import cache
from typing import Final

import polars as pl

from schemas.breakdown import read_breakdown
from schemas.measures import NOW, QUESTION
from schemas.template import Template

_PLACE: Final = ["sheet", "row_code", "column_code"]
ANSWER: Final = "answer"


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
    live: pl.DataFrame, template: Template, measure: str, breakdown: str, period: str
) -> pl.DataFrame | None:
    """Return the live cells that a count is the sum of, or None where the measure is no such count.

    Args:
        live: table LiveEntries.
        template: the template the returns were made with.
        measure: a measure that is a plain count (not a share, a rate or a statistic).
        breakdown: its breakdown.
        period: its period.

    Returns:
        Rows of LiveEntries, `number` being what each adds: for a count of answers, 1 where the
        force gave the answer and 0 where it gave another.
    """
    parts = read_breakdown(breakdown)
    answer = parts.pop(ANSWER, None)
    if measure not in template.measures or not set(parts) <= set(template.dimensions):
        return None
    cells = leaves(live, template).filter(counted_in(template, measure, parts, period))
    if answer is not None:
        given = pl.col("value").is_in(answer.split("|"))
        cells = cells.with_columns(given.cast(pl.Int64).alias("number"))
    elif QUESTION in parts:
        return None
    return sent(cells)


def counted_in(template: Template, measure: str, codes: Mapping[str, str], period: str) -> pl.Expr:
    """Return whether a leaf is counted in a figure: a measure at some codes, in a period.

    A code is one of a dimension's list, or a group's. What was asked of an earlier period stands
    for itself, so that it is counted in the figure of its own codes alone.
    """
    of_codes = [
        pl.col(name).is_in(list(template.groups.get(name, {}).get(code, (code,))))
        for name, code in codes.items()
    ]
    others = [name for name in template.dimensions if period != NOW and name not in codes]
    return pl.all_horizontal(
        pl.col("measure") == measure,
        pl.col("period") == period,
        *of_codes,
        *(pl.col(name).is_null() for name in others),
    )


def sum_of(cells: pl.DataFrame) -> int | None:
    """Return the sum of leaf cells, None where none of them holds a number."""
    held = cells["number"].drop_nulls()
    return int(held.sum()) if len(held) else None
