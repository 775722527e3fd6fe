"""A damaged extract stops itself, and one that may count leaves its force without extract."""

import shutil
from pathlib import Path

import polars as pl
import pytest

from assets.cases.derived import refused_extracts
from assets.cases.received import judge_received
from assets.cases.store import CaseStore
from assets.intake.tables import damaged_receipts
from assets.lake import Lake
from schemas.collection import Collection
from tests.cases.extracts import good, write_csv
from tests.intake.test_damaged import HARMS, Harm, older

FIRST, SECOND = 10, 20
"""Rows of the first and the second extract of STF."""


class Stored:
    """A lake with an extract of STF, one of DER, and another of STF, received in this order."""

    def __init__(self, root: Path, collection: Collection) -> None:
        self.lake, self.collection = Lake(root, collection.id), collection

    @property
    def store(self) -> CaseStore:
        return CaseStore(self.lake)

    def drop(self, force: str, rows: int) -> dict[str, str]:
        path = self.lake.landing / "cases" / f"{force}.csv"
        write_csv(path, [good(number, force) for number in range(rows)])
        return self.store.take_in(self.collection).left

    def receipt(self, number: int) -> Path:
        return next((self.lake.raw / "case_versions").glob(f"{number:06d}-*"))

    def bytes_of(self, number: int) -> Path:
        return next((self.lake.raw / "cases").glob(f"{number:06d}-*/*"))

    def judged(self) -> tuple[pl.DataFrame, dict[str, int]]:
        """Return what was received and is wrong with it, and the cases that count by force."""
        extracts, cases, found = judge_received(self.store, self.lake, self.collection)
        counted = cases.group_by("force_code").agg(pl.col("cases").sum())
        said = found.select("force_code", damage="message", fix="how_to_fix")
        rows = extracts.join(said, on="force_code", how="left")
        return rows, dict(counted.iter_rows())

    def files_told(self) -> list[str]:
        """Return what the alert and the status name."""
        table = damaged_receipts([], self.lake)
        assert not table["can_count"].any(), "the returns go on"
        return table["file"].to_list()


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory, collection: Collection) -> Stored:
    stored = Stored(tmp_path_factory.mktemp("filled"), collection)
    for force, rows in (("STF", FIRST), ("DER", 5), ("STF", SECOND)):
        stored.drop(force, rows)
    return stored


@pytest.fixture
def stored(filled: Stored, tmp_path: Path) -> Stored:
    shutil.copytree(filled.lake.root, tmp_path / "lake")
    return Stored(tmp_path / "lake", filled.collection)


@pytest.mark.parametrize("harm", HARMS.values(), ids=HARMS)
def test_a_damaged_receipt_of_an_earlier_extract_stops_itself_alone(
    harm: Harm, stored: Stored
) -> None:
    harm(stored.receipt(1))
    extracts, counted = stored.judged()
    assert counted == {"STF": SECOND, "DER": 5}
    assert set(extracts["state"]) == {"accepted"}
    assert stored.files_told() == [str(stored.receipt(1).relative_to(stored.lake.root))]


@pytest.mark.parametrize("harm", HARMS.values(), ids=HARMS)
def test_one_that_counts_leaves_its_force_without_extract(harm: Harm, stored: Stored) -> None:
    path = stored.receipt(3)
    harm(path)
    extracts, counted = stored.judged()
    assert counted == {"DER": 5}, "never the earlier extract, and the others as they were"
    (row,) = extracts.filter(force_code="STF").to_dicts()
    assert (row["state"], row["live"], row["version"]) == ("damaged", False, 2)
    place = str(path.relative_to(stored.lake.root))
    assert row["damage"].startswith(f"{place}: ")
    assert "Restore it from the backup of the lake" in row["fix"]
    assert refused_extracts(extracts)["force_code"].to_list() == ["STF"]
    assert stored.files_told() == [place]


def test_one_that_is_gone_leaves_its_force_without_extract(stored: Stored) -> None:
    stored.drop("DER", 6)
    path, away = stored.receipt(1), stored.lake.root / "moved away"
    path.rename(away)
    assert stored.judged()[1] == {"STF": SECOND, "DER": 6}, "it is an earlier one"
    away.rename(path)
    stored.receipt(3).unlink()
    extracts, counted = stored.judged()
    assert counted == {"DER": 6}
    (row,) = extracts.filter(force_code="STF").to_dicts()
    assert (row["state"], row["live"]) == ("damaged", False)


def test_what_lies_in_landing_does_not_come_back_as_a_newer_extract(stored: Stored) -> None:
    stored.receipt(3).write_text("")
    taken = stored.store.take_in(stored.collection)
    assert taken.new == ()
    assert "is damaged" in taken.left["STF.csv"]
    assert stored.drop("STF", 30) == {}
    extracts, counted = stored.judged()
    assert counted == {"STF": 30, "DER": 5}, "a new one counts"
    newest = extracts.filter(force_code="STF", live=True)
    assert newest["version"].to_list() == [3], "the number of the damaged one is not given again"
    assert stored.store.receipts()[-1].sequence == 4


def _change(path: Path) -> None:
    path.write_text("".join(path.read_text().splitlines(keepends=True)[:-1]))


@pytest.mark.parametrize("harm", [_change, Path.unlink])
def test_so_it_is_with_damaged_bytes(harm: Harm, stored: Stored) -> None:
    """A lost row would count as a case that never was, and blame the force's workbook for it."""
    harm(stored.bytes_of(1))
    assert stored.judged()[1] == {"STF": SECOND, "DER": 5}
    harm(stored.bytes_of(3))
    extracts, counted = stored.judged()
    assert counted == {"DER": 5}
    (row,) = extracts.filter(force_code="STF").to_dicts()
    assert row["state"] == "damaged"
    assert row["damage"].startswith("raw/")


def test_bytes_that_are_gone_and_still_lie_in_landing_are_taken_in_again(stored: Stored) -> None:
    stored.bytes_of(3).unlink()
    assert len(stored.store.take_in(stored.collection).new) == 1
    assert stored.judged()[1] == {"STF": SECOND, "DER": 5}


def test_where_nothing_tells_whose_it_is_it_may_be_any_force_s(stored: Stored) -> None:
    older(stored.receipt(3)).write_text("")
    extracts, counted = stored.judged()
    assert counted == {}
    assert extracts.filter(state="damaged")["force_code"].sort().to_list() == ["DER", "STF"]


@pytest.mark.parametrize("name", ["x.json", "000001-x.json", "notes (1).json"])
def test_what_no_receipt_is_called_is_none(name: str, stored: Stored) -> None:
    (stored.lake.raw / "case_versions" / name).write_text("{")
    assert stored.judged()[1] == {"STF": SECOND, "DER": 5}
    assert len(stored.files_told()) == 1
