"""Live entries of any collection, at random: what totals are tested with on a new template."""

from pathlib import Path
from random import Random

import polars as pl

from assets.figures.totals.marts import cells
from assets.figures.totals.national import national_totals
from assets.marts import DESCRIPTION, write_manifest
from schemas.collection import Collection, description
from schemas.contract import empty
from schemas.tables import LiveEntries
from schemas.template import Entry


def any_live(collection: Collection, seed: int, *, every_force: bool = False) -> pl.DataFrame:
    """Return the table LiveEntries of some forces of a collection, the sums left as they come.

    With `every_force` all of them give a number wherever one is asked.
    """
    chance = Random(seed)
    some = len(collection.forces) - (0 if every_force else chance.choice([0, 1, 9]))
    forces = chance.sample(collection.forces, some)

    def value(entry: Entry) -> str:
        if entry.kind == "answer":
            return chance.choice(entry.answers)
        if entry.missing and not every_force and chance.random() < 0.2:
            return chance.choice(entry.missing)
        return str(chance.choice([0, 1, chance.randrange(90)]))

    rows = [
        (force, *entry.place, f"r{force}", "0" * 64, "A1", value(entry), None, "submitted", False)
        for force in sorted(forces)
        for entry in collection.template.entries()
        if entry.kind in {"count", "answer"}
    ]
    live = pl.DataFrame(rows, schema=empty(LiveEntries).schema, orient="row")
    return live.with_columns(pl.col("value").cast(pl.Int64, strict=False).alias("number"))


def release_of(
    root: Path, collection: Collection, live: pl.DataFrame, **marts: pl.DataFrame
) -> None:
    """Release a collection in a lake: its description, national totals, cells, marts; shown."""
    folder = root / "releases" / collection.id / f"{collection.id}-000000000000"
    for name, content in description(collection.id).items():
        (folder / DESCRIPTION / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / DESCRIPTION / name).write_bytes(content)
    national_totals(live, collection).write_parquet(folder / "national_totals.parquet")
    for name, mart in {"cells": cells(live, collection), **marts}.items():
        mart.write_parquet(folder / f"{name}.parquet")
    write_manifest(folder, {"made_from": {"live": [], "research": []}})
    (root / "marts").mkdir(parents=True, exist_ok=True)
    (root / "marts" / collection.id).symlink_to(folder)
