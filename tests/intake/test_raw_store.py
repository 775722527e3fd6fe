"""Nothing that was received is lost, and nothing is received twice."""

import json
import os
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest

from assets.intake import raw_store
from assets.intake.landing import waiting
from assets.intake.raw_store import RawStore, read_ahead
from assets.intake.reader import read_return
from assets.intake.reading import Reading
from assets.intake.tables import readings, received
from assets.lake import Lake, held
from schemas.collection import Collection
from schemas.errors import BusyError, LakeError
from tests.intake.workbooks import parts, write
from tests.ods import write_content
from tests.returns import SampleReturn

NOON = datetime(2012, 6, 1, 12, tzinfo=UTC)


@pytest.fixture
def lake(tmp_path: Path, collection: Collection) -> Lake:
    lake = Lake(tmp_path / "lake", collection.id)
    lake.landing.mkdir(parents=True)
    return lake


@pytest.fixture
def store(lake: Lake) -> RawStore:
    return RawStore(lake, clock=lambda: NOON)


def test_a_file_is_kept_with_its_receipt(
    lake: Lake, store: RawStore, sample: Callable[[str], SampleReturn], collection: Collection
) -> None:
    path = sample("STF").write(lake.landing / "any name.xlsx")
    (receipt,) = store.take_in([path], collection).new
    assert (receipt.force_code, receipt.version, receipt.sequence) == ("STF", 1, 1)
    assert receipt.received_at == "2012-06-01T12:00:00+00:00"
    assert receipt.file_name == "any name.xlsx"
    assert store.path(receipt).read_bytes() == path.read_bytes()
    assert receipt.sha256.startswith(receipt.receipt_id)
    assert path.exists(), "landing belongs to those who drop"


def test_the_same_bytes_are_one_receipt(
    lake: Lake, store: RawStore, sample: Callable[[str], SampleReturn], collection: Collection
) -> None:
    first = sample("STF").write(lake.landing / "a.xlsx")
    second = sample("STF").write(lake.landing / "b.xlsx")
    taken = store.take_in([first, second], collection)
    assert len(taken.new) == 1
    assert taken.duplicates == {"b.xlsx": taken.new[0].receipt_id}
    again = store.take_in([first, second], collection)
    assert again.new == ()
    assert len(store.receipts()) == 1


def test_an_earlier_version_that_is_sent_again_is_said_to_be_known(
    lake: Lake, store: RawStore, sample: Callable[[str], SampleReturn], collection: Collection
) -> None:
    path, months = lake.landing / "STF.xlsx", ("second_jobs", "review_months", "count")
    (first,) = store.take_in([sample("STF").write(path)], collection).new
    assert store.take_in([path], collection).duplicates == {}, "it lies there still"
    sample("STF").with_values({months: "7"}).write(path)
    assert len(store.take_in([path], collection).new) == 1
    again = store.take_in([sample("STF").write(path)], collection)
    assert (again.new, again.duplicates) == ((), {"STF.xlsx": first.receipt_id})


def test_what_has_lost_its_receipt_is_not_received_again(
    lake: Lake, store: RawStore, sample: Callable[[str], SampleReturn], collection: Collection
) -> None:
    """Else the version before the one that counts would replace it; the doctor says what to do."""
    months = ("second_jobs", "review_months", "count")
    paths = [
        sample("STF").with_values({months: number}).write(lake.landing / f"{number}.xlsx")
        for number in ("6", "7")
    ]
    first, second = store.take_in(paths, collection).new
    lost = next((lake.raw / "receipts").glob("000001-*"))
    kept = lost.read_bytes()
    lost.unlink()
    taken = store.take_in(paths, collection)
    assert (taken.new, list(taken.left)) == ((), ["6.xlsx"])
    assert "that receipt is damaged or gone" in taken.left["6.xlsx"]
    late = sample("STF").with_values({months: "8"}).write(lake.landing / "8.xlsx")
    assert [receipt.version for receipt in store.take_in([late], collection).new] == [3]
    lost.write_bytes(kept)
    assert store.take_in(paths, collection).left == {}
    assert store.receipts()[:2] == [first, second]


def test_what_was_nobodys_counts_once_its_force_is_expected(
    lake: Lake, store: RawStore, sample: Callable[[str], SampleReturn], collection: Collection
) -> None:
    """A force that the collection's file had left out sent two versions, and then more."""
    without = collection.model_copy(update={"forces": ("DER",)})
    months = ("second_jobs", "review_months", "count")
    paths = [
        sample("STF").with_values({months: number}).write(lake.landing / f"{number}.xlsx")
        for number in ("6", "7", "8")
    ]
    for path in paths:
        os.utime(path, ns=(10**18, 10**18))
    early = store.take_in(paths[:2], without).new
    assert {receipt.force_code for receipt in early} == {None}
    ids = [receipt.receipt_id for receipt in early]
    before = {path: path.read_bytes() for path in (lake.raw / "receipts").iterdir()}
    (third,) = store.take_in(paths, collection).new
    for path, content in before.items():
        assert not path.exists()
        path.write_bytes(content)  # as a kill may leave it
    assert store.damaged() == []
    (path,) = (lake.raw / "receipts").glob("000001-*-STF-1.json")
    whole = path.read_bytes()
    path.write_text("{")
    assert [damaged.force_code for damaged in store.damaged()] == ["STF"], "not what the kill left"
    path.write_bytes(whole)
    assert [(r.force_code, r.version, r.tie) for r in store.receipts()] == [
        ("STF", 1, None), ("STF", 2, ids[0]), ("STF", 3, None),
    ]  # fmt: skip
    late = sample("DER").write(lake.landing / "DER.xlsx")
    (of_der,) = store.take_in([late], collection.model_copy(update={"forces": ("STF",)})).new
    newer = sample("DER").with_values({months: "7"}).write(late)
    store.take_in([newer], collection)
    assert [r.version for r in store.receipts() if r.force_code == "DER"] == [1, 2]
    assert third.version == 3
    assert of_der.force_code is None


def test_each_resubmission_is_a_new_version_of_its_force(
    lake: Lake, store: RawStore, sample: Callable[[str], SampleReturn], collection: Collection
) -> None:
    place = ("second_jobs", "review_months", "count")
    paths = [
        sample(force).with_values({place: months}).write(lake.landing / f"{force}{months}.xlsx")
        for force, months in (("STF", "6"), ("DER", "6"), ("STF", "7"), ("STF", "8"))
    ]
    versions = [(r.force_code, r.version) for r in store.take_in(paths, collection).new]
    assert versions == [("STF", 1), ("DER", 1), ("STF", 2), ("STF", 3)]


def test_a_file_that_is_no_return_is_kept_too(
    lake: Lake, store: RawStore, collection: Collection
) -> None:
    path = lake.landing / "STF.xlsx"
    path.write_text("not a workbook")
    (receipt,) = store.take_in([path], collection).new
    assert (receipt.force_code, receipt.version) == (None, None), "the name tells nothing"
    assert store.path(receipt).read_text() == "not a workbook"


@pytest.mark.parametrize(
    ("code", "name"),
    [("XXX", "Staffordshire Police"), ("DER", "Staffordshire Police"), ("", "Derbyshire")],
)
def test_a_cover_that_contradicts_itself_is_nobodys(
    code: str,
    name: str,
    lake: Lake,
    store: RawStore,
    sample: Callable[[str], SampleReturn],
    collection: Collection,
) -> None:
    """A return with another force's code must not replace that force's return."""
    changed = sample("STF").with_values(
        {("cover", "force_code", "value"): code, ("cover", "force_name", "value"): name}
    )
    (receipt,) = store.take_in([changed.write(lake.landing / "x.xlsx")], collection).new
    assert (receipt.force_code, receipt.version) == (None, None)


def test_a_file_that_changes_while_it_is_copied_waits(
    lake: Lake, store: RawStore, collection: Collection, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = lake.landing / "slow.xlsx"
    path.write_bytes(b"half")
    chunk_read = os.fstat

    def grow_then_stat(descriptor: int) -> os.stat_result:
        status = chunk_read(descriptor)
        with path.open("ab") as file:
            file.write(b" more")
        return status

    with monkeypatch.context() as patch:
        patch.setattr(raw_store.os, "fstat", grow_then_stat)
        taken = store.take_in([path], collection)
    assert taken.new == ()
    assert "changed while it was copied" in taken.left["slow.xlsx"]
    assert store.receipts() == []
    assert len(store.take_in([path], collection).new) == 1


def test_one_file_that_cannot_be_opened_does_not_hold_up_the_others(
    lake: Lake, store: RawStore, sample: Callable[[str], SampleReturn], collection: Collection
) -> None:
    broken = lake.landing / "broken.xlsx"
    broken.symlink_to(lake.landing / "nowhere.xlsx")
    good = sample("STF").write(lake.landing / "good.xlsx")
    taken = store.take_in([broken, good], collection)
    assert [receipt.force_code for receipt in taken.new] == ["STF"]
    assert "is a link" in taken.refused["broken.xlsx"]


def test_a_link_is_not_followed(lake: Lake, store: RawStore, collection: Collection) -> None:
    """It would be read with the rights of the service, whatever it points to."""
    secret = lake.root / "secret.txt"
    secret.write_text("secret")
    link = lake.landing / "STF.xlsx"
    link.symlink_to(secret)
    taken = store.take_in([link], collection)
    assert taken.new == ()
    assert "link" in taken.refused["STF.xlsx"]
    assert not (lake.raw / "files").exists()
    (reason,) = lake.quarantine.iterdir()
    assert "secret" not in reason.read_text()


def test_a_huge_file_is_set_aside_without_being_read(
    lake: Lake, store: RawStore, collection: Collection
) -> None:
    path = lake.landing / "huge.xlsx"
    with path.open("wb") as file:
        file.truncate(2 * 1024**3)
    taken = store.take_in([path], collection)
    assert "2,048 MB" in taken.refused["huge.xlsx"]
    assert store.take_in([path], collection).refused == taken.refused
    kept = {p.suffix: p for p in lake.quarantine.iterdir()}
    assert set(kept) == {"", ".json"}
    assert kept[""].samefile(path), "a second name, not a copy"


def test_a_refused_file_lies_apart_beside_the_reason(
    lake: Lake, store: RawStore, collection: Collection
) -> None:
    path = lake.landing / "STF.xlsx"
    path.write_text("not a workbook")
    (receipt,) = store.take_in([path], collection).new
    assert receipt.quarantined
    assert store.path(receipt).parent == lake.quarantine
    assert list((lake.raw / "files").iterdir()) == []
    why = json.loads((lake.quarantine / f"{receipt.sha256}.json").read_text())
    assert why["file_name"] == "STF.xlsx"
    assert why["rule_id"] == "S001"
    assert "not an Excel workbook" in why["problem"]
    assert store.read(receipt).refusal is not None
    assert store.take_in([path], collection).new == (), "known by its bytes"


def test_a_name_that_is_no_text_is_kept_as_text(
    lake: Lake, store: RawStore, sample: Callable[[str], SampleReturn], collection: Collection
) -> None:
    name = os.fsdecode(b"STF \xff\n.xlsx")
    good = sample("STF").write(lake.landing / "a.xlsx")
    (lake.landing / name).write_bytes(good.read_bytes())
    good.unlink()
    (receipt,) = store.take_in(list(waiting(lake.landing).files), collection).new
    assert receipt.file_name == "STF \\udcff\n.xlsx"
    assert received(store).receipts["file_name"].to_list() == [receipt.file_name]


def test_a_copy_without_a_receipt_is_taken_in_again(
    lake: Lake, store: RawStore, sample: Callable[[str], SampleReturn], collection: Collection
) -> None:
    """A run that is killed between the copy and the receipt leaves just that behind."""
    path = sample("STF").write(lake.landing / "STF.xlsx")
    (receipt,) = store.take_in([path], collection).new
    next((lake.raw / "receipts").iterdir()).unlink()
    assert RawStore(lake, clock=lambda: NOON).take_in([path], collection).new == (receipt,)


def test_a_damaged_raw_file_is_noticed(
    lake: Lake, store: RawStore, sample: Callable[[str], SampleReturn], collection: Collection
) -> None:
    (receipt,) = store.take_in([sample("STF").write(lake.landing / "a.xlsx")], collection).new
    path = store.path(receipt)
    path.chmod(0o644)
    path.write_bytes(path.read_bytes() + b"!")
    with pytest.raises(LakeError, match=r"changed since it was received.*Restore it"):
        RawStore(lake).read(receipt)
    path.unlink()
    with pytest.raises(LakeError, match="changed since it was received"):
        RawStore(lake).read(receipt)


def test_what_is_kept_stands_for_the_files(
    lake: Lake, store: RawStore, sample: Callable[[str], SampleReturn], collection: Collection
) -> None:
    text = lake.landing / "b.xlsx"
    text.write_text("not a workbook")
    store.take_in([sample("STF").write(lake.landing / "a.xlsx"), text], collection)
    again = readings(lake, received(store).receipts)
    assert [reading.refusal is None for reading in again.values()] == [True, False]
    for receipt in store.receipts():
        reading = read_return(store.path(receipt))
        assert again[receipt.receipt_id].sheets == reading.sheets


def test_a_sheet_without_a_name_is_refused_and_stops_nothing(
    lake: Lake, store: RawStore, collection: Collection
) -> None:
    """What is found in it is told with its name."""
    cells = '<row r="1"><c r="A1"><v>1</v></c></row>'
    members = parts(cells)
    members["xl/workbook.xml"] = members["xl/workbook.xml"].replace('name="a"', 'name=""')
    rows = '<table:table-row><table:table-cell office:value-type="float" office:value="1"/>'
    nameless = f"<table:table>{rows}</table:table-row></table:table>"
    paths = [
        write(lake.landing, members),
        write_content(lake.landing / "a.ods", nameless),
    ]
    assert len(store.take_in(paths, collection).new) == 2
    found = readings(lake, received(store).receipts)
    assert [reading.refusal is None for reading in found.values()] == [False, False]


def test_files_wait_in_order_of_arrival(tmp_path: Path) -> None:
    for number, name in enumerate(["c.xlsx", "a.xlsx", "b.xlsx"]):
        (tmp_path / name).write_text(name)
        os.utime(tmp_path / name, (number // 2, number // 2))
    for name in (".hidden", "~$a.xlsx", "d.xlsx.part"):
        (tmp_path / name).write_text(name)
    (tmp_path / "reports").mkdir()
    (tmp_path / "other").mkdir()
    found = waiting(tmp_path)
    assert [path.name for path in found.files] == ["a.xlsx", "c.xlsx", "b.xlsx"]
    assert [path.name for path in found.litter] == [".hidden", "d.xlsx.part", "~$a.xlsx"]
    assert [path.name for path in found.folders] == ["other"]
    assert waiting(tmp_path / "nowhere").files == ()


def test_two_runs_never_hold_the_lake_at_once(tmp_path: Path) -> None:
    with held(tmp_path), pytest.raises(BusyError, match="another run"), held(tmp_path):
        pass
    with held(tmp_path):
        pass


def test_a_file_is_parsed_once_and_a_damaged_result_of_it_costs_time_alone(
    lake: Lake,
    store: RawStore,
    sample: Callable[[str], SampleReturn],
    collection: Collection,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """What stands in a file is kept by its bytes; only one that is new is parsed."""
    paths = [sample(force).write(lake.landing / f"{force}.xlsx") for force in ("STF", "DER")]
    store.take_in(paths, collection)
    before = readings(lake, received(store).receipts)
    parsed: list[str] = []

    def parse(path: Path) -> Reading:
        parsed.append(path.name)
        return read_return(path)

    def again() -> int:
        parsed.clear()
        assert readings(lake, received(RawStore(lake)).receipts) == before
        return len(parsed)

    monkeypatch.setattr(raw_store, "read_return", parse)
    assert again() == 0
    kept = sorted((lake.kept / "reading").iterdir())
    kept[0].write_bytes(kept[0].read_bytes().replace(b"STF", b"DER").replace(b"31", b"32"))
    kept[1].unlink()
    assert again() == 2
    assert again() == 0
    monkeypatch.setattr(raw_store, "words_sha256", lambda: "of other collections")
    assert again() == 2


def test_what_was_read_ahead_is_taken_in_without_being_read(
    lake: Lake,
    store: RawStore,
    sample: Callable[[str], SampleReturn],
    collection: Collection,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    sample("STF").write(lake.landing / "STF.xlsx")
    (lake.landing / "broken.xlsx").write_text("not a workbook")
    secret = sample("DER").write(lake.root / "secret.xlsx")
    (lake.landing / "DER.xlsx").symlink_to(secret)
    os.mkfifo(lake.landing / "pipe.xlsx")
    with held(lake.root):
        read_ahead(lake.root)
    assert not lake.kept.exists(), "another run is at work there"
    read_ahead(lake.root)
    kept = {path.name for path in (lake.kept / "reading").iterdir()}
    assert len(kept) == 2, "no link is followed, no pipe is waited for, no copy is left"

    def parse(path: Path) -> Reading:
        pytest.fail(f"{path.name} is read once more")

    monkeypatch.setattr(raw_store, "read_return", parse)
    taken = store.take_in(waiting(lake.landing).files, collection)
    assert sorted((new.file_name, new.force_code) for new in taken.new) == [
        ("STF.xlsx", "STF"), ("broken.xlsx", None),
    ]  # fmt: skip
    assert {*taken.refused} | {*taken.left} == {"DER.xlsx", "pipe.xlsx"}
    assert {path.name for path in (lake.kept / "reading").iterdir()} == kept
