"""Tells people what is broken now: once, again when it changes, and once when it is over.

The state is one file: what is broken, and what each channel was told of it. What is broken is
written there first, and each message once a channel has taken it: whoever is killed in between, or
finds a channel down, loses nothing, since the next one compares both again.
"""

import json
import logging
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Final, Literal

from pydantic import TypeAdapter

from assets.lake import Lake, alone, atomic_file, lake_root, write_errors
from pipelines.alerts.conditions import KINDS, Condition, Found, condition
from pipelines.alerts.look import RunOutcome, look, of_outcome, of_stuck
from pipelines.alerts.send import Channel, channels
from schemas.collection import load_collection
from schemas.errors import MusterError
from schemas.wording import plural

News = Literal["new", "changed", "over"]
Wait = Callable[[float], object]

PAUSES: Final = (0.0, 1.0, 3.0)
"""Seconds before each attempt to send."""
_LONG_ENOUGH: Final = 25.0
"""Seconds after which no further attempt begins: somebody waits, at a terminal or in Dagster."""
_OUTBOX: Final = "outbox"
_RUNS_KEPT: Final = 200
_DAMAGED: Final = (ValueError, TypeError, KeyError, AttributeError)
"""What reading a damaged state raises."""

_log: Final = logging.getLogger("muster.alerts")


@dataclass
class State:
    """What is broken now, by key; what each channel was told and when; runs that were told of.

    `number` counts the texts in the outbox, which is the first channel.
    """

    now: dict[str, Condition] = field(default_factory=dict)
    told: dict[str, dict[str, tuple[Condition, str]]] = field(default_factory=dict)
    runs: list[str] = field(default_factory=list)
    number: int = 0

    @classmethod
    def read(cls, path: Path) -> "State":
        """Return the state in a file, an empty one where there is none.

        Raises:
            ValueError, TypeError, KeyError: it is damaged.
        """
        document = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {"now": {}}
        if "now" not in document:  # written by an earlier Muster: people are told once more
            return cls(runs=document["runs"], number=document["next_number"] - 1)
        return TypeAdapter(cls).validate_python(document)

    def write(self, path: Path) -> None:
        """Write it to a file.

        Raises:
            UnavailableError: the lake cannot be written.
        """
        with atomic_file(path) as file:
            file.write(TypeAdapter(State).dump_json(self, indent=1))

    def see(self, found: Found, collection: str) -> None:
        """Take up what was looked at; all other conditions stay as they are."""
        for kind, seen in found.items():
            self.now.pop(f"{kind}/{collection}".removesuffix("/"), None)
            if seen is not None and seen.severity != "info":
                self.now[seen.key] = seen


@dataclass(frozen=True)
class Message:
    """One message to people; `condition` is how things stand, or how they last stood."""

    news: News
    condition: Condition
    text: str

    @property
    def title(self) -> str:
        """Subject of a mail, line of a log."""
        return f"Muster: {'' if self.news == 'new' else f'{self.news}: '}{self.condition.headline}"

    @property
    def severity(self) -> str:
        """How bad it is; what is over is for information."""
        return "info" if self.news == "over" else self.condition.severity


def waiting(state: State, channel: str) -> list[Message]:
    """Return what a channel must be told, in the order of the kinds."""
    told, found = state.told.setdefault(channel, {}), []
    kinds = list(KINDS)
    for key in sorted({*told, *state.now}, key=lambda key: (kinds.index(key.split("/")[0]), key)):
        now, (before, at) = state.now.get(key), told.get(key, (None, ""))
        if before is None:
            if now is not None:
                found.append(Message("new", now, now.described()))
        elif now is None:
            lines = [f"This is over. It was told first on {at}.", "", *before.links()]
            found.append(Message("over", before, "\n".join(lines)))
        elif now.same_as(before):
            told[key] = (now, at)  # what became fewer is news when it grows again
        else:
            found.append(Message("changed", now, now.described(before)))
    return found


def taken(state: State, channel: str, message: Message, at: str) -> None:
    """Note down that a channel took a message at a moment."""
    told, key = state.told[channel], message.condition.key
    if message.news == "over":
        del told[key]
    else:
        told[key] = (message.condition, told[key][1] if key in told else at)


def tell(
    collection_id: str,
    *,
    run: RunOutcome | None,
    now: datetime,
    stuck: Mapping[str, datetime] | None = None,
    wait: Wait = time.sleep,
) -> list[Message]:
    """Tell people what is news about a collection, and send what could not be sent before.

    Args:
        collection_id: the collection.
        run: how the run ended that is the occasion; None where none is. A run is told of once.
        now: the moment, in UTC.
        stuck: the runs that are stuck and since when; None where nobody has looked.
        wait: waits some seconds between attempts to send.

    Returns:
        The messages that are new.

    Raises:
        SetupError: there is no such collection.
        UnavailableError: the lake cannot be written.
    """
    collection = load_collection(collection_id)
    lake = Lake(lake_root(), collection_id)
    with _held(lake) as (path, state):
        if run is not None and run.run_id not in state.runs:
            state.see(of_outcome(run, collection), collection_id)
            state.runs = [*state.runs, *([run.run_id] if run.run_id else [])][-_RUNS_KEPT:]
        if stuck is not None:
            state.see({"run-stuck": of_stuck(stuck, collection)}, collection_id)
        try:
            state.see(look(lake, collection, collection.day_of(now)), collection_id)
        except MusterError as error:
            _log.warning("the state of returns cannot be told: %s", error)
        teller, there = _Teller(lake, path, state, moment(now), wait), channels()
        state.told = {
            name: state.told.get(name, {}) for name in [_OUTBOX, *(c.name for c in there)]
        }
        state.write(path)
        teller.give(_OUTBOX, teller.keep)
        failed = teller.send(there)
        state.see({"alerts-undelivered": _undelivered(failed, state)}, "")
        teller.give(_OUTBOX, teller.keep)
        teller.send([channel for channel in there if channel.name not in failed])
        state.write(path)
    return teller.told


@dataclass
class _Teller:
    """One occasion of telling, with the state held; `told` is what was put into the outbox."""

    lake: Lake
    path: Path
    state: State
    at: str
    wait: Wait
    told: list[Message] = field(default_factory=list)

    def give(self, channel: str, take: Callable[[Message, str], str | None]) -> str | None:
        """Have a channel take all that waits for it, and return why it does not take one."""
        for message in waiting(self.state, channel):
            text = f"{message.text}\n\n{message.severity}, {self.at}"
            if (why := take(message, text)) is not None:
                return why
            taken(self.state, channel, message, self.at)
            self.state.write(self.path)
        return None

    def keep(self, message: Message, text: str) -> None:
        """Put a message into the outbox and the log."""
        number = self.state.number + 1
        path = self.lake.outbox / f"{number:06d}-{message.condition.kind}.txt"
        with atomic_file(path) as file:
            file.write(f"{message.title}\n\n{text}\n".encode())
        self.state.number = number
        self.told.append(message)
        _log.warning("%s [%s]", message.title, path)

    def send(self, there: Sequence[Channel]) -> dict[str, str]:
        """Send all that waits and return, by the name of each channel that failed, why.

        A channel that fails does not hold up the others.
        """
        begun, left, failed = time.monotonic(), list(there), dict[str, str]()
        for pause in PAUSES:
            left = [channel for channel in left if waiting(self.state, channel.name)]
            if not left or time.monotonic() - begun > _LONG_ENOUGH:
                break
            self.wait(pause)
            ended = {each.name: self.give(each.name, partial(_sent, each)) for each in left}
            failed = {name: why for name, why in ended.items() if why is not None}
        return failed


def _sent(channel: Channel, message: Message, text: str) -> str | None:
    return channel.send(message.title, text, message.severity)


def told_runs(collection_id: str) -> frozenset[str]:
    """Return the ids of the runs that people have been told of."""
    try:
        return frozenset(State.read(Lake(lake_root(), collection_id).alerts / "state.json").runs)
    except (OSError, *_DAMAGED):
        return frozenset()


def tell_without_lake(collection_id: str, run: RunOutcome, now: datetime) -> None:
    """Tell of a failed run where the lake cannot be written: at once, once, and kept nowhere."""
    found = of_outcome(run, load_collection(collection_id)).values()
    for broken in filter(None, found):
        message = Message("new", broken, broken.described())
        _log.error("%s\n%s", message.title, message.text)
        for channel in channels():
            text = f"{message.text}\n\n{moment(now)}"
            if why := _sent(channel, message, text):
                _log.error("not sent through %s: %s", channel.name, why)


def tell_at_end(collection_id: str, run: RunOutcome | None) -> None:
    """Tell people at the end of a run from the command line, however it ended; None for no run.

    An alert that cannot be kept is told all the same, and does not change how the run ended.
    """
    now = datetime.now(UTC)
    try:
        tell(collection_id, run=run, now=now)
    except MusterError as error:
        _log.error("What was told is not kept: %s", error)
        if run is not None:
            tell_without_lake(collection_id, run, now)


def moment(now: datetime) -> str:
    """Return a moment as messages write it."""
    return now.astimezone(UTC).isoformat(timespec="seconds")


@contextmanager
def _held(lake: Lake) -> Iterator[tuple[Path, State]]:
    """Hold the state, and give its file; another process that tells people waits meanwhile.

    A damaged state is put aside: better told once more than never.

    Raises:
        UnavailableError: the lake cannot be written.
    """
    path = lake.alerts / "state.json"
    with alone(lake.alerts / ".lock"):
        try:
            state = State.read(path)
        except _DAMAGED:
            aside = path.with_name("state.damaged.json")
            with write_errors(aside):
                path.replace(aside)
            _log.warning("%s: damaged; people are told anew of what is broken", aside)
            state = State()
        if not path.exists():
            kept = lake.outbox.glob("[0-9]*.txt")
            state.number = max((int(text.name.partition("-")[0]) for text in kept), default=0)
        yield path, state


def _undelivered(failed: Mapping[str, str], state: State) -> Condition | None:
    """Return which channels failed at this occasion, and how much waits for each."""
    cases = {
        name: f"{name}: {plural(len(waiting(state, name)), 'alert')} waited; {why}"
        for name, why in sorted(failed.items())
    }
    return condition("alerts-undelivered", "", cases)
