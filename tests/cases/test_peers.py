"""The benchmark compares like with like, and its page says truthfully what is met."""

import subprocess
import sys
from pathlib import Path

import polars as pl
import pytest

from benchmarks.bodies import Refresh
from benchmarks.equal import differences
from benchmarks.make_cases import Recipe, write
from benchmarks.measure import FailedError, Program, Run, python, run_once
from benchmarks.report import Results, page
from schemas.collection import Collection
from tests.cases.extracts import run

PEERS = ("duckdb_job", "pandera_polars", "pandera_pandas")


@pytest.mark.slow
@pytest.mark.parametrize("peer", PEERS)
def test_a_peer_does_the_same_job(peer: str, tmp_path: Path, collection: Collection) -> None:
    """Of rows with every fault; of the usual ones the benchmark sees it before it measures."""
    write(Recipe(30_000, shape="bad"), tmp_path / "in", "hive", collection)
    run(tmp_path / "in", tmp_path / "job", collection)
    command = python(f"benchmarks.peers.{peer}", tmp_path / "in", tmp_path / peer, "whole")
    subprocess.run(command, check=True)
    assert differences(tmp_path / "job", tmp_path / peer) == []
    counts = tmp_path / peer / "counts.parquet"
    pl.read_parquet(counts).with_columns(pl.col("cases") + 1).write_parquet(counts)
    assert differences(tmp_path / "job", tmp_path / peer) == ["counts"]


def _results(job: float, peak: float) -> Results:
    others = dict.fromkeys(("duckdb", "pandera_polars", "pandera_pandas", "scan"), Run(10, 10, 1e9))
    runs = {"job": Run(job, job, peak), **others}
    returns = {"refresh": Run(30, 30, 1), "script": Run(10, 10, 1), "check one": Run(1, 1, 1)}
    returns |= {"script one": Run(1, 1, 1), "help": Run(0.1, 0.1, 1)}
    returns |= {"nothing new": Run(9, 9, 1), "one changed": Run(22, 22, 1)}
    stages = {"intake": 2.0, "around": 1.0}
    bodies = {n: Refresh(Run(wall, wall, 1e9), stages) for n, wall in ((44, 22), (440, 440))}
    return Results({10_000_000: runs}, {}, returns, stages, bodies={**bodies, 4400: "it was ended"})


def test_the_page_says_what_is_met_what_is_missed_and_what_was_not_measured() -> None:
    text = page(_results(job=4, peak=1e9))
    assert "| 10M rows beside DuckDB | 0.45 x | 0.40 x | met |" in text
    assert "| Nothing new beside the script | 1 x | 0.90 x | met |" in text
    assert "| One of 44 changed beside the script | 2 x | 2.20 x | **missed by 10%** |" in text
    assert "| 100M rows beside DuckDB | 0.27 x | | not measured in this run |" in text
    assert "| A body of 440 beside one of 44 | 1 x | 2.00 x | **missed by 100%** |" in text
    assert "| 4,400 | did not end well: it was ended |" in text
    assert "| intake | around |\n|---:|---:|\n| 2.00 | 1.00 |" in text


def test_peak_memory_is_the_programs_own() -> None:
    """A child inherits the peak of its parent: what was measured then was the benchmark itself."""
    ballast = bytearray(b"x") * 300_000_000
    small = run_once(Program([sys.executable, "-S", "-c", "pass"]))
    large = run_once(Program([sys.executable, "-S", "-c", "b'x' * 100_000_000"]))
    assert len(ballast) > 2 * large.peak
    assert small.peak < 60_000_000
    assert large.peak > 100_000_000


def test_a_program_that_fails_is_no_measurement() -> None:
    with pytest.raises(FailedError, match="no_such_module"):
        run_once(Program(python("benchmarks.no_such_module")))
