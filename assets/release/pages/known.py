"""What paragraphs and expressions of the pages can ask of a release."""

from functools import partial
from typing import Any, Final

from assets.release.pages.content import NOT_KNOWN
from assets.release.pages.figures import Edition

Known = dict[str, Any]
_MANY: Final = 5
"""Forces that are so many are counted in a cell of a table, not named."""


def told(edition: Edition) -> Known:
    """Return what can be asked, by the names that it has in descriptions."""
    asked = (by_size, changed, largest, many, measured_by, most_found)
    return {one.__name__: partial(one, edition) for one in asked}


def by_size(edition: Edition, column: str) -> list[str]:
    """Return the forces with a rate of a column of profiles per workforce, the lowest first."""
    rates = {
        code: number / size
        for code in edition.names
        if (number := edition.figure("force_profiles", column, force_code=code).number) is not None
        and (size := edition.figure("workforce", "workforce", force_code=code).number)
    }
    return sorted(rates, key=lambda code: (rates[code], code))


def changed(edition: Edition, part: str) -> list[Known]:
    """Return the national figures that changed: the main ones, or the others."""
    return [
        {**row, "style": "any%" if row["unit"] == "percent" else "any"}
        for row in edition.rows("changed_totals")
        if (row["unit"] == "count" and ";" not in row["breakdown"]) == (part == "main")
    ]


def largest(edition: Edition, measure: str, by: str) -> Known | None:
    """Return the code of a list that has most of a measure; None where that is not known."""
    labels = edition.collection.template.lists.get(by, {})
    rows = {
        code: edition.rows("national_totals", measure=measure, breakdown=f"{by}={code}")
        for code in labels
    }
    values = {code: found[0]["value"] for code, found in rows.items() if found}
    if not values or None in values.values():
        return None
    most = max(values, key=lambda code: values[code])
    return {"code": most, "label": labels[most]}


def many(edition: Edition, codes: str | None) -> str:
    """Return a few forces by name, more of them by their number."""
    named = [edition.names.get(code, code) for code in (codes or "").split(", ") if code]
    return ", ".join(named) if len(named) < _MANY else f"{len(named)} forces"


def measured_by(edition: Edition, figure_id: str) -> str:
    """Return what a published figure measures."""
    found = next(iter(edition.rows("reconciliation", figure_id=figure_id)), None)
    return edition.wording.measured(found["measure"], found["breakdown"]) if found else NOT_KNOWN


def most_found(edition: Edition, year: int) -> str | None:
    """Return the category of which research found most; None where that is not known."""
    found: dict[str, int | None] = {}
    for row in edition.rows("social_media", year=year):
        before, more = found.get(row["category"], 0), row["instances"]
        found[row["category"]] = None if before is None or more is None else before + more
    counts = [(count, code) for code, count in found.items() if count is not None]
    return max(counts)[1] if counts and len(counts) == len(found) else None
