"""Case-level extracts as assets: what was dropped becomes extracts, and cases by month."""

from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import dagster as dg
import polars as pl

from assets.cases.counting import Done
from assets.cases.job import Pool, chosen_pool
from assets.cases.received import judge_received
from assets.cases.store import CaseStore
from assets.declare import COLLECTIONS, TakeIn, retried, table_spec
from assets.intake.landing import CASES
from assets.lake import Lake
from schemas.cases.tables import DAMAGED_STATE, UNREADABLE_STATE, Extracts
from schemas.collection import load_collection
from schemas.contract import empty
from schemas.marts.facts import InvestigationsByMonth

_STAGE = "cases"


@dg.multi_asset(
    outs={
        name: dg.AssetOut(**table_spec(_STAGE, name, contract))
        for name, contract in {
            "extracts": Extracts,
            "investigations_by_month": InvestigationsByMonth,
        }.items()
    },
    partitions_def=COLLECTIONS,
)
@retried()
def cases(
    context: dg.AssetExecutionContext, config: TakeIn, lake_root: dg.ResourceParam[Path]
) -> tuple[dg.Output[pl.DataFrame], dg.Output[pl.DataFrame]]:
    """Take in what waits in the cases folder, and judge the extract of each force."""
    lake = Lake(lake_root, context.partition_key)
    collection = load_collection(lake.collection)
    store = CaseStore(lake)
    if collection.template.cases is None:
        context.log.info("The collection's template has no [cases]: no extract is taken in.")
        waiting = sorted((lake.landing / CASES).glob("*"))
        left = {path.name: "this collection asks for no case extracts" for path in waiting}
        for name, reason in left.items():
            context.log.warning(f"{name} stays in landing: {reason}")
        return (
            dg.Output(empty(Extracts), "extracts", metadata={"new": 0, "left_in_landing": left}),
            dg.Output(empty(InvestigationsByMonth), "investigations_by_month"),
        )
    taken = store.take_in(collection, config.settled)
    for name, reason in taken.left.items():
        context.log.warning(f"{name} stays in landing: {reason}")
    done: list[Done] = []
    pool = chosen_pool(lambda part: _told(part, done, context))
    extracts, by_month = judge_received(store, lake, collection, pool)
    about: dict[str, Any] = {"new": len(taken.new), "left_in_landing": taken.left}
    about |= _of_cluster(pool, done)
    return (
        dg.Output(extracts, "extracts", metadata=about),
        dg.Output(by_month, "investigations_by_month"),
    )


def _told(part: Done, done: list[Done], context: dg.AssetExecutionContext) -> None:
    """Keep what a cluster has finished, and show it in the run as it comes."""
    done.append(part)
    context.log.info(
        f"{part.part} ({', '.join(part.forces)}): {part.rows:,} rows in {part.seconds:.1f} s on"
        f" {part.worker}"
    )


def _of_cluster(pool: Pool, done: Sequence[Done]) -> dict[str, Any]:
    """Return what a run says of the cluster it used: its pages, and each part; else nothing."""
    if not pool.dashboard:
        return {}
    records = [
        dg.TableRecord({**asdict(part), "forces": ", ".join(part.forces)})
        for part in sorted(done, key=lambda part: part.part)
    ]
    return {
        "dask_dashboard": dg.MetadataValue.url(pool.dashboard),
        "parts": dg.MetadataValue.table(records),
    }


@dg.asset_check(
    asset=dg.AssetKey([_STAGE, "extracts"]),
    name="extracts_are_sound",
    description="Every extract can be read, and has no more bad rows than the collection allows.",
)
@retried()
def extracts_are_sound(extracts: pl.DataFrame) -> dg.AssetCheckResult:
    refused = extracts.filter(pl.col("state").is_in(["rejected", UNREADABLE_STATE, DAMAGED_STATE]))
    return dg.AssetCheckResult(
        passed=refused.is_empty(),
        severity=dg.AssetCheckSeverity.WARN,
        metadata={
            "refused": refused.height,
            "bad_rows": int(extracts["bad"].sum()),
            # Not the problem itself: it can quote a heading, and Dagster keeps this for good.
            "first": refused.head(20).select("force_code", "version", "state", "bad").rows(),
        },
    )
