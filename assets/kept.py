"""Results kept by the content that they follow from, so that what has not changed costs nothing.

A kept result is never more than saved time: one that is gone, damaged, or of other software is made
anew. Whoever asks composes the key from the hashes of everything that the result follows from.
"""

import hashlib
import io
import json
import os
import re
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from assets.lake import Lake, software_sha256, write_anew

if TYPE_CHECKING:
    import polars as pl

_NAME: Final = re.compile(r"[0-9a-f]{64}")
_DAY: Final = 24 * 60 * 60
_UNUSED: Final = 30 * _DAY
"""Seconds after which a result that no refresh has used goes."""
_MOST: Final = 1024**3
"""Bytes of results that are kept; beyond them those go that were used longest ago."""


Keep = Callable[[str, bytes, Callable[[], bytes]], bytes]
"""Returns what is made, of a kind and a key: `made_once` of a lake, or `each_time`."""


def each_time(_kind: str, _key: bytes, make: Callable[[], bytes]) -> bytes:
    """Return what `make` makes, and keep nothing."""
    return make()


class Result(NamedTuple):
    """A kept result: where, how large, and when it was last used, to the day."""

    path: Path
    size: int
    used: float


def made_once(
    lake: Lake, kind: str, key: bytes | Sequence[str], make: Callable[[], bytes]
) -> bytes:
    """Return what `make` makes, or what it made of the same key when the software was the same.

    The key is the hashes and words that tell whether it would make the same bytes. The result lies
    in `work/kept/<kind>/` of the lake, a kind for each `make`.
    """
    path = lake.kept / kind / _name(key)
    content = _read(path)
    if content is None:
        content = make()
        _write(path, content)
    return content


def recalled(lake: Lake, kind: str, key: Sequence[str]) -> dict[str, Any]:
    """Return what `remember` kept last under a key; nothing where that is gone or damaged."""
    found: dict[str, Any] = json.loads(_read(lake.kept / kind / _name(key)) or b"{}")
    return found


def remember(lake: Lake, kind: str, key: Sequence[str], found: Mapping[str, Any]) -> None:
    """Keep many small results in one file, in place of those that were kept under the key before.

    Each is named by the hash of what it follows from: a file for each would take longer than most
    of what is kept.
    """
    _write(lake.kept / kind / _name(key), json.dumps(found).encode())


def frame_made_once(
    lake: Lake, kind: str, key: bytes | Sequence[str], make: Callable[[], "pl.DataFrame"]
) -> "pl.DataFrame":
    """Return the table that `make` makes, kept as `made_once` keeps, and read back either way."""
    import polars as pl

    def written() -> bytes:
        buffer = io.BytesIO()
        make().write_ipc(buffer)
        return buffer.getvalue()

    return pl.read_ipc(made_once(lake, kind, key, written))


def results(root: Path) -> Iterator[Result]:
    """Yield every kept result of a lake."""
    for path in Lake(root, "").kept.glob("*/*"):
        with suppress(FileNotFoundError):
            if _NAME.fullmatch(path.name) and path.is_file():
                status = path.stat()
                yield Result(path, status.st_size, status.st_mtime)


def prune(root: Path) -> None:
    """Remove what no refresh has used for long, and what is too much."""
    left, now = _MOST, time.time()
    for result in sorted(results(root), key=lambda each: each.used, reverse=True):
        left -= result.size
        if left < 0 or now - result.used > _UNUSED:
            with suppress(OSError):
                result.path.unlink()


def _name(key: bytes | Sequence[str]) -> str:
    given = key if isinstance(key, bytes) else json.dumps([*key]).encode()
    return hashlib.sha256(f"{software()} ".encode() + given).hexdigest()


@cache
def software() -> str:
    """Return what names all that turns content into results: our code, the packages, Python."""
    folders = [Path(entry) for entry in sys.path if Path(entry).is_dir()]
    packages = {each.name for folder in folders for each in folder.glob("*.dist-info")}
    return " ".join([software_sha256(), sys.version, *sorted(packages)])


def _digest(path: Path, content: bytes) -> bytes:
    """Return what stands before a result: the hash of it and of its place, as bytes."""
    place = "/".join(path.parts[-2:]).encode()
    return hashlib.sha256(place + b" " + content).digest()


def _write(path: Path, content: bytes) -> None:
    # Not forced to the disk: what a power cut leaves of it is noticed by its digest. Nor told
    # where it cannot be written: whatever a run must write there says so itself.
    with suppress(OSError):
        write_anew(path, _digest(path, content) + content)


def _read(path: Path) -> bytes | None:
    """Return a result, marked as used; None where there is none as it was written."""
    try:
        whole = path.read_bytes()
        used = path.stat().st_mtime
    except OSError:
        return None
    length = hashlib.sha256().digest_size
    if whole[:length] != _digest(path, whole[length:]):
        return None
    if time.time() - used > _DAY:
        with suppress(OSError):  # who only reads the lake need not mark it
            os.utime(path)
    return whole[length:]
