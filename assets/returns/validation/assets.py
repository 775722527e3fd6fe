"""Validation as assets: raw cells become entries, findings, states, and live returns."""

from pathlib import Path

import dagster as dg
import polars as pl

from assets.cases import derived
from assets.declare import COLLECTIONS, ins, retried, stated, table, table_spec
from assets.intake.tables import RawTables, readings
from assets.lake import Lake
from assets.returns.desk.corrections import applied_mart, by_force
from assets.returns.desk.decisions import version_changes
from assets.returns.validation import states
from assets.returns.validation.judge import judge, received_by_id
from schemas.collection import load_collection, sound_collections
from schemas.contract import conform, empty
from schemas.errors import LakeError
from schemas.marts.returns import Corrections as CorrectionsMart
from schemas.marts.returns import Findings, ReturnsStatus
from schemas.rules.catalogue import NATIONAL, TIERS, rules
from schemas.tables import (
    AllFindings,
    AppliedCorrections,
    Entries,
    LiveEntries,
    LiveReturns,
    RuleResults,
    VersionChanges,
)

_STAGE = "validation"
_Made = dg.Output[pl.DataFrame]

FORCE_RETURNS = {
    collection.id: dg.AssetSpec(
        key=[_STAGE, "force_returns", collection.id],
        description="One partition for each expected force, materialised by its live return.",
        group_name=_STAGE,
        partitions_def=dg.StaticPartitionsDefinition(collection.forces),
    )
    for collection in sound_collections()
}


@dg.multi_asset(
    outs={
        name: dg.AssetOut(**table_spec(_STAGE, name, contract))
        for name, contract in {
            "entries": Entries,
            "all_findings": AllFindings,
            "rule_results": RuleResults,
            "applied_corrections": AppliedCorrections,
        }.items()
    },
    ins=ins(
        {
            "receipts": "intake/receipts",
            "raw_cells": "intake/raw_cells",
            "sheet_facts": "intake/sheet_facts",
            "corrections": "desk/corrections",
            "extracts": "cases/extracts",
            "by_month": "cases/investigations_by_month",
        }
    ),
    partitions_def=COLLECTIONS,
)
def validated(
    context: dg.AssetExecutionContext,
    receipts: pl.DataFrame,
    raw_cells: pl.DataFrame,
    sheet_facts: pl.DataFrame,
    corrections: pl.DataFrame,
    extracts: pl.DataFrame,
    by_month: pl.DataFrame,
) -> tuple[_Made, _Made, _Made, _Made]:
    """Check every received return by every rule."""
    collection = load_collection(context.partition_key)
    result = judge(
        readings(RawTables(receipts, raw_cells, sheet_facts)),
        received_by_id(receipts, collection),
        collection,
        by_force(corrections),
        derived.leaf_grid(by_month, extracts.filter("live")["force_code"], collection.template),
    )
    return (
        stated(result.entries, "entries"),
        stated(result.findings, "all_findings"),
        stated(result.results, "rule_results"),
        stated(result.applied, "applied_corrections"),
    )


@dg.multi_asset(
    outs={
        "returns_status": dg.AssetOut(**table_spec(_STAGE, "returns_status", ReturnsStatus)),
        "findings": dg.AssetOut(**table_spec(_STAGE, "findings", Findings)),
        "live_returns": dg.AssetOut(**table_spec(_STAGE, "live_returns", LiveReturns)),
    },
    ins=ins(
        {
            "receipts": "intake/receipts",
            "damaged": "intake/damaged_receipts",
            "all_findings": "validation/all_findings",
            "answers": "desk/answers",
            "choices": "desk/choices",
            "entries": "validation/entries",
            "extracts": "cases/extracts",
        }
    ),
    partitions_def=COLLECTIONS,
)
@retried()
def judged(
    context: dg.AssetExecutionContext,
    lake_root: dg.ResourceParam[Path],
    receipts: pl.DataFrame,
    **tables: pl.DataFrame,
) -> tuple[_Made, _Made, _Made]:
    """Judge every receipt, and say which return of each force is live.

    Of a force whose live return is the same as before Dagster is not told again.
    """
    extracts, damaged, choices = (tables[name] for name in ("extracts", "damaged", "choices"))
    found = states.answered_findings(
        tables["all_findings"], receipts, tables["answers"], context.partition_key
    )
    receipts_judged = states.judged_receipts(receipts, found, choices)
    states.check_damaged(receipts_judged, damaged, choices)
    only = derived.only_rows(extracts, receipts, damaged)
    live = conform(
        LiveReturns,
        pl.concat(
            [states.live_returns(receipts_judged, tables["entries"]), derived.derived_returns(only)]
        ),
    )
    status = states.returns_status(receipts_judged, load_collection(context.partition_key))
    key = FORCE_RETURNS[context.partition_key].key
    told = context.instance.get_materialized_partitions(key)
    before = _live_before(Lake(lake_root, context.partition_key)).filter(
        pl.col("force_code").is_in(list(told))
    )
    changed = live.join(before, on=["force_code", "receipt_id", "basis"], how="anti")
    for row in changed.iter_rows(named=True):
        context.log_event(
            dg.AssetMaterialization(
                key,
                partition=row["force_code"],
                metadata={"receipt": row["receipt_id"], "basis": row["basis"]},
            )
        )
    return (
        stated(derived.told_in_status(status, only, extracts), "returns_status"),
        stated(states.findings_mart(receipts_judged, found), "findings"),
        stated(live, "live_returns"),
    )


def _live_before(lake: Lake) -> pl.DataFrame:
    """Return the table LiveReturns of the run before; without rows where there is none."""
    try:
        return states.work_table(lake, _STAGE, "live_returns")
    except LakeError:
        return empty(LiveReturns)


@table(
    VersionChanges,
    _STAGE,
    "version_changes",
    receipts="intake/receipts",
    entries="validation/entries",
)
def changes(receipts: pl.DataFrame, entries: pl.DataFrame) -> pl.DataFrame:
    return version_changes(receipts, entries)


@table(
    CorrectionsMart,
    _STAGE,
    "corrections",
    corrections="desk/corrections",
    applied="validation/applied_corrections",
    live_returns="validation/live_returns",
)
def corrections(
    context: dg.AssetExecutionContext,
    corrections: pl.DataFrame,
    applied: pl.DataFrame,
    live_returns: pl.DataFrame,
) -> pl.DataFrame:
    template = load_collection(context.partition_key).template
    return applied_mart(corrections, applied, live_returns, template)


@table(
    LiveEntries,
    _STAGE,
    "live_entries",
    live_returns="validation/live_returns",
    entries="validation/entries",
    extracts="cases/extracts",
    receipts="intake/receipts",
    damaged="intake/damaged_receipts",
    by_month="cases/investigations_by_month",
)
def live_entries(
    context: dg.AssetExecutionContext,
    live_returns: pl.DataFrame,
    entries: pl.DataFrame,
    extracts: pl.DataFrame,
    receipts: pl.DataFrame,
    damaged: pl.DataFrame,
    by_month: pl.DataFrame,
) -> pl.DataFrame:
    only = derived.only_rows(extracts, receipts, damaged)
    sent = states.live_entries(live_returns, entries)
    template = load_collection(context.partition_key).template
    added_up = derived.derived_entries(by_month, only, template)
    return conform(LiveEntries, pl.concat([sent, added_up]))


def _tier_check(tier: str, title: str) -> dg.AssetChecksDefinition:
    @dg.asset_check(
        asset=dg.AssetKey([_STAGE, "findings"]),
        name=tier,
        description=title,
    )
    @retried()
    def check(findings: pl.DataFrame) -> dg.AssetCheckResult:
        of_tier = [rule.id for rule in rules().values() if rule.tier == tier]
        blocking = findings.filter(pl.col("rule_id").is_in(of_tier) & (pl.col("severity") == "B"))
        counts = blocking.group_by("rule_id").len().sort("rule_id")
        return dg.AssetCheckResult(
            passed=blocking.is_empty(),
            severity=dg.AssetCheckSeverity.WARN,
            metadata={
                "blocking_findings": blocking.height,
                "returns": blocking["receipt_id"].n_unique(),
                "by_rule": dict(counts.iter_rows()),
            },
        )

    return check


TIER_CHECKS = [_tier_check(tier, title) for tier, title in TIERS.items() if tier != NATIONAL]
