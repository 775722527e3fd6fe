"""The mart national_totals: every measure's totals in one table."""

import polars as pl

from assets.totals.cube import ROW
from assets.totals.measures import capability, investigations, registers, registry, second_jobs
from schemas.collection import Collection
from schemas.contract import conform
from schemas.marts.totals import NationalTotals


def national_totals(live: pl.DataFrame, collection: Collection) -> pl.DataFrame:
    """Return the mart NationalTotals from the table LiveEntries."""
    found = [
        registry.rows(collection),
        investigations.rows(live, collection),
        registers.rows(live),
        second_jobs.rows(live),
        second_jobs.card_rows(live),
        capability.rows(live),
    ]
    expected = pl.lit(len(collection.forces), pl.Int64).alias("forces_expected")
    rows = pl.concat(frame.select(ROW) for frame in found).with_columns(expected)
    return conform(NationalTotals, rows)
