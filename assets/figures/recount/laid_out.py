"""What is laid out of totals, as the second engine counts it: comparisons with other releases."""

import tomllib
from collections.abc import Iterator, Mapping
from typing import Final

import polars as pl

from assets.figures.recount.recount import Meaning, recounted
from assets.marts import read_mart
from assets.previous import Earlier
from schemas.collection import Collection
from schemas.measures import NOW
from schemas.reference import beside


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
