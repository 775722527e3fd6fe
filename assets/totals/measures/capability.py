"""National totals about arrangements: how many forces gave each answer, and pairs of answers."""

from itertools import combinations

import polars as pl

from assets.totals import counted
from assets.totals.cube import as_rows, percent
from schemas.returns_template import capability_questions


def adoption(live: pl.DataFrame) -> pl.DataFrame:
    """Return one row a question and answer of its list, whether given or not.

    Columns: question, answer, forces (int), answered (forces with an answer to the question),
    forces_included, provisional.
    """
    answers = counted.capability(live, capability_questions())
    given = pl.col("value") == pl.col("answer")
    return (
        answers.with_columns(pl.col("answers").alias("answer"))
        .explode("answer", empty_as_null=False, keep_nulls=False)
        .group_by("question", "answer", "answers")
        .agg(
            given.sum().cast(pl.Int64).alias("forces"),
            pl.col("value").count().cast(pl.Int64).alias("answered"),
            pl.col("provisional").any(),
        )
        .with_columns(pl.col("answered").alias("forces_included"))
    )


def rows(live: pl.DataFrame) -> pl.DataFrame:
    """Return counts and shares of forces by question and answer; `a|b` counts either answer."""
    single = adoption(live)
    both = pl.concat([single, _pairs(single)], how="diagonal")
    dims = ("question", "answer")
    known = pl.when(pl.col("answered") > 0)
    return pl.concat(
        [
            as_rows(both, dims, known.then("forces"), "capability", "forces"),
            as_rows(both, dims, percent("forces", "answered"), "capability_share", "percent"),
        ]
    )


def _pairs(single: pl.DataFrame) -> pl.DataFrame:
    """Count the forces that gave either of two answers, for questions with more than two."""
    by_question = single.partition_by("question", as_dict=True)
    found = []
    for frame in by_question.values():
        listed = frame.item(0, "answers").to_list()
        for pair in combinations(listed, 2) if len(listed) > 2 else ():
            found.append(
                frame.filter(pl.col("answer").is_in(pair))
                .group_by("question", "answered", "forces_included", "provisional")
                .agg(pl.col("forces").sum(), pl.lit("|".join(pair)).alias("answer"))
            )
    return pl.concat(found)
