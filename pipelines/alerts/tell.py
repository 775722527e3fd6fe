"""Tells people what is broken now: the one function that the command line and the sensor call.

Belongs here: the order of things. What is wrong is said by returns.py and runs.py, what is news by
state.py; outbox.py keeps it and delivery.py sends it.
"""

import logging
import time
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Final

from assets.lake import Lake, lake_root
from pipelines.alerts import runs
from pipelines.alerts.channels import channels
from pipelines.alerts.condition import Condition, described
from pipelines.alerts.delivery import Wait, deliver
from pipelines.alerts.facts import look
from pipelines.alerts.outbox import Kept, Outbox, headline
from pipelines.alerts.runs import RunOutcome, StuckRun
from pipelines.alerts.state import Alert, State, moment, news
from schemas.collection import Collection, load_collection
from schemas.errors import MusterError
from schemas.wording import plural

_log: Final = logging.getLogger("muster.alerts")


def tell(
    collection_id: str,
    *,
    run: RunOutcome | None,
    now: datetime,
    stuck: Iterable[StuckRun] | None = None,
    wait: Wait = time.sleep,
) -> list[Alert]:
    """Tell people what is news about a collection, and send what could not be sent before.

    Args:
        collection_id: the collection.
        run: how the run ended that is the occasion; None where none is. A run is told of once.
        now: the moment, in UTC.
        stuck: the runs that are stuck; None where nobody has looked.
        wait: waits some seconds between attempts to send.

    Returns:
        The alerts that are new.

    Raises:
        SetupError: there is no such collection.
        UnavailableError: the lake cannot be written, so nothing counts as told.
    """
    collection = load_collection(collection_id)
    outbox, there = Outbox(Lake(lake_root(), collection_id)), channels()
    with outbox.held():
        before = state = outbox.begin()
        fresh = run if run is not None and run.run_id not in state.runs else None
        found = _conditions(collection, fresh, stuck, now)
        current = [condition for condition in found.values() if condition is not None]
        alerts, state = news(state, found, current, collection_id, now)
        if fresh is not None and fresh.run_id is not None:
            state = state.with_run(fresh.run_id)
        _keep(outbox, alerts, before, state, to_send=bool(there))
        failed = deliver(outbox, there, wait)
        waits = [] if not failed else [_undelivered(failed, outbox.undelivered())]
        more, after = news(state, ["alerts-undelivered"], waits, "", now)
        _keep(outbox, more, state, after, to_send=bool(there))
        if more:
            deliver(outbox, there, wait, without=failed)
    return [*alerts, *more]


def told_runs(collection_id: str) -> frozenset[str]:
    """Return the ids of the runs that people have been told of."""
    return frozenset(Outbox(Lake(lake_root(), collection_id)).read_state().runs)


def tell_without_lake(collection_id: str, run: RunOutcome, now: datetime) -> None:
    """Tell of a failed run where the lake cannot be written: at once, once, and kept nowhere."""
    collection = load_collection(collection_id)
    for condition in runs.of_outcome(run, collection).values():
        if condition is not None:
            title, text = f"Muster: {condition.title} ({collection_id})", described(condition, None)
            _log.error("%s\n%s", title, text)
            for channel in channels():
                why = channel.send(title, f"{text}\n\n{moment(now)}", condition.severity)
                if why is not None:
                    _log.error("not sent through %s: %s", channel.name, why)


def tell_at_end(collection_id: str, run: RunOutcome) -> None:
    """Tell people at the end of a run from the command line, however it ended.

    An alert that cannot be kept is told all the same, and does not change how the run ended.
    """
    now = datetime.now(UTC)
    try:
        tell(collection_id, run=run, now=now)
    except MusterError as error:
        _log.error("What was told is not kept: %s", error)
        tell_without_lake(collection_id, run, now)


def _conditions(
    collection: Collection,
    run: RunOutcome | None,
    stuck: Iterable[StuckRun] | None,
    now: datetime,
) -> Mapping[str, Condition | None]:
    """Return what was looked at: each kind of condition, None where it is not there."""
    found: dict[str, Condition | None] = {}
    if run is not None:
        found |= runs.of_outcome(run, collection)
    if stuck is not None:
        found["run-stuck"] = runs.stuck(stuck, collection)
    lake = Lake(lake_root(), collection.id)
    try:
        found |= look(lake, collection, collection.day_of(now))
    except MusterError as error:
        _log.warning("the state of returns cannot be told: %s", error)
    return found


def _keep(
    outbox: Outbox, alerts: list[Alert], before: State, after: State, *, to_send: bool
) -> None:
    if after != before:
        outbox.add(alerts, after, to_send=to_send)
    for alert in alerts:
        _log.warning("%s [alert %d in %s]", headline(alert), alert.number, outbox.folder)


def _undelivered(failed: Mapping[str, str], waiting: list[Kept]) -> Condition:
    """Return which channels failed at this occasion, and how much waits for each."""
    cases = {}
    for name, why in sorted(failed.items()):
        number = sum(name not in kept.taken_by for kept in waiting)
        cases[name] = f"{name}: {plural(number, 'alert')} waited; {why}"
    return Condition(
        kind="alerts-undelivered",
        collection="",
        severity="error",
        title="Alerts could not be delivered",
        now=f"{plural(len(failed), 'channel')} did not take alerts. They are kept in order and sent"
        " once the channel takes them.",
        where="outbox/undelivered in the lake",
        cases=cases,
        do="Mend the channel or its address in MUSTER_ALERT_URLS, then: muster alert-test.",
    )
