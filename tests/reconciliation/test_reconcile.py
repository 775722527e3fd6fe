"""The backtest: the sample's totals against every published figure, and what a change does."""

import polars as pl
import pytest

from assets.figures.reconcile import reconcile
from assets.figures.totals.national import national_totals
from assets.inputs.research.tables import ResearchTables, no_research
from schemas.collection import Collection
from schemas.conform import conform
from schemas.contract import empty
from schemas.marts import NationalTotals
from schemas.tables import ReportFigures

NO_REPORTS = empty(ReportFigures)

Rows = dict[str, dict[str, object]]


def _reconciled(
    live: pl.DataFrame,
    collection: Collection,
    printed: pl.DataFrame = NO_REPORTS,
    research: ResearchTables | None = None,
) -> Rows:
    own = research or no_research()
    national = national_totals(live, collection, own)
    mart = reconcile(national, live, printed, collection, own.instances)
    return {str(row["figure_id"]): row for row in mart.to_dicts()}


@pytest.fixture(scope="module")
def rows(live: pl.DataFrame, collection: Collection, research: ResearchTables) -> Rows:
    return _reconciled(live, collection, research=research)


def test_every_published_figure_is_there(rows: dict[str, dict[str, object]]) -> None:
    assert len(rows) == 248


def test_every_figure_that_the_data_give_is_satisfied(rows: dict[str, dict[str, object]]) -> None:
    counts: dict[str, int] = {}
    for row in rows.values():
        counts[str(row["status"])] = counts.get(str(row["status"]), 0) + 1
    assert counts == {
        "match": 189,
        "within_qualifier": 41,
        "source_issue": 4,
        "not_computable": 14,
    }


def test_nothing_is_matched_by_copying(rows: dict[str, dict[str, object]]) -> None:
    """Where a figure is worded loosely, the computed one keeps its own value."""
    assert rows["INV-03"]["computed"] == 1737 / 2207 * 100
    assert rows["PRO-01"]["computed"] == -103
    for row in rows.values():
        if row["status"] in {"not_computable", "not_included"}:
            assert row["computed"] is None
            assert row["note"]


def test_what_is_not_computable_has_a_reason_of_its_own(rows: Rows, collection: Collection) -> None:
    """A general reason hides a figure that somebody forgot to compute."""
    unknown = [row for row in rows.values() if row["status"] == "not_computable"]
    assert {str(row["measure"]) for row in unknown} <= set(collection.uncollected)
    for row in unknown:
        assert collection.uncollected[str(row["measure"])] in str(row["note"])


def test_only_a_contradiction_of_the_source_is_blamed_on_it(rows: Rows) -> None:
    """One of two figures for the same thing holds; the other cannot, whatever the data."""
    blamed = {i: row for i, row in rows.items() if row["status"] == "source_issue"}
    assert {i: row["source_issue"] for i, row in blamed.items()} == {
        "SUR-08": "SRC-01", "SUR-20": "SRC-02", "CAP-24": "SRC-04", "CAP-25": "SRC-04",
    }  # fmt: skip
    assert "the source contradicts itself (Trust to tell" in str(blamed["SUR-08"]["note"])
    assert rows["SUR-05B"]["computed"] == blamed["SUR-08"]["computed"]
    assert rows["SUR-05B"]["status"] == "within_qualifier"
    assert rows["SUR-21"]["status"] == "match"


def test_a_figure_differs_where_no_other_of_its_contradiction_holds(
    live: pl.DataFrame, collection: Collection, research: ResearchTables, rows: Rows
) -> None:
    """The known contradictions must not excuse a survey that fits none of them."""
    trusted = pl.col("question") == "trust_to_tell_truth"
    nobody = research.responses.with_columns(
        pl.when(trusted).then(pl.lit("no")).otherwise("answer").alias("answer")
    )
    changed = ResearchTables(research.profiles, research.instances, nobody)
    after = _reconciled(live, collection, research=changed)
    differing = {i for i, row in after.items() if row["status"] == "differs"}
    assert differing == {"SUR-05A", "SUR-05B", "SUR-08"}
    assert rows["SUR-08"]["status"] == "source_issue"


def test_a_contradiction_between_nation_and_force_excuses_neither(
    live: pl.DataFrame, collection: Collection, rows: Rows
) -> None:
    """SRC-05 says that a force's report does not fit the national one; both may still hold."""
    here = (pl.col("force_code") == "WMC") & (pl.col("row_code") == "media_policy_specific")
    assert rows["WMC-12"]["status"] == "match"
    other = live.with_columns(pl.when(here).then(pl.lit("yes")).otherwise("value").alias("value"))
    assert _reconciled(other, collection)["WMC-12"]["status"] == "differs"


def test_without_research_its_figures_are_not_included_and_never_zero(
    live: pl.DataFrame, collection: Collection
) -> None:
    rows = _reconciled(live, collection)
    figures = collection.published_figures
    about = figures.filter(pl.col("basis").is_in(["research", "survey"]))["figure_id"]
    assert about.len() == 58
    for figure in about:
        assert rows[figure]["status"] == "not_included", figure
        assert rows[figure]["computed"] is None
        assert "file in use gives it" in str(rows[figure]["note"])


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
    live: pl.DataFrame, collection: Collection, research: ResearchTables
) -> None:
    left = live.filter(pl.col("force_code") != "STF")
    rows = _reconciled(left, collection, research=research)
    assert {i for i, row in rows.items() if row["status"] == "not_included"} == {
        i for i, row in rows.items() if row["scope"] == "STF" and i != "STF-03"
    }
    assert rows["STF-03"]["status"] == "match", "the research does not come from the return"
    assert rows["INV-01"]["status"] == "differs"
    assert str(rows["INV-01"]["note"]).partition(";")[0] == "43 of 44 forces give a number"


def test_what_case_rows_alone_do_not_count_is_not_included(
    live: pl.DataFrame, collection: Collection
) -> None:
    """Nobody has to look for a difference, or for a word such as not_held, in what was not sent."""
    of_stf, number = pl.col("force_code") == "STF", pl.col("number")
    counted = (pl.col("sheet") == "investigations") & (pl.col("column_code") != "people_suspended")
    rows = _reconciled(live.filter(~of_stf | counted), collection)
    mine = {i: str(row["status"]) for i, row in rows.items() if row["scope"] == "STF"}
    sent = {"STF-01": "match", "STF-02": "match"}
    assert mine == dict.fromkeys(mine, "not_included") | sent
    assert "43 of 44 forces give a number, not included is STF with case rows alone" in str(
        rows["GFT-01"]["note"]
    )
    assert rows["INV-01"]["note"] is None
    not_held = live.with_columns(number=pl.when(of_stf).then(None).otherwise(number))
    nothing = reconcile(empty(NationalTotals), not_held, NO_REPORTS, collection)
    said = nothing.filter(scope="STF", measure="second_job_applications")
    assert set(said["status"]) == {"not_computable"}, "it was sent, and says no number"


def test_figures_of_a_force_report_are_compared_with_its_return(
    live: pl.DataFrame, collection: Collection, research: ResearchTables
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
    rows = _reconciled(live, collection, printed, research)
    mine = {row["measure"]: row for i, row in rows.items() if "REPORT" in i}
    assert mine["investigations"]["status"] == "match"
    assert mine["second_job_applications"]["status"] == "differs"
    assert mine["second_job_applications"]["difference"] == -1
    assert mine["social_media_cases"]["status"] == "match"
    assert mine["investigations"]["note"] == "line 59 of the report"
    assert mine["investigations"]["document"] == "r.txt"
    assert len(rows) == 248 + 3


def test_a_loose_wording_shows_the_gap(rows: dict[str, dict[str, object]]) -> None:
    assert "gap 14.0%" in str(rows["GFT-06"]["note"])
    assert rows["GFT-06"]["source_issue"] == "SRC-06"
