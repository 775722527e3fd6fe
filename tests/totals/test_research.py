"""Totals of research: what one finding or one answer moves, and what is unknown."""

from collections.abc import Callable

import polars as pl
import pytest

from assets.figures.totals.research import research_totals
from assets.inputs.research.tables import (
    ResearchTables,
    no_research,
    social_media,
    social_media_cases,
)
from schemas.collection import Collection
from schemas.research import INSTANCE_CATEGORIES, SITES

Total = tuple[str, str]
Values = dict[Total, float]


def _values(research: ResearchTables, collection: Collection) -> Values:
    rows = research_totals(research, collection)
    return {(m, b): v for m, b, v in rows.select("measure", "breakdown", "value").iter_rows()}


def _with(
    research: ResearchTables, **changes: Callable[[pl.DataFrame], pl.DataFrame]
) -> ResearchTables:
    tables = {name: getattr(research, name) for name in ("profiles", "instances", "responses")}
    return ResearchTables(**{n: changes.get(n, lambda t: t)(table) for n, table in tables.items()})


def _set(where: pl.Expr, column: str, value: pl.Expr) -> Callable[[pl.DataFrame], pl.DataFrame]:
    return lambda t: t.with_columns(pl.when(where).then(value).otherwise(column).alias(column))


def _force(force: str, year: int) -> pl.Expr:
    return (pl.col("force_code") == force) & (pl.col("year") == year)


@pytest.fixture(scope="module")
def values(research: ResearchTables, collection: Collection) -> Values:
    return _values(research, collection)


def test_every_published_figure_of_research_has_its_total(
    values: Values, collection: Collection
) -> None:
    """The backtest: each figure is met, but for the two that the source itself contradicts."""
    figures = collection.published_figures.filter(
        pl.col("basis").is_in(["research", "survey"]), ~pl.col("scope").is_in(collection.forces)
    )
    apart = {}
    for row in figures.iter_rows(named=True):
        value = values[row["measure"], row["breakdown"]]
        within = {
            "more_than": value > row["value"],
            "about": abs(value / row["value"] - 1) <= 0.15,
        }
        close = value == row["value"] or ("percent" in row["unit"] and
                                          abs(value - row["value"]) < 0.5)  # fmt: skip
        if not within.get(row["qualifier"], close):
            apart[row["figure_id"]] = value
    assert figures.height == 58 - 4
    assert apart.keys() == {"SUR-08", "SUR-20"}


def test_one_answer_moves_its_own_percents_by_exactly_one_respondent(
    research: ResearchTables, collection: Collection, values: Values
) -> None:
    here = (
        (pl.col("respondent_id") == "2012-1-0007")
        & (pl.col("question") == "trust_to_tell_truth")
    )  # fmt: skip
    before = research.responses.filter(here)["answer"].item()
    after = {"yes": "no", "no": "yes"}[before]
    changed = _with(research, responses=_set(here, "answer", pl.lit(after)))
    moved = _values(changed, collection)
    one = 100 / 3567
    sign = 1 if after == "yes" else -1
    asked = "question=trust_to_tell_truth"
    assert {key: pytest.approx(moved[key] - values[key]) for key in values
            if moved[key] != values[key]} == {
        ("survey_respondents", f"{asked};answer={before};year=2012"): -1,
        ("survey_respondents", f"{asked};answer={after};year=2012"): 1,
        ("survey_percent", f"{asked};answer={before};year=2012"): -one,
        ("survey_percent", f"{asked};answer={after};year=2012"): one,
        ("survey_percent", f"{asked};year=2012"): sign * one,
    }  # fmt: skip


def test_one_instance_more_moves_its_own_counts_by_one_and_its_year_s_shares(
    research: ResearchTables, collection: Collection, values: Values
) -> None:
    place = (pl.col("site") == "twitter") & (pl.col("category") == "negativity_towards_work")
    more = _set(_force("STF", 2012) & place, "instances", pl.col("instances") + 1)
    moved = _values(_with(research, instances=more), collection)
    counts = {key for key in values if moved[key] == values[key] + 1}
    kinds = ("", ";site=twitter", ";category=negativity_towards_work",
             ";site=twitter;category=negativity_towards_work")  # fmt: skip
    assert counts == {
        ("social_media_cases", ""), *(("social_media_instances", f"year=2012{k}") for k in kinds),
    }  # fmt: skip
    others = {key for key in values if moved[key] != values[key]} - counts
    assert {measure for measure, _ in others} == {"social_media_instances_share"}
    assert all("year=2012" in breakdown for _, breakdown in others)


@pytest.mark.parametrize("column", ["profiles", "profiles_inappropriate"])
def test_one_profile_more_moves_its_own_total(
    column: str, research: ResearchTables, collection: Collection, values: Values
) -> None:
    more = _set(_force("WMC", 2012), column, pl.col(column) + 1)
    moved = _values(_with(research, profiles=more), collection)
    assert {m for m, b in values if moved[m, b] != values[m, b]} == {
        f"social_media_{column}", "social_media_profiles_inappropriate_share",
    }  # fmt: skip


def test_what_was_not_counted_has_no_total(values: Values) -> None:
    """In 2011 accounts were counted, in 2012 profiles; nulls must not add up to 0."""
    assert ("social_media_accounts_inappropriate", "year=2012") not in values
    assert ("social_media_profiles_inappropriate", "year=2011") not in values
    assert ("survey_percent", "question=local_police_good_or_excellent;year=2012") not in values


def test_a_force_that_did_not_count_is_in_neither_side_of_a_share(
    research: ResearchTables, collection: Collection
) -> None:
    """Its profiles would make the share of the others too small."""
    unknown = _set(_force("MPS", 2012), "profiles_inappropriate", pl.lit(None))
    rows = research_totals(_with(research, profiles=unknown), collection)
    known = research.profiles.filter(pl.col("year") == 2012, pl.col("force_code") != "MPS")
    share = rows.filter(pl.col("measure") == "social_media_profiles_inappropriate_share")
    assert share["forces_included"].to_list() == [43]
    assert share["value"].item() == pytest.approx(
        known["profiles_inappropriate"].sum() * 100 / known["profiles"].sum()
    )


def test_no_research_gives_no_total_at_all(collection: Collection) -> None:
    assert research_totals(no_research(), collection).is_empty()


def test_totals_say_how_many_forces_they_include(
    research: ResearchTables, collection: Collection
) -> None:
    less = _with(
        research,
        profiles=lambda t: t.filter(~_force("STF", 2012)),
        instances=lambda t: t.filter(~_force("STF", 2012)),
    )
    rows = research_totals(less, collection).with_columns(
        pl.col("breakdown").str.extract("year=([0-9]+)").fill_null("2012").alias("year")
    )
    by = {
        key: set(frame.select("forces_included", "forces_expected").iter_rows())
        for key, frame in rows.with_columns(
            pl.col("measure").str.starts_with("survey").alias("survey")
        ).partition_by("survey", "year", as_dict=True).items()
    }  # fmt: skip
    assert by == {
        (False, "2011"): {(8, 8)},
        (False, "2012"): {(43, 44)},
        (True, "2011"): {(0, 0)},
        (True, "2012"): {(0, 0)},
    }


def test_forces_outside_the_collection_are_not_counted(
    research: ResearchTables, collection: Collection, values: Values
) -> None:
    without = collection.model_copy(
        update={"forces": tuple(f for f in collection.forces if f != "MPS")}
    )
    some = _values(research, without)
    mine = research.instances.filter(_force("MPS", 2012))["instances"].sum()
    key = ("social_media_instances", "year=2012")
    assert some[key] == values[key] - mine


def test_the_mart_has_every_finding_with_its_basis(research: ResearchTables) -> None:
    mart = social_media(research.instances)
    assert mart.height == (44 + 8) * len(SITES) * len(INSTANCE_CATEGORIES)
    assert set(mart["basis"]) == {"reconstructed"}
    assert mart.filter(pl.col("year") == 2012)["instances"].sum() == 357


def test_cases_of_a_force_are_those_of_the_collection_s_year(
    research: ResearchTables, collection: Collection
) -> None:
    cases = social_media_cases(research.instances, collection)
    found = dict(cases.select("force_code", "cases").iter_rows())
    assert (found["STF"], found["WMC"], found["DER"], found["CHS"]) == (0, 4, 0, 7)
    assert sum(found.values()) == 357
