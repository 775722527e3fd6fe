"""One series over the released collections: each figure beside that of the collection before.

Codes that a template renamed (`since`) and forces that merged are followed as its data say; where
a figure is not the same count as before, the row says so, and why.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Final

import polars as pl

from assets.explain.released import Released
from assets.lake import atomic_file
from assets.marts import write_mart
from assets.totals.leaves import counted_in, places
from schemas.breakdown import read_breakdown, write_breakdown
from schemas.collection import Collection
from schemas.contract import conform, empty
from schemas.errors import LakeError
from schemas.marts.totals import Series
from schemas.measures import NOW, QUESTION, Share
from schemas.reference import all_forces
from schemas.template import Template

SERIES: Final = "series"
_ANSWER: Final = "answer"

Key = tuple[str, str]
"""Measure and breakdown, in the codes of the newest collection of the template."""
Renamed = Mapping[str, Mapping[str, str]]


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
    by_template: dict[str, list[_Year]] = {}
    for one in released:
        by_template.setdefault(one.collection.template.name, []).append(_Year(one))
    rows = [row for years in by_template.values() for row in _of_template(years)]
    return conform(Series, pl.DataFrame(rows, schema=empty(Series).schema))


class _Year:
    """A released collection: its figures, and what each of them counts."""

    def __init__(self, released: Released) -> None:
        self.collection: Collection = released.collection
        self.template: Template = released.collection.template
        totals = released.mart("national_totals").filter(period=NOW)
        self.rows = {
            (row["measure"], row["breakdown"]): row
            for row in totals.filter(pl.col("measure").is_in(sorted(self.counted))).to_dicts()
        }

    @cached_property
    def counted(self) -> dict[str, str]:
        """The measures that a series has: totals, shares and answers, each to what it counts."""
        found = {}
        for name, measure in self.template.measures.items():
            asked = name in self.asked
            if measure.levels or asked:
                found[name] = name
            found |= {measure.share_name(name, share): name for share in measure.shares}
            found |= {f"{name}_share": name} if asked else {}
        return found

    @cached_property
    def asked(self) -> set[str]:
        """The measures that count answers."""
        return {str(e.measure) for e in self.template.counted() if QUESTION in e.dims}

    def cells(self, key: Key, renamed: Renamed) -> set[tuple[str, ...]]:
        """Return what a figure counts: the codes of each of its cells, as they are called now.

        Of a share they are the cells of its whole.
        """
        measure, parts = self.counted[key[0]], read_breakdown(key[1])
        parts.pop(_ANSWER, None)
        here = places(self.template)
        if key[0] != measure and measure not in self.asked:
            share = next(s for s in self._shares(key[0]) if set(s.by) == set(parts))
            here = here.drop_nulls(share.by)
            parts = {name: parts[name] for name in share.within}
        here = here.filter(counted_in(self.template, measure, parts, NOW))
        return {
            tuple(
                f"{name}={_now(renamed, name, code)}"
                for name, code in row.items()
                if code is not None
            )
            for row in here.select(self.template.dimensions).to_dicts()
        }

    def _shares(self, name: str) -> list[Share]:
        of = self.template.measures[self.counted[name]]
        return [share for share in of.shares if of.share_name(self.counted[name], share) == name]

    def wording(self, key: Key) -> str | None:
        """Return the wording of the question that a figure counts answers to."""
        code = read_breakdown(key[1]).get(QUESTION)
        rows = (row for sheet in self.template.sheets for row in sheet.rows)
        return next((row.label for row in rows if code and row.code == code), None)


def _now(renamed: Renamed, dimension: str, code: str) -> str:
    return renamed.get(dimension, {}).get(code, code)


@dataclass(frozen=True)
class _Step:
    """From one collection to the next: the forces that merged, and those that came or went."""

    merged: str
    others: str

    @classmethod
    def between(cls, before: Collection, now: Collection) -> "_Step":
        known = all_forces(now.root).drop_nulls("successor")
        successor = dict(known.select("force_code", "successor").iter_rows())
        gone = [code for code in before.forces if code not in now.forces]
        merged = [code for code in gone if successor.get(code) in now.forces]
        then = {successor.get(code, code) if code in merged else code for code in before.forces}
        into = sorted({successor[code] for code in merged})
        apart = sorted(then ^ set(now.forces))
        return cls(
            f"merged: {', '.join(merged)} are {', '.join(into)}" if merged else "",
            f"other forces: {', '.join(apart)}" if apart else "",
        )


def _of_template(years: list[_Year]) -> Iterable[dict[str, Any]]:
    """Yield the rows of the collections of one template, in the codes of the last."""
    later = [_renamed(years[at + 1 :]) for at in range(len(years))]
    named = [
        {(key[0], _renamed_text(key[1], renamed)): key for key in year.rows}
        for year, renamed in zip(years, later, strict=True)
    ]
    for at, year in enumerate(years):
        step = _Step.between(years[at - 1].collection, year.collection) if at else None
        before = named[at - 1] if at else {}
        for key in sorted({*named[at], *before}):
            was, own = before.get(key), named[at].get(key)
            row = year.rows[own] if own else years[at - 1].rows[was or key]
            same, notes = True, []
            if own is None:
                same, notes = False, ["dropped"]
            elif step is not None and was is None:
                same, notes = False, ["new"]
            elif step is not None and was is not None:
                earlier = (years[at - 1], was, later[at - 1])
                same, notes = _compared((year, own, later[at]), earlier, step)
            value = row["value"] if own else None
            plain = row["unit"] not in {"percent", "forces"}
            months = year.collection.period.months
            yield {
                "measure": key[0],
                "breakdown": key[1],
                "collection": year.collection.id,
                "value": value,
                "per_month": value / months if plain and value is not None else None,
                "unit": row["unit"],
                "comparable": same,
                "why_not": "; ".join(filter(None, notes)) or None,
            }


Of = tuple[_Year, Key, Renamed]
"""A collection, a figure in its own codes, and what these are called now."""


def _compared(now: Of, before: Of, step: _Step) -> tuple[bool, list[str]]:
    """Return whether two figures count the same, and what is to be said of it."""
    (year, own, _), (earlier, was, _) = now, before
    notes = ["renamed"] if own[1] != was[1] else []
    breaks = [step.others]
    counts, counted = (of.cells(key, renamed) for of, key, renamed in (now, before))
    for what, cells in (("new", counts - counted), ("dropped", counted - counts)):
        told = sorted(_apart(cells, counts & counted))
        breaks.append(f"{what}: {', '.join(told)}" if told else "")
    if year.wording(own) != earlier.wording(was):
        breaks.append("reworded")
    of_forces = year.counted[own[0]] in year.asked
    (breaks if of_forces else notes).append(step.merged)
    for one, key in ((earlier, was), (year, own)):
        row = one.rows[key]
        if row["forces_included"] < row["forces_expected"]:
            included = f"{row['forces_included']} of {row['forces_expected']} forces"
            breaks.append(f"{one.collection.id} has {included}")
    breaks = [text for text in breaks if text]
    return not breaks, [*breaks, *notes]


def _apart(cells: set[tuple[str, ...]], both: set[tuple[str, ...]]) -> set[str]:
    """Return the codes that only some cells have and none of the others."""
    shared = {code for cell in both for code in cell}
    found = {code for cell in cells for code in cell} - shared
    return found or {";".join(cell) for cell in cells}


def _renamed(later: list[_Year]) -> dict[str, dict[str, str]]:
    """Return what codes of a collection are called in the last of those that follow it."""
    called: dict[str, dict[str, str]] = {}
    versions: set[int] = set()
    for year in later:
        if year.template.version in versions:
            continue
        versions.add(year.template.version)
        for dimension, codes in year.template.since.items():
            names = called.setdefault(dimension, {})
            for new, old in codes.items():
                for first in [code for code, last in names.items() if last == old] or [old]:
                    names[first] = new
    return called


def _renamed_text(breakdown: str, renamed: Renamed) -> str:
    parts = read_breakdown(breakdown)
    return write_breakdown({name: _now(renamed, name, code) for name, code in parts.items()})
