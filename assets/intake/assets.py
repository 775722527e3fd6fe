"""Intake as assets: what was dropped becomes receipts, and receipts become raw cells."""

from pathlib import Path
from typing import Any

import dagster as dg
import polars as pl

from assets.declare import COLLECTIONS, TakeIn, retried, stated, table_spec
from assets.intake.landing import OPEN, waiting, waiting_anywhere
from assets.intake.raw_store import RawStore
from assets.intake.tables import damaged_receipts, received
from assets.lake import Lake
from schemas.collection import load_collection
from schemas.tables import DamagedReceipts, RawCells, Receipts, SheetFacts

_STAGE = "intake"
_Made = dg.Output[pl.DataFrame]


@dg.multi_asset(
    outs={
        name: dg.AssetOut(**table_spec(_STAGE, name, contract))
        for name, contract in {
            "receipts": Receipts,
            "damaged_receipts": DamagedReceipts,
            "raw_cells": RawCells,
            "sheet_facts": SheetFacts,
        }.items()
    },
    partitions_def=COLLECTIONS,
)
@retried()
def intake(
    context: dg.AssetExecutionContext, config: TakeIn, lake_root: dg.ResourceParam[Path]
) -> tuple[_Made, _Made, _Made, _Made]:
    """Take in what waits in landing, then read every file ever received."""
    lake = Lake(lake_root, context.partition_key)
    store = RawStore(lake)
    dropped = waiting(lake.landing)
    settled = [path for path in dropped.files if config.settled(path)]
    collection = load_collection(lake.collection)
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
    about: dict[str, Any] = {
        "new": len(taken.new),
        "received_before_under_another_name": taken.duplicates,
        "left_in_landing": left,
        "refused": taken.refused,
        "ignored_in_landing": [path.name for path in dropped.folders],
        "litter_in_landing": [
            str(path.relative_to(lake.landing)) for path in waiting_anywhere(lake.landing).litter
        ],
    }
    return (
        stated(everything.receipts, "receipts", metadata=about),
        stated(damaged, "damaged_receipts"),
        stated(everything.cells, "raw_cells"),
        stated(everything.facts, "sheet_facts"),
    )
