"""Whether the two files on social media agree with each other.

Belongs here: what neither file can tell alone. A disagreement is reported, and keeps neither file
out: which of them is right is for the researchers to say.
"""

from collections.abc import Iterator

import polars as pl

from assets.research.problem import Problem


def disagreements(profiles: pl.DataFrame, instances: pl.DataFrame) -> Iterator[Problem]:
    """Yield a problem for each force and year whose profiles do not fit its instances.

    Each inappropriate profile shows one instance at least, and each instance stands on one. Years
    or forces that only one of the files has are not compared.
    """
    found = instances.group_by("force_code", "year").agg(pl.col("instances").sum())
    both = profiles.drop_nulls("profiles_inappropriate").join(found, on=["force_code", "year"])
    part, whole = pl.col("profiles_inappropriate"), pl.col("instances")
    wrong = both.filter((part > whole) | ((part == 0) & (whole > 0)))
    for row in wrong.sort("force_code", "year").iter_rows(named=True):
        yield Problem(
            file="social_media_profiles.csv",
            row=None,
            column="profiles_inappropriate",
            observed=f"{row['profiles_inappropriate']} for {row['force_code']} in {row['year']}",
            expected=f"profiles that fit the {row['instances']} instances in"
            " social_media_instances.csv",
            fix="Compare both with the researchers' own tables and mend the wrong one.",
        )
