"""Which files wait in the landing folder, in order of arrival.

Belongs here: what counts as a dropped file, and whether somebody is still writing it. Does not:
taking it in (raw_store.py), or whether it has stood still for long enough (settling.py).
"""

import fcntl
import os
import signal
import stat
from dataclasses import dataclass
from pathlib import Path
from typing import Final

REPORTS: Final = "reports"
RESEARCH: Final = "research"
CASES: Final = "cases"
KNOWN_FOLDERS: Final = (REPORTS, RESEARCH, CASES)
OPEN: Final = "is open for writing; it is taken in once it is whole"
"""Why an unfinished file is left in landing."""
ARRIVING: Final = "has not settled yet; it is taken in once it is whole"
"""Why a file is left in landing by a run that was asked for others."""

_UNFINISHED: Final = (".partial", ".part", ".tmp", ".crdownload", ".filepart")


@dataclass(frozen=True)
class Waiting:
    """`files` in order of arrival; `ignored` lists what was left alone, and nobody looks into.

    `unfinished` lists the files that another process has open for writing.
    """

    files: tuple[Path, ...]
    ignored: tuple[Path, ...]
    unfinished: tuple[Path, ...] = ()


def waiting(folder: Path) -> Waiting:
    """Return the files dropped in a landing folder; one that does not exist is empty.

    Order of arrival is modification time, then name.
    """
    files, ignored, unfinished = [], [], []
    for path in folder.iterdir() if folder.is_dir() else ():
        name = path.name
        known_as_part = name.startswith((".", "~$")) or name.lower().endswith(_UNFINISHED)
        if known_as_part or path.is_dir():
            if name not in KNOWN_FOLDERS:
                ignored.append(path)
        elif being_written(path):
            unfinished.append(path)
        else:
            files.append((path.lstat().st_mtime_ns, name, path))
    in_order = tuple(path for *_, path in sorted(files))
    return Waiting(in_order, tuple(sorted(ignored)), tuple(sorted(unfinished)))


def waiting_below(folder: Path) -> Waiting:
    """Return the files dropped in a folder and in the folders below it, sorted by path.

    What is named with a leading dot or underscore is passed over, as writers of folders expect.
    """
    files: list[Path] = []
    unfinished: list[Path] = []
    for name, folders, _ in os.walk(folder):
        folders[:] = [below for below in folders if not below.startswith((".", "_"))]
        here = waiting(Path(name))
        files += [path for path in here.files if path.is_file() and not path.name.startswith("_")]
        unfinished += here.unfinished
    return Waiting(tuple(sorted(files)), (), tuple(sorted(unfinished)))


def waiting_anywhere(landing: Path) -> Waiting:
    """Return the files dropped in a landing folder and in the folders known in it."""
    found = [
        waiting(landing),
        waiting(landing / REPORTS),
        waiting(landing / RESEARCH),
        waiting_below(landing / CASES),
    ]
    return Waiting(
        tuple(path for each in found for path in each.files),
        tuple(path for each in found for path in each.ignored),
        tuple(path for each in found for path in each.unfinished),
    )


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
