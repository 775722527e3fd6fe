"""Totals of the inspectorate's own research, as rows of NationalTotals."""

from collections.abc import Sequence
from typing import Final

import polars as pl

from assets.figures.totals.leaves import percent
from assets.inputs.research.tables import ResearchTables, answers
from schemas.breakdown import breakdown_of
from schemas.collection import Collection
from schemas.research import YES

_YEAR: Final = ("year",)
_BY: Final = (("year", "site"), ("year", "category"), ("year", "site", "category"))
WHOLE_OF: Final = {
    "profiles_inappropriate": "profiles",
    "accounts_still_visible": "accounts_inappropriate",
}
"""Counts of the profiles file that are a share of another."""


def research_totals(research: ResearchTables, collection: Collection) -> pl.DataFrame:
    """Return every total of the research in use, as NationalTotals.

    What it does not give has no row.
    """
    found = _social_media(research.profiles, research.instances, collection)
    rows = pl.concat([found, _survey(research.responses)])
    return rows.with_columns(period=pl.lit(""), provisional=pl.lit(value=False))


def _social_media(
    profiles: pl.DataFrame, instances: pl.DataFrame, collection: Collection
) -> pl.DataFrame:
    """Return the totals of the collection's forces.

    What the research did not count has no row. Shares are percents of the same forces' whole.
    """
    ours = pl.col("force_code").is_in(collection.forces)
    looked_at, found = profiles.filter(ours), instances.filter(ours)
    each, of_year = "instances", found.filter(year=collection.census.year)
    rows = [
        _sums(looked_at.with_columns(one=1), "one", "forces_researched", "forces"),
        _sums(of_year, each, "cases", "cases", ()),
        *(_sums(found, each, each, each, by) for by in (_YEAR, *_BY)),
        *(_sums(found, each, f"{each}_share", "percent", by, each) for by in _BY),
        *(_sums(looked_at, n, n, n.split("_")[0]) for n in (*WHOLE_OF, *WHOLE_OF.values())),
        *(_sums(looked_at, n, f"{n}_share", "percent", _YEAR, of) for n, of in WHOLE_OF.items()),
    ]
    written = pl.concat(rows).drop_nulls("value")
    return written.with_columns(_expected(looked_at, found, collection))


def _sums(
    frame: pl.DataFrame,
    number: str,
    measure: str,
    unit: str,
    dims: Sequence[str] = _YEAR,
    whole: str = "",
) -> pl.DataFrame:
    """Return the sums of a number, or what they are in per cent of the `whole` of their year."""
    held = frame.drop_nulls([number, whole or number])
    of_year = pl.col(whole or number).sum().over("year")
    keyed = held.select("force_code", breakdown_of(*dims), number=number, whole=of_year)
    sums = keyed.group_by("breakdown").agg(
        pl.col("number").sum(),
        pl.col("whole").first(),
        pl.col("force_code").n_unique().cast(pl.Int64).alias("forces_included"),
    )
    value = percent("number", "whole") if whole else pl.col("number")
    return _rows(sums, value, f"social_media_{measure}", unit)


def _expected(looked_at: pl.DataFrame, found: pl.DataFrame, collection: Collection) -> pl.Expr:
    """Return how many forces each total should include.

    In the collection's year all of them; in an earlier year those that the research looked at.
    """
    forces = pl.concat(frame.select("year", "force_code") for frame in (looked_at, found))
    expected = dict(forces.group_by("year").agg(pl.col("force_code").n_unique()).iter_rows())
    expected[collection.census.year] = len(collection.forces)
    year = pl.col("breakdown").str.extract("year=([0-9]{4})").cast(pl.Int64)
    return (
        year.fill_null(collection.census.year)
        .replace_strict(expected, return_dtype=pl.Int64)
        .alias("forces_expected")
    )


def _survey(responses: pl.DataFrame) -> pl.DataFrame:
    """Return the survey's totals, of which no force is expected.

    A question without an answer in its breakdown is the statement itself: the respondents who were
    asked, and the percent of them who agree.
    """
    given, asked = answers(responses), ["year", "question"]
    people = pl.col("respondent_id").n_unique().alias("respondents")
    waves = responses.group_by("year").agg(pl.col("wave").n_unique())
    counted = [
        (waves, "wave", ["year"], "waves"),
        *((responses.group_by(by).agg(people), "respondents", by, "respondents")
          for by in (["year"], asked)),
        (given, "respondents", [*asked, "answer"], "respondents"),
        (given, "percent", [*asked, "answer"], "percent"),
        (given.filter(answer=YES), "percent", asked, "percent"),
    ]  # fmt: skip
    nobody = pl.lit(0, pl.Int64)
    return pl.concat(
        _rows(
            frame.with_columns(breakdown_of(*by), forces_included=nobody),
            pl.col(value),
            f"survey_{unit}",
            unit,
        )
        for frame, value, by, unit in counted
    ).with_columns(nobody.alias("forces_expected"))


def _rows(frame: pl.DataFrame, value: pl.Expr, measure: str, unit: str) -> pl.DataFrame:
    return frame.select(
        "breakdown",
        "forces_included",
        measure=pl.lit(measure),
        value=value.cast(pl.Float64),
        unit=pl.lit(unit),
    )
