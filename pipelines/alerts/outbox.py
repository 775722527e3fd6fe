"""Files of alerting: the lock, what was told, and every alert as text and as JSON.

Belongs here: the protocol that neither loses nor doubles an alert when the process is killed.
Alerts are written first, then the state that counts them: what the state does not count was never
told and is written anew. Each alert keeps the channels that took it.
"""

import fcntl
import json
import logging
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final

from assets.lake import Lake, atomic_file, write_errors
from pipelines.alerts.state import Alert, State

_log: Final = logging.getLogger("muster.alerts")
_DIGITS: Final = 6


@dataclass(frozen=True)
class Kept:
    """An alert in the outbox, and the names of the channels that took it."""

    path: Path
    alert: Alert
    taken_by: frozenset[str]


class Outbox:
    """The alerts of a lake."""

    def __init__(self, lake: Lake) -> None:
        self._state = lake.alerts / "state.json"
        self._lock = lake.alerts / ".lock"
        self.folder = lake.outbox
        self.undelivered_folder = lake.outbox / "undelivered"

    @contextmanager
    def held(self) -> Iterator[None]:
        """Hold the outbox; another process that tells people waits until this one has.

        Raises:
            UnavailableError: the lake cannot be written.
        """
        with write_errors(self._lock):
            self._lock.parent.mkdir(parents=True, exist_ok=True)
            lock = self._lock.open("a")
        with lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield

    def read_state(self) -> State:
        """Return what people have been told."""
        return self._load() or State(self._last_number() + 1)

    def begin(self) -> State:
        """Return what people have been told, after mending what a killed process left.

        Alerts that the state does not count are dropped: they are written anew. A damaged state is
        put aside: what is broken is told once more, rather than never.

        Raises:
            UnavailableError: the lake cannot be written.
        """
        if self._load() is None:
            if self._state.exists():
                aside = self._state.with_name("state.damaged.json")
                with write_errors(aside):
                    self._state.replace(aside)
                _log.warning("%s: damaged; people are told anew of what is broken", aside)
            self._write_state(self.read_state())  # from here on it says what counts
        state = self.read_state()
        with write_errors(self.folder):
            for path in self._numbered("*"):
                if _number(path) >= state.next_number:
                    path.unlink()
        return state

    def _load(self) -> State | None:
        """Return the state, None where there is none or it is damaged."""
        try:
            return State.from_json(json.loads(self._state.read_text(encoding="utf-8")))
        except (OSError, ValueError, TypeError, KeyError, AttributeError):
            return None

    def add(self, alerts: Iterable[Alert], state: State, *, to_send: bool) -> None:
        """Keep alerts, then the state in which they count as told.

        Raises:
            UnavailableError: the lake cannot be written; nothing counts as told.
        """
        folder = self.undelivered_folder if to_send else self.folder
        for alert in alerts:
            stem = folder / f"{alert.number:0{_DIGITS}d}-{alert.kind}"
            with atomic_file(stem.with_suffix(".txt")) as file:
                file.write(f"{headline(alert)}\n\n{signed(alert)}\n".encode())
            self._write(Kept(stem.with_suffix(".json"), alert, frozenset()))
        self._write_state(state)

    def undelivered(self) -> list[Kept]:
        """Return the alerts still to be sent, in order; one that cannot be read is left alone."""
        found = []
        for path in sorted(self.undelivered_folder.glob("[0-9]*.json")):
            try:
                document = json.loads(path.read_text(encoding="utf-8"))
                taken_by = frozenset(document.pop("taken_by"))
                found.append(Kept(path, Alert(**document), taken_by))
            except (OSError, ValueError, TypeError, KeyError, AttributeError) as error:
                _log.warning("%s: cannot be sent (%s); see the text beside it", path, error)
        return found

    def taken(self, kept: Kept, channel: str, channels: Iterable[str]) -> None:
        """Record that a channel took an alert; once every channel has, it lies with the sent ones.

        Raises:
            UnavailableError: the lake cannot be written; the alert will be sent again.
        """
        now = Kept(kept.path, kept.alert, kept.taken_by | {channel})
        self._write(now)
        self.settle(now, channels)

    def settle(self, kept: Kept, channels: Iterable[str]) -> None:
        """Move an alert that every channel took, or that there is none for, to the sent ones."""
        if set(channels) <= kept.taken_by:
            with write_errors(self.folder):
                for path in (kept.path.with_suffix(".txt"), kept.path):
                    if path.exists():
                        path.replace(self.folder / path.name)

    def _write_state(self, state: State) -> None:
        with atomic_file(self._state) as file:
            file.write(json.dumps(state.to_json(), indent=1).encode())

    def _write(self, kept: Kept) -> None:
        document = {**asdict(kept.alert), "taken_by": sorted(kept.taken_by)}
        with atomic_file(kept.path) as file:
            file.write(json.dumps(document, indent=1, ensure_ascii=False).encode())

    def _numbered(self, pattern: str) -> list[Path]:
        folders = (self.folder, self.undelivered_folder)
        return [path for folder in folders for path in folder.glob(f"[0-9]{pattern}")]

    def _last_number(self) -> int:
        return max((_number(path) for path in self._numbered("*.json")), default=0)


def headline(alert: Alert) -> str:
    """Return the line by which an alert is known: subject of a mail, line of a log."""
    place = f" ({alert.collection})" if alert.collection else ""
    prefix = {"new": "", "changed": "changed: ", "over": "over: "}[alert.news]
    return f"Muster: {prefix}{alert.title}{place}"


def signed(alert: Alert) -> str:
    """Return an alert's text with its number and time."""
    return f"{alert.text}\n\nAlert {alert.number}, {alert.severity}, {alert.at}"


def _number(path: Path) -> int:
    return int(path.name.partition("-")[0])
