"""Which files wait in the landing folder, in order of arrival.

Belongs here: what counts as a dropped file. Does not: taking it in (raw_store.py).
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Final

KNOWN_FOLDERS: Final = ("reports", "research", "cases")
_UNFINISHED: Final = (".partial", ".part", ".tmp", ".crdownload", ".filepart")


@dataclass(frozen=True)
class Waiting:
    """`files` in order of arrival; `ignored` lists what was left alone, and nobody looks into."""

    files: tuple[Path, ...]
    ignored: tuple[Path, ...]


def waiting(folder: Path) -> Waiting:
    """Return the files dropped in a landing folder; one that does not exist is empty.

    Order of arrival is modification time, then name.
    """
    files, ignored = [], []
    for path in folder.iterdir() if folder.is_dir() else ():
        name = path.name
        unfinished = name.startswith((".", "~$")) or name.lower().endswith(_UNFINISHED)
        if unfinished or path.is_dir():
            if name not in KNOWN_FOLDERS:
                ignored.append(path)
        else:
            files.append((path.lstat().st_mtime_ns, name, path))
    return Waiting(tuple(path for *_, path in sorted(files)), tuple(sorted(ignored)))
