"""Totals of the inspectorate's own research, as rows of NationalTotals."""

from typing import Final

import polars as pl

from assets.research.social_media import social_media_cases
from assets.research.survey import answers
from assets.research.tables import ResearchTables
from assets.totals.leaves import as_rows, percent, shares, summed, sums
from schemas.collection import Collection
from schemas.research import YES

_INSTANCE_LEVELS: Final = (
    ("year",),
    ("year", "site"),
    ("year", "category"),
    ("year", "site", "category"),
)
_PROFILES_INAPPROPRIATE: Final = "profiles_inappropriate"
_ACCOUNTS_INAPPROPRIATE: Final = "accounts_inappropriate"
_STILL_VISIBLE: Final = "accounts_still_visible"

_UNITS: Final = {
    "profiles": "profiles",
    _PROFILES_INAPPROPRIATE: "profiles",
    _ACCOUNTS_INAPPROPRIATE: "accounts",
    _STILL_VISIBLE: "accounts",
}
"""Counts of the profiles file, each with its unit; the measure is `social_media_` and its name."""

_WHOLES: Final = {
    _PROFILES_INAPPROPRIATE: "profiles",
    _STILL_VISIBLE: _ACCOUNTS_INAPPROPRIATE,
}
"""The counts that are a share of another count."""

_ASKED: Final = ["year", "question"]


def research_totals(research: ResearchTables, collection: Collection) -> pl.DataFrame:
    """Return every total of the research in use; what it does not give has no row."""
    return pl.concat(
        [
            _social_media(research.profiles, research.instances, collection),
            _survey(research.responses),
        ]
    )


def _social_media(
    profiles: pl.DataFrame, instances: pl.DataFrame, collection: Collection
) -> pl.DataFrame:
    """Return the totals of the collection's forces.

    What the research did not count has no row. Shares are percents of the same forces' whole.
    """
    ours = pl.col("force_code").is_in(collection.forces)
    looked_at, found = profiles.filter(ours), instances.filter(ours)
    cases = _counted(social_media_cases(found, collection), "cases")
    researched = _counted(looked_at.with_columns(pl.lit(1, pl.Int64).alias("force")), "force")
    written = pl.concat(
        [
            sums(researched, ("year",), "social_media_forces_researched", "forces", ""),
            *(_total(looked_at, column) for column in _UNITS),
            *(_share(looked_at, part, whole) for part, whole in _WHOLES.items()),
            *_instances(_counted(found, "instances")),
            sums(cases, (), "social_media_cases", "cases", ""),
        ]
    ).drop_nulls("value")
    return written.with_columns(_expected(looked_at, found, collection))


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


def _counted(frame: pl.DataFrame, column: str) -> pl.DataFrame:
    """Return the rows that hold a count."""
    return frame.drop_nulls(column).with_columns(
        pl.col(column).alias("number"), pl.lit(value=False).alias("provisional")
    )


def _total(looked_at: pl.DataFrame, column: str) -> pl.DataFrame:
    each = _counted(looked_at, column)
    return sums(each, ("year",), f"social_media_{column}", _UNITS[column], "")


def _share(looked_at: pl.DataFrame, part: str, whole: str) -> pl.DataFrame:
    both = looked_at.drop_nulls([part, whole])
    wholes = summed(_counted(both, whole), ["year"]).select("year", whole=pl.col("total"))
    parts = summed(_counted(both, part), ["year"]).join(wholes, on="year")
    measure = f"social_media_{part}_share"
    return as_rows(parts, ["year"], percent("total", "whole"), measure, "percent", period="")


def _instances(found: pl.DataFrame) -> list[pl.DataFrame]:
    measure = "social_media_instances"
    return [
        *(sums(found, dims, measure, "instances", "") for dims in _INSTANCE_LEVELS),
        *(
            shares(found, dims, ("year",), f"{measure}_share", period="")
            for dims in _INSTANCE_LEVELS[1:]
        ),
    ]


def _survey(responses: pl.DataFrame) -> pl.DataFrame:
    """Return the survey's totals, of which no force is expected.

    A question without an answer in its breakdown is the statement itself: the respondents who were
    asked, and the percent of them who agree.
    """
    given = answers(responses)
    agree = given.filter(pl.col("answer") == YES)
    waves = responses.group_by("year").agg(pl.col("wave").n_unique().alias("value"))
    return pl.concat(
        [
            _of_nobody(waves, ["year"], "survey_waves", "waves"),
            _people(responses, ["year"]),
            _people(responses, _ASKED),
            _of_nobody(given.rename({"respondents": "value"}), [*_ASKED, "answer"], *_RESPONDENTS),
            _of_nobody(given.rename({"percent": "value"}), [*_ASKED, "answer"], *_PERCENT),
            _of_nobody(agree.rename({"percent": "value"}), _ASKED, *_PERCENT),
        ]
    ).with_columns(pl.lit(0, pl.Int64).alias("forces_expected"))


_RESPONDENTS: Final = ("survey_respondents", "respondents")
_PERCENT: Final = ("survey_percent", "percent")


def _people(responses: pl.DataFrame, dims: list[str]) -> pl.DataFrame:
    people = pl.col("respondent_id").n_unique().cast(pl.Int64)
    return _of_nobody(responses.group_by(dims).agg(people.alias("value")), dims, *_RESPONDENTS)


def _of_nobody(frame: pl.DataFrame, dims: list[str], measure: str, unit: str) -> pl.DataFrame:
    no_force = [
        pl.lit(0, pl.Int64).alias("forces_included"),
        pl.lit(value=False).alias("provisional"),
    ]
    return as_rows(frame.with_columns(no_force), dims, pl.col("value"), measure, unit, period="")
