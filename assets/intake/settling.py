"""Which dropped files have settled, and whether what is in them is new.

Belongs here: comparing what landing holds now with what was seen before. A copy over the network
shows as a file that grows, so a file is whole once its size and time stand still for long enough.
Does not: starting a run (pipelines/sensors.py).
"""

import hashlib
import json
import os
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from assets.cases.source import folder_force
from assets.intake.container import check_entry
from assets.intake.landing import CASES, waiting_anywhere
from assets.intake.raw_store import RawStore
from assets.intake.reading import RefusedError
from assets.lake import Lake
from schemas.errors import LakeError

_KEY_LENGTH: Final = 12
"""Short, because Dagster keeps what is remembered with each of thousands of looks a day."""
_HASH_LENGTH: Final = 64
"""What is kept in a folder of its own has the hash of its content at the end of that name."""


@dataclass(frozen=True)
class Memory:
    """What is remembered from one look at landing to the next, by `state_key` of a file.

    `handled`: a run has been asked for it, or its bytes were known. `seen`: when it was first seen
    as it is now, in seconds of the looker's clock.
    """

    handled: frozenset[str] = frozenset()
    seen: dict[str, float] = field(default_factory=dict)

    @classmethod
    def from_text(cls, text: str | None) -> "Memory":
        """Return the memory that `to_text` wrote; nothing is remembered from other text."""
        try:
            data = json.loads(text or "{}")
            return cls(frozenset(data["handled"].split()), dict(data["seen"]))
        except (ValueError, KeyError, TypeError, AttributeError):
            return cls()

    def to_text(self) -> str:
        """Return the memory as text."""
        return json.dumps({"handled": " ".join(sorted(self.handled)), "seen": self.seen})


@dataclass(frozen=True)
class Look:
    """What one look at landing found.

    `new` maps the key of each settled file to the hash of its content; the rest are names:
    `moving` has not settled, `closed` cannot be opened. `memory` is for the next look, when a run
    has been asked for what is `new`; `oldest` the age in seconds of what is new.
    """

    new: dict[str, str]
    moving: tuple[str, ...]
    closed: tuple[str, ...]
    oldest: float
    memory: Memory

    @property
    def key(self) -> str:
        """What names the new content, in whatever order or under whatever names it came."""
        return hashlib.sha256("".join(sorted(set(self.new.values()))).encode()).hexdigest()[
            :_KEY_LENGTH
        ]

    def unasked(self) -> Memory:
        """Return the memory for the next look, when no run was asked for."""
        return Memory(self.memory.handled - set(self.new), self.memory.seen)


def look(lake: Lake, before: Memory, now: float, settle_seconds: float) -> Look:
    """Look at landing, given what is remembered and the clock."""
    handled, seen, moving, closed = set(), {}, [], []
    new: dict[str, str] = {}
    known: frozenset[str] | None = None
    dropped = waiting_anywhere(lake.landing)
    for path in (*dropped.files, *dropped.unfinished):
        key = state_key(path)
        if key in before.handled:
            handled.add(key)
            continue
        # A clock that has jumped back starts the wait again.
        since = min(before.seen.get(key, now), now)
        seen[key] = since
        if path in dropped.unfinished or now - since < settle_seconds:
            moving.append(path.name)
            continue
        content = _content(path, lake.landing)
        if content is None:
            closed.append(path.name)
            continue
        if path.is_relative_to(lake.landing / CASES):
            content += _of(path)
        known = _known(lake) if known is None else known
        handled.add(key)
        if content not in known:
            new[key] = content
    oldest = max((now - seen[key] for key in new), default=0.0)
    waits = {key: since for key, since in seen.items() if key in new or key not in handled}
    memory = Memory(frozenset(handled), waits)
    return Look(new, tuple(sorted(moving)), tuple(sorted(closed)), oldest, memory)


def quiet(landing: Path, now: float, settle_seconds: float) -> list[str]:
    """Return the keys of the dropped files that have not been written to for long enough.

    For a look without a memory: who keeps a file's own time when copying sets it at the end.
    """
    still = []
    for path in waiting_anywhere(landing).files:
        with suppress(FileNotFoundError):  # taken away since
            # A file of the future is none that is being written now.
            if abs(now - path.lstat().st_mtime) >= settle_seconds:
                still.append(state_key(path))
    return still


def state_key(path: Path) -> str:
    """Return what tells one state of a dropped file from another: folder, name, size and time."""
    status = path.lstat()
    entry = f"{path.parent.name}|{path.name}|{status.st_size}|{status.st_mtime_ns}"
    return hashlib.sha256(os.fsencode(entry)).hexdigest()[:_KEY_LENGTH]


def _content(path: Path, landing: Path) -> str | None:
    """Return the hash of a file; its state for what must not be opened, None where one cannot."""
    try:
        if path.parent == landing:
            check_entry(path)
        elif not path.is_file() or path.is_symlink():
            return state_key(path)
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except RefusedError:
        return state_key(path)
    except OSError:
        return None


def _known(lake: Lake) -> frozenset[str]:
    """Return the hashes of all that has been received; a damaged store is for the run to find."""
    folders = [path for path in lake.raw.glob("*/*") if path.is_dir()]
    cases = [path for path in folders if path.parent.name == CASES]
    others = [path.name[-_HASH_LENGTH:] for path in folders if path not in cases]
    others += [
        f"{kept.name[-_HASH_LENGTH:]}{_of(path)}" for kept in cases for path in kept.rglob("*")
    ]
    try:
        returns = [receipt.sha256 for receipt in RawStore(lake).receipts()]
    except LakeError:
        returns = []
    return frozenset([*returns, *others])


def _of(extract: Path) -> str:
    """Return what the folder says of whose an extract is: the same bytes can be of two forces."""
    return f"|{folder_force(extract) or ''}"
