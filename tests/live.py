"""Live entries of any collection, at random: what totals are tested with on a new template."""

from random import Random

import polars as pl

from schemas.collection import Collection
from schemas.contract import empty
from schemas.tables import LiveEntries
from schemas.template import Entry


def any_live(collection: Collection, seed: int) -> pl.DataFrame:
    """Return the table LiveEntries of some forces of a collection, the sums left as they come."""
    chance = Random(seed)
    forces = chance.sample(collection.forces, len(collection.forces) - chance.choice([0, 1, 9]))

    def value(entry: Entry) -> str:
        if entry.kind == "answer":
            return chance.choice(entry.answers)
        if entry.missing and chance.random() < 0.2:
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
