"""Research is kept for ever, the newest acceptable file counts, and a bad one blocks nothing."""

import json
import os
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import polars as pl
import pytest

from assets.inputs.assets import research_is_sound
from assets.inputs.research import store
from assets.inputs.research.store import MAX_BYTES, read_research
from assets.intake.landing import ARRIVING
from schemas.collection import Collection
from schemas.research import BASIS_FILE
from tests.research.files import INSTANCES, PROFILES, SURVEY, Folder


def _kept(folder: Folder) -> list[Path]:
    return sorted(folder.lake.kept_research.glob("*/*"))


def _profiles_of(folder: Folder, force: str) -> int:
    table = folder.read().tables.profiles
    return int(table.filter(pl.col("force_code") == force, pl.col("year") == 2012)["profiles"][0])


def _say(folder: Folder, force: str, profiles: str) -> None:
    here = (pl.col("force_code") == force) & (pl.col("year") == "2012")
    changed = pl.when(here).then(pl.lit(profiles)).otherwise("profiles").alias("profiles")
    folder.change(PROFILES, lambda t: t.with_columns(changed))


def test_without_a_folder_there_is_no_research(folder: Folder) -> None:
    folder.lake.research.rmdir()
    read = folder.read()
    tables = read.tables
    assert tables.profiles.is_empty()
    assert tables.instances.is_empty()
    assert tables.responses.is_empty()
    assert read.files.is_empty()
    assert read.problems.is_empty()


def test_one_file_alone_is_research_of_its_kind(folder: Folder) -> None:
    read = folder.drop(INSTANCES).read()
    assert read.tables.instances.height == 416
    assert read.tables.profiles.is_empty()
    assert read.problems.is_empty()
    assert read.files["file_name"].to_list() == [INSTANCES]


def test_reading_again_receives_nothing_new(folder: Folder) -> None:
    assert set(folder.drop(PROFILES, INSTANCES, BASIS_FILE).read().new) == {PROFILES, INSTANCES}
    before = _kept(folder)
    assert folder.read().new == ()
    assert _kept(folder) == before


def test_a_file_is_read_once_for_the_years_that_may_stand_in_it(
    folder: Folder, monkeypatch: pytest.MonkeyPatch
) -> None:
    tables = folder.drop(PROFILES, INSTANCES).read().tables
    with monkeypatch.context() as patch:
        patch.setattr(store, "read_rows", None)
        again = folder.read().tables
    assert again.profiles.equals(tables.profiles)
    assert again.instances.equals(tables.instances)
    for path in folder.lake.kept.glob("*/*"):
        path.write_bytes(path.read_bytes()[:-1])
    assert folder.read().tables.profiles.equals(tables.profiles), "what is damaged is made anew"
    later = folder.collection.census.replace(year=folder.collection.census.year + 2)
    moved = folder.collection.model_copy(update={"census": later})
    assert replace(folder, collection=moved).read().tables.profiles.is_empty()


def test_a_new_file_counts_and_the_old_one_is_kept(folder: Folder) -> None:
    folder.drop(PROFILES)
    before = _profiles_of(folder, "STF")
    first = _kept(folder)[0].read_bytes()
    _say(folder, "STF", "77")
    assert _profiles_of(folder, "STF") == 77 != before
    kept = [path.read_bytes() for path in _kept(folder)]
    assert len(kept) == 2
    assert kept[0] == first


def test_an_earlier_file_dropped_again_counts_again(folder: Folder) -> None:
    """Names are fixed, so dropping the old file is the only way back."""
    before = _profiles_of(folder.drop(PROFILES), "STF")
    _say(folder, "STF", "77")
    folder.read()
    assert _profiles_of(folder.drop(PROFILES), "STF") == before


def test_a_bad_file_leaves_the_earlier_one_in_use_and_says_so(folder: Folder) -> None:
    before = _profiles_of(folder.drop(PROFILES, INSTANCES), "STF")
    used = folder.read().files
    _say(folder, "STF", "many")
    read = folder.read()
    assert _profiles_of(folder, "STF") == before
    assert read.files.equals(used)
    assert read.problems.select("file_name", "column_name").rows() == [(PROFILES, "profiles")]
    assert read.tables.instances.height == 416


def test_only_the_newest_file_is_complained_about(folder: Folder) -> None:
    for said in ("many", "lots", "plenty"):
        _say(folder, "STF", said)
        [message] = folder.read().problems["message"]
        assert message.startswith(f"{said!r}; ")
    _say(folder, "STF", "12")
    assert folder.read().problems.is_empty()


def test_a_file_that_goes_from_the_folder_stays_in_use(folder: Folder) -> None:
    folder.drop(INSTANCES).read()
    (folder.lake.research / INSTANCES).unlink()
    assert folder.read().tables.instances.height == 416


def test_the_basis_travels_with_the_file_it_was_dropped_with(folder: Folder) -> None:
    """Reconstructed figures that pass for found ones would be a lie; so would the reverse."""
    folder.drop(PROFILES, INSTANCES, BASIS_FILE)
    assert set(folder.read().tables.instances["basis"]) == {"reconstructed"}
    (folder.lake.research / BASIS_FILE).unlink()
    (folder.lake.research / INSTANCES).unlink()
    _say(folder, "STF", "77")
    read = folder.read()
    assert set(read.tables.profiles["basis"]) == {"submitted"}
    assert set(read.tables.instances["basis"]) == {"reconstructed"}
    assert dict(read.files.select("file_name", "basis").iter_rows()) == {
        PROFILES: "submitted", INSTANCES: "reconstructed",
    }  # fmt: skip


def test_the_same_file_with_another_basis_is_received_anew(folder: Folder) -> None:
    folder.drop(INSTANCES).read()
    folder.drop(BASIS_FILE)
    read = folder.read()
    assert read.new == (INSTANCES,)
    assert set(read.tables.instances["basis"]) == {"reconstructed"}


def test_where_the_basis_cannot_be_told_nothing_is_taken_in(folder: Folder) -> None:
    folder.drop(INSTANCES).write(BASIS_FILE, "made up")
    read = folder.read()
    assert read.tables.instances.is_empty()
    [problem] = read.problems.rows(named=True)
    assert problem["file_name"] == BASIS_FILE
    assert problem["message"] == "'made up'; expected one of submitted, published, reconstructed"


@pytest.mark.parametrize("make", [lambda path: path.mkdir(), lambda path: path.write_text("x")])
def test_what_is_no_research_file_is_left_alone_and_told(
    make: Callable[[Path], object], folder: Folder
) -> None:
    make(folder.lake.research / "notes\udcff.csv")
    read = folder.drop(INSTANCES).read()
    assert read.problems.height == 1
    assert read.new == (INSTANCES,)


def _large(path: Path) -> None:
    with path.open("wb") as file:
        file.truncate(MAX_BYTES + 1)


@pytest.mark.parametrize("name", [SURVEY, BASIS_FILE])
@pytest.mark.parametrize(
    ("make", "why"),
    [
        (lambda path: path.symlink_to("/etc/passwd"), "is a link"),
        (os.mkfifo, "is no plain file"),
        (_large, f"at most {MAX_BYTES:,} are taken in"),
    ],
)
def test_what_cannot_be_read_stays_in_landing_and_is_told(
    make: Callable[[Path], object], why: str, name: str, folder: Folder
) -> None:
    """A pipe would hold the run for ever, a link may lead anywhere; no basis is guessed."""
    make(folder.lake.research / name)
    read = folder.drop(INSTANCES).read()
    assert why in read.left[name]
    assert read.new == ((INSTANCES,) if name == SURVEY else ())


def test_an_unfinished_copy_is_left_for_the_next_time(folder: Folder) -> None:
    folder.write(f"{SURVEY}.partial", "respondent_id,ye")
    assert folder.read().new == ()


def _change(kept: Path) -> None:
    kept.write_text(kept.read_text().replace(",0\n", ",1\n", 1))


@pytest.mark.parametrize("harm", [_change, Path.unlink])
def test_a_damaged_file_that_may_count_leaves_its_kind_missing(
    harm: Callable[[Path], None], folder: Folder
) -> None:
    """An earlier one in its place would be a figure that somebody had replaced."""
    folder.drop(PROFILES, INSTANCES)
    folder.read()
    _say(folder, "STF", "77")
    folder.read()
    harm(_kept(folder)[-1])
    dropped = (folder.lake.research / PROFILES).rename(folder.lake.root / "elsewhere")
    read = folder.read()
    assert read.tables.profiles.is_empty()
    lost = read.problems.filter(file_name=PROFILES).row(0, named=True)
    assert lost["message"].startswith("raw/")
    assert "backup" in lost["how_to_fix"]
    if harm is _change:  # else not even its name is left
        assert read.tables.instances.height == 416
        assert read.files["file_name"].to_list() == [INSTANCES]
    dropped.rename(folder.lake.research / PROFILES)
    assert _profiles_of(folder, "STF") == 77, "dropped again it is whole"


@pytest.mark.parametrize("last", [True, False])
def test_a_file_that_is_gone_with_its_folder_leaves_its_kind_missing(
    last: bool, folder: Folder
) -> None:
    """By the gap in the numbers, or of the last one by the release that was made from it."""
    folder.drop(PROFILES).read()
    _say(folder, "STF", "77")
    used = folder.read().files
    if not last:
        folder.drop(INSTANCES).read()
    released = folder.lake.releases / "one" / "manifest.json"
    released.parent.mkdir(parents=True)
    made_from = {"research": used.rows()} if last else {}
    released.write_text(json.dumps({"made_from": made_from}))
    shutil.rmtree(_kept(folder)[1].parent)
    dropped = (folder.lake.research / PROFILES).rename(folder.lake.root / "elsewhere")
    read = folder.read()
    assert read.tables.profiles.is_empty()
    assert "holds no file any more" in read.problems.filter(file_name=PROFILES)["message"][0]
    assert read.tables.instances.height == (0 if last else 416)
    dropped.rename(folder.lake.research / PROFILES)
    assert _profiles_of(folder, "STF") == 77, "dropped again it is whole"


def test_a_damaged_file_of_earlier_stops_itself_alone(folder: Folder) -> None:
    folder.drop(PROFILES).read()
    _say(folder, "STF", "77")
    folder.read()
    _change(_kept(folder)[0])
    read = folder.read()
    assert _profiles_of(folder, "STF") == 77
    assert read.problems.is_empty()


def test_two_files_that_disagree_are_told_and_both_used(folder: Folder) -> None:
    """Which of them is right is for the researchers to say."""
    folder.drop(INSTANCES)
    here = (pl.col("force_code") == "STF") & (pl.col("year") == "2012")
    one = pl.when(here).then(pl.lit("1")).otherwise("profiles_inappropriate")
    folder.change(PROFILES, lambda t: t.with_columns(one.alias("profiles_inappropriate")))
    read = folder.read()
    [problem] = read.problems.rows(named=True)
    said = "1 for STF in 2012; expected profiles that fit the 0 instances"
    assert problem["message"].startswith(said)
    assert read.files.height == 2


def test_a_file_that_is_still_arriving_waits(folder: Folder, collection: Collection) -> None:
    folder.drop(PROFILES, INSTANCES)
    whole = folder.lake.research / PROFILES
    read = read_research(folder.lake, collection, lambda path: path == whole)
    assert read.new == (PROFILES,)
    assert read.left == {INSTANCES: ARRIVING}
    assert read.problems.is_empty(), "nobody is told that it is refused"


def test_without_its_basis_a_file_waits_too(folder: Folder, collection: Collection) -> None:
    """Taken now, reconstructed figures would pass for submitted ones."""
    folder.drop(PROFILES, BASIS_FILE)
    basis = folder.lake.research / BASIS_FILE
    assert read_research(folder.lake, collection, lambda path: path != basis).new == ()
    assert read_research(folder.lake, collection).new == (PROFILES,)


def test_the_check_keeps_nothing_of_what_was_sent(folder: Folder) -> None:
    """Dagster keeps it for good, and a cell could hold the name of a person."""
    folder.drop(PROFILES, INSTANCES)
    _say(folder, "STF", "Sergeant Smith")
    path = folder.lake.research / INSTANCES
    path.write_text(path.read_text().replace("site", "Constable Smith", 1))
    _, told = research_is_sound(folder.read().problems)
    assert told["problems"] == 3, "and a column is missing, and one too many"
    assert "profiles" in str(told)
    assert "Smith" not in str(told)
