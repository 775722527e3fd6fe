"""Taking in: returns become receipts, extracts cases, research and reports tables.

Each leaves in landing what is not whole yet, and says so.
"""

from dataclasses import asdict
from typing import Any, Final

import dagster as dg
import polars as pl

from assets.cases.job import chosen_pool
from assets.cases.received import judge_received
from assets.cases.store import CaseStore
from assets.declare import RESEARCH, Check, TakeIn, made
from assets.inputs.reports.kept_reports import read_reports
from assets.inputs.research.store import read_research
from assets.inputs.research.tables import social_media, survey, survey_changes
from assets.intake.landing import OPEN, waiting, waiting_anywhere
from assets.intake.raw_store import RawStore
from assets.intake.tables import damaged_receipts, received
from assets.lake import Lake
from schemas.collection import Collection
from schemas.contract import empty
from schemas.marts import InvestigationsByMonth
from schemas.tables import ExtractFindings, Extracts

_RECEIPTS, _EXTRACTS = "intake/receipts", "cases/extracts"
_REPORTS = "reports/report_figures"
_FILES, _PROBLEMS = "research/research_files", "research/research_problems"


def intake(
    context: dg.AssetExecutionContext,
    config: TakeIn,
    lake: Lake,
    collection: Collection,
    about: dict[str, Any],
) -> tuple[pl.DataFrame, ...]:
    """Take in what waits in landing, then read every file ever received."""
    store = RawStore(lake)
    dropped = waiting(lake.landing)
    settled = [path for path in dropped.files if config.settled(path)]
    taken = store.take_in(settled, collection)
    left = taken.left | {path.name: OPEN for path in dropped.unfinished}
    _say_left(context, left)
    for name, reason in taken.refused.items():
        context.log.warning(f"{name} is refused: {reason}")
    everything = received(store)
    damaged = damaged_receipts(everything.damaged, lake)
    for name in damaged["file"]:
        context.log.error(f"{name} is damaged or gone; nothing is computed from it")
    about[_RECEIPTS] = {
        "new": len(taken.new),
        "received_before_under_another_name": taken.duplicates,
        "left_in_landing": left,
        "refused": taken.refused,
        "ignored_in_landing": [path.name for path in dropped.folders],
        "litter_in_landing": [
            str(path.relative_to(lake.landing)) for path in waiting_anywhere(lake).litter
        ],
    }
    return _of_expected(everything.receipts, collection), damaged


def cases(
    context: dg.AssetExecutionContext,
    config: TakeIn,
    lake: Lake,
    collection: Collection,
    about: dict[str, Any],
) -> tuple[pl.DataFrame, pl.DataFrame, pl.DataFrame]:
    """Take in what waits in the cases folder, and judge the extract of each force."""
    if collection.cases is None:
        lying = sorted(lake.cases.glob("*"))
        left = {path.name: _NO_EXTRACTS for path in lying}
        about[_EXTRACTS] = {"new": 0, "left_in_landing": _say_left(context, left)}
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
    extracts, by_month, found = judge_received(store, lake, collection, pool)
    left = _say_left(context, taken.left)
    told = about[_EXTRACTS] = {"new": len(taken.new), "left_in_landing": left}
    if dashboard := getattr(pool, "dashboard", None):
        records = [dg.TableRecord(part) for part in sorted(done, key=lambda part: part["part"])]
        told["dask_dashboard"] = dg.MetadataValue.url(dashboard)
        told["parts"] = dg.MetadataValue.table(records)
    return _of_expected(extracts, collection), by_month, _of_expected(found, collection)


_NO_EXTRACTS: Final = (
    "lies where case-level extracts are dropped, and this collection takes none: its file has no"
    " [cases]"
)


def _of_expected(table: pl.DataFrame, collection: Collection) -> pl.DataFrame:
    """Return what came, nobody's where it is of a force that the collection names no more."""
    whose = [name for name in ("force_code", "version", "tie") if name in table.columns]
    expected = pl.col("force_code").is_in(collection.forces)
    return table.with_columns(pl.when(expected).then(pl.col(whose)))


def _say_left(context: dg.AssetExecutionContext, left: dict[str, str]) -> dict[str, str]:
    for name, reason in left.items():
        context.log.warning(f"{name} stays in landing: {reason}")
    return left


def research(
    config: TakeIn, lake: Lake, collection: Collection, about: dict[str, Any]
) -> tuple[pl.DataFrame, ...]:
    """Take in what waits in the research folder, and read the newest acceptable files."""
    read = read_research(lake, collection, config.settled)
    about[_FILES] = {"new": list(read.new), "left_in_landing": read.left}
    tables = read.tables
    return tables.profiles, tables.instances, tables.responses, read.files, read.problems


def research_is_sound(research_problems: pl.DataFrame) -> tuple[bool, dict[str, Any]]:
    # Neither what was observed nor the column, which may be a cell where there is no heading:
    # Dagster keeps this for good.
    first = research_problems.head(20).select("file_name", "row").rows()
    about = {"problems": research_problems.height, "first": [list(row) for row in first]}
    return research_problems.is_empty(), about


def report_figures(
    context: dg.AssetExecutionContext,
    config: TakeIn,
    lake: Lake,
    collection: Collection,
    damaged: pl.DataFrame,
    about: dict[str, Any],
) -> pl.DataFrame:
    read = read_reports(lake, collection, config.settled, damaged)
    told = {name: "; ".join(problems) for name, problems in read.problems.items()}
    for name, problems in told.items():
        context.log.warning(f"{name}: {problems}")
    about[_REPORTS] = {"problems": told}
    return read.figures


PARTS = (
    made(_RECEIPTS, "intake/damaged_receipts", by=intake),
    made(_EXTRACTS, "cases/investigations_by_month", "cases/extract_findings", by=cases),
    made(_REPORTS, by=report_figures, damaged="intake/damaged_receipts"),
    made(*RESEARCH.values(), _FILES, _PROBLEMS, by=research),
    made("research/social_media", by=social_media, instances=RESEARCH["instances"]),
    Check(
        _PROBLEMS,
        "research_is_sound",
        "Every research file is as its contract says; else the one before it counts.",
        research_is_sound,
    ),
)

FOR_READERS = (
    made("research/survey", by=survey, responses=RESEARCH["responses"]),
    made("research/survey_changes", by=survey_changes, responses=RESEARCH["responses"]),
)
"""What no figure follows from."""
