"""A contract must notice every way in which a table can be wrong; a dead check fails here."""

from dataclasses import replace
from pathlib import Path

import polars as pl
import pytest

from assets.marts import arrow_schema
from pipelines.docs import generated
from schemas.checking import broken
from schemas.conform import conform, holds
from schemas.contract import Contract, empty, keys
from schemas.errors import ContractError
from schemas.marts import (
    MARTS,
    ForceProfiles,
    Investigations,
    NationalTotals,
    Survey,
    force_profiles_contract,
)
from schemas.measures import Figure
from schemas.tables import TABLES
from schemas.template import Template
from schemas.template_file import load_template

ROOT = Path(__file__).parents[2]

GOOD = pl.DataFrame(
    {
        "force_code": ["STF", "STF"],
        "category": ["other", "information_disclosure"],
        "recipient": [None, "media"],
        "media": [None, "local"],
        "outcome": ["continuing", "left_service"],
        "cases": [0, 3],
        "basis": ["submitted", "submitted"],
    },
    schema_overrides={"recipient": pl.String, "media": pl.String},
)


def test_a_good_table_comes_back_sorted_and_in_order() -> None:
    shuffled = GOOD.select(reversed(GOOD.columns)).with_columns(extra=pl.lit(1))
    assert conform(Investigations, shuffled).equals(GOOD.sort("category"))


@pytest.mark.parametrize(
    "broken",
    [
        pytest.param(GOOD.drop("cases"), id="column missing"),
        pytest.param(GOOD.with_columns(pl.col("cases").cast(pl.Float64)), id="wrong type"),
        pytest.param(GOOD.with_columns(outcome=pl.lit(None, pl.String)), id="null in a key"),
        pytest.param(GOOD.with_columns(basis=pl.lit(None, pl.String)), id="null in a value"),
        pytest.param(GOOD.with_columns(cases=pl.lit(-1, pl.Int64)), id="below zero"),
        pytest.param(GOOD.with_columns(outcome=pl.lit("guilty")), id="code not in the list"),
        pytest.param(pl.concat([GOOD, GOOD]), id="key twice"),
        pytest.param(
            pl.concat([GOOD[0], GOOD[0].with_columns(cases=pl.lit(9, pl.Int64))]),
            id="key twice, null in it",
        ),
    ],
)
def test_a_broken_table_is_refused(broken: pl.DataFrame) -> None:
    """pandera checks nothing in a LazyFrame by default: this is what a dead contract looks like."""
    with pytest.raises(ContractError):
        conform(Investigations, broken, load_template("returns-1"))


def test_a_code_of_another_version_is_refused() -> None:
    later = load_template("returns-2", ROOT / "examples")
    of_2013 = GOOD.with_columns(outcome=pl.lit("left_police"))
    assert conform(Investigations, of_2013, later).height == GOOD.height
    for table, template in ((of_2013, load_template("returns-1")), (GOOD, later)):
        with pytest.raises(ContractError, match="outcome"):
            conform(Investigations, table, template)


@pytest.mark.parametrize("name", [*MARTS, *TABLES])
def test_contracts_are_total(name: str) -> None:
    """Whoever opens a file must find what each column means and in which unit."""
    contract = (MARTS | TABLES)[name]
    assert contract.about
    for column in contract.columns:
        assert column.description, column.name
        assert column.unit, column.name
    assert conform(contract, empty(contract)).is_empty()
    assert arrow_schema(contract).names == [column.name for column in contract.columns]
    leading = [column.name for column in contract.columns][: len(keys(contract))]
    assert leading == keys(contract), "keys stand first"


def test_derived_pages_have_not_drifted() -> None:
    for path, text in generated().items():
        assert path.read_text(encoding="utf-8") == text, f"make docs ({path})"


EXAMPLES = ROOT / "examples"


def test_a_profile_has_the_columns_of_its_template() -> None:
    assert force_profiles_contract(load_template("returns-1")) is ForceProfiles
    of_2013 = {c.name: c for c in force_profiles_contract(_example("returns-2")).columns}
    assert {"abuse_of_authority", "investigations_per_month", "cards_now"} <= of_2013.keys()
    assert not {"investigations_2010_11", "cards_2012"} & of_2013.keys()
    new = of_2013["abuse_of_authority"]
    assert new.description == "Investigations: Abuse of authority for gain; null where unknown"
    assert (new.unit, new.nullable, new.least) == ("count", True, 0)
    since = of_2013["acu_staffing_change"]
    assert since.description.startswith("Anti-corruption unit staffing compared with")
    assert since.type_name == "string"
    figure = Figure(measure="investigations", period="year_before")
    template = replace(load_template("returns-1"), profile={"was": figure})
    was = {c.name: c for c in force_profiles_contract(template).columns}["was"]
    assert was.description.startswith("Investigations: in the period year before;")


def test_a_profile_without_research_and_registers_has_no_columns_for_them() -> None:
    uses = force_profiles_contract(_example("use-of-force-1")).columns
    about_the_force = ["force_code", "ons_code", "name", "region", "state", "basis"]
    assert [c.name for c in uses] == [*about_the_force, "uses", "firearm", "people_hurt"]
    assert uses[-1].unit == "people"


def _example(name: str) -> Template:
    return load_template(name, EXAMPLES)


_TO_TRY: dict[type[pl.DataType], list[object]] = {
    pl.String: ["", "nobody's code"],
    pl.Int64: [-1, 0],
    pl.Float64: [-0.5, float("nan"), float("inf")],
    pl.Boolean: [],
    pl.Date: [],
}


@pytest.mark.slow
@pytest.mark.parametrize("contract", [Investigations, ForceProfiles, Survey, NationalTotals])
def test_one_question_for_all_columns_is_answered_as_pandera_answers(contract: Contract) -> None:
    """Of a table with nothing wrong pandera is not asked: it must have found nothing either."""
    template = load_template("returns-1")
    sound: dict[str, list[object]] = {}
    for column in contract.columns:
        codes = (column.allowed_in(template) or ("some text", "other text"))[:2]
        two: list[object] = {pl.String: [*codes], pl.Boolean: [True, False]}.get(column.dtype) or [
            column.least or 0,
            (column.least or 0) + 1,
        ]
        sound[column.name] = [two[0], two[-1]]
    types = {column.name: column.dtype for column in contract.columns}
    tables = [pl.DataFrame(sound, types), pl.DataFrame({**sound, keys(contract)[0]: None}, types)]
    for name, dtype in types.items():
        for value in (None, *_TO_TRY[dtype]):
            tables.append(pl.DataFrame({**sound, name: [sound[name][0], value]}, types))
    answers = set()
    for table in (*tables, pl.concat([tables[0], tables[0]]), tables[0].clear()):
        ordered = table.sort(table.columns, nulls_last=False)
        asked = holds(contract, ordered, template)
        assert asked == broken(contract, ordered, template).is_empty(), table
        answers.add(asked)
    assert answers == {True, False}
