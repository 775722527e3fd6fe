"""A CSV file as a table of text with numbered rows.

Belongs here: bytes, encoding, headings and the number of cells in a row. Does not: what a cell
means (reading.py).
"""

import csv
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from io import StringIO
from typing import Final

import polars as pl

from assets.research.problem import Problem, ResearchError

ROW: Final = "row"
"""Column with the row's number as a spreadsheet shows it."""

_SHOWN: Final = 50
"""Characters of a heading that a message repeats."""

_SAVE: Final = "Save the table as CSV UTF-8 and drop it again."


@dataclass(frozen=True)
class TextTable:
    """`cells`: ROW and the columns of the contract, all text. `problems`: rows left out of it.

    `headings`: the columns in the order of the file.
    """

    cells: pl.DataFrame
    headings: tuple[str, ...]
    problems: tuple[Problem, ...]


def text_table(file: str, content: bytes, names: Sequence[str]) -> TextTable:
    """Read CSV whose headings are `names`, in any order; blank lines are no rows.

    Raises:
        ResearchError: it is not CSV in UTF-8, its headings are others, or it has no rows.
    """
    lines = _lines(file, content)
    headings = [text.strip() for _, line in lines[:1] for text in line]
    wrong = _heading_problems(file, headings, names)
    if wrong:
        raise ResearchError(wrong)
    if len(lines) == 1:
        fix = "Send the rows too."
        raise whole_file(file, "headings without rows", "at least one row", fix)
    fitting = [(row, line) for row, line in lines[1:] if len(line) == len(headings)]
    problems = tuple(
        Problem(
            file, row, None, f"{len(line)} cells", f"{len(headings)}",
            "Put a text that holds a comma in double quotes; leave no cell out.",
        )
        for row, line in lines[1:]
        if len(line) != len(headings)
    )  # fmt: skip
    columns = {name: [line[at].strip() for _, line in fitting] for at, name in enumerate(headings)}
    cells = pl.DataFrame(
        {ROW: [row for row, _ in fitting], **{name: columns[name] for name in names}},
        schema={ROW: pl.Int64, **dict.fromkeys(names, pl.String)},
    )
    return TextTable(cells, tuple(headings), problems)


def whole_file(file: str, observed: str, expected: str, fix: str) -> ResearchError:
    """Return the error for a file that cannot be used at all."""
    return ResearchError([Problem(file, None, None, observed, expected, fix)])


def _lines(file: str, content: bytes) -> list[tuple[int, list[str]]]:
    """Return the lines that hold anything, each with its number."""
    try:
        text = content.decode("utf-8-sig")
        rows = csv.reader(StringIO(text, newline=""), strict=True)
        return [(number, row) for number, row in enumerate(rows, 1) if any(row)]
    except (UnicodeDecodeError, csv.Error) as error:
        raise whole_file(file, f"not readable ({error})", "CSV in UTF-8", _SAVE) from error


def _heading_problems(file: str, headings: list[str], names: Iterable[str]) -> list[Problem]:
    expected = ", ".join(names)
    found = [
        *((name, "the column is missing", "Add it.") for name in names if name not in headings),
        *((name, "unknown column", "Remove it.") for name in headings if name not in names),
        *(
            (name, "the column stands twice", "Remove one.")
            for name in names
            if headings.count(name) > 1
        ),
    ]
    return [
        Problem(file, 1, name[:_SHOWN] or "without a heading", what, f"the columns {expected}", fix)
        for name, what, fix in found
    ]
