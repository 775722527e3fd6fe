"""Lays measurements out as RESULTS.md: the machine, the bars and whether they are met, the tables.

Belongs here: the bars. Does not: measuring (measure.py).
"""

import importlib.metadata
import os
import platform
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from benchmarks.measure import Run

Runs = Mapping[str, Run]

_LIBRARIES: Final = ("polars", "duckdb", "pandera", "pandas", "pyarrow", "openpyxl")
_WHAT: Final = {
    "job": "`muster cases`",
    "duckdb": "DuckDB, its best form",
    "pandera_polars": "pandera on polars",
    "pandera_pandas": "pandera on pandas",
    "scan": "scan of all columns and one grouping, nothing else",
    "tenth": "`muster cases`, a tenth of the rows",
    "uneven": "uneven forces, 0.1 per cent bad",
    "giant": "one force has half of all rows",
    "empty": "a third of the forces has no rows",
    "duplicates": "every reference stands twice: every row is bad",
    "bad": "30 per cent bad",
    "wide": "1 per cent bad, with values of 2,000 characters",
    "refresh": "`muster run` of 44 workbooks",
    "script": "the script, 44 workbooks",
    "check one": "`muster check` of one workbook",
    "script one": "the script, one workbook",
    "help": "`muster --help`",
    "one process": "one process",
    "two workers": "two workers",
    "one killed": "two workers, one killed",
}


@dataclass(frozen=True)
class Results:
    """Median runs: of the job and peers by rows, of the job by rows and shape, of returns.

    `stages` has the seconds of a refresh of the returns by stage. `cluster` has the runs of the job
    at 10 million rows in one process and on workers.
    """

    volumes: Mapping[int, Runs]
    shapes: Mapping[int, Runs]
    returns: Runs
    stages: Mapping[str, float]
    cluster: Runs


@dataclass(frozen=True)
class Bar:
    """What is asked, the most it may be, and how it is measured; None where it was not."""

    what: str
    most: float
    unit: str
    measure: Callable[[Results], float | None]


def _wall(rows: int, against: str) -> Callable[[Results], float | None]:
    def ratio(results: Results) -> float | None:
        runs = results.volumes.get(rows, {})
        return runs["job"].wall / runs[against].wall if against in runs else None

    return ratio


def _growth(results: Results) -> float | None:
    runs = results.volumes.get(100_000_000)
    return runs["job"].wall / runs["tenth"].wall if runs else None


def _cluster(name: str) -> Callable[[Results], float | None]:
    def ratio(results: Results) -> float | None:
        runs = results.cluster
        return runs[name].wall / runs["one process"].wall if runs else None

    return ratio


def _peak(shape: str) -> Callable[[Results], float | None]:
    def gigabytes(results: Results) -> float | None:
        runs = results.shapes.get(100_000_000)
        return runs[shape].peak / 1e9 if runs else None

    return gigabytes


BARS: Final = (
    Bar("1M rows beside DuckDB", 1, "x", _wall(1_000_000, "duckdb")),
    Bar("10M rows beside DuckDB", 0.65, "x", _wall(10_000_000, "duckdb")),
    Bar("10M rows beside pandera on polars", 0.55, "x", _wall(10_000_000, "pandera_polars")),
    Bar("10M rows beside pandera on pandas", 0.15, "x", _wall(10_000_000, "pandera_pandas")),
    Bar("10M rows beside the scan", 3, "x", _wall(10_000_000, "scan")),
    Bar("100M rows beside DuckDB", 0.5, "x", _wall(100_000_000, "duckdb")),
    Bar("100M rows beside the scan", 3, "x", _wall(100_000_000, "scan")),
    Bar("100M rows beside 10M rows", 10, "x", _growth),
    Bar("Peak memory at 100M rows", 4, "GB", _peak("uneven")),
    Bar("Peak memory at 100M rows, half of them of one force", 4, "GB", _peak("giant")),
    Bar("10M rows on two workers beside one process", 1.3, "x", _cluster("two workers")),
    Bar("10M rows, one of two workers killed", 2, "x", _cluster("one killed")),
    Bar("44 workbooks beside the script", 3, "x",
        lambda r: r.returns["refresh"].wall / r.returns["script"].wall),
    Bar("Checking one workbook beside the script", 2, "x",
        lambda r: r.returns["check one"].wall / r.returns["script one"].wall),
    Bar("`muster --help`", 0.5, "s", lambda r: r.returns["help"].wall),
)  # fmt: skip


def page(results: Results) -> str:
    """Return the text of RESULTS.md."""
    return "\n".join(_lines(results)) + "\n"


def _lines(results: Results) -> Iterator[str]:
    yield "# Measurements"
    yield ""
    yield (
        "Written by `make bench`; do not edit. How it is measured:"
        " [docs/cases.md](../docs/cases.md)."
    )
    yield ""
    yield _machine()
    yield ""
    yield "## The bars"
    yield ""
    yield "| | at most | measured | |"
    yield "|---|---:|---:|---|"
    for bar in BARS:
        yield _bar(bar, results)
    for rows, runs in results.volumes.items():
        yield from _table(f"{rows:,} rows", runs, "job")
    for rows, runs in results.shapes.items():
        yield from _table(f"`muster cases`, {rows:,} rows of other shapes", runs, "uneven")
    if results.cluster:
        yield from _table("10,000,000 rows on a cluster", results.cluster, "one process")
    yield from _table("Returns", results.returns, "script")
    yield from _where_time_goes(results.stages)


def _bar(bar: Bar, results: Results) -> str:
    found = bar.measure(results)
    if found is None:
        return f"| {bar.what} | {bar.most:g} {bar.unit} | | not measured in this run |"
    verdict = "met" if found <= bar.most else f"**missed by {found / bar.most - 1:.0%}**"
    return f"| {bar.what} | {bar.most:g} {bar.unit} | {found:.2f} {bar.unit} | {verdict} |"


def _table(title: str, runs: Runs, base: str) -> Iterator[str]:
    yield ""
    yield f"## {title}"
    yield ""
    yield f"| | wall s | processor s | peak MB | wall beside {_WHAT[base]} |"
    yield "|---|---:|---:|---:|---:|"
    for name, run in runs.items():
        beside = run.wall / runs[base].wall
        numbers = f"{run.wall:.2f} | {run.cpu:.2f} | {run.peak / 1e6:,.0f} | {beside:.2f}"
        yield f"| {_WHAT[name]} | {numbers} |"


def _where_time_goes(stages: Mapping[str, float]) -> Iterator[str]:
    yield ""
    yield (
        "Where a refresh spends its time, in seconds. `release` writes the marts, the public"
        " edition with its proof, the pages and the workbook, and waits for the gate, which has"
        " been loading meanwhile; `around` is loading Dagster and what the assets need, and ending."
    )
    yield ""
    yield f"| {' | '.join(stages)} |"
    yield f"|{'---:|' * len(stages)}"
    yield f"| {' | '.join(f'{seconds:.2f}' for seconds in stages.values())} |"


def _machine() -> str:
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    libraries = ", ".join(f"{name} {importlib.metadata.version(name)}" for name in _LIBRARIES)
    return (
        f"{os.cpu_count()} cores ({_processor()}), {memory:.0f} GiB of memory,"
        f" {platform.system()} {platform.release().partition('-')[0]}, Python"
        f" {platform.python_version()}, {libraries}. Medians; files are in the system's cache."
        f" On average {os.getloadavg()[2]:.0f} programs were running or waiting to run: where that"
        " is more than there are cores, trust ratios and processor time rather than wall time."
    )


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return platform.machine()
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.machine()
