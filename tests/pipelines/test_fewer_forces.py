"""A force that the collection file names no more: what it sent is nobody's, and blocks nobody."""

import tempfile
from collections.abc import Callable
from pathlib import Path

import polars as pl
import pytest
from click.testing import CliRunner, Result
from openpyxl import load_workbook

from assets.lake import Lake
from pipelines.cli.main import muster
from schemas.reference import OURS
from tests.cases.extracts import good, write_csv

pytestmark = pytest.mark.slow


@pytest.fixture
def run(lake: Lake, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], Result]:
    """Run with a collection file of our own, in which one text is left out."""
    monkeypatch.delenv("DAGSTER_HOME", raising=False)
    whole = (OURS / "collections" / f"{lake.collection}.toml").read_text(encoding="utf-8")

    def with_out(text: str) -> Result:
        ours = Path(tempfile.mkdtemp(dir=tmp_path))  # what a file said is not read twice
        (ours / "collections").mkdir()
        (ours / "collections" / f"{lake.collection}.toml").write_text(whole.replace(text, "", 1))
        named = {"MUSTER_LAKE": str(lake.root), "MUSTER_COLLECTIONS": str(ours)}
        return CliRunner(env=named).invoke(muster, ["run", "--collection", lake.collection])

    return with_out


def _shown(lake: Lake, mart: str) -> pl.DataFrame:
    return pl.read_parquet(lake.marts / f"{mart}.parquet")


def test_what_a_force_sent_that_is_expected_no_more_is_nobodys(
    lake: Lake, run: Callable[[str], Result]
) -> None:
    write_csv(lake.landing / "cases" / "AVS" / "a.csv", [good(1, "AVS")])
    first = run("")
    assert first.exit_code == 0
    assert "Took in 1 new case-level extract" in first.output
    assert {*_shown(lake, "findings").filter(rule_id="X007")["force_code"]} == {"AVS"}

    done = run('"AVS", ')
    assert done.exit_code == 0, done.output
    assert "blocking finding" not in done.output
    listed = [each for each in done.output.splitlines() if "AVS.xlsx" in each or "a.csv" in each]
    assert len(listed) == 2, done.output
    assert all("no force that this collection expects" in each for each in listed)
    assert "AVS" not in _shown(lake, "returns_status")["force_code"]
    found = _shown(lake, "findings").filter(pl.col("force_code").is_null())
    assert {*found["rule_id"]} == {"S007", "CASE01", "CASE15"}
    whole = _shown(lake, "national_totals").filter(measure="investigations", breakdown="")
    assert {*whole["forces_expected"]} == {43}

    assert run("").exit_code == 0
    assert {*_shown(lake, "findings").filter(rule_id="X007")["force_code"]} == {"AVS"}


def test_a_file_of_no_known_force_is_told_by_its_name_while_it_lies_in_landing(
    lake: Lake, run: Callable[[str], Result]
) -> None:
    """What is nobody's has no force to name, and what was taken away is nobody's concern."""
    nobodys = lake.landing / "nobody.xlsx"
    book = load_workbook(lake.landing / "AVS.xlsx")
    book["cover"]["C13"], book["investigations"]["C11"] = None, "many"
    book.save(nobodys)
    there = run("")
    assert there.exit_code == 0
    (line,) = [each for each in there.output.splitlines() if "nobody.xlsx" in each]
    assert "its cover names no force" in line
    assert "blocking finding" not in there.output

    nobodys.unlink()
    book = load_workbook(lake.landing / "BED.xlsx")
    book["investigations"]["C11"] = "many"
    book.save(lake.landing / "BED.xlsx")
    gone = run("")
    assert gone.exit_code == 0
    assert "nobody.xlsx" not in gone.output
    listed = gone.output.partition("blocking finding")[2].partition("\n\n")[0].splitlines()[2:]
    assert {each.split()[0] for each in listed} == {"BED"}, gone.output
    found = _shown(lake, "findings").filter(pl.col("force_code").is_null(), severity="B")
    assert found.height > 1, "the mart has them all"
