"""The cube: a column for each dimension, and sums in which nothing is counted twice."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import duckdb
import polars as pl
import pytest

from assets.disclosure.forms import public_forms
from assets.figures.recount.checks import Totals, cases_by_rule
from assets.figures.totals.cube import breakdown_in_cube, codes, cube, measures
from assets.figures.totals.marts import cells
from assets.figures.totals.national import national_totals
from assets.inputs.research.tables import ResearchTables
from schemas.breakdown import read_breakdown
from schemas.collection import Collection, load_collection
from tests.any_template import drawn_collection
from tests.disclosure.marts import marts_of
from tests.live import any_live

KEY = ["measure", "breakdown", "period"]


@pytest.fixture(scope="module")
def national(live: pl.DataFrame, collection: Collection, research: ResearchTables) -> pl.DataFrame:
    return national_totals(live, collection, research)


@pytest.fixture(scope="module")
def made(national: pl.DataFrame, collection: Collection) -> pl.DataFrame:
    return cube(national, collection)


def test_it_holds_every_national_total_and_no_other(
    made: pl.DataFrame, national: pl.DataFrame, collection: Collection
) -> None:
    shown = breakdown_in_cube(made, collection.template)
    columns = [*KEY, "value", "unit", "forces_included", "forces_expected", "provisional"]
    assert shown.select(columns).sort(KEY).equals(national.select(columns).sort(KEY))


def test_a_sum_of_parts_counts_nothing_twice(made: pl.DataFrame, national: pl.DataFrame) -> None:
    """The analyst's question in plain SQL, without an expression on text."""
    found = duckdb.sql(
        "select category, sum(value)::bigint as cases from made where measure = 'investigations'"
        " and period = 'collection' and not is_total group by all"
    ).pl()
    assert found["cases"].sum() == 2207
    for category, cases in found.iter_rows():
        of_it = national.filter(measure="investigations", breakdown=f"category={category}")
        assert of_it.filter(period="collection")["value"].item() == cases
    repeated = made.filter("is_total")
    for columns in ({"unit": "percent"}, {"outcome": "completed"}, {"statistic": "median"}):
        of_these = made.filter(**columns)
        assert of_these.height == repeated.filter(**columns).height > 0
    survey = made.filter(pl.col("measure").str.starts_with("survey"))
    assert survey["is_total"].all()


def test_of_an_earlier_period_the_whole_is_the_part_where_it_was_asked(
    made: pl.DataFrame, national: pl.DataFrame, collection: Collection
) -> None:
    """Two of its categories were asked beside it: they are some of it, and do not make it."""
    then = {"measure": "investigations", "period": "2010-11"}
    parts = made.filter(~pl.col("is_total"), **then)
    assert parts["value"].to_list() == [national.filter(breakdown="", **then)["value"].item()]
    without = cube(national.filter(pl.col("breakdown") != ""), collection)
    parts, asked = (frame.filter(**then) for frame in (without, national))
    assert parts["is_total"].to_list() == [False, False]
    assert asked["breakdown"].to_list() == ["", *(f"category={c}" for c in parts["category"])]


def _checked(national: pl.DataFrame, live: pl.DataFrame, collection: Collection) -> Totals:
    made = cube(national, collection)
    return Totals(national, cells(live, collection), collection, cube=made)


@pytest.mark.parametrize("seed", range(6))
def test_the_second_engine_counts_the_cube_of_any_template(seed: int, tmp_path: Path) -> None:
    drawn = drawn_collection(tmp_path / "drawn", seed)
    live = any_live(drawn, seed)
    totals = _checked(national_totals(live, drawn), live, drawn)
    assert not cases_by_rule(totals)["M004"]
    assert totals.cube is not None
    parts = totals.cube.filter(~pl.col("is_total"), period="collection")
    by_measure = {f"counted{n}" for n in range(3)} & {*drawn.template.measures}
    assert by_measure & {*parts["measure"]}
    asked = pl.col("row_code").str.starts_with("earlier.")
    apart = cube(totals.national.filter(pl.col("breakdown") != ""), drawn)
    apart = apart.filter(~pl.col("is_total"), period="before")
    assert apart["value"].sum() == live.filter(asked)["number"].sum()


def _twice(made: pl.DataFrame) -> pl.DataFrame:
    whole = (pl.col("measure") == "uses") & pl.col("tactic").is_null()
    return made.with_columns(is_total=pl.col("is_total") & ~whole)


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (_twice, "its parts in the cube add up to"),
        (lambda made: made.with_columns(pl.col("value") + 1), "recounted"),
        (lambda made: made.filter(pl.col("tactic") != "spray"), "recounted"),
        (
            lambda made: made.with_columns(
                pl.col("tactic").replace({"spray": "firearm", "firearm": "spray"})
            ),
            "recounted",
        ),
    ],
)
def test_a_wrong_cube_is_told(
    change: Callable[[pl.DataFrame], pl.DataFrame], told: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    examples = Path(__file__).parents[2] / "examples"
    monkeypatch.setenv("MUSTER_COLLECTIONS", str(examples))
    other = load_collection("use-of-force-2013")
    live = any_live(other, 1, every_force=True)
    totals = _checked(national_totals(live, other), live, other)
    assert totals.cube is not None
    found = cases_by_rule(replace(totals, cube=change(totals.cube)))["M004"]
    assert any(told in line for line in found)


def test_codes_and_measures_say_what_the_cube_holds(
    made: pl.DataFrame, national: pl.DataFrame, collection: Collection
) -> None:
    named = codes(collection)
    listed = {
        name: {*of["code"]} for (name,), of in named.partition_by("list", as_dict=True).items()
    }
    for breakdown in national["breakdown"]:
        for key, code in read_breakdown(breakdown).items():
            if key not in {"count", "statistic", "year"} and (key, code) != ("kind", code):
                assert {*code.split("|")} <= listed[key], (key, code)
    assert named.filter(list="force_code").height == 44
    completed = named.filter(list="outcome", code="completed")["label"].item()
    assert completed.startswith("Referred to an external body")
    said = measures(national, collection)
    assert {*said["measure"]} == {*made["measure"]}
    units = said.select("measure", "unit")
    assert made.join(units, on=["measure", "unit"], how="anti").is_empty()
    assert (
        said.filter(measure="investigations")["levels"].item().startswith(" | category | outcome")
    )


def test_a_force_says_since_when_it_was_and_until_when_those_before_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("MUSTER_COLLECTIONS", str(Path(__file__).parents[2] / "examples"))
    forces = codes(load_collection("2013-revisit")).filter(list="force_code").sort("order")
    dated = forces.select("code", pl.col("valid_from", "valid_to").cast(pl.String)).rows_by_key(
        "code", unique=True
    )
    assert dated["BEH"] == ("2013-04-01", None)
    assert forces["code"].to_list()[43:] == ["BED", "HRT"]
    assert dated["BED"] == dated["HRT"] == (None, "2013-03-31")


def test_its_public_form_hides_what_the_national_totals_hide(
    live: pl.DataFrame, collection: Collection
) -> None:
    told = ("investigations", "category=other", "collection")
    forms = public_forms(marts_of(live, collection), [], collection, [told])
    shown = breakdown_in_cube(forms["cube"], collection.template)
    columns = [*KEY, "value", "symbol"]
    assert (
        shown.select(columns).sort(KEY).equals(forms["national_totals"].select(columns).sort(KEY))
    )
    hidden = shown.filter(symbol="c")
    assert told in hidden.select(KEY).rows()
    assert hidden["value"].null_count() == hidden.height
