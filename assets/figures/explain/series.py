"""One series over the released collections: each figure beside that of the collection before.

Codes that a template renamed (`since`) and forces that merged are followed as its data say; where
a figure is not the same count as before, the row says so, and why.
"""

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Final

import polars as pl

from assets.figures.comparable import Row, Year, compared, forces_apart
from assets.figures.explain.released import Released
from assets.lake import atomic_file
from assets.marts import write_mart
from schemas.contract import conform, empty
from schemas.errors import LakeError
from schemas.marts.totals import Series

SERIES: Final = "series"


def released_collections(root: Path) -> list[Released]:
    """Return the release of each collection that analysts see, in the order of their periods.

    Raises:
        SetupError: a collection that keeps no description in its release is not known either.
    """
    shown = [link for link in sorted((root / "marts").glob("*")) if link.is_symlink()]
    found = [Released.shown(link.resolve(), link.name, root) for link in shown if link.exists()]
    return sorted(found, key=lambda one: (one.collection.period.start, one.collection.id))


def write_series(root: Path) -> pl.DataFrame:
    """Build the mart Series of a lake, write it to `marts/series/` and return it.

    Raises:
        LakeError: there is no release yet, or one cannot be read.
        UnavailableError: the lake cannot be written.
    """
    released = released_collections(root)
    if not released:
        raise LakeError(root / "marts", "shows no release yet", "Drop returns and: muster run")
    found = series(released)
    about = {
        "release": SERIES,
        "made_from": ", ".join(one.folder.name for one in released),
        "sources": "; ".join(dict.fromkeys(one.collection.sources for one in released)),
    }
    with atomic_file(root / "marts" / SERIES / f"{SERIES}.parquet") as file:
        write_mart(file, SERIES, Series, found, about)
    return found


def series(released: Iterable[Released]) -> pl.DataFrame:
    """Return the mart Series of releases in the order of their periods."""
    by_template: dict[str, list[Released]] = {}
    for one in released:
        by_template.setdefault(one.collection.template.name, []).append(one)
    rows = [row for years in by_template.values() for row in _of_template(years)]
    return conform(Series, pl.DataFrame(rows, schema=empty(Series).schema))


def _of_template(released: list[Released]) -> Iterator[Row]:
    """Yield the rows of the collections of one template, in the codes of the last."""
    templates = [one.collection.template for one in released]
    # A version that said nothing of it counted the same.
    stocks = {n for each in templates for n, m in each.measures.items() if m.kind == "stock"}
    last = released[-1].collection
    years = [Year(one.collection, one.mart("national_totals"), last, templates) for one in released]
    for before, year in zip([None, *years], years, strict=False):
        earlier = before.rows if before else {}
        forces = forces_apart(before.collection, year.collection) if before else ("", "")
        for key in sorted({*year.rows, *earlier}):
            row, was = year.rows.get(key), earlier.get(key)
            breaks, notes = ["new"] if before else [], list[str]()
            if row is None:
                breaks = ["dropped"]
            elif before and was:
                breaks, notes = compared((before, was), (year, row), *forces)
            value: float | None = row["value"] if row else None
            unit, months = (row or was or {})["unit"], year.collection.period.months
            rated = unit not in _NO_RATE and key[0] not in stocks
            per_month = value / months if rated and value is not None else None
            yield {
                "measure": key[0],
                "breakdown": key[1],
                "collection": year.collection.id,
                "value": value,
                "per_month": per_month,
                "unit": unit,
                "comparable": not breaks,
                "why_not": "; ".join([*breaks, *notes]) or None,
            }


_NO_RATE: Final = {"percent", "forces"}
