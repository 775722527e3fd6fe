"""The history's files stay open through a run, and no longer."""

import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

import dagster as dg
import pytest
from dagster import DagsterInstance

from pipelines.instance import history_at_hand, on_the_terminal, open_instance


def _open_here() -> set[str]:
    links = (link for link in Path("/proc/self/fd").iterdir() if link.exists())
    return {link.resolve().name for link in links}


@pytest.mark.skipif(
    not Path("/proc/self/fd").is_dir(), reason="the system does not say what is open"
)
def test_what_there_is_of_it_is_open_for_as_long_as_a_run(tmp_path: Path) -> None:
    with DagsterInstance.local_temp(str(tmp_path)) as instance:
        with history_at_hand(instance):
            with history_at_hand(instance):
                instance.all_asset_keys()
            assert "index.db" in _open_here()
        assert "index.db" not in _open_here()
        assert instance.all_asset_keys() == []


def test_a_new_history_is_the_one_that_dagster_makes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DAGSTER_HOME", str(tmp_path / "ours"))
    with open_instance() as instance, history_at_hand(instance):
        instance.all_logs("a run")
    shutil.copytree(tmp_path / "ours", tmp_path / "theirs", ignore=lambda *_: ["history"])
    shutil.rmtree(tmp_path / "theirs" / "schedules")
    with DagsterInstance.from_config(str(tmp_path / "theirs")) as instance:
        instance.all_logs("a run")
    assert _described(tmp_path / "ours") == _described(tmp_path / "theirs")


def _described(home: Path) -> dict[str, list[object]]:
    """Return of each database its tables, how it is written, and its last change of them."""
    found = {}
    for path in home.rglob("*.db"):
        with closing(sqlite3.connect(path)) as database:
            tables = database.execute("select sql from sqlite_master order by name").fetchall()
            versions = database.execute("select * from alembic_version").fetchall()
            (mode,) = database.execute("pragma journal_mode").fetchone()
        found[str(path.relative_to(home))] = [tables, versions, mode]
    return found


def test_what_a_run_prints_is_said_on_the_terminal_and_copied_nowhere(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    @dg.op
    def say() -> None:
        print("said")  # noqa: T201

    @dg.job
    def saying() -> None:
        say()

    with DagsterInstance.local_temp(str(tmp_path)) as instance:
        on_the_terminal(instance)
        assert saying.execute_in_process(instance=instance).success
    assert capfd.readouterr().out == "said\n"
    assert not [*tmp_path.rglob("*.out"), *tmp_path.rglob("*.err")]
