"""Where everything lies in the lake, and how a file gets there whole or not at all."""

import base64
import errno
import fcntl
import hashlib
import os
import shutil
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import IO, Final

from schemas.errors import BusyError, MusterError, SetupError, UnavailableError

DEFAULT: Final = Path("data_lake")
OURS: Final = ("raw", "quarantine", "work", "public_editions", "releases", "marts")
"""The folders of the lake that nobody writes but a run, which holds the lake."""
PARTS: Final = ("landing", *OURS, "desk")
"""The folders of which a lake has one at least."""

LEFTOVERS: Final = ".*.partial"
"""What is not finished yet, or was left unfinished by a run that was killed."""

_UNREAD: Final = ("*/intake/raw_cells.parquet", "*/intake/sheet_facts.parquet")

STATE_LENGTH: Final = 8
"""Characters of a `state_key`."""

MANIFEST: Final = "manifest.json"
"""The file of a release that says what it was made from, and the hash of every other file."""

_PACKAGES: Final = Path(__file__).parents[1]
_SOURCES: Final = ("assets", "schemas")
_DATA: Final = ("collections", "templates", "reference")
"""Folders of `schemas` whose files a release keeps of its own collection alone."""

_AT_ONCE: Final = 16
"""Files that are forced to the disk at the same time: the disk takes them in few turns."""
_LATER: Final = ContextVar[dict[Path, None] | None]("later", default=None)
"""What `forced_together` is to force to the disk; None where each file is forced by itself."""

_NOWHERE: Final = (os.strerror(errno.ENOENT), os.strerror(errno.ENOTDIR))
_LOCK: Final = ".lock"
_GLANCE: Final = 0.1


def lake_root() -> Path:
    """Return the folder that MUSTER_LAKE names, or `data_lake/` in the current directory.

    Raises:
        SetupError: it names an object store.
    """
    named = os.environ.get("MUSTER_LAKE") or str(DEFAULT)
    if "://" in named:
        raise SetupError(
            "MUSTER_LAKE names an object store, and this needs a lake in a folder: receipts and"
            " locks lie there. On an object store, muster cases judges and counts case-level"
            " extracts; a release made in a folder is copied there with muster releases push."
            " Name a folder for this command."
        )
    return Path(named).absolute()


def lake_there() -> Path:
    """Return the folder of `lake_root`, for what makes no lake: a name mistyped is told.

    Raises:
        SetupError: there is no lake.
    """
    root = lake_root()
    if not any((root / part).is_dir() for part in PARTS):
        is_set = os.environ.get("MUSTER_LAKE")
        named = "which MUSTER_LAKE names" if is_set else "as MUSTER_LAKE names none"
        raise SetupError(
            f"there is no lake in {root}, {named}. Correct MUSTER_LAKE; or make a lake there: drop"
            f" returns in {root / 'landing'}/<collection>/ and muster run, or muster demo."
        )
    return root


class _Place:
    """A folder of a collection's part of the lake, which `{}` stands for."""

    def __init__(self, path: str) -> None:
        self._path = path

    def __get__(self, lake: "Lake", _: type) -> Path:
        return lake.root / self._path.format(lake.collection)


@dataclass(frozen=True)
class Lake:
    """One collection's part of the lake at `root`."""

    root: Path
    collection: str

    # Where returns, force reports, the inspectorate's own research and case rows are dropped.
    landing = _Place("landing/{}")
    reports = _Place("landing/{}/reports")
    research = _Place("landing/{}/research")
    cases = _Place("landing/{}/cases")
    # Every received file for ever, with its receipt; reports and research in folders of their own.
    raw = _Place("raw/{}")
    kept_reports = _Place("raw/{}/reports")
    kept_research = _Place("raw/{}/research")
    # Files that must not or cannot be parsed, each beside the reason.
    quarantine = _Place("quarantine/{}")
    # What people decided: answers to queries, versions chosen, corrections declared.
    desk = _Place("desk/{}")
    # Tables between the stages; can be deleted and made again from the raw store.
    work = _Place("work/{}")
    # Of every collection: results by the content they follow from; can be deleted too.
    kept = _Place("work/kept")
    # Every release, each in a folder of its name; a link to the complete one that analysts read.
    releases = _Place("releases/{}")
    marts = _Place("marts/{}")
    # The ledger of every public edition that was shown, for ever; not public itself.
    public_editions = _Place("public_editions/{}")
    # Of every collection: what is broken and what each channel was told of it; each alert as text.
    alerts = _Place("alerts")
    outbox = _Place("outbox")

    def table(self, name: str) -> Path:
        """Path of a table between the stages, by its `stage/name`."""
        return self.work / f"{name}.parquet"


def state_key(path: Path) -> str:
    """Return what tells one state of a dropped file from another: place, name, size and time."""
    status = path.lstat()
    parts = path.parts
    below = len(parts) - parts[::-1].index("landing") if "landing" in parts else 0
    place = "/".join(parts[below:])
    return short(f"{place}|{status.st_size}|{status.st_mtime_ns}", STATE_LENGTH)


def short(text: str, length: int) -> str:
    """Return the first characters of a text's hash, which are letters, digits, `-` and `_`."""
    digest = hashlib.sha256(os.fsencode(text)).digest()
    return base64.urlsafe_b64encode(digest).decode()[:length]


@contextmanager
def held(root: Path, patience: float = 0.5) -> Iterator[None]:
    """Hold the lake, so that two runs never write to it at once.

    The lock is the operating system's: it ends with the process, however that ends. Another that
    holds it is waited for, `patience` seconds long.

    Raises:
        BusyError: another process still holds it.
        UnavailableError: the lake cannot be written.
    """
    with write_errors(root):
        root.mkdir(parents=True, exist_ok=True)
        lock = (root / _LOCK).open("a+")
    with lock:
        until = time.monotonic() + patience
        while not _locked(lock, fcntl.LOCK_EX):
            if time.monotonic() >= until:
                raise BusyError(
                    f"another run holds the lake {root}{_holder(lock)}. Wait until it has ended and"
                    " start again."
                )
            time.sleep(_GLANCE)
        with write_errors(root):
            lock.truncate(0)
            lock.write(str(os.getpid()))
            lock.flush()
        yield


def is_held(root: Path) -> bool:
    """Return whether a run holds the lake now; this neither waits nor writes."""
    try:
        lock = (root / _LOCK).open()
    except FileNotFoundError:
        return False
    with lock:
        return not _locked(lock, fcntl.LOCK_SH)


def _locked(lock: IO[str], kind: int) -> bool:
    try:
        fcntl.flock(lock, kind | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


@contextmanager
def alone(path: Path, instead: MusterError | None = None) -> Iterator[None]:
    """Hold a lock file until the block ends, or its process does; waits for whoever holds it.

    Raises:
        MusterError: the error `instead` of waiting, where one is given.
        UnavailableError: the file cannot be written.
    """
    with write_errors(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        lock = path.open("a")
    with lock:
        if instead is None:
            fcntl.flock(lock, fcntl.LOCK_EX)
        elif not _locked(lock, fcntl.LOCK_EX):
            raise instead
        yield


def _holder(lock: IO[str]) -> str:
    lock.seek(0)
    process = lock.read()
    return f" (process {process})" if process.isdigit() else ""


def hashes(folder: Path) -> dict[str, str]:
    """Return the sha256 of every file below a folder but the manifest, by relative path."""
    return {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and path.name != MANIFEST
    }


@cache
def software_sha256() -> str:
    """Return the hash of the code and data that turn returns of any collection into marts."""
    described = [_PACKAGES / "schemas" / name for name in _DATA]
    files = sorted(
        path
        for folder in _SOURCES
        for path in (_PACKAGES / folder).rglob("*")
        if path.suffix in {".py", ".sql", ".toml", ".csv", ".j2"}
        and not any(path.is_relative_to(folder) for folder in described)
    )
    parts = [
        f"{path.relative_to(_PACKAGES)} {hashlib.sha256(path.read_bytes()).hexdigest()}"
        for path in files
    ]
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()


def size(folder: Path) -> int:
    """Return how many bytes the files below a folder have."""
    return sum(path.lstat().st_size for path in folder.rglob("*") if path.is_file())


def sweep(root: Path) -> None:
    """Remove what killed runs have left unfinished; to be called by whoever holds the lake.

    And what earlier versions have left, that nothing reads, and that says what returns say.

    Raises:
        UnavailableError: it cannot be removed.
    """
    with write_errors(root):
        unread = [path for name in _UNREAD for path in (root / "work").glob(name)]
        for path in [*unread, *(path for name in OURS for path in (root / name).rglob(LEFTOVERS))]:
            if path.is_dir() and not path.is_symlink():
                shutil.rmtree(path)
            else:
                path.unlink(missing_ok=True)


@contextmanager
def write_errors(path: Path) -> Iterator[None]:
    """Turn a failed write below `path` into an error that says what to do.

    Raises:
        UnavailableError: the operating system refused the write.
    """
    try:
        yield
    except OSError as error:
        raise _unwritten(Path(error.filename or path), error.strerror or str(error)) from error
    except Exception as error:
        # Polars has an error of its own for what the system refused, and names no file.
        if type(error).__module__ != "polars.exceptions" or "(os error " not in str(error):
            raise
        raise _unwritten(path, str(error)) from error


def _unwritten(path: Path, why: str) -> UnavailableError:
    # Polars names the file behind what the system said, whichever kind of error it raises.
    said = why.rpartition("IO error: ")[2].partition(" (os error ")[0]
    do = (
        "See that its folder is there" if said in _NOWHERE else "Free space or mend the permissions"
    )
    problem = f"cannot be written ({said})"
    return UnavailableError(
        path, problem, f"Nothing that analysts see has changed. {do}, then run again."
    )


@contextmanager
def scratch_file(folder: Path) -> Iterator[Path]:
    """Make an empty file in a folder to be renamed into place; removed if it is not.

    Its name has a leading dot, so nothing that lists a folder of the lake takes it for a file.
    """
    folder.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=folder, prefix=".", suffix=".partial")
    os.close(handle)
    path = Path(name)
    try:
        yield path
    finally:
        path.unlink(missing_ok=True)


@contextmanager
def atomic_file(path: Path) -> Iterator[IO[bytes]]:
    """Open a file for writing that appears at `path` when the block ends well, and not before.

    Raises:
        UnavailableError: it cannot be written; whatever stood at `path` still does.
    """
    with write_errors(path), scratch_file(path.parent) as scratch:
        with scratch.open("wb") as file:
            yield file
        put_in_place(scratch, path, mode=0o644)


def write_anew(path: Path, content: bytes) -> None:
    """Write a file that appears at `path` whole, and which a power cut may take away again.

    For what is made anew where it is not as it was written; nothing waits for the disk.
    """
    with scratch_file(path.parent) as scratch:
        scratch.write_bytes(content)
        scratch.chmod(0o644)
        scratch.replace(path)


def put_in_place(scratch: Path, path: Path, *, mode: int) -> None:
    """Rename a finished scratch file to its place, for good."""
    scratch.chmod(mode)
    later = _LATER.get()
    if later is None:
        to_disk(scratch)
    scratch.replace(path)
    if later is None:
        to_disk(path.parent)
    else:
        later |= dict.fromkeys((path, path.parent))


@contextmanager
def forced_together() -> Iterator[None]:
    """Force what is put in place meanwhile to the disk when the block ends well, all at once.

    One by one takes ten times as long. Until then a power cut may leave any of it empty, so this is
    for files that count only when something written afterwards says so: receipts, or the name of
    their folder. A block within another forces its own.
    """
    around, mine = _LATER.get(), dict[Path, None]()
    _LATER.set(mine)
    try:
        yield
    finally:
        _LATER.set(around)
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        list(pool.map(_force_if_there, mine))


def _force_if_there(path: Path) -> None:
    with write_errors(path), suppress(FileNotFoundError):  # something else was put in its place
        to_disk(path)


def to_disk(path: Path) -> None:
    """Make what is in a file, or the renames in a folder, last through a power cut."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
