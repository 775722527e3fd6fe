"""Holds the results of a peer to those of the job: a comparison of other results measures nothing.

Belongs here: every number that both write. Does not: what only the job says (samples, advice).
"""

import json
from pathlib import Path
from typing import Any

import polars as pl

from benchmarks.peers import spec

_BY_FORCE = [
    "force_code", "rows", "valid", "bad", "suspended", "staff", "closed", *spec.QUARTILES,
    "days_longest",
]  # fmt: skip


def differences(ours: Path, theirs: Path) -> list[str]:
    """Return what differs between two folders of results, nothing where all is equal."""
    found = [
        name
        for name, table in {"counts": _counts, "by_force": _by_force, "quarantine": _bad}.items()
        if not table(ours / f"{name}.parquet").equals(table(theirs / f"{name}.parquet"))
    ]
    document = json.loads((ours / "summary.json").read_text())
    other: dict[str, Any] = json.loads((theirs / "summary.json").read_text())
    rules = {rule["rule_id"]: rule["rows"] for rule in document["rules"] if rule["rows"]}
    to_close = document["national"]["to_close"]
    if rules != other["rules"]:
        found.append("rules")
    if [to_close[name] for name in (*spec.QUARTILES, "days_longest")] != other["days"]:
        found.append("days")
    return found


def _counts(path: Path) -> pl.DataFrame:
    table = pl.read_parquet(path).select(pl.col(spec.COUNTED_BY).cast(pl.String), "cases")
    return table.cast({"cases": pl.Int64}).sort(pl.all())


def _by_force(path: Path) -> pl.DataFrame:
    table = pl.read_parquet(path).filter(pl.col("rows") > 0).select(_BY_FORCE)
    numbers = pl.all().exclude("force_code").cast(pl.Float64).cast(pl.Int64).fill_null(0)
    return table.select(pl.col("force_code").cast(pl.String), numbers).sort("force_code")


def _bad(path: Path) -> pl.DataFrame:
    table = pl.read_parquet(path)
    text = pl.col(*spec.COLUMNS, "reasons").cast(pl.String)
    return table.select(pl.col("file").cast(pl.String), pl.col("row").cast(pl.Int64), text).sort(
        "file", "row"
    )
