"""Holds what marts lay out of single forces to the live cells: no number may change on the way.

National totals are recounted (recount.py). Of which cells a row of these marts is, is read from the
template's file, as there.
"""

import tomllib
from collections.abc import Iterator, Mapping
from typing import Final

import polars as pl

from assets.figures.recount.recount import Meaning
from schemas.collection import Collection

_CELL: Final = ["sheet", "row_code", "column_code"]
_NUMBERS: Final = {
    "investigations": ("cases", "investigations"),
    "register_entries": ("entries", "register_entries"),
    "second_jobs": ("count", "second_job"),
    "capability_answers": ("answer", ""),
}
"""The column of each mart that has what a force sent, and how the measures in it begin."""

LAID_OUT: Final = (*_NUMBERS, "force_profiles")
"""The marts that are held to the cells."""

_CALLED: Final = {"item": "row_code", "question_code": "question"}
_ANSWER: Final = "question"
"""What cells have that hold an answer."""


def laid_out_otherwise(
    marts: Mapping[str, pl.DataFrame], cells: pl.DataFrame, collection: Collection
) -> Iterator[str]:
    """Yield what marts of single forces say otherwise than the mart Cells, whatever they are of.

    `marts` are those of LAID_OUT by name; the message has no value, as it says of whom it is.
    """
    file = tomllib.loads(collection.template.path.read_text(encoding="utf-8"))
    meaning = Meaning(file)
    held = cells.join(meaning.cells(), on=_CELL).with_columns(
        pl.when(pl.col(_ANSWER).is_null())
        .then(pl.col("value").cast(pl.Int64, strict=False).cast(pl.String))
        .otherwise("value")
        .alias("held")
    )
    for name, mart in marts.items():
        if name in _NUMBERS:
            number, begins = _NUMBERS[name]
            laid = mart.rename({k: of for k, of in _CALLED.items() if k in mart.columns})
            dims = [n for n in laid.columns if n in held.columns and n not in {number, "basis"}]
            answers = number == "answer"
            asked = pl.col(_ANSWER).is_not_null() if answers else pl.col("period") == "collection"
            of = held.filter(pl.col("measure").str.starts_with(begins), asked)
            yield from _otherwise(name, laid, number, of, dims)
        else:
            of_returns = mart.filter(pl.col("basis") != "published")
            of_covers = held.join(cells.filter(sheet="cover"), on="force_code", how="semi")
            for column, of in file.get("profile", {}).items():
                wanted = of_covers.filter(meaning.profiled(of))
                yield from _otherwise(name, of_returns, column, wanted, ["force_code"])


def _otherwise(
    name: str, laid: pl.DataFrame, column: str, held: pl.DataFrame, dims: list[str]
) -> Iterator[str]:
    """Yield where a column of a mart says otherwise than the cells of its rows, by `dims`."""
    number = pl.col("held").cast(pl.Int64, strict=False)
    in_cells = held.group_by(dims).agg(
        pl.when(number.count() > 0)
        .then(number.sum().cast(pl.String))
        .otherwise(pl.col("held").first())
        .alias("held")
    )
    said = laid.select(*dims, said=pl.col(column).cast(pl.String))
    both = said.join(in_cells, on=dims, how="full", coalesce=True, nulls_equal=True)
    wrong = both.filter(pl.col("said").ne_missing(pl.col("held"))).sort(dims)
    for row in wrong.select(dims).iter_rows():
        yield f"{name}: {column} of {', '.join(filter(None, row))} is not what its cells hold"
