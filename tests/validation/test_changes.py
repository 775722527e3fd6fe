"""A collection can downgrade a rule or switch it off, with a reason, and findings say so."""

from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Literal

import pytest

from schemas.collection import Collection, read_collection
from schemas.collection_fields import RuleChange
from schemas.errors import SetupError
from schemas.reference import COLLECTIONS
from schemas.rules.catalogue import rules
from tests.returns import SampleReturn, validated

REASON = "the template's wording was unclear"


def _with(collection: Collection, rule: str, severity: Literal["off", "Q"]) -> Collection:
    change = RuleChange(rule=rule, severity=severity, reason=REASON, since=date(2012, 6, 1))
    return collection.model_copy(update={"rule_changes": (change,)})


def _refused(folder: Path, old: str, new: str, said: str) -> None:
    """Hold that the file of a collection is refused once it is changed."""
    text = (COLLECTIONS / "2012-revisit.toml").read_text(encoding="utf-8")
    assert old in text
    path = folder / "2012-revisit.toml"
    path.write_text(text.replace(old, new, 1), encoding="utf-8")
    with pytest.raises(SetupError, match=said):
        read_collection(path)


def _broken(sample: Callable[[str], SampleReturn]) -> SampleReturn:
    return sample("STF").with_values({("registers", "force.gratuity", "total"): "1"})


def test_a_downgraded_rule_asks_and_says_why(
    sample: Callable[[str], SampleReturn], collection: Collection
) -> None:
    found = validated(_broken(sample).reading(), _with(collection, "C401", "Q")).findings
    (row,) = found.to_dicts()
    assert (row["rule_id"], row["severity"]) == ("C401", "Q")
    assert row["message"].endswith(f"(downgraded to Q since 2012-06-01: {REASON})")


def test_a_rule_that_is_off_is_said_to_be_off_and_never_passed(
    sample: Callable[[str], SampleReturn], collection: Collection
) -> None:
    result = validated(_broken(sample).reading(), _with(collection, "C401", "off"))
    (row,) = result.findings.to_dicts()
    assert (row["rule_id"], row["severity"], row["cell"]) == ("C401", "N", None)
    assert f"not checked in this collection, since 2012-06-01: {REASON}" in row["message"]
    results = dict(result.results.select("rule_id", "result").iter_rows())
    assert results["C401"] == "off"
    assert set(results) == collection.template.rules_in_use


@pytest.mark.parametrize("rule", [rule.id for rule in rules().values() if rule.guards] + ["C999"])
def test_a_rule_that_guards_values_cannot_be_changed(rule: str, tmp_path: Path) -> None:
    """Without V001 a text in a count would be left out of the total, and nobody would know."""
    change = f'rule = "{rule}"\nseverity = "off"\nreason = "{REASON}"\nsince = 2012-06-01\n'
    changed = f"[[rule_changes]]\n{change}\n[period]"
    _refused(tmp_path, "[period]", changed, f"rule {rule} cannot be changed")


def test_limits_are_the_collections(
    sample: Callable[[str], SampleReturn], collection: Collection
) -> None:
    limits = collection.thresholds | {"V006": {"lowest": 1, "highest": 11}}
    tighter = collection.model_copy(update={"thresholds": limits})
    found = validated(sample("STF").reading(), tighter).findings
    assert found["message"].to_list() == ["12 months, outside 1 to 11"]


def test_a_collection_must_give_every_limit(tmp_path: Path) -> None:
    limits = "Q104 = { comparator = 10 }\n"
    _refused(tmp_path, limits, "", "must give comparator, not none")
    _refused(tmp_path, ", forces = 20", "", "must give constant, difference, exponent, forces")


def test_every_finding_leads_to_the_page_of_its_rule(
    sample: Callable[[str], SampleReturn], collection: Collection
) -> None:
    blank = {("comparators", "cards_2012", "value"): None}
    for broken in (_broken(sample), sample("STF").with_values(blank)):
        for row in validated(broken.reading(), collection).findings.to_dicts():
            assert rules()[row["rule_id"]].page in row["how_to_fix"]
