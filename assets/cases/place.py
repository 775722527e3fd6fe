"""Where a file of an extract lies: a path here, or the URL of an object in a store.

Belongs here: all that is different between the two. What an object store needs is loaded only
where there is a URL. Does not: what a file must be (source.py).
"""

import os
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from itertools import filterfalse
from pathlib import Path, PurePosixPath
from threading import Lock
from typing import Final

import polars as pl

from assets.cases.refusal import refused
from assets.intake.landing import is_hidden

Place = Path | str
"""A string is always a URL."""

_PERMISSIONS: Final = "Mend its permissions."


def files_at(where: Place) -> Iterator[Place]:
    """Yield a file itself, or the files below a folder but for what writers hide there.

    Links are followed, and no folder twice: one that were passed over would be rows lost.

    Raises:
        ExtractRefusedError: a folder cannot be listed.
    """
    if isinstance(where, str):
        from assets.object_store import files_below  # noqa: PLC0415

        below = (url for url in files_below(where) if not url.endswith("/"))
        yield from (url for url in below if not any(map(is_hidden, _below(url, where))))
        return
    if not where.is_dir():
        yield where
        return
    seen: set[Path] = set()
    for name, folders, files in os.walk(where, onerror=_refuse_folder, followlinks=True):
        folder = Path(name)
        if (real := folder.resolve()) in seen:
            folders.clear()
            continue
        seen.add(real)
        folders[:] = sorted(filterfalse(is_hidden, folders))
        yield from (folder / file for file in sorted(filterfalse(is_hidden, files)))


def _below(url: str, folder: str) -> list[str]:
    return url.removeprefix(folder).strip("/").split("/") if url != folder else []


def _refuse_folder(error: OSError) -> None:
    problem = f"the folder cannot be listed ({error.strerror})"
    raise refused(str(error.filename), problem, _PERMISSIONS) from error


def same(where: Place) -> Place:
    """Return what is equal for two ways to the same file."""
    return where if isinstance(where, str) else where.resolve()


def folders(where: Place) -> Sequence[str]:
    """Return the names of the folders a file lies in, the outermost first."""
    path = PurePosixPath(where) if isinstance(where, str) else where.absolute()
    return path.parent.parts


def suffix(where: Place) -> str:
    """Return the end of a file's name in small letters, with its dot."""
    return PurePosixPath(where).suffix.lower()


def size(where: Place) -> int:
    """Return the bytes of a file."""
    if isinstance(where, str):
        from assets.object_store import files_below  # noqa: PLC0415

        return files_below(where)[where]
    return where.stat().st_size


def head(where: Place, length: int) -> bytes:
    """Return the first bytes of a file.

    Raises:
        ExtractRefusedError: it cannot be opened.
    """
    if isinstance(where, str):
        from assets.object_store import head as head_of  # noqa: PLC0415

        return head_of(where, length)
    try:
        with where.open("rb") as opened:
            return opened.read(length)
    except OSError as error:
        problem = f"the file cannot be opened ({error.strerror})"
        raise refused(str(where), problem, _PERMISSIONS) from error


def brought(where: Place, path: Path) -> Path:
    """Return a file that lies here: itself, or a copy of an object at `path`."""
    if isinstance(where, Path):
        return where
    from assets.object_store import fetch  # noqa: PLC0415

    fetch(where, path)
    return path


def scan(places: Sequence[Place]) -> pl.LazyFrame:
    """Return the rows of Parquet files, all of them here or all in a store."""
    if not any(isinstance(where, str) for where in places):
        return pl.scan_parquet(list(map(str, places)), hive_partitioning=False, glob=False)
    from assets.object_store import reading_options  # noqa: PLC0415

    return pl.scan_parquet(
        list(map(str, places)),
        hive_partitioning=False,
        glob=False,
        storage_options=reading_options(),
        credential_provider=None,
    )


@contextmanager
def reading(places: Sequence[Place]) -> Iterator[None]:
    """Tell an object store that does not answer from a file that is damaged.

    Meanwhile polars prints nothing: its panics at damaged files are exceptions to us as well.

    Raises:
        MusterError: the store cannot be read.
    """
    urls = [where for where in places if isinstance(where, str)]
    with _silent_panics():
        if not urls:
            yield
            return
        from assets.object_store import store_errors  # noqa: PLC0415

        with store_errors(urls[0]):
            yield


_STDERR: Final = 2
_lock: Final = Lock()
_silenced: list[int] = []
"""Copies of standard error, one for each thread that reads; the first is the real one."""


@contextmanager
def _silent_panics() -> Iterator[None]:
    """Keep what Rust code writes to standard error by itself from the terminal.

    A progress bar has a copy of its own (see the command line).
    """
    with _lock:
        sys.stderr.flush()
        _silenced.append(os.dup(_STDERR))
        if len(_silenced) == 1:
            nowhere = os.open(os.devnull, os.O_WRONLY)
            os.dup2(nowhere, _STDERR)
            os.close(nowhere)
    try:
        yield
    finally:
        with _lock:
            if len(_silenced) == 1:
                os.dup2(_silenced[0], _STDERR)
            os.close(_silenced.pop())
