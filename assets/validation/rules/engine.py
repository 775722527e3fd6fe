"""Runs rules that compare typed entries, all returns at once, with pandera.

Belongs here: what a rule of that kind is, and how a failure becomes a finding at its cell. Does
not: any rule. A rule is a named function in a sibling module that returns one Test.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Final

import pandera.polars as pa
import polars as pl
from pandera.errors import SchemaErrors

from assets.validation.rules.views import VIEWS, View
from schemas.errors import ContractError
from schemas.rules.catalogue import rules


@dataclass(frozen=True)
class Test:
    """What a rule asks of each row of its view.

    `valid` is true where the rule holds and null where its cells could not be typed; `applies`
    says which rows it concerns; `message` gives the observed against the expected.
    """

    valid: pl.Expr
    message: pl.Expr
    applies: pl.Expr = field(default_factory=lambda: pl.lit(value=True))


@dataclass(frozen=True)
class ViewRule:
    """A rule on a view: its findings stand at column `at` of the view."""

    id: str
    view: View
    at: str
    test: Test


REGISTRY: Final[dict[str, ViewRule]] = {}


def rule(rule_id: str, *, view: str, at: str) -> Callable[[Callable[[], Test]], Callable[[], Test]]:
    """Register a function as the test of a rule.

    Raises:
        KeyError: the rule is not in the catalogue, or there is no such view.
    """
    known = rules()[rule_id]

    def register(function: Callable[[], Test]) -> Callable[[], Test]:
        REGISTRY[known.id] = ViewRule(known.id, VIEWS[view], at, function())
        return function

    return register


def run_rules(entries: pl.DataFrame, chosen: Iterator[ViewRule] | list[ViewRule]) -> pl.DataFrame:
    """Return one row a failure: receipt_id, rule_id, sheet, row_code, column_code, message.

    `entries` is a table of contract Entries, of any number of receipts.

    Raises:
        ContractError: a rule crashed or a view has the wrong types: our fault, not a force's.
    """
    by_view: dict[View, list[ViewRule]] = {}
    for item in chosen:
        by_view.setdefault(item.view, []).append(item)
    failures = [
        _failures(view, view.frame(entries), view_rules) for view, view_rules in by_view.items()
    ]
    return pl.concat(failures) if failures else _NO_FAILURES


_NO_FAILURES: Final = pl.DataFrame(
    schema=dict.fromkeys(
        ("receipt_id", "rule_id", "sheet", "row_code", "column_code", "message"), pl.String
    )
)


def _failures(view: View, frame: pl.DataFrame, view_rules: list[ViewRule]) -> pl.DataFrame:
    cases = _failure_cases(view, frame, view_rules)
    found = []
    for item in view_rules:
        rows = cases.filter(pl.col("check") == item.id).get_column("index")
        place = {view.spread: pl.lit(item.at), view.along: view.along_code}
        found.append(
            frame[rows.to_list()].select(
                "receipt_id",
                pl.lit(item.id).alias("rule_id"),
                pl.lit(view.sheet).alias("sheet"),
                place["row_code"].alias("row_code"),
                place["column_code"].alias("column_code"),
                item.test.message.alias("message"),
            )
        )
    return pl.concat(found)


def _failure_cases(view: View, frame: pl.DataFrame, view_rules: list[ViewRule]) -> pl.DataFrame:
    """Let pandera evaluate the rules and return its cases: check and row index."""
    schema = pa.DataFrameSchema(
        {name: pa.Column(dtype, nullable=True) for name, dtype in view.schema.items()},
        checks=[_check(item) for item in view_rules],
        strict=True,
    )
    try:
        schema.validate(frame, lazy=True)
    except SchemaErrors as error:
        cases: pl.DataFrame = error.failure_cases
    else:
        return pl.DataFrame(schema={"check": pl.String, "index": pl.Int32})
    ours = pl.col("check").is_in([item.id for item in view_rules]) & pl.col("index").is_not_null()
    if not cases.select(ours.fill_null(value=False).all()).item():
        # pandera reports a crashed check as bad data without a row.
        raise ContractError(
            f"the rules on {view.name} could not be evaluated: {cases.head(3).to_dicts()}. This is"
            " a fault of the program; report it."
        )
    return cases.select("check", "index")


def _check(item: ViewRule) -> pa.Check:
    holds = (item.test.valid | ~item.test.applies).fill_null(value=True)
    return pa.Check(lambda data: data.lazyframe.select(holds), name=item.id, error=item.id)
