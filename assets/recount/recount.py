"""The second engine: DuckDB computes every national total from the live cells and the research.

Belongs here: running the SQL beside it and comparing. It shares no code with assets/totals/ and
assets/research/, so that the two do not make the same mistake (rule M004).
"""

from pathlib import Path
from typing import Final

import duckdb
import polars as pl

from assets.research.tables import ResearchTables
from schemas.collection import Collection
from schemas.research import QUESTIONS
from schemas.returns_template import capability_questions

SQL: Final = Path(__file__).with_name("recount.sql")
RESEARCH_SQL: Final = Path(__file__).with_name("research.sql")
KEY: Final = ["measure", "breakdown", "period"]

OF_CELLS_ALONE: Final = ("reporting_bodies", "months_in_collection")
"""Measures that come from no cell, and are not recounted."""

_TOLERANCE: Final = 1e-9
"""Relative difference of two floats that are the same figure; counts must be equal."""


def recounted(cells: pl.DataFrame, collection: Collection) -> pl.DataFrame:
    """Return every national total as the second engine finds it.

    Args:
        cells: mart Cells.
        collection: the collection, for the lengths of its periods and its bands of counts.

    Returns:
        One row a total: measure, breakdown, period, value (null for unknown), forces_included.
    """
    with duckdb.connect(":memory:", config={"threads": 1}) as engine:
        engine.register("cells", cells.to_arrow())
        engine.register("listed", _listed().to_arrow())
        engine.register("band", _bands(collection).to_arrow())
        engine.register("months", _months(collection).to_arrow())
        found: pl.DataFrame = engine.sql(SQL.read_text(encoding="utf-8")).pl()
    return found.select(*KEY, "value", "forces_included").sort(KEY)


def research_recounted(research: ResearchTables, collection: Collection) -> pl.DataFrame:
    """Return every total of the inspectorate's own research as the second engine finds it.

    Args:
        research: the research in use.
        collection: the collection, for its forces and its year.

    Returns:
        The columns of `recounted`; what the research does not give has no row.
    """
    choices = [(code, answer) for code, asked in QUESTIONS.items() for answer in asked.answers]
    with duckdb.connect(":memory:", config={"threads": 1}) as engine:
        engine.register("profile", research.profiles.to_arrow())
        engine.register("instance", research.instances.to_arrow())
        engine.register("response", research.responses.to_arrow())
        choice = pl.DataFrame(choices, schema=["question", "answer"], orient="row")
        engine.register("choice", choice.to_arrow())
        engine.register("census", pl.DataFrame({"year": [collection.census.year]}).to_arrow())
        engine.register("ours", pl.DataFrame({"force_code": collection.forces}).to_arrow())
        found: pl.DataFrame = engine.sql(RESEARCH_SQL.read_text(encoding="utf-8")).pl()
    return found.select(*KEY, "value", "forces_included").sort(KEY)


def _listed() -> pl.DataFrame:
    questions = capability_questions().select("question_code", "answers").iter_rows()
    rows = [
        (question, answer, position)
        for question, answers in questions
        for position, answer in enumerate(answers.split("|"))
    ]
    return pl.DataFrame(rows, schema=["question", "answer", "position"], orient="row")


def _bands(collection: Collection) -> pl.DataFrame:
    rows = []
    for text in collection.count_bands:
        ends = text.split("..")
        high = ends[-1] if ends[-1] else None
        rows.append((text, int(ends[0]), None if high is None else int(high)))
    schema = {"text": pl.String, "low": pl.Int64, "high": pl.Int64}
    return pl.DataFrame(rows, schema=schema, orient="row")


def _months(collection: Collection) -> pl.DataFrame:
    periods = {"collection": collection.period, **collection.comparators}
    rows = [
        (name, (p.end.year - p.start.year) * 12 + p.end.month - p.start.month + 1)
        for name, p in periods.items()
    ]
    return pl.DataFrame(rows, schema=["period", "months"], orient="row")


def differences(national: pl.DataFrame, recount: pl.DataFrame) -> pl.DataFrame:
    """Return the totals on which the two engines differ; empty where they agree.

    Columns: measure, breakdown, period, value, recounted, forces_included, forces_recounted. A
    total that only one engine has differs too.

    Args:
        national: mart NationalTotals.
        recount: as `recounted` returns it, with the rows of `research_recounted` below where
            there is research.
    """
    ours = national.filter(~pl.col("measure").is_in(OF_CELLS_ALONE)).select(
        *KEY, "value", "forces_included", pl.lit(value=True).alias("ours")
    )
    theirs = recount.select(
        *KEY,
        pl.col("value").alias("recounted"),
        pl.col("forces_included").alias("forces_recounted"),
        pl.lit(value=True).alias("theirs"),
    )
    both = ours.join(theirs, on=KEY, how="full", coalesce=True)
    value, other = pl.col("value"), pl.col("recounted")
    close = (value - other).abs() <= _TOLERANCE * pl.max_horizontal(value.abs(), other.abs(), 1.0)
    same_value = close.fill_null(value=False) | (value.is_null() & other.is_null())
    same_forces = pl.col("forces_included").eq_missing(pl.col("forces_recounted"))
    in_both = pl.col("ours").is_not_null() & pl.col("theirs").is_not_null()
    # What no live return gives is a row of nothing to one engine, and no row to the other.
    of_nothing = (pl.col("forces_included") == 0) & value.is_null() & pl.col("theirs").is_null()
    agreed = (in_both & same_value & same_forces) | of_nothing.fill_null(value=False)
    return both.filter(~agreed).drop("ours", "theirs").sort(KEY)
