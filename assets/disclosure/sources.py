"""Where the counts of single forces stand, and which sums of them are shown as well.

Taken from the template. Nothing of the audit is used here, which reads the template's file by
itself so that a mistake here does not hide itself.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, Protocol

import polars as pl

from schemas.breakdown import read_breakdown
from schemas.collection import Collection
from schemas.contract import keys
from schemas.disclosure import PROFILES
from schemas.marts.catalogue import MARTS
from schemas.measures import NOW, Figure, Protections
from schemas.template import Entry, Template

Codes = Mapping[str, tuple[Any, ...]]
"""Column to the codes that are counted; a column that is not named counts whatever it holds."""

CELLS: Final = "cells"
_PLACE: Final = ("sheet", "row_code", "column_code")


@dataclass(frozen=True)
class Source:
    """One kind of entry, and the columns of force_profiles that add it up.

    `mart` and `value` name the column of the entries, `dims` the columns that tell a force's
    entries apart; `places` are the template's entries that stand there. Entries with `is_shown`
    false stand in no public mart; sums of them do.
    """

    subject: str
    mart: str
    value: str
    dims: tuple[str, ...]
    places: tuple[Entry, ...] = ()
    sums: Mapping[str, Codes] = field(default_factory=dict)

    @property
    def is_shown(self) -> bool:
        """Whether the entries stand in a public mart."""
        return self.mart != CELLS

    def entries(self, marts: Mapping[str, pl.DataFrame]) -> pl.DataFrame:
        """Return force_code, the dims and `number` of every entry that holds a number."""
        if self.mart not in marts:
            return pl.DataFrame()
        frame = marts[self.mart]
        if "item" in self.dims:
            frame = frame.filter(pl.col("item").is_in([entry.row_code for entry in self.places]))
        if self.mart == CELLS:
            here = pl.DataFrame([entry.place for entry in self.places], _PLACE, orient="row")
            frame = frame.join(here, on=list(_PLACE), how="semi")
        if self.mart == PROFILES:
            frame = frame.filter(pl.col("basis") != "published")
        # What a cell says in place of a number is no count, and so none to protect.
        number = pl.col(self.value).cast(pl.Int64, strict=self.mart != CELLS).alias("number")
        return frame.select("force_code", *self.dims, number).drop_nulls("number").sort(pl.all())


def protections(template: Template) -> Protections:
    """Return what the template protects; nothing where it does not say."""
    return template.disclosure or Protections(measures={})


def profiled(template: Template) -> dict[str, Figure]:
    """Return the template's columns of a profile."""
    return template.profile


def unshown(template: Template) -> list[Entry]:
    """Return the protected entries that stand in no public mart, though sums of them do.

    Those of a measure without a mart, and of an earlier period but where a profile shows them.
    """
    measures = protections(template).measures
    shown = {
        (column.measure, column.period, tuple(column.dims.items()))
        for column in profiled(template).values()
    }
    return [
        entry
        for entry in template.counted()
        if entry.measure in measures
        and (
            not measures[entry.measure].mart
            if entry.period == NOW
            else (entry.measure, entry.period, tuple(entry.dims.items())) not in shown
        )
    ]


def codes_in(template: Template, entry: Entry, dims: Mapping[str, str]) -> bool:
    """Return whether an entry is counted at these codes; a code may be a group's."""
    return all(
        entry.dims.get(name) in template.groups.get(name, {}).get(code, (code,))
        for name, code in dims.items()
    )


def sources(collection: Collection) -> tuple[Source, ...]:
    """Return every source of counts of single forces."""
    template, found = collection.template, {}
    protected = protections(template)
    counted = [entry for entry in template.counted() if entry.measure in protected.measures]
    now = [entry for entry in counted if entry.period == NOW]
    for name, item in protected.measures.items():
        mart = item.mart or CELLS
        same = [m for m, of in protected.measures.items() if of.mart == mart] or [name]
        places = tuple(entry for entry in now if entry.measure in same)
        dims = _key(mart) if item.mart else _differing(places)
        sums = {
            column: _codes(template, dims, places, of.measure, of.dims)
            for column, of in profiled(template).items()
            if of.measure in same and of.period == NOW
        }
        found[item.mart or name] = Source(
            item.subject, mart, item.value or "value", dims, places, sums
        )
    year = (collection.census.year,)
    researched = [
        Source(
            subject,
            subject,
            "instances",
            _key(subject),
            sums={"social_media_cases": {"year": year}},
        )
        for subject in protected.research
    ]
    earlier = [
        Source(protected.measures[column.measure].subject, PROFILES, name, ())
        for name, column in profiled(template).items()
        if column.period != NOW and column.measure in protected.measures
    ]
    return (*found.values(), *researched, *earlier)


def _key(mart: str) -> tuple[str, ...]:
    return tuple(name for name in keys(MARTS[mart]) if name != "force_code")


def _differing(places: Iterable[Entry]) -> tuple[str, ...]:
    """Return which of the parts of a place tell some entries apart, the row at least."""
    apart = list(zip(*(entry.place for entry in places), strict=True))
    return tuple(
        name
        for name, parts in zip(_PLACE, apart, strict=True)
        if name == "row_code" or len(set(parts)) > 1
    )


def _codes(
    template: Template,
    columns: Sequence[str],
    places: Iterable[Entry],
    measure: str,
    dims: Mapping[str, str],
) -> Codes:
    """Return the codes by column of the entries of a measure at these dimensions."""
    if set(columns) <= set(template.dimensions):
        return {
            name: template.groups.get(name, {}).get(code, (code,)) for name, code in dims.items()
        }
    here = [e for e in places if e.measure == measure and codes_in(template, e, dims)]
    return {
        name: tuple(dict.fromkeys(getattr(e, name if name in _PLACE else "row_code") for e in here))
        for name in columns
    }


def codes_of(measure: str, breakdown: str, collection: Collection) -> tuple[str, Codes] | None:
    """Return the mart of the entries that a printed figure of a force adds up, and their codes.

    None for a figure that is no such sum.
    """
    template, parts = collection.template, read_breakdown(breakdown)
    if measure == "social_media_cases" and not parts:
        return "social_media", {"year": (collection.census.year,)}
    if not set(parts) <= set(template.dimensions):
        return None
    for source in sources(collection):
        if any(entry.measure == measure for entry in source.places):
            return source.mart, _codes(template, source.dims, source.places, measure, parts)
    return None


class Counted(Protocol):
    """A count with its codes by column."""

    @property
    def key(self) -> Mapping[str, Any]:
        """The codes, force_code among them."""

    @property
    def value(self) -> int:
        """The count."""


def matching(counts: Sequence[Counted], places: Sequence[int], codes: Codes) -> tuple[int, ...]:
    """Return which of some places have counts of these codes."""

    def counted(place: int) -> bool:
        key = counts[place].key
        return all(key[column] in allowed for column, allowed in codes.items())

    return tuple(place for place in places if counted(place))
