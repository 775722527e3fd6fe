"""The second engine: DuckDB computes every national total from the live cells and the research.

It shares no code with figures/totals/ and inputs/research/, so that the two do not make the same
mistake (rule M004): it reads the template's file by a reader of its own, and the SQL beside it
finds the cells of each figure and counts them.
"""

import tomllib
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import duckdb
import polars as pl

from assets.inputs.research.tables import ResearchTables
from assets.marts import read_mart
from assets.previous import Earlier
from schemas.collection import Collection
from schemas.reference import beside
from schemas.research import QUESTIONS

SQL: Final = Path(__file__).with_name("recount.sql")
RESEARCH_SQL: Final = Path(__file__).with_name("research.sql")
KEY: Final = ["measure", "breakdown", "period"]

OF_CELLS_ALONE: Final = ("reporting_bodies", "months_in_collection")
"""Measures that come from no cell, and are not recounted."""

_TOLERANCE: Final = 1e-9
"""Relative difference of two floats that are the same figure; counts must be equal."""

_CELL: Final = ["sheet", "row_code", "column_code"]
_NOW: Final = "collection"
_KINDS: Final[dict[str, Any]] = {
    "codes": pl.List(pl.Struct({"key": pl.String, "value": pl.String})),
    **dict.fromkeys(("answers", "keys", "within", "listed"), pl.List(pl.String)),
    **dict.fromkeys(("grouped", "crossed"), pl.Boolean),
    **dict.fromkeys(("id", "low", "high", "months"), pl.Int64),
    **dict.fromkeys(("share", "cases", "change"), pl.Float64),
}
"""The types of what the SQL is given, where it is no text."""

_COUNTED: Final = (*_CELL, "measure", "period")
_PLACE: Final = (*_COUNTED, "codes", "grouped", "answers")
_LEVEL: Final = ("id", "kind", "measure", "name", "keys", "within", "without", "crossed", "listed")

Row = dict[str, Any]


@contextmanager
def counting(
    cells: pl.DataFrame, collection: Collection, **more: pl.DataFrame
) -> Iterator[duckdb.DuckDBPyConnection]:
    """Give the second engine with what recount.sql makes of the mart Cells: figure, whole, ..."""
    meaning = Meaning(collection)
    given = {
        "cells": cells,
        "place": frame(_PLACE, meaning.places()),
        "level": frame(_LEVEL, meaning.levels()),
        "inside": frame(("measure", "of", "whole"), meaning.inside()),
        "band": frame(("text", "low", "high"), _bands(collection)),
        "months": frame(("period", "months"), _months(collection)),
    }
    with _engine({**given, **more}) as engine:
        engine.execute(SQL.read_text(encoding="utf-8"))
        yield engine


def recounted(cells: pl.DataFrame, collection: Collection) -> pl.DataFrame:
    """Return every national total of the mart Cells as the second engine finds it.

    One row a total: measure, breakdown, period, value (null for unknown), forces_included.
    """
    with counting(cells, collection) as engine:
        found: pl.DataFrame = engine.table("figure").pl()
    return found.sort(KEY)


def research_recounted(research: ResearchTables, collection: Collection) -> pl.DataFrame:
    """Return every total of the inspectorate's own research as the second engine finds it.

    The columns are those of `recounted`; what the research does not give has no row.
    """
    choices = (
        {"question": code, "answer": answer}
        for code, asked in QUESTIONS.items()
        for answer in asked.answers
    )
    given = {
        "profile": research.profiles,
        "instance": research.instances,
        "response": research.responses,
        "choice": frame(("question", "answer"), choices),
        "census": pl.DataFrame({"year": [collection.census.year]}),
        "ours": pl.DataFrame({"force_code": collection.forces}),
    }
    with _engine(given) as engine:
        found: pl.DataFrame = engine.sql(RESEARCH_SQL.read_text(encoding="utf-8")).pl()
    return found.sort(KEY)


def frame(columns: Iterable[str], rows: Iterable[Row]) -> pl.DataFrame:
    """Return a table that the SQL is given; what a row does not name is null."""
    schema = {name: _KINDS.get(name, pl.String) for name in columns}
    return pl.DataFrame([[row.get(name) for name in schema] for row in rows], schema, orient="row")


@contextmanager
def _engine(given: Mapping[str, pl.DataFrame]) -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect(":memory:", config={"threads": 1}) as engine:
        for name, table in given.items():
            engine.register(name, table.to_arrow())
        yield engine


def _bands(collection: Collection) -> Iterator[Row]:
    for text in collection.count_bands:
        ends = text.split("..")
        yield {"text": text, "low": int(ends[0]), "high": int(ends[-1]) if ends[-1] else None}


def _months(collection: Collection) -> Iterator[Row]:
    for name, p in {_NOW: collection.period, **collection.comparators}.items():
        months = (p.end.year - p.start.year) * 12 + p.end.month - p.start.month + 1
        yield {"period": name, "months": months}


class Meaning:
    """What a template's file says: the cells that count something, and the figures of them."""

    def __init__(self, collection: Collection) -> None:
        file = tomllib.loads(collection.template.path.read_text(encoding="utf-8"))
        self.profile: dict[str, Row] = file.get("profile", {})
        self._measures: dict[str, Row] = file["measures"]
        self._groups: dict[str, dict[str, list[str]]] = file.get("groups", {})
        self._codes: dict[str, list[str]] = {name: list(of) for name, of in file["lists"].items()}
        first, last = ["question", "answer", "year", "site"], ["count", "statistic"]
        self.order = [*first, *(name for name in self._codes if name not in first), *last]
        self._cells = [cell for sheet in file["sheet"] for cell in self._of_sheet(sheet)]

    @staticmethod
    def _of_sheet(sheet: Row) -> Iterator[Row]:
        asked = [{**q, "dims": {"question": q["code"]}} for q in sheet.get("questions", ())]
        for row in [*sheet.get("rows", ()), *asked]:
            for column in sheet["columns"]:
                named = (line.get("measure") for line in (row, column, sheet))
                measure = next((name for name in named if name), None)
                if measure and not row.get("sum_of") and not column.get("sum_of"):
                    place = zip(_CELL, (sheet["name"], row["code"], column["code"]), strict=True)
                    own = (line.get("period", _NOW) for line in (row, column))
                    yield {
                        **dict(place),
                        "measure": measure,
                        "period": next((name for name in own if name != _NOW), _NOW),
                        "dims": {**row.get("dims", {}), **column.get("dims", {})},
                        "answers": row.get("answers"),
                    }

    def cells(self) -> pl.DataFrame:
        """Return each counted cell: its place, measure, period, and its code of each key."""
        rows = [(*map(c.get, _COUNTED), *map(c["dims"].get, self.order)) for c in self._cells]
        schema = dict.fromkeys((*_COUNTED, *self.order), pl.String)
        return pl.DataFrame(rows, schema, orient="row")

    def profiled(self, of: dict[str, Any]) -> pl.Expr:
        """Return which of `cells` a column of a profile counts, as the template says."""
        codes, period = of.get("dims", {}), of.get("period", _NOW)
        found: pl.Expr = (pl.col("measure") == of["measure"]) & (pl.col("period") == period)
        for key in self.order:
            if key in codes:
                each = self._groups.get(key, {}).get(codes[key], [codes[key]])
                found &= pl.col(key).is_in(each)
            elif period != _NOW:
                found &= pl.col(key).is_null()
        return found

    def places(self) -> Iterator[Row]:
        """Yield the rows of `place`: each counted cell, also under the groups of its codes."""
        for cell in self._cells:
            key, dims = self._measures[cell["measure"]].get("crossed_by", ""), cell["dims"]
            groups = [name for name, of in self._groups.get(key, {}).items() if dims.get(key) in of]
            for group in (None, *groups):
                named = {**dims, key: group} if group else dims
                codes = [{"key": k, "value": named[k]} for k in self.order if k in named]
                yield {**cell, "codes": codes, "grouped": group is not None}

    def inside(self) -> Iterator[Row]:
        """Yield the rows of `inside`: the figure that all of a measure is part of."""
        for name, of in self._measures.items():
            if within := of.get("within"):
                codes = within.get("dims", {})
                whole = ";".join(f"{key}={codes[key]}" for key in self.order if key in codes)
                yield {"measure": name, "of": within["measure"], "whole": whole}

    def levels(self) -> Iterator[Row]:
        """Yield the rows of `level`: the figures of each measure that are at some keys."""
        described = (
            {"measure": name, "name": name, "within": [], "crossed": False, **row}
            for name, of in self._measures.items()
            for row in self._of_measure(name, of)
        )
        for number, row in enumerate(described):
            yield {**row, "id": number, "keys": [key for key in self.order if key in row["by"]]}

    def _of_measure(self, name: str, of: Row) -> Iterator[Row]:
        for level in of.get("levels", ()):
            at = level if isinstance(level, dict) else {"by": level}
            yield {"kind": "value", **at}
            if crossed := of.get("crossed_by"):
                yield {"kind": "value", **at, "by": [*at["by"], crossed], "crossed": True}
        for share in of.get("shares", ()):
            yield {"kind": "share", "name": f"{name}_share", **share}
        for kind in ("per_month", "per_force"):
            for by in of.get(kind, ()):
                yield {"kind": kind, "name": f"{name}_{kind}", "by": by}
        if listed := of.get("statistics"):
            yield {"kind": "single", "by": [], "listed": listed}
        if along := of.get("change"):
            listed = self._codes[along]
            yield {"kind": "change", "name": f"{name}_change", "by": [along], "listed": listed}


def differences(national: pl.DataFrame, recount: pl.DataFrame) -> pl.DataFrame:
    """Return the totals on which the two engines differ; empty where they agree.

    Columns: measure, breakdown, period, value, recounted, forces_included, forces_recounted. A
    total that only one engine has differs too. `national` is the mart NationalTotals; `recount`
    has the rows of `recounted`, and of `research_recounted` where there is research.
    """
    ours = national.filter(~pl.col("measure").is_in(OF_CELLS_ALONE)).select(
        *KEY, "value", "forces_included", pl.lit(value=True).alias("ours")
    )
    theirs = recount.select(
        *KEY,
        pl.col("value").alias("recounted"),
        pl.col("forces_included").alias("forces_recounted"),
        pl.lit(value=True).alias("theirs"),
    )
    both = ours.join(theirs, on=KEY, how="full", coalesce=True)
    value, other = pl.col("value"), pl.col("recounted")
    close = (value - other).abs() <= _TOLERANCE * pl.max_horizontal(value.abs(), other.abs(), 1.0)
    same_value = close.fill_null(value=False) | (value.is_null() & other.is_null())
    same_forces = pl.col("forces_included").eq_missing(pl.col("forces_recounted"))
    in_both = pl.col("ours").is_not_null() & pl.col("theirs").is_not_null()
    # What no live return gives is a row of nothing to one engine, and no row to the other.
    of_nothing = (pl.col("forces_included") == 0) & value.is_null() & pl.col("theirs").is_null()
    agreed = (in_both & same_value & same_forces) | of_nothing.fill_null(value=False)
    return both.filter(~agreed).drop("ours", "theirs").sort(KEY)


def in_cube_otherwise(
    cube: pl.DataFrame, recount: pl.DataFrame, wholes: pl.DataFrame, collection: Collection
) -> Iterator[str]:
    """Yield what a cube says otherwise than the second engine, given every total that it finds.

    These are its figures, and the sums of its parts, which are held to what all cells of each
    measure hold (`wholes`: measure, whole).
    """
    order = dict.fromkeys([*Meaning(collection).order, *_OF_ALL_COLLECTIONS])
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
    parts = laid.filter(~pl.col("is_total"), period=_NOW).group_by("measure")
    both = parts.agg(pl.col("value").sum()).join(wholes, on="measure").sort("measure")
    for measure, value, whole in both.filter(pl.col("value") != pl.col("whole")).iter_rows():
        yield f"{measure}: its parts in the cube add up to {value:g}, not to {whole}"


_OF_ALL_COLLECTIONS: Final = ("category", "kind")
"""Dimensions that research and bodies have too, whatever the template lists."""


def compared_otherwise(
    counted: pl.DataFrame,
    comparisons: pl.DataFrame,
    released: Mapping[str, Earlier],
    collection: Collection,
) -> Iterator[str]:
    """Yield the numbers of comparisons that are counted otherwise.

    `counted` is as `recounted` returns it, `released` the releases compared with, by collection.
    """
    sides = [(comparisons, "value", counted.filter(period=_NOW), collection.id)]
    by = comparisons.partition_by("previous_collection", "previous_period", as_dict=True)
    for (other, period), rows in by.items():
        if other is None:
            sides.append((rows, "previous_value", counted.filter(period=period), str(period)))
        elif one := released.get(str(other)):
            cells = read_mart(one.folder, "cells")
            then = earlier_recounted(cells, one.collection, collection)
            sides.append((rows, "previous_value", then, one.folder.name))
    for rows, column, recount, where in sides:
        found = recount.select("measure", "breakdown", recounted="value")
        both = rows.join(found, on=["measure", "breakdown"], how="left")
        wrong = both.filter(pl.col(column).ne_missing(pl.col("recounted")))
        for row in wrong.iter_rows(named=True):
            yield (
                f"{row['measure']} {row['breakdown']} in {where}: {row[column]} in comparisons,"
                f" recounted {row['recounted']}"
            )


def earlier_recounted(cells: pl.DataFrame, then: Collection, now: Collection) -> pl.DataFrame:
    """Return what another collection counted as the second engine finds it, in the codes of now.

    Of the mart Cells of its release it gives the columns of `recounted`, of the collection's own
    period. `then` is as the release keeps it; the template of `now` says what was renamed since.
    """
    own = now.template
    names = (f"{own.name}-{at}.toml" for at in range(then.template.version + 1, own.version + 1))
    paths = (beside(now.root, "templates", name) for name in names)
    read = [tomllib.loads(path.read_text(encoding="utf-8")) for path in paths if path.exists()]
    order = Meaning(now).order

    def called(breakdown: str) -> str:
        codes = dict(part.split("=", 1) for part in breakdown.split(";") if part)
        for since in (file.get("since", {}) for file in read):
            for key, renamed in since.items():
                names = {before: name for name, before in renamed.items()}
                codes |= {key: names.get(codes[key], codes[key])} if key in codes else {}
        return ";".join(f"{key}={codes[key]}" for key in order if key in codes)

    found = recounted(cells, then).filter(period=_NOW)
    return found.with_columns(pl.col("breakdown").map_elements(called, pl.String))


_NUMBERS: Final = {
    "investigations": ("cases", r"investigations"),
    "register_entries": ("entries", r"register_entries"),
    "second_jobs": ("count", r"second_job_(applications|approvals_in_breach|review_months)"),
    "capability_answers": ("answer", r".*"),
}
"""The column of each mart that has what a force sent, and the names of the measures in it."""

LAID_OUT: Final = (*_NUMBERS, "force_profiles")
"""The marts of single forces that are held to the cells: no number may change on the way."""


def laid_out_otherwise(
    marts: Mapping[str, pl.DataFrame], cells: pl.DataFrame, collection: Collection
) -> Iterator[str]:
    """Yield what marts of single forces say otherwise than the mart Cells, whatever they are of.

    `marts` are those of LAID_OUT by name; the message has no value, as it says of whom it is.
    """
    meaning, asked = Meaning(collection), pl.col("question").is_not_null()
    number = pl.col("value").cast(pl.Int64, strict=False).cast(pl.String)
    held = cells.join(meaning.cells(), on=_CELL).with_columns(
        held=pl.when(asked).then("value").otherwise(number)
    )
    for name, mart in marts.items():
        if name in _NUMBERS:
            column, names = _NUMBERS[name]
            called = {"item": "row_code", "question_code": "question"}
            laid = mart.rename({k: of for k, of in called.items() if k in mart.columns})
            dims = [n for n in laid.columns if n in held.columns and n not in {column, "basis"}]
            wanted = asked if column == "answer" else pl.col("period") == _NOW
            of = held.filter(pl.col("measure").str.contains(f"^({names})$"), wanted)
            yield from _otherwise(name, laid, column, of, dims)
        else:
            of_returns = mart.filter(pl.col("basis") != "published")
            for column, figure in meaning.profile.items():
                of = held.filter(meaning.profiled(figure))
                yield from _otherwise(name, of_returns, column, of, ["force_code"])


def _otherwise(
    name: str, laid: pl.DataFrame, column: str, held: pl.DataFrame, dims: list[str]
) -> Iterator[str]:
    """Yield where a column of a mart says otherwise than the cells of its rows, by `dims`."""
    number = pl.col("held").cast(pl.Int64, strict=False)
    total = pl.when(number.count() > 0).then(number.sum().cast(pl.String))
    in_cells = held.group_by(dims).agg(total.otherwise(pl.col("held").first()).alias("held"))
    said = laid.select(*dims, said=pl.col(column).cast(pl.String))
    both = said.join(in_cells, on=dims, how="full", coalesce=True, nulls_equal=True)
    wrong = both.filter(pl.col("said").ne_missing(pl.col("held"))).sort(dims)
    for row in wrong.select(dims).iter_rows():
        yield f"{name}: {column} of {', '.join(filter(None, row))} is not what its cells hold"
