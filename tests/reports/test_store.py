"""Dropped reports are kept for ever and read into one table; what two dispute is unknown."""

import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from assets.inputs.reports import report
from assets.inputs.reports.kept_reports import agreed, read_reports
from assets.inputs.reports.report import Report, read_report
from assets.inputs.reports.signs import Times
from assets.intake.tables import damaged_receipts
from assets.lake import Lake
from schemas.collection import load_collection

COLLECTION = load_collection("2012-revisit")
REPORT = """Revisiting police relationships: progress report

{name}
December 2012

Findings for {short}

{text}
"""
COUNTED = "Between September 2011 and May 2012 the force instigated {n} investigations."


@pytest.fixture
def lake(tmp_path: Path) -> Lake:
    lake = Lake(tmp_path, "2012-revisit")
    lake.reports.mkdir(parents=True)
    return lake


def _drop(lake: Lake, name: str, text: str, force: str = "Kent") -> Path:
    path = lake.reports / name
    content = REPORT.format(name=f"{force} Police", short=force, text=text)
    path.write_text(content, encoding="utf-8")
    return path


def test_figures_come_with_their_file_and_line(lake: Lake) -> None:
    _drop(lake, "kent.txt", COUNTED.format(n=37))
    (row,) = read_reports(lake, COLLECTION).figures.to_dicts()
    assert (row["force_code"], row["measure"], row["value"]) == ("KEN", "investigations", 37.0)
    assert (row["file_name"], row["line"]) == ("kent.txt", 8)


def test_a_report_stays_when_landing_is_emptied(lake: Lake) -> None:
    path = _drop(lake, "kent.txt", COUNTED.format(n=37))
    first = read_reports(lake, COLLECTION).figures
    path.unlink()
    assert read_reports(lake, COLLECTION).figures.equals(first)


def test_a_report_is_read_once_and_a_damaged_result_of_it_costs_time_alone(
    lake: Lake, monkeypatch: pytest.MonkeyPatch
) -> None:
    _drop(lake, "kent.txt", COUNTED.format(n=37))
    _drop(lake, "nobody.txt", COUNTED.format(n=1), "Toytown")
    first = read_reports(lake, COLLECTION)
    looked: list[str] = []

    def read(text: str, times: Times) -> Report:
        looked.append(text)
        return read_report(text, times)

    monkeypatch.setattr(report, "read_report", read)
    for kept, times in (("", 0), ("damaged", 2), ("", 0)):
        for path in (lake.kept / "report").iterdir() if kept else ():
            path.write_bytes(path.read_bytes().replace(b"37", b"38")[:-1])
        again = read_reports(lake, COLLECTION)
        assert again.figures.equals(first.figures)
        assert again.problems == first.problems
        assert len(looked) == times
        looked.clear()


def test_the_same_report_twice_is_one(lake: Lake) -> None:
    first = _drop(lake, "kent.txt", COUNTED.format(n=37))
    (lake.reports / "copy.txt").write_bytes(first.read_bytes())
    assert read_reports(lake, COLLECTION).figures.height == 1


def test_what_two_reports_dispute_is_unknown(lake: Lake) -> None:
    _drop(lake, "a.txt", COUNTED.format(n=37))
    _drop(lake, "b.txt", COUNTED.format(n=38))
    _drop(lake, "c.txt", COUNTED.format(n=12), "Essex")
    figures = read_reports(lake, COLLECTION).figures
    assert figures.height == 3, "each stands in the reconciliation"
    assert agreed(figures).select("force_code", "value").rows() == [("ESX", 12.0)]


def test_a_file_that_is_no_report_is_told_and_holds_up_nothing(lake: Lake) -> None:
    _drop(lake, "kent.txt", COUNTED.format(n=37))
    (lake.reports / "empty.txt").write_text("")
    (lake.reports / "scan.pdf").write_bytes(b"%PDF-1.4\n%nothing")
    _drop(lake, "nobody.txt", COUNTED.format(n=1), "Toytown")
    _drop(lake, "vague.txt", "The force received around 50 applications for second jobs.", "Essex")
    read = read_reports(lake, COLLECTION)
    assert read.figures["force_code"].to_list() == ["KEN"]
    assert {"empty.txt", "scan.pdf", "nobody.txt"} <= set(read.problems)
    assert "vague.txt" in read.problems
    assert "around" not in str(read.problems), "it is logged, and quotes no report"


def test_links_and_huge_files_are_not_kept(lake: Lake, tmp_path: Path) -> None:
    (tmp_path / "secret.txt").write_text("secret")
    (lake.reports / "link.txt").symlink_to(tmp_path / "secret.txt")
    with (lake.reports / "huge.txt").open("wb") as file:
        file.truncate(21 * 1024**2)
    read = read_reports(lake, COLLECTION)
    assert set(read.problems) == {"link.txt", "huge.txt"}
    assert not lake.kept_reports.exists()


def test_a_report_that_is_still_arriving_waits(lake: Lake) -> None:
    _drop(lake, "kent.txt", COUNTED.format(n=37))
    assert read_reports(lake, COLLECTION, lambda _: False).figures.is_empty()
    assert read_reports(lake, COLLECTION).figures.height == 1


def _change(kept: Path) -> None:
    kept.write_text(kept.read_text().replace("37", "38"))


def _lose(kept: Path) -> None:
    """Lose a report with its folder, of which a release tells alone."""
    released = kept.parents[4] / "releases" / COLLECTION.id / "one" / "manifest.json"
    released.parent.mkdir(parents=True)
    released.write_text(json.dumps({"made_from": {"reports": [kept.parent.name]}}))
    shutil.rmtree(kept.parent)


@pytest.mark.parametrize("known", [True, False])
@pytest.mark.parametrize("harm", [_change, Path.unlink, _lose])
def test_a_damaged_report_leaves_the_figures_of_its_force_missing(
    harm: Callable[[Path], None], known: bool, lake: Lake
) -> None:
    """Another report of the force could say something else; of any, if nothing tells whose."""
    dropped = _drop(lake, "kent.txt", COUNTED.format(n=37))
    whole = dropped.read_bytes()
    _drop(lake, "kent2.txt", COUNTED.format(n=40))
    _drop(lake, "essex.txt", COUNTED.format(n=12), "Essex")
    figures = read_reports(lake, COLLECTION).figures
    dropped.unlink()
    harm(next(lake.kept_reports.glob("*/kent.txt")))
    for _ in range(2):  # whose it was is not forgotten from one run to the next
        if known:
            _written(lake, "reports", "report_figures", figures)
        table = damaged_receipts([], lake)
        _written(lake, "intake", "damaged_receipts", table)
        (row,) = table.rows(named=True)
        assert (row["kind"], row["force_code"]) == ("report", "KEN" if known else None)
        read = read_reports(lake, COLLECTION, damaged=table)
        assert read.figures["force_code"].to_list() == (["ESX"] if known else [])
        ((told,),) = (text for name, text in read.problems.items())
        assert "Restore it from the backup of the lake" in told
        assert told.startswith("raw/")
        figures = read.figures
    dropped.write_bytes(whole)
    assert read_reports(lake, COLLECTION).figures.height == 3, "dropped again it is whole"


def _written(lake: Lake, stage: str, name: str, table: pl.DataFrame) -> None:
    path = lake.table(f"{stage}/{name}")
    path.parent.mkdir(parents=True, exist_ok=True)
    table.write_parquet(path)


def test_a_report_that_cannot_be_opened_holds_nobody_up(
    lake: Lake, monkeypatch: pytest.MonkeyPatch
) -> None:
    _drop(lake, "kent.txt", COUNTED.format(n=37))
    closed = _drop(lake, "essex.txt", COUNTED.format(n=12), "Essex")
    unpatched = os.open

    def refusing(path: Path, *arguments: Any, **named: Any) -> int:
        if path == closed:
            raise PermissionError(13, "Permission denied")
        return unpatched(path, *arguments, **named)

    monkeypatch.setattr("os.open", refusing)
    read = read_reports(lake, COLLECTION)
    assert read.figures["force_code"].to_list() == ["KEN"]
    assert "cannot be opened (Permission denied)" in read.problems["essex.txt"][0]


def test_without_reports_there_are_no_figures(tmp_path: Path) -> None:
    read = read_reports(Lake(tmp_path, "2012-revisit"), COLLECTION)
    assert read.figures.is_empty()
    assert read.problems == {}
    assert agreed(read.figures).schema["value"] == pl.Float64
