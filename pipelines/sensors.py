"""The landing sensors, one for each collection: a run for what was dropped, once it has settled.

Belongs here: when to ask for a run, and when to ask again. Does not: what counts as settled or as
new (assets/intake/settling.py).
"""

import json
import time
from dataclasses import asdict, dataclass, replace
from typing import Final

import dagster as dg
from dagster import DagsterRunStatus

from assets.intake.settling import Look, Memory, look
from assets.lake import Lake, is_held, lake_root
from pipelines.automation import named, sensor_status
from pipelines.jobs import QUEUES, refresh, taking_in
from pipelines.outcome import can_pass
from schemas.collection import Collection, collection_files, load_collection
from schemas.wording import plural

_EVERY: Final = 10
_GATHERING: Final = 6
"""A run waits for files still arriving, but no longer than so many times the settling time."""
_TRIES: Final = 6
_PAUSE: Final = 60.0
"""Seconds before a second try; each further one waits twice as long."""


@dataclass(frozen=True)
class Asked:
    """The run asked for last: its key, which try it is, and when it was asked for.

    `given_up`: it failed and is not tried again, so what it was to take in is still to be taken.
    """

    key: str
    only: list[str]
    attempt: int
    at: float
    given_up: bool = False

    @property
    def run_key(self) -> str:
        """What Dagster starts at most one run for."""
        return f"{self.key}:{self.attempt}"

    def request(self, collection: Collection) -> dg.RunRequest:
        """Return the request for a run that takes in what had settled, and nothing else."""
        return dg.RunRequest(
            run_key=self.run_key,
            partition_key=collection.id,
            run_config=taking_in(self.only),
            tags=QUEUES,
        )


def landing_sensor(collection: Collection) -> dg.SensorDefinition:
    """Return the sensor of a collection's landing folder."""

    @dg.sensor(
        name=named("landing", collection),
        job=refresh,
        minimum_interval_seconds=_EVERY,
        default_status=sensor_status(),
        description=f"One refresh of {collection.id} for what was dropped, once it has settled.",
    )
    def landing(context: dg.SensorEvaluationContext) -> dg.SensorResult:
        return evaluate(collection, context.instance, context.cursor, time.time())

    return landing


def evaluate(
    collection: Collection, instance: dg.DagsterInstance, cursor: str | None, now: float
) -> dg.SensorResult:
    """Return what a look at landing comes to; the cursor keeps what later looks must know."""
    lake = Lake(lake_root(), collection.id)
    memory, asked = _remembered(cursor)
    seen = look(lake, memory, now, collection.running.settle_seconds)
    if seen.new:
        why_not = _why_wait(lake, seen, collection)
        if why_not:
            return _skip(why_not, seen.unasked(), asked)
        only = {*seen.new, *seen.research, *(asked.only if asked else ())}
        key = f"{collection.id}:{seen.key}"
        # The same again, dropped after it was given up: Dagster starts one run for a key.
        attempt = asked.attempt + 1 if asked and asked.key == key else 1
        return _ask(Asked(key, sorted(only), attempt, now), seen, collection)
    if asked is None or asked.given_up:
        return _skip(_nothing_new(seen), seen.memory, asked)
    return _ask_again(asked, seen, collection, instance, now)


def _ask(asked: Asked, seen: Look, collection: Collection) -> dg.SensorResult:
    request = asked.request(collection)
    return dg.SensorResult(run_requests=[request], cursor=_to_text(seen.memory, asked))


def _ask_again(
    asked: Asked, seen: Look, collection: Collection, instance: dg.DagsterInstance, now: float
) -> dg.SensorResult:
    """Decide by how the last run ended; a failure that cannot pass waits for something new."""
    runs = instance.get_runs(dg.RunsFilter(tags={"dagster/run_key": asked.run_key}), limit=1)
    if runs and not runs[0].is_finished:
        return _skip(f"run {runs[0].run_id} has not ended", seen.memory, asked)
    if not runs or runs[0].status != DagsterRunStatus.FAILURE:
        return _skip(_nothing_new(seen), seen.memory, None)
    events = (entry.dagster_event for entry in instance.all_logs(runs[0].run_id))
    if not can_pass(event for event in events if event):
        why = f"run {runs[0].run_id} failed for a reason that stays until something is changed"
        return _skip(why, seen.memory, replace(asked, given_up=True))
    if asked.attempt >= _TRIES:
        why = f"{asked.attempt} runs failed; no more are tried until something is changed"
        return _skip(why, seen.memory, replace(asked, given_up=True))
    due = asked.at + _PAUSE * 2 ** (asked.attempt - 1)
    if now < due:
        again = f"run {runs[0].run_id} failed; the next try comes in {due - now:.0f} seconds"
        return _skip(again, seen.memory, asked)
    return _ask(Asked(asked.key, asked.only, asked.attempt + 1, now), seen, collection)


def _why_wait(lake: Lake, seen: Look, collection: Collection) -> str | None:
    if is_held(lake.root):
        return f"waiting until the run at work has ended: {plural(len(seen.new), 'new file')}"
    if seen.moving and seen.oldest < _GATHERING * collection.running.settle_seconds:
        return f"not settled yet: {plural(len(seen.moving), 'file')}"
    return None


def _nothing_new(seen: Look) -> str:
    parts = []
    if seen.moving:
        parts.append(f"not settled yet: {plural(len(seen.moving), 'file')}")
    if seen.closed:
        parts.append(
            f"cannot be opened, so mend the permissions: {plural(len(seen.closed), 'file')}"
        )
    return "; ".join(parts) or "nothing new in landing"


def _skip(why: str, memory: Memory, asked: Asked | None) -> dg.SensorResult:
    return dg.SensorResult(skip_reason=why, cursor=_to_text(memory, asked))


def _to_text(memory: Memory, asked: Asked | None) -> str:
    return json.dumps({"memory": memory.to_text(), "asked": asdict(asked) if asked else None})


def _remembered(cursor: str | None) -> tuple[Memory, Asked | None]:
    try:
        data = json.loads(cursor or "{}")
        return Memory.from_text(data["memory"]), Asked(**data["asked"]) if data["asked"] else None
    except (ValueError, KeyError, TypeError):
        return Memory(), None


LANDING_SENSORS: Final = [
    landing_sensor(load_collection(id_)) for id_ in sorted(collection_files())
]
