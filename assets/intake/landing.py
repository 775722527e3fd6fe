"""Which files wait in the landing folder, in order of arrival."""

import errno
import fcntl
import os
import signal
import stat
from collections.abc import Container, Iterable, Iterator
from contextlib import contextmanager, suppress
from io import BufferedReader
from itertools import chain
from pathlib import Path
from typing import Final, NamedTuple

from assets.lake import Lake

_KNOWN: Final = {"reports", "research", "cases"}
"""Folders of landing that are looked into; `Lake` has where each lies."""
OPEN: Final = "is open for writing; it is taken in once it is whole"
"""Why an unfinished file is left in landing."""
ARRIVING: Final = "has not settled yet; it is taken in once it is whole"
"""Why a file is left in landing by a run that was asked for others."""


class LeftError(Exception):
    """A file stays in landing for the next round; the text says why."""


_LITTER: Final = frozenset(
    {
        *("thumbs.db", "ehthumbs.db", "ehthumbs_vista.db", "desktop.ini", "icon\r", "__macosx"),
        *("$recycle.bin", "system volume information", "lost+found", "@eadir"),
    }
)
"""Names, in small letters, of what systems put into folders by themselves."""

_LITTER_STARTS: Final = (".", "~$", "~lock.")
"""Hidden files (.DS_Store, ._KEN.xlsx, .~lock.KEN.xlsx#) and the locks of open documents."""

_LITTER_ENDS: Final = (
    *(".partial", ".part", ".tmp", ".temp", ".crdownload", ".download", ".opdownload", ".filepart"),
    *(".lnk", ".url", ".swp", "~", "zone.identifier", "afp_afpinfo", "afp_resource"),
)
"""Copies and downloads that are not finished, shortcuts, backups of editors, streams of files."""


def is_litter(name: str) -> bool:
    """Return whether a name is one of those that programs give to what nobody meant to send."""
    plain = name.casefold()
    return (
        plain in _LITTER
        or plain.startswith(_LITTER_STARTS)
        or plain.rstrip(" .").endswith(_LITTER_ENDS)
    )


def name_as_text(name: str) -> str:
    """Return a file name as text: a name is bytes, and what is no text in it is escaped."""
    return name.encode("utf-8", "backslashreplace").decode()


class Waiting(NamedTuple):
    """`files` in order of arrival, without litter.

    `folders` nobody looks into; `unfinished` are files that another process has open for writing;
    `litter` is passed over.
    """

    files: tuple[Path, ...] = ()
    folders: tuple[Path, ...] = ()
    unfinished: tuple[Path, ...] = ()
    litter: tuple[Path, ...] = ()


def waiting(folder: Path) -> Waiting:
    """Return the files dropped in a landing folder; one that does not exist is empty.

    Order of arrival is modification time, then name.
    """
    files, folders, unfinished, litter = [], [], [], []
    for path in sorted(folder.iterdir()) if folder.is_dir() else ():
        if is_litter(path.name):
            litter.append(path)
        elif path.is_dir():
            folders += [path] if path.name not in _KNOWN else []
        elif being_written(path):
            unfinished.append(path)
        else:
            with suppress(FileNotFoundError):  # taken away since
                files.append((path.lstat().st_mtime_ns, path.name, path))
    in_order = tuple(path for *_, path in sorted(files))
    return Waiting(in_order, tuple(folders), tuple(unfinished), tuple(litter))


def waiting_below(folder: Path) -> Waiting:
    """Return the files dropped in a folder and in the folders below it, sorted by path.

    What is named with a leading underscore is passed over, as writers of folders expect.
    """
    found: list[Waiting] = []
    for name, folders, _ in os.walk(folder):
        folders[:] = [below for below in folders if not is_hidden(below)]
        found.append(waiting(Path(name)))
    files, _, unfinished, litter = map(sorted, _together(found))
    plain = (path for path in files if path.is_file() and not is_hidden(path.name))
    return Waiting(tuple(plain), (), tuple(unfinished), tuple(litter))


def is_hidden(name: str) -> bool:
    """Return whether readers of folders of folders pass a name over: litter, and `_SUCCESS`."""
    return name.startswith("_") or is_litter(name)


def waiting_anywhere(lake: Lake) -> Waiting:
    """Return the files dropped in a landing folder and in the folders known in it."""
    flat = (lake.landing, lake.reports, lake.research)
    return _together([*map(waiting, flat), waiting_below(lake.cases)])


def astray(root: Path, collections: Container[str]) -> dict[Path, int]:
    """Return what lies in `landing` of a lake and in the folder of no collection; with its files.

    What was taken in once is of a collection, though nobody describes that just now; and what the
    lake itself describes, as the demonstration of `make dev`, is of that.

    Args:
        root: the root of the lake.
        collections: the ids of the collections that are known.
    """
    landing, found = root / "landing", dict[Path, int]()
    own = {path.stem for path in (root / "collections").glob("*.toml")}
    for path in sorted(landing.iterdir()) if landing.is_dir() else ():
        known = path.name in own or path.name in collections
        known |= (root / "raw" / path.name).is_dir()
        if not is_litter(path.name) and not (path.is_dir() and known):
            below = path.rglob("*") if path.is_dir() else [path]
            found[path] = sum(not (is_litter(each.name) or each.is_dir()) for each in below)
    return {path: files for path, files in found.items() if files}


def _together(found: Iterable[Waiting]) -> Waiting:
    return Waiting(*(tuple(chain(*paths)) for paths in zip(*found, strict=True)))


@contextmanager
def opened(path: Path, most: int | None = None) -> Iterator[BufferedReader]:
    """Open a dropped file to be read whole; `most` bytes are taken in.

    Raises:
        LeftError: it cannot be opened, is no plain file, is too large, or was changed meanwhile.
    """
    try:
        # What a link leads to would be read with the rights of the service; a pipe would hold it.
        handle = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    except OSError as error:
        is_link = error.errno == errno.ELOOP
        why = "is a link" if is_link else f"cannot be opened ({error.strerror})"
        raise LeftError(why) from error
    with os.fdopen(handle, "rb") as file:
        before = os.fstat(handle)
        if not stat.S_ISREG(before.st_mode):
            raise LeftError("is no plain file")
        if most is not None and before.st_size > most:
            raise LeftError(f"has {before.st_size:,} bytes; at most {most:,} are taken in")
        yield file
        after = os.fstat(handle)
    if (before.st_size, before.st_mtime_ns) != (after.st_size, after.st_mtime_ns):
        raise LeftError("changed while it was copied; it is taken in once it is whole")
    if being_written(path):
        raise LeftError(OPEN)


def being_written(path: Path) -> bool:
    """Return whether a process of this machine has a plain file open for writing.

    The kernel grants a read lease only on a file that nobody writes. It tells that to the owner
    of the file and to a process with the capability CAP_LEASE; where it does not tell, this
    returns False, and only standing still shows that a file is whole.
    """
    try:
        if not stat.S_ISREG(path.lstat().st_mode):
            return False
        file = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    except OSError:
        return False
    try:
        # A writer who comes just now makes the kernel signal us; by default that would kill us.
        fcntl.fcntl(file, fcntl.F_SETSIG, signal.SIGURG)
        fcntl.fcntl(file, fcntl.F_SETLEASE, fcntl.F_RDLCK)
        fcntl.fcntl(file, fcntl.F_SETLEASE, fcntl.F_UNLCK)
    except BlockingIOError:
        return True
    except OSError:
        return False
    finally:
        os.close(file)
    return False
