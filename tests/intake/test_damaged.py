"""A damaged receipt stops itself, and one that may count stops what would be wrong without it."""

import json
import shutil
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import polars as pl
import pytest

from assets.intake import raw_store, reader
from assets.intake.raw_store import RawStore
from assets.intake.reading import Reading
from assets.intake.receipts import Damaged
from assets.intake.tables import damaged_now, damaged_receipts, received
from assets.lake import Lake
from assets.returns.validation.states import check_damaged
from schemas.collection import Collection
from schemas.contract import empty
from schemas.errors import LakeError
from schemas.tables import Choices, DamagedReceipts
from tests.returns import SampleReturn

NOON = datetime(2012, 6, 1, 12, tzinfo=UTC)
MONTHS = ("second_jobs", "review_months", "count")
Harm = Callable[[Path], object]


class Stored:
    """A store with versions 1 and 2 of STF and version 1 of KEN, received in this order."""

    def __init__(self, root: Path, collection: Collection) -> None:
        self.lake, self.collection = Lake(root, collection.id), collection

    @property
    def store(self) -> RawStore:
        return RawStore(self.lake, clock=lambda: NOON)

    def take(self, force: str, months: str) -> dict[str, str]:
        sample = SampleReturn.of(force, self.collection).with_values({MONTHS: months})
        path = sample.write(self.lake.landing / f"{force}-{months}.xlsx")
        return self.store.take_in([path], self.collection).left

    def receipt(self, number: int) -> Path:
        return next((self.lake.raw / "receipts").glob(f"{number:06d}-*"))

    def bytes_of(self, number: int) -> Path:
        return self.lake.raw / "files" / json.loads(self.receipt(number).read_text())["sha256"]

    def damaged(self) -> tuple[Damaged, ...]:
        return received(self.store).damaged

    def table(self) -> pl.DataFrame:
        return damaged_receipts(self.damaged(), self.lake)

    def check(self, choices: pl.DataFrame | None = None) -> None:
        """Check as a run does, where every version that is left is acceptable."""
        version = pl.col("version")
        receipts = received(self.store).receipts
        judged = receipts.with_columns(live=version == version.max().over("force_code"))
        check_damaged(judged, self.table(), empty(Choices) if choices is None else choices)


@pytest.fixture(scope="module", autouse=True)
def once() -> Iterator[None]:
    """Have the same bytes read once: each test looks at the same three returns several times."""
    found: dict[bytes, Reading] = {}

    def read(path: Path) -> Reading:
        content = path.read_bytes()
        if content not in found:
            found[content] = reader.read_return(path)
        return found[content]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(raw_store, "read_return", read)
        yield


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory, collection: Collection) -> Stored:
    stored = Stored(tmp_path_factory.mktemp("filled") / "lake", collection)
    stored.lake.landing.mkdir(parents=True)
    for force, months in (("STF", "7"), ("STF", "9"), ("KEN", "11")):
        stored.take(force, months)
    return stored


@pytest.fixture
def stored(filled: Stored, tmp_path: Path) -> Stored:
    shutil.copytree(filled.lake.root, tmp_path / "lake")
    return Stored(tmp_path / "lake", filled.collection)


def _changed(**fields: object) -> Harm:
    def change(path: Path) -> None:
        path.write_text(json.dumps({**json.loads(path.read_text()), **fields}))

    return change


def _without(name: str) -> Harm:
    def change(path: Path) -> None:
        data = json.loads(path.read_text())
        del data[name]
        path.write_text(json.dumps(data))

    return change


HARMS: dict[str, Harm] = {
    "empty": lambda path: path.write_text(""),
    "cut off": lambda path: path.write_text(path.read_text()[:-9]),
    "no object": lambda path: path.write_text("[1, 2]"),
    "null": lambda path: path.write_text("null"),
    "NUL bytes": lambda path: path.write_bytes(bytes(400)),
    "no text": lambda path: path.write_bytes(b"\xff\xfe\x00{"),
    "deep": lambda path: path.write_text("[" * 100_000),
    "a field too many": _changed(more=1),
    "a field too few": _without("sha256"),
    "a sequence that is text": _changed(sequence="1"),
    "a sequence that is true": _changed(sequence=True),
    "a version of 0": _changed(version=0),
    "a version without a force": _changed(force_code=None),
    "no such force": _changed(force_code="XXX"),
    "no time": _changed(received_at="yesterday"),
    "another hash": _changed(sha256="0" * 64),
    "a size that is text": _changed(size="many"),
    "a folder": lambda path: (path.unlink(), path.mkdir()),
}


@pytest.mark.parametrize("harm", HARMS.values(), ids=HARMS)
def test_a_damaged_receipt_of_an_earlier_version_stops_itself_alone(
    harm: Harm, stored: Stored
) -> None:
    path = stored.receipt(1)
    harm(path)
    [row] = stored.table().rows(named=True)
    assert row["file"] == str(path.relative_to(stored.lake.root))
    assert (row["sequence"], row["force_code"], row["version"]) == (1, "STF", 1)
    left = received(stored.store).receipts.sort("sequence")
    assert left.select("force_code", "version").rows() == [("STF", 2), ("KEN", 1)]
    stored.check()


@pytest.mark.parametrize("harm", HARMS.values(), ids=HARMS)
def test_a_damaged_receipt_that_counts_is_not_passed_over(harm: Harm, stored: Stored) -> None:
    harm(stored.receipt(2))
    with pytest.raises(LakeError, match=r"STF version 2.*Restore it from the backup.*--go-back"):
        stored.check()


def _release(stored: Stored) -> None:
    """Note in a release which receipts there are, as its manifest does."""
    of = [(each.force_code, each.sha256) for each in stored.store.receipts()]
    folder = stored.lake.releases / f"{stored.collection.id}-aaaaaaaaaaaa"
    folder.mkdir(parents=True)
    (folder / "manifest.json").write_text(json.dumps({"made_from": {"returns": of}}))


def test_a_receipt_that_is_gone_is_not_passed_over(stored: Stored) -> None:
    """The version before it would count, and its total look right."""
    stored.receipt(2).unlink()
    [row] = stored.table().rows(named=True)
    assert (row["sequence"], row["force_code"], row["version"]) == (2, "STF", 2)
    assert row["problem"] == "there is no receipt with number 2"
    with pytest.raises(LakeError, match=r"STF version 2.*Restore it from the backup.*--go-back"):
        stored.check()
    back = {"force_code": "STF", "version": 1, "up_to": 2, "reason": "lost", "decided_by": "Ann"}
    stored.check(pl.DataFrame([back], schema=empty(Choices).schema))
    stored.take("STF", "13")
    stored.check()
    assert stored.store.receipts()[-1].version == 3, "its number is not given again"
    stored.receipt(1).unlink()
    stored.check()
    assert stored.table().sort("version")["version"].to_list() == [1, 2]


@pytest.mark.parametrize("with_bytes", [True, False])
def test_the_last_receipt_leaves_no_gap_and_a_release_tells_of_it(
    with_bytes: bool, stored: Stored
) -> None:
    _release(stored)
    bytes_of = stored.bytes_of(3)
    stored.receipt(3).unlink()
    if not with_bytes:
        bytes_of.unlink()
    with pytest.raises(LakeError, match="KEN version 1"):
        stored.check()
    assert "is damaged or gone" in stored.take("KEN", "11")["KEN-11.xlsx"]
    stored.take("KEN", "13")
    stored.check()
    [row] = stored.table().rows(named=True)
    assert (row["sequence"], row["force_code"], row["version"]) == (3, "KEN", 1)


def test_of_what_nothing_is_left_nobody_can_say_whose_it_is(stored: Stored) -> None:
    """But of what a release was made from; whoever knows better says that it is nobody's."""
    bytes_of, lost = stored.bytes_of(2), stored.receipt(2)
    bytes_of.unlink()
    lost.unlink()
    with pytest.raises(LakeError, match=r"000002-\*.json: whose cannot be told"):
        stored.check()
    lost.with_name(f"000002-{'0' * 16}-nobodys-0.json").write_text("")
    stored.check()


@pytest.mark.parametrize("harm", [lambda p: p.unlink(), lambda p: p.write_bytes(b"other")])
def test_so_it_is_with_damaged_bytes(harm: Harm, stored: Stored) -> None:
    stored.bytes_of(1).chmod(0o644)
    harm(stored.bytes_of(1))
    [row] = stored.table().rows(named=True)
    assert (row["force_code"], row["version"]) == ("STF", 1)
    assert "changed since it was received" in row["problem"]
    stored.check()
    stored.bytes_of(3).unlink()
    with pytest.raises(LakeError, match="KEN version 1"):
        stored.check()


def test_whoever_goes_back_has_decided(stored: Stored) -> None:
    stored.receipt(2).write_text("")
    row = {"force_code": "STF", "version": 1, "up_to": 2, "reason": "lost", "decided_by": "Ann"}
    stored.check(pl.DataFrame([row], schema=empty(Choices).schema))


def older(receipt: Path) -> Path:
    """Name a receipt as earlier versions of Muster did, without its force."""
    return receipt.rename(receipt.with_name(f"{receipt.name[:23]}.json"))


def test_where_nothing_tells_whose_it_is_it_may_be_anybodys(stored: Stored) -> None:
    path = older(stored.receipt(1))
    assert stored.damaged() == ()
    path.write_text("")
    with pytest.raises(LakeError, match="whose cannot be told"):
        stored.check()


@pytest.mark.parametrize(("rule", "rejected"), [("S010", True), ("CASE12", False)])
def test_a_release_tells_that_it_was_rejected(rule: str, rejected: bool, stored: Stored) -> None:
    """What was found in the same bytes as an extract tells nothing of the return."""
    receipt_id = stored.receipt(2).name.split("-")[1]
    stored.bytes_of(2).unlink()
    stored.receipt(2).write_text("")
    release = stored.lake.releases / "one"
    release.mkdir(parents=True)
    found = {"receipt_id": receipt_id, "force_code": "STF", "severity": "B", "rule_id": rule}
    pl.DataFrame([found]).write_parquet(release / "findings.parquet")
    [row] = stored.table().rows(named=True)
    assert (row["force_code"], row["can_count"]) == ("STF", not rejected)
    if rejected:
        stored.check()


@pytest.mark.parametrize("name", ["x.json", "000001-x.json", "notes (1).json"])
def test_what_no_receipt_is_called_is_none(name: str, stored: Stored) -> None:
    (stored.lake.raw / "receipts" / name).write_text("{")
    assert stored.table().select("file", "can_count").rows()[0][1] is False
    stored.check()


def test_a_copy_of_a_receipt_is_harmless_and_a_renamed_one_is_not(stored: Stored) -> None:
    path = stored.receipt(2)
    copy = path.with_name(path.stem + " (1).json")
    copy.write_text(path.read_text())
    stored.check()
    assert stored.table().height == 1
    path.unlink()
    with pytest.raises(LakeError, match="STF version 2"):
        stored.check()


@pytest.mark.parametrize("lost", [False, True])
def test_its_numbers_are_not_given_again(lost: bool, stored: Stored) -> None:
    """Where nothing tells whose a receipt is, the number after it stays free for each force."""
    for number in (2, 3):
        (older(stored.receipt(number)) if lost else stored.receipt(number)).write_text("")
    stored.take("STF", "13")
    newest = stored.store.receipts()[-1]
    assert (newest.sequence, newest.version) == (4, 4 if lost else 3)


def test_an_old_file_in_landing_does_not_come_back_as_the_newest(stored: Stored) -> None:
    stored.receipt(1).write_text("")
    left = stored.take("STF", "7")
    assert "that receipt is damaged" in left["STF-7.xlsx"]
    assert len(stored.store.receipts()) == 2


def test_receipts_of_earlier_releases_are_read(stored: Stored) -> None:
    for name in ("modified_ns", "tie"):
        _without(name)(stored.receipt(1))
    assert stored.damaged() == ()
    assert stored.store.receipts()[0].tie is None


@pytest.mark.parametrize(
    "harm",
    [
        lambda path: path.write_bytes(b""),
        lambda path: path.write_bytes(path.read_bytes()[:200]),
        lambda path: pl.DataFrame({"a": [1]}).write_parquet(path),
        lambda path: pl.read_parquet(path).with_columns(sequence=pl.lit("1")).write_parquet(path),
    ],
    ids=["empty", "cut", "another table", "another type"],
)
def test_a_damaged_table_of_what_is_damaged_is_made_anew(
    harm: Harm, tmp_path: Path, collection: Collection
) -> None:
    lake = Lake(tmp_path, collection.id)
    path = lake.table("intake/damaged_receipts")
    path.parent.mkdir(parents=True)
    empty(DamagedReceipts).write_parquet(path)
    harm(path)
    with pytest.raises(LakeError, match="muster run makes it anew"):
        damaged_now(lake)
    assert damaged_receipts((), lake).is_empty()
