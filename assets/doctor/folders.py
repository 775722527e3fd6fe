"""The lake's folders: whether they are there, who may write them, and whether there is room.

Only looks; what lies in the folders is for raw_store.py and releases.py.
"""

import os
import shutil
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from assets.doctor.examined import Examined, bad, ok, warn
from assets.intake.landing import waiting_anywhere
from assets.intake.nobodys import nobodys_files
from assets.lake import LEFTOVERS, OURS, Lake, is_held, size
from schemas.wording import plural, visible

_MIB: Final = 1024 * 1024
_LEAST: Final = 16 * _MIB
_RUNS_AHEAD: Final = 50
_SHOWN: Final = 10


def layout(root: Path) -> Iterator[Examined]:
    """Say whether the lake is there, which of its folders there are, and who is at work in it."""
    if not root.is_dir():
        yield bad("lake", root, "is no folder", "Name the lake in MUSTER_LAKE, or: muster demo")
        return
    made = [name for name in ("landing", *OURS, "desk") if (root / name).is_dir()]
    work = "a run is at work" if is_held(root) else "no run is at work"
    yield ok("lake", root, f"has {', '.join(made) or 'nothing yet'}; {work}")


def permissions(root: Path) -> Iterator[Examined]:
    """Say whether this account can write what runs write, and whether others can write raw."""
    folders = [root, *(root / name for name in (*OURS, "desk", "dagster"))]
    closed = [path for path in folders if path.exists() and not os.access(path, os.W_OK | os.X_OK)]
    for path in closed:
        yield bad(
            "permissions",
            path,
            "cannot be written by this account",
            "Run as the account of the service, or give it the folder; if the disk is mounted"
            " read-only, see why.",
        )
    raw = root / "raw"
    exposed = [path for path in (raw, *raw.rglob("*")) if _anyone_may_write(path)]
    for path in exposed[:5]:
        yield bad(
            "permissions",
            path,
            f"anyone may write it ({plural(len(exposed), 'path')} of the raw store in all)",
            f"chmod -R o-w {raw}",
        )
    if not closed and not exposed:
        yield ok("permissions", root, "this account can write; raw is closed to others")


def _anyone_may_write(path: Path) -> bool:
    return path.exists() and bool(path.lstat().st_mode & stat.S_IWOTH) and not path.is_symlink()


def space(root: Path) -> Iterator[Examined]:
    """Say whether there is room for the next runs, by what one writes."""
    newest = max((root / "releases").glob("*/*/"), key=_changed, default=None)
    one_run = size(root / "work") + (size(newest) if newest else 0)
    free = shutil.disk_usage(root).free
    seen = f"{free / _MIB:,.0f} MB free; a run writes about {one_run / _MIB:,.1f} MB"
    kept = "raw/, public_editions/ and releases/ must be kept."
    do = f"Free space, or move the lake to a larger disk. {kept}"
    if free < _LEAST + 2 * one_run:
        yield bad("space", root, seen, do)
    elif free < _LEAST + _RUNS_AHEAD * one_run:
        yield warn("space", root, seen, do)
    else:
        yield ok("space", root, seen)


def leftovers(root: Path) -> Iterator[Examined]:
    """Say what killed runs have left behind."""
    found = [path for name in OURS for path in (root / name).rglob(LEFTOVERS)]
    if found and not is_held(root):
        yield warn(
            "leftovers",
            found[0],
            f"{plural(len(found), 'unfinished file')} of a run that was killed",
            "Nothing; the next run removes what is unfinished.",
        )
    else:
        yield ok("leftovers", root, "none")


def landing(lake: Lake) -> Iterator[Examined]:
    """Say what waits in landing that will not be taken in."""
    found = waiting_anywhere(lake.landing)
    closed = [path for path in found.files if not os.access(path, os.R_OK)]
    for path in closed:
        yield warn(
            "landing", path, "cannot be opened by this account", f"chmod a+r '{path.name}' there"
        )
    for path in found.unfinished:
        yield warn(
            "landing", path, "is open for writing", "Wait; if it stays so, see which program has it"
        )
    for path in found.folders:
        if any(below.is_file() for below in path.rglob("*")):
            do = "Put the files themselves into landing."
            yield warn("landing", path, "is a folder that nobody looks into", do)
    for file in nobodys_files(lake):
        do = "Ask who sent it; replace it in landing under the same name, or take it away."
        yield ok("landing", lake.root / file.lies_at, f"of no known force: {file}. {do}")
    if found.litter:
        some = ", ".join(visible(path.name, None) for path in found.litter[:_SHOWN])
        more = f" and {len(found.litter) - _SHOWN} more" if len(found.litter) > _SHOWN else ""
        yield ok("landing", lake.landing, f"litter of other programs, passed over: {some}{more}")
    if not closed and not found.unfinished:
        yield ok("landing", lake.landing, f"{plural(len(found.files), 'file')}, all readable")


def _changed(path: Path) -> int:
    return path.lstat().st_mtime_ns
