"""The published figures as the sample meets them: totals that places of the sample add up to.

Belongs here: which figures bind the sample, and which places each one covers. Does not: what a
return may plausibly say beyond them (likelihood.py), nor how whole numbers are found (program.py).
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Final, NamedTuple

import polars as pl

from schemas.breakdown import read_breakdown
from schemas.collection import Collection
from tools.make_sample.described import APPROVED, CONTINUING, OUTCOMES

COLLECTION_PERIOD: Final = "collection"

_ONE_OF: Final = {
    ("outcome", "completed"): tuple(o for o in OUTCOMES if o != CONTINUING),
    ("decision", "approved"): APPROVED,
}
"""Keys and codes of a breakdown that stand for several codes of the returns."""


class Place(NamedTuple):
    """Where a count or an answer stands: the force and the entry of its return, or of research."""

    force_code: str
    sheet: str
    row_code: str
    column_code: str


Facets = Mapping[str, str | None]
"""What the count at a place counts, by the keys of a breakdown."""


@dataclass(frozen=True)
class Figure:
    """One published figure.

    `parts` are the keys and codes of its breakdown; `force_code` is null for the nation; `value` is
    in the figure's own unit, and `qualifier` says how the publication words it.
    """

    measure: str
    parts: dict[str, str]
    force_code: str | None
    value: float
    qualifier: str

    def covers(self, place: Place, facets: Facets) -> bool:
        """Return whether the count at the place is part of the figure."""
        if self.force_code not in (None, place.force_code):
            return False
        return all(facets.get(key) in codes(key, code) for key, code in self.parts.items())


@dataclass(frozen=True)
class Total:
    """A whole number and the places whose counts must add up to it."""

    places: tuple[Place, ...]
    value: int


def codes(key: str, text: str) -> tuple[str, ...]:
    """Return the codes that the value of a breakdown's key stands for; `a|b` for either."""
    return tuple(code for name in text.split("|") for code in _ONE_OF.get((key, name), (name,)))


def figures(
    collection: Collection, measure: str, period: str = COLLECTION_PERIOD, basis: str = "returns"
) -> Iterator[Figure]:
    """Yield the figures of a measure that come from the returns, or else, national and by force."""
    rows = collection.published_figures.filter(
        pl.col("basis") == basis, pl.col("measure") == measure, pl.col("period") == period
    )
    for row in rows.iter_rows(named=True):
        yield Figure(
            measure,
            read_breakdown(row["breakdown"]),
            row["scope"] if row["scope"] in collection.forces else None,
            row["value"],
            row["qualifier"],
        )


def figure(
    collection: Collection,
    measure: str,
    period: str = COLLECTION_PERIOD,
    basis: str = "returns",
    **parts: str,
) -> float:
    """Return the national figure of a measure with exactly these parts.

    Raises:
        LookupError: the publication does not print it, or prints two values.
    """
    found = {
        f.value
        for f in figures(collection, measure, period, basis)
        if f.force_code is None and f.parts == parts
    }
    if len(found) != 1:
        raise LookupError(f"{measure} {parts} in {period}: expected one value, found {found}")
    return found.pop()


def totals(published: Iterable[Figure], facets: Mapping[Place, Facets]) -> list[Total]:
    """Return each figure as a total over the places it covers; one printed twice comes once.

    Args:
        published: figures of one measure.
        facets: what the count at each place counts, for the places of that measure.
    """
    found = (
        Total(tuple(place for place in facets if f.covers(place, facets[place])), round(f.value))
        for f in published
    )
    return list(dict.fromkeys(found))
