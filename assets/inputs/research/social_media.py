"""What the research on social media found: the mart social_media, and the cases of each force.

Investigations into social media, which forces report in their returns, are another thing.
"""

import polars as pl

from schemas.collection import Collection
from schemas.contract import conform
from schemas.marts.research import SocialMedia


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
