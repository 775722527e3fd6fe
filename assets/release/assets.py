"""Release as an asset: all marts of one run, published together or not at all."""

from pathlib import Path

import dagster as dg
import polars as pl

from assets.declare import COLLECTIONS, OWNERS, ins
from assets.lake import Lake
from assets.release.identity import ingredients
from assets.release.publish import publish
from schemas.marts.catalogue import MARTS

_STAGE = "release"
_MADE_BY = {
    "reconciliation": "reconciliation/reconciliation",
    "returns_status": "validation/returns_status",
    "findings": "validation/findings",
    "corrections": "validation/corrections",
    "national_checks": "recount/national_checks",
}


@dg.asset(
    key=[_STAGE, "marts"],
    description="Every mart as a Parquet file in one immutable release, shown by one rename.",
    group_name=_STAGE,
    kinds={"parquet"},
    owners=OWNERS,
    partitions_def=COLLECTIONS,
    io_manager_key="nothing",
    ins=ins(
        {
            **{name: _MADE_BY.get(name, f"totals/{name}") for name in MARTS},
            "receipts": "intake/receipts",
            "live_returns": "validation/live_returns",
            "report_figures": "reports/report_figures",
            "answers": "desk/answers",
            "choices": "desk/choices",
        }
    ),
)
def marts(
    context: dg.AssetExecutionContext, lake_root: dg.ResourceParam[Path], **tables: pl.DataFrame
) -> dg.MaterializeResult[None]:
    lake = Lake(lake_root, context.partition_key)
    made_from = ingredients(
        lake.collection,
        returns=tables["receipts"].select("force_code", "sha256").rows(),
        live=tables["live_returns"].select("force_code", "sha256").rows(),
        reports=tables["report_figures"]["sha256"].unique().to_list(),
        decisions=[tables[name] for name in ("answers", "choices", "corrections")],
    )
    folder, _ = publish(lake, {name: tables[name] for name in MARTS}, made_from)
    return dg.MaterializeResult(
        metadata={
            "release": made_from.release_id,
            "path": dg.MetadataValue.path(folder),
            "rows": {name: tables[name].height for name in MARTS},
        }
    )
