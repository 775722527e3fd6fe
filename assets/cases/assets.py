"""Case-level extracts as assets: what was dropped becomes extracts, and cases by month."""

from dataclasses import asdict
from pathlib import Path
from typing import Any

import dagster as dg
import polars as pl

from assets.cases.job import chosen_pool
from assets.cases.received import judge_received
from assets.cases.store import CaseStore
from assets.declare import COLLECTIONS, TakeIn, retried, stated, table_spec
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
            stated(empty(Extracts), "extracts", metadata={"new": 0, "left_in_landing": left}),
            stated(empty(InvestigationsByMonth), "investigations_by_month"),
        )
    taken = store.take_in(collection, config.settled)
    for name, reason in taken.left.items():
        context.log.warning(f"{name} stays in landing: {reason}")
    done: list[dict[str, Any]] = []

    def tell(part: Any) -> None:
        """Keep what a cluster has finished, and show it in the run as it comes."""
        done.append({**asdict(part), "forces": ", ".join(part.forces)})
        context.log.info(
            "{part} ({forces}): {rows:,} rows in {seconds:.1f} s on {worker}".format(**done[-1])
        )

    pool = chosen_pool(tell)
    extracts, by_month = judge_received(store, lake, collection, pool)
    about: dict[str, Any] = {"new": len(taken.new), "left_in_landing": taken.left}
    if dashboard := getattr(pool, "dashboard", None):
        records = [dg.TableRecord(part) for part in sorted(done, key=lambda part: part["part"])]
        about["dask_dashboard"] = dg.MetadataValue.url(dashboard)
        about["parts"] = dg.MetadataValue.table(records)
    return (
        stated(extracts, "extracts", metadata=about),
        stated(by_month, "investigations_by_month"),
    )


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
