"""Measures Muster beside what one would use instead: `python -m benchmarks.run --help`.

Makes the data, holds every result to the job's, lets the programs take turns, and writes
RESULTS.md. Data lie in the folder that MUSTER_BENCH_DATA names, outside the project.
"""

import argparse
import os
import shutil
import sys
import tempfile
from collections.abc import Mapping
from dataclasses import fields, replace
from pathlib import Path
from typing import Final

from pydantic import TypeAdapter

from benchmarks import bodies, cluster, make_cases, report, returns
from benchmarks.equal import differences
from benchmarks.measure import Program, Run, muster, python, run_once, take_turns
from schemas.collection import load_collection

PARTS: Final = ("rows", "cluster", "returns", "bodies")
BODIES: Final = (44, 440)
USUAL: Final = (1_000_000, 10_000_000)
MOST_IN_MEMORY: Final = 10_000_000
"""Rows above which what holds all of them in memory is left out."""

ON_CLUSTER: Final = 10_000_000
"""Rows that are worked on by a cluster too."""

_ROUNDS: Final = {1_000_000: 9}
_FEW: Final = 3
_PEERS: Final = {"duckdb": "duckdb_job", "pandera_polars": "pandera_polars",
                 "pandera_pandas": "pandera_pandas", "scan": "scan"}  # fmt: skip


def data_folder() -> Path:
    """Return where the data lie: MUSTER_BENCH_DATA, or a folder beside other temporary files."""
    named = os.environ.get("MUSTER_BENCH_DATA")
    return Path(named) if named else Path(tempfile.gettempdir()) / "muster-bench"


def made(rows: int, shape: str) -> Path:
    """Return the folder of an extract by force, made if it is not there."""
    folder = data_folder() / f"{shape}-{rows}"
    if not folder.exists():
        _say(f"making {rows:,} rows, {shape}")
        partial = folder.with_name(f".{folder.name}.partial")
        shutil.rmtree(partial, ignore_errors=True)
        recipe = make_cases.Recipe(rows, shape=shape)
        make_cases.write(recipe, partial, "hive", load_collection("2012-revisit"))
        partial.rename(folder)
    return folder


def contenders(source: Path, out: Path, rows: int) -> dict[str, Program]:
    """Return the job and the peers that can hold so many rows, by name."""
    form = "whole" if rows <= MOST_IN_MEMORY else "force"
    programs = {"job": _job(source, out / "job")}
    for name, module in _PEERS.items():
        if rows <= MOST_IN_MEMORY or not name.startswith("pandera"):
            command = python(f"benchmarks.peers.{module}", source, out / name, form)
            programs[name] = Program(command)
    if rows > MOST_IN_MEMORY:
        programs["tenth"] = _job(made(rows // 10, "uneven"), out / "tenth")
    return programs


def _job(source: Path, out: Path) -> Program:
    return Program(muster("cases", source, "--out", out, "--json"), ends=(0, 1))


def verify(programs: Mapping[str, Program], out: Path) -> None:
    """Run each program once, and hold its results to the job's; files are then in the cache.

    Raises:
        SystemExit: results differ, so that there is nothing to measure.
    """
    for name, program in programs.items():
        run_once(program)
        if name not in {"job", "scan", "tenth"} and (found := differences(out / "job", out / name)):
            sys.exit(f"{name} differs from the job in {', '.join(found)}; nothing was measured.")
        _say(f"{name} done, and equal")


def volume(rows: int, rounds: int | None) -> dict[str, Run]:
    """Measure the job and its peers on so many rows."""
    with tempfile.TemporaryDirectory(prefix="muster-bench-", dir=data_folder()) as name:
        out = Path(name)
        programs = contenders(made(rows, "uneven"), out, rows)
        verify(programs, out)
        return take_turns(programs, rounds or _ROUNDS.get(rows, _FEW))


def shapes(rows: int, uneven: Run, rounds: int | None) -> dict[str, Run]:
    """Measure the job alone on extracts of so many rows and of other shapes than the usual one."""
    with tempfile.TemporaryDirectory(prefix="muster-bench-", dir=data_folder()) as name:
        kinds = make_cases.SHAPES[1:] if rows <= MOST_IN_MEMORY else ("giant",)
        programs = {kind: _job(made(rows, kind), Path(name) / kind) for kind in kinds}
        return {"uneven": uneven, **take_turns(programs, rounds or _FEW)}


def main() -> None:
    """Measure as the command line says, and write RESULTS.md."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("rows", nargs="*", type=int, help="rows beside 1 and 10 million")
    parser.add_argument(
        "--bodies", type=int, action="append", default=[], help="bodies beside 44 and 440"
    )
    parser.add_argument("--parts", nargs="+", choices=PARTS, default=PARTS, help="only these")
    parser.add_argument("--rounds", type=int, help="runs of each program")
    parser.add_argument("--only", action="store_true", help="not those usual as well")
    given = parser.parse_args()
    parts, rounds = given.parts, given.rounds
    sizes = sorted({*given.rows, *(() if given.only else USUAL)}) if "rows" in parts else []
    data_folder().mkdir(parents=True, exist_ok=True)
    volumes = {rows: volume(rows, rounds) for rows in sizes}
    of_shapes = {
        rows: shapes(rows, runs["job"], rounds)
        for rows, runs in volumes.items()
        if rows >= MOST_IN_MEMORY
    }
    found = report.Results(volumes=volumes, shapes=of_shapes)
    if "cluster" in parts:
        runs = cluster.measured(made(ON_CLUSTER, "uneven"), data_folder(), rounds or _FEW)
        found = replace(found, cluster=runs)
    if "returns" in parts:
        runs, stages = returns.measured(rounds or _FEW)
        found = replace(found, returns=runs, stages=stages)
    if "bodies" in parts:
        numbers = sorted({*given.bodies, *(() if given.only else BODIES)})
        found = replace(found, bodies=bodies.measured(numbers, data_folder()))
    results = _with_earlier(found)
    path = Path(__file__).with_name("RESULTS.md")
    path.write_text(report.page(results), encoding="utf-8")
    if any(isinstance(each, bodies.Refresh) for each in results.bodies.values()):
        drawn = report.bodies_chart(results.bodies)
        path.with_name(report.CHART).write_text(drawn, encoding="utf-8")
    _say(f"wrote {path}")


def _with_earlier(found: report.Results) -> report.Results:
    """Return what was measured with what earlier runs measured and this one did not, and keep it.

    So a part that takes hours can be measured by itself.
    """
    path, kind = data_folder() / "results.json", TypeAdapter(report.Results)
    if path.exists():
        earlier = kind.validate_json(path.read_bytes())
        found = report.Results(
            **{
                each.name: getattr(earlier, each.name) | getattr(found, each.name)
                for each in fields(found)
            }
        )
    path.write_bytes(kind.dump_json(found))
    return found


def _say(text: str) -> None:
    print(text, file=sys.stderr)  # noqa: T201


if __name__ == "__main__":
    main()
