"""The backtest: the sample's totals against every published figure, and what a change does."""

import polars as pl
import pytest

from assets.reconciliation.reconcile import reconcile
from assets.totals.national import national_totals
from schemas.collection import Collection
from schemas.contract import conform, empty
from schemas.tables import ReportFigures

NO_REPORTS = empty(ReportFigures)


def _reconciled(
    live: pl.DataFrame, collection: Collection, printed: pl.DataFrame = NO_REPORTS
) -> dict[str, dict[str, object]]:
    mart = reconcile(national_totals(live, collection), live, printed, collection)
    return {str(row["figure_id"]): row for row in mart.to_dicts()}


@pytest.fixture(scope="module")
def rows(live: pl.DataFrame, collection: Collection) -> dict[str, dict[str, object]]:
    return _reconciled(live, collection)


def test_every_published_figure_is_there(rows: dict[str, dict[str, object]]) -> None:
    assert len(rows) == 248


def test_every_figure_that_returns_give_is_satisfied(rows: dict[str, dict[str, object]]) -> None:
    counts: dict[str, int] = {}
    for row in rows.values():
        counts[str(row["status"])] = counts.get(str(row["status"]), 0) + 1
    assert counts == {
        "match": 159,
        "within_qualifier": 15,
        "source_issue": 13,
        "not_computable": 61,
    }


def test_nothing_is_matched_by_copying(rows: dict[str, dict[str, object]]) -> None:
    """Where a figure is worded loosely, the computed one keeps its own value."""
    assert rows["INV-03"]["computed"] == 1737 / 2207 * 100
    assert rows["PRO-01"]["computed"] == -103
    for row in rows.values():
        if row["status"] in {"not_computable", "source_issue", "not_included"}:
            assert row["computed"] is None
            assert row["note"]


def test_one_more_case_differs_where_it_should(live: pl.DataFrame, collection: Collection) -> None:
    here = (
        (pl.col("force_code") == "STF")
        & (pl.col("row_code") == "gratuities_hospitality")
        & (pl.col("column_code") == "no_further_action")
    )
    more = live.with_columns(pl.when(here).then(pl.col("number") + 1).otherwise("number"))
    differing = {
        i for i, row in _reconciled(more, collection).items() if row["status"] == "differs"
    }
    assert differing == {"INV-01", "INV-09", "GFT-09", "GFT-10", "STF-01"}


def test_a_force_whose_return_is_missing_is_not_included(
    live: pl.DataFrame, collection: Collection
) -> None:
    rows = _reconciled(live.filter(pl.col("force_code") != "STF"), collection)
    assert {i for i, row in rows.items() if row["status"] == "not_included"} == {
        i for i, row in rows.items() if row["scope"] == "STF" and i != "STF-03"
    }
    assert rows["INV-01"]["status"] == "differs"
    assert "43 of 44 forces" in str(rows["INV-01"]["note"])


def test_figures_of_a_force_report_are_compared_with_its_return(
    live: pl.DataFrame, collection: Collection
) -> None:
    printed = conform(
        ReportFigures,
        pl.DataFrame(
            [
                ("r.txt", "ab" * 32, "STF", "investigations", "", 48.0, "count", 59),
                ("r.txt", "ab" * 32, "STF", "second_job_applications", "", 85.0, "count", 53),
                ("r.txt", "ab" * 32, "STF", "social_media_cases", "", 0.0, "cases", 45),
            ],
            schema=[
                "file_name", "sha256", "force_code", "measure", "breakdown", "value", "unit", "line"
            ],
            orient="row",
        ),
    )  # fmt: skip
    rows = _reconciled(live, collection, printed)
    mine = {row["measure"]: row for i, row in rows.items() if "REPORT" in i}
    assert mine["investigations"]["status"] == "match"
    assert mine["second_job_applications"]["status"] == "differs"
    assert mine["second_job_applications"]["difference"] == -1
    assert mine["social_media_cases"]["status"] == "not_computable"
    assert mine["investigations"]["note"] == "line 59 of the report"
    assert mine["investigations"]["document"] == "r.txt"
    assert len(rows) == 248 + 3


def test_a_loose_wording_shows_the_gap(rows: dict[str, dict[str, object]]) -> None:
    assert "gap 14.0%" in str(rows["GFT-06"]["note"])
    assert rows["GFT-06"]["source_issue"] == "SRC-06"
