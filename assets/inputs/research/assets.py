"""Research as assets: what was dropped becomes tables, and tables become marts."""

from pathlib import Path
from typing import Any

import dagster as dg
import polars as pl

from assets.declare import COLLECTIONS, RESEARCH, TakeIn, retried, stated, table, table_spec
from assets.inputs.research import tables
from assets.inputs.research.store import read_research
from assets.lake import Lake
from schemas.collection import load_collection
from schemas.marts.research import SocialMedia, Survey, SurveyChanges
from schemas.tables import TABLES

_STAGE = "research"
_Made = dg.Output[pl.DataFrame]


@dg.multi_asset(
    outs={
        name: dg.AssetOut(**table_spec(stage, name, contract))
        for (stage, _, name), contract in ((key.partition("/"), of) for key, of in TABLES.items())
        if stage == _STAGE
    },
    partitions_def=COLLECTIONS,
)
@retried()
def research(
    context: dg.AssetExecutionContext, config: TakeIn, lake_root: dg.ResourceParam[Path]
) -> tuple[_Made, _Made, _Made, _Made, _Made]:
    """Take in what waits in the research folder, and read the newest acceptable files."""
    lake = Lake(lake_root, context.partition_key)
    read = read_research(lake, load_collection(lake.collection), config.settled)
    about: dict[str, Any] = {"new": list(read.new), "left_in_landing": read.left}
    return (
        stated(read.tables.profiles, "social_media_profiles"),
        stated(read.tables.instances, "social_media_instances"),
        stated(read.tables.responses, "survey_responses"),
        stated(read.files, "research_files", metadata=about),
        stated(read.problems, "research_problems"),
    )


@table(SocialMedia, _STAGE, "social_media", instances=RESEARCH["instances"])
def social_media(instances: pl.DataFrame) -> pl.DataFrame:
    return tables.social_media(instances)


@table(Survey, _STAGE, "survey", responses=RESEARCH["responses"])
def survey(responses: pl.DataFrame) -> pl.DataFrame:
    return tables.survey(responses)


@table(SurveyChanges, _STAGE, "survey_changes", responses=RESEARCH["responses"])
def survey_changes(responses: pl.DataFrame) -> pl.DataFrame:
    return tables.survey_changes(responses)


@dg.asset_check(
    asset=dg.AssetKey([_STAGE, "research_problems"]),
    name="research_is_sound",
    description="Every research file is as its contract says; else the one before it counts.",
)
@retried()
def research_is_sound(research_problems: pl.DataFrame) -> dg.AssetCheckResult:
    # Not what was observed: it quotes a cell, and Dagster keeps this for good.
    first = research_problems.head(20).select("file_name", "row", "column_name").rows()
    return dg.AssetCheckResult(
        passed=research_problems.is_empty(),
        severity=dg.AssetCheckSeverity.WARN,
        metadata={"problems": research_problems.height, "first": [list(row) for row in first]},
    )
