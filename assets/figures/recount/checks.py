"""Rules M: whether the totals hold.

What is said of the totals and the cells alone is SQL on the tables of the second engine
(checks.sql): what is the sum of what, and what is within what, is read as that engine reads it.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import polars as pl

from assets.figures.recount.recount import (
    compared_otherwise,
    counting,
    differences,
    frame,
    in_cube_otherwise,
    laid_out_otherwise,
    research_recounted,
)
from assets.figures.totals.national import in_the_totals
from assets.inputs.research.tables import ResearchTables, no_research
from assets.previous import Earlier
from schemas.collection import Collection
from schemas.conform import conform
from schemas.contract import empty
from schemas.marts import Comparisons, NationalChecks
from schemas.rules.catalogue import rules
from schemas.wording import Number

RULES: Final = ("M001", "M002", "M003", "M004", "M006", "M007", "M008", "M009", "M012", "M013")
"""Those that can be told here; the others are of the public edition."""

_SQL: Final = Path(__file__).with_name("checks.sql")
_SHOWN: Final = 5


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


def cases_by_rule(totals: Totals) -> dict[str, list[str]]:
    """Return by rule of RULES what does not hold, each case in words."""
    collection, limits = totals.collection, totals.collection.thresholds
    more = {
        "national": totals.national,
        "published": collection.published_figures.select("measure", "breakdown", "period"),
        "region": collection.bodies.drop_nulls("region").select("force_code"),
        "most": frame(("share", "cases"), [limits.get("M006", {})]),
        "moving": frame(("change", "cases"), [limits.get("M007", {})]),
    }
    with counting(totals.cells, collection, **more) as engine:
        engine.execute(_SQL.read_text(encoding="utf-8"))
        counted, wholes = engine.table("figure").pl(), engine.table("whole").pl()
        found = engine.sql("select rule_id, message from told order by rule_id, nth, message").pl()
    by_rule = {rule_id: list[str]() for rule_id in RULES}
    for rule_id, message in found.iter_rows():
        by_rule[rule_id].append(message)
    return by_rule | {
        "M001": [*_missing(totals)],
        "M004": [*_otherwise(totals, counted, wholes)],
        "M013": [*_unreleased(totals)],
    }


def _missing(totals: Totals) -> Iterator[str]:
    included, expected = in_the_totals(totals.national, totals.collection)
    if included != expected:
        yield f"{included} of {expected} forces {Number(included):!is|are} in the totals"


def _otherwise(totals: Totals, counted: pl.DataFrame, wholes: pl.DataFrame) -> Iterator[str]:
    """Yield what the second engine finds otherwise in the same cells and the same research."""
    recount, research = counted, totals.research
    if len(research.profiles) + len(research.instances) + len(research.responses):
        recount = pl.concat([counted, research_recounted(research, totals.collection)])
    for row in differences(totals.national, recount).iter_rows(named=True):
        yield (
            f"{row['measure']} {row['breakdown']} {row['period']}: {row['value']} of"
            f" {row['forces_included']} forces, recounted {row['recounted']} of"
            f" {row['forces_recounted']}"
        )
    if totals.cube is not None:
        yield from in_cube_otherwise(totals.cube, recount, wholes, totals.collection)
    yield from compared_otherwise(counted, totals.comparisons, totals.released, totals.collection)
    yield from laid_out_otherwise(totals.laid_out, totals.cells, totals.collection)


def _unreleased(totals: Totals) -> Iterator[str]:
    there = set(totals.comparisons.drop_nulls("previous_release")["previous_collection"])
    for period, other in totals.collection.compared.items():
        if other not in there:
            yield f"{period}: {other} has no release of this return, so nothing is compared with it"


def national_checks(totals: Totals) -> pl.DataFrame:
    """Return the mart NationalChecks: every rule M that can be told of the totals alone."""
    rows = []
    for rule_id, found in cases_by_rule(totals).items():
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
