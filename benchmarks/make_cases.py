"""Makes case-level extracts of any size and of several shapes, the same rows for the same seed.

Belongs here: invented rows. They resemble no force's cases; only their shape matters. Rows are
made a block at a time, so memory does not grow with their number.
"""

import argparse
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date
from itertools import groupby
from pathlib import Path
from typing import IO, Any, Final

import numpy as np
import polars as pl
import pyarrow.parquet

from schemas.collection import Collection, load_collection

BLOCK: Final = 1_000_000
"""Rows made at once: the unit of the random streams, and the most a row group holds."""
BLOCKS_PER_FILE: Final = 4

SHAPES: Final = ("uneven", "giant", "empty", "duplicates", "bad", "wide")
LAYOUTS: Final = ("hive", "file", "csv")

_CATEGORY_ODDS: Final = (0.55, 0.03, 0.06, 0.03, 0.05, 0.12, 0.16)
_STATUS_ODDS: Final = (0.30, 0.05, 0.33, 0.27, 0.05)


@dataclass(frozen=True)
class Recipe:
    """What to make: how many rows in all, from which seed, and in which shape."""

    rows: int
    seed: int = 1
    shape: str = "uneven"

    @property
    def bad_share(self) -> float:
        """The share of rows that are made to break a rule."""
        return {"bad": 0.3, "wide": 0.01}.get(self.shape, 0.001)

    def sizes(self, forces: tuple[str, ...]) -> dict[str, int]:
        """Return the number of rows of each force."""
        weights = 1 / (np.arange(len(forces)) + 3.0)
        if self.shape == "giant":
            weights[0] = weights[1:].sum()
        if self.shape == "empty":
            weights[::3] = 0
        edges = np.round(np.cumsum(weights) / weights.sum() * self.rows).astype(int)
        return dict(zip(forces, np.diff(edges, prepend=0).tolist(), strict=True))


def blocks(
    recipe: Recipe, collection: Collection, block: int = BLOCK
) -> Iterator[tuple[str, int, pl.DataFrame]]:
    """Yield the rows a block at a time, with their force and the block's number within it."""
    for index, (force, size) in enumerate(recipe.sizes(collection.forces).items()):
        for number, start in enumerate(range(0, max(size, 1), block)):
            random = np.random.default_rng([recipe.seed, index, number])
            rows = _good(force, start, min(block, size - start), random, collection)
            if recipe.shape == "duplicates":
                pair = (pl.int_range(pl.len()) + start) // 2
                rows = rows.with_columns(case_ref=pl.format("{}-2011-{}", pl.lit(force), pair))
            yield force, number, _spoilt(rows, recipe, random)


def _good(
    force: str, start: int, size: int, random: np.random.Generator, collection: Collection
) -> pl.DataFrame:
    """Return rows that break no rule, their references in no order."""
    first, census = collection.period.start, collection.census
    opened = random.integers(0, (collection.period.end - first).days + 1, size)
    closed = random.integers(opened, (census - first).days + 1)
    disclosed = pl.col("category") == "information_disclosure"
    to_media = (pl.col("category") == "media_relationship") | (
        disclosed & (pl.col("recipient") == "media")
    )
    lists = collection.template.lists
    frame = pl.DataFrame(
        {
            "number": random.permutation(size) + start,
            "category": _drawn(lists["category"], random.choice(7, size, p=_CATEGORY_ODDS)),
            "recipient": _drawn(lists["recipient"], random.integers(0, 5, size)),
            "media": _drawn(lists["media"], random.integers(0, 2, size)),
            "opened_on": _days(first, opened),
            "status_at_census": _drawn(lists["outcome"], random.choice(5, size, p=_STATUS_ODDS)),
            "closed_on": _days(first, closed),
            "suspended": random.random(size) < 0.04,
            "workforce": _drawn(("officer", "staff"), random.integers(0, 10, size) // 7),
        }
    )
    year = pl.col("opened_on").dt.year()
    number = pl.col("number").cast(pl.String).str.zfill(6)
    return frame.select(
        pl.format("{}-{}-{}", pl.lit(force), year, number).alias("case_ref"),
        "category",
        pl.when(disclosed).then("recipient").alias("recipient"),
        pl.when(to_media).then("media").alias("media"),
        "opened_on",
        "status_at_census",
        pl.when(pl.col("status_at_census") != "continuing").then("closed_on").alias("closed_on"),
        "suspended",
        "workforce",
    )


def _drawn(codes: Iterable[str], picks: Any) -> pl.Series:
    return pl.Series(picks.astype(np.uint8)).cat.to(pl.Enum(list(codes))).cast(pl.String)


def _days(first: date, days: Any) -> pl.Series:
    return (pl.Series(days.astype(np.int32)) + (first - date(1970, 1, 1)).days).cast(pl.Date)


def _spoilt(rows: pl.DataFrame, recipe: Recipe, random: np.random.Generator) -> pl.DataFrame:
    """Return the rows with a share of them broken, each in one of the ways of _defects."""
    defects = _defects(recipe.shape == "wide")
    kinds = random.integers(0, len(defects), rows.height)
    kinds[random.random(rows.height) >= recipe.bad_share] = -1
    for kind, (column, value) in enumerate(defects):
        hit = pl.lit(pl.Series(kinds == kind))
        rows = rows.with_columns(pl.when(hit).then(value).otherwise(column).alias(column))
    return rows


def _defects(wide: bool) -> list[tuple[str, pl.Expr]]:
    """Return the ways to break a row: a column and what it then holds."""
    unknown = pl.lit("unknown " * (250 if wide else 1))
    ref, recipient, media = pl.col("case_ref"), pl.col("recipient"), pl.col("media")
    opened, closed = pl.col("opened_on"), pl.col("closed_on")
    return [
        ("case_ref", pl.lit(None, pl.String)),
        ("case_ref", ref.str.replace_all("-", "/", literal=True)),
        ("case_ref", ref + pl.lit("0000000000")),
        ("case_ref", ref.shift(1).fill_null(ref)),
        ("category", unknown),
        ("recipient", pl.when(recipient.is_null()).then(pl.lit("others"))),
        ("media", pl.when(media.is_null()).then(pl.lit("local"))),
        ("opened_on", opened.dt.offset_by("-1y")),
        ("status_at_census", unknown),
        ("closed_on", pl.when(closed.is_null()).then(opened)),
        ("closed_on", opened.dt.offset_by("-1d")),
        ("suspended", pl.lit(None, pl.Boolean)),
        ("workforce", unknown),
    ]


def write(recipe: Recipe, folder: Path, layout: str, collection: Collection) -> None:
    """Write the extract below `folder`: by force as Parquet, or as one Parquet or CSV file."""
    folder.mkdir(parents=True, exist_ok=True)
    made = blocks(recipe, collection)
    if layout == "hive":
        parts = groupby(made, key=lambda item: (item[0], item[1] // BLOCKS_PER_FILE))
        for (force, part), items in parts:
            below = folder / f"force_code={force}"
            below.mkdir(exist_ok=True)
            _write_parquet(below / f"part-{part:04}.parquet", (rows for _, _, rows in items))
        return
    named = (rows.select(pl.lit(force).alias("force_code"), pl.all()) for force, _, rows in made)
    if layout == "file":
        _write_parquet(folder / "cases.parquet", named)
    else:
        with (folder / "cases.csv").open("wb") as file:
            _write_csv(file, named)


def _write_parquet(path: Path, frames: Iterator[pl.DataFrame]) -> None:
    """Write a row group a block, as plain strings: no reader is told of their lists."""
    first = next(frames).to_arrow(compat_level=pl.CompatLevel.oldest())
    with pyarrow.parquet.ParquetWriter(
        path, first.schema, compression="zstd", store_schema=False
    ) as writer:
        writer.write_table(first)
        for frame in frames:
            writer.write_table(frame.to_arrow(compat_level=pl.CompatLevel.oldest()))


def _write_csv(file: IO[bytes], frames: Iterator[pl.DataFrame]) -> None:
    for number, frame in enumerate(frames):
        frame.write_csv(file, include_header=number == 0)


def main() -> None:
    """Make an extract as the command line says."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, required=True)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--shape", choices=SHAPES, default="uneven")
    parser.add_argument("--layout", choices=LAYOUTS, default="hive")
    parser.add_argument("--out", type=Path, required=True)
    given = parser.parse_args()
    recipe = Recipe(given.rows, given.seed, given.shape)
    write(recipe, given.out, given.layout, load_collection("2012-revisit"))


if __name__ == "__main__":
    main()
