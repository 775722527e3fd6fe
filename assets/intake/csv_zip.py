"""Reads a return sent as a zip of CSV files, one a sheet, named after it.

Belongs here: the same raw cells that a workbook would give. Does not: what a cell means.
"""

import csv
from io import StringIO
from pathlib import PurePosixPath

from assets.intake.container import Container
from assets.intake.reading import Cell, RawSheet, RefusedError
from assets.intake.sheet_scan import MAX_COLUMNS, MAX_ROWS


def read_csv_zip(container: Container) -> tuple[RawSheet, ...]:
    """Return one sheet for each CSV file, its rows and columns numbered as a spreadsheet would.

    Raises:
        RefusedError: a file is not text, is not CSV, is too long, or two give the same sheet.
    """
    sheets: dict[str, RawSheet] = {}
    for name in container.names():
        path = PurePosixPath(name)
        if path.suffix.lower() != ".csv" or path.name.startswith("."):
            continue
        if path.stem in sheets:
            raise RefusedError(
                f"the zip holds two files {path.name!r}", "Send each sheet once, then send again."
            )
        cells = _cells(name, container.read(name))
        sheets[path.stem] = RawSheet(path.stem, tuple(cells))
    return tuple(sheets.values())


def _cells(name: str, content: bytes) -> list[Cell]:
    try:
        rows = csv.reader(StringIO(_text(content), newline=""), strict=True)
        filled = [
            Cell(row_number, column_number, text, "text")
            for row_number, row in enumerate(rows, 1)
            for column_number, text in enumerate(row, 1)
            if text
        ]
    except csv.Error as error:
        raise RefusedError(
            f"{name!r} is not a CSV file ({error})", "Save the sheet as CSV UTF-8 and send again."
        ) from error
    beyond = next((c for c in filled if c.row > MAX_ROWS or c.column > MAX_COLUMNS), None)
    if beyond:
        raise RefusedError(
            f"{name!r} has something in row {beyond.row}, column {beyond.column}; a return ends"
            f" before row {MAX_ROWS:,} and column {MAX_COLUMNS}",
            "Delete what stands beyond the figures and send it again.",
        )
    return filled


def _text(content: bytes) -> str:
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError:
        # What Excel for Windows writes as plain "CSV". Every byte is a character there, and the
        # codes and numbers are ASCII in both.
        return content.decode("cp1252", errors="replace")
