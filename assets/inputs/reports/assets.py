"""Force reports as an asset: the figures that published reports print of their force."""

from pathlib import Path

import dagster as dg
import polars as pl

from assets.declare import TakeIn, table
from assets.inputs.reports.kept_reports import read_reports
from assets.lake import Lake
from schemas.collection import load_collection
from schemas.tables import ReportFigures


@table(ReportFigures, "reports", "report_figures", damaged="intake/damaged_receipts")
def report_figures(
    context: dg.AssetExecutionContext,
    config: TakeIn,
    lake_root: dg.ResourceParam[Path],
    damaged: pl.DataFrame,
) -> pl.DataFrame:
    lake = Lake(lake_root, context.partition_key)
    read = read_reports(lake, load_collection(lake.collection), config.settled, damaged)
    for name, problems in read.problems.items():
        context.log.warning(f"{name}: {'; '.join(problems)}")
    return read.figures
