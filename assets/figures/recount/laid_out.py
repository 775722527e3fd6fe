"""What is laid out of totals, as the second engine counts it: the cube, and comparisons."""

import tomllib
from collections.abc import Iterator, Mapping
from typing import Final

import polars as pl

from assets.figures.recount.recount import Meaning, differences, recounted
from assets.marts import read_mart
from assets.previous import Earlier
from schemas.collection import Collection
from schemas.measures import NOW
from schemas.reference import beside


def in_cube_otherwise(
    cube: pl.DataFrame, recount: pl.DataFrame, cells: pl.DataFrame, collection: Collection
) -> Iterator[str]:
    """Yield what a cube says otherwise than the second engine: its figures, and sums of its parts.

    Args:
        cube: mart Cube.
        recount: every total as the second engine finds it.
        cells: mart Cells.
        collection: the collection.
    """
    meaning = Meaning(tomllib.loads(collection.template.path.read_text(encoding="utf-8")))
    order = dict.fromkeys([*meaning.order, *_OF_ALL_COLLECTIONS])
    texts = [
        ";".join(f"{key}={row[key]}" for key in order if row.get(key) is not None)
        for row in cube.to_dicts()
    ]
    laid = cube.with_columns(pl.Series("breakdown", texts, pl.String))
    for row in differences(laid, recount).iter_rows(named=True):
        yield (
            f"{row['measure']} {row['breakdown']} {row['period']} in the cube: {row['value']},"
            f" recounted {row['recounted']}"
        )
    parts = laid.filter(~pl.col("is_total"), period=NOW).group_by("measure")
    sums = dict(parts.agg(pl.col("value").sum()).iter_rows())
    for measure, whole in _wholes(meaning, cells).items():
        if sums.get(measure, whole) != whole:
            yield f"{measure}: its parts in the cube add up to {sums[measure]:g}, not to {whole}"


_OF_ALL_COLLECTIONS: Final = ("category", "kind")
"""Dimensions that research and bodies have too, whatever the template lists."""


def _wholes(meaning: Meaning, cells: pl.DataFrame) -> dict[str, int]:
    """Return what all cells that count a measure hold, each once, or how many hold an answer."""
    place = ["sheet", "row_code", "column_code"]
    given = {
        "number": ((at, row[0]) for row in meaning.parts() if row[2:4] == (NOW, "value")
                   for at in [row[4:]]),
        "answer": ((row[4:], row[0]) for row in meaning.offered()),
    }  # fmt: skip
    found: dict[str, int] = {}
    value = pl.col("value").cast(pl.Int64, strict=False)
    for what, rows in given.items():
        counted = pl.DataFrame(
            [(*at, measure) for at, measure in dict.fromkeys(rows)],
            schema=dict.fromkeys([*place, "measure"], pl.String),
            orient="row",
        )
        held = cells.join(counted, on=place)
        wanted = value.sum() if what == "number" else pl.col("value").count().cast(pl.Int64)
        found |= dict(held.group_by("measure").agg(wanted).iter_rows())
    return found


def compared_otherwise(
    counted: pl.DataFrame,
    comparisons: pl.DataFrame,
    released: Mapping[str, Earlier],
    collection: Collection,
) -> Iterator[str]:
    """Yield the numbers of comparisons with other collections that are counted otherwise.

    Args:
        counted: as `recounted` returns it.
        comparisons: mart Comparisons.
        released: the releases that are compared with, by collection.
        collection: the collection.
    """
    own = counted.filter(period=NOW).select(*_FIGURE, recounted="value")
    compared = comparisons.drop_nulls("previous_collection")
    yield from _beside(compared, "value", own, collection.id)
    for (other,), rows in compared.partition_by("previous_collection", as_dict=True).items():
        if one := released.get(str(other)):
            cells = read_mart(one.folder, "cells")
            then = earlier_recounted(cells, one.collection, collection)
            was = then.select(*_FIGURE, recounted="value")
            yield from _beside(rows, "previous_value", was, one.folder.name)


_FIGURE: Final = ["measure", "breakdown"]


def _beside(rows: pl.DataFrame, column: str, recount: pl.DataFrame, where: str) -> Iterator[str]:
    """Yield the numbers of comparisons that the second engine finds otherwise."""
    both = rows.join(recount, on=_FIGURE, how="left")
    for row in both.filter(pl.col(column).ne_missing(pl.col("recounted"))).iter_rows(named=True):
        yield (
            f"{row['measure']} {row['breakdown']} in {where}: {row[column]} in comparisons,"
            f" recounted {row['recounted']}"
        )


def earlier_recounted(cells: pl.DataFrame, then: Collection, now: Collection) -> pl.DataFrame:
    """Return what another collection counted as the second engine finds it, in the codes of now.

    Args:
        cells: mart Cells of its release.
        then: that collection, as its release keeps it.
        now: the collection whose template says what was renamed since.

    Returns:
        The columns of `recounted`, of the collection's own period.
    """
    own = now.template
    names = (f"{own.name}-{at}.toml" for at in range(then.template.version + 1, own.version + 1))
    paths = (beside(now.root, "templates", name) for name in names)
    read = [tomllib.loads(path.read_text(encoding="utf-8")) for path in paths if path.exists()]
    order = Meaning(tomllib.loads(own.path.read_text(encoding="utf-8"))).order

    def called(breakdown: str) -> str:
        codes = dict(part.split("=", 1) for part in breakdown.split(";") if part)
        for since in (file.get("since", {}) for file in read):
            for key, renamed in since.items():
                for name, before in renamed.items():
                    if codes.get(key) == before:
                        codes[key] = name
                        break
        return ";".join(f"{key}={codes[key]}" for key in order if key in codes)

    found = recounted(cells, then).filter(period=NOW)
    return found.with_columns(pl.col("breakdown").map_elements(called, pl.String))
