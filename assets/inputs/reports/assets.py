"""Force reports: the figures that published reports print of their force."""

import dagster as dg
import polars as pl

from assets.declare import TakeIn, made
from assets.inputs.reports.kept_reports import read_reports
from assets.lake import Lake
from schemas.collection import Collection


def report_figures(
    context: dg.AssetExecutionContext,
    config: TakeIn,
    lake: Lake,
    collection: Collection,
    damaged: pl.DataFrame,
) -> pl.DataFrame:
    read = read_reports(lake, collection, config.settled, damaged)
    for name, problems in read.problems.items():
        context.log.warning(f"{name}: {'; '.join(problems)}")
    return read.figures


PARTS = (made("reports/report_figures", by=report_figures, damaged="intake/damaged_receipts"),)
