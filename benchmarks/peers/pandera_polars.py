"""The job with pandera on polars, as pandera's pages show it: a model, and lazy validation.

Fields hold the lists and dates, dataframe checks what concerns two columns; the failure cases
name the rows. All rows are in memory at once, which is how it is written by most.
"""

# ruff: noqa: N805 (pandera hands its checks the class)

import json
from pathlib import Path
from typing import Final

import pandera.polars as pa
import polars as pl
from pandera.errors import SchemaErrors

from benchmarks.peers import spec

_RULE_OF: Final = {
    "force_code": "CASE01", "case_ref": "CASE02", "category": "CASE03", "recipient": "CASE04",
    "media": "CASE05", "opened_on": "CASE06", "status_at_census": "CASE07",
    "closed_on": "CASE08", "suspended": "CASE09", "workforce": "CASE10",
}  # fmt: skip

_FORCE: Final = pl.col("force_code").is_in(spec.FORCES)
_CATEGORY: Final = pl.col("category").is_in(spec.CATEGORIES).fill_null(value=False)
_STATUS: Final = pl.col("status_at_census").is_in(spec.OUTCOMES).fill_null(value=False)
_OPENED: Final = pl.col("opened_on").is_between(spec.START, spec.END).fill_null(value=False)
_DISCLOSURE: Final = pl.col("category") == "information_disclosure"
_RECIPIENT: Final = (
    pl.col("recipient").is_in(spec.RECIPIENTS).fill_null(value=True)
    & ((pl.col("recipient").is_not_null() == _DISCLOSURE) | ~_CATEGORY).fill_null(value=True)
)  # fmt: skip


class Case(pa.DataFrameModel):
    """A row of an extract."""

    force_code: str = pa.Field(isin=spec.FORCES)
    case_ref: str = pa.Field(str_matches=spec.CASE_REF)
    category: str = pa.Field(isin=spec.CATEGORIES)
    recipient: str = pa.Field(isin=spec.RECIPIENTS, nullable=True)
    media: str = pa.Field(isin=spec.MEDIA, nullable=True)
    opened_on: pl.Date = pa.Field(ge=spec.START, le=spec.END)
    status_at_census: str = pa.Field(isin=spec.OUTCOMES)
    closed_on: pl.Date = pa.Field(nullable=True)
    suspended: bool
    workforce: str = pa.Field(isin=spec.WORKFORCE)

    @pa.dataframe_check(error="CASE02")
    def reference_of_force(cls, data: pa.PolarsData) -> pl.LazyFrame:
        """Ask that the reference begins with the force."""
        own = pl.col("case_ref").str.starts_with(pl.col("force_code"))
        return data.lazyframe.select((own | ~_FORCE).fill_null(value=True))

    @pa.dataframe_check(error="CASE04")
    def recipient_of_disclosure(cls, data: pa.PolarsData) -> pl.LazyFrame:
        """Ask that a recipient stands exactly where information was disclosed."""
        return data.lazyframe.select(_RECIPIENT)

    @pa.dataframe_check(error="CASE05")
    def media_where_concerned(cls, data: pa.PolarsData) -> pl.LazyFrame:
        """Ask that media stands exactly where media are concerned."""
        to_media = (pl.col("recipient") == "media").fill_null(value=False)
        wanted = (pl.col("category") == "media_relationship") | to_media
        holds = (pl.col("media").is_not_null() == wanted) | ~_CATEGORY | ~_RECIPIENT
        return data.lazyframe.select(holds.fill_null(value=True))

    @pa.dataframe_check(error="CASE08")
    def closed_in_time(cls, data: pa.PolarsData) -> pl.LazyFrame:
        """Ask that a case was closed between its opening and the census, or continues."""
        closed = pl.col("closed_on")
        in_time = (closed <= spec.CENSUS) & ((closed >= pl.col("opened_on")) | ~_OPENED)
        continuing = pl.col("status_at_census") == "continuing"
        holds = pl.when(continuing).then(closed.is_null()).otherwise(in_time.fill_null(value=False))
        return data.lazyframe.select(holds | ~_STATUS)

    @pa.dataframe_check(error=spec.UNIQUE)
    def stands_once(cls, data: pa.PolarsData) -> pl.LazyFrame:
        """Ask that no reference of a force stands twice."""
        blank = pl.col("case_ref").is_null()
        return data.lazyframe.select((pl.len().over("force_code", "case_ref") == 1) | blank)


def reasons(rows: pl.DataFrame) -> pl.DataFrame:
    """Return `index` and `reasons` of each bad row."""
    try:
        Case.validate(rows, lazy=True)
    except SchemaErrors as error:
        found: pl.DataFrame = error.failure_cases
    else:
        return pl.DataFrame(schema={"index": pl.UInt32, "reasons": pl.String})
    named = pl.col("check").is_in(spec.RULES)
    rule = pl.when(named).then("check").otherwise(pl.col("column").replace(_RULE_OF))
    return (
        found.select(pl.col("index").cast(pl.UInt32), rule.alias("rule"))
        .unique()
        .sort("index", "rule")
        .group_by("index", maintain_order=True)
        .agg(pl.col("rule").str.join(";").alias("reasons"))
    )


def write(rows: pl.DataFrame, bad: pl.DataFrame, out: Path) -> None:
    """Count the valid rows, set the others aside, and write the results."""
    first = rows.group_by("file").agg(pl.col("index").min().alias("first"))
    quarantine = rows.join(bad, on="index").join(first, on="file").sort("index")
    row = (pl.col("index") - pl.col("first") + 1).cast(pl.Int64).alias("row")
    trimmed = quarantine.with_columns(pl.col(spec.TEXTS).str.strip_chars())
    trimmed.select("file", row, *spec.COLUMNS, "reasons").write_parquet(out / "quarantine.parquet")
    valid = rows.filter(~pl.col("index").is_in(bad["index"].implode())).with_columns(
        month=pl.col("opened_on").dt.truncate("1mo"),
        days=(pl.col("closed_on") - pl.col("opened_on")).dt.total_days(),
    )
    counts = valid.group_by(spec.COUNTED_BY).agg(pl.len().alias("cases"))
    counts.sort(spec.COUNTED_BY).write_parquet(out / "counts.parquet")
    days = pl.col("days")
    quartiles = {
        name: days.drop_nulls().quantile(q, "equiprobable") for name, q in spec.QUARTILES.items()
    }
    forces = valid.group_by("force_code").agg(
        pl.len().alias("valid"),
        pl.col("suspended").sum(),
        (pl.col("workforce") == "staff").sum().alias("staff"),
        days.count().alias("closed"),
        **quartiles,
        days_longest=days.max(),
    )
    spoilt = quarantine.group_by("force_code").agg(pl.len().alias("bad"))
    forces.join(spoilt, on="force_code", how="full", coalesce=True).with_columns(
        rows=pl.col("valid").fill_null(0) + pl.col("bad").fill_null(0)
    ).write_parquet(out / "by_force.parquet")
    rules = bad.select(pl.col("reasons").str.split(";").explode()).to_series().value_counts()
    summary = {
        "rules": dict(rules.iter_rows()),
        "days": list(valid.select(**quartiles, longest=days.max()).row(0)),
    }
    (out / "summary.json").write_text(json.dumps(summary))


def main() -> None:
    """Run the job on all rows at once."""
    source, out = spec.arguments()
    rows = pl.read_parquet(
        source, hive_partitioning=True, include_file_paths="file", row_index_name="index"
    )
    write(rows, reasons(rows), out)


if __name__ == "__main__":
    main()
