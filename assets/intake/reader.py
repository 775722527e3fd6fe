"""The one way from a file to its raw cells, and which force they are from: its cover tells."""

from dataclasses import replace
from datetime import date
from functools import cache
from pathlib import Path

import polars as pl

from assets.intake.container import MAX_UNPACKED, open_container
from assets.intake.csv_zip import read_csv_zip
from assets.intake.formulas import verified
from assets.intake.ods import read_ods
from assets.intake.reading import Reading, RefusedError, refusal
from assets.intake.workbook import read_workbook
from schemas.collection import Collection
from schemas.reference import forces, forces_at
from schemas.template import HEADER_CODE


def read_return(path: Path) -> Reading:
    """Return what a received file holds; a file that cannot be read is a reading that says why.

    Raises:
        OSError: the file itself cannot be opened, which is no fault of its content.
        MemoryError: there is too little memory here, which is none either.
    """
    try:
        container = open_container(path)
        if container.kind == "csv":
            return read_csv_zip(container)
        reading = read_ods(container) if container.kind == "ods" else read_workbook(container)
        # One text that a million cells show is in the file once.
        if sum(len(cell.text) for sheet in reading.sheets for cell in sheet.cells) > MAX_UNPACKED:
            raise refusal("many_cells", fix="anew")
        return replace(reading, sheets=verified(reading.sheets))
    except RefusedError as refused:
        return Reading(refusal=refused)
    except (MemoryError, OSError):
        raise
    except Exception as error:
        # Content that nobody thought of. What the error says may quote a cell; its name does not.
        return Reading(refusal=refusal("unread", error=type(error).__name__))


def declared_force(reading: Reading, collection: Collection) -> str | None:
    """Return the code of the force on the cover, or None where it cannot be told.

    It cannot be told where the code is not one the collection expects, or where the name beside
    it is another force's: then neither may have a version counted against it.
    """
    cover = cover_values(reading)
    code = cover.get("force_code")
    if code not in collection.forces:
        return None
    named = force_named(cover.get("force_name", ""), collection)
    return code if named in {code, None} else None


def submitted_on(reading: Reading) -> str:
    """Return the date of submission on the cover as an ISO date, "" where it cannot be told."""
    day = cover_values(reading).get("submitted_on", "")[:10]
    try:
        return date.fromisoformat(day).isoformat()
    except ValueError:
        return ""


def cover_values(reading: Reading) -> dict[str, str]:
    """Return the `value` column of the cover sheet by row code, as far as it can be read."""
    cover = next((sheet for sheet in reading.sheets if sheet.name == "cover"), None)
    if cover is None:
        return {}
    text = {(cell.row, cell.column): cell.text.strip() for cell in cover.cells}
    header = next((r for (r, c), t in text.items() if c == 1 and t == HEADER_CODE), None)
    column = next((c for (r, c), t in text.items() if r == header and t == "value"), None)
    if header is None or column is None:
        return {}
    return {
        code: text[row, column]
        for (row, first), code in text.items()
        if first == 1 and row > header and (row, column) in text
    }


def force_named(name: str, collection: Collection) -> str | None:
    """Return the code of the force with that short or full name, None where there is none.

    What the collection calls its forces comes before what others do.
    """
    plain = plain_name(name)
    return _named_at(collection.root, collection.census).get(plain) or forces_by_name().get(plain)


@cache
def _named_at(root: Path, day: date) -> dict[str, str]:
    return _by_name(forces_at(root, day))


@cache
def forces_by_name() -> dict[str, str]:
    """Return the code of every force that is known at all, by each name, as plain_name has it."""
    return _by_name(forces())


def _by_name(known: pl.DataFrame) -> dict[str, str]:
    """Return the code of each force by its short and its full name, as `plain_name` has them."""
    return {
        plain_name(name): code
        for code, *names in known.select("force_code", "short_name", "full_name").iter_rows()
        for name in names
    }


def plain_name(name: str) -> str:
    """Return a force's name without what people spell differently in it."""
    return " ".join(name.casefold().replace("&", " and ").replace("-", " ").split())
