"""Reads the reference data of this package as frames of the contract's types.

Belongs here: reading reference/*.csv. Does not: any figure of our own; see reference/README.md.
"""

from functools import cache
from pathlib import Path
from typing import Final

import polars as pl

from schemas.errors import SetupError

REFERENCE: Final = Path(__file__).parent / "reference"


def _read(path: Path, key: str) -> pl.DataFrame:
    try:
        frame = pl.read_csv(path, infer_schema=False)
    except (OSError, pl.exceptions.PolarsError) as error:
        raise SetupError(f"{path} cannot be read: {error}. Restore it.") from error
    twice = frame[key].filter(frame[key].is_duplicated()).unique().sort().to_list()
    if twice:
        raise SetupError(f"{path} must hold each {key} once; found twice: {', '.join(twice)}.")
    return frame


@cache
def forces() -> pl.DataFrame:
    """One row a force: force_code (key), ons_code, short_name, full_name, region, country, kind."""
    return _read(REFERENCE / "forces.csv", "force_code").drop("full_name_confirmed_for_2012")


@cache
def published_figures(path: Path) -> pl.DataFrame:
    """One row a figure printed in a publication: figure_id (key), measure, breakdown, value, ...

    `breakdown` is "" for the whole, `value` a float, `source_issue` null where there is none.
    """
    return _read(path, "figure_id").with_columns(
        pl.col("value").cast(pl.Float64), pl.col("breakdown", "period").fill_null("")
    )


@cache
def uncollected() -> dict[str, str]:
    """Return why a measure of the publication comes from no data of a collection, by measure."""
    return dict(_read(REFERENCE / "uncollected.csv", "measure").iter_rows())


@cache
def source_issues(path: Path) -> pl.DataFrame:
    """One row a contradiction in the source: issue_id (key), figures (joined by `;`), text."""
    return _read(path, "issue_id").rename({"what the source does": "text"})
