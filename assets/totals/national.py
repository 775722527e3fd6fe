"""The mart national_totals: every measure's totals in one table."""

import polars as pl

from assets.research import social_media, survey
from assets.research.tables import ResearchTables, no_research
from assets.totals.cube import ROW
from assets.totals.measures import capability, investigations, registers, registry, second_jobs
from schemas.collection import Collection
from schemas.contract import conform
from schemas.marts.totals import NationalTotals


def national_totals(
    live: pl.DataFrame, collection: Collection, research: ResearchTables | None = None
) -> pl.DataFrame:
    """Return the mart NationalTotals.

    Args:
        live: table LiveEntries.
        collection: the collection, whose forces are expected.
        research: the inspectorate's own research; None for none, of which there are no rows.
    """
    own = research or no_research()
    found = [
        registry.rows(collection),
        investigations.rows(live, collection),
        registers.rows(live),
        second_jobs.rows(live),
        second_jobs.card_rows(live),
        capability.rows(live),
    ]
    expected = pl.lit(len(collection.forces), pl.Int64).alias("forces_expected")
    rows = [
        *(frame.select(*ROW, expected) for frame in found),
        social_media.rows(own.profiles, own.instances, collection),
        survey.rows(own.responses),
    ]
    return conform(NationalTotals, pl.concat(rows))
