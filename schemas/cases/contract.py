"""The contract of a case-level extract as a pandera model, and its findings by pandera.

Belongs here: what each column means, and how pandera's failures become findings at their rows.
Does not: the rules (rules.py). Loading pandera takes most of a second, so the pass for volume
does not come this way; a test holds that both find the same.
"""

from typing import Final

import pandera.polars as pa
import polars as pl
from pandera.errors import SchemaErrors

from schemas import columns as shared
from schemas import vocabulary as v
from schemas.cases.columns import FOLDER, WORKFORCE
from schemas.cases.rules import COLUMN_OF, OWNER, UNIQUE, row_rules, with_codes
from schemas.collection import Collection
from schemas.contract import Table, column
from schemas.errors import ContractError


class CaseExtract(Table):
    """Investigations as a force sends them: one row a case, no names and no free text."""

    force_code: str = shared.force_code(key=True)
    case_ref: str = column("Reference: <force_code>-<year>-<1 to 9 digits>", "code", key=True)
    category: str = shared.category(isin=v.CATEGORIES)
    recipient: str = shared.recipient(isin=v.RECIPIENTS)
    media: str = shared.media(isin=v.MEDIA)
    opened_on: pl.Date = column("Day the investigation was opened", "date")
    status_at_census: str = shared.outcome(isin=v.OUTCOMES)
    closed_on: pl.Date = column(
        "Day the investigation ended; null where it continued at the census date",
        "date",
        nullable=True,
    )
    suspended: bool = column("Whether somebody was suspended in this case", "true or false")
    workforce: str = column("Whom the case concerns", "code", isin=WORKFORCE)


FINDINGS: Final = {"row": pl.UInt32, "rule_id": pl.String}
"""Columns of a table of findings: the row's place in the frame, from 0, and the rule."""


def contract_findings(rows: pl.DataFrame, collection: Collection) -> pl.DataFrame:
    """Return every finding of the contract in typed rows, sorted: columns of FINDINGS.

    `rows` has the columns of CaseExtract and FOLDER, and is everything the forces sent: rows of
    other files can repeat a reference.

    Raises:
        ContractError: the columns are not those of the contract, or a check crashed: our fault.
    """
    try:
        _schema(collection).validate(rows, lazy=True)
    except SchemaErrors as error:
        cases: pl.DataFrame = error.failure_cases
    else:
        return pl.DataFrame(schema=FINDINGS)
    if cases["index"].null_count():
        raise ContractError(
            f"an extract cannot be held against its contract: {cases.head(3).to_dicts()}. This is"
            " a fault of the program; report it."
        )
    rule_of = {column: rule_id for rule_id, column in COLUMN_OF.items() if rule_id != UNIQUE}
    named = pl.col("check").is_in(list(COLUMN_OF))
    rule = pl.when(named).then("check").otherwise(pl.col("column").replace(rule_of))
    found = cases.select(pl.col("index").cast(pl.UInt32).alias("row"), rule.alias("rule_id"))
    return found.unique().sort("row", "rule_id")


def _schema(collection: Collection) -> pa.DataFrameSchema:
    """Return the model with the folder beside its columns and the rules as checks."""
    schema = CaseExtract.to_schema().add_columns({FOLDER: pa.Column(pl.String, nullable=True)})
    rules = {**row_rules(collection), UNIQUE: _stands_once()}
    schema.checks = [_check(rule_id, holds, collection) for rule_id, holds in rules.items()]
    return schema


def _stands_once() -> pl.Expr:
    key = [OWNER, "force_code", "case_ref"]
    blank = pl.any_horizontal(pl.col("force_code", "case_ref").is_null())
    return (pl.len().over(key) == 1) | blank


def _check(rule_id: str, holds: pl.Expr, collection: Collection) -> pa.Check:
    def check(data: pa.PolarsData) -> pl.LazyFrame:
        return with_codes(data.lazyframe, collection.forces).select(holds)

    return pa.Check(check, name=rule_id, error=rule_id)
