"""Rules M: whether the totals hold, one small function a rule, each returning what does not.

What is the sum of what, and what is within what, is read off the template's cells.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from math import inf
from typing import Final

import polars as pl

from assets.figures.recount.recount import (
    compared_otherwise,
    differences,
    in_cube_otherwise,
    laid_out_otherwise,
    recounted,
    research_recounted,
)
from assets.figures.totals.leaves import PLACE, counted_in, leaves
from assets.figures.totals.national import in_the_totals
from assets.inputs.research.tables import ResearchTables, no_research
from assets.previous import Earlier
from schemas.breakdown import LAST, Band, in_order, read_breakdown, write_breakdown
from schemas.collection import Collection
from schemas.conform import conform
from schemas.contract import empty
from schemas.marts import Comparisons, NationalChecks
from schemas.measures import NOW, Share
from schemas.rules.catalogue import rules
from schemas.template import Template

_SHOWN: Final = 5

Key = tuple[str, str, str]
Codes = dict[str, str]


@dataclass(frozen=True)
class Totals:
    """What the checks read: marts NationalTotals, Cells, Comparisons and Cube, and the rest.

    `released` are the releases of other collections that figures stand beside, by collection,
    `laid_out` marts of single forces, by name (LAID_OUT).
    """

    national: pl.DataFrame
    cells: pl.DataFrame
    collection: Collection
    research: ResearchTables = field(default_factory=no_research)
    comparisons: pl.DataFrame = field(default_factory=lambda: empty(Comparisons))
    released: Mapping[str, Earlier] = field(default_factory=dict)
    cube: pl.DataFrame | None = None
    laid_out: Mapping[str, pl.DataFrame] = field(default_factory=dict)

    @cached_property
    def value(self) -> dict[Key, float | None]:
        """Each national total by measure, breakdown and period."""
        keyed = self.national.select("measure", "breakdown", "period", "value").iter_rows()
        return {(measure, breakdown, period): value for measure, breakdown, period, value in keyed}

    def of(self, measure: str, parts: Codes) -> float | None:
        """Return a total of the collection period, None where it is unknown."""
        ordered = {key: parts[key] for key in self.template.ordered([parts])}
        return self.value.get((measure, write_breakdown(ordered), NOW))

    @property
    def template(self) -> Template:
        """The template of the collection."""
        return self.collection.template

    @cached_property
    def held(self) -> pl.DataFrame:
        """The leaves of the period that hold a number: measure, force_code, dimensions, number."""
        number = pl.col("value").cast(pl.Int64, strict=False).alias("number")
        found = leaves(self.cells.with_columns(number), self.template)
        return found.filter(period=NOW).drop_nulls("number")

    @cached_property
    def counted(self) -> pl.DataFrame:
        """Those of the main measure."""
        return self.held.filter(measure=self.template.main or "")


Check = Callable[[Totals], Iterable[str]]


def everybody_is_in(totals: Totals) -> Iterator[str]:
    """M001: every expected force is in the total of the main measure, else in any total."""
    included, expected = in_the_totals(totals.national, totals.collection)
    if included != expected:
        yield f"{included} of {expected} forces are in the totals"


def parts_add_up(totals: Totals) -> Iterable[str]:
    """M002: every total is the sum of the cells that it is named after."""
    of_cell = totals.held.group_by(PLACE).agg(pl.col("number").sum())
    held = {tuple(place): number for *place, number in of_cell.iter_rows()}
    for (measure, breakdown, period), total in totals.value.items():
        found = counted_in(totals.template, measure, breakdown) if period == NOW else None
        if total is not None and found and found.kind == "count" and not found.given:
            parts = sum(held.get(cell.place, 0) for cell in found.cells)
            if parts != total:
                name = breakdown or "all"
                yield f"{measure} {name} is {total:g}, but its parts add up to {parts:g}"


def the_rest_is_not_negative(totals: Totals) -> Iterator[str]:
    """M003: what the publication left out is no number below zero, at any code crossed by."""
    template, main = totals.template, totals.template.main or ""
    if main not in template.measures:
        return
    crossed = template.measures[main].crossed_by or ""
    figures = totals.collection.published_figures.filter(measure=main, period=NOW)["breakdown"]
    printed = {tuple(parts.items()) for parts in map(read_breakdown, figures) if len(parts) == 1}
    wholes = [{}, *({crossed: code} for code in template.codes_of(main, crossed))]
    for key in sorted({key for ((key, _),) in printed} - {crossed}):
        codes = [code for code in template.lists.get(key, {}) if ((key, code),) in printed]
        for whole in wholes:
            values = [totals.of(main, {**whole, key: code}) for code in codes]
            total, named = totals.of(main, whole), write_breakdown(whole) or "all"
            if total is not None and total < sum(value or 0 for value in values):
                yield f"{named}: what was published by {key} exceeds the whole {total:g}"


def the_second_engine_agrees(totals: Totals) -> Iterator[str]:
    """M004: another engine finds the same totals in the same cells and the same research."""
    counted = recounted(totals.cells, totals.collection)
    recount = pl.concat([counted, research_recounted(totals.research, totals.collection)])
    for row in differences(totals.national, recount).iter_rows(named=True):
        yield (
            f"{row['measure']} {row['breakdown']} {row['period']}: {row['value']} of"
            f" {row['forces_included']} forces, recounted {row['recounted']} of"
            f" {row['forces_recounted']}"
        )
    if totals.cube is not None:
        yield from in_cube_otherwise(totals.cube, recount, totals.cells, totals.collection)
    yield from compared_otherwise(counted, totals.comparisons, totals.released, totals.collection)
    yield from laid_out_otherwise(totals.laid_out, totals.cells, totals.collection)


def compared_collections_are_released(totals: Totals) -> Iterator[str]:
    """M013: told, because without its release nothing stands beside the figures."""
    there = set(totals.comparisons.drop_nulls("previous_release")["previous_collection"])
    for period, other in totals.collection.compared.items():
        if other not in there:
            yield f"{period}: {other} has no release of this return, so nothing is compared with it"


def parts_are_within_wholes(totals: Totals) -> Iterable[str]:
    """M008: a part is at most its whole."""
    for (name, text, period), small in totals.value.items():
        for of, breakdown in _wholes(totals, name, read_breakdown(text)) if period == NOW else ():
            large = totals.value.get((of, breakdown, NOW))
            if small is not None and large is not None and small > large:
                whole = f"{of} {breakdown or 'all'} {large:g}"
                yield f"{name} {text or 'all'} {small:g} is above {whole}"


_RANKS: Final = ("minimum", "lower_quartile", "median", "upper_quartile", "maximum")


def _wholes(totals: Totals, name: str, parts: Codes) -> Iterator[tuple[str, str]]:
    """Yield what a total of the period can be no more than."""
    measure = totals.template.measures.get(name)
    for key, code in parts.items():
        next_up = _RANKS[_RANKS.index(code) + 1 :][:1] if code in _RANKS else ()
        wider = {"statistic": next_up, "count": _wider(totals.collection, code)}
        for other in wider.get(key, ()):
            yield name, write_breakdown({**parts, key: other})
        whole = {of: other for of, other in parts.items() if of != key}
        levels = measure and measure.levels and key not in LAST
        if measure and levels and measure.left_out(whole) in {None, measure.left_out(parts)}:
            yield name, write_breakdown(whole)
    if measure and measure.within and not parts:
        yield measure.within.measure, write_breakdown(measure.within.dims)


def _wider(collection: Collection, band: str) -> list[str]:
    """Return the bands that another lies in."""
    bands = {text: Band.parse(text) for text in collection.count_bands}
    ends = {text: (-of.low, inf if of.high is None else of.high) for text, of in bands.items()}
    mine = ends.pop(band, (inf, inf))
    return [text for text, of in ends.items() if mine[0] <= of[0] and mine[1] <= of[1]]


def regions_add_up(totals: Totals) -> Iterator[str]:
    """M009: every force is in exactly one region."""
    regions = totals.collection.bodies.select("force_code", "region").drop_nulls()
    placed = totals.counted.join(regions, on="force_code", how="inner")["number"].sum()
    nation = totals.of(totals.template.main or "", {})
    if nation is not None and placed != nation:
        yield f"regions add up to {placed}, the nation is {nation:g}"


def _by_force(cells: pl.DataFrame, dims: list[str], called: str) -> pl.DataFrame:
    return cells.group_by("force_code", *dims).agg(pl.col("number").sum().alias(called))


def _shared(totals: Totals, measure: str, share: Share) -> pl.DataFrame:
    """Return what each force holds of a share: its codes, force_code, whole, and part or null."""
    by, within = list(share.by), list(share.within)
    cells = totals.held.filter(measure=measure).drop_nulls(by)
    part, whole = _by_force(cells, by, "part"), _by_force(cells, within, "whole")
    codes = cells.select(by).unique()
    each = codes.join(whole, on=within) if within else codes.join(whole, how="cross")
    return each.join(part, on=["force_code", *by], how="left")


def no_force_is_most_of_a_figure(totals: Totals) -> Iterator[str]:
    """M006: told, because such a figure is about one force."""
    limits, main = totals.collection.thresholds.get("M006"), totals.template.main
    if limits is None or main is None:
        return
    measure = totals.template.measures[main]
    plain = [list(level.by) for level in measure.levels if not level.without]
    crossed = [[measure.crossed_by]] if measure.crossed_by else []
    for dims in [*(by for by in plain if 1 <= len(by) <= _FINEST), *crossed]:
        by_force = _by_force(totals.counted.drop_nulls(dims), dims, "cases")
        whole = pl.col("cases").sum().over(dims)
        much = (whole >= limits["cases"]) & (pl.col("cases") > whole * limits["share"])
        found = by_force.with_columns(whole.alias("whole")).filter(much).sort(*dims, "force_code")
        for row in found.iter_rows(named=True):
            name = write_breakdown({dim: row[dim] for dim in in_order(dims)})
            yield f"{row['force_code']} has {row['cases']} of {row['whole']} in {name}"


_FINEST: Final = 2
"""Dimensions of the finest figures that are told: finer ones are about few forces anyway."""


def no_force_moves_a_share(totals: Totals) -> Iterator[str]:
    """M007: told, because such a share would change with one return."""
    limits, main = totals.collection.thresholds.get("M007"), totals.template.main
    if limits is None or main is None:
        return
    shares = totals.template.measures[main].shares
    for share in [share for share in shares if len(share.by) == 1 and not share.within]:
        (dim,) = share.by
        own = _shared(totals, main, share).drop_nulls("part")
        part, whole = (pl.col(name).sum().over(dim) for name in ("part", "whole"))
        without = (part - pl.col("part")) / (whole - pl.col("whole"))
        change = (without - part / whole) / (part / whole)
        moved = own.with_columns(change=change).filter(part >= limits["cases"])
        much = moved.filter(pl.col("change").abs() > limits["change"])
        for row in much.sort("force_code", dim).iter_rows(named=True):
            yield f"without {row['force_code']} the share of {row[dim]} moves {row['change']:+.0%}"


def forces_in_a_whole_hold_the_part(totals: Totals) -> Iterator[str]:
    """M012: told, because such a share is not one of the forces that hold its part."""
    for name, measure in totals.template.measures.items():
        for share in measure.shares:
            by = list(share.by)
            own = pl.col("whole").filter(pl.col("part").is_not_null()).sum()
            found = (
                _shared(totals, name, share)
                .group_by(by)
                .agg(
                    pl.len().alias("forces"),
                    pl.col("part").null_count().alias("lacking"),
                    pl.when(own > 0).then(pl.col("part").sum() * 100 / own).alias("share"),
                )
            )
            for row in found.filter(pl.col("lacking") > 0).sort(by).iter_rows(named=True):
                named = write_breakdown({key: row[key] for key in by})
                told = "unknown" if row["share"] is None else f"{row['share']:.1f}"
                yield (
                    f"{measure.share_name(name, share)} {named}: {row['lacking']} of the"
                    f" {row['forces']} forces in its whole do not hold it; among the others it is"
                    f" {told}"
                )


CHECKS: Final[dict[str, Check]] = {
    "M001": everybody_is_in,
    "M002": parts_add_up,
    "M003": the_rest_is_not_negative,
    "M004": the_second_engine_agrees,
    "M006": no_force_is_most_of_a_figure,
    "M007": no_force_moves_a_share,
    "M008": parts_are_within_wholes,
    "M009": regions_add_up,
    "M012": forces_in_a_whole_hold_the_part,
    "M013": compared_collections_are_released,
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
