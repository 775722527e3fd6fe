"""What rules tell of returns that have passed them is what they test, in any template."""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import replace
from random import Random
from typing import Any

import polars as pl
import pytest

from assets.disclosure.audit import audit, problems
from assets.disclosure.described import description
from assets.disclosure.edition import public_edition
from assets.disclosure.passed import TELLING, Range, Told, told
from assets.disclosure.published import cells_in, rules_told
from assets.returns.validation.rules.evaluate import wide
from assets.returns.validation.rules.kinds import Use
from schemas.collection import Collection
from schemas.template import Place
from tests.disclosure.conftest import SOME
from tests.disclosure.marts import as_published, marts_of

RETURNS = [f"r{number}" for number in range(100)]


@pytest.mark.slow
@pytest.mark.parametrize("name", ["2012-revisit", "2013-revisit"])
def test_what_a_rule_tells_is_what_it_tests(
    name: str, collection: Collection, following: Collection
) -> None:
    """Each kind, of returns at random: the ranges hold exactly where the rule does."""
    of = collection if name == "2012-revisit" else following
    limits, seen = rules_told(of), defaultdict(set)
    cells, returns = cells_in(of.template), _returns(of)
    uses = list(of.template.rules)
    # Of a sum that needs what its parts do not, it is told besides.
    needs = {
        "at": ("investigations/*/people_suspended", "investigations/total/people_suspended"),
        "other": ("investigations/*/continuing", "investigations/social_media/continuing"),
    }
    uses += [use.model_copy(update=needs) for use in uses if use.use == "needs"]
    for use in uses:
        if use.use not in TELLING or use.id not in limits:
            continue
        expected = _tested(use, of, returns)
        for said in (cells, description(of.template.path).written):
            tells = told([use], use.id, limits[use.id], said)
            found = [all(_holds(item, row, said.leaves) for item in tells) for row in returns]
            assert found == expected, use
        seen[use.use] |= set(expected)
    assert {kind for kind, both in seen.items() if len(both) > 1} >= {
        "needs", "between", "at_most", "share", "some", "not_all", "rate", "some_after",
        "none_where",
    }  # fmt: skip


def _returns(collection: Collection) -> list[dict[Place, Any]]:
    """Return returns whose counts are drawn, small and large; every sum is one."""
    chance, template = Random(2012), collection.template
    found = []
    for _ in RETURNS:
        row: dict[Place, Any] = {}
        none = chance.choice([entry.column_code for entry in template.counted()])
        approved = chance.random() < 0.2  # all of many, or some of few
        most = {entry.sheet: chance.choice([0, 1, 3, 30]) for entry in template.entries()}
        for entry in template.entries():
            row[entry.place] = chance.choice(entry.answers) if entry.answers else None
            if entry.measure is not None and entry.kind == "count":
                some = chance.randint(0, most[entry.sheet] * chance.choice([0, 1, 4]))
                is_none = entry.column_code == none != "count"
                is_none |= approved and entry.dims.get("decision", "approved") != "approved"
                row[entry.place] = 0 if is_none else some
        cells = cells_in(template)
        for each in template.sums():
            leaves = cells.leaves("/".join(each.total))
            row[each.total] = sum(row[place] for place in leaves)
        found.append(row)
    return found


def _tested(use: Any, collection: Collection, returns: list[dict[Place, Any]]) -> list[bool]:
    """Return which returns pass a rule, as returns are held to it."""
    tests = list(Use(use, collection).tests())
    entries = pl.DataFrame(
        [
            (name, *place, value if isinstance(value, int) else None, None, str(value))
            for name, row in zip(RETURNS, returns, strict=True)
            for place, value in row.items()
            if value is not None
        ],
        {
            **dict.fromkeys(("receipt_id", "sheet", "row_code", "column_code"), pl.String),
            "number": pl.Int64,
            "missing": pl.String,
            "value": pl.String,
        },
        orient="row",
    )
    passed = pl.all_horizontal(~test.applies.fill_null(value=False) | test.valid for test in tests)
    table = wide(entries, RETURNS, collection.template)
    return table.select(passed.alias("passed"))["passed"].to_list()


def _holds(item: Told, row: Mapping[Place, Any], leaves: Any) -> bool:
    asked = all(row[tuple(cell.split("/"))] == answer for cell, answer in item.where)  # type: ignore[index]
    return not asked or any(all(_in(part, row, leaves) for part in way) for way in item.ways)


def _in(part: Range, row: Mapping[Place, Any], leaves: Any) -> bool:
    value = sum(
        weight * row[place]
        for weight, cells in part.parts
        for cell in cells
        for place in leaves(cell)
    )
    return part.low - 1e-9 <= value <= part.high + 1e-9


@pytest.mark.slow
@pytest.mark.parametrize("of", [None, "2012-revisit"])
def test_a_comparator_of_another_name_is_counted_in(
    of: str | None, live: pl.DataFrame, following: Collection
) -> None:
    """A rate that must be nearly the one before tells of what was counted before, and it fires.

    What was counted before in another collection is known from there, so that it tells of the one
    that it is compared with.
    """
    then = {name: one.model_copy(update={"collection": of})
            for name, one in following.comparators.items()}  # fmt: skip
    following = following.model_copy(update={"comparators": then})
    near = {"lowest": 0.99, "highest": 1.01, "difference": 1}
    strict = following.model_copy(update={"thresholds": {**following.thresholds, "Q101": near}})
    renamed = {"left_service": "left_police"} | {
        f"{name}_2010_11": f"{name}_previous"
        for name in ("investigations", "information_disclosure", "second_jobs")
    }
    sent = live.filter(pl.col("force_code").is_in(SOME)).with_columns(
        pl.col("row_code", "column_code").replace(renamed)
    )
    # As many as a year before, so that every return passes.
    pairs = ["investigations", "information_disclosure", "second_jobs"]
    now = sent.filter(pl.col("column_code") == "total", pl.col("sheet") == "investigations")
    same = {
        (force, f"{'investigations' if row == 'total' else row}_previous"): number
        for force, row, number in now.select("force_code", "row_code", "number").iter_rows()
        if row in {"total", *pairs}
    }
    numbers = [
        same.get((force, row), number)
        for force, row, number in sent.select("force_code", "row_code", "number").iter_rows()
    ]
    sent = sent.with_columns(
        pl.Series("number", numbers, pl.Int64),
        pl.when(pl.col("row_code").str.ends_with("_previous"))
        .then(pl.Series("text", numbers, pl.Int64).cast(pl.String))
        .otherwise("value")
        .alias("value"),
    )
    marts = marts_of(sent, following)
    made = public_edition(marts, following)
    assert made.problems == ()
    published = as_published(made, marts, following)
    told_more = replace(published, rules=rules_told(strict))
    found = list(problems(audit([told_more], strict)))
    told_of = "investigations force_code" if of else "previous"
    assert any(told_of in problem for problem in found), found[:3]
    without = {name: of for name, of in told_more.rules.items() if name != "Q101"}
    left = problems(audit([replace(told_more, rules=without)], strict))
    assert not any(told_of in problem for problem in left)
