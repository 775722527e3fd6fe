"""Where results appear, whole or not at all: in a folder here, or on an object store."""

import ctypes
import hashlib
import json
import os
import shutil
import tempfile
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from assets.cases.sources import Place
from assets.lake import alone, hashes, to_disk, write_errors
from assets.object_store import publish_folder
from schemas.errors import BusyError, SetupError

_EXCHANGE: Final = 2
"""RENAME_EXCHANGE of renameat2(2)."""

_NAME_LENGTH: Final = 12


@contextmanager
def new_contents(folder: Path, names: Collection[str]) -> Iterator[Path]:
    """Yield an empty folder that takes the place of `folder` when the block ends well.

    `names` are the files it will have. Other work can lie beside the yielded folder. What a
    killed run left there is removed by the next. A link stays: what it names is replaced.

    Raises:
        SetupError: `folder` holds anything else, which would be lost, or cannot be moved away.
        BusyError: another run is writing to it.
        LakeError: it cannot be written.
    """
    folder = folder.absolute()
    if folder.is_symlink():
        # Only then: other machines may have the same path by other links.
        folder = folder.resolve()
    _refuse_others(folder, names)
    work = folder.with_name(f".{folder.name}.partial")
    lock, old, fresh = (work / name for name in ("lock", "old", "fresh"))
    busy = "Wait until it has ended and start again."
    with (
        alone(lock, BusyError(f"another run is writing beside {work}. {busy}")),
        write_errors(work),
    ):
        if old.exists() and not folder.exists():
            old.rename(folder)  # a run was killed between two renames
        for path in work.iterdir():
            if path != lock:
                shutil.rmtree(path) if path.is_dir() else path.unlink()
        fresh.mkdir()
        try:
            yield fresh
            for path in (*fresh.iterdir(), fresh):
                to_disk(path)
            if not folder.exists():
                fresh.rename(folder)
            elif not _exchange(fresh, folder):
                folder.rename(old)
                fresh.rename(folder)
            to_disk(folder.parent)
        finally:
            shutil.rmtree(work, ignore_errors=True)


def _refuse_others(folder: Path, names: Collection[str]) -> None:
    if not folder.exists():
        return
    others = ["is a file"]
    if folder.is_dir():
        others = sorted(path.name for path in folder.iterdir() if path.name not in names)
    if others:
        raise SetupError(
            f"{folder} would be replaced, but it is not a folder of results alone"
            f" ({', '.join(others[:5])}). Name a folder of its own."
        )
    if folder.is_mount() or folder.samefile(os.curdir):
        raise SetupError(
            f"{folder} would be replaced, and cannot be: a disk is mounted there, or it is the"
            " folder you are in. Name a folder below it."
        )


def _exchange(one: Path, other: Path) -> bool:
    """Let two folders change places at once; False where the system or the disk cannot."""
    try:
        rename = ctypes.CDLL(None, use_errno=True).renameat2
    except AttributeError:
        return False
    here = -100
    return bool(rename(here, os.fsencode(one), here, os.fsencode(other), _EXCHANGE) == 0)


@contextmanager
def results_at(out: Place) -> Iterator[Path]:
    """Yield the folder for the results: `out` itself, or one whose content is published there.

    The folder lies where temporary files do (TMPDIR); a cluster must see it too.

    Raises:
        MusterError: the store cannot be written; it shows what it showed.
    """
    if isinstance(out, Path):
        yield out
        return
    with tempfile.TemporaryDirectory(prefix="muster-cases-") as name:
        folder = Path(name) / "results"
        yield folder
        content = json.dumps(hashes(folder), sort_keys=True).encode()
        publish_folder(folder, out, hashlib.sha256(content).hexdigest()[:_NAME_LENGTH])


def lake_places(collection_id: str) -> tuple[str, str] | None:
    """Return where the extracts lie in a lake on an object store, and where the results go.

    None where MUSTER_LAKE names no such lake.
    """
    lake = os.environ.get("MUSTER_LAKE", "").rstrip("/")
    if not lake.startswith("s3://"):
        return None
    return f"{lake}/landing/{collection_id}/cases", f"{lake}/cases/{collection_id}"
