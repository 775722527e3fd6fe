"""Runs the whole job on an extract: parts, results, and the document that says what came of it."""

import json
import os
import re
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Final, Protocol

import polars as pl

from assets.cases.counting import (
    Done,
    Outcome,
    PartResult,
    Totals,
    by_force,
    outcome,
    spread,
    together,
)
from assets.cases.destination import new_contents
from assets.cases.judging import QUARANTINE
from assets.cases.reading import LIMITS, Limits, Part, plan
from assets.cases.sources import ExtractRefusedError, Place, Refusal, Source, find_sources
from assets.intake.quoting import shown
from schemas.cases.columns import ACCEPTED, QUARANTINED, REJECTED, TYPES, codes
from schemas.cases.rules import CASE_REF, COLUMN_OF, case_rows, case_rules
from schemas.collection import Collection

SAMPLES: Final = 5
"""Addresses shown of each rule; the quarantine has all."""

_NEAR: Final = 10_000
"""Rows at the beginning of the quarantine that are searched for samples first."""

_SHOWN: Final = 80
"""Characters of a value that a sample shows."""


def summary(
    totals: Totals, forces: pl.DataFrame, quarantine: Path, collection: Collection
) -> dict[str, Any]:
    """Return the document as JSON knows it.

    `state` is `accepted`, `quarantined` (accepted without its bad rows) or `rejected` (too large
    a share is bad, of all rows or of those of the forces in `rejected`); `rows`, `valid`, `bad`,
    `bad_share`, `max_bad_share`; `rules`, `files` and `national` say more.

    Args:
        totals: all parts together.
        forces: as `by_force` returns them.
        quarantine: the file of all bad rows.
        collection: the collection.
    """
    rows, bad = sum(totals.rows.values()), totals.faults["rows"].sum()
    limit = collection.max_bad_share
    share = bad / rows if rows else 0.0
    rejected = forces.filter(state=REJECTED)["force_code"].to_list()
    state = REJECTED if rejected or share > limit else QUARANTINED if bad else ACCEPTED
    return {
        "collection": collection.id,
        "state": state,
        "rejected": rejected,
        "rows": rows,
        "valid": rows - bad,
        "bad": bad,
        "bad_share": share,
        "max_bad_share": limit,
        "rules": _rules(totals.faults, quarantine, codes(collection.template)),
        "files": _files(totals),
        "national": _national(totals),
    }


def _by_rule(faults: pl.DataFrame, *keys: str) -> pl.DataFrame:
    """Count bad rows by rule; a row that breaks two counts for both."""
    single = faults.with_columns(pl.col("reasons").str.split(";")).explode("reasons")
    return single.group_by(*keys, "reasons").agg(pl.col("rows").sum()).sort(*keys, "reasons")


def _rules(
    faults: pl.DataFrame, quarantine: Path, listed: Mapping[str, Sequence[str]]
) -> list[dict[str, Any]]:
    broken = dict(_by_rule(faults).iter_rows())
    bad = pl.scan_parquet(quarantine, glob=False).with_columns(pl.col(*TYPES).str.head(_SHOWN))
    near = bad.head(_NEAR).collect()
    return [
        {
            "rule_id": rule.id,
            "title": rule.title,
            "rows": broken.get(rule.id, 0),
            "how_to_fix": rule.fix,
            "samples": _samples(rule.id, broken.get(rule.id, 0), near, bad, listed),
        }
        for rule in case_rules().values()
    ]


def _samples(
    rule_id: str,
    rows: int,
    near: pl.DataFrame,
    bad: pl.LazyFrame,
    listed: Mapping[str, Sequence[str]],
) -> list[dict[str, Any]]:
    """Return the first rows that break a rule, which nearly always stand near the beginning."""
    broken = pl.col("reasons").str.contains(rule_id, literal=True)
    found = near.filter(broken).head(SAMPLES)
    if found.height < min(rows, SAMPLES):
        found = bad.filter(broken).head(SAMPLES).collect()
    column = COLUMN_OF[rule_id]
    place = ("file", "row", pl.lit(column).alias("column"))
    samples = found.select(*place, pl.col(column).alias("value")).to_dicts()
    for sample in samples:
        text = sample["value"]
        # What stands there may name somebody; a reference in its form does not.
        if text and not (column == "case_ref" and re.fullmatch(CASE_REF, text)):
            sample["value"] = shown(text, listed.get(column, ()))
    return samples


def _files(totals: Totals) -> list[dict[str, Any]]:
    bad = dict(totals.faults.group_by("file").agg(pl.col("rows").sum()).iter_rows())
    broken: dict[str, dict[str, int]] = {}
    for file, rule_id, rows in _by_rule(totals.faults, "file").iter_rows():
        broken.setdefault(file, {})[rule_id] = rows
    return [
        {
            "file": file,
            "rows": rows,
            "valid": rows - bad.get(file, 0),
            "bad": bad.get(file, 0),
            "rules": broken.get(file, {}),
        }
        for file, rows in totals.rows.items()
    ]


def _national(totals: Totals) -> dict[str, Any]:
    """Return the valid cases of all forces by one column at a time, and their days to close."""
    days = totals.days.group_by("days").agg(pl.col("cases").sum()).sort("days")
    by = ("category", "recipient", "media", "status_at_census", "month")
    return {
        **totals.forces.select(pl.col("valid").alias("cases"), "suspended", "staff")
        .sum()
        .row(0, named=True),
        **{name: _by(totals.counts, name) for name in by},
        "to_close": days.select(spread()).row(0, named=True),
    }


def _by(counts: pl.DataFrame, name: str) -> dict[str, int]:
    held = counts.drop_nulls(name).group_by(name).agg(pl.col("cases").sum()).sort(name)
    return dict(held.with_columns(pl.col(name).cast(pl.String)).iter_rows())


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
        The document of `summary`.

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
