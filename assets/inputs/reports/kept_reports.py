"""Force reports: kept by their hash like returns, and read into one table of figures."""

import hashlib
import json
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path

import polars as pl

from assets.inputs.reports.report import Report, ReportFigure, read_report
from assets.inputs.reports.report_text import MAX_BYTES, UnreadableReportError, report_text
from assets.inputs.reports.signs import Times
from assets.intake.landing import waiting
from assets.intake.reader import forces_by_name
from assets.intake.store import ID_LENGTH, kept, kept_at, kept_file
from assets.kept import made_once
from assets.lake import Lake, atomic_file
from schemas.collection import Collection
from schemas.contract import conform, empty
from schemas.tables import ReportFigures


@dataclass(frozen=True)
class ReportsRead:
    """`figures`: table ReportFigures. `problems`: what could not be read, by file name."""

    figures: pl.DataFrame
    problems: dict[str, list[str]]


def read_reports(
    lake: Lake,
    collection: Collection,
    settled: Callable[[Path], bool] = lambda _: True,
    damaged: pl.DataFrame | None = None,
) -> ReportsRead:
    """Keep the reports that were dropped, and read every report ever kept.

    Of a force of which a report is damaged there are no figures: another of its reports could say
    something else. Where it cannot be told whose that was, there are none at all.

    Args:
        lake: the lake.
        collection: the collection, whose period the reports are about.
        settled: whether a dropped file may be taken as it is now.
        damaged: table DamagedReceipts, which tells whose a damaged report was; None for nobody's.

    Raises:
        UnavailableError: a report cannot be kept.
    """
    whose = {} if damaged is None else dict(damaged.select("receipt_id", "force_code").iter_rows())
    times = Times.of(collection)
    lost: set[str | None] = set()
    rows: list[dict[str, object]] = []
    problems = _keep_dropped(lake, settled)
    for each in kept(lake, "report"):
        if damage := each.damage():
            force = whose.get(each.sha256[:ID_LENGTH])
            lost.add(force)
            place = (each.path or each.at).relative_to(lake.root)
            problems[each.name] = [
                f"{place}: {damage}. Restore it from the backup of the lake, or drop the report"
                f" again. Until then no figure of {force or 'any report'} counts"
            ]
            continue
        path = each.there()
        try:
            report = _read(lake, path, each.sha256, times)
        except UnreadableReportError as error:
            problems[path.name] = [str(error)]
            continue
        if report.problems:
            problems[path.name] = list(report.problems)
        if force := report.force_code:
            about = {"file_name": path.name, "sha256": each.sha256, "force_code": force}
            rows += [{**about, **asdict(figure)} for figure in report.figures]
    table = conform(ReportFigures, pl.DataFrame(rows, schema=empty(ReportFigures).schema))
    counts = pl.lit(None not in lost) & ~pl.col("force_code").is_in(list(lost - {None}))
    return ReportsRead(table.filter(counts), problems)


def _read(lake: Lake, path: Path, sha256: str, times: Times) -> Report:
    """Read a report once: what it says is kept by its bytes, and by what they are read with."""
    names = sorted(forces_by_name().items())
    key = (sha256, path.suffix.lower(), json.dumps([times, names]))

    def make() -> bytes:
        return json.dumps(asdict(read_report(report_text(path), times))).encode()

    force, figures, problems = json.loads(made_once(lake, "report", key, make)).values()
    return Report(force, tuple(ReportFigure(**figure) for figure in figures), tuple(problems))


def _keep_dropped(lake: Lake, settled: Callable[[Path], bool]) -> dict[str, list[str]]:
    """Keep what was dropped, and return by name why a file was not kept."""
    problems: dict[str, list[str]] = {}
    for path in waiting(lake.reports).files:
        if path.is_symlink() or path.stat().st_size > MAX_BYTES:
            problems[path.name] = ["is a link, or larger than any report; it is not kept"]
        elif settled(path):
            try:
                content = path.read_bytes()
            except OSError as error:
                problems[path.name] = [f"left in landing; it cannot be opened ({error.strerror})"]
                continue
            sha256 = hashlib.sha256(content).hexdigest()
            before = kept_at(lake, "report", sha256)
            if before.path is None:
                with kept_file(lake, "report", path.name, sha256) as file:
                    file.write(content)
            elif before.damage():
                with atomic_file(before.path) as file:
                    file.write(content)
    return problems


def agreed(figures: pl.DataFrame) -> pl.DataFrame:
    """Return one row a force and figure; where two reports of a force disagree, none.

    Columns: force_code, measure, breakdown, value, unit.
    """
    key = ["force_code", "measure", "breakdown"]
    return (
        figures.group_by(key)
        .agg(pl.col("value", "unit").unique())
        .filter(pl.col("value").list.len() == 1)
        .with_columns(pl.col("value", "unit").list.first())
        .sort(key)
    )
