"""Rules M: whether the totals hold, one small function a rule, each returning what does not.

Belongs here: checks of totals against each other. Does not: checks of a force's return
(validation/), nor of totals against the publication (reconciliation/).
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from functools import cached_property
from itertools import pairwise
from typing import Final

import polars as pl

from assets.recount.recount import differences, recounted, research_recounted
from assets.research.tables import ResearchTables, no_research
from schemas import vocabulary as v
from schemas.breakdown import Band, write_breakdown
from schemas.collection import Collection
from schemas.contract import conform
from schemas.marts.totals import NationalChecks
from schemas.rules.catalogue import rules

_SHOWN: Final = 5
_DISCLOSURE: Final = "information_disclosure"
_PUBLISHED_SUBJECTS: Final = (
    _DISCLOSURE,
    "media_relationship",
    "gratuities_hospitality",
    "second_jobs",
)

Key = tuple[str, str, str]


@dataclass(frozen=True)
class Totals:
    """What the checks read: marts NationalTotals, Investigations and Cells, and the rest."""

    national: pl.DataFrame
    investigations: pl.DataFrame
    cells: pl.DataFrame
    collection: Collection
    research: ResearchTables = field(default_factory=no_research)

    @cached_property
    def value(self) -> dict[Key, float | None]:
        """Each national total by measure, breakdown and period."""
        keyed = self.national.select("measure", "breakdown", "period", "value").iter_rows()
        return {(measure, breakdown, period): value for measure, breakdown, period, value in keyed}

    def of(self, measure: str, **parts: str | None) -> float | None:
        """Return a total of the collection period, None where it is unknown."""
        return self.value.get((measure, write_breakdown(parts), "collection"))


Check = Callable[[Totals], Iterable[str]]


def everybody_is_in(totals: Totals) -> Iterator[str]:
    """M001: every expected force is in the total of all investigations."""
    whole = totals.national.filter(
        (pl.col("measure") == "investigations")
        & (pl.col("breakdown") == "")
        & (pl.col("period") == "collection")
    )
    for included, expected in whole.select("forces_included", "forces_expected").iter_rows():
        if included != expected:
            yield f"{included} of {expected} forces are in the totals"


def parts_add_up(totals: Totals) -> Iterator[str]:
    """M002: every whole is the sum of its parts, on each side it is divided by."""
    for measure, whole, parts in _divisions():
        total = totals.of(measure, **whole)
        values = [totals.of(measure, **whole, **part) for part in parts]
        known = [value for value in values if value is not None]
        if total is not None and sum(known) != total:
            name = write_breakdown(whole) or "all"
            yield f"{measure} {name} is {total:g}, but its parts add up to {sum(known):g}"


def _divisions() -> Iterator[tuple[str, dict[str, str], list[dict[str, str]]]]:
    outcomes = [{"outcome": outcome} for outcome in v.OUTCOMES]
    ended = [{"outcome": v.CONTINUING}, {"outcome": v.COMPLETED}]
    subjects: list[dict[str, str]] = [{}, *({"category": code} for code in v.CATEGORIES)]
    recipients = [{"category": _DISCLOSURE, "recipient": code} for code in v.RECIPIENTS]
    for whole in (*subjects, *recipients):
        yield "investigations", whole, outcomes
        yield "investigations", whole, ended
    media = [{"media": code} for code in v.MEDIA]
    for measure in ("investigations", "people_suspended"):
        yield measure, {}, subjects[1:]
        yield measure, {"category": _DISCLOSURE}, [{"recipient": code} for code in v.RECIPIENTS]
        yield measure, {"category": _DISCLOSURE, "recipient": "media"}, media
        yield measure, {"category": "media_relationship"}, media
    kinds = [{"kind": code} for code in v.REGISTER_KINDS]
    decisions = [{"decision": code} for code in v.REGISTER_DECISIONS]
    for body in v.BODIES:
        yield "register_entries", {"body": body}, kinds
        yield "register_entries", {"body": body}, decisions
        for kind in v.REGISTER_KINDS:
            yield "register_entries", {"body": body, "kind": kind}, decisions
    applied = [{"decision": code} for code in ("approved", "refused", "withdrawn", "pending")]
    yield "second_job_applications", {}, applied
    conditions = [{"conditions": code} for code in ("no", "yes")]
    yield "second_job_applications", {"decision": "approved"}, conditions


def the_rest_is_not_negative(totals: Totals) -> Iterator[str]:
    """M003: what the publication left out is a number of cases, in every outcome."""
    for outcome in (None, *v.OUTCOMES):
        whole = totals.of("investigations", outcome=outcome)
        published = [
            totals.of("investigations", category=category, outcome=outcome)
            for category in _PUBLISHED_SUBJECTS
        ]
        if whole is not None and whole < sum(value or 0 for value in published):
            yield f"{outcome or 'all outcomes'}: the published subjects exceed the whole {whole:g}"


def the_second_engine_agrees(totals: Totals) -> Iterator[str]:
    """M004: another engine finds the same totals in the same cells and the same research."""
    recount = pl.concat(
        [
            recounted(totals.cells, totals.collection),
            research_recounted(totals.research, totals.collection),
        ]
    )
    for row in differences(totals.national, recount).iter_rows(named=True):
        yield (
            f"{row['measure']} {row['breakdown']} {row['period']}: {row['value']} of"
            f" {row['forces_included']} forces, recounted {row['recounted']} of"
            f" {row['forces_recounted']}"
        )


def parts_are_within_wholes(totals: Totals) -> Iterator[str]:
    """M008: a part is at most its whole."""
    for (small_name, small), (large_name, large) in _nested(totals):
        if small is not None and large is not None and small > large:
            yield f"{small_name} {small:g} is above {large_name} {large:g}"


Named = tuple[str, float | None]


def _nested(totals: Totals) -> Iterator[tuple[Named, Named]]:
    cases, applications = "investigations", "second_job_applications"
    disclosure = totals.of(cases, category=_DISCLOSURE)
    media = totals.of(cases, category=_DISCLOSURE, recipient="media")
    yield ("disclosure to the media", media), ("information disclosure", disclosure)
    yield ("information disclosure", disclosure), ("all investigations", totals.of(cases))
    completed = totals.of(cases, outcome=v.COMPLETED)
    yield ("completed", completed), ("all investigations", totals.of(cases))
    approved = totals.of(applications, decision="approved")
    yield ("approved", approved), ("applications", totals.of(applications))
    against = totals.of("second_job_approvals_in_breach")
    yield ("approved against guidance", against), ("approved", approved)
    for category in (None, *v.CATEGORIES):
        yield from _nested_spread(totals, category)


def _nested_spread(totals: Totals, category: str | None) -> Iterator[tuple[Named, Named]]:
    def named(measure: str, **part: str) -> Named:
        text = " ".join([category or "all subjects", *part.values()])
        return text, totals.of(measure, category=category, **part)

    names = ("minimum", "lower_quartile", "median", "upper_quartile", "maximum")
    spread = [named("investigations_per_force", statistic=name) for name in names]
    yield from pairwise(spread)
    for narrow, wide in _nested_bands(totals.collection):
        measure = "forces_with_investigations"
        yield named(measure, count=narrow), named(measure, count=wide)


def _nested_bands(collection: Collection) -> Iterator[tuple[str, str]]:
    bands = {text: Band.parse(text) for text in collection.count_bands}
    for narrow, one in bands.items():
        for wide, other in bands.items():
            ends_within = other.high is None or (one.high is not None and one.high <= other.high)
            if narrow != wide and one.low >= other.low and ends_within:
                yield narrow, wide


def regions_add_up(totals: Totals) -> Iterator[str]:
    """M009: every force is in exactly one region."""
    regions = totals.collection.bodies.select("force_code", "region").drop_nulls()
    placed = totals.investigations.join(regions, on="force_code", how="inner")
    by_region = placed.group_by("region").agg(pl.col("cases").sum())
    nation = totals.of("investigations")
    if nation is not None and by_region["cases"].sum() != nation:
        yield f"regions add up to {by_region['cases'].sum()}, the nation is {nation:g}"


def no_force_is_most_of_a_figure(totals: Totals) -> Iterator[str]:
    """M006: told, because such a figure is about one force."""
    limits = totals.collection.thresholds["M006"]
    for dims in (["category"], ["category", "recipient"], ["outcome"]):
        level = totals.investigations.drop_nulls(dims)
        by_force = level.group_by("force_code", *dims).agg(pl.col("cases").sum())
        whole = pl.col("cases").sum().over(dims)
        much = (whole >= limits["cases"]) & (pl.col("cases") > whole * limits["share"])
        found = by_force.with_columns(whole.alias("whole")).filter(much).sort(*dims, "force_code")
        for row in found.iter_rows(named=True):
            name = write_breakdown({dim: row[dim] for dim in dims})
            yield f"{row['force_code']} has {row['cases']} of {row['whole']} in {name}"


def no_force_moves_a_share(totals: Totals) -> Iterator[str]:
    """M007: told, because such a share would change with one return."""
    limits = totals.collection.thresholds["M007"]
    for dim in ("category", "outcome"):
        part = totals.investigations.group_by("force_code", dim).agg(pl.col("cases").sum())
        own = part.with_columns(pl.col("cases").sum().over("force_code").alias("own_whole"))
        cases, whole = pl.col("cases").sum().over(dim), pl.col("cases").sum()
        share = cases / whole
        without = (cases - pl.col("cases")) / (whole - pl.col("own_whole"))
        moved = own.with_columns(((without - share) / share).alias("change"), cases.alias("of"))
        much = (pl.col("of") >= limits["cases"]) & (pl.col("change").abs() > limits["change"])
        for row in moved.filter(much).sort("force_code", dim).iter_rows(named=True):
            yield f"without {row['force_code']} the share of {row[dim]} moves {row['change']:+.0%}"


CHECKS: Final[dict[str, Check]] = {
    "M001": everybody_is_in,
    "M002": parts_add_up,
    "M003": the_rest_is_not_negative,
    "M004": the_second_engine_agrees,
    "M006": no_force_is_most_of_a_figure,
    "M007": no_force_moves_a_share,
    "M008": parts_are_within_wholes,
    "M009": regions_add_up,
}


def national_checks(totals: Totals) -> pl.DataFrame:
    """Return the mart NationalChecks: every rule M that can be told of the totals alone."""
    rows = []
    for rule_id, check in CHECKS.items():
        found = list(check(totals))
        more = f"; and {len(found) - _SHOWN} more" if len(found) > _SHOWN else ""
        rows.append(
            {
                "rule_id": rule_id,
                "severity": rules()[rule_id].severity,
                "passed": not found,
                "cases": len(found),
                "message": ("; ".join(found[:_SHOWN]) + more) or rules()[rule_id].title,
            }
        )
    return conform(NationalChecks, pl.DataFrame(rows))
