"""Runs rules that compare typed entries, all returns at once, with pandera.

Belongs here: what such a rule is, and how a failure becomes a finding at its cell. Does not: any
rule. A rule is a named function in a sibling module that returns one Test, or a list of them.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from inspect import signature
from typing import Any, Final

import pandera.polars as pa
import polars as pl
from pandera.errors import SchemaErrors

from assets.validation.rules.views import ENTRY, At, RuleInput, View
from schemas.collection import Collection
from schemas.errors import ContractError
from schemas.rules.catalogue import rules

Limits = Mapping[str, float]
"""The limits of a rule, from the collection file."""

ANYWHERE: Final[At] = ("", None, None)
"""For views whose rows are entries: a finding stands at its own entry."""


@dataclass(frozen=True)
class Test:
    """What a rule asks of each row of its view.

    `valid` is true where the rule holds and null where its cells could not be typed; `applies`
    says which rows it concerns; `message` gives the observed against the expected.
    """

    valid: pl.Expr
    message: pl.Expr
    at: At = ANYWHERE
    applies: pl.Expr = field(default_factory=lambda: pl.lit(value=True))

    @property
    def columns(self) -> set[str]:
        """The columns of the view that the test reads."""
        found = (self.valid, self.message, self.applies)
        return {name for expression in found for name in expression.meta.root_names()}


TestFunction = Callable[..., Test | list[Test]]


@dataclass(frozen=True)
class ViewRule:
    """A rule on a view."""

    id: str
    view: View
    function: TestFunction

    def tests(self, collection: Collection) -> list[Test]:
        """Return the rule's tests with the limits and facts of a collection."""
        given = {"limits": collection.thresholds.get(self.id, {}), "collection": collection}
        wanted = signature(self.function).parameters
        result = self.function(**{name: given[name] for name in wanted})
        return [result] if isinstance(result, Test) else result


REGISTRY: Final[dict[str, ViewRule]] = {}


def rule(rule_id: str, view: View) -> Callable[[TestFunction], TestFunction]:
    """Register a function as the test of a rule; it may ask for `limits` and `collection`.

    Raises:
        KeyError: the rule is not in the catalogue.
    """
    known = rules()[rule_id].id

    def register(function: TestFunction) -> TestFunction:
        REGISTRY[known] = ViewRule(known, view, function)
        return function

    return register


@dataclass(frozen=True)
class Ran:
    """What running rules gave.

    `failures`: receipt_id, rule_id, sheet, row_code, column_code, message. `results`: receipt_id,
    rule_id and how many rows passed, failed, could not be evaluated.
    """

    failures: pl.DataFrame
    results: pl.DataFrame


FAILURE_SCHEMA: Final = dict.fromkeys(("receipt_id", "rule_id", *ENTRY, "message"), pl.String)
RESULT_SCHEMA: Final = {
    "receipt_id": pl.String,
    "rule_id": pl.String,
    "passed": pl.Int64,
    "failed": pl.Int64,
    "not_evaluable": pl.Int64,
}


def run_rules(data: RuleInput, chosen: Iterable[ViewRule], collection: Collection) -> Ran:
    """Evaluate rules over all returns, each view once.

    Raises:
        ContractError: a rule crashed or a view has the wrong types: our fault, not a force's.
    """
    by_view: dict[View, list[tuple[str, Test]]] = {}
    for item in chosen:
        by_view.setdefault(item.view, []).extend((item.id, t) for t in item.tests(collection))
    failures, results = [pl.DataFrame(schema=FAILURE_SCHEMA)], [pl.DataFrame(schema=RESULT_SCHEMA)]
    for view, tests in by_view.items():
        frame = view.frame(data, sorted({name for _, test in tests for name in test.columns}))
        failed = _failed_rows(view, frame, tests)
        for number, (rule_id, test) in enumerate(tests):
            rows = frame[failed.filter(pl.col("number") == number)["index"].to_list()]
            failures.append(_failures(rows, view, rule_id, test))
            results.append(_results(frame, rule_id, test))
    return Ran(
        pl.concat(failures),
        pl.concat(results).group_by("receipt_id", "rule_id").sum().sort("receipt_id", "rule_id"),
    )


def _failed_rows(view: View, frame: pl.DataFrame, tests: list[tuple[str, Test]]) -> pl.DataFrame:
    """Let pandera evaluate the tests; return the number of each failed test and the row index."""
    names = {f"{rule_id}#{number}": number for number, (rule_id, _) in enumerate(tests)}
    schema = pa.DataFrameSchema(
        {name: pa.Column(dtype, nullable=True) for name, dtype in frame.schema.items()},
        checks=[_check(name, test) for name, (_, test) in zip(names, tests, strict=True)],
        strict=True,
    )
    try:
        schema.validate(frame, lazy=True)
    except SchemaErrors as error:
        cases: pl.DataFrame = error.failure_cases
    else:
        return pl.DataFrame(schema={"number": pl.Int64, "index": pl.Int32})
    ours = pl.col("check").is_in(list(names)) & pl.col("index").is_not_null()
    if not cases.select(ours.fill_null(value=False).all()).item():
        # pandera reports a crashed check as bad data without a row.
        raise ContractError(
            f"the rules on {view.name} could not be evaluated: {cases.head(3).to_dicts()}. This is"
            " a fault of the program; report it."
        )
    return cases.select(
        pl.col("check").replace_strict(names, return_dtype=pl.Int64).alias("number"), "index"
    )


def _check(name: str, test: Test) -> pa.Check:
    holds = (test.valid | ~test.applies).fill_null(value=True)
    return pa.Check(lambda data: data.lazyframe.select(holds), name=name, error=name)


def _failures(rows: pl.DataFrame, view: View, rule_id: str, test: Test) -> pl.DataFrame:
    sheet, row_code, column_code = view.place(test.at)
    return rows.select(
        "receipt_id",
        pl.lit(rule_id).alias("rule_id"),
        sheet.alias("sheet"),
        row_code.alias("row_code"),
        column_code.alias("column_code"),
        test.message.alias("message"),
    )


def _results(frame: pl.DataFrame, rule_id: str, test: Test) -> pl.DataFrame:
    """Count the rows of each receipt by how the test ended; null is not evaluable, never passed."""
    concerned = test.applies.fill_null(value=True)
    valid = pl.when(test.applies.is_not_null()).then(test.valid)
    counts: dict[str, Any] = {
        "passed": concerned & valid.fill_null(value=False),
        "failed": concerned & ~valid.fill_null(value=True),
        "not_evaluable": concerned & valid.is_null(),
    }
    return (
        frame.select(
            "receipt_id",
            pl.lit(rule_id).alias("rule_id"),
            *(rows.cast(pl.Int64).alias(name) for name, rows in counts.items()),
        )
        .group_by("receipt_id", "rule_id")
        .sum()
    )
