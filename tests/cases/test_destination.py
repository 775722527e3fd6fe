"""A reader of the results sees the old ones or the new ones, whatever happens to the run."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import polars as pl
import pytest

from assets.cases import destination as swap
from assets.cases.destination import new_contents
from assets.cases.job import RESULTS
from schemas.collection import Collection
from schemas.errors import BusyError, SetupError, UnavailableError
from tests.cases.extracts import good, run, write_parquet

DIES_HALF_WAY = """
import sys, time
from pathlib import Path
from assets.cases import job
from assets.cases.sources import find_sources
from schemas.collection import load_collection
job.by_force = lambda *_: time.sleep(600)
job.run_cases(find_sources([Path(sys.argv[1])]), Path(sys.argv[2]), load_collection("2012-revisit"))
"""


def _killed_half_way(source: Path, out: Path) -> None:
    """Start a run, and kill it when a part of its results is written."""
    process = subprocess.Popen([sys.executable, "-c", DIES_HALF_WAY, str(source), str(out)])
    written = out.with_name(f".{out.name}.partial") / "fresh" / "counts.parquet"
    deadline = time.monotonic() + 60
    while not written.exists():
        assert process.poll() is None
        assert time.monotonic() < deadline
        time.sleep(0.02)
    process.send_signal(signal.SIGKILL)
    assert process.wait() == -signal.SIGKILL


@pytest.mark.slow
def test_a_killed_run_leaves_no_half_results(tmp_path: Path, collection: Collection) -> None:
    first = write_parquet(tmp_path / "1.parquet", [good(1)])
    second = write_parquet(tmp_path / "2.parquet", [good(1), good(2)])
    out = tmp_path / "out"
    _killed_half_way(first, out)
    assert not out.exists()
    before = run(first, out, collection).summary
    assert before["rows"] == 1
    _killed_half_way(second, out)
    assert sorted(path.name for path in out.iterdir()) == sorted(RESULTS)
    assert (out / "summary.json").read_text().count('"rows": 1,')
    assert run(second, out, collection).summary["rows"] == 2
    assert sorted(p.name for p in tmp_path.iterdir()) == ["1.parquet", "2.parquet", "out"]


@pytest.mark.parametrize("at_once", [True, False], ids=["exchange", "two renames"])
def test_new_contents_replace_old_ones(
    at_once: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if not at_once:
        monkeypatch.setattr(swap, "_exchange", lambda _one, _other: False)
    out = tmp_path / "made" / "here"
    for text in ("old", "new"):
        with new_contents(out, ["a"]) as fresh:
            (fresh / "a").write_text(text)
        assert (out / "a").read_text() == text
    assert [path.name for path in (tmp_path / "made").iterdir()] == ["here"]


def test_a_run_that_died_between_two_renames_is_mended(tmp_path: Path) -> None:
    left = tmp_path / ".out.partial"
    (left / "old").mkdir(parents=True)
    (left / "old" / "a").write_text("old")
    with pytest.raises(RuntimeError), new_contents(tmp_path / "out", ["a"]):
        raise RuntimeError
    assert (tmp_path / "out" / "a").read_text() == "old"
    assert not left.exists()


def test_a_folder_with_anything_else_is_not_replaced(tmp_path: Path) -> None:
    """A run must not take what somebody keeps in the folder they name."""
    (tmp_path / "thesis.txt").write_text("mine")
    with pytest.raises(SetupError, match=r"thesis\.txt"), new_contents(tmp_path, ["a"]):
        pass
    with pytest.raises(SetupError), new_contents(tmp_path / "thesis.txt", ["a"]):
        pass
    assert (tmp_path / "thesis.txt").read_text() == "mine"


def test_two_runs_at_once_do_not_mix(tmp_path: Path) -> None:
    out = tmp_path / "out"
    with new_contents(out, ["a"]) as fresh:
        with pytest.raises(BusyError), new_contents(out, ["a"]):
            pass
        (fresh / "a").write_text("first")
    assert (out / "a").read_text() == "first"


def test_a_link_stays_and_what_it_names_is_replaced(tmp_path: Path) -> None:
    """Readers on the other end of a link would go on reading old results."""
    for text in ("old", "new"):
        (tmp_path / "link").unlink(missing_ok=True)
        (tmp_path / "link").symlink_to(tmp_path / "real")
        with new_contents(tmp_path / "link", ["a"]) as fresh:
            (fresh / "a").write_text(text)
        assert (tmp_path / "link").is_symlink()
        assert (tmp_path / "real" / "a").read_text() == text


def test_a_folder_that_cannot_be_moved_is_refused_before_any_work(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever stands in it would see nothing afterwards; a disk mounted there cannot be moved."""
    monkeypatch.chdir(tmp_path)
    with pytest.raises(SetupError, match="below it"), new_contents(Path(), ["a"]):
        pass
    monkeypatch.chdir(os.sep)
    with monkeypatch.context() as context:
        context.setattr(Path, "is_mount", lambda _: True)
        with pytest.raises(SetupError, match="below it"), new_contents(tmp_path, ["a"]):
            pass
    with new_contents(tmp_path, ["a"]):
        pass


def test_a_full_disk_is_told_whoever_writes(tmp_path: Path) -> None:
    """Polars tells of a full disk by an error of its own, which would be shown as a crash."""
    with (
        pytest.raises(UnavailableError, match="No space left"),
        new_contents(tmp_path / "out", ["a"]),
    ):
        pl.DataFrame({"a": range(10)}).write_parquet("/dev/full")
    with pytest.raises(pl.exceptions.ComputeError), new_contents(tmp_path / "out", ["a"]):
        raise pl.exceptions.ComputeError("another fault")
