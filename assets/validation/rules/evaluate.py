"""Evaluates rules over returns in one go, and lets pandera say which of them fail where."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from string import Formatter
from typing import Final

import pandera.polars as pa
import polars as pl
from pandera.errors import SchemaErrors

from schemas.errors import ContractError
from schemas.template import Place

ENTRY: Final = ["sheet", "row_code", "column_code"]
FAILURE_SCHEMA: Final = dict.fromkeys(
    ("receipt_id", "rule_id", *ENTRY, "message", "fix"), pl.String
)
_HOLDS: Final = "holds"

At = tuple[str, str | None, str | None]
"""Sheet, row and column at which a finding stands; without codes, at the sheet as a whole."""

EVERY: Final = pl.lit(value=True)
Fields = Mapping[str, pl.Expr | str | float]
"""What stands in a message, by the names that its text has: of each row, or fixed."""


@dataclass(frozen=True)
class Test:
    """What a rule asks of each row of a table, in which a row is a return or an entry of one.

    `valid` is true where the rule holds and null where its cells could not be typed; `applies`
    says which rows it concerns. `message` gives the observed against the expected.
    A finding stands `at` a place of the return, with None at the entry that the row is about.
    `fix`: what to do, where the template says it in place of the rule.
    """

    rule: str
    valid: pl.Expr
    message: Callable[[], pl.Expr]
    at: At | None = None
    applies: pl.Expr = EVERY
    fix: str | None = None


class Cells:
    """The entries of returns as columns of a table with one row a return.

    Every entry that an expression reads is remembered, so that the table has those and no others.
    """

    def __init__(self) -> None:
        self._read: dict[str, tuple[Place, str]] = {}
        self._made: dict[str, pl.Expr] = {}

    def _column(self, place: Place, what: str) -> pl.Expr:
        name = f"{'/'.join(place)}:{what}"
        self._read[name] = place, what
        return pl.col(name)

    def number(self, place: Place) -> pl.Expr:
        """Return an entry as a number; null where it has none."""
        return self._column(place, "number")

    def missing(self, place: Place) -> pl.Expr:
        """Return the reason given in place of a number; null where none is."""
        return self._column(place, "missing")

    def value(self, place: Place) -> pl.Expr:
        """Return an entry in its plain form."""
        return self._column(place, "value")

    def once(self, name: str, expression: pl.Expr) -> pl.Expr:
        """Return a column that holds what an expression over entries gives, made but once."""
        self._made[name] = expression.alias(name)
        return pl.col(name)

    def table(self, entries: pl.DataFrame, receipts: Sequence[str]) -> pl.DataFrame:
        """Return one row a receipt; an entry that was not found, or could not be typed, is null.

        Args:
            entries: table Entries.
            receipts: the receipts, in the order of the rows.
        """
        row_of = {receipt_id: row for row, receipt_id in enumerate(receipts)}
        columns: dict[tuple[Place, str], list[str | int | None]] = {
            read: [None] * len(receipts) for read in self._read.values()
        }
        kinds = ("number", "missing", "value")
        for receipt_id, sheet, row, column, *held in entries.select(
            "receipt_id", *ENTRY, *kinds
        ).iter_rows():
            for what, text in zip(kinds, held, strict=True):
                found = columns.get(((sheet, row, column), what))
                if found is not None:
                    found[row_of[receipt_id]] = text
        types = {"number": pl.Int64, "missing": pl.String, "value": pl.String}
        return pl.DataFrame(
            [
                pl.Series("receipt_id", receipts, pl.String),
                *(
                    pl.Series(name, columns[read], types[read[1]])
                    for name, read in self._read.items()
                ),
            ]
        ).with_columns(*self._made.values())


def worded(text: str, fields: Fields) -> pl.Expr:
    """Return a message with its fields: an expression's is of each row, any other's is fixed."""
    pattern, expressions = "", []
    for literal, name, form, _ in Formatter().parse(text):
        pattern += literal
        if name is not None:
            field = fields[name]
            is_fixed = not isinstance(field, pl.Expr)
            pattern += format(field, form or "") if is_fixed else "{}"
            expressions += [] if is_fixed else [field]
    return pl.format(pattern, *expressions) if expressions else pl.lit(pattern)


@dataclass(frozen=True)
class Evaluated:
    """What evaluating rules gave.

    `failures`: receipt_id, rule_id, sheet, row_code, column_code, message, fix. `counts`:
    receipt_id, rule_id, and how many rows passed, failed, could not be evaluated.
    """

    failures: pl.DataFrame
    counts: pl.DataFrame


def evaluate(tables: Iterable[tuple[pl.DataFrame, Sequence[Test]]]) -> Evaluated:
    """Evaluate tests over their tables; each table has `receipt_id`, and ENTRY where rows have it.

    Raises:
        ContractError: a test crashed or gave what is no outcome: our fault, not a force's.
    """
    given = [(table, tests) for table, tests in tables if tests]
    outcomes = [_outcomes(number, *each) for number, each in enumerate(given)]
    rules = sorted({test.rule for _, tests in given for test in tests})
    long = pl.concat([*outcomes, _outcome_frame()])
    counts = long.group_by("receipt_id", "rule_id").agg(
        (pl.col("outcome") == 1).sum().cast(pl.Int64).alias("passed"),
        (pl.col("outcome") == 0).sum().cast(pl.Int64).alias("failed"),
        pl.col("outcome").null_count().cast(pl.Int64).alias("not_evaluable"),
    )
    failed = _failed(long, rules).group_by("table", "test", maintain_order=True).agg("row")
    failures = [
        _failures(given[table][0][rows], given[table][1][test])
        for table, test, rows in failed.iter_rows()
    ]
    found = pl.concat([pl.DataFrame(schema=FAILURE_SCHEMA), *failures])
    # A total in a corner is a sum along its row and down its column: one cell, one finding.
    message = pl.col("message").unique(maintain_order=True).str.join("; ")
    once = found.group_by("receipt_id", "rule_id", *ENTRY, maintain_order=True)
    return Evaluated(once.agg(message, pl.col("fix").first()), counts)


def _outcome_frame() -> pl.DataFrame:
    types = {"table": pl.Int32, "test": pl.Int32, "row": pl.Int32, "outcome": pl.Int8}
    return pl.DataFrame(schema={"receipt_id": pl.String, "rule_id": pl.String, **types})


def _outcomes(number: int, table: pl.DataFrame, tests: Sequence[Test]) -> pl.DataFrame:
    """Evaluate every test over every row, in one query; a row of the result is one of these.

    `outcome` is 1 where the row passed, 0 where it failed, null where that cannot be evaluated,
    and 2 where the test does not apply.
    """
    asked = [expression for test in tests for expression in (test.valid, test.applies)]
    query = [expression.alias(str(n)) for n, expression in enumerate(asked)]
    try:
        columns = table.select(query).get_columns()
    except pl.exceptions.PolarsError as error:
        raise ContractError(
            f"rules could not be evaluated ({type(error).__name__}). This is a fault of the"
            " program; report it."
        ) from error
    height = table.height
    columns = [c if len(c) == height else c.new_from_index(0, height) for c in columns]
    numbers = pl.int_range(len(tests), dtype=pl.Int32, eager=True)
    applies, valid = pl.col("applies"), pl.col("valid").cast(pl.Int8)
    return pl.DataFrame(
        {
            "receipt_id": pl.concat([table["receipt_id"]] * len(tests)),
            "rule_id": pl.Series(
                [test.rule for test in tests for _ in range(height)], dtype=pl.String
            ),
            "table": pl.repeat(number, height * len(tests), dtype=pl.Int32, eager=True),
            "test": pl.concat([numbers.new_from_index(n, height) for n in range(len(tests))]),
            "row": pl.concat([pl.int_range(height, dtype=pl.Int32, eager=True)] * len(tests)),
            "valid": pl.concat([column.rename("valid") for column in columns[::2]]),
            "applies": pl.concat([column.rename("applies") for column in columns[1::2]]),
        }
    ).select(
        pl.exclude("valid", "applies"),
        pl.when(applies).then(valid).when(~applies).then(pl.lit(2, pl.Int8)).alias("outcome"),
    )


def _failed(outcomes: pl.DataFrame, rules: Sequence[str]) -> pl.DataFrame:
    """Let pandera hold every outcome to its rule, and return the rows that fail."""
    schema = pa.DataFrameSchema(
        {
            "receipt_id": pa.Column(pl.String),
            "rule_id": pa.Column(pl.String, pa.Check.isin(rules)),
            "table": pa.Column(pl.Int32),
            "test": pa.Column(pl.Int32),
            "row": pa.Column(pl.Int32),
            # What cannot be evaluated is null: neither passed nor failed.
            "outcome": pa.Column(pl.Int8, pa.Check.gt(0, error=_HOLDS), nullable=True),
        },
        strict=True,
    )
    try:
        schema.validate(outcomes, lazy=True)
    except SchemaErrors as error:
        cases: pl.DataFrame = error.failure_cases
    else:
        return outcomes.clear()
    ours = (pl.col("check") == _HOLDS) & pl.col("index").is_not_null()
    if not cases.select(ours.fill_null(value=False).all()).item():
        raise ContractError(
            f"rules could not be evaluated: {cases['check'].unique().to_list()}. This is a fault of"
            " the program; report it."
        )
    return outcomes[cases["index"].to_list()]


def _failures(rows: pl.DataFrame, test: Test) -> pl.DataFrame:
    place = (
        ENTRY
        if test.at is None
        else [
            pl.lit(code, pl.String).alias(name) for name, code in zip(ENTRY, test.at, strict=True)
        ]
    )
    rule = pl.lit(test.rule).alias("rule_id")
    fix = pl.lit(test.fix, pl.String).alias("fix")
    return rows.select("receipt_id", rule, *place, test.message().alias("message"), fix)
