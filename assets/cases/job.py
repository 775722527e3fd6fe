"""Runs the whole job on an extract: finds it, works on its parts, and shows the results.

Belongs here: the order of the steps. Does not: any step.
"""

import json
import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Final, Protocol

import polars as pl

from assets.cases.folder import new_contents
from assets.cases.part import Done, Outcome, PartResult, outcome
from assets.cases.place import Place
from assets.cases.plan import LIMITS, Limits, Part, plan
from assets.cases.refusal import ExtractRefusedError, Refusal
from assets.cases.results import by_force, together
from assets.cases.source import Source, find_sources
from assets.cases.summary import summary
from assets.cases.suspects import QUARANTINE
from schemas.cases.rules import case_rows
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


class Pool(Protocol):
    """Works on parts; `dashboard` is where that can be watched, None where it cannot."""

    @property
    def dashboard(self) -> str | None:
        """The address of a page that shows the work."""

    def __call__(
        self,
        parts: Sequence[Part],
        collection: Collection,
        limits: Limits,
        folder: Path,
        advance: Callable[[int], None],
    ) -> list[Outcome]:
        """Return the outcome of each part in order; what parts write lies below `folder`."""


class Here:
    """Works on one part after the other: the largest sets how much memory is needed."""

    dashboard = None

    def __call__(
        self,
        parts: Sequence[Part],
        collection: Collection,
        limits: Limits,
        folder: Path,
        advance: Callable[[int], None],
    ) -> list[Outcome]:
        """Do what Pool says."""
        return [outcome(part, collection, limits, folder, advance) for part in parts]


HERE: Final = Here()


def chosen_pool(tell: Callable[[Done], None] = lambda _: None) -> Pool:
    """Return the cluster that MUSTER_DASK names, or else this process.

    Args:
        tell: told of each part that the cluster has finished.

    Raises:
        SetupError: MUSTER_DASK is no address.
    """
    address = os.environ.get("MUSTER_DASK")
    if not address:
        return HERE
    from assets.cases.cluster import Cluster  # noqa: PLC0415 (takes half a second)

    return Cluster(address, tell)


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
    """Do as `run_cases` does, with files that were found before.

    Raises:
        SetupError: the collection takes no extracts.
    """
    case_rows(collection)
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
    for found in pool(parts, collection, limits, folder, advance):
        if isinstance(found, PartResult):
            results.append(found)
        else:
            refusals += found
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
