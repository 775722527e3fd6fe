"""What the state of a return tells of its counts: the rules it has passed, as sums within limits.

Belongs here: the rules in the terms in which the choice of what to hide is made. The audit reads
the same rules in its own words (promises.py). A rule that is one thing or another is taken as it
is, and so is a count of another source: every table found this way passes the rules, though not
every table that does is found.
"""

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final, NamedTuple

import polars as pl

from assets.disclosure.published import SUBJECT, Edition, subject_of
from assets.disclosure.sources import Codes, Counted, matching, unshown
from schemas import vocabulary as v
from schemas.disclosure import PROFILES


class Limit(NamedTuple):
    """A weighted sum of places, and the least and most that it can be."""

    terms: dict[int, float]
    low: float
    high: float

    @property
    def key(self) -> tuple[object, ...]:
        """What tells it from others."""
        return tuple(sorted(self.terms.items())), self.low, self.high


class Told(NamedTuple):
    """What a rule tells of a force: the limits that hold, and those that may hold instead."""

    rule: str
    force_code: str
    one: list[Limit]
    other: list[Limit]

    @property
    def key(self) -> tuple[object, ...]:
        """What tells it from others."""
        return self.rule, *(tuple(limit.key for limit in side) for side in (self.one, self.other))


_BEFORE: Final = "investigations_2010_11"
_ALL: Final[Codes] = {}
_DISCLOSURE: Final = {"category": ("information_disclosure",)}
_CONTINUING: Final = {"outcome": (v.CONTINUING,)}
_APPROVED: Final = {"item": v.APPROVED}
_DECIDED: Final = {"item": tuple(v.SECOND_JOB_DECISIONS)}
_BREACHES: Final = {"item": tuple("breach." + name for name in v.BREACH_OCCUPATIONS)}
_HOSPITALITY: Final = {"body": ("force",), "kind": ("hospitality",)}


def limits(
    mart: str,
    counts: Sequence[Counted],
    edition: Edition,
    by_force: Mapping[str, Sequence[int]],
) -> tuple[list[Told], list[Told]]:
    """Return what an edition's states tell of the entries of a mart, and what is not so.

    A return that was accepted although it breaks a rule is not what the rule tells.

    Args:
        mart: the mart that the entries stand in; `cells` for people suspended.
        counts: the counts by place.
        edition: the edition.
        by_force: the places of each force's entries in this edition.
    """
    reader = _Reader(counts, edition, by_force)
    found = {
        "investigations": reader.investigations,
        "cells": reader.suspended,
        "register_entries": reader.registers,
        "second_jobs": reader.second_jobs,
        PROFILES: reader.year_before,
    }
    told = list(found[mart]()) if mart in found else []
    as_it_is = [reader.as_it_is(item) for item in told]
    return (
        [item for item in as_it_is if item is not None],
        [item for item, is_so in zip(told, as_it_is, strict=True) if is_so is None],
    )


class _Reader:
    def __init__(
        self,
        counts: Sequence[Counted],
        edition: Edition,
        by_force: Mapping[str, Sequence[int]],
    ) -> None:
        self._counts, self._edition, self._by_force = counts, edition, by_force
        self._subjects = {
            entry.row_code: subject_of(entry)
            for entry in unshown(edition.collection.template)
            if entry.measure == "people_suspended"
        }

    def as_it_is(self, told: Told) -> Told | None:
        """Return what is told with the side first that holds; None where neither does."""
        one, other = ([limit for limit in side if limit.terms] for side in told[2:])
        if one and all(map(self._holds, one)):
            return told._replace(one=one, other=other)
        if other and all(map(self._holds, other)):
            return told._replace(one=other, other=one)
        return None

    def _holds(self, limit: Limit) -> bool:
        value = sum(weight * self._counts[place].value for place, weight in limit.terms.items())
        return limit.low - 1e-9 <= value <= limit.high + 1e-9

    def investigations(self) -> Iterator[Told]:
        before = self._of_forces(_BEFORE)
        for force, rule in self._passed("Q101"):
            then = before.get(force)
            if then is not None and rule["months_before"]:
                expected = then * rule["months"] / rule["months_before"]
                low, high = _in_line(expected, 1, rule, self._sum(force, _ALL))
                yield Told("Q101", force, [Limit(self._terms(force, _ALL), low, high)], [])
        for force, rule in self._passed("Q104"):
            if (before.get(force) or 0) >= rule["comparator"]:
                yield Told("Q104", force, [Limit(self._terms(force, _ALL), 1, math.inf)], [])
        for force, rule in self._passed("Q102"):
            low, high = int(rule["lowest"]), int(rule["highest"])
            yield Told("Q102", force, [Limit(self._terms(force, _DISCLOSURE), low, high)], [])
        others = {**_DISCLOSURE, "recipient": ("others",)}
        yield from self._shares("Q107", others, _DISCLOSURE)
        yield from self._shares("Q108", _CONTINUING, _ALL, least=1)
        yield from self._shares("Q109", {"outcome": ("left_service",)}, _ALL)
        people = self._edition.suspended
        for force, _ in self._passed("V005"):
            for subject in self._subjects.values():
                if people.get((force, *subject)):
                    codes = dict(zip(SUBJECT, ((code,) for code in subject), strict=True))
                    yield Told(
                        "V005",
                        force,
                        [Limit(self._terms(force, {**codes, **_CONTINUING}), 1, math.inf)],
                        [],
                    )

    def suspended(self) -> Iterator[Told]:
        frame = self._edition.behind["investigations"].filter(
            pl.col("outcome") == v.CONTINUING, pl.col("cases") == 0
        )
        closed = set(frame.select("force_code", *SUBJECT).iter_rows())
        for force, _ in self._passed("V005"):
            for place in self._by_force.get(force, ()):
                subject = self._subjects.get(self._counts[place].key["row_code"])
                if subject and (force, *subject) in closed:
                    yield Told("V005", force, [Limit({place: 1.0}, 0, 0)], [])

    def year_before(self) -> Iterator[Told]:
        now = self._of_forces("investigations")
        for force, rule in self._passed("Q101"):
            count = now.get(force)
            if count is not None and rule["months_before"]:
                months, before = rule["months"], rule["months_before"]
                low, high = _in_line(count, months / before, rule, self._sum(force, _ALL))
                yield Told("Q101", force, [Limit(self._terms(force, _ALL), low, high)], [])
        for force, rule in self._passed("Q104"):
            if now.get(force) == 0:
                few = math.ceil(rule["comparator"]) - 1
                yield Told("Q104", force, [Limit(self._terms(force, _ALL), 0, few)], [])

    def second_jobs(self) -> Iterator[Told]:
        for force, _ in self._passed("C502"):
            yield Told(
                "C502",
                force,
                [Limit(self._terms(force, _APPROVED, _BREACHES, -1), 0, math.inf)],
                [],
            )
        for force, rule in self._passed("Q105"):
            yield Told(
                "Q105",
                force,
                [Limit(self._terms(force, _APPROVED, _DECIDED, -rule["lowest"]), 0, math.inf)],
                [],
            )
            few = Limit(self._terms(force, _DECIDED), 0, math.ceil(rule["applications"]) - 1)
            yield Told(
                "Q105",
                force,
                [few],
                [Limit(self._terms(force, _DECIDED, _APPROVED, -1), 1, math.inf)],
            )
        without = self._edition.without_policy
        for force, _ in self._passed("X002"):
            if force in without:
                yield Told("X002", force, [Limit(self._terms(force, _DECIDED), 0, 0)], [])

    def registers(self) -> Iterator[Told]:
        declined = {**_HOSPITALITY, "decision": ("declined",)}
        for force, rule in self._passed("Q106"):
            few = math.ceil(rule["entries"]) - 1
            if not self._terms(force, declined):
                continue
            of_all = [
                Limit(self._terms(force, declined, _HOSPITALITY, -rule["lowest"]), 0, math.inf),
                Limit(self._terms(force, declined, _HOSPITALITY, -rule["highest"]), -math.inf, 0),
            ]
            yield Told("Q106", force, [Limit(self._terms(force, _HOSPITALITY), 0, few)], of_all)
        for force, _ in self._passed("Q113"):
            accepted = self._terms(force, {"decision": ("accepted",)})
            if len(accepted) == len(v.BODIES) * len(v.REGISTER_KINDS):
                own, other = ({"body": (body,)} for body in ("force", "authority"))
                yield Told(
                    "Q113", force, [Limit(self._terms(force, own, other, -1), 0, math.inf)], []
                )

    def _shares(self, rule: str, part: Codes, whole: Codes, least: int = 0) -> Iterator[Told]:
        for force, limit in self._passed(rule):
            share = [Limit(self._terms(force, part, whole, -limit["highest"]), -math.inf, 0)]
            if least:
                share.append(Limit(self._terms(force, part), least, math.inf))
            few = math.ceil(limit["cases"]) - 1
            yield Told(rule, force, [Limit(self._terms(force, whole), 0, few)], share)

    def _passed(self, rule: str) -> Iterator[tuple[str, Mapping[str, Any]]]:
        for force in self._edition.passed(rule):
            if force in self._by_force:
                yield force, self._edition.rules[rule]

    def _sum(self, force: str, codes: Codes) -> float:
        return sum(self._counts[place].value for place in self._terms(force, codes))

    def _terms(
        self, force: str, codes: Codes, others: Codes | None = None, weight: float = 0
    ) -> dict[int, float]:
        """Return the places of a force's entries once each, and of others so many times."""
        terms = dict.fromkeys(matching(self._counts, self._by_force[force], codes), 1.0)
        for place in (
            () if others is None else matching(self._counts, self._by_force[force], others)
        ):
            terms[place] = terms.get(place, 0) + weight
        return {place: times for place, times in terms.items() if times}

    def _of_forces(self, column: str) -> dict[str, int | None]:
        profiles = self._edition.behind[PROFILES].filter(pl.col("basis") != "published")
        if column not in profiles.columns:
            return {}
        return dict(profiles.select("force_code", column).iter_rows())


def _in_line(
    expected: float, share: float, rule: Mapping[str, Any], value: float
) -> tuple[float, float]:
    """Return the range of whole numbers that are in line with what another year leads to expect.

    Args:
        expected: what the other year's count is, in this year's months where `share` is 1.
        share: what part of this count is to be compared with it.
        rule: the limits of Q101.
        value: the count itself, which tells by which of the two measures it is in line.
    """
    lowest, highest, near = rule["lowest"], rule["highest"], rule["difference"]
    if share == 1:
        usual = expected * lowest, expected * highest
        close = math.floor(expected - near) + 1, math.ceil(expected + near) - 1
    else:
        usual = expected / highest / share, expected / lowest / share if lowest else math.inf
        close = (
            math.floor((expected - near) / share) + 1,
            math.ceil((expected + near) / share) - 1,
        )
    ranges = [ends for ends in (usual, close) if ends[0] <= value <= ends[1]]
    return max(ranges, key=lambda ends: ends[1] - ends[0], default=(-math.inf, -math.inf))
