"""Which force a return is from: read from its cover sheet and from nowhere else.

Belongs here: the one question a receipt needs answered before it is validated. Does not: the
findings about the cover, which validation makes from the same cells.
"""

from datetime import date
from functools import cache

from assets.intake.reading import Reading
from schemas.collection import Collection
from schemas.reference import forces
from schemas.template import HEADER_CODE


def declared_force(reading: Reading, collection: Collection) -> str | None:
    """Return the code of the force on the cover, or None where it cannot be told.

    It cannot be told where the code is not one the collection expects, or where the name beside
    it is another force's: then neither may have a version counted against it.
    """
    cover = cover_values(reading)
    code = cover.get("force_code")
    if code not in collection.forces:
        return None
    named = force_named(cover.get("force_name", ""))
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


def force_named(name: str) -> str | None:
    """Return the code of the force with that short or full name, None where there is none."""
    return _names().get(_plain(name))


@cache
def _names() -> dict[str, str]:
    return {
        _plain(name): code
        for code, *names in forces().select("force_code", "short_name", "full_name").iter_rows()
        for name in names
    }


def _plain(name: str) -> str:
    return " ".join(name.casefold().replace("&", " and ").replace("-", " ").split())
