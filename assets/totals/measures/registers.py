"""National totals about the registers of gifts and hospitality."""

import polars as pl

from assets.totals import counted
from assets.totals.cube import shares, totals


def rows(live: pl.DataFrame) -> pl.DataFrame:
    """Return entries and declined shares by body, kind and decision.

    A force that does not record declined offers is left out of the total of declined ones, and is
    in the others with what it records.
    """
    entries = counted.register_entries(live)
    levels = (
        ("body",),
        ("body", "kind"),
        ("body", "decision"),
        ("body", "kind", "decision"),
    )
    return pl.concat(
        [
            totals(entries, levels, "register_entries", "count"),
            shares(entries, ("body", "decision"), ("body",), "register_entries_share"),
            shares(
                entries, ("body", "kind", "decision"), ("body", "kind"), "register_entries_share"
            ),
        ]
    )
