"""Whether a release still stands because nothing that it follows from has changed.

At the end of a refresh that went well a record of everything it read and made is left in the lake.
While all of that is as it was, another refresh would publish the same release, so none is needed.
Where there is any doubt there is no record, and the refresh runs: that costs time alone.

Nothing here loads Dagster or a library of data: that alone takes longer than to see that nothing is
new. What leaves the record is in pipelines/record.py.
"""

import hashlib
import json
import os
import stat
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from assets.history import Shown, shown
from assets.kept import software
from assets.lake import MANIFEST, Lake, held
from pipelines.instance import damaged_databases, history_is_gone, home_folder
from schemas.errors import LakeError

RECORD: Final = "standing.json"
_OURS: Final = Path(__file__).parents[1]
_DESCRIBED: Final = ("collections", "templates", "reference")
"""The folders that say what collections are."""

FOLDER: Final = "folder"
"""What is seen of a folder itself."""
_READ: Final = 16 * 1024**2
"""Bytes of the largest file whose content is read to see a change; of others, what the system says.

Whoever changes a file leaves a trace in its times: `ctime` nobody can set.
"""
_FAILED: Final = ("run-failed", "release-blocked", "run-stuck")
"""Conditions that only a run that ends well brings to an end."""


@dataclass(frozen=True)
class Record:
    """What a refresh left: the hash of all that was seen, and from when until when it stands.

    Until the next moment at which a day begins that may change anything; `usual` tells whether the
    collection is meant by commands that name none, None where that is not known.
    """

    seen: str
    since: str
    until: str
    usual: bool

    def covers(self, now: datetime) -> bool:
        """Return whether it speaks of a moment."""
        return datetime.fromisoformat(self.since) <= now < datetime.fromisoformat(self.until)


@dataclass(frozen=True)
class Standing:
    """The release that stands, and whether people were told of all that there is to tell."""

    collection: str
    shown: Shown
    told: bool


def standing(root: Path, collection_id: str | None) -> Standing | None:
    """Return the release that another refresh would publish; None where that is not certain.

    Without an id the collection is the one that a command means which names none.

    Raises:
        BusyError: another run holds the lake.
    """
    every = sorted((root / "work").glob(f"*/{RECORD}"))
    records = [path for path in every if collection_id in {None, path.parent.name}]
    if not records or history_is_gone() or any(damaged_databases(home_folder())):
        return None
    try:
        with held(root):
            speak = {path.parent.name: record for path in records if (record := _read(path))}
            meant = [name for name in speak if collection_id or speak[name].usual]
            # What is usual was told of what there was then, so of several one at most still holds.
            newest = sorted(meant, key=lambda name: speak[name].since, reverse=True)
            found = (_stands(Lake(root, name), speak[name].seen) for name in newest)
            return next(filter(None, found), None)
    except (LakeError, OSError):
        return None


def _stands(lake: Lake, seen: str) -> Standing | None:
    """Return the release of a collection, if all is as it was seen; the lake is held."""
    try:
        alerts = json.loads((lake.alerts / "state.json").read_text(encoding="utf-8"))
        last, release = shown(lake)[-1], lake.marts.resolve()
        if (
            {f"{kind}/{lake.collection}" for kind in _FAILED} & {*alerts["now"]}
            or last.release != release.name
            or release.parent != lake.releases.resolve()
            or digest(everything(lake)) != seen
        ):
            return None
        return Standing(lake.collection, last, _all_told(alerts))
    except (LakeError, OSError, ValueError, KeyError, TypeError, AttributeError, IndexError):
        return None  # of whatever is odd here, a refresh tells in its own words


def _read(path: Path) -> Record | None:
    """Return a record that is whole and speaks of now."""
    try:
        first, _, text = path.read_text(encoding="utf-8").partition("\n")
        record = Record(**json.loads(text))
        whole = first == hashlib.sha256(text.encode()).hexdigest()
        return record if whole and record.covers(datetime.now(UTC)) else None
    except (OSError, ValueError, TypeError):
        return None


def _all_told(alerts: Mapping[str, Any]) -> bool:
    """Return whether the outbox has all that is broken; what a channel has, only it can say."""
    told = {key: condition for key, (condition, _) in alerts["told"]["outbox"].items()}
    return told == alerts["now"] and not os.environ.get("MUSTER_ALERT_URLS")


def digest(seen: Iterable[tuple[str, str]]) -> str:
    """Return the hash of all that was seen."""
    return hashlib.sha256(json.dumps(sorted(seen)).encode()).hexdigest()


def everything(lake: Lake) -> Iterator[tuple[str, str]]:
    """Yield all that a refresh reads, and all that it makes."""
    yield "software", software()
    yield from given(lake)
    yield from kept_for_ever(lake)
    yield from (each for each in _below(lake.root, lake.work) if not each[0].endswith(RECORD))
    yield from _below(lake.root, lake.marts.resolve())
    yield "shown", str(lake.marts.readlink())
    for path in sorted(lake.releases.glob("*")):
        yield f"released {path.name}", _content(path / MANIFEST if path.is_dir() else path)


def given(lake: Lake) -> Iterator[tuple[str, str]]:
    """Yield what people and other programs give: files, decisions, descriptions, other releases."""
    for folder in (lake.landing, lake.desk):
        yield from _below(lake.root, folder, traced=True)
    folders = [_OURS / "schemas", _OURS / "pipelines"]
    if named := os.environ.get("MUSTER_COLLECTIONS"):
        root = Path(named)
        yield "MUSTER_COLLECTIONS", named
        folders += [root / name for name in _DESCRIBED]
        for path in sorted(root.glob("*.toml")):
            yield str(path), _trace(path)
    for folder in folders:
        yield from _below(Path("/"), folder, traced=True)
    for link in sorted((lake.root / "marts").glob("*")):
        if link.is_symlink() and link.name != lake.collection:
            release = link.resolve()
            yield link.name, str(link.readlink())
            for path in (*sorted(release.glob("*.*")), *sorted(release.glob("description/*/*"))):
                yield f"{link.name}/{path.relative_to(release)}", _trace(path)


def kept_for_ever(lake: Lake) -> Iterator[tuple[str, str]]:
    """Yield what is kept for ever: what was received, what was shown."""
    for folder in (lake.raw, lake.quarantine, lake.public_editions):
        yield from _below(lake.root, folder)


def _below(root: Path, folder: Path, *, traced: bool = False) -> Iterator[tuple[str, str]]:
    """Yield every file below a folder by its path, with its content or what the system says of it.

    The names begin at `root`, and links are followed. `traced`: any trace of a change is one, not
    the content alone.
    """
    been: set[Path] = set()
    for at, names, files in os.walk(folder, followlinks=True):
        if (place := Path(at).resolve()) in been:
            names.clear()
            continue
        been.add(place)
        names[:] = [name for name in names if name != "__pycache__"]
        for name in names:
            yield os.path.relpath(Path(at, name), root), f"{FOLDER} 0"
        for name in files:
            path = Path(at, name)
            yield os.path.relpath(path, root), _trace(path) if traced else _content(path)


def _content(path: Path) -> str:
    """Return the hash of a file, or if it is large or no file what the system says of it."""
    try:
        status = path.stat()
        if stat.S_ISREG(status.st_mode) and status.st_size <= _READ:
            return hashlib.sha256(path.read_bytes()).hexdigest()
    except OSError as error:
        return f"{type(error).__name__} 0"
    return f"- {status.st_mode} {status.st_size} {status.st_mtime_ns} {status.st_ctime_ns}"


def _trace(path: Path) -> str:
    """Return the content of a file with whatever else changes when it does; its `ctime` last."""
    try:
        own, to = path.lstat(), path.readlink() if path.is_symlink() else ""
    except OSError as error:
        return f"{type(error).__name__} 0"
    seen = (own.st_mode, own.st_size, own.st_ino, own.st_mtime_ns, own.st_ctime_ns)
    return f"{_content(path)} {to} {' '.join(map(str, seen))}"
