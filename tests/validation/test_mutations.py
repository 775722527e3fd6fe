"""Each sample return, broken once for each rule that concerns it, gives that rule.

And only what naturally follows: a rule that fires for a reason of its own teaches forces to
ignore it.
"""

from datetime import date

import polars as pl
import pytest

from assets.intake.reading import Reading
from assets.returns.validation.judge import Judged, Received, judge
from schemas.collection import Collection
from tests.returns import SampleReturn
from tests.validation.mutations import MUTATIONS, RESUBMISSIONS, Mutation

TODAY = date(2012, 7, 1)
Found = set[tuple[str, str | None, str | None]]

ELSEWHERE = {"S002", "S014", "S015", "X007"}
"""No matter of one return's entries: test_rules.py, test_order.py, tests/feedback, tests/cases."""


def _found(validated: Judged) -> dict[str, Found]:
    found: dict[str, Found] = {}
    for key, rule, sheet, cell in validated.findings.select(
        "receipt_id", "rule_id", "sheet", "cell"
    ).iter_rows():
        found.setdefault(key, set()).add((rule, sheet, cell))
    return found


@pytest.fixture(scope="module")
def samples(collection: Collection) -> dict[str, SampleReturn]:
    return {force: SampleReturn.of(force, collection) for force in collection.forces}


@pytest.fixture(scope="module", params=[5, pytest.param(1, marks=pytest.mark.slow)])
def broken(
    request: pytest.FixtureRequest, samples: dict[str, SampleReturn], collection: Collection
) -> tuple[dict[str, Found], Judged]:
    """Everything found in broken returns, keyed `force:rule`, and in each clean one.

    Broken are those of every fifth force, or of all, and of the one without a police authority.
    """
    mutated = {*collection.forces[:: request.param], *collection.without_police_authority, "STF"}
    readings: dict[str, Reading] = {}
    received: dict[str, Received] = {}
    for force, sample in samples.items():
        readings[force], received[force] = sample.reading(), Received(TODAY, force, 1)
        for mutation in MUTATIONS if force in mutated else ():
            reading = mutation.of(sample)
            if reading:
                key = f"{force}:{mutation.rule}"
                readings[key], received[key] = reading, Received(TODAY, force)
    validated = judge(readings, received, collection)
    return _found(validated), validated


def _check(mutation: Mutation, found: dict[str, Found], forces: list[str], keys: set[str]) -> int:
    concerned = 0
    for force in forces:
        key = f"{force}:{mutation.rule}"
        clean = found.get(force, set())
        if key not in keys or mutation.rule in {rule for rule, *_ in clean}:
            continue
        concerned += 1
        new = {rule for rule, *_ in found.get(key, set()) - clean}
        assert mutation.rule in new, f"{key}: {found.get(key)}"
        assert new <= {mutation.rule} | mutation.also, f"{key}: {found.get(key, set()) - clean}"
    return concerned


@pytest.mark.parametrize("mutation", MUTATIONS, ids=lambda mutation: mutation.rule)
def test_a_broken_return_gives_the_rule_and_what_follows(
    mutation: Mutation, broken: tuple[dict[str, Found], Judged], collection: Collection
) -> None:
    found, validated = broken
    keys = set(validated.results["receipt_id"])
    assert _check(mutation, found, list(collection.forces), keys) > 0


@pytest.mark.parametrize("mutation", RESUBMISSIONS, ids=lambda mutation: mutation.rule)
def test_a_broken_resubmission_gives_the_rule_and_what_follows(
    mutation: Mutation, samples: dict[str, SampleReturn], collection: Collection
) -> None:
    readings: dict[str, Reading] = {}
    received: dict[str, Received] = {}
    for force, sample in samples.items():
        reading = mutation.of(sample)
        assert reading
        for key, of, version in ((force, sample.reading(), 1), (f"{force}:x", reading, 2)):
            readings[key.replace(":x", f":{mutation.rule}")] = of
            received[key.replace(":x", f":{mutation.rule}")] = Received(TODAY, force, version)
    found = _found(judge(readings, received, collection))
    concerned = 0
    for force in collection.forces:
        new = found.get(f"{force}:{mutation.rule}", set()) - found.get(force, set())
        fired = {rule for rule, *_ in new}
        assert mutation.rule in fired or mutation.rule == "S011", force
        assert fired <= {mutation.rule} | mutation.also, f"{force}: {new}"
        concerned += mutation.rule in fired
    assert concerned == 44


def test_a_change_is_asked_about_until_it_is_answered_or_gone(
    samples: dict[str, SampleReturn], collection: Collection
) -> None:
    """Sent once more, or nearly, the number is as unexplained as it was."""
    ways = {"1": 4, "2": 104, "3": 104, "4": 101, "5": 4}
    place = ("comparators", "cards_2012", "value")
    found = judge(
        {key: samples["KEN"].with_values({place: str(n)}).reading() for key, n in ways.items()},
        {key: Received(TODAY, "KEN", int(key)) for key in ways},
        collection,
    ).findings.filter(rule_id="Q111")
    said = dict(found.select("receipt_id", "message").iter_rows())
    assert said == {
        "2": "104, but 4 in the earlier return",
        "3": "104, but 4 in the earlier return",
        "4": "101, but 4 in the earlier return",
    }


def test_every_rule_has_a_mutation(collection: Collection) -> None:
    """A rule without a case here may be dead, or may fire with others unseen."""
    tried = {mutation.rule for mutation in (*MUTATIONS, *RESUBMISSIONS)}
    assert tried | ELSEWHERE == collection.template.rules_in_use


def test_a_rule_whose_inputs_failed_is_not_evaluable(
    broken: tuple[dict[str, Found], Judged], collection: Collection
) -> None:
    """Never listed as passed: nobody looked."""
    _, validated = broken
    results = {(key, rule): result for key, rule, result in validated.results.iter_rows()}
    assert results["STF", "C101"] == "passed"
    assert results["STF:C101", "C101"] == "failed"
    for rule in ("C701", "X005", "Q101", "Q104"):
        assert results["STF:S004", rule] == "not_evaluable", "their sheet is missing"
    assert results["STF:S004", "C101"] == "passed", "its sheet is there"
    for rule in collection.template.rules_in_use:
        expected = "failed" if rule == "S001" else "passed" if rule == "S002" else "not_evaluable"
        assert results["STF:S001", rule] == expected, "nothing could be read"
    for rule in ("C501", "Q110"):
        assert results["STF:S013", rule] == "not_evaluable", "a row is missing"
    assert results["STF:V004", "C501"] == "not_evaluable", "a number is not held"
    assert results["STF:V001", "X005"] == "not_evaluable", "a number could not be typed"
    assert results["STF:V003", "S009"] == "not_evaluable", "the date could not be typed"
    assert results["STF", "X004"] == "not_applicable", "the force has an authority"


def test_clean_returns_pass_every_rule_but_known_queries(
    broken: tuple[dict[str, Found], Judged], collection: Collection
) -> None:
    _, validated = broken
    clean = validated.results.filter(pl.col("receipt_id").is_in(collection.forces))
    assert set(clean["result"]) == {"passed", "failed", "not_applicable"}
    failed = clean.filter(pl.col("result") == "failed").select("receipt_id", "rule_id")
    assert set(failed.rows()) == {
        ("CAM", "Q102"), ("CHS", "Q105"), ("DVC", "Q102"), ("GMP", "Q102"), ("MPS", "Q102"),
        ("MPS", "Q103"), ("WMC", "Q102"), ("WMP", "Q102"),
    }  # fmt: skip


def test_where_every_force_has_an_authority_no_rule_asks_who_has_none(
    samples: dict[str, SampleReturn], collection: Collection
) -> None:
    """That nobody is on the list is known, and no reason to doubt what was sent."""
    every = collection.model_copy(update={"without_police_authority": ()})
    validated = judge({"AVS": samples["AVS"].reading()}, {"AVS": Received(TODAY, "AVS")}, every)
    assert validated.results.filter(rule_id="X004")["result"].to_list() == ["not_applicable"]


def test_what_is_usual_does_not_change_where_a_return_is_sent_again(
    samples: dict[str, SampleReturn], collection: Collection
) -> None:
    """A query's effect on the totals is told by it, and so the order in which forces are asked."""
    readings = {force: sample.reading() for force, sample in samples.items()}
    received = {force: Received(TODAY, force, 1) for force in samples}
    once = judge(readings, received, collection).expectations
    readings |= {f"{force}:2": readings[force] for force in ("AVS", "BED", "CAM")}
    received |= {f"{force}:2": Received(TODAY, force, 2) for force in ("AVS", "BED", "CAM")}
    twice = judge(readings, received, collection).expectations
    others = ~pl.col("receipt_id").str.contains("AVS|BED|CAM")
    assert once.filter(others).height
    assert twice.filter(others).sort(pl.all()).equals(once.filter(others).sort(pl.all()))
