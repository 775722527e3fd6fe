"""Which dropped files are complete, and whether what is in them is new.

A copy over the network shows as a file that grows, so a file is whole once its size and time stand
still for long enough. One of the same size and time may replace it; its system then has another
time of change, and only then is it read again. Its inode number some file systems make up anew.
"""

import hashlib
import json
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Final

from assets.intake.container import check_entry
from assets.intake.landing import waiting_anywhere
from assets.intake.raw_store import RawStore, unread_key
from assets.intake.reading import RefusedError
from assets.intake.store import FOLDERS, ID_LENGTH, content_of, kept, sha256_of
from assets.lake import STATE_LENGTH, Lake, short, state_key
from schemas.research import BASIS_FILE

_KEY_LENGTH: Final = 12
_CHANGE_LENGTH: Final = 4
"""Short, because Dagster keeps what is remembered with each of thousands of looks a day."""


@dataclass(frozen=True)
class Memory:
    """What is remembered from one look at landing to the next, of each file in its state.

    That is its `state_key` with the time of its last change, in short. `handled`: a run has been
    asked for it, or its bytes were known. `seen`: when the others were first seen as they are now,
    in seconds of the looker's clock.
    """

    handled: frozenset[str] = frozenset()
    seen: Mapping[str, float] = field(default_factory=dict)

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

    `new` maps the key of each complete file to what names its content. `research` are the keys of
    the complete research files: none is read without the one that says their basis. The rest are
    names: `moving` is incomplete, `closed` cannot be opened. `memory` is for the next look, when
    a run has been asked for what is `new`; `oldest` the age in seconds of what is new.
    """

    new: dict[str, str]
    research: tuple[str, ...]
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
        handled = (each for each in self.memory.handled if each[:STATE_LENGTH] not in self.new)
        return replace(self.memory, handled=frozenset(handled))


def look(lake: Lake, before: Memory, now: float, settle_seconds: float) -> Look:
    """Look at landing, given what is remembered and the clock."""
    handled, seen = set[str](), dict[str, float]()
    new: dict[str, str] = {}
    moving, closed, research, ages = [], [], [], [0.0]
    known: frozenset[str] | None = None
    dropped = waiting_anywhere(lake)
    for path in (*dropped.files, *dropped.unfinished):
        try:
            key = state_key(path)
            # When the system last changed it, which no program can set back.
            state = key + short(str(path.lstat().st_ctime_ns), _CHANGE_LENGTH)
        except FileNotFoundError:  # taken away since
            continue
        if state not in before.handled:
            # A clock that has jumped back starts the wait again.
            seen[state] = since = min(before.seen.get(state, now), now)
            if path in dropped.unfinished or now - since < settle_seconds:
                moving.append(path.name)
                continue
            content = _content(path, lake)
            if content is None:
                closed.append(path.name)
                continue
            known = _known(lake) if known is None else known
            if known.isdisjoint({content, content[:ID_LENGTH]}):
                new[key] = content
                ages.append(now - since)
            else:
                del seen[state]
        handled.add(state)
        research += [key] if path.parent == lake.research else []
    memory, names = Memory(frozenset(handled), seen), (tuple(sorted(moving)), tuple(sorted(closed)))
    return Look(new, tuple(research), *names, max(ages), memory)


def quiet(lake: Lake, now: float, settle_seconds: float) -> list[str]:
    """Return the keys of the dropped files that have not been written to for long enough.

    For a look without a memory: who keeps a file's own time when copying sets it at the end.
    """
    still = []
    for path in waiting_anywhere(lake).files:
        with suppress(FileNotFoundError):  # taken away since
            # A file of the future is none that is being written now.
            if abs(now - path.lstat().st_mtime) >= settle_seconds:
                still.append(state_key(path))
    return still


def _content(path: Path, lake: Lake) -> str | None:
    """Return what names the content of a file as `_known` does; None where it cannot be opened.

    For what must not be opened that is its state.
    """
    try:
        if path.parent == lake.landing:
            check_entry(path)
        elif not path.is_file() or path.is_symlink():
            return state_key(path)
        sha256 = sha256_of(path)
    except RefusedError:
        return unread_key(path)
    except OSError:
        sha256 = None
    if sha256 is None:
        return None
    if path.parent == lake.research:
        return _research(path, sha256, lake)
    is_case = path.is_relative_to(lake.cases)
    return content_of("extract" if is_case else "return", sha256, path)


def _research(path: Path, sha256: str, lake: Lake) -> str:
    """Return what names a research file: an earlier one that is dropped again counts again."""
    files = [each for each in kept(lake, "research") if each.path]
    mine = [each for each in files if path.name in {BASIS_FILE, each.name}]
    if mine:
        newest = mine[-1]
        said = path.read_text(errors="replace").strip() if path.name == BASIS_FILE else None
        if newest.sha256 == sha256 or newest.basis == said:
            return newest.sha256
    return f"{sha256}|after {len(files)}"


def _known(lake: Lake) -> frozenset[str]:
    """Return the names of all content that has been received, and of what was refused unopened.

    Of a damaged receipt that is its id.
    """
    others = [each.content for kind in FOLDERS if kind != "return" for each in kept(lake, kind)]
    unread = [path.stem for path in lake.quarantine.glob("unread-*.json")]
    store = RawStore(lake)
    returns = [receipt.sha256 for receipt in store.receipts()]
    damaged = [item.receipt_id for item in store.damaged() if item.receipt_id]
    return frozenset([*returns, *damaged, *others, *unread])
