"""Live entries of any collection, at random: what totals are tested with on a new template."""

from pathlib import Path
from random import Random

import polars as pl

from assets.figures.recount.recount import LAID_OUT
from assets.figures.totals import marts
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


def laid_out(live: pl.DataFrame, collection: Collection) -> dict[str, pl.DataFrame]:
    """Return the marts of single forces, where no report was read and no research received."""
    sent = pl.col("force_code").is_in(live["force_code"].unique().to_list())
    status = pl.DataFrame({"force_code": collection.forces}).with_columns(
        state=pl.when(sent).then(pl.lit("accepted")).otherwise(pl.lit("missing"))
    )
    printed = pl.DataFrame(
        schema=dict.fromkeys(["force_code", "measure", "breakdown"], pl.String)
        | {"value": pl.Float64}
    )
    of_entries = {name: getattr(marts, name)(live, collection) for name in LAID_OUT[:-1]}
    profiles = marts.force_profiles(live, status, printed, collection)
    return {**of_entries, "force_profiles": profiles}


def release_of(
    root: Path, collection: Collection, live: pl.DataFrame, **more: pl.DataFrame
) -> None:
    """Release a collection in a lake: its description, national totals, cells, marts; shown."""
    folder = root / "releases" / collection.id / f"{collection.id}-000000000000"
    for name, content in description(collection.id).items():
        (folder / DESCRIPTION / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / DESCRIPTION / name).write_bytes(content)
    national_totals(live, collection).write_parquet(folder / "national_totals.parquet")
    for name, mart in {"cells": cells(live, collection), **more}.items():
        mart.write_parquet(folder / f"{name}.parquet")
    write_manifest(folder, {"made_from": {"live": [], "research": []}})
    (root / "marts").mkdir(parents=True, exist_ok=True)
    (root / "marts" / collection.id).symlink_to(folder)
