"""The doctor names what is broken, where, and what to do; and is content with a sound lake."""

import hashlib
import os
import shutil
import sqlite3
import sys
from collections.abc import Callable, Iterable
from datetime import date
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path

import pytest

from assets import doctor
from assets.doctor import Examined
from assets.intake.raw_store import RawStore
from assets.lake import Lake, held, sweep
from pipelines import doctor as service
from pipelines.doctor import alerts, history
from pipelines.open_demo import ID, open_collection
from tests.doctor.conftest import RELEASE

pytestmark = pytest.mark.slow


def _ill(found: Iterable[Examined]) -> list[tuple[str, str]]:
    """Return level and observation of all that is not well; each must say what to do."""
    ill = [each for each in found if each.level != "ok"]
    assert all(each.do and each.where for each in ill)
    return [(each.level, each.observed) for each in ill]


def _lake(lake: Lake) -> list[Examined]:
    return [
        *doctor.layout(lake.root),
        *doctor.permissions(lake.root),
        *doctor.leftovers(lake.root),
        *doctor.landing(lake),
        *doctor.received(lake),
        *doctor.releases(lake),
    ]


def _files(lake: Lake) -> list[Path]:
    return [RawStore(lake).path(receipt) for receipt in RawStore(lake).receipts()]


def test_a_sound_lake_is_well(lake: Lake) -> None:
    assert _ill(_lake(lake)) == []
    assert {each.what for each in _lake(lake)} == {
        "lake", "permissions", "leftovers", "landing", "raw store", "quarantine", "releases",
        "marts",
    }  # fmt: skip


def test_releases_that_no_collection_describes_are_named(
    lake: Lake, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MUSTER_LAKE", str(lake.root))
    (lake.root / "releases" / "2010-count").mkdir(parents=True)
    (lake.root / "landing" / "2012-revist").mkdir()
    (lake.root / "landing" / "2012-revist" / "KEN.xlsx").write_text("a return")
    # What `make dev` demonstrates is described in the lake itself.
    (lake.root / "landing" / ID).mkdir()
    (lake.root / "landing" / ID / "KEN.xlsx").write_text("a return")
    (lake.root / "collections").mkdir()
    open_collection(lake.root / "collections", date(2026, 1, 1))
    (lake.root / "marts" / "series").mkdir()
    (lake.root / "marts" / "series" / "series.parquet").write_text("of other releases")
    found = {each.where: each.observed for each in service.examine() if each.level != "ok"}
    assert "a collection that is not known" in found[str(lake.root / "releases" / "2010-count")]
    assert "folder of no collection (1 file)" in found[str(lake.root / "landing" / "2012-revist")]
    assert str(lake.root / "landing" / ID) not in found
    assert "cannot be held to the rel" in found[str(lake.root / "marts" / "series")]


def test_what_is_well_is_named_whole_and_tells_nobody_to_do_anything(lake: Lake) -> None:
    """Where somebody is to ask who sent a file, `muster status` and its letters say so."""
    (found,) = [each for each in doctor.landing(lake) if "note.xlsx" in each.observed]
    assert (found.level, found.where) == ("ok", str(lake.landing))
    assert found.observed == "of no known force, as muster status says: note.xlsx"


def _keep_case(lake: Lake, content: str) -> None:
    """Keep an extract as it was dropped: below the folder of its force."""
    sha256 = hashlib.sha256(b"rows").hexdigest()
    folder = lake.raw / "cases" / f"000001-{sha256}" / "force_code=STF"
    folder.mkdir(parents=True)
    (folder / "part-0.parquet").write_text(content)


def test_an_extract_in_the_folder_of_its_force_is_well(lake: Lake) -> None:
    """A folder is no file that has changed, and somebody would look for a backup."""
    _keep_case(lake, "rows")
    assert _ill(_lake(lake)) == []


def _change_case(lake: Lake) -> None:
    _keep_case(lake, "other rows")


def _change_raw(lake: Lake) -> None:
    path = _files(lake)[0]
    path.chmod(0o644)
    path.write_bytes(path.read_bytes() + b"!")
    path.chmod(0o444)


def _lose_raw(lake: Lake) -> None:
    _files(lake)[0].unlink()


def _change_quarantined(lake: Lake) -> None:
    quarantined = next(r for r in RawStore(lake).receipts() if r.quarantined)
    path = RawStore(lake).path(quarantined)
    path.chmod(0o644)
    path.write_text("something else")
    path.chmod(0o444)


def _lose_receipt(lake: Lake) -> None:
    next(iter(sorted((lake.raw / "receipts").iterdir()))).unlink()


def _double_receipt(lake: Lake) -> None:
    first = next(iter(sorted((lake.raw / "receipts").iterdir())))
    shutil.copy(first, first.with_name("000009-again.json"))


def _damage_receipt(lake: Lake) -> None:
    next((lake.raw / "receipts").iterdir()).write_text("{")


def _expose_raw(lake: Lake) -> None:
    _files(lake)[0].chmod(0o666)


def _change_report(lake: Lake) -> None:
    folder = lake.kept_reports / ("a" * 64)
    folder.mkdir(parents=True)
    (folder / "STF.pdf").write_text("other than what was received")


def _change_release(lake: Lake) -> None:
    (lake.marts / "findings.parquet").write_text("changed")


def test_an_older_release_is_not_said_to_be_made_anew(lake: Lake) -> None:
    """A run gives what the receipts give now."""
    older = lake.releases / f"{RELEASE[:-4]}0000"
    shutil.copytree(lake.releases / RELEASE, older)
    for folder in (older, lake.releases / RELEASE):
        (folder / "findings.parquet").write_text("changed")
    said = {each.where: each.do for each in doctor.releases(lake) if each.what == "releases"}
    assert "Take it back from a backup" in said[str(older)]
    assert "it is made anew" in said[str(lake.releases / RELEASE)]


def _lose_release(lake: Lake) -> None:
    shutil.rmtree(lake.releases / RELEASE)


def _replace_link(lake: Lake) -> None:
    lake.marts.unlink()
    lake.marts.mkdir()


@pytest.mark.parametrize(
    ("harm", "observed"),
    [
        (_change_raw, "has changed since it was received"),
        (_lose_raw, "sha256 nothing against"),
        (_change_quarantined, "has changed since it was received"),
        (_lose_receipt, "no receipt with number 1"),
        (_double_receipt, "2 receipts have number 1"),
        (_damage_receipt, "is not a receipt"),
        (_expose_raw, "anyone may write it"),
        (_change_report, "has changed since it was received"),
        (_change_case, "has changed since it was received"),
        (_change_release, "findings.parquet has sha256"),
        (_lose_release, "which is gone"),
        (_replace_link, "is no link to a release"),
    ],
)
def test_what_is_broken_is_named(harm: Callable[[Lake], None], observed: str, lake: Lake) -> None:
    harm(lake)
    broken = [text for level, text in _ill(_lake(lake)) if level == "bad"]
    assert any(observed in text for text in broken), broken


def test_what_a_kill_leaves_is_told_and_goes_with_the_next_run(lake: Lake) -> None:
    (lake.raw / "files" / ".x.partial").write_text("half")
    (lake.raw / "files" / ("b" * 64)).write_text("a copy without a receipt")
    (lake.releases / ".new.partial").mkdir()
    (lake.releases / ".new.partial" / "a.parquet").write_text("half")
    seen = [(level, text.split(",")[0]) for level, text in _ill(_lake(lake))]
    assert seen == [
        ("warn", "2 unfinished files of a run that was killed"),
        ("warn", "1 copy without a receipt"),
    ]
    with held(lake.root):
        sweep(lake.root)
    assert [path.name for path in lake.releases.iterdir()] == [RELEASE]
    assert len(_files(lake)) == 2


def test_a_file_that_somebody_writes_is_told(lake: Lake) -> None:
    with (lake.landing / "slow.xlsx").open("w"):
        assert _ill(doctor.landing(lake)) == [("warn", "is open for writing")]


@pytest.mark.parametrize(("free", "level"), [(1, "bad"), (17 * 1024**2, "warn"), (10**12, None)])
def test_space_is_judged_by_what_a_run_writes(
    free: int, level: str | None, lake: Lake, monkeypatch: pytest.MonkeyPatch
) -> None:
    lake.work.mkdir(parents=True)
    (lake.work / "table.parquet").write_bytes(bytes(400_000))
    usage = type("usage", (), {"free": free})
    monkeypatch.setattr("assets.doctor.shutil.disk_usage", lambda _: usage)
    found = [each.level for each in doctor.space(lake.root)]
    assert found == [level or "ok"]


def test_each_folder_that_cannot_be_written_is_named(
    lake: Lake, monkeypatch: pytest.MonkeyPatch
) -> None:
    closed = [lake.outbox, lake.desk, lake.raw / "receipts"]
    for path in closed:
        path.mkdir(parents=True, exist_ok=True)
    monkeypatch.setattr(os, "access", lambda path, _: path not in closed)
    assert {each.where for each in doctor.permissions(lake.root)} == {*map(str, closed)}


def test_a_lake_that_is_not_there_is_named(tmp_path: Path) -> None:
    assert _ill(doctor.layout(tmp_path / "nowhere")) == [("bad", "is no folder")]


@pytest.mark.parametrize("content", [b"", b"not a database at all" * 100])
def test_a_damaged_database_of_dagster_is_named(content: bytes, lake: Lake) -> None:
    path = lake.root / "dagster" / "history" / "runs.db"
    path.parent.mkdir(parents=True)
    path.write_bytes(content)
    ((level, observed),) = _ill(history())
    assert level == "bad"
    assert "is damaged" in observed
    assert path.read_bytes() == content, "the doctor changes nothing"


def test_a_page_damaged_within_a_database_is_noticed(lake: Lake) -> None:
    path = lake.root / "dagster" / "history" / "runs.db"
    path.parent.mkdir(parents=True)
    with sqlite3.connect(path) as database:
        database.execute("create table runs (body text)")
        database.executemany("insert into runs values (?)", [("x" * 500,)] * 200)
    database.close()
    whole = bytearray(path.read_bytes())
    whole[4096 * 3 : 4096 * 3 + 64] = bytes(range(64))
    path.write_bytes(whole)
    assert [level for level, _ in _ill(history())] == ["bad"]


@pytest.mark.filterwarnings("ignore:'imghdr' is deprecated:DeprecationWarning")
def test_secrets_in_addresses_are_not_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MUSTER_ALERT_URLS", "json://user:hunter2@example.org/hook")
    (found,) = alerts()
    assert "hunter2" not in found.observed
    assert "none set" not in found.observed


@pytest.mark.filterwarnings("ignore:'imghdr' is deprecated:DeprecationWarning")
def test_settings_that_are_wrong_are_named(lake: Lake, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, wrong in (("AUTOMATION", "On"), ("COLLECTIONS", lake.root / "gone"),
                        ("COLLECTION", "none"), ("ALERT_URLS", "slack:/hunter2")):  # fmt: skip
        monkeypatch.setenv(f"MUSTER_{name}", str(wrong))
    # As in a process of its own, which has not loaded what a wrong setting keeps from loading.
    for name in ("pipelines.jobs", "pipelines.definitions"):
        monkeypatch.delitem(sys.modules, name, raising=False)
    spec = spec_from_file_location("doctor_anew", service.__file__)
    assert spec
    assert spec.loader
    anew = module_from_spec(spec)
    spec.loader.exec_module(anew)
    found = [*anew.automation(None), *anew.settings(), *anew.alerts()]
    assert {each.level for each in found} == {"bad"}
    where = ["AUTOMATION", "COLLECTIONS", "COLLECTION", "ALERT_URLS"]
    assert [each.where for each in found] == [f"MUSTER_{name}" for name in where]
    assert "hunter2" not in str(found)
