"""What the doctor says of a lake: its folders, all that was received, its releases.

Only looks; nothing is repaired, because only a backup has the bytes that were received. What is
around the lake is looked at in pipelines/doctor.py.
"""

import os
import shutil
import stat
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal

from assets.disclosure import ledger
from assets.intake.landing import waiting_anywhere
from assets.intake.raw_store import RawStore
from assets.intake.store import (
    FOLDERS,
    ID_LENGTH,
    Damaged,
    Receipt,
    ReturnReceipt,
    Version,
    case_versions,
    kept,
    sha256_of,
)
from assets.lake import LEFTOVERS, OURS, Lake, is_held, size
from assets.marts import damage
from assets.unattributed import unattributed_files
from schemas.errors import LakeError
from schemas.wording import plural, visible

Level = Literal["ok", "warn", "bad"]

LEVELS: Final = ("ok", "warn", "bad")
"""From well to ill; `warn` needs somebody's eyes, `bad` somebody's hands."""


@dataclass(frozen=True)
class Examined:
    """One thing that was looked at; `do` is empty exactly where it is well."""

    what: str
    level: Level
    where: str
    observed: str
    do: str = ""


def ok(what: str, where: object, observed: str) -> Examined:
    """Return that a thing is well."""
    return Examined(what, "ok", str(where), observed)


def warn(what: str, where: object, observed: str, do: str) -> Examined:
    """Return that a thing should be looked at."""
    return Examined(what, "warn", str(where), observed, do)


def bad(what: str, where: object, observed: str, do: str) -> Examined:
    """Return that a thing is broken."""
    return Examined(what, "bad", str(where), observed, do)


_MIB: Final = 1024 * 1024
_LEAST: Final = 16 * _MIB
_RUNS_AHEAD: Final = 50
_SHOWN: Final = 10

_RESTORE: Final = (
    "Restore it from the backup of the lake. Nothing is computed from it meanwhile, and where it"
    " may count nothing counts in its place."
)


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
    for file in unattributed_files(lake):
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


def received(lake: Lake) -> Iterator[Examined]:
    """Say whether all that was received is there unchanged, each once."""
    returns = RawStore(lake)
    sound, damaged = returns.receipts(), returns.damaged()
    problems = [
        *_receipts(lake, "raw store", [*sound, *damaged]),
        *_receipts(lake, "cases", case_versions(lake).all()),
        *_bytes_of_returns(returns),
        *_orphans(lake, {*(r.receipt_id for r in sound), *(d.receipt_id for d in damaged)}),
    ]
    yield from problems
    files = [each for kind in FOLDERS if kind != "return" for each in kept(lake, kind)]
    what = "reports, research, cases"
    ill = [(each.path or each.at, found) for each in files if (found := each.damage())]
    for path, found in ill:
        yield bad(what, path, found, _RESTORE)
    if files and not ill:
        yield ok(what, lake.raw, f"{plural(len(files), 'file')}, unchanged")
    if not problems:
        listed = f"{plural(len(sound), 'receipt')}, each with the bytes that were received"
        yield ok("raw store", lake.raw, listed)
    aside = sum(receipt.quarantined for receipt in sound)
    unread = len([*lake.quarantine.glob("unread-*.json")])
    yield ok("quarantine", lake.quarantine, f"{aside} refused after reading, {unread} unopened")


def _receipts(
    lake: Lake, what: str, found: Sequence[Receipt | Damaged[ReturnReceipt] | Damaged[Version]]
) -> Iterator[Examined]:
    """Find receipts that are damaged, lost or doubled: they are numbered without a gap."""
    sound = [item for item in found if isinstance(item, Receipt)]
    damaged = [item for item in found if isinstance(item, Damaged)]
    for item in damaged:
        yield bad(what, item.path, item.problem, _RESTORE)
    said = [r.sequence for r in (*sound, *(d.receipt for d in damaged)) if r]
    for sequence, times in sorted(Counter(said).items()):
        if times > 1:
            yield bad(what, lake.raw, f"{times} receipts have number {sequence}", _RESTORE)
    for receipt_id, times in sorted(Counter(r.receipt_id for r in sound).items()):
        if times > 1:
            seen = f"{times} receipts are for the same bytes {receipt_id}"
            yield bad(what, lake.raw, seen, _RESTORE)
    numbers = {*said, *(item.sequence for item in damaged if item.sequence)}
    lost = sorted({*range(1, max(numbers, default=0) + 1)} - numbers)
    if lost:
        listed = ", ".join(map(str, lost[:_SHOWN]))
        yield bad(what, lake.raw, f"there is no receipt with number {listed}", _RESTORE)


def _bytes_of_returns(store: RawStore) -> Iterator[Examined]:
    for receipt in store.receipts():
        path, named = store.path(receipt), f"receipt {receipt.sequence} ({receipt.file_name!r})"
        found = sha256_of(path)
        if found is None:
            yield bad("raw store", path, f"the bytes of {named} are gone", _RESTORE)
        elif found != receipt.sha256:
            seen = f"the bytes of {named} have changed: sha256 {found[:ID_LENGTH]}"
            yield bad("raw store", path, seen, _RESTORE)


def _orphans(lake: Lake, known: set[str | None]) -> Iterator[Examined]:
    found = [each.at for each in kept(lake, "return") if each.sha256[:ID_LENGTH] not in known]
    if found:
        yield warn(
            "raw store",
            found[0],
            f"{plural(len(found), 'copy')} without a receipt, left by a run that was killed",
            "Nothing, if the file still lies in landing: the next run writes its receipt.",
        )


def releases(lake: Lake) -> Iterator[Examined]:
    """Say whether every release is whole, and which one is shown."""
    folders = [path for path in sorted(lake.releases.glob("[!.]*")) if path.is_dir()]
    damaged = {path: found for path in folders if (found := _damage(lake, path.name))}
    for path, found in damaged.items():
        more = f" and {len(found) - 3} more" if len(found) > 3 else ""
        yield bad(
            "releases",
            path,
            "; ".join(found[:3]) + more,
            "Move that folder away and: muster run. From the same receipts it is made anew.",
        )
    if not damaged:
        yield ok("releases", lake.releases, f"{plural(len(folders), 'release')}, each complete")
    yield _shown(lake)


def public_editions(lake: Lake) -> Iterator[Examined]:
    """Say whether the ledger of public editions is whole; nothing is entered or changed."""
    try:
        found = [
            f"lacks the public edition that release {release} shows"
            for release in ledger.missing(lake)
        ]
    except LakeError as error:
        found = [str(error)]
    for problem in found[:3]:
        yield bad("public editions", lake.public_editions, problem, ledger.RESTORE)
    if not found:
        number = len(ledger.entries(lake))
        yield ok("public editions", lake.public_editions, f"{plural(number, 'edition')}, all whole")


def _shown(lake: Lake) -> Examined:
    link, again = lake.marts, "Run again, which shows the newest release: muster run"
    if not link.is_symlink():
        if link.exists():
            return bad("marts", link, "is no link to a release", f"Move it away. {again}")
        return warn(
            "marts", link, "shows no release yet", "Drop returns in landing and: muster run"
        )
    target = link.resolve()
    if not target.is_dir():
        return bad("marts", link, f"points to {target.name}, which is gone", again)
    if target.parent != lake.releases.resolve():
        return bad("marts", link, f"points to {target}, which is no release", again)
    found = _damage(lake, target.name)
    if found:
        return bad("marts", link, f"shows {target.name}: {found[0]}", again)
    return ok("marts", link, f"shows {target.name}, complete")


def _damage(lake: Lake, name: str) -> list[str]:
    try:
        return damage(lake.releases / name)
    except LakeError as error:
        return [str(error)]
