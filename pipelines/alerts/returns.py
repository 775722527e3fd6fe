"""Conditions of the data: returns rejected, queries overdue, forces late, figures that differ.

Belongs here: pure functions from tables to a condition, None where nothing is wrong. Does not:
reading the tables (facts.py), nor conditions of runs (runs.py).
"""

from collections.abc import Iterable
from datetime import date
from typing import Any, Final

import polars as pl

from assets.desk.chasing import due
from pipelines.alerts.condition import Condition
from schemas.collection import Collection
from schemas.wording import long_date, plural

_STATUS_PAGE: Final = "assets/validation/returns_status"
_FINDINGS_PAGE: Final = "assets/validation/findings"


def rejected(
    judged: pl.DataFrame,
    findings: pl.DataFrame,
    refused: pl.DataFrame,
    nobodys: Iterable[str],
    collection: Collection,
) -> Condition | None:
    """Return which newest returns and extracts are refused, and which files are of nobody.

    Args:
        judged: every receipt with force_code, version, receipt_id, blocking and newest.
        findings: mart Findings.
        refused: the case-level extracts that are, as assets.cases.refused returns them.
        nobodys: what tells of each dropped file whose force cannot be told.
        collection: the collection.
    """
    newest = judged.filter(
        pl.col("newest"), pl.col("blocking") > 0, pl.col("force_code").is_in(collection.forces)
    ).sort("force_code")
    blocking = findings.filter(pl.col("severity") == "B")
    of_newest = blocking.join(newest.select("receipt_id"), on="receipt_id", how="semi")
    cases = [
        f"{force} version {version}: {plural(count, 'blocking finding')}"
        f" ({by_rule(of_newest.filter(pl.col('receipt_id') == receipt))})"
        for force, version, receipt, count in newest.select(
            "force_code", "version", "receipt_id", "blocking"
        ).iter_rows()
    ]
    extracts = [_refused(extract) for extract in refused.iter_rows(named=True)]
    others = sorted(nobodys)
    if not cases and not extracts and not others:
        return None
    parts = []
    if cases:
        findings_in_all = plural(of_newest.height, "blocking finding")
        parts.append(
            f"The newest return of {plural(len(cases), 'force')} of {len(collection.forces)} has"
            f" blocking findings: {findings_in_all}, by rule: {by_rule(of_newest)}."
        )
    if extracts:
        parts.append(
            f"The newest case extract of {plural(len(extracts), 'force')} is refused whole."
        )
    if others:
        parts.append(f"The force of {plural(len(others), 'file')} in landing cannot be told.")
    lines = (*cases, *extracts, *others)
    number = len(lines)
    return Condition(
        kind="returns-rejected",
        collection=collection.id,
        severity="error",
        title=f"{plural(number, 'return')} {_is(number)} rejected",
        now=" ".join(parts),
        where="table validation/findings, mart findings: sheet and cell of each finding; table"
        " cases/extracts: what is wrong with an extract",
        cases={line: line for line in lines},
        do="Send each force its marked workbook: muster feedback --out DIR. An earlier version"
        " that was accepted stays live until a better one comes. Ask who sent a file without a"
        " force, then replace it in landing or take it away.",
        page=_FINDINGS_PAGE,
    )


def _refused(extract: dict[str, Any]) -> str:
    """Tell of a refused extract; its problem could quote what was sent."""
    rows = f" ({extract['bad']} of {plural(extract['rows'], 'row')} bad)" if extract["rows"] else ""
    return (
        f"{extract['force_code']} case extract version {extract['version']}: {extract['state']}"
        f"{rows}"
    )


def damaged(receipts: pl.DataFrame, collection: Collection) -> Condition | None:
    """Return which receipts are damaged, or their bytes.

    Args:
        receipts: table DamagedReceipts.
        collection: the collection.
    """
    if receipts.is_empty():
        return None
    lines = [
        f"{row['file']}: {row['force_code'] or 'force unknown'}"
        + (f" version {row['version']}" if row["version"] else "")
        for row in receipts.sort("file").iter_rows(named=True)
    ]
    number = len(lines)
    return Condition(
        kind="receipts-damaged",
        collection=collection.id,
        severity="error",
        title=f"{plural(number, 'receipt')} {_is(number)} damaged",
        now=f"{plural(number, 'file')} of the raw store {_is(number)} damaged or gone. Nothing is"
        " computed from them; where one may be what a force's return counts from, no release is"
        " made.",
        where="table intake/damaged_receipts; muster doctor",
        cases={line: line for line in lines},
        do="Restore them from the backup of the lake, then: muster run.",
        page="assets/intake/damaged_receipts",
    )


def research(problems: pl.DataFrame, collection: Collection) -> Condition | None:
    """Return which research files are refused; what stands in them is not repeated.

    Args:
        problems: table ResearchProblems.
        collection: the collection.
    """
    if problems.is_empty():
        return None
    files = problems.group_by("file_name").len().sort("file_name").rows()
    lines = [f"{name}: {plural(count, 'problem')}" for name, count in files]
    number = len(lines)
    return Condition(
        kind="research-refused",
        collection=collection.id,
        severity="error",
        title=f"{plural(number, 'research file')} {_is(number)} refused",
        now=f"{plural(problems.height, 'problem')} in {plural(number, 'research file')}; of each,"
        " the last acceptable one counts, if there is any.",
        where="table research/research_problems: row and column of each problem",
        cases={line: line for line in lines},
        do="Mend the file as its problems say (muster run prints them), and drop it again under the"
        " same name.",
        page="assets/research/research_problems",
    )


def by_rule(findings: pl.DataFrame) -> str:
    """Return the number of findings of each rule: `C101 1, S010 2`."""
    counts = findings.group_by("rule_id").len().sort("rule_id").iter_rows()
    return ", ".join(f"{rule} {count}" for rule, count in counts)


def overdue(queries: pl.DataFrame, collection: Collection, today: date) -> Condition | None:
    """Return the queries without an accepted answer, once their deadline has passed.

    Args:
        queries: as assets.desk.queries.queries returns them.
        collection: the collection, with the deadline of its queries.
        today: the day where the collection is run.
    """
    deadline = collection.deadlines.of_queries
    waiting = queries.filter(pl.col("state") != "accepted").sort("force_code", "query_id")
    if today <= deadline or waiting.is_empty():
        return None
    columns = ("query_id", "force_code", "rule_id", "state")
    number, forces = waiting.height, waiting["force_code"].n_unique()
    return Condition(
        kind="queries-overdue",
        collection=collection.id,
        severity="warning",
        title=f"{plural(number, 'query')} {_is(number)} open past {long_date(deadline)}",
        now=f"{plural(number, 'query')} of {plural(forces, 'force')} {_has(number)} no accepted"
        f" answer, by rule: {by_rule(waiting)}. Their totals are provisional.",
        where="muster queries",
        cases={
            f"{query} {force} {rule}": f"{query} {force} {rule}: {state}"
            for query, force, rule, state in waiting.select(columns).iter_rows()
        },
        do="Ask the forces, then record each reason: muster answer QUERY --reason TEXT --by NAME;"
        " a second person accepts it.",
        page=_STATUS_PAGE,
        grows_only=True,
    )


def late(status: pl.DataFrame, collection: Collection, today: date) -> Condition | None:
    """Return the forces without an acceptable return, once a deadline has passed.

    Args:
        status: mart ReturnsStatus.
        collection: the collection, with its deadlines.
        today: the day where the collection is run.
    """
    stage = due(collection, today)
    waiting = status.filter(pl.col("state").is_in(["missing", "rejected"])).sort("force_code")
    if stage == "in time" or waiting.is_empty():
        return None
    hard = stage == "late"
    deadline = collection.deadlines.hard if hard else collection.deadlines.soft
    number = waiting.height
    counts = dict(waiting.group_by("state").len().sort("state").iter_rows())
    listed = ", ".join(f"{count} {state}" for state, count in counts.items())
    name = "hard" if hard else "soft"
    return Condition(
        kind="forces-late",
        collection=collection.id,
        severity="error" if hard else "warning",
        title=f"{plural(number, 'force')} {_is(number)} late: {name} deadline"
        f" {long_date(deadline)}",
        now=f"{number} of {len(collection.forces)} forces have no acceptable return: {listed}."
        f" The {name} deadline was {long_date(deadline)}.",
        where="muster status",
        cases={
            force: f"{force}: {state}"
            for force, state in waiting.select("force_code", "state").iter_rows()
        },
        do="Call them: muster status --call-list FILE writes the list, the most urgent first.",
        page=_STATUS_PAGE,
        grows_only=True,
    )


def differing(reconciliation: pl.DataFrame, collection: Collection) -> Condition | None:
    """Return the published figures that the totals of the newest release contradict.

    Args:
        reconciliation: mart Reconciliation.
        collection: the collection.
    """
    apart = reconciliation.filter(pl.col("status") == "differs").sort("figure_id")
    if apart.is_empty():
        return None
    number = apart.height
    return Condition(
        kind="figures-differ",
        collection=collection.id,
        severity="warning",
        title=f"{plural(number, 'published figure')} {'differs' if number == 1 else 'differ'}",
        now=f"{number} of {plural(reconciliation.height, 'published figure')}"
        f" {'differs' if number == 1 else 'differ'} from what the returns add up to.",
        where="muster reconcile --differing, mart reconciliation",
        cases={
            row["figure_id"]: f"{row['figure_id']} {row['measure']} {row['breakdown']}: published"
            f" {row['published']:g}, computed {row['computed']:g}"
            for row in apart.iter_rows(named=True)
        },
        do="See which cells a figure comes from: muster explain FIGURE. A figure that differs"
        " because returns are missing matches once they are in.",
        page="assets/reconciliation/reconciliation",
    )


def _is(number: int) -> str:
    return "is" if number == 1 else "are"


def _has(number: int) -> str:
    return "has" if number == 1 else "have"
