"""The three real force reports through a whole refresh, where they are at hand."""

import shutil
from pathlib import Path

import polars as pl
import pytest

from assets.lake import Lake
from tests.pipelines.conftest import Muster, invoke

SOURCES = Path(__file__).parents[3] / "shared" / "sources"
REPORTS = ("staffordshire.txt", "derbyshire.txt", "west_mercia.txt")

pytestmark = pytest.mark.skipif(
    not all((SOURCES / name).exists() for name in REPORTS),
    reason="the real reports are not part of the project",
)


@pytest.mark.slow
def test_real_reports_are_reconciled_with_their_forces_returns(lake: Lake, run: Muster) -> None:
    lake.reports.mkdir()
    for name in REPORTS:
        shutil.copy(SOURCES / name, lake.reports)
    result = run("run")
    assert result.exit_code == 0, result.output
    rows = pl.read_parquet(lake.marts / "reconciliation.parquet").filter(
        pl.col("document").is_in(REPORTS)
    )
    assert rows.height == 3 * 6
    assert set(rows["scope"]) == {"STF", "DER", "WMC"}
    research = pl.col("measure") == "social_media_cases"
    assert rows.filter(research).height == 3
    assert set(rows["status"]) == {"match"}
    assert rows["difference"].to_list() == [0.0] * 18


@pytest.mark.slow
def test_a_force_without_a_return_shows_its_report(tmp_path: Path, sample_folder: Path) -> None:
    lake = Lake(tmp_path, "2012-revisit")
    lake.reports.mkdir(parents=True)
    shutil.copy(SOURCES / "staffordshire.txt", lake.reports)
    for force in ("DER", "CHS"):
        shutil.copy(sample_folder / f"{force}.xlsx", lake.landing)
    assert invoke(tmp_path, "run").exit_code == 0
    profiles = pl.read_parquet(lake.marts / "force_profiles.parquet")
    row = profiles.row(by_predicate=pl.col("force_code") == "STF", named=True)
    assert (row["basis"], row["state"], row["investigations"]) == ("published", "missing", 48)
    assert (row["second_job_applications"], row["second_job_approved"]) == (84, 79)
    assert (row["social_media_cases"], row["acu_staffing_change"]) == (0, "unchanged")
    assert row["information_disclosure"] is None
    rows = pl.read_parquet(lake.marts / "reconciliation.parquet")
    mine = rows.filter(pl.col("document") == "staffordshire.txt")
    assert "not_included" in set(mine["status"])
