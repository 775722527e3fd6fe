"""A count against that of an earlier period, by limits that follow from all forces' ratios."""

from collections.abc import Callable
from dataclasses import replace

import polars as pl

from assets.returns.validation.rules.entries import (
    BETWEEN,
    NO_CASES,
    NONE_BEFORE,
    Returns,
    entry_tests,
)
from assets.returns.validation.rules.evaluate import evaluate
from schemas.collection import Collection
from schemas.collection_faults import collection_faults
from schemas.faults import Unsure
from tests.returns import SampleReturn, validated

NOW = ("investigations", "information_disclosure", "total")
BEFORE = ("comparators", "information_disclosure_2010_11", "value")
FIXED = (0.5, 2.0, 10)


def _slips(number: int) -> set[int]:
    """What a number is once a digit is lost, doubled, or changed places with the next."""
    text, found = str(number), set()
    for at, digit in enumerate(text):
        found |= {int(text[:at] + text[at + 1 :] or 0), int(text[:at] + digit + text[at:])}
        found.add(int(text[:at] + text[at + 1 : at + 2] + digit + text[at + 2 :]))
    return found - {number}


def _of(live: pl.DataFrame, *places: tuple[str, str, str]) -> dict[str, list[int]]:
    keyed = [live.filter(sheet=s, row_code=r, column_code=c) for s, r, c in places]
    numbers = [dict(table.select("force_code", "number").iter_rows()) for table in keyed]
    return {force: [of[force] for of in numbers] for force in numbers[0]}


def _asked(
    live: pl.DataFrame,
    numbers: dict[str, tuple[str, int]],
    of: Collection,
    released: pl.DataFrame | None = None,
) -> set[str]:
    """Return of changed returns, each by an id with its changes, those that Q101 asks about."""
    entries = live.select("receipt_id", "sheet", "row_code", "column_code", "number", "value")
    entries = entries.with_columns(missing=pl.when(pl.col("number").is_null()).then("value"))
    places = entries.filter(row_code=NOW[1], column_code=NOW[2])
    before = entries.filter(row_code=BEFORE[1])
    copies = [entries]
    for key, (receipt, number) in numbers.items():
        for table, changed in ((places, number), (before, None)):
            mine = table.filter(receipt_id=receipt).with_columns(receipt_id=pl.lit(key))
            copies.append(
                mine if changed is None else mine.with_columns(number=pl.lit(changed, pl.Int64))
            )
    whose = live.select("receipt_id", "force_code").unique()
    forces = dict(whose.select("receipt_id", "force_code").iter_rows())
    rows = [(forces[receipt], key) for key, (receipt, _) in numbers.items()]
    made = pl.DataFrame(rows, dict.fromkeys(("force_code", "receipt_id"), pl.String), orient="row")
    made = made.select(whose.columns)
    receipts = pl.concat([whose, made]).with_columns(version=1)
    off = {rule for use in of.template.rules if (rule := use.id) != "Q101"} | {"S011"}
    returns = Returns(
        pl.concat(copies),
        receipts,
        NO_CASES,
        NONE_BEFORE if released is None else released,
        frozenset(whose["receipt_id"]),
    )
    failures, _ = evaluate(entry_tests(returns, BETWEEN, of, off))
    return set(failures["receipt_id"])


def test_more_slips_are_asked_about_and_no_more_returns(
    live: pl.DataFrame, collection: Collection
) -> None:
    """Of slips of a digit that move information disclosure by ten or more."""
    receipts = dict(live.select("force_code", "receipt_id").unique().iter_rows())
    low, high, _ = FIXED
    slips, fixed = {}, 0
    for force, (now, before) in _of(live, NOW, BEFORE).items():
        for slip in _slips(now):
            if abs(slip - now) >= FIXED[2]:
                slips[f"{force} {slip}"] = receipts[force], slip
                usual = before * 0.75
                fixed += not (usual * low <= slip <= usual * high or abs(slip - usual) < FIXED[2])
    asked = _asked(live, slips, collection)
    assert not asked - set(slips), "no return of the sample is asked about"
    assert len(asked) > 0.88 * len(slips)
    assert fixed < 0.84 * len(slips)


def test_an_earlier_release_can_take_the_place_of_what_returns_say(
    live: pl.DataFrame, collection: Collection
) -> None:
    """A count of which no return says what it was before."""
    place = ("second_jobs", "total", "count")
    receipts = dict(live.select("force_code", "receipt_id").unique().iter_rows())
    numbers = {force: now for force, (now,) in _of(live, place).items()}
    at = pl.DataFrame({"force_code": [*numbers], "before": [2 * n for n in numbers.values()]})
    names = dict(zip(("sheet", "row_code", "column_code"), map(pl.lit, place), strict=True))
    released = at.with_columns(**names, months=pl.lit(18, pl.Int64), until=pl.lit("May 2011"))
    released = released.select(NONE_BEFORE.columns).with_columns(pl.col("before").cast(pl.Int64))
    rules = tuple(
        use.model_copy(update={"at": ("/".join(place),), "other": ()})
        if use.use == "ratios"
        else use
        for use in collection.template.rules
        if (use.id, use.use) != ("Q101", "rate")
    )
    assert not any(use.lacks for use in rules)
    other = collection.model_copy(update={"template": replace(collection.template, rules=rules)})
    entries = live.filter(sheet="second_jobs")
    assert not _asked(entries, {}, other), "nothing was released before"
    more = entries.with_columns(number=pl.when(force_code="MPS").then(6740).otherwise("number"))
    assert _asked(more, {}, other, released) == {receipts["MPS"]}
    assert not _asked(entries, {}, other, released)
    faults = [said for _, said in collection_faults(other, Unsure())]
    assert any("an earlier release" in said for said in faults)


def test_with_few_forces_the_usual_ratios_are_the_limits(
    sample: Callable[[str], SampleReturn], collection: Collection
) -> None:
    """As of a file that is checked alone."""
    alone = sample("STF")
    now = int(alone.values[NOW])
    found = validated(alone.with_values({BEFORE: str(now * 8)}).reading(), collection).findings
    message = found.filter(rule_id="Q101", row_code=NOW[1])["message"].item()
    assert message.startswith(f"{now} in 9 months, against {now * 8} in 12 months to March 2011: ")
    assert message.endswith("0.17 times the monthly rate, where 0.5 to 2 is usual")
    held = validated(alone.with_values({BEFORE: "not_held"}).reading(), collection)
    assert held.findings.filter(rule_id="Q101", row_code=NOW[1]).is_empty()


def test_a_collection_without_limits_of_ratios_is_judged_as_before_there_were_any(
    live: pl.DataFrame, collection: Collection
) -> None:
    """Files of collections stand outside the product, and hold."""
    low, high, least = FIXED
    limits = {"lowest": low, "highest": high, "difference": least}
    old = collection.model_copy(update={"thresholds": {**collection.thresholds, "Q101": limits}})
    assert not list(collection_faults(old, Unsure()))
    half = {**old.thresholds, "Q101": {**limits, "forces": 20}}
    faults = collection_faults(collection.model_copy(update={"thresholds": half}), Unsure())
    assert [loc for loc, _ in faults] == [("thresholds", "Q101")]
    receipts = dict(live.select("force_code", "receipt_id").unique().iter_rows())
    asked, slips = set(), {}
    for force, (now, before) in _of(live, NOW, BEFORE).items():
        for slip in _slips(now):
            slips[key := f"{force} {slip}"] = receipts[force], slip
            usual = before * 0.75
            if not (usual * low <= slip <= usual * high or abs(slip - usual) < least):
                asked.add(key)
    assert asked
    assert _asked(live, slips, old) == asked


def test_a_public_edition_allows_no_ratios_to_what_it_shows(collection: Collection) -> None:
    """An accepted return would tell of its counts what the audit does not count in."""
    assert not list(collection_faults(collection, Unsure()))
    rules = tuple(
        use.model_copy(update={"use": "ratios"}) if use.use == "rate" else use
        for use in collection.template.rules
    )
    template = replace(collection.template, rules=rules)
    other = collection.model_copy(update={"template": template})
    (fault,) = collection_faults(other, Unsure())
    assert "comparators/investigations_2010_11/value" in fault[1]
    private = other.model_copy(update={"disclosure": None})
    assert not list(collection_faults(private, Unsure()))
