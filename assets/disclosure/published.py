"""A public edition with what nobody sees of it: the counts behind it, and the rules they passed.

Belongs here: what the choice and the audit need of an edition, be it the one in the making or one
of years ago. Does not: where editions are kept (ledger.py).
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Final

import polars as pl

from assets.disclosure.known import cell_of
from assets.disclosure.sources import CELLS, sources, unshown
from schemas import vocabulary as v
from schemas.collection import Collection
from schemas.measures import NOW
from schemas.rules.catalogue import rules
from schemas.template import Entry

BEHIND: Final[dict[str, tuple[str, ...]]] = {
    "investigations": (),
    "register_entries": (),
    "second_jobs": (),
    "social_media": (),
    "force_profiles": (),
    "cells": ("force_code", "sheet", "row_code", "column_code", "value"),
    "national_totals": (),
    "reconciliation": (),
    "capability_answers": (),
    "returns_status": ("force_code", "state", "sha256"),
}
"""Marts of the full edition that say what stands behind a public one; their columns, () for all."""

TELLING: Final = (
    "C502", "C701", "V005", "X002",
    "Q101", "Q102", "Q104", "Q105", "Q106", "Q107", "Q108", "Q109", "Q113",
)  # fmt: skip
"""Rules that tell of hidden counts, since everybody knows which returns have passed them."""


@dataclass(frozen=True)
class Edition:
    """A public edition and what stands behind it.

    `public` are its marts by name, `behind` those of the full edition that BEHIND names. `rules`
    are the limits of each rule that was in force and tells something, with its `severity`.
    `collection` is that whose template says what the counts are.
    """

    release: str
    public: Mapping[str, pl.DataFrame]
    behind: Mapping[str, pl.DataFrame]
    collection: Collection
    rules: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)

    @cached_property
    def marks(self) -> dict[tuple[str, str, str], int]:
        """The count behind each entry, by mart, column and cell.

        Two editions have the same count of a cell where these are the same. Whoever looks on knows
        at most as much: not which counts a resubmission or a correction has left as they were.
        """
        counts = _counts(self.behind, self.collection)
        return {name: count for name, count in counts if count is not None}

    @cached_property
    def forces(self) -> dict[str, frozenset[tuple[Any, ...]]]:
        """Every count of each force, with where it stands."""
        found: dict[str, set[tuple[Any, ...]]] = {}
        for name, count in self.marks.items():
            force = name[2].partition(";")[0].partition("=")[2]
            found.setdefault(force, set()).add((*name, count))
        return {force: frozenset(counts) for force, counts in found.items()}

    def passed(self, rule: str) -> list[str]:
        """Return the forces whose return everybody knows to have passed a rule.

        One that blocks has been passed by every live return, a query by every accepted one, but for
        those where it was answered.
        """
        told = self.rules.get(rule)
        if told is None:
            return []
        states = v.LIVE_STATES if told["severity"] == "B" else ("accepted",)
        status = self.public["returns_status"]
        known = status.filter(pl.col("state").is_in(states))["force_code"].to_list()
        return sorted(known)

    @cached_property
    def suspended(self) -> dict[tuple[Any, ...], int]:
        """How many people are suspended, by force, category, recipient and media."""
        return {row: count for row, count in _suspended(self) if count}

    @cached_property
    def without_policy(self) -> set[str]:
        """The forces that have no policy on second jobs."""
        if "capability_answers" not in self.behind:
            return set()
        answers = self.behind["capability_answers"]
        without = answers.filter(question_code="second_job_policy", answer="no")
        return set(without["force_code"])


def behind(marts: Mapping[str, pl.DataFrame]) -> dict[str, pl.DataFrame]:
    """Return of the marts of a full edition what says what stands behind a public one."""
    found = {name: marts[name] for name in BEHIND if name in marts}
    return {
        name: frame.select([c for c in BEHIND[name] if c in frame.columns] or pl.all())
        for name, frame in found.items()
    }


def edition_behind(
    release: str, marts: Mapping[str, pl.DataFrame], collection: Collection
) -> Edition:
    """Return an edition that nobody has seen yet, of the marts of a full edition."""
    return Edition(release, marts, behind(marts), collection, rules_told(collection))


def changed(one: Edition, other: Edition) -> int:
    """Return how many forces have another count somewhere in the other edition."""
    return sum(
        one.forces.get(force) != other.forces.get(force)
        for force in one.forces.keys() | other.forces.keys()
    )


def rules_told(collection: Collection) -> dict[str, dict[str, Any]]:
    """Return the limits and the severity of the rules that tell something, where they are on."""
    found: dict[str, dict[str, Any]] = {}
    asked = {use.id for use in collection.template.rules}
    for name in (rule for rule in TELLING if rule in asked):
        change = collection.changed(name)
        severity = change.severity if change else rules()[name].severity
        if severity in {"B", "Q"}:
            found[name] = {"severity": severity, **collection.thresholds.get(name, {})}
    if "Q101" in found:
        then = collection.comparators.get("2010-11")
        found["Q101"]["months"] = collection.period.months
        found["Q101"]["months_before"] = then.months if then else 0
    return found


def _counts(
    marts: Mapping[str, pl.DataFrame], collection: Collection
) -> Iterator[tuple[tuple[str, str, str], int | None]]:
    """Yield every protected count with its name, those that stand in no public mart among them."""
    for source in sources(collection):
        if source.is_shown:
            for row in source.entries(marts).iter_rows(named=True):
                count = row.pop("number")
                yield (source.mart, source.value, cell_of(row)), count
    for entry, force, count in _in_cells(marts[CELLS], unshown(collection.template)):
        yield name_of(entry, force), count


def name_of(entry: Entry, force: str) -> tuple[str, str, str]:
    """Return the name of a count that stands in no public mart: mart, measure, cell."""
    period = {} if entry.period == NOW else {"period": entry.period}
    return CELLS, str(entry.measure), cell_of({"force_code": force, **period, **entry.dims})


def _in_cells(cells: pl.DataFrame, entries: list[Entry]) -> Iterator[tuple[Entry, str, int]]:
    at = {entry.place: entry for entry in entries}
    columns = ("force_code", "value", "sheet", "row_code", "column_code")
    for force, value, *place in cells.select(columns).iter_rows():
        entry = at.get(tuple(place))
        if entry is not None and value is not None and value.isdecimal():
            yield entry, force, int(value)


def _suspended(edition: Edition) -> Iterator[tuple[tuple[Any, ...], int]]:
    """Yield force, category, recipient and media of each entry, and how many are suspended."""
    for entry, force, count in _in_cells(
        edition.behind[CELLS], unshown(edition.collection.template)
    ):
        if entry.measure == "people_suspended":
            yield (force, *subject_of(entry)), count


def subject_of(entry: Entry) -> tuple[str | None, ...]:
    """Return category, recipient and media of an entry."""
    return tuple(entry.dims.get(name) for name in SUBJECT)


SUBJECT: Final = ("category", "recipient", "media")
