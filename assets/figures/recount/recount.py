"""The second engine: DuckDB computes every national total from the live cells and the research.

It shares no code with figures/totals/ and inputs/research/, so that the two do not make the same
mistake (rule M004): it reads the template's file by a reader of its own, which lists for each
figure the cells that are in it, and the SQL beside it counts them.
"""

import tomllib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import combinations
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

_CELL: Final = ("sheet", "row_code", "column_code")
_NOW: Final = "collection"

Codes = dict[str, str]
Listed = Iterator[tuple[Any, ...]]


def recounted(cells: pl.DataFrame, collection: Collection) -> pl.DataFrame:
    """Return every national total of the mart Cells as the second engine finds it.

    One row a total: measure, breakdown, period, value (null for unknown), forces_included.
    """
    meaning = Meaning(tomllib.loads(collection.template.path.read_text(encoding="utf-8")))
    given = {
        "part": ([*KEY, "role", *_CELL], meaning.parts()),
        "rated": (KEY, meaning.rated()),
        "spread": (KEY, meaning.spread()),
        "single": (["measure", "statistic", *_CELL], meaning.singles()),
        "ends": (["measure", "sign", *_CELL], meaning.ends()),
        "offered": (["measure", "question", "answers", "answer", *_CELL], meaning.offered()),
        "band": (["text", "low", "high"], _bands(collection)),
        "months": (["period", "months"], _months(collection)),
    }
    with duckdb.connect(":memory:", config={"threads": 1}) as engine:
        engine.register("cells", cells.to_arrow())
        for name, (columns, rows) in given.items():
            numbers = dict.fromkeys(("sign", "low", "high", "months"), pl.Int64)
            schema = {column: numbers.get(column, pl.String) for column in columns}
            table = pl.DataFrame(list(dict.fromkeys(rows)), schema=schema, orient="row")
            engine.register(name, table.to_arrow())
        found: pl.DataFrame = engine.sql(SQL.read_text(encoding="utf-8")).pl()
    return found.select(*KEY, "value", "forces_included").sort(KEY)


@dataclass(frozen=True)
class _Counted:
    """A cell that counts something: its place, measure and period, at which codes."""

    place: tuple[str, str, str]
    measure: str
    period: str
    codes: Codes
    answers: tuple[str, ...]


class Meaning:
    """What a template's file says each figure is made of, as lists for the SQL."""

    def __init__(self, file: dict[str, Any]) -> None:
        self._measures: dict[str, dict[str, Any]] = file["measures"]
        self._groups: dict[str, dict[str, list[str]]] = file.get("groups", {})
        self._codes: dict[str, list[str]] = {name: list(of) for name, of in file["lists"].items()}
        first = ["question", "answer", "year", "site"]
        last = ["count", "statistic"]
        self.order = [*first, *(name for name in self._codes if name not in first), *last]
        self._cells = [cell for sheet in file["sheet"] for cell in self._of_sheet(sheet)]

    @staticmethod
    def _of_sheet(sheet: dict[str, Any]) -> Iterator[_Counted]:
        asked = [{**q, "dims": {"question": q["code"]}} for q in sheet.get("questions", ())]
        for row in [*sheet.get("rows", ()), *asked]:
            for column in sheet["columns"]:
                named = (line.get("measure") for line in (row, column, sheet))
                measure = next((name for name in named if name), None)
                if measure and not row.get("sum_of") and not column.get("sum_of"):
                    codes = {**row.get("dims", {}), **column.get("dims", {})}
                    place = (sheet["name"], row["code"], column["code"])
                    own = (line.get("period", _NOW) for line in (row, column))
                    period = next((name for name in own if name != _NOW), _NOW)
                    yield _Counted(place, measure, period, codes, tuple(row.get("answers", ())))

    def cells(self) -> pl.DataFrame:
        """Return each counted cell: its place, measure, period, and its code of each key."""
        rows = [(*c.place, c.measure, c.period, *map(c.codes.get, self.order)) for c in self._cells]
        schema = dict.fromkeys([*_CELL, "measure", "period", *self.order], pl.String)
        return pl.DataFrame(rows, schema=schema, orient="row")

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

    def _text(self, codes: Codes) -> str:
        return ";".join(f"{key}={codes[key]}" for key in self.order if key in codes)

    def _now(self, measure: str) -> list[_Counted]:
        return [c for c in self._cells if (c.measure, c.period) == (measure, _NOW)]

    def _levels(self, measure: str) -> Iterator[tuple[list[str], str | None]]:
        for level in self._measures[measure].get("levels", ()):
            yield (level["by"], level.get("without")) if isinstance(level, dict) else (level, None)

    def _named(self, cell: _Counted, crossed: str | None) -> Iterator[Codes]:
        """Yield the codes a cell is counted under: its own, those of each group, and of all."""
        own = {key: code for key, code in cell.codes.items() if key != crossed}
        yield own
        if crossed and crossed in cell.codes:
            yield cell.codes
            for group, codes in self._groups.get(crossed, {}).items():
                if cell.codes[crossed] in codes:
                    yield {**own, crossed: group}

    def parts(self) -> Listed:
        """Yield the cells of every total and of both sides of every percent."""
        for measure, described in self._measures.items():
            crossed = described.get("crossed_by")
            for cell in self._now(measure):
                for by, without in self._levels(measure):
                    if without in cell.codes or not set(by) <= set(cell.codes):
                        continue
                    for codes in self._named(cell, crossed):
                        kept = {key: codes[key] for key in {*by, crossed} & set(codes) if key}
                        yield measure, self._text(kept), _NOW, "value", *cell.place
            for share in described.get("shares", ()):
                yield from self._of_share(measure, share)
        for cell in self._cells:
            if cell.period != _NOW:
                yield cell.measure, self._text(cell.codes), cell.period, "value", *cell.place

    def _of_share(self, measure: str, share: dict[str, Any]) -> Listed:
        name, within = share.get("name", f"{measure}_share"), share.get("within", ())
        whole = [cell for cell in self._now(measure) if set(share["by"]) <= set(cell.codes)]
        for codes in {tuple(cell.codes[key] for key in share["by"]) for cell in whole}:
            part = dict(zip(share["by"], codes, strict=True))
            for cell in whole:
                if all(cell.codes[key] == code for key, code in part.items()):
                    yield name, self._text(part), _NOW, "numerator", *cell.place
                if all(cell.codes[key] == part[key] for key in within):
                    yield name, self._text(part), _NOW, "denominator", *cell.place

    def _at(self, measure: str, levels: Iterable[list[str]]) -> Iterator[tuple[str, str, str]]:
        for cell in self._cells:
            for by in levels if cell.measure == measure else ():
                whole = cell.period == _NOW and set(by) <= set(cell.codes)
                if whole or set(by) == set(cell.codes):
                    codes = {key: cell.codes[key] for key in by}
                    yield measure, self._text(codes), cell.period

    def rated(self) -> Listed:
        """Yield the totals that have a monthly rate."""
        for measure, described in self._measures.items():
            yield from self._at(measure, described.get("per_month", ()))

    def spread(self) -> Listed:
        """Yield the totals that have a spread over the forces, all of the collection's period."""
        for measure, described in self._measures.items():
            for key in self._at(measure, described.get("per_force", ())):
                if key[2] == _NOW:
                    yield key

    def singles(self) -> Listed:
        """Yield the statistics of measures that have one entry a force."""
        for measure, described in self._measures.items():
            for statistic in described.get("statistics", ()):
                for cell in self._now(measure):
                    yield measure, statistic, *cell.place

    def ends(self) -> Listed:
        """Yield what each change goes from and to: the first and last code that is counted."""
        for measure, described in self._measures.items():
            key = described.get("change", "")
            cells = [cell for cell in self._now(measure) if key in cell.codes]
            used = {cell.codes[key] for cell in cells}
            listed = [code for code in self._codes.get(key, ()) if code in used]
            for cell in cells:
                for code, sign in ((listed[0], -1), (listed[-1], 1)):
                    if cell.codes[key] == code:
                        yield measure, sign, *cell.place

    def offered(self) -> Listed:
        """Yield the answers that each figure counts: each alone, and of more than two each pair."""
        for cell in self._cells:
            question = cell.codes.get("question")
            pairs = combinations(cell.answers, 2) if len(cell.answers) > 2 else ()
            for answers in [*((answer,) for answer in cell.answers), *pairs] if question else ():
                for answer in answers:
                    yield cell.measure, question, "|".join(answers), answer, *cell.place


def research_recounted(research: ResearchTables, collection: Collection) -> pl.DataFrame:
    """Return every total of the inspectorate's own research as the second engine finds it.

    The columns are those of `recounted`; what the research does not give has no row.
    """
    choices = [(code, answer) for code, asked in QUESTIONS.items() for answer in asked.answers]
    with duckdb.connect(":memory:", config={"threads": 1}) as engine:
        engine.register("profile", research.profiles.to_arrow())
        engine.register("instance", research.instances.to_arrow())
        engine.register("response", research.responses.to_arrow())
        choice = pl.DataFrame(choices, schema=["question", "answer"], orient="row")
        engine.register("choice", choice.to_arrow())
        engine.register("census", pl.DataFrame({"year": [collection.census.year]}).to_arrow())
        engine.register("ours", pl.DataFrame({"force_code": collection.forces}).to_arrow())
        found: pl.DataFrame = engine.sql(RESEARCH_SQL.read_text(encoding="utf-8")).pl()
    return found.select(*KEY, "value", "forces_included").sort(KEY)


def _bands(collection: Collection) -> Listed:
    for text in collection.count_bands:
        ends = text.split("..")
        yield text, int(ends[0]), int(ends[-1]) if ends[-1] else None


def _months(collection: Collection) -> Listed:
    periods = {_NOW: collection.period, **collection.comparators}
    for name, p in periods.items():
        yield name, (p.end.year - p.start.year) * 12 + p.end.month - p.start.month + 1


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
    cube: pl.DataFrame, recount: pl.DataFrame, cells: pl.DataFrame, collection: Collection
) -> Iterator[str]:
    """Yield what a cube says otherwise than the second engine, given every total that it finds.

    These are its figures, and the sums of its parts, which are held to the mart Cells.
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
    parts = laid.filter(~pl.col("is_total"), period=_NOW).group_by("measure")
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
        "number": ((at, row[0]) for row in meaning.parts() if row[2:4] == (_NOW, "value")
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
    """Yield the numbers of comparisons that are counted otherwise.

    `counted` is as `recounted` returns it, `released` the releases compared with, by collection.
    """
    own = counted.filter(period=_NOW).select(*_FIGURE, recounted="value")
    yield from _beside(comparisons, "value", own, collection.id)
    by = comparisons.partition_by("previous_collection", "previous_period", as_dict=True)
    for (other, period), rows in by.items():
        if other is None:
            where, then = period, counted.filter(period=period)
        elif one := released.get(str(other)):
            where, cells = one.folder.name, read_mart(one.folder, "cells")
            then = earlier_recounted(cells, one.collection, collection)
        else:
            continue
        was = then.select(*_FIGURE, recounted="value")
        yield from _beside(rows, "previous_value", was, where)


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

    Of the mart Cells of its release it gives the columns of `recounted`, of the collection's own
    period. `then` is as the release keeps it; the template of `now` says what was renamed since.
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

    found = recounted(cells, then).filter(period=_NOW)
    return found.with_columns(pl.col("breakdown").map_elements(called, pl.String))
