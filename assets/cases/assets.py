"""Case-level extracts: what was dropped becomes extracts, and cases by month."""

from dataclasses import asdict
from typing import Any

import dagster as dg
import polars as pl

from assets.cases.job import chosen_pool
from assets.cases.received import judge_received
from assets.cases.store import CaseStore
from assets.declare import TakeIn, made
from assets.intake.landing import CASES
from assets.lake import Lake
from schemas.collection import Collection
from schemas.contract import empty
from schemas.marts.facts import InvestigationsByMonth
from schemas.tables import ExtractFindings, Extracts

_EXTRACTS = "cases/extracts"


def cases(
    context: dg.AssetExecutionContext,
    config: TakeIn,
    lake: Lake,
    collection: Collection,
    about: dict[str, Any],
) -> tuple[pl.DataFrame, pl.DataFrame, pl.DataFrame]:
    """Take in what waits in the cases folder, and judge the extract of each force."""
    if collection.template.cases is None:
        context.log.info("The collection's template has no [cases]: no extract is taken in.")
        waiting = sorted((lake.landing / CASES).glob("*"))
        left = {path.name: "this collection asks for no case extracts" for path in waiting}
        about[_EXTRACTS] = {"new": 0, **_left(context, left)}
        return empty(Extracts), empty(InvestigationsByMonth), empty(ExtractFindings)
    store = CaseStore(lake)
    taken = store.take_in(collection, config.settled)
    done: list[dict[str, Any]] = []

    def tell(part: Any) -> None:
        """Keep what a cluster has finished, and show it in the run as it comes."""
        done.append({**asdict(part), "forces": ", ".join(part.forces)})
        context.log.info(
            "{part} ({forces}): {rows:,} rows in {seconds:.1f} s on {worker}".format(**done[-1])
        )

    pool = chosen_pool(tell)
    judged = judge_received(store, lake, collection, pool)
    told = about[_EXTRACTS] = {"new": len(taken.new), **_left(context, taken.left)}
    if dashboard := getattr(pool, "dashboard", None):
        records = [dg.TableRecord(part) for part in sorted(done, key=lambda part: part["part"])]
        told["dask_dashboard"] = dg.MetadataValue.url(dashboard)
        told["parts"] = dg.MetadataValue.table(records)
    return judged


def _left(context: dg.AssetExecutionContext, left: dict[str, str]) -> dict[str, Any]:
    for name, reason in left.items():
        context.log.warning(f"{name} stays in landing: {reason}")
    return {"left_in_landing": left}


PARTS = (made(_EXTRACTS, "cases/investigations_by_month", "cases/extract_findings", by=cases),)
