"""Tells people what is broken now: once, again when it changes, and once when it is over.

The state is one file: what is broken, and what each channel was told of it. What is broken is
written there first, and each message once a channel has taken it: whoever is killed in between, or
finds a channel down, loses nothing, since the next one compares both again.
"""

import json
import logging
from collections.abc import Callable, Iterator, Mapping
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

_OUTBOX: Final = "outbox"
_DAMAGED: Final = (ValueError, TypeError, KeyError, AttributeError)
"""What reading a damaged state raises."""

_log: Final = logging.getLogger("muster.alerts")


@dataclass
class State:
    """What is broken now, by key; what each channel was told and when; the run last told of.

    `number` counts the texts in the outbox, which is the first channel.
    """

    now: dict[str, Condition]
    told: dict[str, dict[str, tuple[Condition, str]]] = field(default_factory=dict)
    run: str | None = None
    number: int = 0

    @classmethod
    def read(cls, path: Path) -> "State":
        """Return the state in a file, an empty one where there is none.

        Raises:
            ValueError, TypeError, KeyError: it is damaged.
        """
        document = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {"now": {}}
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


Take = Callable[[Message, str], str | None]
"""How a channel takes a message with its text; why it does not, None once it has it."""


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
    run: RunOutcome | Callable[[], RunOutcome | None] | None,
    now: datetime,
    stuck: Mapping[str, datetime] | None = None,
) -> list[Message]:
    """Tell people what is news about a collection, and send what could not be sent before.

    Args:
        collection_id: the collection.
        run: how the last run ended, or what finds out; None where nobody knows. It is told once.
        now: the moment, in UTC.
        stuck: the runs that are stuck and since when; None where nobody has looked.

    Returns:
        The messages that are new.

    Raises:
        SetupError: there is no such collection.
        UnavailableError: the lake cannot be written.
    """
    collection, told = load_collection(collection_id), list[Message]()
    lake = Lake(lake_root(), collection_id)
    with _held(lake) as (path, state):
        # Found out only now: nobody else tells of a later one meanwhile.
        ended = run() if callable(run) else run
        if ended is not None and (ended.run_id is None or ended.run_id != state.run):
            state.see(of_outcome(ended, collection), collection_id)
            state.run = ended.run_id or state.run
        if stuck is not None:
            state.see({"run-stuck": of_stuck(stuck, collection)}, collection_id)
        try:
            state.see(look(lake, collection, collection.day_of(now)), collection_id)
        except MusterError as error:
            _log.warning("the state of returns cannot be told: %s", error)
        there: dict[str, Take] = {_OUTBOX: partial(_keep, lake, state, told)}
        there |= {channel.name: partial(_sent, channel) for channel in channels()}
        state.told = {name: state.told.get(name, {}) for name in there}
        state.write(path)
        failed = _give(state, path, there, moment(now))
        state.see({"alerts-undelivered": _undelivered(failed, state)}, "")
        _give(state, path, {n: take for n, take in there.items() if n not in failed}, moment(now))
        state.write(path)
    return told


def _give(state: State, path: Path, there: Mapping[str, Take], at: str) -> dict[str, str]:
    """Have channels take all that waits for them; return, by the name of each that fails, why."""
    failed = {}
    for channel, take in there.items():
        for message in waiting(state, channel):
            if why := take(message, f"{message.text}\n\n{message.severity}, {at}"):
                failed[channel] = why
                break
            taken(state, channel, message, at)
            state.write(path)
    return failed


def _keep(lake: Lake, state: State, told: list[Message], message: Message, text: str) -> None:
    """Put a message into the outbox and the log."""
    number = state.number + 1
    path = lake.outbox / f"{number:06d}-{message.condition.kind}.txt"
    with atomic_file(path) as file:
        file.write(f"{message.title}\n\n{text}\n".encode())
    state.number = number
    told.append(message)
    _log.warning("%s [%s]", message.title, path)


def _sent(channel: Channel, message: Message, text: str) -> str | None:
    return channel.send(message.title, text, message.severity)


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
            state = State({})
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
