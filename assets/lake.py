"""Where everything lies in the lake, and how a file gets there whole or not at all.

Belongs here: paths, atomic writes, the lock. Does not: what a file means. Every other module
takes its paths from here, so this page is the lake's layout.
"""

import fcntl
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Final

from schemas.errors import BusyError, LakeError

DEFAULT: Final = Path("data_lake")


def lake_root() -> Path:
    """Return the folder that MUSTER_LAKE names, or `data_lake/` in the current directory."""
    return Path(os.environ.get("MUSTER_LAKE") or DEFAULT).absolute()


@dataclass(frozen=True)
class Lake:
    """One collection's part of the lake at `root`."""

    root: Path
    collection: str

    @property
    def landing(self) -> Path:
        """Where returns are dropped; the sub-folder `reports` takes force reports."""
        return self.root / "landing" / self.collection

    @property
    def reports(self) -> Path:
        """Where published force reports are dropped."""
        return self.landing / "reports"

    @property
    def raw(self) -> Path:
        """The raw store: every received file for ever, with its receipt."""
        return self.root / "raw" / self.collection

    @property
    def kept_reports(self) -> Path:
        """Every force report received, in a folder named by its hash."""
        return self.raw / "reports"

    @property
    def quarantine(self) -> Path:
        """Files that must not or cannot be parsed, each beside the reason."""
        return self.root / "quarantine" / self.collection

    @property
    def desk(self) -> Path:
        """What people decided: answers to queries, versions chosen, corrections declared."""
        return self.root / "desk" / self.collection

    @property
    def work(self) -> Path:
        """Tables between the stages; can be deleted and made again from the raw store."""
        return self.root / "work" / self.collection

    @property
    def releases(self) -> Path:
        """Every release, each in a folder of its name."""
        return self.root / "releases" / self.collection

    @property
    def marts(self) -> Path:
        """A link to the one complete release that analysts read."""
        return self.root / "marts" / self.collection

    def table(self, stage: str, name: str) -> Path:
        """Path of a table between the stages."""
        return self.work / stage / f"{name}.parquet"


@contextmanager
def held(root: Path) -> Iterator[None]:
    """Hold the lake, so that two runs never write to it at once.

    The lock is the operating system's: it ends with the process, however that ends.

    Raises:
        BusyError: another process holds it.
        LakeError: the lake cannot be written.
    """
    with write_errors(root):
        root.mkdir(parents=True, exist_ok=True)
        lock = (root / ".lock").open("w")
    with lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise BusyError(
                f"another run holds the lake {root}. Wait until it has ended and start again."
            ) from None
        yield


@contextmanager
def write_errors(path: Path) -> Iterator[None]:
    """Turn a failed write below `path` into an error that says what to do.

    Raises:
        LakeError: the operating system refused the write.
    """
    try:
        yield
    except OSError as error:
        raise LakeError(
            Path(error.filename or path),
            f"cannot be written ({error.strerror or error})",
            "Nothing that analysts see has changed. Free space or mend the permissions, then run"
            " again.",
        ) from error


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
        LakeError: it cannot be written; whatever stood at `path` still does.
    """
    with write_errors(path), scratch_file(path.parent) as scratch:
        with scratch.open("wb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        put_in_place(scratch, path, mode=0o644)


def put_in_place(scratch: Path, path: Path, *, mode: int) -> None:
    """Rename a finished scratch file to its place, for good."""
    scratch.chmod(mode)
    scratch.replace(path)
    sync_folder(path.parent)


def sync_folder(path: Path) -> None:
    """Make renames in a folder last through a power cut."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
