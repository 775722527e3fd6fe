"""Rules that a collection has downgraded or switched off, and how findings say so."""

from collections.abc import Sequence

import polars as pl

from schemas.collection import Collection
from schemas.contract import empty
from schemas.rules.catalogue import rules
from schemas.tables import AllFindings


def apply_changes(
    findings: pl.DataFrame, receipts: Sequence[str], collection: Collection
) -> pl.DataFrame:
    """Return findings with the collection's changes of rules.

    A finding of a downgraded rule has the lighter severity and says why. A rule that is switched
    off has no findings but one note for each receipt given, so that nobody takes it for passed.
    """
    for change in collection.rule_changes:
        mine = pl.col("rule_id") == change.rule
        why = f"since {change.since}: {change.reason}"
        if change.severity == "off":
            note = _note(change.rule, f"not checked in this collection, {why}", receipts)
            findings = pl.concat([findings.filter(~mine), note])
        else:
            downgraded = pl.lit(f" (downgraded to {change.severity} {why})")
            findings = findings.with_columns(
                pl.when(mine).then(pl.lit(change.severity)).otherwise("severity").alias("severity"),
                pl.when(mine)
                .then(pl.col("message") + downgraded)
                .otherwise("message")
                .alias("message"),
            )
    return findings


def _note(rule_id: str, message: str, receipts: Sequence[str]) -> pl.DataFrame:
    fixed = {
        "rule_id": rule_id,
        "severity": "N",
        "message": message,
        "how_to_fix": rules()[rule_id].advice("Nothing."),
    }
    schema = empty(AllFindings).schema
    return pl.DataFrame([{"receipt_id": key, **fixed} for key in receipts], schema=schema)
