"""National totals are sums of live cells, of nothing else, and say how many forces they include."""

from dataclasses import replace

import polars as pl
import pytest

from assets.figures import comparable
from assets.figures.recount.recount import OF_CELLS_ALONE
from assets.figures.totals import marts
from assets.figures.totals.cube import cube
from assets.figures.totals.leaves import counted_in, divided, held_in, percent, sum_of
from assets.figures.totals.national import national_totals
from schemas.collection import Collection
from schemas.contract import empty
from schemas.tables import LiveEntries

KEY = ["measure", "breakdown", "period"]
ALONE = "no such measure"


@pytest.fixture(scope="module")
def national(live: pl.DataFrame, collection: Collection) -> pl.DataFrame:
    return national_totals(live, collection)


def _plus_one(live: pl.DataFrame, force: str, row: str, column: str) -> pl.DataFrame:
    here = (
        (pl.col("force_code") == force)
        & (pl.col("row_code") == row)
        & (pl.col("column_code") == column)
    )
    assert live.filter(here).height == 1
    return live.with_columns(pl.when(here).then(pl.col("number") + 1).otherwise("number"))


def _is_plain_count(row: dict[str, object]) -> bool:
    return "statistic=" not in str(row["breakdown"]) and row["measure"] in {
        "investigations",
        "people_suspended",
        "register_entries",
        "second_job_applications",
        "second_job_approvals_in_breach",
        "cards_held",
        "capability",
    }


def _cells(row: dict[str, str], live: pl.DataFrame, collection: Collection) -> pl.DataFrame:
    found = counted_in(collection.template, *(row[name] for name in KEY))
    assert found is not None, row
    return held_in(live, found.cells, found.given)


def test_half_of_a_whole_is_half_of_it() -> None:
    """Divided by one number for all rows, 49 of 98 was 49.99999999999999 per cent."""
    parts = pl.DataFrame({"number": [49, 49]}).with_columns(whole=pl.lit(98))
    assert parts.select(percent("number", "whole"))["number"].to_list() == [50.0, 50.0]
    rates = pl.DataFrame({"value": [49.0, 98.0]}).select(divided(pl.col("value"), pl.lit(49)))
    assert rates["value"].to_list() == [1.0, 2.0]


def test_every_count_is_the_sum_of_its_leaf_cells(
    national: pl.DataFrame, live: pl.DataFrame, collection: Collection
) -> None:
    """Nobody's cells are counted twice on the way, and none are lost."""
    counts = [row for row in national.to_dicts() if _is_plain_count(row)]
    assert len(counts) > 250
    for row in counts:
        cells = _cells(row, live, collection)
        assert sum_of(cells) == row["value"], row
        held = cells.filter(pl.col("number").is_not_null())
        assert held["force_code"].n_unique() == row["forces_included"], row


@pytest.mark.parametrize(
    ("force", "row", "column"),
    [
        ("STF", "information_disclosure.media_local", "continuing"),
        ("MPS", "media_relationship.national", "left_service"),
        ("DER", "other", "no_further_action"),
        ("CHS", "second_jobs", "people_suspended"),
        ("WMC", "force.hospitality", "accepted"),
        ("BTP", "approved_conditional", "count"),
        ("GMP", "breach.driver", "count"),
        ("KEN", "media_relationship_previous_five_years", "value"),
    ],
)
def test_one_more_case_moves_its_own_counts_by_one_and_no_other(
    force: str,
    row: str,
    column: str,
    national: pl.DataFrame,
    live: pl.DataFrame,
    collection: Collection,
) -> None:
    after = national_totals(_plus_one(live, force, row, column), collection)
    both = national.join(after, on=KEY, suffix="_after", validate="1:1")
    assert both.height == national.height == after.height
    for total in both.to_dicts():
        if not _is_plain_count(total):
            continue
        cells = _cells(total, live, collection)
        mine = cells.filter(
            (pl.col("force_code") == force)
            & (pl.col("row_code") == row)
            & (pl.col("column_code") == column)
        ).height
        assert total["value_after"] - total["value"] == mine, total


def test_totals_of_41_forces_say_so(live: pl.DataFrame, collection: Collection) -> None:
    """Missing is never zero: the three are absent from every count, and every count says it."""
    gone = ["AVS", "MPS", "WYK"]
    left = live.filter(~pl.col("force_code").is_in(gone))
    after = national_totals(left, collection)
    returns = after.filter(~pl.col("measure").is_in(["reporting_bodies", "months_in_collection"]))
    assert returns["forces_included"].max() == 41
    assert set(returns["forces_expected"]) == {44}
    whole = after.filter(pl.col("measure") == "investigations", pl.col("breakdown") == "")
    row = whole.filter(pl.col("period") == "collection").row(0, named=True)
    assert (row["forces_included"], row["forces_expected"]) == (41, 44)
    assert row["value"] == sum_of(
        marts.investigations(left, collection).rename({"cases": "number"})
    )
    mart = marts.investigations(left, collection)
    assert set(mart["force_code"]).isdisjoint(gone)


def test_declined_offers_count_the_forces_that_record_them(national: pl.DataFrame) -> None:
    """A force that keeps no record of declined offers has not declined none."""
    included = dict(
        national.filter(pl.col("measure") == "register_entries")
        .select("breakdown", "forces_included")
        .iter_rows()
    )
    assert included["body=force;decision=declined"] == 33
    assert included["body=force;decision=accepted"] == 44
    assert included["body=force"] == 44
    assert included["body=authority"] == 43


def test_what_is_not_held_is_null_in_the_mart(live: pl.DataFrame, collection: Collection) -> None:
    entries = marts.register_entries(live, collection)
    assert entries.height == 44 * 8
    unknown = entries.filter(pl.col("entries").is_null())
    assert unknown.filter(pl.col("body") == "force").height == 11 * 2
    assert unknown.filter(pl.col("body") == "authority")["force_code"].unique().to_list() == ["MPS"]


def test_every_computable_national_figure_has_its_row(
    national: pl.DataFrame, collection: Collection
) -> None:
    """A figure and a total meet by joining on the same words."""
    figures = collection.published_figures.filter(
        pl.col("basis").is_in(["returns", "registry"]), ~pl.col("scope").is_in(collection.forces)
    )
    assert figures.join(national, on=KEY, how="anti").is_empty()


def test_without_a_single_return_nothing_is_zero(collection: Collection) -> None:
    nothing = empty(LiveEntries)
    totals = national_totals(nothing, collection)
    returns = totals.filter(~pl.col("measure").is_in(["reporting_bodies", "months_in_collection"]))
    assert returns["value"].null_count() == returns.height > 0
    assert set(returns["forces_included"]) == {0}
    assert marts.outcome_breakdown(nothing, collection).is_empty()
    adoption = marts.capability_adoption(cube(totals, collection), collection)
    assert adoption["forces"].null_count() == adoption.height > 0
    assert comparable.comparisons(totals, nothing, collection)["value"].null_count() == 4


def test_a_queried_return_makes_its_totals_provisional(
    live: pl.DataFrame, collection: Collection
) -> None:
    queried = live.with_columns(provisional=pl.col("force_code") == "MPS")
    totals = national_totals(queried, collection)
    flags = {row["breakdown"]: row["provisional"] for row in totals.to_dicts()
             if row["measure"] == "register_entries"}  # fmt: skip
    assert flags["body=force"] is True
    assert flags["body=authority"] is False, "MPS has no authority, so its return is not in it"
    registry = totals["measure"].is_in(OF_CELLS_ALONE)
    assert set(totals.filter(registry)["provisional"]) == {False}
    of_every_force = totals.filter(~registry, forces_included=len(collection.forces))
    assert of_every_force["measure"].n_unique() > 9
    assert set(of_every_force["provisional"]) == {True}


def test_bodies_and_months_are_those_of_the_collection(
    national: pl.DataFrame, collection: Collection
) -> None:
    kinds = collection.bodies["kind"].to_list()
    of_no_cell = national.filter(pl.col("measure").is_in(OF_CELLS_ALONE))
    assert {(row["measure"], row["breakdown"]): row["value"] for row in of_no_cell.to_dicts()} == {
        ("months_in_collection", ""): 9,
        ("reporting_bodies", ""): 44,
        **{("reporting_bodies", f"kind={kind}"): kinds.count(kind) for kind in kinds},
    }


def test_each_figure_has_the_unit_of_what_it_says(
    national: pl.DataFrame, collection: Collection
) -> None:
    of_cells = {name: of.unit for name, of in collection.template.measures.items()}
    for measure, breakdown, unit in national.select("measure", "breakdown", "unit").iter_rows():
        said = {
            "_share": "percent",
            "_per_month": "per_month",
            "_per_force": "per_force" if "=mean" in breakdown else of_cells["investigations"],
            "_change": of_cells.get(measure.removesuffix("_change")),
        }
        expected = of_cells.get(measure, "months" if measure.startswith("months_") else "forces")
        for ending, of_ending in said.items():
            expected = of_ending if measure.endswith(ending) else expected
        assert unit == expected, (measure, breakdown)


def test_the_order_of_the_returns_does_not_matter(
    national: pl.DataFrame, live: pl.DataFrame, collection: Collection
) -> None:
    assert national_totals(live.sample(fraction=1, shuffle=True, seed=1), collection).equals(
        national
    )


def test_breakdowns_add_up(
    national: pl.DataFrame, live: pl.DataFrame, collection: Collection
) -> None:
    by_outcome = marts.outcome_breakdown(live, collection)
    whole = national.filter(
        pl.col("measure") == "investigations",
        pl.col("breakdown") == "",
        pl.col("period") == "collection",
    )["value"].item()
    assert by_outcome["cases"].sum() == whole
    assert (
        by_outcome.group_by("category").agg(pl.col("share").sum().round(9))["share"].to_list()
        == [100.0] * 7
    )
    adoption = marts.capability_adoption(cube(national, collection), collection)
    assert set(adoption.group_by("question_code").agg(pl.col("forces").sum())["forces"]) == {44}


def test_comparisons_are_monthly_rates(
    national: pl.DataFrame, live: pl.DataFrame, collection: Collection
) -> None:
    found = comparable.comparisons(national, live, collection)
    rows = {row["breakdown"]: row for row in found.to_dicts()}
    whole = rows[""]
    assert whole["per_month"] == pytest.approx(whole["value"] / 9)
    assert whole["previous_per_month"] == pytest.approx(whole["previous_value"] / 12)
    assert whole["ratio"] == pytest.approx(whole["per_month"] / whole["previous_per_month"])
    five_years = rows["category=media_relationship"]
    assert five_years["previous_per_month"] == pytest.approx(five_years["previous_value"] / 60)
    assert five_years["ratio"] > 10, "of fewer than one a month too"


def _without(live: pl.DataFrame, cells: pl.Expr) -> pl.DataFrame:
    """Return the entries, those at some cells not held."""
    return live.with_columns(
        number=pl.when(~cells).then("number"),
        value=pl.when(cells).then(pl.lit("not_held")).otherwise("value"),
    )


@pytest.mark.parametrize(
    ("now", "before", "why"),
    [
        ("MPS", "GMP", "2010-11 has 43 of 44 forces; 2012-revisit has 43 of 44 forces"),
        ("MPS", "MPS", "2010-11 has 43 of 44 forces; 2012-revisit has 43 of 44 forces"),
    ],
)
def test_there_is_no_ratio_of_as_many_forces_that_are_others(
    now: str, before: str, why: str, live: pl.DataFrame, collection: Collection
) -> None:
    of = {"second_jobs": now, "second_jobs_2010_11": before}
    unheld = pl.col("sheet").is_in(["investigations", "comparators"]) & (
        pl.col("row_code").replace_strict(of, default=None) == pl.col("force_code")
    )
    returns = _without(live, unheld)
    rows = comparable.comparisons(national_totals(returns, collection), returns, collection)
    row = rows.filter(breakdown="category=second_jobs").row(0, named=True)
    assert row["why_not"] == why
    assert (row["ratio"] is not None) == (now == before)


def test_a_sum_that_leaves_a_part_of_some_forces_out_is_no_count_to_compare(
    live: pl.DataFrame, collection: Collection
) -> None:
    part = (pl.col("sheet") == "investigations") & (pl.col("row_code") == "second_jobs")
    returns = _without(live, part & pl.col("force_code").is_in(["MPS", "GMP"]))
    rows = comparable.comparisons(national_totals(returns, collection), returns, collection)
    row = rows.filter(breakdown="").row(0, named=True)
    assert row["why_not"] == "2012-revisit lacks parts of 2 forces"
    assert not row["comparable"]
    assert row["ratio"] is None


def test_there_is_no_ratio_of_more_forces_to_fewer(
    live: pl.DataFrame, collection: Collection
) -> None:
    """A force without a number of before is in one of the two, one without a return in none."""
    before = (pl.col("row_code") == "investigations_2010_11") & (pl.col("force_code") == "MPS")
    unheld = _without(live, before)
    gone = live.filter(pl.col("force_code") != "MPS")
    for returns, of_same_forces in ((unheld, False), (gone, True)):
        rows = comparable.comparisons(national_totals(returns, collection), returns, collection)
        whole = rows.filter(measure="investigations", breakdown="").row(0, named=True)
        assert not whole["comparable"]
        assert (whole["ratio"] is not None) == of_same_forces


def test_numbers_at_a_date_are_compared_as_such(
    national: pl.DataFrame, live: pl.DataFrame, collection: Collection
) -> None:
    template = collection.template
    stock = template.measures["investigations"].model_copy(update={"kind": "stock"})
    other = replace(template, measures={**template.measures, "investigations": stock})
    at_a_date = collection.model_copy(update={"template": other})
    rows = comparable.comparisons(national, live, at_a_date)
    assert {*rows["per_month"], *rows["previous_per_month"]} == {None}
    assert rows["ratio"].equals(rows["value"] / rows["previous_value"], null_equal=True)


def test_the_distribution_counts_every_force_once(
    national: pl.DataFrame, live: pl.DataFrame, collection: Collection
) -> None:
    spread = marts.distribution(cube(national, collection), collection)
    by_force = (
        marts.investigations(live, collection)
        .filter(pl.col("category") == "information_disclosure")
        .group_by("force_code")
        .agg(pl.col("cases").sum())["cases"]
    )
    mine = dict(
        spread.filter(pl.col("breakdown") == "category=information_disclosure")
        .select("statistic", "value")
        .iter_rows()
    )
    assert mine["minimum"] == by_force.min()
    assert mine["maximum"] == by_force.max()
    assert mine["median"] == by_force.median()
    assert mine["60.."] == (by_force >= 60).sum()
    assert mine["0..10"] == (by_force <= 10).sum()
