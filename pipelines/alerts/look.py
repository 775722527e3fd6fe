"""What is broken now, as found in the lake and in how runs ended.

What a run is just making anew, or was killed while making, is not looked at: then nothing is said
to be wrong, nor over.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Final

import polars as pl

from assets.cases.derived import refused_extracts
from assets.intake.tables import damaged_now
from assets.lake import Lake
from assets.returns.desk.chasing import due
from assets.returns.desk.decisions import Ledger, queries, read_answers
from assets.returns.validation.states import STANDS_ON, Standing, standing
from assets.tables import read_table, work_table
from assets.unattributed import Unattributed, unattributed_files
from pipelines.alerts.conditions import (
    AlertLevel,
    Condition,
    Found,
    condition,
    without_credentials,
)
from schemas.collection import Collection, addressed
from schemas.errors import LakeError
from schemas.rules.catalogue import CASES, rules_of
from schemas.wording import Number, long_date, plural, together, visible

_LATE: Final[dict[str, tuple[AlertLevel, str, str, str]]] = {
    "in time": ("info", "awaited", "is", "soft"),
    "due": ("warning", "late", "was", "soft"),
    "late": ("error", "late", "was", "hard"),
}
"""How bad it is that a return is missing, what is said of it, and the deadline that is meant."""


@dataclass(frozen=True)
class RunOutcome:
    """How a run of the refresh ended.

    `run_id` is None for one that failed before Dagster knew of it. `error` is None where it
    succeeded, else what went wrong; `step` where, and `place` in which line of our code where that
    was not foreseen, which no alert tells. `blocking` has a line for each rule, or mart and
    column, that blocks the release. `turned_away`: another held the lake, and whoever started this
    one by hand was told so at once: nothing is broken.
    """

    run_id: str | None
    error: str | None = None
    step: str | None = None
    blocking: tuple[str, ...] = ()
    turned_away: bool = False
    place: str | None = None


def of_outcome(ended: RunOutcome, collection: Collection) -> Found:
    """Return what the end of a run says something of."""
    found: Found = {"run-failed": None, "release-blocked": None}
    page = {"page": f"runs/{ended.run_id}" if ended.run_id else "runs"}
    if ended.blocking:
        where = f"run {ended.run_id}; pages in work/{collection.id}/quality of the lake"
        found["release-blocked"] = condition(
            "release-blocked", collection.id, ended.blocking, at={"where": where, **page}
        )
    elif ended.error is not None:
        # One line, and no frames of code.
        lines = (line.strip() for line in ended.error.splitlines())
        line = next(filter(None, lines), "the run ended without saying why")
        line = addressed(visible(without_credentials(line)), collection.id)
        step = f", step {ended.step}" if ended.step else ""
        where = f"run {ended.run_id}{step}" if ended.run_id else "before the run began"
        failed = condition("run-failed", collection.id, [line], at={"where": where, **page})
        return {"run-failed": failed}
    return found


def of_stuck(runs: Mapping[str, datetime], collection: Collection) -> Condition | None:
    """Return which runs, by id and the moment they began, have not ended in the time allowed."""
    cases = {run: f"run {run}, since {since:%Y-%m-%d %H:%M} UTC" for run, since in runs.items()}
    at = {"page": f"runs/{min(runs, default='')}"}
    limit = collection.running.stuck_minutes
    return condition("run-stuck", collection.id, cases, at=at, limit=limit)


_REFUSED: Final = (
    "{n:return is|returns are} rejected",
    "{n:case extract is|case extracts are} refused",
    "{n:file is|files are} of no force that can be told",
)


def rejected(
    judged: pl.DataFrame,
    findings: pl.DataFrame,
    refused: pl.DataFrame,
    unattributed: Iterable[str],
    collection: Collection,
) -> Condition | None:
    """Return which newest returns and extracts are refused, and which files are of nobody.

    Of every receipt `judged` has force_code, version, receipt_id, blocking and newest; `refused` is
    as assets.cases.derived returns it, and `unattributed` tells of each dropped file whose force
    cannot be told.
    """
    newest = judged.filter(
        pl.col("newest"), pl.col("blocking") > 0, pl.col("force_code").is_in(collection.forces)
    ).sort("force_code")
    blocking = findings.filter(pl.col("severity") == "B")
    of_extracts = pl.col("rule_id").is_in([*rules_of(CASES)])
    of_newest = blocking.filter(~of_extracts).join(
        newest.select("receipt_id"), on="receipt_id", how="semi"
    )
    cases = [
        f"{force} version {version}: {plural(count, 'blocking finding')}"
        f" ({_by_rule(of_newest.filter(pl.col('receipt_id') == receipt))})"
        for force, version, receipt, count in newest.select(
            "force_code", "version", "receipt_id", "blocking"
        ).iter_rows()
    ]
    extracts = [
        f"{force} case extract version {version}: {state}"
        f" ({_by_rule(blocking.filter(of_extracts, force_code=force))})"
        for force, version, state in refused.select("force_code", "version", "state").iter_rows()
    ]
    others, parts = sorted(unattributed), []
    numbers = zip(_REFUSED, map(len, (cases, extracts, others)), strict=True)
    refused_are = together([words.format(n=Number(n)) for words, n in numbers if n])
    if cases:
        parts.append(
            f"The newest return of {plural(len(cases), 'force')} of {len(collection.forces)} has"
            f" blocking findings: {plural(of_newest.height, 'blocking finding')}, by rule:"
            f" {_by_rule(of_newest)}."
        )
    if extracts:
        of = plural(len(extracts), "force")
        parts.append(f"The newest case extract of {of} is refused whole.")
    if others:
        parts.append(f"The force of {plural(len(others), 'file')} in landing cannot be told.")
    every = [*cases, *extracts, *others]
    now = " ".join(parts)
    return condition("returns-rejected", collection.id, every, parts=now, refused=refused_are)


def damaged(receipts: pl.DataFrame, collection: Collection) -> Condition | None:
    """Return which receipts of table DamagedReceipts are damaged, or their bytes."""
    lines = [
        f"{row['file']}: {row['force_code'] or 'force unknown'}"
        + (f" version {row['version']}" if row["version"] else "")
        for row in receipts.sort("file").iter_rows(named=True)
    ]
    return condition("receipts-damaged", collection.id, lines)


def research(problems: pl.DataFrame, collection: Collection) -> Condition | None:
    """Return which files of table ResearchProblems are refused; what they say is not repeated."""
    files = problems.group_by("file_name").len().sort("file_name").iter_rows()
    lines = [f"{name}: {plural(count, 'problem')}" for name, count in files]
    return condition("research-refused", collection.id, lines, problems=problems.height)


def overdue(asked: pl.DataFrame, collection: Collection, today: date) -> Condition | None:
    """Return the queries without an accepted answer, as the desk's `queries` has them.

    Until their deadline has passed they are only listed.
    """
    deadline = collection.deadlines.of_queries
    waiting = asked.filter(pl.col("state") != "accepted").sort("force_code", "query_id")
    columns = ("query_id", "force_code", "rule_id", "state")
    return condition(
        "queries-overdue",
        collection.id,
        {
            f"{query} {force} {rule}": f"{query} {force} {rule}: {state}"
            for query, force, rule, state in waiting.select(columns).iter_rows()
        },
        "warning" if today > deadline else "info",
        until="past" if today > deadline else "until",
        deadline=long_date(deadline),
        forces=waiting["force_code"].n_unique(),
        rules=_by_rule(waiting),
    )


def late(status: pl.DataFrame, collection: Collection, today: date) -> Condition | None:
    """Return the forces of mart ReturnsStatus without an acceptable return.

    Until the soft deadline has passed they are only listed.
    """
    waiting = status.filter(pl.col("state").is_in(["missing", "rejected"])).sort("force_code")
    severity, when, verb, name = _LATE[due(collection, today)]
    counts = waiting.group_by("state").len().sort("state").iter_rows()
    rows = waiting.select("force_code", "state").iter_rows()
    return condition(
        "forces-late",
        collection.id,
        {force: f"{force}: {state}" for force, state in rows},
        severity,
        when=when,
        verb=verb,
        name=name,
        deadline=long_date(getattr(collection.deadlines, name)),
        expected=len(collection.forces),
        states=", ".join(f"{count} {state}" for state, count in counts),
    )


def differing(reconciliation: pl.DataFrame, collection: Collection) -> Condition | None:
    """Return the figures of mart Reconciliation that the totals of the release contradict."""
    apart = reconciliation.filter(pl.col("status") == "differs").sort("figure_id")
    cases = {
        row["figure_id"]: f"{row['figure_id']} {row['measure']} {row['breakdown']}: published"
        f" {row['published']:g}, computed {row['computed']:g}"
        for row in apart.iter_rows(named=True)
    }
    return condition("figures-differ", collection.id, cases, "warning", all=reconciliation.height)


def _by_rule(findings: pl.DataFrame) -> str:
    """Return the number of findings of each rule: `C101 1, S010 2`."""
    counts = findings.group_by("rule_id").len().sort("rule_id").iter_rows()
    return ", ".join(f"{rule} {count}" for rule, count in counts)


def look(lake: Lake, collection: Collection, today: date) -> Found:
    """Return each kind of condition of a collection's data that can be told now.

    Raises:
        LakeError: a decision or a table cannot be read.
    """
    found: Found = {}
    try:
        figures = lake.marts.resolve() / "reconciliation.parquet"
        if figures.exists():
            found["figures-differ"] = differing(pl.read_parquet(figures), collection)
        if lake.table("intake/damaged_receipts").exists():
            found["receipts-damaged"] = damaged(damaged_now(lake), collection)
        problems = lake.table("research/research_problems")
        if problems.exists():
            found["research-refused"] = research(read_table(problems), collection)
        return found | _returns(lake, collection, today)
    except (OSError, ValueError, KeyError, pl.exceptions.PolarsError) as error:
        where = Path(getattr(error, "filename", None) or lake.work)
        raise LakeError(
            where, f"cannot be read ({type(error).__name__})", "See muster doctor."
        ) from error


def _returns(lake: Lake, collection: Collection, today: date) -> Found:
    if not lake.raw.exists():
        if not collection.is_open(today):
            return {}  # a collection that is not run here
        status = Standing(collection.id).status(collection)
        return {"forces-late": late(status, collection, today)}
    results = "validation/rule_results"
    if not all(lake.table(each).exists() for each in (results, *STANDS_ON)):
        return {}
    # Read first: a run writes this table after the findings, so they are at least as new.
    validated = set(work_table(lake, results)["receipt_id"])
    now = standing(lake)
    if set(now.versions["receipt_id"]) != validated:
        return {}
    findings = now.current_findings()
    unattributed = [_nobodys(file, findings) for file in unattributed_files(lake)]
    refused = refused_extracts(now.extracts)
    asked = queries(now.asked(), read_answers(Ledger(lake)), lake.collection)
    # Of what was received and is damaged somebody is told in its own words.
    lost = now.damaged.filter("can_count")
    known = now.status(collection).join(lost, on="force_code", how="anti")
    return {
        "returns-rejected": rejected(now.judged, findings, refused, unattributed, collection),
        "queries-overdue": overdue(asked, collection, today),
        "forces-late": late(known, collection, today),
    }


def _nobodys(file: Unattributed, findings: pl.DataFrame) -> str:
    """Tell of a file of no known force."""
    if file.kind == "unopened":
        return f"{file.key} ({file}) in quarantine, not opened ({file.rule_id})"
    extract = file.kind == "extract"
    of_file = findings.filter(
        pl.col("rule_id").is_in([*rules_of(CASES)]) == extract, receipt_id=file.key, severity="B"
    )
    what = "case extract" if extract else "receipt"
    return f"{what} {file.key} ({file}), force unknown ({_by_rule(of_file)})"
