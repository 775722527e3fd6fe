"""Reads a file of the research folder: text into the types of its contract, checked by pandera.

Belongs here: how cells are typed, and how pandera's failures become problems at their rows. Does
not: the contract (schemas/research.py), nor which of several received files counts (store.py).
"""

from collections.abc import Iterator, Sequence
from copy import deepcopy
from typing import Final

import pandera.polars as pa
import polars as pl
from pandera.errors import SchemaErrors

from assets.research.advice import ADVICE
from assets.research.problem import Problem, ResearchError
from assets.research.table import ROW, text_table
from schemas.collection import Collection
from schemas.contract import Column, Contract, columns, keys
from schemas.errors import ContractError
from schemas.research import FILES
from schemas.vocabulary import NOT_HELD

_SHOWN: Final = 50
"""Characters of a cell that a message repeats."""

_WHOLE: Final = r"^([0-9]{1,9}|[1-9][0-9]{0,2}(,[0-9]{3}){1,2})$"


def research_years(collection: Collection) -> tuple[int, int]:
    """Return the years that a collection's research and survey may be of: the last and its own."""
    return collection.census.year - 1, collection.census.year


def read_file(file: str, content: bytes, collection: Collection) -> pl.DataFrame:
    """Return a research file as a frame of the contract that its name stands for.

    Raises:
        ResearchError: something in it is wrong; it lists everything that is.
    """
    return read_rows(file, content, collection)[0].drop(ROW)


def read_rows(
    file: str, content: bytes, collection: Collection
) -> tuple[pl.DataFrame, tuple[str, ...]]:
    """Return the rows of a research file with their numbers (ROW), and its headings in order.

    Args:
        file: a name of FILES.
        content: the bytes of the file.
        collection: the collection, which says the years that may stand in it.

    Raises:
        ResearchError: something in it is wrong; it lists everything that is.
    """
    contract = FILES[file]
    table = text_table(file, content, [column.name for column in columns(contract)])
    typed = table.cells.select(ROW, *(_typed(column) for column in columns(contract)))
    years = research_years(collection)
    problems = [*table.problems, *_cell_problems(file, contract, table.cells, typed, years)]
    sound = typed.filter(~pl.col(ROW).is_in([problem.row for problem in problems]))
    problems += _row_problems(file, contract, sound, all_sound=not problems)
    if problems:
        raise ResearchError(sorted(problems, key=lambda p: (p.row or 0, p.column or "")))
    return typed, table.headings


def _typed(column: Column) -> pl.Expr:
    """Return a column in its type, null where its text is not of that type."""
    text = pl.col(column.name)
    if column.dtype is pl.String:
        return pl.when(text != "").then(text).alias(column.name)
    number = text.str.replace_all(",", "").cast(pl.Int64, strict=False)
    return pl.when(text.str.contains(_WHOLE)).then(number).alias(column.name)


def _cell_problems(
    file: str, contract: Contract, cells: pl.DataFrame, typed: pl.DataFrame, years: Sequence[int]
) -> Iterator[Problem]:
    """Yield a problem for each cell that is not of its type, or holds a code not in its list.

    Only `not_held` makes a null where the contract allows one, so any other text is no null.
    """
    schema = _schema(contract)
    schema.checks, schema.unique = [], None
    schema.columns["year"].checks.append(pa.Check.isin(years))
    for column in schema.columns.values():
        column.nullable = False
    for name, _, index in _failures(schema, typed.drop(ROW)):
        text = cells[name][index]
        column = next(column for column in columns(contract) if column.name == name)
        if not (column.nullable and text == NOT_HELD):
            observed = repr(text[:_SHOWN]) if text else "a blank cell"
            yield Problem(file, cells[ROW][index], name, observed, *_wanted(column, years))


def _row_problems(
    file: str, contract: Contract, sound: pl.DataFrame, *, all_sound: bool
) -> Iterator[Problem]:
    """Yield a problem for each row that breaks a check of the contract on whole rows."""
    broken = [(ADVICE[check], i) for _, check, i in _failures(_schema(contract), sound.drop(ROW))]
    certain = [(advice, index) for advice, index in broken if not advice.needs_other_rows]
    for advice, index in broken if all_sound and not certain else certain:
        row = sound.row(index, named=True)
        shown = [advice.column] if advice.column else keys(contract)
        observed = ", ".join(str(row[name]) for name in shown)
        yield Problem(file, row[ROW], advice.column, observed, *advice.of(row))


def _schema(contract: Contract) -> pa.DataFrameSchema:
    """Return the contract with its key, as a copy that can be changed."""
    schema = deepcopy(contract.to_schema())
    schema.unique = keys(contract)
    return schema


def _failures(schema: pa.DataFrameSchema, frame: pl.DataFrame) -> list[tuple[str, str, int]]:
    """Return what pandera finds: column, check, and place in the frame from 0.

    Raises:
        ContractError: a check crashed, which pandera reports as bad data without a row.
    """
    try:
        schema.validate(frame, lazy=True)
    except SchemaErrors as error:
        cases: pl.DataFrame = error.failure_cases
    else:
        return []
    if cases["index"].null_count():
        raise ContractError(
            f"a research file cannot be held against its contract: {cases.head(3).to_dicts()}."
            " This is a fault of the program; report it."
        )
    return cases.select("column", "check", "index").unique(maintain_order=True).rows()


def _wanted(column: Column, years: Sequence[int]) -> tuple[str, str]:
    """Return what a column accepts, and what to do about a cell that is something else."""
    codes = years if column.name == "year" else column.allowed
    if codes:
        return f"one of {', '.join(map(str, codes))}", "Type one of them, as it is written here."
    if column.dtype is pl.String:
        return "a text", "Type it; no cell may be blank."
    if column.nullable:
        advice = f"Type the number; 0 for none, {NOT_HELD} where it was not counted."
        return f"a whole number or {NOT_HELD}", advice
    return "a whole number", "Type the number; 0 for none."
