"""The desk as assets: what people decided, as tables that validation reads."""

from pathlib import Path

import dagster as dg
import polars as pl

from assets.declare import table
from assets.lake import Lake
from assets.returns.desk.corrections import read_corrections
from assets.returns.desk.decisions import Ledger, read_answers, read_choices
from schemas.collection import load_collection
from schemas.tables import Answers, Choices, Corrections

_STAGE = "desk"


@table(Answers, _STAGE, "answers")
def answers(context: dg.AssetExecutionContext, lake_root: dg.ResourceParam[Path]) -> pl.DataFrame:
    return read_answers(Ledger(Lake(lake_root, context.partition_key)))


@table(Choices, _STAGE, "choices")
def choices(context: dg.AssetExecutionContext, lake_root: dg.ResourceParam[Path]) -> pl.DataFrame:
    return read_choices(Ledger(Lake(lake_root, context.partition_key)))


@table(Corrections, _STAGE, "corrections")
def corrections(
    context: dg.AssetExecutionContext, lake_root: dg.ResourceParam[Path]
) -> pl.DataFrame:
    lake = Lake(lake_root, context.partition_key)
    return read_corrections(lake, load_collection(lake.collection))
