"""A week of looks at a landing folder as it would really be."""

import os
from collections.abc import Iterator
from pathlib import Path

import dagster as dg
import pytest

from assets.cases.store import CaseStore
from assets.declare import TakeIn
from assets.inputs.reports.kept_reports import read_reports
from assets.inputs.research.store import Research, read_research
from assets.intake.landing import is_litter, waiting, waiting_anywhere
from assets.intake.raw_store import RawStore
from assets.lake import Lake
from pipelines.alerts import look
from pipelines.jobs import evaluate
from schemas.collection import Collection
from schemas.research import BASIS_FILE
from tests.automation.conftest import drop
from tests.research.files import INSTANCES, PROFILES, SURVEY, Folder
from tests.returns import SampleReturn

pytestmark = pytest.mark.slow

LITTER = [
    *("Thumbs.db", "THUMBS.DB", "desktop.ini", "Desktop.ini", ".DS_Store", "._KEN.xlsx"),
    *("~$KEN.xlsx", ".~lock.KEN.xlsx#", "KEN.xlsx:Zone.Identifier", "KEN.xlsx.crdownload"),
    *("~WRL0001.tmp", "KEN.xlsx.TMP", "Returns.lnk", "KEN.xlsx.part", "KEN.xlsx~", "Icon\r"),
]
TICK = 600
DAY = 24 * 3600
WEEK = 7 * DAY


class Week:
    """The sensor with its clock; each run that it asks for takes in what a run takes in."""

    def __init__(self, lake: Lake, collection: Collection, instance: dg.DagsterInstance) -> None:
        self.lake, self.collection, self.instance = lake, collection, instance
        self.cursor: str | None = None
        self.now = 0.0
        self.runs = 0
        self.research: Research | None = None

    def passes(self, seconds: float) -> int:
        """Return how many runs were asked for in that time."""
        before, until = self.runs, self.now + seconds
        while self.now < until:
            self.now += TICK
            result = evaluate(self.collection, self.instance, self.cursor, self.now)
            self.cursor = result.cursor
            for request in result.run_requests or ():
                self.runs += 1
                self._run(request.run_config["ops"]["intake"]["config"]["only"])
        return self.runs - before

    def _run(self, only: list[str]) -> None:
        settled = TakeIn(only=only).settled
        files = [path for path in waiting(self.lake.landing).files if settled(path)]
        RawStore(self.lake).take_in(files, self.collection)
        CaseStore(self.lake).take_in(self.collection, settled)
        read_reports(self.lake, self.collection, settled)
        self.research = read_research(self.lake, self.collection, settled)
        assert look.research(self.research.problems, self.collection) is None
        assert self.research.left == {}


@pytest.fixture
def week(lake: Lake, collection: Collection) -> Iterator[Week]:
    """All of landing as it would be, and a first look that takes it in."""
    landing = lake.landing
    for force in ("STF", "KEN"):
        SampleReturn.of(force, collection).write(landing / f"{force}.xlsx")
    drop(landing, "note.xlsx", "of no force")
    (landing / "link.xlsx").symlink_to(landing / "STF.xlsx")
    with (landing / "huge.xlsx").open("wb") as file:
        file.truncate(11 * 1024**2)
    Folder(_made(lake.research, lake), collection).drop(PROFILES, INSTANCES)
    drop(lake.research, BASIS_FILE, "reconstructed")
    drop(lake.reports, "STF.txt", "A report of Staffordshire Police.")
    drop(landing / "cases" / "force_code=STF", "part-0.csv", "force_code\nSTF\n")
    drop(landing / "older", "STF.xlsx", "of another year")
    for folder in (landing, lake.research, lake.reports, landing / "cases"):
        for name in LITTER:
            drop(folder, name, "litter")
        drop(folder / "__MACOSX", "._STF.xlsx", "litter")
    with dg.DagsterInstance.ephemeral() as instance:
        started = Week(lake, collection, instance)
        assert started.passes(3600) == 1
        yield started


def _made(folder: Path, lake: Lake) -> Lake:
    folder.mkdir(parents=True, exist_ok=True)
    return lake


def test_nothing_is_run_for_nothing(week: Week) -> None:
    assert week.passes(WEEK) == 0


def test_each_change_is_one_run(week: Week, collection: Collection) -> None:
    landing = week.lake.landing
    path = SampleReturn.of("BED", collection).write(landing / "BED.xlsx")
    assert week.passes(DAY) == 1, "a new return, and no word of research"
    before = (landing / "note.xlsx").stat()
    drop(landing, "note.xlsx", "of no horse")
    after = (landing / "note.xlsx").stat()
    assert (before.st_size, before.st_mtime_ns) == (after.st_size, after.st_mtime_ns)
    assert week.passes(DAY) == 1, "other bytes of the same name, size and time"
    assert len(RawStore(week.lake).receipts()) == 5
    path.chmod(0o600)
    (landing / "note.xlsx").rename(landing / "renamed.xlsx")
    assert week.passes(DAY) == 0, "nothing in them has changed"


def test_research_is_read_with_its_basis_and_an_earlier_file_counts_again(week: Week) -> None:
    folder = Folder(week.lake, week.collection)
    folder.write(SURVEY, folder.short_text(SURVEY))
    assert week.passes(DAY) == 1
    assert week.research
    assert week.research.new == (SURVEY,)
    assert set(week.research.files["basis"]) == {"reconstructed"}, "though its file is an old one"
    first = folder.short_text(SURVEY)
    changed = "\n".join(first.splitlines()[:-7]) + "\n"
    folder.write(SURVEY, changed)
    assert week.passes(DAY) == 1
    folder.write(SURVEY, first)
    assert week.passes(DAY) == 1, "dropped again, it is meant to count again"
    drop(week.lake.research, BASIS_FILE, "submitted")
    assert week.passes(DAY) == 1
    assert set(week.research.files["basis"]) == {"submitted"}


def test_a_lake_that_is_restored_or_loses_what_dagster_knew_runs_nothing(week: Week) -> None:
    for path in week.lake.landing.rglob("*"):
        if path.is_file() and not path.is_symlink():
            times = path.stat().st_mtime_ns, path.stat().st_mtime_ns
            content = path.read_bytes()
            path.unlink()
            path.write_bytes(content)
            os.utime(path, ns=times)
    assert week.passes(DAY) == 0, "every time of change is another, and every byte the same"
    week.cursor = None
    assert week.passes(DAY) == 0


@pytest.mark.parametrize("name", LITTER)
def test_litter_is_known_by_its_name(name: str, lake: Lake) -> None:
    assert is_litter(name)
    assert is_litter(name.upper())
    drop(lake.landing, name, "litter")
    found = waiting_anywhere(lake)
    assert (found.files, [path.name for path in found.litter]) == ((), [name])


@pytest.mark.parametrize("name", ["KEN.xlsx", "KEN (1).xlsx", "tmp.xlsx", "thumbs.xlsx", "a.zip"])
def test_a_return_is_no_litter(name: str) -> None:
    assert not is_litter(name)
