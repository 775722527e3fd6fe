"""Two engines agree on every total, and each national rule fires when it should."""

import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from random import Random

import polars as pl
import pytest

from assets.figures.comparable import comparisons
from assets.figures.recount.checks import (
    RULES,
    Totals,
    cases_by_rule,
    national_checks,
)
from assets.figures.recount.recount import (
    OF_CELLS_ALONE,
    differences,
    laid_out_otherwise,
    recounted,
)
from assets.figures.totals import marts
from assets.figures.totals.national import national_totals
from schemas.collection import Collection, load_collection
from schemas.contract import empty
from schemas.rules.catalogue import NATIONAL, rules
from schemas.tables import LiveEntries
from tests.live import any_live, laid_out

ROOT = Path(__file__).parents[2]

ODD = """
# Codes with digits and odd signs, dimensions out of order, a change along three codes.
name = "odd"
version = 7
[lists.zone]
z1 = "Zone 1"
2b = "Zone 2b"
z10 = "Zone 10"
[lists.how]
by_9 = "By nine"
x = "Otherwise"
[lists.when]
early = "Early"
b_middle = "Middle"
a_late = "Late"
[groups.how]
any1 = ["by_9"]
[measures.odd_things]
unit = "count"
levels = [[], ["zone"], ["how"]]
crossed_by = "when"
shares = [{ by = ["how", "zone"], within = ["zone"] }, { by = ["when"], name = "timing" }]
per_month = [["zone"]]
per_force = [["how"], []]
[measures.drift]
unit = "count"
levels = [["when"]]
change = "when"
[measures.age7]
unit = "percent"
statistics = ["mean", "lower_quartile", "maximum"]
[measures.asked]
unit = "forces"
[[sheet]]
name = "s1"
title = "One"
instructions = []
kind = "count"
measure = "odd_things"
columns = [
    { code = "c1", label = "a", dims = { when = "early", how = "x" } },
    { code = "c2", label = "b", dims = { when = "a_late", how = "by_9" }, missing = ["not_held"] },
    { code = "both", label = "c", sum_of = ["c1", "c2"] },
]
rows = [
    { code = "z1", label = "r z1", dims = { zone = "z1" } },
    { code = "2b", label = "r 2b", dims = { zone = "2b" } },
    { code = "z10", label = "r z10", dims = { zone = "z10" } },
    { code = "all", label = "r all", sum_of = ["z1", "2b", "z10"] },
]
[[sheet]]
name = "s2"
title = "Two"
instructions = []
kind = "count"
columns = [{ code = "v", label = "v", missing = ["not_held"] }]
rows = [
    { code = "d3", label = "d d3", measure = "drift", dims = { when = "a_late" } },
    { code = "d1", label = "d d1", measure = "drift", dims = { when = "early" } },
    { code = "d2", label = "d d2", measure = "drift", dims = { when = "b_middle" } },
    { code = "age", label = "a age", measure = "age7" },
]
[[sheet]]
name = "s3"
title = "Three"
instructions = []
kind = "answer"
measure = "asked"
columns = [{ code = "answer", label = "a" }]
questions = [
    { code = "q1", answers = ["yes", "no"], label = "q q1" },
    { code = "q2", answers = ["1", "2nd", "other", "not_applicable"], label = "q q2" },
]
"""

UNHELD = {"M012"}
"""Told of the sample: 11 of its forces do not record declined offers."""

ELSEWHERE = {"M010", "M011"}
"""Rules on the public edition, which stand with it."""


def _totals(live: pl.DataFrame, collection: Collection) -> Totals:
    return Totals(national_totals(live, collection), marts.cells(live, collection), collection)


@pytest.fixture(scope="module")
def totals(live: pl.DataFrame, collection: Collection) -> Totals:
    return replace(_totals(live, collection), laid_out=laid_out(live, collection))


def _failed(totals: Totals) -> dict[str, str]:
    rows = national_checks(totals).filter(~pl.col("passed"))
    return dict(rows.select("rule_id", "message").iter_rows())


def _changed(totals: Totals, measure: str, breakdown: str, by: float) -> Totals:
    here = (
        (pl.col("measure") == measure)
        & (pl.col("breakdown") == breakdown)
        & (pl.col("period") == "collection")
    )
    assert totals.national.filter(here).height == 1
    value = pl.when(here).then(pl.col("value") + by).otherwise("value")
    return replace(totals, national=totals.national.with_columns(value=value))


def test_the_samples_totals_hold(totals: Totals) -> None:
    assert set(_failed(totals)) == UNHELD


def test_a_part_that_some_do_not_hold_is_told_with_its_share_among_those_who_do(
    totals: Totals,
) -> None:
    said, *_ = _failed(totals)["M012"].split("; register_entries_share")
    assert said == (
        "register_entries_share body=force;decision=declined: 11 of the 44 forces in its whole do"
        " not hold it; among the others it is 17.9 per cent"
    )
    registers = totals.national.filter(measure="register_entries_share")
    published = registers.filter(breakdown="body=force;decision=declined")["value"].item()
    assert published == pytest.approx(100 * 550 / 3512), "what others hold stays in the whole"


def test_a_force_that_does_not_hold_a_part_moves_no_share_of_it(
    live: pl.DataFrame, collection: Collection
) -> None:
    here = (pl.col("force_code") == "MPS") & (pl.col("row_code") == "other")
    unheld = pl.when(~here)
    less = live.with_columns(
        unheld.then("number"), unheld.then("value").otherwise(pl.lit("not_held"))
    )
    failed = _failed(_totals(less, collection))
    assert "MPS" not in failed.get("M007", "")
    assert "investigations_share category=other: 1 of the 44 forces" in failed["M012"]


def test_every_national_rule_is_a_check() -> None:
    national = {rule.id for rule in rules().values() if rule.tier == NATIONAL}
    assert set(RULES) | ELSEWHERE == national


@pytest.mark.parametrize(
    "seed", [0, *(pytest.param(n, marks=pytest.mark.slow) for n in range(1, 3))]
)
def test_two_engines_agree_on_whatever_is_live(
    seed: int, live: pl.DataFrame, collection: Collection
) -> None:
    """Some forces gone, counts changed at random, some no longer held."""
    chance = Random(seed)
    forces = chance.sample(collection.forces, chance.choice([1, 2, 7, 30, 44]))
    some = live.filter(pl.col("force_code").is_in(forces))
    numbers = [
        None if n is None else chance.choice([n, 0, chance.randrange(99)]) for n in some["number"]
    ]
    held = pl.Series("held", [chance.random() > 0.1 for _ in numbers])
    changed = some.with_columns(pl.Series("number", numbers, pl.Int64)).with_columns(
        pl.when(pl.col("number").is_not_null() & held)
        .then(pl.col("number").cast(pl.String))
        .when(pl.col("number").is_not_null())
        .then(pl.lit("not_held"))
        .otherwise("value")
        .alias("value"),
        pl.when(held).then("number").alias("number"),
    )
    found = differences(
        national_totals(changed, collection),
        recounted(marts.cells(changed, collection), collection),
    )
    assert found.is_empty(), found


@pytest.mark.parametrize("name", ["2013-revisit", "use-of-force-2013", "never-seen"])
@pytest.mark.parametrize("seed", [0, pytest.param(1, marks=pytest.mark.slow)])
def test_two_engines_agree_on_templates_they_were_not_written_for(
    name: str, seed: int, other_collections: Callable[[str], Collection]
) -> None:
    other = other_collections(name)
    live = any_live(other, seed)
    totals = replace(_totals(live, other), laid_out=laid_out(live, other))
    assert totals.national.filter(pl.col("value") > 0).height > 9
    assert set(_failed(totals)) <= {"M001", "M006", "M007", "M008", "M012", "M013"}, _failed(totals)
    wrong = totals.national.with_columns(pl.col("value") + 1)
    of_cells = totals.national["measure"].is_in(OF_CELLS_ALONE).not_().sum()
    found = differences(wrong, recounted(totals.cells, other))
    assert found.height == of_cells - totals.national["value"].null_count()


@pytest.fixture
def other_collections(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Callable[[str], Collection]:
    shutil.copytree(ROOT / "examples", tmp_path / "others")
    force = (ROOT / "examples/templates/use-of-force-1.toml").read_text()
    cover = force[force.index("[[sheet]]") : force.rindex("[[sheet]]")]
    (tmp_path / "others/templates/odd-7.toml").write_text(ODD + cover)
    text = (ROOT / "examples/collections/use-of-force-2013.toml").read_text()
    for old, new in (("use-of-force-2013", "never-seen"), ("use-of-force-1", "odd-7")):
        text = text.replace(old, new)
    bands = 'count_bands = ["0", "3..8", "60.."]\n\n[period]'
    (tmp_path / "others/collections/never-seen.toml").write_text(text.replace("[period]", bands))
    monkeypatch.setenv("MUSTER_COLLECTIONS", str(tmp_path / "others"))
    return load_collection


def test_two_engines_agree_that_nothing_is_known(collection: Collection) -> None:
    nothing = _totals(empty(LiveEntries), collection)
    assert set(_failed(nothing)) == {"M001"}


@pytest.mark.parametrize("name", ["2013-revisit", "use-of-force-2013", "never-seen"])
def test_nothing_is_known_on_other_templates_either(
    name: str, other_collections: Callable[[str], Collection]
) -> None:
    """No statistic over no force is a number, nor is how many of them lie in a band."""
    nothing = _totals(empty(LiveEntries), other_collections(name))
    assert set(_failed(nothing)) <= {"M001", "M013"}, _failed(nothing)
    of_forces = nothing.national.filter(~pl.col("measure").is_in(OF_CELLS_ALONE))
    assert of_forces["value"].null_count() == of_forces.height > 0


def test_a_total_that_only_one_engine_has_differs(totals: Totals) -> None:
    recount = recounted(totals.cells, totals.collection)
    for fewer in (
        recount[1:],
        pl.concat([recount, recount[:1].with_columns(breakdown=pl.lit("x"))]),
    ):
        assert differences(totals.national, fewer).height == 1


@pytest.mark.parametrize(
    ("measure", "breakdown", "by", "expected"),
    [
        ("investigations", "", 1, {"M002", "M004", "M009"}),
        ("investigations", "category=other;outcome=left_service", 1, {"M002", "M004"}),
        ("people_suspended", "category=media_relationship", 1, {"M002", "M004"}),
        ("register_entries", "body=force;kind=gratuity", -1, {"M002", "M004"}),
        ("second_job_applications", "decision=refused", 1, {"M002", "M004"}),
        ("investigations", "outcome=left_service", -60, {"M002", "M003", "M004", "M008"}),
        ("investigations_share", "category=second_jobs", 0.001, {"M004"}),
        ("capability", "question=card_controls;answer=yes", 1, {"M004"}),
        (
            "investigations_per_force",
            "category=other;statistic=median",
            99,
            {"M004", "M008"},
        ),
        (
            "forces_with_investigations",
            "category=information_disclosure;count=91..",
            9,
            {"M004", "M008"},
        ),
        ("second_job_approvals_in_breach", "", 9999, {"M002", "M004", "M008"}),
    ],
)
def test_a_wrong_total_is_found(
    totals: Totals, measure: str, breakdown: str, by: float, expected: set[str]
) -> None:
    assert set(_failed(_changed(totals, measure, breakdown, by))) == expected | UNHELD


@pytest.mark.parametrize(
    ("mart", "column"),
    [
        ("investigations", "cases"),
        ("register_entries", "entries"),
        ("second_jobs", "count"),
        ("capability_answers", "answer"),
        ("force_profiles", "media_disclosure"),
        ("force_profiles", "register_declined"),
        ("force_profiles", "investigations_2010_11"),
        ("force_profiles", "acu_staffing_change"),
    ],
)
def test_what_a_mart_says_of_a_force_is_what_its_cells_hold(
    totals: Totals, mart: str, column: str
) -> None:
    laid = totals.laid_out[mart].sort("force_code")
    stf = pl.int_range(pl.len()) == (laid["force_code"] == "STF").arg_true()[0]
    for other in (pl.lit("x") if laid.schema[column] == pl.String else pl.col(column) + 1, None):
        wrong = laid.with_columns(pl.when(stf).then(other).otherwise(column).alias(column))
        (told,) = laid_out_otherwise({mart: wrong}, totals.cells, totals.collection)
        assert told.startswith(f"{mart}: {column} of STF")
        assert told.endswith("is not what its cells hold")
    gone = {mart: laid.filter(pl.col("force_code") != "STF")}
    assert list(laid_out_otherwise(gone, totals.cells, totals.collection))


def test_a_mart_that_says_otherwise_blocks_the_release(totals: Totals) -> None:
    nothing = {"second_jobs": totals.laid_out["second_jobs"].clear()}
    assert set(_failed(replace(totals, laid_out=nothing))) == {"M004"} | UNHELD


@pytest.mark.parametrize("column", ["value", "previous_value"])
def test_a_wrong_number_beside_that_of_an_earlier_period_is_found(
    totals: Totals, column: str
) -> None:
    found = comparisons(totals.national, totals.cells, totals.collection)
    assert set(_failed(replace(totals, comparisons=found))) == UNHELD
    wrong = found.with_columns(pl.col(column) + 1)
    assert set(_failed(replace(totals, comparisons=wrong))) == {"M004"} | UNHELD


def test_what_was_published_above_the_whole_is_told_in_words_of_the_template(
    totals: Totals,
) -> None:
    failed = _failed(_changed(totals, "investigations", "outcome=left_service", -60))
    assert failed["M003"] == (
        "outcome=left_service: what was published by category exceeds the whole 7"
    )


def test_a_published_statistic_is_no_part_that_was_published(
    totals: Totals, monkeypatch: pytest.MonkeyPatch
) -> None:
    printed = totals.collection.published_figures
    most = pl.lit("statistic=maximum").alias("breakdown")
    besides = printed.filter(measure="investigations", breakdown="").with_columns(most)
    both = pl.concat([printed, besides])
    monkeypatch.setattr(type(totals.collection), "published_figures", property(lambda _: both))
    ranked = totals.national.filter(measure="investigations", breakdown="", period="collection")
    ranked = ranked.with_columns(most, pl.col("value") + 1)
    told = _failed(replace(totals, national=pl.concat([totals.national, ranked])))
    assert set(told) == {"M004"} | UNHELD


def test_a_missing_force_is_told(live: pl.DataFrame, collection: Collection) -> None:
    failed = _failed(_totals(live.filter(pl.col("force_code") != "STF"), collection))
    assert failed["M001"] == "43 of 44 forces are in the totals"
    assert {rules()[rule].severity for rule in failed} == {"N"}


def test_one_force_that_is_most_of_the_nation_is_told(
    live: pl.DataFrame, collection: Collection
) -> None:
    here = (pl.col("force_code") == "MPS") & (pl.col("row_code") == "other")
    more = live.with_columns(pl.when(here).then(pl.col("number") + 900).otherwise("number"))
    as_cells = more.with_columns(
        pl.when(here).then(pl.col("number").cast(pl.String)).otherwise("value").alias("value")
    )
    failed = _failed(_totals(as_cells, collection))
    assert set(failed) == {"M006", "M007"} | UNHELD
    assert "MPS has" in failed["M006"]
    assert "without MPS the share of other moves" in failed["M007"]


def test_a_share_that_is_of_nothing_without_a_force_is_told(
    live: pl.DataFrame, collection: Collection
) -> None:
    failed = _failed(_totals(live.filter(force_code="STF"), collection))
    assert failed["M007"] == "without STF the share of information_disclosure is of nothing"


def test_parts_are_added_up_from_the_totals_alone(totals: Totals) -> None:
    """Whatever the cells say, and however a level reads them: totals that divide one make it."""
    part = "category=other;outcome=left_service"
    failed = _failed(_changed(totals, "investigations", part, 5))
    assert failed["M002"].startswith(
        "investigations all is 2207, but its parts by category and outcome add up to 2212;"
        " investigations category=other is 184, but its parts by category and outcome add up to 189"
    )


@pytest.mark.slow
def test_messages_are_in_one_order_whatever_the_order_of_the_rows(totals: Totals) -> None:
    """Else the same returns would give other bytes, and the release would be refused as changed."""
    few = totals.cells.filter(pl.col("force_code").is_in(["CMB", "LIN", "WAR"]))
    said = {
        tuple(cases_by_rule(replace(totals, cells=shuffled))["M006"])
        for seed in range(8)
        for shuffled in [few.sample(fraction=1, shuffle=True, seed=seed)]
    }
    assert len(said) == 1


def test_a_force_in_no_region_is_found(totals: Totals) -> None:
    lost = totals.cells.with_columns(force_code=pl.col("force_code").replace("STF", "XXX"))
    assert set(_failed(replace(totals, cells=lost, laid_out={}))) == {"M009"} | UNHELD


def test_the_message_is_capped_and_the_count_exact(
    totals: Totals, break_many: Callable[[Totals], Totals]
) -> None:
    row = national_checks(break_many(totals)).row(
        by_predicate=pl.col("rule_id") == "M004", named=True
    )
    assert row["cases"] > 100
    assert row["message"].endswith(f"and {row['cases'] - 5} more")


@pytest.fixture
def break_many() -> Callable[[Totals], Totals]:
    def change(totals: Totals) -> Totals:
        wrong = totals.national.with_columns(value=pl.col("value") + 1)
        return replace(totals, national=wrong)

    return change
