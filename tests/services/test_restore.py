"""Backup, loss and restore, by the commands of docs/operations.md."""

import json
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.services.front import DEPLOY
from tests.services.service import Service

pytestmark = pytest.mark.services


def _backup(service: Service) -> Path:
    done = service.script(str(DEPLOY / "backup.sh"))
    assert done.returncode == 0, done.stderr
    return max(service.backups.glob("20*Z"))


def _restore(service: Service, *arguments: str) -> subprocess.CompletedProcess[str]:
    return service.script(str(DEPLOY / "restore.sh"), *arguments)


def _files(folder: Path) -> dict[str, bytes]:
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def test_after_the_loss_of_everything_a_backup_brings_it_back(published: Service) -> None:
    """The backup is made while the service runs."""
    lake, runs = published.lake, published.runs()
    kept = {name: _files(lake / name) for name in ("raw", "releases")}
    shown = (lake / "marts" / "2012-revisit").readlink()
    status = json.loads(published.muster("status", "--json").stdout)
    backup = _backup(published)

    published.stop()
    published.database.lose()
    shutil.rmtree(lake)
    published.database.make()
    done = _restore(published, str(backup))
    assert done.returncode == 0, done.stderr

    assert {name: _files(lake / name) for name in kept} == kept
    assert (lake / "marts" / "2012-revisit").readlink() == shown
    verified = published.muster("releases", "verify")
    assert verified.returncode == 0, verified.stdout
    published.start()
    assert published.runs() == runs
    _runs_on_from_the_command_line(published)
    assert json.loads(published.muster("status", "--json").stdout) == status
    assert (lake / "marts" / "2012-revisit").readlink() == shown


def _runs_on_from_the_command_line(service: Service) -> None:
    """A run of the command line shows in the same UI as those of the daemon."""
    before = service.runs()
    done = service.muster("run")
    assert done.returncode == 0, done.stderr
    (new,) = service.runs().keys() - before.keys()
    assert service.runs()[new] == "SUCCESS"


def test_what_stands_in_the_lake_is_moved_aside_not_overwritten(
    published: Service, tmp_path: Path
) -> None:
    backup = _backup(published)
    later = published.lake / "raw" / "2012-revisit" / "later"
    later.write_text("received after the backup")
    done = _restore(published, str(backup), "lake")
    assert done.returncode == 0, done.stderr
    assert not later.exists()
    (aside,) = published.lake.glob("replaced-*/raw/2012-revisit/later")
    assert aside.read_text() == "received after the backup"
    shutil.rmtree(aside.parents[2])
    assert published.muster("releases", "verify").returncode == 0
    assert not list(tmp_path.iterdir())


def test_a_damaged_backup_is_refused_before_anything_is_touched(published: Service) -> None:
    backup = _backup(published)
    with (backup / "lake.tar").open("r+b") as file:
        file.seek(5000)
        file.write(b"damaged")
    before = _files(published.lake / "raw")
    done = _restore(published, str(backup))
    assert done.returncode == 1
    assert "is not whole" in done.stderr
    assert _files(published.lake / "raw") == before
    shutil.rmtree(backup)


def test_a_database_in_use_is_not_replaced(published: Service) -> None:
    """The services would go on writing into what is being restored."""
    backup = _backup(published)
    done = _restore(published, str(backup), "database")
    assert done.returncode == 1
    assert "systemctl stop muster.target" in done.stderr


def test_only_the_newest_backups_are_kept(published: Service) -> None:
    """Old ones go by their names: a clock that is wrong deletes nothing."""
    shutil.rmtree(published.backups)
    for name in ("2001-01-01T000000Z", "2002-01-01T000000Z", "2003-01-01T000000Z"):
        (published.backups / name).mkdir(parents=True)
    newest = _backup(published)
    kept = {path.name for path in published.backups.glob("20*Z")}
    assert kept == {"2003-01-01T000000Z", newest.name}


def test_a_backup_that_fails_leaves_the_older_ones_and_no_half_one(published: Service) -> None:
    good = _backup(published)
    before = {path.name for path in published.backups.glob("20*Z")}
    done = subprocess.run(
        [DEPLOY / "backup.sh"], check=False, capture_output=True, text=True,
        env={**published.environment, "PGPORT": "1"},
    )  # fmt: skip
    assert done.returncode != 0
    assert {path.name for path in published.backups.glob("20*Z")} == before
    assert good.exists()
