"""Rules that accepted returns have passed are knowledge: what each tells, and that it counts."""

from collections import defaultdict
from dataclasses import replace
from datetime import date

import polars as pl
import pytest

from assets.disclosure.audit import audit, problems
from assets.disclosure.counts import blocks
from assets.disclosure.edition import PublicEdition, public_edition
from assets.disclosure.forms import public_forms
from assets.disclosure.published import Edition, behind, edition_behind, rules_told
from assets.disclosure.readings import facts
from schemas.collection import Collection
from schemas.collection_fields import RuleChange
from schemas.contract import keys
from schemas.disclosure import force_counts
from schemas.marts import contracts_of
from tests.disclosure.attacker import DIMS, Seen, attack
from tests.disclosure.marts import Marts

THRESHOLDS = {
    "Q102": {"lowest": 3, "highest": 90},
    "Q107": {"highest": 0.5, "cases": 10},
    "Q108": {"highest": 0.75, "cases": 20},
    "Q109": {"highest": 0.15, "cases": 20},
}


GROUPS = (
    "",
    "people_suspended",
    "earlier investigations_2010_11",
    "earlier second_jobs_2010_11",
)
"""The tables that are hidden apart from others, as rules compare them."""


@pytest.fixture(scope="module")
def without_rules(collection: Collection) -> Collection:
    """The collection with every rule that tells something switched off."""
    off = tuple(
        RuleChange(rule=name, severity="off", reason="Not asked this time.", since=date(2012, 6, 1))
        for name in rules_told(collection)
    )
    return collection.model_copy(update={"rule_changes": off})


@pytest.fixture(scope="module")
def ignorant(some: Marts, without_rules: Collection) -> PublicEdition:
    """The edition of twelve returns that have passed no rule."""
    return public_edition(some, without_rules)


def test_a_rule_that_is_off_tells_nothing(
    collection: Collection, without_rules: Collection
) -> None:
    assert set(rules_told(collection)) == {
        "C502", "C701", "V005", "X002",
        "Q101", "Q102", "Q104", "Q105", "Q106", "Q107", "Q108", "Q109", "Q113",
    }  # fmt: skip
    assert rules_told(collection)["Q105"] == {
        "severity": "Q", "lowest": 0.85, "applications": 30,
    }  # fmt: skip
    assert rules_told(without_rules) == {}


def test_an_edition_that_forgets_the_rules_promises_too_much(
    ignorant: PublicEdition, some: Marts, collection: Collection
) -> None:
    """The approval share alone makes decisions narrower than they should be."""
    assert ignorant.problems == ()
    known = Edition("r1", ignorant.marts, behind(some), collection, rules_told(collection))
    found = list(problems(audit([known], collection)))
    assert any("second_job" in problem for problem in found)


@pytest.mark.slow
def test_nobody_can_tell_more_by_the_rules_than_was_promised(
    edition: PublicEdition, some: Marts
) -> None:
    """An attack with other code that counts the rules in."""
    status = edition.marts["returns_status"]
    # Returns that break Q102 were accepted with an answer, and nobody outside knows which.
    usual = some["force_profiles"].filter(pl.col("information_disclosure").is_between(3, 90))
    broken = ~pl.col("force_code").is_in(usual["force_code"].to_list())
    state = pl.when(broken).then(pl.lit("queried")).otherwise("state").alias("state")
    seen = Seen({**edition.marts, "returns_status": status.with_columns(state)})
    parts = [pl.format(f"{name}={{}}", name) for name in ["force_code", *DIMS]]
    cell = pl.concat_str(parts, separator=";", ignore_nulls=True).alias("cell")
    found = attack([seen], thresholds=THRESHOLDS).with_columns(cell)
    audited = edition.audit.filter(mart="investigations").join(found, on="cell")
    assert audited.height == found.height
    narrow = pl.col("high_right") - pl.col("low_right") < pl.col("required")
    assert audited.filter(narrow).is_empty()
    truth = some["investigations"].with_columns(cell).select("cell", "cases")
    outside = ~pl.col("cases").is_between(pl.col("low"), pl.col("high"))
    assert found.join(truth, on="cell").filter(outside).is_empty()


def test_what_a_hidden_table_would_leave_open_follows_from_what_is_read(
    some: Marts, collection: Collection
) -> None:
    """How uncertain a count must be is what the rest tells: as if nothing of its table was seen.

    So of statistics over forces there are those in print alone: here none is.
    """
    alone = ~pl.col("breakdown").str.contains("statistic=|count=")
    no_print = alone | (pl.col("computed") != pl.col("published"))
    full = some | {"reconciliation": some["reconciliation"].filter(no_print)}
    bare = full | {mart: full[mart].filter(alone) for mart in ("national_totals", "reconciliation")}
    now, shown = (
        edition_behind("", of, collection).retold(public=public_forms(of, [], collection))
        for of in (full, bare)
    )
    gone = [
        (mart, column, {name: row[name] for name in keys(contracts_of(collection.template)[mart])})
        for mart, columns in force_counts(collection.template).items()
        for column in columns
        for row in shown.public.get(mart, pl.DataFrame()).iter_rows(named=True)
        if row[column] is not None
        if not collection.is_exempt(mart, column, row["force_code"], row[column])
    ]
    nothing = shown.retold(public=public_forms(bare, gone, collection))
    read = facts([nothing], collection)
    for system, of in facts([now], collection).items():
        known, seen = of.known(0, GROUPS), read[system].known()
        for what in ("values", "names", "hidden", "rows", "either", "bands", "broken"):
            assert getattr(known, what) == getattr(seen, what), (system, what)
    system = facts([now], collection)["investigations"]
    assert system.known(0, GROUPS).hidden.keys() > system.known().hidden.keys()


@pytest.mark.slow
def test_both_readings_of_the_rules_agree_on_who_has_passed_which(
    marts: Marts, collection: Collection
) -> None:
    """The choice and the audit have each its own; that they agree is no proof, but a sign."""
    now = edition_behind("", marts, collection)
    chosen: dict[str, set[str]] = defaultdict(set)
    told: set[str] = set()
    for block in blocks(now, collection):
        told |= {item.rule for item in block.told}
        for force, rules in block.broken.items():
            chosen[force] |= rules
    shown = public_forms(marts, [], collection)
    read: dict[str, set[str]] = defaultdict(set)
    for of in facts([replace(now, public=shown)], collection).values():
        for force, rules in of.known(0, GROUPS).broken.items():
            read[force] |= rules
    assert chosen == read
    assert "Q102" in chosen["CAM"]
    assert told == set(rules_told(collection)) - {"X002", "C701"}, (
        "each has a policy; C701 is of no mart"
    )
