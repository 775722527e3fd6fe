"""The sample as files that can be dropped in landing: `muster sample`.

The 44 returns are what returns.csv stores and every entry that follows from it. The cases of each
add up to its grid; days, references and who is concerned are invented, like the returns themselves.
"""

from collections.abc import Callable, Iterator, Mapping
from datetime import date, timedelta
from functools import cache, partial
from pathlib import Path
from typing import Any, Final, TypeVar

import polars as pl

from assets.lake import write_errors
from assets.returns.template.workbook import prefilled, write_workbook
from assets.sample.research import fraction, sample_research
from schemas import vocabulary as v
from schemas.cases import TYPES
from schemas.collection import Collection
from schemas.template import Row, Template
from schemas.template_file import load_template

RETURNS_PATH: Final = Path(__file__).with_name("returns.csv")

SUSPENDED: Final = "people_suspended"

COLUMNS: Final = ("force_code", "sheet", "row_code", "column_code", "value")

_BASIS: Final = "reconstructed"


def returns_template() -> Template:
    """Return template `returns`, version 1, which the sample is made for."""
    return load_template("returns-1")


def sample_returns(collection: Collection) -> pl.DataFrame:
    """Return every entry of the collection's template, for each of its forces.

    The frame has the columns force_code, sheet, row_code, column_code (together the key) and
    value, all text: a whole number, a coded answer, `not_held`, `not_applicable`, an ISO date or
    a wording. It is sorted by its key. No entry was sent by a force; the cover sheets say so.
    """
    cover = [
        (force, *place, value)
        for force in collection.forces
        for place, value in {
            **prefilled(collection, force, _BASIS),
            ("cover", "data_as_at", "value"): collection.census.isoformat(),
        }.items()
    ]
    given = pl.DataFrame(cover, schema=COLUMNS, orient="row")
    entries = pl.concat([_counted(), given])
    return entries.filter(pl.col("force_code").is_in(collection.forces)).sort(COLUMNS[:-1])


@cache
def _counted() -> pl.DataFrame:
    """Return what is stored of every force, and its sums; a cover is of a collection."""
    stored = pl.read_csv(RETURNS_PATH, infer_schema=False)
    return pl.concat([stored, _sums(stored)])


def _sums(stored: pl.DataFrame) -> pl.DataFrame:
    """Add up the entries that totals and subtotals consist of.

    What is not held counts for nothing; a total of which no part applies does not apply either.
    """
    leaves = returns_template().leaves.items()
    parts = pl.DataFrame(
        [(*part, *total[1:]) for total, parts in leaves for part in parts],
        schema=[*COLUMNS[1:-1], "sum_row", "sum_column"],
        orient="row",
    )
    number = pl.col("value").cast(pl.Int64, strict=False)
    total = number.sum().cast(pl.String)
    return (
        stored.join(parts, on=COLUMNS[1:-1])
        .group_by("force_code", "sheet", "sum_row", "sum_column")
        .agg(
            value=pl.when(number.is_not_null().any())
            .then(total)
            .otherwise(pl.lit(v.NOT_APPLICABLE))
        )
        .rename({"sum_row": "row_code", "sum_column": "column_code"})
        .select(COLUMNS)
    )


_SHEET: Final = "investigations"
_CONTINUING: Final = "continuing"
_OFFICERS: Final = 0.7
"""Share of the cases that concern a police officer; it was not published."""

_EARLIER: Final = 1.6
"""Ended cases were opened earlier than continuing ones: days are drawn with this exponent."""


def sample_cases(collection: Collection) -> pl.DataFrame:
    """Return one row a case of each force, with the columns of CaseExtract.

    They are sorted by force and reference, and the references of a force are numbered in the
    order in which its cases were opened. Counted by subject and outcome, they are the
    investigation grids of `sample_returns`.
    """
    grids: dict[str, dict[tuple[str, str], int]] = {force: {} for force in collection.forces}
    cells = sample_returns(collection).filter(sheet=_SHEET)
    for force, row_code, column_code, value in cells.drop("sheet").iter_rows():
        grids[force][row_code, column_code] = int(value)
    cases = []
    for force in sorted(grids):
        opened = sorted(_cases(force, grids[force], collection), key=lambda case: case["opened_on"])
        for number, case in enumerate(opened, start=1):
            reference = f"{force}-{case['opened_on'].year}-{number:06}"
            cases.append({**case, "force_code": force, "case_ref": reference})
    return pl.DataFrame(cases, schema=TYPES)


def _cases(
    force: str, grid: Mapping[tuple[str, str], int], collection: Collection
) -> Iterator[dict[str, Any]]:
    """Yield the cases of a force, subject by subject."""
    template = returns_template()
    rows = template.sheet(_SHEET).rows
    for row in (row for row in rows if not row.sum_of):
        suspended = grid.get((row.code, SUSPENDED), 0)
        for outcome in template.lists["outcome"]:
            for number in range(grid[row.code, outcome]):
                drawn = partial(_drawn, (force, row.code, outcome, number))
                yield _case(row, outcome, drawn, collection) | {"suspended": suspended > 0}
                suspended -= 1


def _drawn(case: tuple[object, ...], what: str) -> float:
    return fraction("case", what, *case)


def _case(
    row: Row, outcome: str, drawn: Callable[[str], float], collection: Collection
) -> dict[str, Any]:
    continuing, dims = outcome == _CONTINUING, row.entries[0].dims
    exponent = 1 if continuing else _EARLIER
    opened = _day(collection.period.start, collection.period.end, drawn("opened") ** exponent)
    return {
        **{name: dims.get(name) for name in ("category", "recipient", "media")},
        "opened_on": opened,
        "status_at_census": outcome,
        "closed_on": None if continuing else _day(opened, collection.census, drawn("closed")),
        "workforce": "officer" if drawn("workforce") < _OFFICERS else "staff",
    }


def _day(first: date, last: date, drawn: float) -> date:
    return first + timedelta(days=int(drawn * ((last - first).days + 1)))


T = TypeVar("T")


def write_research(folder: Path, collection: Collection) -> list[Path]:
    """Write the files of the research folder; return their paths."""
    texts = sample_research(collection)
    return _write(folder, texts, lambda path, text: path.write_bytes(text.encode()))


def write_cases(folder: Path, collection: Collection) -> list[Path]:
    """Write one case-level extract for each force of the collection; return their paths.

    Each agrees with the workbook of its force. Its metadata say that it is reconstructed.
    """
    cases = _by_force(sample_cases(collection), "parquet")
    basis = {"basis": "reconstructed"}
    return _write(folder, cases, lambda path, mine: mine.write_parquet(path, metadata=basis))


def write_sample(folder: Path, collection: Collection) -> list[Path]:
    """Write one workbook for each force of the collection; return their paths."""

    def workbook(path: Path, entries: pl.DataFrame) -> None:
        rows = entries.select("sheet", "row_code", "column_code", "value").iter_rows()
        values = {(sheet, row, column): value for sheet, row, column, value in rows}
        write_workbook(path, collection.template, collection, values)

    return _write(folder, _by_force(sample_returns(collection), "xlsx"), workbook)


def _by_force(frame: pl.DataFrame, ending: str) -> dict[str, pl.DataFrame]:
    parts = frame.partition_by("force_code", as_dict=True)
    return {f"{force}.{ending}": mine for (force,), mine in sorted(parts.items())}


def _write(folder: Path, files: Mapping[str, T], write: Callable[[Path, T], object]) -> list[Path]:
    with write_errors(folder):
        folder.mkdir(parents=True, exist_ok=True)
        for name, content in files.items():
            write(folder / name, content)
    return [folder / name for name in files]
