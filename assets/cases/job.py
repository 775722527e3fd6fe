"""Runs the whole job on an extract: parts, results, and the document that says what came of it."""

import json
import os
import tempfile
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, Final

import polars as pl

from assets.cases.counting import PartResult, by_force, spread, together
from assets.cases.destination import new_contents
from assets.cases.judging import QUARANTINE, Advance, Job, Outcome, outcome
from assets.cases.reading import LIMITS, Limits, Part, plan
from assets.cases.sources import Source
from assets.intake.quoting import shown
from assets.lake import write_errors
from schemas.cases import (
    ACCEPTED,
    COLUMN_OF,
    QUARANTINED,
    REJECTED,
    TYPES,
    case_rows,
    codes,
    is_reference,
)
from schemas.collection import Collection
from schemas.finding import FilesRefusedError
from schemas.rules.catalogue import CASES, rules_of

COUNTS: Final = "counts.parquet"
BY_FORCE: Final = "by_force.parquet"
BAD_ROWS: Final = "quarantine.parquet"
SUMMARY: Final = "summary.json"
RESULTS: Final = (COUNTS, BY_FORCE, BAD_ROWS, SUMMARY)

ROWS_IN_GROUP: Final = 100_000
"""Of the quarantine; else it would show in the bytes how the extract was divided."""

SAMPLES: Final = 5
"""Addresses shown of each rule; the quarantine has all."""

_NEAR: Final = 10_000
"""Rows at the beginning of the quarantine that are searched for samples first."""

_SHOWN: Final = 80
"""Characters of a value that a sample shows."""

_AT_ONCE: Final = 2
"""Parts that this process works on at once; they share the rows that are in memory."""

Pool = Callable[[Sequence[Part], Job, Advance], list[Outcome]]
"""Returns the outcome of each part in order."""


def in_this_process(parts: Sequence[Part], job: Job, advance: Advance) -> list[Outcome]:
    """Work on two parts at once: where one takes one core, as to sort its keys, another has more.

    The two largest set how much memory is needed.
    """
    with ThreadPoolExecutor(_AT_ONCE) as threads:
        return list(threads.map(lambda part: outcome(part, job, advance), parts))


def chosen_pool(tell: Callable[..., None] = lambda _: None) -> Pool:
    """Return the cluster that MUSTER_DASK names, which tells of each part done, or this process.

    Raises:
        SetupError: MUSTER_DASK is no address.
    """
    address = os.environ.get("MUSTER_DASK")
    if not address:
        return in_this_process
    from assets.cases.cluster import Cluster  # noqa: PLC0415 (takes half a second)

    return Cluster(address, tell)


def run_cases(
    sources: Sequence[Source],
    folder: Path,
    collection: Collection,
    limits: Limits = LIMITS,
    tell: Callable[[int, int], None] = lambda _done, _total: None,
    pool: Pool = in_this_process,
) -> dict[str, Any]:
    """Judge and count an extract; `folder` then shows RESULTS, all of this run.

    Returns the document of `_summary`; `tell` is told the rows done and those in all, about so many
    where they are CSV.

    Raises:
        FilesRefusedError: files are not readable as an extract; `folder` is as it was.
        MusterError: the results cannot be written, or the collection takes no extracts; `folder`
            is as it was.
    """
    case_rows(collection)
    parts = plan(sources, collection, limits.rows_at_once // _AT_ONCE)
    total, done = sum(part.rows for part in parts), list[int]()

    def advance(rows: int) -> None:
        done.append(rows)  # from several threads
        tell(sum(done), total)

    with new_contents(folder, RESULTS) as fresh:
        advance(0)
        found = pool(parts, Job(collection, fresh.parent, limits), advance)
        results = [each for each in found if isinstance(each, PartResult)]
        if len(results) < len(found):
            raise FilesRefusedError([r for each in found if isinstance(each, tuple) for r in each])
        totals = together(results)
        totals.counts.write_parquet(fresh / COUNTS)
        forces = by_force(totals, (s.folder for s in sources if s.folder), collection)
        forces.write_parquet(fresh / BY_FORCE)
        if bad := [result.quarantine for result in results if result.quarantine]:
            rows = pl.scan_parquet(bad, glob=False)
            rows.sink_parquet(fresh / BAD_ROWS, row_group_size=ROWS_IN_GROUP)
        else:
            pl.DataFrame(schema=QUARANTINE).write_parquet(fresh / BAD_ROWS)
        document = _summary(totals, forces, fresh / BAD_ROWS, collection)
        (fresh / SUMMARY).write_text(json.dumps(document, indent=1, ensure_ascii=False))
    return document


def tables_of(
    sources: Sequence[Source],
    collection: Collection,
    work: Path | None = None,
    pool: Pool = in_this_process,
) -> tuple[pl.DataFrame, ...]:
    """Return what comes of an extract: by force, the counts, and the bad rows.

    It is worked on below the folder `work`, where sweep finds what is left behind, or where
    temporary files lie.

    Raises:
        FilesRefusedError: files are not readable as an extract.
        MusterError: nothing can be written, or the collection takes no extracts.
    """
    folder = work or Path(tempfile.gettempdir())
    with write_errors(folder):
        folder.mkdir(parents=True, exist_ok=True)
        made = tempfile.TemporaryDirectory(
            dir=folder, prefix=".cases-", suffix=".partial", ignore_cleanup_errors=True
        )
    with made as name:
        run_cases(sources, out := Path(name) / "out", collection, pool=pool)
        return tuple(pl.read_parquet(out / table) for table in (BY_FORCE, COUNTS, BAD_ROWS))


def _summary(
    totals: PartResult, forces: pl.DataFrame, quarantine: Path, collection: Collection
) -> dict[str, Any]:
    """Return the document as JSON knows it.

    `state` is `accepted`, `quarantined` (accepted without its bad rows) or `rejected` (too large
    a share is bad, of all rows or of those of the forces in `rejected`); `rows`, `valid`, `bad`,
    `bad_share`, `max_bad_share`; `rules`, `files` and `national` say more.
    """
    rows, bad = sum(totals.rows.values()), totals.faults["rows"].sum()
    limit = collection.max_bad_share
    share = bad / rows if rows else 0.0
    rejected = forces.filter(state=REJECTED)["force_code"].to_list()
    return {
        "collection": collection.id,
        "state": REJECTED if rejected or share > limit else QUARANTINED if bad else ACCEPTED,
        "rejected": rejected,
        "rows": rows,
        "valid": rows - bad,
        "bad": bad,
        "bad_share": share,
        "max_bad_share": limit,
        "rules": _rules(totals.faults, quarantine, collection),
        "files": _files(totals),
        "national": _national(totals),
    }


def _by_rule(faults: pl.DataFrame, *keys: str) -> pl.DataFrame:
    """Count bad rows by rule; a row that breaks two counts for both."""
    single = faults.with_columns(pl.col("reasons").str.split(";")).explode("reasons")
    return single.group_by(*keys, "reasons").agg(pl.col("rows").sum()).sort(*keys, "reasons")


def _rules(faults: pl.DataFrame, quarantine: Path, collection: Collection) -> list[dict[str, Any]]:
    broken = dict(_by_rule(faults).iter_rows())
    bad = pl.scan_parquet(quarantine, glob=False).with_columns(pl.col(*TYPES).str.head(_SHOWN))
    near = bad.head(_NEAR).collect()

    def samples(rule_id: str) -> list[dict[str, Any]]:
        """Return the first rows that break a rule, which nearly always stand near the beginning."""
        breaks, column = pl.col("reasons").str.contains(rule_id, literal=True), COLUMN_OF[rule_id]
        found = near.filter(breaks).head(SAMPLES)
        if found.height < min(broken.get(rule_id, 0), SAMPLES):
            found = bad.filter(breaks).head(SAMPLES).collect()
        shape = ("file", "row", pl.lit(column).alias("column"), pl.col(column).alias("value"))
        return [
            {**sample, "value": told(sample["value"], column, collection)}
            for sample in found.select(shape).iter_rows(named=True)
        ]

    return [
        {
            "rule_id": rule_id,
            "title": rules_of(CASES)[rule_id].title,
            "rows": broken.get(rule_id, 0),
            "how_to_fix": rules_of(CASES)[rule_id].fix,
            "samples": samples(rule_id),
        }
        for rule_id in COLUMN_OF
    ]


def told(value: str | None, column: str, collection: Collection) -> str | None:
    """Return a value as it may be told: it may name somebody, but for a reference in its form."""
    if not value or (column == "case_ref" and is_reference(value, collection.forces)):
        return value
    return shown(value, codes(collection.template).get(column, ()))


def _files(totals: PartResult) -> list[dict[str, Any]]:
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


def _national(totals: PartResult) -> dict[str, Any]:
    """Return the valid cases of all forces by one column at a time, and their days to close."""
    cases = pl.col("cases").sum()
    counted = {
        name: totals.counts.drop_nulls(name).group_by(name).agg(cases).sort(name)
        for name in ("category", "recipient", "media", "status_at_census", "month")
    }
    sums = totals.forces.select(pl.col("valid").alias("cases"), "suspended", "staff").sum()
    days = totals.days.group_by("days").agg(cases).sort("days")
    return {
        **sums.row(0, named=True),
        **{
            name: dict(table.with_columns(pl.col(name).cast(pl.String)).iter_rows())
            for name, table in counted.items()
        },
        "to_close": days.select(spread()).row(0, named=True),
    }
