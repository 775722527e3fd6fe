"""The document that says what came of an extract: exact counts, and a few samples of each fault.

Belongs here: its layout. Does not: any counting (results.py).
"""

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import polars as pl

from assets.cases.results import Totals, spread
from assets.intake.quoting import shown
from schemas.cases.columns import ACCEPTED, QUARANTINED, REJECTED, TYPES, codes
from schemas.cases.rules import CASE_REF, COLUMN_OF, case_rules
from schemas.collection import Collection

SAMPLES: Final = 5
"""Addresses shown of each rule; the quarantine has all."""

_NEAR: Final = 10_000
"""Rows at the beginning of the quarantine that are searched for samples first."""

_SHOWN: Final = 80
"""Characters of a value that a sample shows."""


def summary(
    totals: Totals, forces: pl.DataFrame, quarantine: Path, collection: Collection
) -> dict[str, Any]:
    """Return the document as JSON knows it.

    `state` is `accepted`, `quarantined` (accepted without its bad rows) or `rejected` (too large
    a share is bad, of all rows or of those of the forces in `rejected`); `rows`, `valid`, `bad`,
    `bad_share`, `max_bad_share`; `rules`, `files` and `national` say more.

    Args:
        totals: all parts together.
        forces: as `results.by_force` returns them.
        quarantine: the file of all bad rows.
        collection: the collection.
    """
    rows, bad = sum(totals.rows.values()), totals.faults["rows"].sum()
    limit = collection.max_bad_share
    share = bad / rows if rows else 0.0
    rejected = forces.filter(state=REJECTED)["force_code"].to_list()
    state = REJECTED if rejected or share > limit else QUARANTINED if bad else ACCEPTED
    return {
        "collection": collection.id,
        "state": state,
        "rejected": rejected,
        "rows": rows,
        "valid": rows - bad,
        "bad": bad,
        "bad_share": share,
        "max_bad_share": limit,
        "rules": _rules(totals.faults, quarantine, codes(collection.template)),
        "files": _files(totals),
        "national": _national(totals),
    }


def _by_rule(faults: pl.DataFrame, *keys: str) -> pl.DataFrame:
    """Count bad rows by rule; a row that breaks two counts for both."""
    single = faults.with_columns(pl.col("reasons").str.split(";")).explode("reasons")
    return single.group_by(*keys, "reasons").agg(pl.col("rows").sum()).sort(*keys, "reasons")


def _rules(
    faults: pl.DataFrame, quarantine: Path, listed: Mapping[str, Sequence[str]]
) -> list[dict[str, Any]]:
    broken = dict(_by_rule(faults).iter_rows())
    bad = pl.scan_parquet(quarantine, glob=False).with_columns(pl.col(*TYPES).str.head(_SHOWN))
    near = bad.head(_NEAR).collect()
    return [
        {
            "rule_id": rule.id,
            "title": rule.title,
            "rows": broken.get(rule.id, 0),
            "how_to_fix": rule.fix,
            "samples": _samples(rule.id, broken.get(rule.id, 0), near, bad, listed),
        }
        for rule in case_rules().values()
    ]


def _samples(
    rule_id: str,
    rows: int,
    near: pl.DataFrame,
    bad: pl.LazyFrame,
    listed: Mapping[str, Sequence[str]],
) -> list[dict[str, Any]]:
    """Return the first rows that break a rule, which nearly always stand near the beginning."""
    broken = pl.col("reasons").str.contains(rule_id, literal=True)
    found = near.filter(broken).head(SAMPLES)
    if found.height < min(rows, SAMPLES):
        found = bad.filter(broken).head(SAMPLES).collect()
    column = COLUMN_OF[rule_id]
    place = ("file", "row", pl.lit(column).alias("column"))
    samples = found.select(*place, pl.col(column).alias("value")).to_dicts()
    for sample in samples:
        text = sample["value"]
        # What stands there may name somebody; a reference in its form does not.
        if text and not (column == "case_ref" and re.fullmatch(CASE_REF, text)):
            sample["value"] = shown(text, listed.get(column, ()))
    return samples


def _files(totals: Totals) -> list[dict[str, Any]]:
    bad = dict(totals.faults.group_by("file").agg(pl.col("rows").sum()).iter_rows())
    broken: dict[str, dict[str, int]] = {}
    for file, rule_id, rows in _by_rule(totals.faults, "file").iter_rows():
        broken.setdefault(file, {})[rule_id] = rows
    return [
        {
            "file": file,
            "rows": rows,
            "valid": rows - bad.get(file, 0),
            "bad": bad.get(file, 0),
            "rules": broken.get(file, {}),
        }
        for file, rows in totals.rows.items()
    ]


def _national(totals: Totals) -> dict[str, Any]:
    """Return the valid cases of all forces by one column at a time, and their days to close."""
    days = totals.days.group_by("days").agg(pl.col("cases").sum()).sort("days")
    by = ("category", "recipient", "media", "status_at_census", "month")
    return {
        **totals.forces.select(pl.col("valid").alias("cases"), "suspended", "staff")
        .sum()
        .row(0, named=True),
        **{name: _by(totals.counts, name) for name in by},
        "to_close": days.select(spread()).row(0, named=True),
    }


def _by(counts: pl.DataFrame, name: str) -> dict[str, int]:
    held = counts.drop_nulls(name).group_by(name).agg(pl.col("cases").sum()).sort(name)
    return dict(held.with_columns(pl.col(name).cast(pl.String)).iter_rows())
