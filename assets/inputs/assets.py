"""The inputs beside returns: dropped research becomes tables and marts, dropped reports figures."""

from typing import Any

import dagster as dg
import polars as pl

from assets.declare import RESEARCH, Check, TakeIn, made
from assets.inputs.reports.kept_reports import read_reports
from assets.inputs.research.store import read_research
from assets.inputs.research.tables import social_media, survey, survey_changes
from assets.lake import Lake
from schemas.collection import Collection

_FILES, _PROBLEMS = "research/research_files", "research/research_problems"


def research(
    config: TakeIn, lake: Lake, collection: Collection, about: dict[str, Any]
) -> tuple[pl.DataFrame, ...]:
    """Take in what waits in the research folder, and read the newest acceptable files."""
    read = read_research(lake, collection, config.settled)
    about[_FILES] = {"new": list(read.new), "left_in_landing": read.left}
    tables = read.tables
    return tables.profiles, tables.instances, tables.responses, read.files, read.problems


def research_is_sound(research_problems: pl.DataFrame) -> tuple[bool, dict[str, Any]]:
    # Not what was observed: it quotes a cell, and Dagster keeps this for good.
    first = research_problems.head(20).select("file_name", "row", "column_name").rows()
    about = {"problems": research_problems.height, "first": [list(row) for row in first]}
    return research_problems.is_empty(), about


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


PARTS = (
    made("reports/report_figures", by=report_figures, damaged="intake/damaged_receipts"),
    made(*RESEARCH.values(), _FILES, _PROBLEMS, by=research),
    made("research/social_media", by=social_media, instances=RESEARCH["instances"]),
    made("research/survey", by=survey, responses=RESEARCH["responses"]),
    made("research/survey_changes", by=survey_changes, responses=RESEARCH["responses"]),
    Check(
        _PROBLEMS,
        "research_is_sound",
        "Every research file is as its contract says; else the one before it counts.",
        research_is_sound,
    ),
)
