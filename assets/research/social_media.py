"""What the research on social media adds up to.

Belongs here: the mart social_media, the cases of each force, and the totals. Does not: the survey
(survey.py), nor investigations into social media, which forces report in their returns.
"""

from typing import Final

import polars as pl

from assets.totals.cube import as_rows, percent, shares, summed, totals
from schemas.collection import Collection
from schemas.contract import conform
from schemas.marts.research import SocialMedia

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


def social_media(instances: pl.DataFrame) -> pl.DataFrame:
    """Return the mart SocialMedia from the table InstancesInUse."""
    return conform(SocialMedia, instances)


def social_media_cases(instances: pl.DataFrame, collection: Collection) -> pl.DataFrame:
    """Return each force's cases: its instances in the research of the collection's year.

    Columns: force_code (key), cases, basis. A force that was not looked at then has no row.
    """
    return (
        instances.filter(pl.col("year") == collection.census.year)
        .group_by("force_code")
        .agg(pl.col("instances").sum().alias("cases"), pl.col("basis").first())
        .sort("force_code")
    )


def rows(profiles: pl.DataFrame, instances: pl.DataFrame, collection: Collection) -> pl.DataFrame:
    """Return the totals of the collection's forces, as cube.py writes them, and `forces_expected`.

    What the research did not count has no row. Shares are percents of the same forces' whole.
    """
    ours = pl.col("force_code").is_in(collection.forces)
    looked_at, found = profiles.filter(ours), instances.filter(ours)
    cases = _counted(social_media_cases(found, collection), "cases")
    researched = _counted(looked_at.with_columns(pl.lit(1, pl.Int64).alias("force")), "force")
    written = pl.concat(
        [
            totals(researched, [("year",)], "social_media_forces_researched", "forces", period=""),
            *(_total(looked_at, column) for column in _UNITS),
            *(_share(looked_at, part, whole) for part, whole in _WHOLES.items()),
            *_instances(_counted(found, "instances")),
            totals(cases, [()], "social_media_cases", "cases", period=""),
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
    """Return the rows that hold a count, as cube.py takes them."""
    return frame.drop_nulls(column).with_columns(
        pl.col(column).alias("number"), pl.lit(value=False).alias("provisional")
    )


def _total(looked_at: pl.DataFrame, column: str) -> pl.DataFrame:
    each = _counted(looked_at, column)
    return totals(each, [("year",)], f"social_media_{column}", _UNITS[column], period="")


def _share(looked_at: pl.DataFrame, part: str, whole: str) -> pl.DataFrame:
    both = looked_at.drop_nulls([part, whole])
    wholes = summed(_counted(both, whole), ["year"]).select("year", whole=pl.col("total"))
    parts = summed(_counted(both, part), ["year"]).join(wholes, on="year")
    measure = f"social_media_{part}_share"
    return as_rows(parts, ["year"], percent("total", "whole"), measure, "percent", period="")


def _instances(found: pl.DataFrame) -> list[pl.DataFrame]:
    measure = "social_media_instances"
    return [
        totals(found, _INSTANCE_LEVELS, measure, "instances", period=""),
        *(
            shares(found, dims, ("year",), f"{measure}_share", period="")
            for dims in _INSTANCE_LEVELS[1:]
        ),
    ]
