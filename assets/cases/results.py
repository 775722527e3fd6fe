"""From the results of the parts to the tables that a run gives.

Belongs here: adding parts up and laying them out for readers. Integers are added, and nothing is
divided, so the same extract gives the same bytes however it was cut into parts.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import polars as pl

from assets.cases.grid import COUNTS, DAYS, FORCES
from assets.cases.part import PartResult
from assets.cases.suspects import FAULTS
from schemas.cases.columns import ACCEPTED, QUARANTINED, REJECTED
from schemas.collection import Collection

_QUARTERS: Final = {"days_lower_quartile": 1, "days_median": 2, "days_upper_quartile": 3}
_DAYS: Final = (*_QUARTERS, "days_longest")
_CASES: Final = ("suspended", "staff", "closed")


@dataclass(frozen=True)
class Totals:
    """All parts together: tables of COUNTS, FORCES and DAYS (grid.py) and FAULTS (suspects.py).

    `rows` has the rows of each file in order, `folders` the forces that folders name.
    """

    counts: pl.DataFrame
    forces: pl.DataFrame
    days: pl.DataFrame
    faults: pl.DataFrame
    rows: Mapping[str, int]
    folders: Sequence[str]


def together(results: Sequence[PartResult], folders: Iterable[str]) -> Totals:
    """Put the results of parts together; no force is in two of them."""
    return Totals(
        pl.concat([pl.DataFrame(schema=COUNTS), *(result.counts for result in results)]),
        pl.concat([pl.DataFrame(schema=FORCES), *(result.forces for result in results)]),
        pl.concat([pl.DataFrame(schema=DAYS), *(result.days for result in results)]),
        pl.concat([pl.DataFrame(schema=FAULTS), *(result.faults for result in results)]),
        {file: rows for result in results for file, rows in result.rows.items()},
        sorted(set(folders)),
    )


def by_force(totals: Totals, collection: Collection) -> pl.DataFrame:
    """Return one row a force, of the contract CasesByForce (schemas/cases/tables.py)."""
    bad = totals.faults.group_by("force_code").agg(pl.col("rows").sum().alias("bad"))
    closed = totals.days.group_by("force_code").agg(spread())
    named = pl.DataFrame({"force_code": totals.folders}, schema={"force_code": pl.String})
    tables = (totals.forces, bad, closed)
    forces = pl.concat([named, *(table.select("force_code") for table in tables)]).unique()
    for table in tables:
        forces = forces.join(table, on="force_code", how="left", nulls_equal=True)
    counted = pl.col("valid", "bad", "suspended", "staff", "closed").fill_null(0)
    return (
        forces.with_columns(counted)
        .with_columns(rows=pl.col("valid") + pl.col("bad"))
        .with_columns(state=_state(totals, collection))
        .select("force_code", "state", "rows", "valid", "bad", *_CASES, *_DAYS)
        .sort("force_code")
    )


def _state(totals: Totals, collection: Collection) -> pl.Expr:
    """Return the state of each force's extract, null where rows are nobody's.

    A row without a folder that names no force of the collection is nobody's extract: one slip of
    the pen must not refuse a force that does not exist.
    """
    known = pl.col("force_code").is_in([*collection.forces, *totals.folders])
    bad = pl.col("bad") > 0
    over = bad & (pl.col("bad") / pl.col("rows") > collection.max_bad_share)
    state = (
        pl.when(over)
        .then(pl.lit(REJECTED))
        .when(bad)
        .then(pl.lit(QUARANTINED))
        .otherwise(pl.lit(ACCEPTED))
    )
    return pl.when(known).then(state)


def spread() -> list[pl.Expr]:
    """Return `closed` cases and the quartiles and the longest of their days, null without any.

    The rows are of grid.DAYS, sorted by days. A quartile is the smallest number of days by which
    that share of the cases was closed. Quartiles do not add up from forces; days do.
    """
    days, cases = pl.col("days"), pl.col("cases")
    quartiles = [
        days.filter(cases.cum_sum() * 4 >= cases.sum() * quarter).first().alias(name)
        for name, quarter in _QUARTERS.items()
    ]
    return [cases.sum().alias("closed"), *quartiles, days.max().alias("days_longest")]
