"""Runs the whole job on an extract: finds it, works on its parts, and shows the results.

Belongs here: the order of the steps. Does not: any step.
"""

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Final

import polars as pl

from assets.cases.folder import new_contents
from assets.cases.part import PartResult
from assets.cases.place import Place
from assets.cases.plan import LIMITS, Limits, Part, plan
from assets.cases.pool import HERE, Pool
from assets.cases.refusal import ExtractRefusedError, Refusal
from assets.cases.results import by_force, together
from assets.cases.source import Source, find_sources
from assets.cases.summary import summary
from assets.cases.suspects import QUARANTINE
from schemas.collection import Collection

COUNTS: Final = "counts.parquet"
BY_FORCE: Final = "by_force.parquet"
BAD_ROWS: Final = "quarantine.parquet"
SUMMARY: Final = "summary.json"
ROWS_IN_GROUP: Final = 100_000
"""Of the quarantine; else it would show in the bytes how the extract was divided."""

RESULTS: Final = (COUNTS, BY_FORCE, BAD_ROWS, SUMMARY)

Told = Callable[[int, int], None]
"""Is told the rows done and the rows in all (about so many where the extract is CSV)."""


def _nobody(done: int, total: int) -> None:
    """Tell nobody."""


def run_cases(
    paths: Sequence[Place],
    folder: Path,
    collection: Collection,
    limits: Limits = LIMITS,
    tell: Told = _nobody,
    pool: Pool = HERE,
) -> dict[str, Any]:
    """Judge and count an extract; `folder` then shows RESULTS, all of this run.

    Returns:
        The document of summary.py.

    Raises:
        ExtractRefusedError: files are not readable as an extract; `folder` is as it was.
        MusterError: the results cannot be written; `folder` is as it was.
    """
    return run_sources(find_sources(paths), folder, collection, limits, tell, pool)


def run_sources(
    sources: Sequence[Source],
    folder: Path,
    collection: Collection,
    limits: Limits = LIMITS,
    tell: Told = _nobody,
    pool: Pool = HERE,
) -> dict[str, Any]:
    """Do as `run_cases` does, with files that were found before."""
    parts = plan(sources, collection, limits)
    with new_contents(folder, RESULTS) as fresh:
        results = _process_all(parts, collection, limits, fresh.parent, tell, pool)
        totals = together(results, (source.folder for source in sources if source.folder))
        totals.counts.write_parquet(fresh / COUNTS)
        forces = by_force(totals, collection)
        forces.write_parquet(fresh / BY_FORCE)
        _gather([result.quarantine for result in results], fresh / BAD_ROWS)
        document = summary(totals, forces, fresh / BAD_ROWS, collection)
        (fresh / SUMMARY).write_text(json.dumps(document, indent=1, ensure_ascii=False))
    return document


def _process_all(
    parts: Sequence[Part],
    collection: Collection,
    limits: Limits,
    folder: Path,
    tell: Told,
    pool: Pool,
) -> list[PartResult]:
    results: list[PartResult] = []
    refusals: list[Refusal] = []
    total = sum(part.rows for part in parts)
    done = 0

    def advance(rows: int) -> None:
        nonlocal done
        done += rows
        tell(done, total)

    tell(0, total)
    for outcome in pool(parts, collection, limits, folder, advance):
        if isinstance(outcome, PartResult):
            results.append(outcome)
        else:
            refusals += outcome
    if refusals:
        raise ExtractRefusedError(refusals)
    return results


def _gather(quarantines: Sequence[Path | None], path: Path) -> None:
    """Write the bad rows of all parts as one file, in order."""
    held = [quarantine for quarantine in quarantines if quarantine]
    if held:
        pl.scan_parquet(held, glob=False).sink_parquet(path, row_group_size=ROWS_IN_GROUP)
    else:
        pl.DataFrame(schema=QUARANTINE).write_parquet(path)
