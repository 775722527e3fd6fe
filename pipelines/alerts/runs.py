"""Conditions of runs: failed, stuck, and a release that is blocked.

Belongs here: how a run ended, as plain data, and the conditions that follow. Does not: asking
Dagster (history.py). Of an error only what Muster itself has worded is told; any other could hold
what a force sent.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from pipelines.alerts.condition import Condition, without_credentials
from schemas.collection import Collection
from schemas.wording import plural, visible

_NEXT_RUN: Final = "Mend it, then: muster run. Analysts still see the last complete release."


@dataclass(frozen=True)
class RunOutcome:
    """How a run of the refresh ended.

    `run_id` is None for one that failed before Dagster knew of it. `error` is None where it
    succeeded, else what went wrong; `step` where. `blocking` has a line for each rule, or mart and
    column, that blocks the release.
    """

    run_id: str | None
    error: str | None = None
    step: str | None = None
    blocking: tuple[str, ...] = ()


@dataclass(frozen=True)
class StuckRun:
    """A run that began at a moment and has not ended."""

    run_id: str
    since: datetime


KINDS_OF_OUTCOMES: Final = ("run-failed", "release-blocked")


def of_outcome(outcome: RunOutcome, collection: Collection) -> dict[str, Condition | None]:
    """Return each kind of condition that the end of a run says something of, None for over."""
    if outcome.error is None:
        return {"run-failed": None, "release-blocked": None}
    if outcome.blocking:
        return {"run-failed": None, "release-blocked": _blocked(outcome, collection)}
    return {"run-failed": _failed(outcome, outcome.error, collection)}


def _failed(outcome: RunOutcome, error: str, collection: Collection) -> Condition:
    line = first_line(error)
    step = f", step {outcome.step}" if outcome.step else ""
    return Condition(
        kind="run-failed",
        collection=collection.id,
        severity="error",
        title="The refresh failed",
        now="The last run of the refresh ended without a release.",
        where=f"run {outcome.run_id}{step}" if outcome.run_id else "before the run began",
        cases={line: line},
        do=_NEXT_RUN,
        page=f"runs/{outcome.run_id}" if outcome.run_id else "runs",
    )


def _blocked(outcome: RunOutcome, collection: Collection) -> Condition:
    number = len(outcome.blocking)
    return Condition(
        kind="release-blocked",
        collection=collection.id,
        severity="error",
        title="The release is blocked",
        now=f"In {plural(number, 'place')} the totals or the marts are not what they must be, so"
        " nothing new was published.",
        where=f"run {outcome.run_id}; pages in work/{collection.id}/quality of the lake",
        cases={line: line for line in outcome.blocking},
        do=_NEXT_RUN,
        page=f"runs/{outcome.run_id}",
    )


def stuck(runs: Iterable[StuckRun], collection: Collection) -> Condition | None:
    """Return which runs have not ended in the time that the collection allows."""
    found = sorted(runs, key=lambda run: run.run_id)
    if not found:
        return None
    limit = collection.running.stuck_minutes
    return Condition(
        kind="run-stuck",
        collection=collection.id,
        severity="error",
        title=f"{plural(len(found), 'run')} of the refresh {'is' if len(found) == 1 else 'are'}"
        " stuck",
        now=f"{plural(len(found), 'run')} took longer than {plural(limit, 'minute')} and"
        f" {'has' if len(found) == 1 else 'have'} not ended.",
        where="runs in the UI",
        cases={
            run.run_id: f"run {run.run_id}, since {run.since:%Y-%m-%d %H:%M} UTC" for run in found
        },
        do="See in the run's log where it stands. End it there (Terminate), then: muster run. A"
        " run that was killed is ended by the next one.",
        page=f"runs/{found[0].run_id}",
    )


def first_line(error: str) -> str:
    """Return the first line of an error, short and without passwords."""
    line = next((line.strip() for line in error.splitlines() if line.strip()), "")
    return visible(without_credentials(line or "the run ended without saying why"))
