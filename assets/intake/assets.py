"""Intake: what was dropped becomes receipts, and receipts become raw cells."""

from typing import Any

import dagster as dg
import polars as pl

from assets.declare import TakeIn, made
from assets.intake.landing import OPEN, waiting, waiting_anywhere
from assets.intake.raw_store import RawStore
from assets.intake.tables import damaged_receipts, received
from assets.lake import Lake
from schemas.collection import Collection

_RECEIPTS = "intake/receipts"


def intake(
    context: dg.AssetExecutionContext,
    config: TakeIn,
    lake: Lake,
    collection: Collection,
    about: dict[str, Any],
) -> tuple[pl.DataFrame, ...]:
    """Take in what waits in landing, then read every file ever received."""
    store = RawStore(lake)
    dropped = waiting(lake.landing)
    settled = [path for path in dropped.files if config.settled(path)]
    taken = store.take_in(settled, collection)
    left = taken.left | {path.name: OPEN for path in dropped.unfinished}
    for name, reason in left.items():
        context.log.warning(f"{name} stays in landing: {reason}")
    for name, reason in taken.refused.items():
        context.log.warning(f"{name} is refused: {reason}")
    everything = received(store)
    damaged = damaged_receipts(store, everything.damaged, lake, collection)
    for name in damaged["file"]:
        context.log.error(f"{name} is damaged or gone; nothing is computed from it")
    about[_RECEIPTS] = {
        "new": len(taken.new),
        "received_before_under_another_name": taken.duplicates,
        "left_in_landing": left,
        "refused": taken.refused,
        "ignored_in_landing": [path.name for path in dropped.folders],
        "litter_in_landing": [
            str(path.relative_to(lake.landing)) for path in waiting_anywhere(lake.landing).litter
        ],
    }
    return everything.receipts, damaged, everything.cells, everything.facts


PARTS = (
    made(_RECEIPTS, "intake/damaged_receipts", "intake/raw_cells", "intake/sheet_facts", by=intake),
)
