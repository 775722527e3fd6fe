"""Totals of the inspectorate's own research, as rows of NationalTotals."""

from typing import Final

import polars as pl

from assets.figures.totals.leaves import as_rows, percent, shares, summed, sums
from assets.inputs.research.tables import ResearchTables, answers, social_media_cases
from schemas.collection import Collection
from schemas.research import YES

_YEAR: Final = ("year",)
_INSTANCES: Final = (_YEAR, ("year", "site"), ("year", "category"), ("year", "site", "category"))
_COUNTS: Final = {
    "profiles": ("profiles", None),
    "profiles_inappropriate": ("profiles", "profiles"),
    "accounts_inappropriate": ("accounts", None),
    "accounts_still_visible": ("accounts", "accounts_inappropriate"),
}
"""Counts of the profiles file, each with its unit and the count that it is a share of."""


def research_totals(research: ResearchTables, collection: Collection) -> pl.DataFrame:
    """Return every total of the research in use; what it does not give has no row."""
    found = _social_media(research.profiles, research.instances, collection)
    return pl.concat([found, _survey(research.responses)])


def _social_media(
    profiles: pl.DataFrame, instances: pl.DataFrame, collection: Collection
) -> pl.DataFrame:
    """Return the totals of the collection's forces.

    What the research did not count has no row. Shares are percents of the same forces' whole.
    """
    ours = pl.col("force_code").is_in(collection.forces)
    looked_at, found = profiles.filter(ours), instances.filter(ours)
    cases = _numbered(social_media_cases(found, collection), "cases")
    researched = _numbered(looked_at.with_columns(pl.lit(1, pl.Int64).alias("force")), "force")
    each, name = _numbered(found, "instances"), "social_media_instances"
    rows = [
        sums(researched, _YEAR, "social_media_forces_researched", "forces", ""),
        sums(cases, (), "social_media_cases", "cases", ""),
        *(sums(each, dims, name, "instances", "") for dims in _INSTANCES),
        *(shares(each, dims, _YEAR, f"{name}_share", "") for dims in _INSTANCES[1:]),
    ]
    for column, (unit, whole) in _COUNTS.items():
        rows.append(sums(_numbered(looked_at, column), _YEAR, f"social_media_{column}", unit, ""))
        if whole:
            both = looked_at.drop_nulls([column, whole])
            wholes = summed(_numbered(both, whole), _YEAR).select("year", whole=pl.col("total"))
            parts = summed(_numbered(both, column), _YEAR).join(wholes, on="year")
            of, share = f"social_media_{column}_share", percent("total", "whole")
            rows.append(as_rows(parts, _YEAR, share, of, "percent", ""))
    written = pl.concat(rows).drop_nulls("value")
    return written.with_columns(_expected(looked_at, found, collection))


def _numbered(frame: pl.DataFrame, column: str) -> pl.DataFrame:
    """Return the rows that hold a count, as `number`."""
    return frame.drop_nulls(column).with_columns(
        pl.col(column).alias("number"), pl.lit(value=False).alias("provisional")
    )


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
    people = pl.col("respondent_id").n_unique().cast(pl.Int64)
    waves = responses.group_by("year").agg(pl.col("wave").n_unique())
    respondents = [
        (responses.group_by(dims).agg(people.alias("respondents")), dims)
        for dims in (["year"], asked)
    ]
    counted = [
        (waves, "wave", ["year"], "survey_waves", "waves"),
        *((of, "respondents", dims, *_RESPONDENTS) for of, dims in respondents),
        (given, "respondents", [*asked, "answer"], *_RESPONDENTS),
        (given, "percent", [*asked, "answer"], *_PERCENT),
        (given.filter(pl.col("answer") == YES), "percent", asked, *_PERCENT),
    ]
    nobody = [
        pl.lit(0, pl.Int64).alias("forces_included"),
        pl.lit(value=False).alias("provisional"),
    ]
    return pl.concat(
        as_rows(frame.with_columns(nobody), dims, pl.col(value), measure, unit, "")
        for frame, value, dims, measure, unit in counted
    ).with_columns(pl.lit(0, pl.Int64).alias("forces_expected"))


_RESPONDENTS: Final = ("survey_respondents", "respondents")
_PERCENT: Final = ("survey_percent", "percent")
