"""Analysts see one complete release, and never anything else."""

import hashlib
import json
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path
from typing import cast

import duckdb
import pandas as pd
import polars as pl
import pyarrow
import pyarrow.parquet as pq
import pytest

from assets.figures.explain.released import Released
from assets.history import shown
from assets.lake import Lake, atomic_file, hashes
from assets.marts import arrow_schema, damage
from assets.release import assets as released
from assets.release import contents
from assets.release import publish as publishing
from assets.release.gate.process import Gate
from assets.release.identity import MadeFrom, ingredients, release_id
from assets.release.pack import DATABASE, DICTIONARY, PACKAGE, SDMX, Pack
from assets.release.publish import show
from assets.returns.desk.decisions import Ledger, answer_all, queries, read_answers, refuse_all
from schemas.collection import load_collection, read_collection
from schemas.contract import CONTRACT_VERSION, empty
from schemas.errors import ContractError, LakeError, ReleaseBlockedError
from schemas.marts import MARTS, contracts_of, marts_of
from schemas.tables import TABLES

COLLECTION = "2012-revisit"
RELEASED = marts_of(load_collection(COLLECTION))
_OF_RETURNS = {
    "investigations", "investigations_by_month", "outcome_breakdown", "register_entries",
    "second_jobs", "capability_answers", "capability_adoption", "survey", "social_media",
}  # fmt: skip
EXAMPLES = Path(__file__).parents[2] / "examples"


def publish(
    lake: Lake, marts: dict[str, pl.DataFrame], made_from: MadeFrom
) -> tuple[Path, dict[str, contents.Found]]:
    """Publish without a gate, which no part of these releases asks."""
    return publishing.publish(lake, marts, made_from, cast(Gate, None))


@pytest.fixture
def lake(tmp_path: Path) -> Lake:
    return Lake(tmp_path / "lake", COLLECTION)


@pytest.fixture(autouse=True)
def without_the_slow_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    """These marts are nearly empty; what is made of full ones is tested with the demo."""
    few = {name: contents.PARTS[name] for name in ("national_rules", "description", "pack")}
    monkeypatch.setattr(contents, "PARTS", few)


@pytest.fixture
def marts() -> dict[str, pl.DataFrame]:
    found = {name: empty(contract) for name, contract in MARTS.items()}
    row = ("STF", "other", None, None, "continuing", 3, "reconstructed")
    investigations = pl.DataFrame([row], schema=found["investigations"].schema, orient="row")
    return {**found, "investigations": investigations}


def _made_from(sha256: str = "a" * 64) -> MadeFrom:
    return ingredients(COLLECTION, [("STF", sha256)], [("STF", sha256)], [], [])


def test_a_release_is_shown_whole(lake: Lake, marts: dict[str, pl.DataFrame]) -> None:
    folder, _ = publish(lake, marts, _made_from())
    assert lake.marts.resolve() == folder
    names = {path.name for path in lake.marts.iterdir()}
    beside = {"manifest.json", "description", DATABASE, DICTIONARY, PACKAGE, SDMX}
    forms = (".parquet", ".csv", ".csv-metadata.json")
    assert names == {*(f"{name}{form}" for name in RELEASED for form in forms), *beside}
    assert folder.name == release_id(_made_from())


def test_a_release_without_a_return_does_not_follow_one_with_some(
    lake: Lake, marts: dict[str, pl.DataFrame]
) -> None:
    """A template that was changed in place rejects every return that was sent on it."""
    publish(lake, marts, nobody := ingredients(COLLECTION, [("STF", "a" * 64)], [], [], []))
    folder, _ = publish(lake, marts, _made_from())
    with pytest.raises(ReleaseBlockedError, match=rf"and 1 did in {folder.name}") as blocked:
        publish(lake, marts, nobody)
    assert blocked.value.places == ("no return counts",)
    assert lake.marts.resolve() == folder


@pytest.mark.parametrize(
    ("collection_id", "lacking"),
    [
        ("2013-revisit", {"reconciliation", "survey", "survey_changes", "social_media"}),
        ("use-of-force-2013", {*_OF_RETURNS, "reconciliation", "comparisons"}),
    ],
)
def test_a_release_holds_the_marts_that_its_collection_can_fill(
    collection_id: str, lacking: set[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MUSTER_COLLECTIONS", str(EXAMPLES))
    collection = load_collection(collection_id)
    lake = Lake(tmp_path / "lake", collection_id)
    made = {name: empty(of) for name, of in contracts_of(collection.template).items()}
    folder, _ = publish(lake, made, ingredients(collection_id, [], [], [], []))
    there = {path.stem for path in folder.glob("*.parquet")}
    assert lacking <= MARTS.keys() - there
    assert {"national_totals", "force_profiles", "cells", "corrections"} <= there
    package = json.loads((folder / "datapackage.json").read_bytes())
    assert {resource["name"] for resource in package["resources"]} == there
    released = Released(folder, collection)
    assert released.mart("reconciliation").is_empty()
    columns = pq.read_schema(folder / "force_profiles.parquet").names
    assert ("abuse_of_authority" in columns) == (collection_id == "2013-revisit")
    assert "social_media_cases" in columns or collection_id != "2013-revisit"


def test_a_mart_with_rows_is_released_whatever_the_collection_says(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A force report may be read where nothing else was published."""
    monkeypatch.setenv("MUSTER_COLLECTIONS", str(EXAMPLES))
    template = load_collection("2013-revisit").template
    made = {name: empty(of) for name, of in contracts_of(template).items()}
    schema = made["social_media"].schema
    row = ("STF", 2013, "twitter", "negativity_towards_work", 1, "submitted")
    made["social_media"] = pl.DataFrame([row], schema=schema, orient="row")
    lake = Lake(tmp_path / "lake", "2013-revisit")
    folder, _ = publish(lake, made, ingredients("2013-revisit", [], [], [], []))
    assert (folder / "social_media.parquet").exists()
    assert not (folder / "survey.parquet").exists()


def test_a_reason_that_was_refused_makes_no_other_release(lake: Lake) -> None:
    """No mart says anything of it."""
    ledger, names = Ledger(lake), []
    tables = {name: empty(MARTS.get(name) or TABLES[of]) for name, of in released._READ.items()}
    told = {"force_code": "STF", "rule_id": "Q102", "severity": "Q", "message": "2, but 90"}
    none = dict.fromkeys(empty(MARTS["findings"]).columns)
    findings = pl.DataFrame([none | told], schema=empty(MARTS["findings"]).schema)

    def name() -> None:
        tables["answers"] = read_answers(ledger)
        names.append(release_id(released._made_from(lake, tables)))

    name()
    (asked,) = queries(findings, read_answers(ledger), COLLECTION).to_dicts()
    answer_all(ledger, [(asked, "Each of them was counted as a case.")], "Ann")
    name()
    (asked,) = queries(findings, read_answers(ledger), COLLECTION).to_dicts()
    refuse_all(ledger, [asked], "Say in what year they were counted.", "Bob")
    name()
    assert names[0] == names[2] != names[1]


def test_a_release_is_named_by_what_it_is_made_from() -> None:
    assert release_id(_made_from()) == release_id(_made_from())
    assert release_id(_made_from("b" * 64)) != release_id(_made_from())
    assert release_id(_made_from() | {"contract_version": "0"}) != release_id(_made_from())


def test_a_draft_of_another_collection_renames_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = release_id(_made_from())
    shutil.copytree(EXAMPLES, tmp_path / "drafts")
    monkeypatch.setenv("MUSTER_COLLECTIONS", str(tmp_path / "drafts"))
    assert release_id(_made_from()) == before
    of_2013 = release_id(ingredients("2013-revisit", [], [], [], []))
    template = tmp_path / "drafts" / "templates" / "returns-2.toml"
    template.write_text(template.read_text().replace("Abuse of authority", "Abuse of office"))
    read_collection.cache_clear()
    assert release_id(ingredients("2013-revisit", [], [], [], [])) != of_2013


def test_the_order_of_the_returns_does_not_change_the_name() -> None:
    returns: list[tuple[str | None, str]] = [("STF", "b" * 64), ("DER", "a" * 64), (None, "c" * 64)]
    names = {
        release_id(ingredients(COLLECTION, order, [], [], [])) for order in (returns, returns[::-1])
    }
    assert len(names) == 1


def test_a_run_that_fails_half_way_changes_nothing(
    lake: Lake, marts: dict[str, pl.DataFrame], monkeypatch: pytest.MonkeyPatch
) -> None:
    first, _ = publish(lake, marts, _made_from())
    written: list[str] = []
    write = contents.write_mart

    def fail_at_the_fifth(file: object, name: str, *rest: object) -> None:
        written.append(name)
        if len(written) == 5:
            raise OSError(28, "No space left on device")
        write(file, name, *rest)  # type: ignore[arg-type]

    monkeypatch.setattr(contents, "write_mart", fail_at_the_fifth)
    with pytest.raises(LakeError, match="Nothing that analysts see has changed"):
        publish(lake, marts, _made_from("b" * 64))
    assert lake.marts.resolve() == first
    left = {path.name for path in lake.releases.iterdir()} - {"shown.jsonl"}
    assert left == {first.name}, "no leftovers"


def test_nothing_is_written_into_the_folder_of_a_release_that_failed(
    lake: Lake, marts: dict[str, pl.DataFrame], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The pack is written while others are made, and the folder goes where one of them fails."""
    folders: list[Path] = []

    def slowly(_: object, folder: Path) -> None:
        time.sleep(0.1)
        with atomic_file(folder / "late.csv"):
            folders.append(folder)

    def fail(_: object) -> contents.Found:
        raise LakeError(lake.root, "is full", "Make room.")

    monkeypatch.setattr(Pack, "write", slowly)
    monkeypatch.setattr(contents, "PARTS", {**contents.PARTS, "public": fail})
    with pytest.raises(LakeError, match="is full"):
        publish(lake, marts, _made_from())
    assert folders, "it has ended"
    assert [*lake.releases.iterdir()] == []


def test_a_power_cut_finds_no_release_of_which_a_file_is_not_on_the_disk(
    lake: Lake, marts: dict[str, pl.DataFrame], monkeypatch: pytest.MonkeyPatch
) -> None:
    """All of it is forced to the disk at once, and only then it has its name."""
    forced: set[int] = set()
    force, rename = os.fsync, Path.rename
    seen: list[set[int]] = []

    def forcing(handle: int) -> None:
        force(handle)
        forced.add(os.fstat(handle).st_ino)

    def naming(path: Path, target: Path) -> Path:
        files = (each for each in path.rglob("*") if each.is_file())
        seen.append({each.stat().st_ino for each in (path, *files)} - forced)
        return rename(path, target)

    monkeypatch.setattr(os, "fsync", forcing)
    monkeypatch.setattr(Path, "rename", naming)
    folder, _ = publish(lake, marts, _made_from())
    assert seen == [set()]
    assert {lake.releases.stat().st_ino, folder.stat().st_ino} <= forced


def test_a_mart_that_breaks_its_contract_is_not_published(
    lake: Lake, marts: dict[str, pl.DataFrame]
) -> None:
    marts["investigations"] = marts["investigations"].with_columns(cases=pl.lit(-1, pl.Int64))
    with pytest.raises(ContractError):
        publish(lake, marts, _made_from())
    assert not lake.marts.exists()


def test_publishing_the_same_again_changes_nothing(
    lake: Lake, marts: dict[str, pl.DataFrame]
) -> None:
    folder, _ = publish(lake, marts, _made_from())
    before = {path: path.stat().st_mtime_ns for path in folder.iterdir()}
    assert publish(lake, marts, _made_from())[0] == folder
    assert {path: path.stat().st_mtime_ns for path in folder.iterdir()} == before


def test_a_release_never_changes_under_its_name(lake: Lake, marts: dict[str, pl.DataFrame]) -> None:
    publish(lake, marts, _made_from())
    marts["investigations"] = marts["investigations"].with_columns(cases=pl.lit(4, pl.Int64))
    with pytest.raises(LakeError, match="other content"):
        publish(lake, marts, _made_from())


def test_the_same_marts_have_the_same_bytes_in_another_lake(
    lake: Lake, marts: dict[str, pl.DataFrame], tmp_path: Path
) -> None:
    other = Lake(tmp_path / "other", COLLECTION)
    ours, theirs = (publish(where, marts, _made_from())[0] for where in (lake, other))
    assert hashes(ours) == hashes(theirs)


def test_a_file_explains_itself(lake: Lake, marts: dict[str, pl.DataFrame]) -> None:
    publish(lake, marts, _made_from())
    for name, contract in RELEASED.items():
        schema = pq.read_schema(lake.marts / f"{name}.parquet")
        metadata = {key.decode(): value.decode() for key, value in schema.metadata.items()}
        assert metadata["mart"] == name
        assert metadata["release"] == release_id(_made_from())
        assert metadata["contract_version"] == CONTRACT_VERSION
        assert "reconstructed" in metadata["basis"]
        for column in contract.columns:
            about = schema.field(column.name).metadata
            assert about[b"description"].decode() == column.description
            assert about[b"unit"].decode() == column.unit


def test_the_manifest_has_the_hash_of_every_file(
    lake: Lake, marts: dict[str, pl.DataFrame]
) -> None:
    folder, _ = publish(lake, marts, _made_from())
    manifest = json.loads((folder / "manifest.json").read_text())
    assert manifest["files"] == {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in folder.rglob("*")
        if path.is_file() and path.name != "manifest.json"
    }
    assert manifest["found"]["description"] == {"template": "returns-1"}
    assert manifest["made_from"]["live"] == [["STF", "a" * 64]]


PLAIN = {pyarrow.string(), pyarrow.int64(), pyarrow.float64(), pyarrow.bool_(), pyarrow.date32()}


def test_other_tools_read_the_types_of_the_contract(
    lake: Lake, marts: dict[str, pl.DataFrame]
) -> None:
    publish(lake, marts, _made_from())
    duck = {"VARCHAR": pl.String, "BIGINT": pl.Int64, "DOUBLE": pl.Float64, "BOOLEAN": pl.Boolean}
    duck |= {"DATE": pl.Date}
    for name, contract in RELEASED.items():
        path = lake.marts / f"{name}.parquet"
        assert set(arrow_schema(contract).types) <= PLAIN, name
        assert pq.read_table(path).schema.types == arrow_schema(contract).types, name
        assert pl.read_parquet(path).schema == empty(contract).schema, name
        assert list(pd.read_parquet(path).columns) == empty(contract).columns, name
        described = duckdb.sql(f"describe select * from '{path}'").fetchall()
        assert {row[0]: duck[row[1]] for row in described} == dict(empty(contract).schema), name


_READER = """
import sys
import time
from pathlib import Path
import pyarrow.parquet as pq
link, turns = Path(sys.argv[1]), 0
print("ready", flush=True)
while not Path(sys.argv[2]).exists():
    folder = link.resolve()
    seen = {pq.read_schema(path).metadata[b"release"].decode() for path in folder.glob("*.parquet")}
    assert seen == {folder.name}, seen
    turns += 1
print(turns)
"""


def test_a_record_that_was_cut_short_swallows_no_later_one(
    lake: Lake, marts: dict[str, pl.DataFrame]
) -> None:
    publish(lake, marts, _made_from("a" * 64))
    record = lake.releases / "shown.jsonl"
    record.write_text(record.read_text() + '{"release": "2012-rev')
    second, _ = publish(lake, marts, _made_from("b" * 64))
    assert [entry.release for entry in shown(lake)][1:] == [second.name]


def test_what_was_shown_by_a_run_that_was_killed_is_recorded_by_the_next(
    lake: Lake, marts: dict[str, pl.DataFrame]
) -> None:
    folder, _ = publish(lake, marts, _made_from())
    (lake.releases / "shown.jsonl").unlink()  # killed after the rename of the link
    show(lake, folder)
    show(lake, folder)
    assert [entry.release for entry in shown(lake)] == [folder.name]
    lake.marts.unlink()
    lake.marts.mkdir()  # as a copy of the lake has it that follows links
    with pytest.raises(LakeError, match=r"is no link to a release\. Move it away, then run again"):
        show(lake, folder)
    assert [path.name for path in lake.marts.parent.iterdir()] == [COLLECTION]


@pytest.mark.slow
def test_readers_during_a_hundred_swaps_see_one_release_at_a_time(
    lake: Lake, marts: dict[str, pl.DataFrame], tmp_path: Path
) -> None:
    """A reader that has resolved the folder reads on in it, whatever is swapped meanwhile."""
    folders = [publish(lake, marts, _made_from(letter * 64))[0] for letter in "abc"]
    stop = tmp_path / "stop"
    command = [sys.executable, "-c", _READER, str(lake.marts), str(stop)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as reader:
        assert reader.stdout is not None
        assert reader.stdout.readline() == "ready\n"
        for turn in range(100):
            show(lake, folders[turn % 3])
        stop.touch()
        turns = int(reader.stdout.read() or 0)
    assert reader.returncode == 0
    assert turns > 1
    assert [entry.release for entry in shown(lake)[-3:]] == [
        folder.name for folder in (*folders[1:], folders[0])
    ]


def test_a_total_that_does_not_hold_blocks_the_release(
    lake: Lake, marts: dict[str, pl.DataFrame]
) -> None:
    first, _ = publish(lake, marts, _made_from())
    rows = [("M002", "B", False, 1, "all is 3, parts 4"), ("M006", "N", False, 1, "a large force")]
    checks = pl.DataFrame(rows, schema=marts["national_checks"].schema, orient="row")
    with pytest.raises(ReleaseBlockedError, match=r"M002: all is 3, parts 4. Look") as blocked:
        publish(lake, {**marts, "national_checks": checks}, _made_from("b" * 64))
    assert "M006" not in str(blocked.value)
    assert lake.marts.resolve() == first
    publish(lake, {**marts, "national_checks": checks[1:]}, _made_from("c" * 64))
    assert lake.marts.resolve() != first, "what is only told does not block"


def test_a_damaged_release_is_not_shown_again(lake: Lake, marts: dict[str, pl.DataFrame]) -> None:
    folder, _ = publish(lake, marts, _made_from())
    (folder / "cells.parquet").write_bytes(b"PAR1")
    (folder / "findings.parquet").unlink()
    (folder / "stray.txt").touch()
    found = damage(folder)
    assert found[0] == "findings.parquet is missing"
    assert found[1] == "stray.txt is not part of it"
    assert found[2].startswith("cells.parquet has sha256")
    with pytest.raises(LakeError, match=r"is damaged: findings.parquet is missing.*made anew"):
        publish(lake, marts, _made_from())


def test_a_release_describes_itself_to_other_tools(
    lake: Lake, marts: dict[str, pl.DataFrame]
) -> None:
    folder, _ = publish(lake, marts, _made_from())
    package = json.loads((folder / "datapackage.json").read_text())
    assert package["name"] == folder.name
    assert "reconstructed" in package["description"]
    for resource in package["resources"]:
        fields = [field["name"] for field in resource["schema"]["fields"]]
        assert fields == pq.read_schema(folder / resource["path"]).names
        assert set(resource["schema"]["primaryKey"]) <= set(fields)
