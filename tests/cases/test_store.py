"""What waits for extracts, what is kept of them, and who must be told; no row is judged here."""

import json
import os
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from assets.cases.derived import refused_extracts
from assets.cases.received import judge_received
from assets.cases.store import CaseStore, force_of
from assets.intake.landing import ARRIVING
from assets.lake import Lake
from assets.unattributed import unattributed_files
from schemas.collection import Collection
from schemas.contract import empty
from schemas.tables import Extracts
from tests.cases.extracts import good, write_csv

MANY = [good(number) for number in range(30)]


@pytest.fixture
def lake(tmp_path: Path, collection: Collection) -> Lake:
    return Lake(tmp_path / "lake", collection.id)


def _drop(lake: Lake, name: str, rows: list[dict[str, Any]]) -> Path:
    return write_csv(lake.landing / "cases" / name, rows)


def test_a_file_that_is_still_arriving_waits_and_what_is_known_counts_on(
    lake: Lake, collection: Collection
) -> None:
    """Half of an extract is a whole one with fewer rows, and its totals would be published."""
    store = CaseStore(lake)
    first = _drop(lake, "a.csv", MANY)
    assert len(store.take_in(collection).new) == 1
    half = _drop(lake, "b.csv", [good(99)])
    taken = store.take_in(collection, lambda _: False)
    assert (taken.new, taken.left) == ((), {"b.csv": ARRIVING})
    (version,) = store.take_in(collection, lambda path: path == half).new
    assert len(version.files) == 2, f"{first.name} lies there still, though nobody asked for it"


def test_what_is_listed_is_not_read_again(
    lake: Lake, collection: Collection, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Extracts lie in landing for good, and may be of a hundred million rows."""
    read: list[str] = []

    def told(path: Path, of: Collection) -> str:
        read.append(path.name)
        return force_of(path, of)

    monkeypatch.setattr("assets.cases.store.force_of", told)
    for name in ("a.csv", "b.csv"):
        _drop(lake, name, [good(len(read))])
        (version,) = CaseStore(lake).take_in(collection).new
        assert CaseStore(lake).take_in(collection).new == ()
    assert (len(version.files), read) == (2, ["a.csv", "b.csv"])


def test_what_was_nobodys_is_its_forces_once_that_is_expected(
    lake: Lake, collection: Collection
) -> None:
    """A force that the collection's file had left out sent two files, and one more is nobody's."""
    without, store = collection.model_copy(update={"forces": ("DER",)}), CaseStore(lake)
    for name, rows in (("a", MANY), ("b", [good(99)]), ("c", [good(1, "KEN"), good(2, "DVC")])):
        _drop(lake, f"{name}.csv", rows)
    assert [each.force_code for each in store.take_in(without).new] == [None] * 3
    (version,) = store.take_in(collection).new
    assert (version.force_code, version.version, len(version.files)) == ("STF", 1, 2)
    assert store.take_in(collection).new == ()
    extracts, cases, found = judge_received(store, lake, collection)
    assert extracts.select("force_code", "live").rows() == [(None, False), ("STF", True)]
    assert cases["cases"].sum() == len(MANY) + 1
    assert found["force_code"].to_list() == [None]
    assert [each.file_name for each in unattributed_files(lake)] == ["c.csv"]


def test_an_earlier_version_that_is_sent_again_is_said_to_be_known(
    lake: Lake, collection: Collection
) -> None:
    """It does not count again, and whoever put it back believes that it does."""
    store = CaseStore(lake)
    for rows in (MANY, MANY[1:]):
        _drop(lake, "STF.csv", rows)
        taken = store.take_in(collection)
        assert (len(taken.new), taken.left) == (1, {})
    assert store.take_in(collection).left == {}, "it lies there still"
    _drop(lake, "STF.csv", MANY)
    taken = store.take_in(collection)
    assert (taken.new, list(taken.left)) == ((), ["STF.csv"])
    assert "before a newer version" in taken.left["STF.csv"]
    _drop(lake, "more.csv", [good(99)])
    taken = store.take_in(collection)
    assert (len(taken.new[0].files), taken.left) == (2, {}), "what lies there together is one"


def test_a_file_that_cannot_be_opened_holds_nobody_up(
    lake: Lake, collection: Collection, monkeypatch: pytest.MonkeyPatch
) -> None:
    closed = _drop(lake, "closed.csv", MANY)
    _drop(lake, "fine.csv", [good(1, "DER")])
    _close(closed, monkeypatch)
    taken = CaseStore(lake).take_in(collection)
    assert [version.force_code for version in taken.new] == ["DER"]
    assert taken.left == {"closed.csv": "cannot be opened (Permission denied)"}


def test_a_part_of_what_lies_in_a_force_s_folder_makes_no_version(
    lake: Lake, collection: Collection, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It would count as the whole until the rest can be taken in, with nothing to show for it."""
    store = CaseStore(lake)
    half, fine = (
        _drop(lake, f"force_code=STF/{name}.csv", [good(n)]) for n, name in enumerate("ab")
    )
    _drop(lake, "force_code=DER/a.csv", [good(1, "DER")])
    with monkeypatch.context() as closed:
        _close(half, closed)
        taken = store.take_in(collection)
    assert [version.force_code for version in taken.new] == ["DER"]
    told = taken.left[f"force_code=STF/{fine.name}"]
    assert told == "waits until all of its force's folder can be taken in"
    assert store.take_in(collection, lambda path: path != half).new == ()
    (version,) = store.take_in(collection).new
    assert (version.force_code, version.version, len(version.files)) == ("STF", 1, 2)


def _close(closed: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Have a file that nobody may open; its mode alone stops everybody but root."""
    unpatched = os.open

    def refusing(path: Path, *arguments: Any, **named: Any) -> Any:
        if path == closed:
            raise PermissionError(13, "Permission denied", str(path))
        return unpatched(path, *arguments, **named)

    monkeypatch.setattr("os.open", refusing)


def test_the_newest_refused_extract_of_a_force_is_told_of() -> None:
    rows = pl.DataFrame(
        {
            "force_code": ["STF", "STF", "DER", "DER", "AVS", None],
            "version": [1, 2, 1, 2, 1, None],
            "state": ["accepted", "rejected", "rejected", "accepted", "unreadable", "unreadable"],
        }
    )
    told = refused_extracts(pl.concat([empty(Extracts), rows], how="diagonal"))
    assert told.select("force_code", "version").rows() == [("AVS", 1), ("STF", 2)]


def test_a_receipt_from_before_refusals_had_rules_is_read(
    lake: Lake, collection: Collection
) -> None:
    _drop(lake, "a.csv", [good(1, "XXX")])
    store = CaseStore(lake)
    store.take_in(collection)
    (path,) = (lake.raw / "case_versions").iterdir()
    written = json.loads(path.read_text())
    del written["refused"]
    path.write_text(json.dumps(written | {"problem": "the file has no force. Send it anew."}))
    _, _, findings = judge_received(store, lake, collection)
    (found,) = findings.select("rule_id", "severity", "message").rows()
    assert found == ("CASE12", "B", "the file has no force. Send it anew.")
    assert "the file has no force" in unattributed_files(lake)[0].why


def test_a_file_of_nobody_is_told_of_until_it_is_replaced_or_gone(
    lake: Lake, collection: Collection
) -> None:
    store = CaseStore(lake)
    assert unattributed_files(lake) == []
    path = _drop(lake, "below/a.csv", [good(1, "XXX")])
    (version,) = store.take_in(collection).new
    assert [file.key for file in unattributed_files(lake)] == [version.receipt_id]
    sent = path.read_bytes()
    _drop(lake, "below/a.csv", MANY)
    store.take_in(collection)
    assert unattributed_files(lake) == [], "it was replaced"
    path.with_name("again.csv").write_bytes(sent)
    assert unattributed_files(lake) == [], "these bytes were told of already"
