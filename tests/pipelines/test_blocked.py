"""A release that is not fit to be shown: the last one stays, and one line says what to do."""

import shutil
from pathlib import Path
from typing import Any

import dagster as dg
import polars as pl
import pytest

from assets.figures.totals import marts
from assets.lake import Lake
from pipelines.instance import open_instance
from schemas.contract import Contract
from schemas.marts import Distribution
from tests.pipelines.conftest import Muster

CHECK = dg.AssetCheckKey(dg.AssetKey(["release", "marts"]), "expectations")


@pytest.fixture
def endless(monkeypatch: pytest.MonkeyPatch) -> None:
    """A mistake in the software that only the gate can see."""
    right = marts.conform

    def divided_by_zero(contract: Contract, rows: pl.DataFrame, *known: Any) -> pl.DataFrame:
        if contract is Distribution:
            rows = rows.with_columns(pl.col("value") / 0)
        return right(contract, rows, *known)

    monkeypatch.setattr(marts, "conform", divided_by_zero)


@pytest.mark.slow
@pytest.mark.usefixtures("every_part", "endless")
def test_a_failed_expectation_blocks_the_release(
    lake: Lake, run: Muster, monkeypatch: pytest.MonkeyPatch
) -> None:
    shown = lake.marts.resolve()
    monkeypatch.setattr("assets.release.identity.software_sha256", lambda: "another")
    shutil.rmtree(lake.kept)  # other software does not find it
    done = run("run")
    assert done.exit_code == 1
    assert "Not released: distribution, column value" in done.output
    assert "What analysts see stays as it is. Next:" in done.output
    told = next(lake.outbox.glob("*-release-blocked.txt")).read_text(encoding="utf-8")
    assert "  distribution, column value\n" in told
    assert lake.marts.resolve() == shown
    page = lake.work / "quality" / "index.html"
    assert str(page) in done.output.replace("\n", "")
    assert "finite" in page.read_text(encoding="utf-8")
    assert [path.name for path in lake.releases.glob(".*")] == [], "no leftovers"
    monkeypatch.setenv("MUSTER_LAKE", str(lake.root))
    with open_instance() as instance:
        record = instance.event_log_storage.get_latest_asset_check_execution_by_key([CHECK])[CHECK]
    evaluation = record.event.dagster_event.asset_check_evaluation_data  # type: ignore[union-attr]
    assert not evaluation.passed
    assert Path(str(evaluation.metadata["data_docs"].value).removeprefix("file://")).exists()
