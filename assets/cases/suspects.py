"""Rows that broke a rule or may repeat a key: read again whole, judged by name, set aside.

Belongs here: from places in a chunk to quarantined rows with all their reasons. Few rows come
this way unless an extract is very bad, so this is made for little memory, not for speed.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import Final

import polars as pl

from assets.cases.grid import Grid
from assets.cases.keys import Places, key_hash
from assets.cases.reading import Table, picked
from assets.cases.typed import as_sent, trimmed, typed
from schemas.cases.columns import TYPES
from schemas.cases.rules import OWNER, ROW_RULES, UNIQUE, row_rules, with_codes
from schemas.collection import Collection

QUARANTINE: Final = {
    "file": pl.String,
    "row": pl.Int64,
    **dict.fromkeys(TYPES, pl.String),
    "reasons": pl.String,
}
"""Columns of a bad row: where it stands, as it was sent, and the rules it breaks joined by `;`."""

FAULTS: Final = {
    "file": pl.String,
    "force_code": pl.String,
    "reasons": pl.String,
    "rows": pl.Int64,
}
"""Columns of a table of bad rows by file, force and all the rules they break."""

_RULES: Final = (*ROW_RULES, UNIQUE)
_UNIQUE_BIT: Final = 1 << _RULES.index(UNIQUE)


@dataclass(frozen=True)
class Settled:
    """What became of the suspects: `bad` rows in order, with all their reasons.

    `faults` counts them (FAULTS). `cells` and `days` are the places in the grid of those that
    were counted as valid before their key was found to repeat.
    """

    bad: pl.LazyFrame
    faults: pl.DataFrame
    cells: Places
    days: Places


def look_at(
    tables: Sequence[Table], rows: Places, collection: Collection, grid: Grid
) -> pl.DataFrame:
    """Return some rows of a chunk, given by their number in it, sorted.

    Columns: those of the contract as text, and `owner`, `key` (its hash), `broken` (a bit for
    each broken rule), `cell` and `day` (places in the grid).
    """
    found = [(table.source, trimmed(table.rows)) for table in picked(tables, rows)]
    coded = [
        with_codes(typed(few, text=source.text), grid.forces, collection.template)
        for source, few in found
    ]
    judged = pl.concat(coded).select(
        OWNER.alias("owner"),
        key_hash().alias("key"),
        _broken(collection).alias("broken"),
        grid.cell().alias("cell"),
        grid.day().alias("day"),
    )
    sent = pl.concat(as_sent(few) for _, few in found)
    return pl.concat([sent, judged.collect()], how="horizontal")


def _broken(collection: Collection) -> pl.Expr:
    bits = (
        (~holds).cast(pl.UInt16) * (1 << _RULES.index(rule_id))
        for rule_id, holds in row_rules(collection).items()
    )
    return pl.sum_horizontal(bits).cast(pl.UInt16)


def settle(suspects: Sequence[pl.LazyFrame], at_once: int) -> Settled:
    """Decide about the suspects of a part, given in order, with a column `candidate`.

    A candidate's key may repeat. About `at_once` keys are compared together: a bucket of hashes.
    """
    rows = pl.concat(suspects).with_row_index("place")
    buckets = 1 + rows.select(pl.col("candidate").sum()).collect().item() // at_once
    alone = pl.concat(_alone(rows, bucket, buckets) for bucket in range(buckets))
    repeats = pl.col("candidate") & ~pl.col("place").is_in(alone.implode())
    broken = pl.col("broken") + repeats.cast(pl.UInt16) * _UNIQUE_BIT
    bad = rows.with_columns(reasons=pl.lit(_reasons()).gather(broken)).filter(broken > 0)
    faults = bad.group_by("file", pl.col("owner").alias("force_code"), "reasons").agg(
        pl.len().cast(pl.Int64).alias("rows")
    )
    counted = rows.filter(repeats, broken == _UNIQUE_BIT).select("cell", "day")
    found, taken_back = pl.collect_all([faults.sort(pl.all()), counted], engine="streaming")
    return Settled(
        bad.select(*QUARANTINE),
        found,
        taken_back["cell"].to_numpy(),
        taken_back["day"].drop_nulls().to_numpy(),
    )


def _alone(rows: pl.LazyFrame, bucket: int, buckets: int) -> pl.Series:
    """Return the places of candidates whose hash is another key's too, but their key nobody's."""
    here = pl.col("candidate") & (pl.col("key") % buckets == bucket)
    keys = rows.filter(here).select("place", "owner", "force_code", "case_ref").collect()
    once = pl.len().over("owner", "force_code", "case_ref") == 1
    return keys.filter(once)["place"]


@cache
def _reasons() -> pl.Series:
    """Return the broken rules joined by `;`, by the bits of their combination."""
    return pl.Series(
        ";".join(rule_id for bit, rule_id in enumerate(_RULES) if combination >> bit & 1)
        for combination in range(1 << len(_RULES))
    )
