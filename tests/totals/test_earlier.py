"""What another collection released stands beside the figures of now: that, and nothing else."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import polars as pl
import pytest

from assets.figures.comparable import comparisons
from assets.figures.explain.explain import explain
from assets.figures.explain.released import Released
from assets.figures.explain.terms import Question
from assets.figures.recount.checks import Totals, cases_by_rule, national_checks
from assets.figures.totals.marts import cells
from assets.figures.totals.national import national_totals
from assets.history import find
from assets.lake import Lake
from assets.previous import Earlier, earlier_releases
from schemas.collection import Collection, load_collection
from schemas.contract import empty
from schemas.marts import Corrections, ReturnsStatus
from tests.live import any_live, release_of

pytestmark = pytest.mark.slow

EXAMPLES = Path(__file__).parents[2] / "examples"
THEN = "2012-revisit-000000000000"
_EMPTY = {"corrections": empty(Corrections), "returns_status": empty(ReturnsStatus)}


@pytest.fixture(scope="module")
def now() -> Collection:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MUSTER_COLLECTIONS", str(EXAMPLES))
        return load_collection("2013-revisit")


@pytest.fixture(scope="module")
def live(now: Collection) -> pl.DataFrame:
    return any_live(now, 2, every_force=True)


@pytest.fixture(scope="module")
def lake(now: Collection, live: pl.DataFrame, tmp_path_factory: pytest.TempPathFactory) -> Lake:
    """A lake in which 2012 is released, and 2013 beside it."""
    lake = Lake(tmp_path_factory.mktemp("lake"), now.id)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MUSTER_COLLECTIONS", str(EXAMPLES))
        before = load_collection("2012-revisit")
        release_of(lake.root, before, any_live(before, 1, every_force=True), **_EMPTY)
        found = comparisons(national_totals(live, now), live, now, earlier_releases(lake, now))
        release_of(lake.root, now, live, comparisons=found, **_EMPTY)
    return lake


@pytest.fixture(scope="module")
def released(lake: Lake, now: Collection) -> dict[str, Earlier]:
    return earlier_releases(lake, now)


@pytest.fixture(scope="module")
def rows(lake: Lake, now: Collection) -> Callable[..., dict[str, object]]:
    found = Released(lake.marts.resolve(), now).mart("comparisons")

    def of(measure: str, breakdown: str = "") -> dict[str, object]:
        return found.row(
            by_predicate=(pl.col("measure") == measure) & (pl.col("breakdown") == breakdown),
            named=True,
        )

    return of


def test_a_number_stands_beside_the_released_one_of_the_same_count(
    rows: Callable[..., dict[str, object]], released: dict[str, Earlier], live: pl.DataFrame,
    now: Collection,
) -> None:  # fmt: skip
    row = rows("investigations", "category=other;outcome=left_police")
    was = pl.read_parquet(released["2012-revisit"].folder / "national_totals.parquet")
    of_2012 = was.filter(measure="investigations", breakdown="category=other;outcome=left_service")
    assert row["previous_value"] == of_2012["value"].item()
    assert (row["previous_collection"], row["previous_release"]) == ("2012-revisit", THEN)
    assert row["comparable"]
    assert row["why_not"] == "renamed; merged: BED, HRT are BEH"
    assert row["ratio"] == pytest.approx(row["value"] / row["previous_value"])  # type: ignore[operator]
    # What the returns of now say of that time is another figure, which is not joined here.
    said = national_totals(live, now).filter(measure="investigations", period="previous")
    whole = rows("investigations")
    assert said.filter(breakdown="")["value"].item() != whole["previous_value"]
    assert whole["previous_value"] == was.filter(measure="investigations", breakdown="").filter(
        period="collection"
    )["value"].item()  # fmt: skip


@pytest.mark.parametrize(
    ("measure", "breakdown", "why"),
    [
        ("investigations", "", "new: category=abuse_of_authority; merged"),
        ("investigations", "category=abuse_of_authority", "new"),
        ("second_job_approvals_in_breach", "", "dropped: occupation=driving_instructor; merged"),
    ],
)
def test_what_is_not_the_same_count_says_so_and_has_no_ratio(
    measure: str, breakdown: str, why: str, rows: Callable[..., dict[str, object]]
) -> None:
    row = rows(measure, breakdown)
    assert not row["comparable"]
    assert str(row["why_not"]).startswith(why)
    assert row["ratio"] is None


def test_a_force_that_is_not_in_makes_it_another_count(
    released: dict[str, Earlier], live: pl.DataFrame, now: Collection
) -> None:
    fewer = national_totals(live.filter(pl.col("force_code") != "STF"), now)
    found = comparisons(fewer, live, now, released)
    assert not found["comparable"].any()
    assert found["why_not"].str.contains("2013-revisit has 42 of 43 forces|^new$").all()


def test_a_sum_in_which_a_force_lacks_a_part_is_another_count(
    released: dict[str, Earlier], live: pl.DataFrame, now: Collection
) -> None:
    part = (pl.col("row_code") == "force.gratuity") & (pl.col("column_code") == "declined")
    unheld = part & (pl.col("force_code") == "STF")
    returns = live.with_columns(
        number=pl.when(~unheld).then("number"),
        value=pl.when(unheld).then(pl.lit("not_held")).otherwise("value"),
    )
    found = comparisons(national_totals(returns, now), returns, now, released)
    rows = {row["breakdown"]: row for row in found.filter(measure="register_entries").to_dicts()}
    short = {at: row["why_not"] for at, row in rows.items() if not row["comparable"]}
    merged = "merged: BED, HRT are BEH"
    assert short == dict.fromkeys(
        ["body=force", "body=force;decision=declined", "body=force;kind=gratuity"],
        f"2013-revisit lacks parts of 1 force; {merged}",
    ) | {
        "body=force;kind=gratuity;decision=declined": f"2013-revisit has 42 of 43 forces; {merged}"
    }
    assert not any(row["ratio"] for row in rows.values() if not row["comparable"])


def test_without_a_release_nothing_stands_beside_it_and_that_is_told(
    live: pl.DataFrame, now: Collection
) -> None:
    national = national_totals(live, now)
    found = comparisons(national, live, now)
    assert found["previous_value"].null_count() == found.height > 100
    assert set(found["why_not"]) == {"2012-revisit has no release of this return"}
    told = national_checks(Totals(national, cells(live, now), now, comparisons=found))
    row = told.row(by_predicate=pl.col("rule_id") == "M013", named=True)
    assert not row["passed"]
    assert "2012-revisit has no release" in row["message"]


def test_the_second_engine_counts_both_sides_anew(
    released: dict[str, Earlier], live: pl.DataFrame, now: Collection
) -> None:
    national = national_totals(live, now)
    found = comparisons(national, live, now, released)
    totals = Totals(national, cells(live, now), now, comparisons=found, released=released)

    assert not cases_by_rule(totals)["M004"]
    # A statistic over forces is no count, and need not be whole: a mean of 25.9 was cut to 25.
    of_forces = pl.col("measure").eq("second_job_review_months") & pl.col("breakdown").ne("")
    assert national.filter(of_forces, period="collection").height == 3
    assert found.filter(of_forces).is_empty()
    whole = (pl.col("measure") == "investigations") & (pl.col("breakdown") == "")
    for column, where in (("value", "2013-revisit"), ("previous_value", THEN)):
        wrong = found.with_columns(pl.when(whole).then(pl.col(column) + 1).otherwise(column))
        (line,) = cases_by_rule(replace(totals, comparisons=wrong))["M004"]
        assert line.startswith(f"investigations  in {where}:")


def test_it_is_explained_by_the_cells_of_the_release_that_it_names(
    lake: Lake, rows: Callable[..., dict[str, object]]
) -> None:
    row = rows("investigations", "category=other;outcome=left_police")
    folder = find(Lake(lake.root, "2012-revisit"), str(row["previous_release"]))
    then = Released.shown(folder, "2012-revisit", lake.root)
    named = ("investigations", "category=other;outcome=left_service", "collection")
    made = explain(Question(*named), then)
    assert made.value == row["previous_value"]
    assert set(made.contributions["column_code"]) == {"left_service"}
    assert {"BED", "HRT"} <= set(made.contributions["force_code"])
