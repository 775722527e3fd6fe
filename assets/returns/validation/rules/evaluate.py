"""Evaluates tests over tables of returns; pandera says which of their rows fail, and where."""

from collections.abc import Iterable, Mapping, Sequence
from string import Formatter
from typing import Final, NamedTuple

import polars as pl

from schemas.checking import SchemaErrors, pa
from schemas.errors import ContractError
from schemas.rules.catalogue import rules
from schemas.template import Template
from schemas.wording import Number

ENTRY: Final = ["sheet", "row_code", "column_code"]
_FOUND: Final = {
    **dict.fromkeys(("receipt_id", "rule_id", *ENTRY), pl.String),
    **dict.fromkeys(("message", "severity", "how_to_fix"), pl.String),
    "expected": pl.Float64,
}
_HOLDS: Final = "holds"
_OUTCOMES: Final = pa.DataFrameSchema(
    {
        "receipt_id": pa.Column(pl.String),
        "rule_id": pa.Column(pl.String),
        "table": pa.Column(pl.Int32),
        "test": pa.Column(pl.String),
        "row": pa.Column(pl.UInt32),
        # What cannot be told is null: neither passed nor failed.
        "outcome": pa.Column(pl.Int8, pa.Check.gt(0, error=_HOLDS), nullable=True),
    },
    strict=True,
)
"""What every outcome of every rule is held to, all in one lazy run."""

_NO_OUTCOME: Final = pl.DataFrame(
    schema={name: column.dtype.type for name, column in _OUTCOMES.columns.items()}
)

At = tuple[str, str | None, str | None]
"""Sheet, row and column at which a finding stands; without codes, at the sheet as a whole."""

EVERY: Final = pl.lit(value=True)
Fields = Mapping[str, pl.Expr | str | float]
"""What stands in a message, by the names that its text has: of each row, also as SQL, or fixed."""


class Sql(str):
    """An expression as polars reads it in SQL; numbers that are no integers are decimals in it."""

    __slots__ = ()


class Test(NamedTuple):
    """What a rule asks of each row of a table, in which a row is a return or an entry of one.

    `valid` is true where the rule, in one of its uses, holds, and null where its cells could not be
    typed; `applies` says which rows it concerns. `fields` give what the message says besides: the
    observed against the expected. A finding stands `at` a place of the return, with None at the
    entry that the row is about. `fix`: what to do, where the template says it in place of the rule.
    """

    rule: str
    use: str
    valid: pl.Expr
    fields: Fields
    applies: pl.Expr = EVERY
    at: At | None = None
    fix: str | None = None

    @property
    def said(self) -> Fields:
        """What stands in a message."""
        return {**rules()[self.rule].words, **self.fields}

    @property
    def expected(self) -> pl.Expr:
        """The count that would have been expected of the cells; it may look at other rows."""
        named = rules()[self.rule].expects.get(self.use)
        field = self.said.get(named, named) if named is not None else None
        told = _of_row(field)
        return (pl.lit(field) if told is None else told).cast(pl.Float64)

    @property
    def outcome(self) -> pl.Expr:
        """1 where a row passes, 0 where it fails, null where that cannot be told, 2 elsewhere."""
        elsewhere = pl.when(~self.applies).then(pl.lit(2, pl.Int8))
        return pl.when(self.applies).then(self.valid.cast(pl.Int8)).otherwise(elsewhere)

    def finding(self) -> list[pl.Expr]:
        """Return the columns of a finding, but for its return."""
        at = dict(zip(ENTRY, self.at or (), strict=self.at is not None))
        rule = rules()[self.rule]
        return [
            pl.lit(self.rule).alias("rule_id"),
            *(pl.lit(at[name], pl.String).alias(name) if at else pl.col(name) for name in ENTRY),
            _worded(rule.says[self.use], self.said).alias("message"),
            pl.lit(rule.severity).alias("severity"),
            pl.lit(rule.advice(self.fix)).alias("how_to_fix"),
        ]


def wide(entries: pl.DataFrame, receipts: Iterable[str], template: Template) -> pl.DataFrame:
    """Return one row a receipt, with `number`, `missing` and `value` of every entry.

    One that was not found, or could not be typed, is null.
    """
    kinds = ("number", "missing", "value")
    ids = pl.DataFrame({"receipt_id": list(receipts)}, {"receipt_id": pl.String})
    keyed = entries.select("receipt_id", pl.concat_str(ENTRY, separator="/").alias("key"), *kinds)
    keys = ["/".join(place) for place in template.entry_at]
    found = keyed.pivot("key", on_columns=keys, index="receipt_id", values=kinds)
    names = {f"{kind}_{key}": f"{key}:{kind}" for kind in kinds for key in keys}
    return ids.join(found.rename(names), on="receipt_id", how="left", maintain_order="left")


def _of_row(field: pl.Expr | str | float | None) -> pl.Expr | None:
    """Return a field as an expression, None for one that is fixed."""
    field = pl.sql_expr(field) if isinstance(field, Sql) else field
    return field if isinstance(field, pl.Expr) else None


def _worded(text: str, fields: Fields) -> pl.Expr:
    """Return a message with its fields: an expression's is of each row, any other's is fixed.

    What a field of each row is formatted with are words that fit it, `{at:month|months}`.
    """
    pattern, expressions = "", []
    for literal, name, form, _ in Formatter().parse(text):
        pattern += literal
        if name is not None:
            field, words = _of_row(fields[name]), (form or "").format_map(fields)
            pattern += "{}" if field is not None else format(fields[name], words)
            expressions += [] if field is None else [_with_words(field, words)]
    return pl.format(pattern, *expressions) if expressions else pl.lit(pattern)


def _with_words(number: pl.Expr, words: str) -> pl.Expr:
    """Return numbers as a text, each with the words that fit it."""
    one, many = (format(Number(n), f"!{words}") for n in (1, 2))
    said = number.cast(pl.String)
    fitting = pl.when(said == "1").then(pl.lit(f" {one}")).otherwise(pl.lit(f" {many}"))
    return said + fitting if words else said


def evaluate(
    tables: Iterable[tuple[pl.DataFrame, Sequence[Test]]],
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Evaluate tests over their tables; each table has `receipt_id`, and ENTRY where rows have it.

    Returns:
        Failures, one for each cell and rule: receipt_id, rule_id, sheet, row_code, column_code,
        message, severity, how_to_fix, expected. And by receipt_id and rule_id how many rows passed,
        failed, could not be told.

    Raises:
        ContractError: a test crashed: our fault, not a force's.
    """
    given = list(tables)
    outcomes = pl.concat(
        [_NO_OUTCOME, *(_outcomes(number, *each) for number, each in enumerate(given))]
    )
    failures = [pl.DataFrame(schema=_FOUND)]
    for (number, name), rows in _failed(outcomes).group_by("table", "test", maintain_order=True):
        table, tests = given[int(str(number))]
        test, failed = tests[int(str(name))], table[rows["row"]]
        told = table.with_columns(expected=test.expected)["expected"][rows["row"]]
        failures.append(failed.select("receipt_id", *test.finding()).with_columns(told))
    of_rules = ["receipt_id", "rule_id"]
    counts = outcomes.group_by(of_rules).agg(
        (pl.col("outcome") == 1).sum().cast(pl.Int64).alias("passed"),
        (pl.col("outcome") == 0).sum().cast(pl.Int64).alias("failed"),
        pl.col("outcome").null_count().cast(pl.Int64).alias("not_evaluable"),
    )
    # A total in a corner is a sum along its row and down its column: one cell, one finding.
    message = pl.col("message").unique(maintain_order=True).str.join("; ")
    once = pl.concat(failures).group_by(*of_rules, *ENTRY, maintain_order=True)
    firsts = pl.col("severity", "how_to_fix").first(), pl.col("expected").drop_nulls().first()
    return once.agg(message, *firsts), counts


def _outcomes(number: int, table: pl.DataFrame, tests: Sequence[Test]) -> pl.DataFrame:
    """Return the outcome of every test at every row of a table, all in one query."""
    names = [str(n) for n in range(len(tests))]
    asked = [test.outcome.alias(name) for name, test in zip(names, tests, strict=True)]
    try:
        told = table.with_row_index("row").select("receipt_id", "row", *asked)
    except pl.exceptions.PolarsError as error:
        raise _faulty(type(error).__name__) from error
    rule = pl.col("test").replace_strict(
        names, [test.rule for test in tests], return_dtype=pl.String
    )
    long = told.unpivot(
        names, index=["receipt_id", "row"], variable_name="test", value_name="outcome"
    )
    return long.select(
        "receipt_id", rule.alias("rule_id"), pl.lit(number, pl.Int32).alias("table"), "test", "row",
        "outcome",
    )  # fmt: skip


def _failed(outcomes: pl.DataFrame) -> pl.DataFrame:
    """Hold every outcome to its rule by pandera, and return the rows that fail, in order."""
    try:
        _OUTCOMES.validate(outcomes, lazy=True)
    except SchemaErrors as error:
        cases: pl.DataFrame = error.failure_cases
        if set(cases["check"]) != {_HOLDS}:
            raise _faulty(", ".join(sorted(set(cases["check"].drop_nulls())))) from None
        return outcomes[cases["index"].sort()]
    return outcomes.clear()


def _faulty(what: str) -> ContractError:
    return ContractError(
        f"rules could not be evaluated ({what}). This is a fault of the program; report it."
    )
