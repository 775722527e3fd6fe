"""Where the counts of single forces stand, and which sums of them are shown as well.

Belongs here: marts, columns and codes. Does not: what is hidden (choose.py); nor anything of the
audit, which says the same in its own words so that a mistake here does not hide itself.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, Protocol

import polars as pl

from schemas import vocabulary as v
from schemas.breakdown import read_breakdown
from schemas.collection import Collection
from schemas.returns_template import BREACH, INVESTIGATION_ROWS, REVIEW_MONTHS, SUSPENDED

Codes = Mapping[str, tuple[Any, ...]]
"""Column to the codes that are counted; a column that is not named counts whatever it holds."""

PROFILES: Final = "force_profiles"


@dataclass(frozen=True)
class Source:
    """One kind of entry, and the columns of force_profiles that add it up.

    `mart` and `value` name the column of the entries, `dims` the columns that tell a force's
    entries apart. Entries with `is_shown` false stand in no public mart; sums of them do.
    """

    subject: str
    mart: str
    value: str
    dims: tuple[str, ...]
    sums: Mapping[str, Codes] = field(default_factory=dict)
    is_shown: bool = True

    def entries(self, marts: Mapping[str, pl.DataFrame]) -> pl.DataFrame:
        """Return force_code, the dims and `number` of every entry that holds a number."""
        if self.mart not in marts:
            return pl.DataFrame()
        frame = marts[self.mart]
        if self.mart == "second_jobs":
            frame = frame.filter(pl.col("item") != REVIEW_MONTHS)
        if self.mart == "cells":
            frame = _suspended(frame)
        if self.mart == PROFILES:
            frame = frame.filter(pl.col("basis") != "published")
        number = pl.col(self.value).cast(pl.Int64).alias("number")
        return frame.select("force_code", *self.dims, number).drop_nulls("number").sort(pl.all())


def _suspended(cells: pl.DataFrame) -> pl.DataFrame:
    rows = [row.code for row in INVESTIGATION_ROWS if row.is_part]
    here = (pl.col("sheet") == "investigations") & (pl.col("column_code") == SUSPENDED)
    return cells.filter(here & pl.col("row_code").is_in(rows))


def sources(collection: Collection) -> tuple[Source, ...]:
    """Return every source of counts of single forces."""
    return (
        Source(
            "investigations",
            "investigations",
            "cases",
            ("category", "recipient", "media", "outcome"),
            {
                "investigations": {},
                "media_disclosure": {"recipient": ("media",)},
                "continuing": {"outcome": (v.CONTINUING,)},
                **{category: {"category": (category,)} for category in v.CATEGORIES},
            },
        ),
        Source(SUSPENDED, "cells", "value", ("row_code",), {SUSPENDED: {}}, is_shown=False),
        Source(
            "register_entries",
            "register_entries",
            "entries",
            ("body", "kind", "decision"),
            {
                "register_entries": {"body": ("force",)},
                "register_declined": {"body": ("force",), "decision": ("declined",)},
            },
        ),
        Source(
            "second_jobs",
            "second_jobs",
            "count",
            ("item",),
            {
                "second_job_applications": {"item": tuple(v.SECOND_JOB_DECISIONS)},
                "second_job_approved": {"item": v.APPROVED},
            },
        ),
        Source(
            "social_media",
            "social_media",
            "instances",
            ("year", "site", "category"),
            {"social_media_cases": {"year": (collection.census.year,)}},
        ),
        Source("investigations", PROFILES, "investigations_2010_11", ()),
    )


def codes_of(measure: str, breakdown: str, collection: Collection) -> tuple[str, Codes] | None:
    """Return the mart of the entries that a printed figure of a force adds up, and their codes.

    None for a figure that is no such sum.
    """
    parts = read_breakdown(breakdown)
    if measure == "social_media_cases" and not parts:
        return "social_media", {"year": (collection.census.year,)}
    if measure == "second_job_applications":
        return "second_jobs", {"item": _items(parts)}
    if measure == "second_job_approvals_in_breach":
        occupations = [parts["occupation"]] if parts else list(v.BREACH_OCCUPATIONS)
        return "second_jobs", {"item": tuple(BREACH + name for name in occupations)}
    if measure in {"investigations", "register_entries"}:
        codes: dict[str, tuple[str, ...]] = {key: (value,) for key, value in parts.items()}
        if parts.get("outcome") == v.COMPLETED:
            codes["outcome"] = tuple(code for code in v.OUTCOMES if code != v.CONTINUING)
        return measure, codes
    return None


def _items(parts: Mapping[str, str]) -> tuple[str, ...]:
    if "conditions" in parts:
        return (v.APPROVED[0 if parts["conditions"] == "no" else 1],)
    if "decision" in parts:
        return v.APPROVED if parts["decision"] == "approved" else (parts["decision"],)
    return tuple(v.SECOND_JOB_DECISIONS)


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
