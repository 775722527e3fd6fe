"""Two releases of a collection, figure by figure: old, new, and whose return made the difference.

Belongs here: differences between totals, and between what the releases were made from.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import polars as pl

from assets.explain.question import Question
from assets.explain.released import Released
from assets.explain.terms import terms_of
from assets.marts import read_manifest
from schemas.collection import Collection

_KEY: Final = ["measure", "breakdown", "period"]
_OTHERWISE: Final = {
    "collection_sha256": "the collection file, its template or its publication",
    "contract_version": "the contracts",
    "software_sha256": "the software",
    "reports": "the force reports",
    "research": "the research files",
    "decisions_sha256": "answers, choices of versions or corrections",
}


@dataclass(frozen=True)
class Comparison:
    """What is different between two releases.

    `returns`: force_code, old, new (sha256 of the live return; null where it has none).
    `otherwise`: what else they were made from that is different, in words.
    `totals`: measure, breakdown, period, old, new, change, unit, because (the forces that
    changed a cell which bears on it, comma-separated; null where none did).
    `figures`: figure_id, old_status, new_status, old, new of every published figure whose status
    or computed value is different.
    """

    returns: pl.DataFrame
    otherwise: list[str]
    totals: pl.DataFrame
    figures: pl.DataFrame


def compare(old: Path, new: Path, collection: Collection) -> Comparison:
    """Compare two releases of a collection by their folders.

    Raises:
        LakeError: a manifest is missing or cannot be read.
    """
    before, after = (read_manifest(folder)["made_from"] for folder in (old, new))
    releases = Released(old, collection), Released(new, collection)
    return Comparison(
        _returns(before, after),
        [words for name, words in _OTHERWISE.items() if before.get(name) != after.get(name)],
        _totals(*releases),
        _figures(*releases),
    )


def _returns(before: dict[str, Any], after: dict[str, Any]) -> pl.DataFrame:
    old, new = dict(before["live"]), dict(after["live"])
    rows = [
        (force, old.get(force), new.get(force))
        for force in sorted(old | new)
        if old.get(force) != new.get(force)
    ]
    schema = dict.fromkeys(("force_code", "old", "new"), pl.String)
    return pl.DataFrame(rows, schema=schema, orient="row")


def _totals(old: Released, new: Released) -> pl.DataFrame:
    both = _apart(old.mart("national_totals"), new.mart("national_totals"), _KEY, "value", "unit")
    changed = _Changed.between(old, new), _Changed.between(new, old)
    because = [_because(Question(*row), changed) for row in both.select(_KEY).iter_rows()]
    return both.with_columns(
        (pl.col("new") - pl.col("old")).alias("change"),
        pl.Series("because", because, dtype=pl.String),
    ).select(*_KEY, "old", "new", "change", "unit", "because")


def _figures(old: Released, new: Released) -> pl.DataFrame:
    names = ["figure_id", "computed", "status"]
    before, after = (release.mart("reconciliation").select(names) for release in (old, new))
    both = before.join(after, on="figure_id", how="full", coalesce=True, suffix="_new")
    different = pl.col("status").ne_missing(pl.col("status_new")) | pl.col("computed").ne_missing(
        pl.col("computed_new")
    )
    return both.filter(different).select(
        "figure_id",
        pl.col("status").alias("old_status"),
        pl.col("status_new").alias("new_status"),
        pl.col("computed").alias("old"),
        pl.col("computed_new").alias("new"),
    ).sort("figure_id")  # fmt: skip


def _apart(
    old: pl.DataFrame, new: pl.DataFrame, key: list[str], value: str, *kept: str
) -> pl.DataFrame:
    """Return the rows whose value is different or that only one side has, as `old` and `new`."""
    columns = [*key, *kept]
    both = old.select(*columns, pl.col(value).alias("old")).join(
        new.select(*columns, pl.col(value).alias("new")), on=columns, how="full", coalesce=True
    )
    return both.filter(pl.col("old").ne_missing(pl.col("new"))).sort(columns)


def _because(question: Question, changed: Sequence["_Changed"]) -> str | None:
    """Return the forces that changed a cell which bears on a total."""
    forces: set[str] = set()
    for side in changed:
        terms = terms_of(question, side.live, side.collection)
        # A statistic or a band is of all forces; which of them it names may be nobody who changed.
        for looked_at in (terms.cells, terms.whole) if terms else ():
            if looked_at is not None:
                forces |= set(looked_at.join(side.cells, on=_CELL)["force_code"])
    return ", ".join(sorted(forces)) or None


_CELL: Final = ["force_code", "sheet", "row_code", "column_code"]


@dataclass(frozen=True)
class _Changed:
    """Of one side: the live entries of forces that changed any, and the cells they changed."""

    live: pl.DataFrame
    cells: pl.DataFrame
    collection: Collection

    @classmethod
    def between(cls, one: Released, other: Released) -> "_Changed":
        values = [*_CELL, "value"]
        cells = one.live.select(values).join(other.live.select(values), on=values, how="anti")
        mine = pl.col("force_code").is_in(cells["force_code"].unique().to_list())
        return cls(one.live.filter(mine), cells.select(_CELL), one.collection)
