"""One row a force: from its return, or from its published report, or unknown."""

from dataclasses import replace

import polars as pl
import pytest

from assets.figures.totals import marts
from assets.figures.totals.cube import cube
from assets.figures.totals.marts import force_profiles
from assets.figures.totals.national import national_totals
from schemas.breakdown import write_breakdown
from schemas.collection import Collection, load_collection
from schemas.conform import conform
from schemas.contract import empty
from schemas.marts import ReturnsStatus, force_profiles_contract
from schemas.tables import LiveEntries, ReportFigures
from tests.live import any_live
from tests.test_structure import ROOT


def _status(collection: Collection, live: pl.DataFrame) -> pl.DataFrame:
    forces = pl.DataFrame({"force_code": collection.forces})
    sent = pl.col("force_code").is_in(live["force_code"].unique().to_list())
    null = pl.lit(None, pl.String)
    return conform(
        ReturnsStatus,
        forces.with_columns(
            pl.when(sent).then(pl.lit("accepted")).otherwise(pl.lit("missing")).alias("state"),
            *(null.alias(name) for name in ("receipt_id", "received_at", "sha256", "notes")),
            pl.lit(None, pl.Int64).alias("version"),
            *(
                pl.lit(0, pl.Int64).alias(name)
                for name in ("blocking", "queries_open", "queries_answered")
            ),
        ),
    )


@pytest.fixture
def printed() -> pl.DataFrame:
    rows = [
        ("investigations", "", 48.0),
        ("second_job_applications", "decision=approved", 79.0),
        ("capability", "question=acu_staffing_change;answer=unchanged", 1.0),
    ]
    return pl.DataFrame(
        [("STF", measure, breakdown, value) for measure, breakdown, value in rows],
        schema=["force_code", "measure", "breakdown", "value"],
        orient="row",
    )


def _row(
    live: pl.DataFrame, printed: pl.DataFrame, collection: Collection, force: str
) -> dict[str, object]:
    profiles = force_profiles(live, _status(collection, live), printed, collection)
    assert profiles["force_code"].to_list() == sorted(collection.forces)
    return profiles.row(by_predicate=pl.col("force_code") == force, named=True)


def test_a_force_with_a_return_shows_what_it_sent(
    live: pl.DataFrame, printed: pl.DataFrame, collection: Collection
) -> None:
    row = _row(live, printed.with_columns(value=999.0), collection, "STF")
    assert (row["basis"], row["state"]) == ("reconstructed", "accepted")
    assert row["investigations"] == 48
    assert row["investigations_per_month"] == 48 / 9
    assert row["second_job_approved"] == 79
    assert row["acu_staffing_change"] == "unchanged"
    assert row["register_declined"] is not None


def test_a_force_that_sent_case_rows_alone_shows_what_they_count(
    live: pl.DataFrame, printed: pl.DataFrame, collection: Collection
) -> None:
    """They are in the totals, so that the profile would be less than these, or what is in print."""
    by_rows = (pl.col("sheet") == "investigations") & (pl.col("column_code") != "people_suspended")
    rows = live.filter(by_rows | (pl.col("force_code") != "STF"))
    row = _row(rows, printed.with_columns(value=999.0), collection, "STF")
    assert (row["basis"], row["state"]) == ("reconstructed", "accepted")
    assert (row["investigations"], row["people_suspended"]) == (48, None)
    assert (row["second_job_approved"], row["acu_staffing_change"]) == (None, None)


def test_a_force_without_a_return_shows_what_its_report_printed(
    live: pl.DataFrame, printed: pl.DataFrame, collection: Collection
) -> None:
    others = live.filter(pl.col("force_code") != "STF")
    row = _row(others, printed, collection, "STF")
    assert (row["basis"], row["state"]) == ("published", "missing")
    assert (row["investigations"], row["second_job_approved"]) == (48, 79)
    assert row["acu_staffing_change"] == "unchanged"
    assert row["second_job_applications"] is None, "not printed is unknown, not zero"
    assert row["people_suspended"] is None


def test_a_force_of_which_nothing_is_known_has_a_row_of_nulls(collection: Collection) -> None:
    row = _row(empty(LiveEntries), pl.DataFrame(schema={
        "force_code": pl.String, "measure": pl.String, "breakdown": pl.String, "value": pl.Float64
    }), collection, "BTP")  # fmt: skip
    assert row["name"] == "British Transport Police"
    assert row["ons_code"] is None
    known = {"force_code", "name", "region", "state"}
    assert {name for name, value in row.items() if value is not None} == known


def test_every_count_of_the_profiles_adds_up_to_its_national_total(
    live: pl.DataFrame, printed: pl.DataFrame, collection: Collection
) -> None:
    profiles = force_profiles(live, _status(collection, live), printed, collection)
    totals = national_totals(live, collection)
    single = {"second_job_review_months", "acu_staffing_change"}
    for name, figure in collection.template.profile.items():
        at = {"measure": figure.measure, "breakdown": write_breakdown(figure.dims)}
        total = totals.filter(**at, period=figure.period)["value"]
        assert [profiles[name].sum()] == total.to_list() if name not in single else total.is_empty()
    months = profiles.filter(force_code="MPS")["second_job_review_months"].item()
    assert months == live.filter(force_code="MPS", row_code="review_months")["number"].item()


def test_declined_offers_that_are_not_recorded_are_unknown(
    live: pl.DataFrame, printed: pl.DataFrame, collection: Collection
) -> None:
    profiles = force_profiles(live, _status(collection, live), printed, collection)
    assert profiles["register_declined"].null_count() == 11
    assert profiles["register_entries"].null_count() == 0


def test_the_columns_are_those_of_the_template(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MUSTER_COLLECTIONS", str(ROOT / "examples"))
    for name, column, cells in (
        ("2013-revisit", "abuse_of_authority", {"row_code": "abuse_of_authority"}),
        ("use-of-force-2013", "people_hurt", {"row_code": "people_hurt"}),
    ):
        collection = load_collection(name)
        live = any_live(collection, 5, every_force=True)
        profiles = force_profiles(live, _status(collection, live), empty(ReportFigures), collection)
        contract = force_profiles_contract(collection.template)
        assert profiles.columns == [each.name for each in contract.columns]
        leaves = live.filter(~pl.col("column_code").is_in(["total", "people_suspended"]), **cells)
        sent = leaves.group_by("force_code").agg(pl.col("number").sum().alias(column))
        assert profiles.select("force_code", column).equals(sent.sort("force_code"))


def test_a_count_of_an_earlier_period_has_no_rate_of_this_one(collection: Collection) -> None:
    template = collection.template
    before = template.profile["investigations_2010_11"]
    other = replace(template, name="other", profile={"investigations": before})
    names = [column.name for column in force_profiles_contract(other).columns]
    assert "investigations" in names
    assert "investigations_per_month" not in names


def test_answers_of_every_sheet_of_questions_are_answers(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MUSTER_COLLECTIONS", str(ROOT / "examples"))
    collection = load_collection("2013-revisit")
    template = collection.template
    sheets = tuple(
        replace(
            sheet,
            name="arrangements",
            rows=tuple(
                row.model_copy(
                    update={
                        "entries": tuple(
                            replace(entry, sheet="arrangements", measure="arrangements")
                            for entry in row.entries
                        )
                    }
                )
                for row in sheet.rows
            ),
        )
        if sheet.name == "capability"
        else sheet
        for sheet in template.sheets
    )
    measures = {
        "arrangements" if name == "capability" else name: measure
        for name, measure in template.measures.items()
    }
    other = replace(template, name="other", sheets=sheets, measures=measures)
    renamed = collection.model_copy(update={"template": other})
    live = any_live(renamed, 1, every_force=True)
    answers = marts.capability_answers(live, renamed)
    assert answers.height == 43 * len(template.sheet("capability").rows)
    adoption = marts.capability_adoption(cube(national_totals(live, renamed), renamed), renamed)
    assert adoption["forces"].sum() == answers.height
