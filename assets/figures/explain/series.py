"""One series over the released collections: each figure beside that of the collection before.

Codes that a template renamed (`since`) and forces that merged are followed as its data say; where
a figure is not the same count as before, the row says so, and why.
"""

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, Final

import polars as pl

from assets.figures.explain.released import Released
from assets.figures.explain.terms import kinds
from assets.figures.totals.leaves import ANSWER, counted_in, places
from assets.lake import atomic_file
from assets.marts import write_mart
from assets.previous import parts_of_forces, renamed
from schemas.breakdown import read_breakdown, write_breakdown
from schemas.collection import Collection
from schemas.contract import conform, empty
from schemas.errors import LakeError
from schemas.marts.totals import Series
from schemas.measures import NOW, QUESTION
from schemas.template import Template

SERIES: Final = "series"

Row = dict[str, Any]


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


class _Year:
    """A released collection: its figures in the codes of the last, and what each of them counts."""

    def __init__(self, released: Released, last: Collection, known: list[Template]) -> None:
        self.collection: Collection = released.collection
        self.template: Template = released.collection.template
        self.asked = {str(e.measure) for e in self.template.counted() if QUESTION in e.dims}
        self._called = renamed(self.template, last.template, last.root, known)
        rows = released.mart("national_totals").filter(period=NOW).to_dicts()
        self.rows = {
            (row["measure"], write_breakdown(self._now(read_breakdown(row["breakdown"])))): row
            for row in rows
            if self.kind(row["measure"])[0]
        }

    def kind(self, measure: str) -> tuple[str, str, Any]:
        """Return what a figure of a series is: a count, a share or answers, and of which measure.

        Of any other figure the kind is empty.
        """
        of = self.template.measures.get(measure)
        if of is not None and (of.levels or measure in self.asked):
            return "count", measure, ()
        kind, name, how = kinds(self.template).get(measure, ("", measure, ()))
        return kind if kind in {"share", "answers"} else "", name, how

    def _now(self, parts: Mapping[str, str]) -> dict[str, str]:
        return {name: self._called.get(name, {}).get(code, code) for name, code in parts.items()}

    def cells(self, row: Row) -> set[tuple[str, ...]]:
        """Return what a figure counts: the codes of each of its cells, as they are called now.

        Of a share they are the cells of its whole.
        """
        kind, measure, shares = self.kind(row["measure"])
        parts, here = read_breakdown(row["breakdown"]), places(self.template)
        parts.pop(ANSWER, None)
        if kind == "share":
            share = next(share for share in shares if set(share.by) == set(parts))
            here = here.drop_nulls(share.by)
            parts = {name: parts[name] for name in share.within}
        here = here.filter(counted_in(self.template, measure, parts, NOW, every=kind == "share"))
        counted = here.select(self.template.dimensions).to_dicts()
        own = ({name: code for name, code in cell.items() if code is not None} for cell in counted)
        return {tuple(f"{name}={code}" for name, code in self._now(cell).items()) for cell in own}

    def wording(self, row: Row) -> str | None:
        """Return the wording of the question that a figure counts answers to."""
        code = read_breakdown(row["breakdown"]).get(QUESTION)
        lines = (line for sheet in self.template.sheets for line in sheet.rows)
        return next((line.label for line in lines if code and line.code == code), None)


def _of_template(released: list[Released]) -> Iterator[Row]:
    """Yield the rows of the collections of one template, in the codes of the last."""
    templates = [one.collection.template for one in released]
    # A version that said nothing of it counted the same.
    stocks = {n for each in templates for n, m in each.measures.items() if m.kind == "stock"}
    years = [_Year(one, released[-1].collection, templates) for one in released]
    for before, year in zip([None, *years], years, strict=False):
        earlier = before.rows if before else {}
        forces = _forces(before.collection, year.collection) if before else ("", "")
        for key in sorted({*year.rows, *earlier}):
            row, was = year.rows.get(key), earlier.get(key)
            breaks, notes = ["new"] if before else [], list[str]()
            if row is None:
                breaks = ["dropped"]
            elif before and was:
                breaks, notes = _compared((before, was), (year, row), *forces)
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


def _forces(before: Collection, now: Collection) -> tuple[str, str]:
    """Return which forces merged from one collection to the next, and which came or went."""
    heir = {was: code for code, those in parts_of_forces(before, now).items() for was in those}
    merged = [code for code in before.forces if code not in now.forces and code in heir]
    into = sorted({heir[code] for code in merged})
    apart = sorted({heir.get(code, code) for code in before.forces} ^ set(now.forces))
    return (
        f"merged: {', '.join(merged)} are {', '.join(into)}" if merged else "",
        f"other forces: {', '.join(apart)}" if apart else "",
    )


def _compared(
    before: tuple[_Year, Row], now: tuple[_Year, Row], merged: str, others: str
) -> tuple[list[str], list[str]]:
    """Return why two figures do not count the same, and what else is to be said of them."""
    (earlier, was), (year, row) = before, now
    notes, breaks = ["renamed"] if row["breakdown"] != was["breakdown"] else [], [others]
    counts, counted = year.cells(row), earlier.cells(was)
    for what, cells in (("new", counts - counted), ("dropped", counted - counts)):
        told = sorted(_apart(cells, counts & counted))
        breaks.append(f"{what}: {', '.join(told)}" if told else "")
    breaks.append("reworded" if year.wording(row) != earlier.wording(was) else "")
    (breaks if year.kind(row["measure"])[1] in year.asked else notes).append(merged)
    for of, one in (before, now):
        if one["forces_included"] < one["forces_expected"]:
            included = f"{one['forces_included']} of {one['forces_expected']} forces"
            breaks.append(f"{of.collection.id} has {included}")
    return [text for text in breaks if text], [text for text in notes if text]


def _apart(cells: set[tuple[str, ...]], both: set[tuple[str, ...]]) -> set[str]:
    """Return the codes that only some cells have and none of the others."""
    shared = {code for cell in both for code in cell}
    return {code for cell in cells for code in cell} - shared or {";".join(cell) for cell in cells}
