"""Lays measurements out as RESULTS.md: the machine, the bars and whether they are met, the tables.

Belongs here: the bars. Does not: measuring (measure.py).
"""

import importlib.metadata
import os
import platform
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from benchmarks.bodies import Refresh
from benchmarks.chart import chart
from benchmarks.measure import Run

Runs = Mapping[str, Run]

_FEWEST: Final = 44
CHART: Final = "bodies.svg"
_LEAST_SHOWN: Final = 0.05
"""Share of every refresh below which a stage has no line of its own in the chart."""

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
    "refresh": "`muster run` of 44 new workbooks",
    "nothing new": "`muster run`, nothing new",
    "one changed": "`muster run`, one of 44 changed",
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
    at 10 million rows in one process and on workers. `bodies` has a first refresh by the number of
    bodies; why it did not end well where it did not. What was not measured is empty.
    """

    volumes: dict[int, dict[str, Run]] = field(default_factory=dict)
    shapes: dict[int, dict[str, Run]] = field(default_factory=dict)
    returns: dict[str, Run] = field(default_factory=dict)
    stages: dict[str, float] = field(default_factory=dict)
    cluster: dict[str, Run] = field(default_factory=dict)
    bodies: dict[int, Refresh | str] = field(default_factory=dict)


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


def _ratio(
    of: Callable[[Results], Runs], name: str, against: str
) -> Callable[[Results], float | None]:
    def ratio(results: Results) -> float | None:
        runs = of(results)
        return runs[name].wall / runs[against].wall if runs else None

    return ratio


def _of_returns(name: str, against: str) -> Callable[[Results], float | None]:
    return _ratio(lambda results: results.returns, name, against)


def _of_cluster(name: str) -> Callable[[Results], float | None]:
    return _ratio(lambda results: results.cluster, name, "one process")


def _a_body(number: int) -> Callable[[Results], float | None]:
    def ratio(results: Results) -> float | None:
        few, many = results.bodies.get(_FEWEST), results.bodies.get(number)
        if isinstance(few, Refresh) and isinstance(many, Refresh):
            return many.run.wall / number / (few.run.wall / _FEWEST)
        return None

    return ratio


def _peak(shape: str) -> Callable[[Results], float | None]:
    def gigabytes(results: Results) -> float | None:
        runs = results.shapes.get(100_000_000)
        return runs[shape].peak / 1e9 if runs else None

    return gigabytes


BARS: Final = (
    Bar("44 new workbooks beside the script", 4, "x", _of_returns("refresh", "script")),
    Bar("Nothing new beside the script", 1, "x", _of_returns("nothing new", "script")),
    Bar("One of 44 changed beside the script", 2, "x", _of_returns("one changed", "script")),
    Bar("A body of 440 beside one of 44", 1, "x", _a_body(440)),
    Bar("A body of 4,400 beside one of 44", 1, "x", _a_body(4400)),
    Bar("Checking one workbook beside the script", 1.2, "x",
        _of_returns("check one", "script one")),
    Bar("`muster --help`", 0.15, "s",
        lambda results: results.returns["help"].wall if results.returns else None),
    Bar("1M rows beside DuckDB", 1, "x", _wall(1_000_000, "duckdb")),
    Bar("10M rows beside DuckDB", 0.45, "x", _wall(10_000_000, "duckdb")),
    Bar("10M rows beside pandera on polars", 0.55, "x", _wall(10_000_000, "pandera_polars")),
    Bar("10M rows beside pandera on pandas", 0.15, "x", _wall(10_000_000, "pandera_pandas")),
    Bar("10M rows beside the scan", 3, "x", _wall(10_000_000, "scan")),
    Bar("100M rows beside DuckDB", 0.27, "x", _wall(100_000_000, "duckdb")),
    Bar("100M rows beside the scan", 3, "x", _wall(100_000_000, "scan")),
    Bar("100M rows beside 10M rows", 7, "x", _growth),
    Bar("Peak memory at 100M rows", 4, "GB", _peak("uneven")),
    Bar("Peak memory at 100M rows, half of them of one force", 4, "GB", _peak("giant")),
    Bar("10M rows on two workers beside one process", 1.1, "x", _of_cluster("two workers")),
    Bar("10M rows, one of two workers killed", 1.6, "x", _of_cluster("one killed")),
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
    if results.returns:
        yield from _table("Returns", results.returns, "script")
        yield from _where_time_goes(results.stages)
    if results.bodies:
        yield from _by_bodies(results.bodies)


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


def _by_bodies(bodies: Mapping[int, Refresh | str]) -> Iterator[str]:
    yield ""
    yield "## A first refresh by the number of bodies"
    yield ""
    yield (
        "Each body sends what one of the 44 sends, once; no publication. The dashed line is linear"
        " growth from the fewest: what stays below it grows less than the number of bodies."
    )
    yield ""
    yield f"![Seconds by stage, and peak memory, by the number of bodies]({CHART})"
    yield ""
    stages = [*dict.fromkeys(stage for _, each in _ended(bodies) for stage in each.stages)]
    heads = ("bodies", "wall s", "processor s", "peak MB", "wall ms a body", *stages)
    yield f"| {' | '.join(heads)} |"
    yield f"|{'---:|' * len(heads)}"
    for number, each in bodies.items():
        if isinstance(each, str):
            yield f"| {number:,} | did not end well: {each} |{' |' * (len(heads) - 2)}"
            continue
        run, took = each.run, (each.stages.get(stage, 0.0) for stage in stages)
        numbers = f"{run.wall:.1f} | {run.cpu:.1f} | {run.peak / 1e6:,.0f}"
        by_stage = " | ".join(f"{seconds:.1f}" for seconds in took)
        yield f"| {number:,} | {numbers} | {run.wall / number * 1e3:,.0f} | {by_stage} |"


def bodies_chart(bodies: Mapping[int, Refresh | str]) -> str:
    """Return the chart of the refreshes that ended well, as SVG."""
    ended = _ended(bodies)
    seconds = {"all": {number: each.run.wall for number, each in ended}}
    for stage in [*dict.fromkeys(stage for _, each in ended for stage in each.stages)]:
        took = {number: each.stages.get(stage, 0.0) for number, each in ended}
        if any(took[number] >= _LEAST_SHOWN * each.run.wall for number, each in ended):
            seconds[stage] = took
    memory = {"peak": {number: each.run.peak / 1e6 for number, each in ended}}
    return chart("bodies", {"Seconds by stage": seconds, "Peak memory, MB": memory})


def _ended(bodies: Mapping[int, Refresh | str]) -> list[tuple[int, Refresh]]:
    return [(number, each) for number, each in bodies.items() if isinstance(each, Refresh)]


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
