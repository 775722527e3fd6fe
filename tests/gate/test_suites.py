"""What is expected follows from the contracts, all of it and nothing else."""

import pytest

from assets.release.gate.suites import Expectation, Suite, particular, suite
from schemas.collection import Collection
from schemas.contract import keys
from schemas.marts import MARTS


def _of(suite: Suite, kind: str, name: str) -> list[Expectation]:
    return [each for each in suite if each.type == kind and each.column == name]


@pytest.mark.parametrize("name", MARTS)
def test_everything_a_contract_says_is_expected_and_of_its_columns_alone(
    name: str, collection: Collection
) -> None:
    """A column added to a contract must not slip past the gate."""
    contract, key = MARTS[name], keys(MARTS[name])
    derived = suite(name, contract, collection)
    known = [each.name for each in contract.columns]
    assert {each.column for each in derived} <= {None, *known}
    by_type = {each.type: each.arguments for each in derived}
    assert by_type["expect_table_columns_to_match_ordered_list"]["column_list"] == known
    if len(key) > 1:
        assert by_type["expect_compound_columns_to_be_unique"]["column_list"] == key
    elif key:
        assert by_type["expect_column_values_to_be_unique"] == {"column": key[0]}
    for each in contract.columns:
        assert _of(derived, "expect_column_type_to_be", each.name)
        null = _of(derived, "expect_column_values_to_not_be_null", each.name)
        assert bool(null) != each.nullable, each.name
        allowed = each.allowed_in(collection.template)
        if allowed and each.name != "force_code":
            codes = _of(derived, "expect_column_values_to_be_in_set", each.name)[0]
            assert codes.arguments["value_set"] == list(allowed)
        if each.type_name == "float64":
            bounds = _of(derived, "expect_column_values_to_be_between", each.name)[0].arguments
            assert None not in (bounds["min_value"], bounds["max_value"]), "NaN goes unseen"


def test_what_is_particular_is_of_a_mart_that_there_is(collection: Collection) -> None:
    """A mart that is renamed would silently lose what is expected of it alone."""
    assert set(particular(collection)) <= set(MARTS)
