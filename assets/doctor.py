"""What the doctor says of a lake: its folders, all that was received, its releases.

Only looks; nothing is repaired, because only a backup has the bytes that were received. What is
around the lake is looked at in pipelines/doctor.py.
"""

import os
import shutil
import stat
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal

from assets.disclosure import ledger
from assets.figures.comparable import SERIES, outdated_series
from assets.intake.landing import astray, waiting_anywhere
from assets.intake.raw_store import RawStore
from assets.intake.receipts import Damaged, Receipt, ReturnReceipt, Version, case_versions
from assets.intake.store import FOLDERS, changed, kept, without_receipt
from assets.kept import results
from assets.lake import LEFTOVERS, OURS, PARTS, Lake, is_held, size
from assets.marts import damage
from assets.unattributed import unattributed_files
from schemas.errors import LakeError
from schemas.wording import first_of, plural, visible

Level = Literal["ok", "warn", "bad"]
"""From well to ill; `warn` needs somebody's eyes, `bad` somebody's hands."""

Ill = tuple[Level, object, str, str]
"""What is not well: how ill, where, what was observed, and what to do."""


@dataclass(frozen=True)
class Examined:
    """One thing that was looked at; `do` is empty exactly where it is well."""

    what: str
    level: Level
    where: str
    observed: str
    do: str = ""


def examined(
    what: str, ill: Iterable[Ill], where: object = None, well: str = ""
) -> Iterator[Examined]:
    """Yield what is not well of a thing; where nothing is, that it is `well`, if that is said."""
    found = [Examined(what, level, str(at), observed, do) for level, at, observed, do in ill]
    yield from found or ([Examined(what, "ok", str(where), well)] if well else [])


_MIB: Final = 1024 * 1024
_LEAST: Final = 16 * _MIB
_RUNS_AHEAD: Final = 50
_SHOWN: Final = 10
_BELOW: Final = ("/", "/*/", "/*/*/")

_RESTORE: Final = (
    "Restore it from the backup of the lake. Nothing is computed from it meanwhile, and where it"
    " may count nothing counts in its place."
)


def layout(root: Path) -> Iterator[Examined]:
    """Say whether the lake is there, which of its folders there are, and who is at work in it."""
    there, do = root.is_dir(), "Name the lake in MUSTER_LAKE, or: muster demo"
    made = [name for name in PARTS if (root / name).is_dir()]
    work = "a run is at work" if there and is_held(root) else "no run is at work"
    ill: list[Ill] = [] if there else [("bad", root, "is no folder", do)]
    yield from examined("lake", ill, root, f"has {', '.join(made) or 'nothing yet'}; {work}")


def permissions(root: Path) -> Iterator[Examined]:
    """Say whether this account can write what runs write, and whether others can write raw."""
    written = (*OURS, "desk", "dagster", "alerts", "outbox")
    folders = [root, *(each for of in written for to in _BELOW for each in root.glob(of + to))]
    do = (
        "Run as the account of the service, or give it the folder; if the disk is mounted"
        " read-only, see why."
    )
    shut = [path for path in folders if path.exists() and not os.access(path, os.W_OK | os.X_OK)]
    seen = "cannot be written by this account"
    ill: list[Ill] = [("bad", path, seen, do) for path in shut[:_SHOWN]]
    raw = root / "raw"
    exposed = [path for path in (raw, *raw.rglob("*")) if _anyone_may_write(path)]
    seen = f"anyone may write it ({plural(len(exposed), 'path')} of the raw store in all)"
    ill += [("bad", path, seen, f"chmod -R o-w {raw}") for path in exposed[:5]]
    well = "this account can write; raw is closed to others"
    yield from examined("permissions", ill, root, well)


def _anyone_may_write(path: Path) -> bool:
    return path.exists() and bool(path.lstat().st_mode & stat.S_IWOTH) and not path.is_symlink()


def space(root: Path) -> Iterator[Examined]:
    """Say whether there is room for the next runs, by what one writes."""
    releases = (root / "releases").glob("*/*/")
    newest = max(releases, key=lambda path: path.lstat().st_mtime_ns, default=None)
    again = sum(each.size for each in results(root))
    one_run = size(root / "work") - again + (size(newest) if newest else 0)
    free = shutil.disk_usage(root).free
    seen = f"{free / _MIB:,.0f} MB free; a run writes about {one_run / _MIB:,.1f} MB"
    do = (
        "Free space, or move the lake to a larger disk. raw/, public_editions/ and releases/ must"
        " be kept."
    )
    ill: list[Ill] = []
    if free < _LEAST + _RUNS_AHEAD * one_run:
        ill = [("bad" if free < _LEAST + 2 * one_run else "warn", root, seen, do)]
    yield from examined("space", ill, root, seen)


def leftovers(root: Path) -> Iterator[Examined]:
    """Say what killed runs have left behind."""
    found = [path for name in OURS for path in (root / name).rglob(LEFTOVERS)]
    ill: list[Ill] = []
    if found and not is_held(root):
        seen = f"{plural(len(found), 'unfinished file')} of a run that was killed"
        ill = [("warn", found[0], seen, "Nothing; the next run removes what is unfinished.")]
    yield from examined("leftovers", ill, root, "none")


def strays(root: Path, collections: Collection[str]) -> Iterator[Examined]:
    """Say what lies in landing where no run looks: `collections` are the ids that are known."""
    do = f"Put returns into the folder of theirs in landing: {', '.join(sorted(collections))}"
    ill: list[Ill] = [
        ("warn", path, f"is in the folder of no collection ({plural(number, 'file')})", do)
        for path, number in astray(root, collections).items()
    ]
    yield from examined("landing", ill)


def landing(lake: Lake) -> Iterator[Examined]:
    """Say what waits in landing that will not be taken in."""
    found = waiting_anywhere(lake)
    ill: list[Ill] = [
        ("warn", path, "cannot be opened by this account", f"chmod a+r '{path.name}' there")
        for path in found.files
        if not os.access(path, os.R_OK)
    ]
    wait = "Wait; if it stays so, see which program has it"
    ill += [("warn", path, "is open for writing", wait) for path in found.unfinished]
    yield from examined(
        "landing", ill, lake.landing, f"{plural(len(found.files), 'file')}, all readable"
    )
    unseen, do = "is a folder that nobody looks into", "Put the files themselves into landing."
    for path in found.folders:
        if any(below.is_file() for below in path.rglob("*")):
            yield from examined("landing", [("warn", path, unseen, do)])
    if nobodys := unattributed_files(lake):
        names = first_of([visible(file.file_name, None) for file in nobodys], _SHOWN)
        seen = f"of no known force, as muster status says: {names}"
        yield from examined("landing", [], lake.landing, seen)
    if found.litter:
        names = first_of([visible(path.name, None) for path in found.litter], _SHOWN)
        seen = f"litter of other programs, passed over: {names}"
        yield from examined("landing", [], lake.landing, seen)


def received(lake: Lake) -> Iterator[Examined]:
    """Say whether all that was received is there unchanged, each once."""
    returns = RawStore(lake)
    found, sound = returns.all(), returns.receipts()
    at = [(returns.path(receipt), receipt) for receipt in sound]
    wrong = _damaged((path, changed(path, of.file_name, of.sha256)) for path, of in at)
    orphans = _orphans(lake, {item.receipt_id for item in found})
    well = f"{plural(len(sound), 'receipt')}, each with the bytes that were received"
    yield from examined("raw store", [*_receipts(lake, found), *wrong, *orphans], lake.raw, well)
    yield from examined("cases", _receipts(lake, case_versions(lake).all()))
    files = [each for kind in FOLDERS if kind != "return" for each in kept(lake, kind)]
    well = f"{plural(len(files), 'file')}, unchanged" if files else ""
    wrong = _damaged((each.place, each.damage()) for each in files)
    yield from examined("reports, research, cases", wrong, lake.raw, well)
    aside = sum(receipt.quarantined for receipt in sound)
    unread = len([*lake.quarantine.glob("unread-*.json")])
    seen = f"{aside} refused after reading, {unread} unopened"
    yield from examined("quarantine", [], lake.quarantine, seen)


def _damaged(found: Iterable[tuple[Path, str | None]]) -> Iterator[Ill]:
    yield from (("bad", path, problem, _RESTORE) for path, problem in found if problem)


def _receipts(
    lake: Lake, found: Sequence[Receipt | Damaged[ReturnReceipt] | Damaged[Version]]
) -> Iterator[Ill]:
    """Find receipts that are damaged, gone or doubled."""
    sound = [item for item in found if isinstance(item, Receipt)]
    damaged = [item for item in found if isinstance(item, Damaged)]
    for item in damaged:
        yield "bad", item.path, item.problem, _RESTORE
    said = [r.sequence for r in (*sound, *(d.receipt for d in damaged)) if r]
    ids = Counter(r.receipt_id for r in sound)
    seen = [f"{n} receipts have number {no}" for no, n in sorted(Counter(said).items()) if n > 1]
    seen += [f"{n} receipts are for the same bytes {r}" for r, n in sorted(ids.items()) if n > 1]
    yield from (("bad", lake.raw, problem, _RESTORE) for problem in seen)


def _orphans(lake: Lake, known: set[str | None]) -> Iterator[Ill]:
    if found := without_receipt(lake, known):
        seen = f"{plural(len(found), 'copy')} without a receipt, lost or left by a killed run"
        do = "Nothing, if the file still lies in landing: the next run writes its receipt. Else"
        yield "warn", found[0], seen, f"{do} restore the receipt from the backup of the lake."


def releases(lake: Lake) -> Iterator[Examined]:
    """Say whether every release is whole, and which one is shown."""
    folders = [path for path in sorted(lake.releases.glob("[!.]*")) if path.is_dir()]
    shown = lake.marts.resolve()
    anew = "Move that folder away and: muster run. From the same receipts it is made anew."
    older = (
        "Take it back from a backup: a run makes anew what the receipts of today give, not this."
    )
    ill: list[Ill] = []
    for path in folders:
        if found := _damage(path):
            do = anew if path.resolve() == shown else older
            ill.append(("bad", path, first_of(found, 3, "; "), do))
    whole = f"{plural(len(folders), 'release')}, each complete"
    yield from examined("releases", ill, lake.releases, whole)
    yield from examined(
        "marts", _shown(lake), lake.marts, f"shows {lake.marts.resolve().name}, complete"
    )


def series(root: Path) -> Iterator[Examined]:
    """Say whether the series, where there is one, is of the releases that are shown."""
    if (folder := root / "marts" / SERIES).exists():
        older = outdated_series(root)
        ill: list[Ill] = [("warn", folder, f"{older}", "Make it again: muster series")] * bool(
            older
        )
        yield from examined("series", ill, folder, "of the releases that are shown")


def public_editions(lake: Lake) -> Iterator[Examined]:
    """Say whether the ledger of public editions is whole; nothing is entered or changed."""
    try:
        found = [
            f"lacks the public edition that release {release} shows"
            for release in ledger.missing(lake)
        ]
    except LakeError as error:
        found = [str(error)]
    ill: list[Ill] = [("bad", lake.public_editions, said, ledger.RESTORE) for said in found[:3]]
    number = 0 if found else len(ledger.entries(lake))
    well = f"{plural(number, 'edition')}, all whole"
    yield from examined("public editions", ill, lake.public_editions, well)


def _shown(lake: Lake) -> Iterator[Ill]:
    link, again = lake.marts, "Run again, which shows the newest release: muster run"
    target = link.resolve()
    if link.is_symlink():
        if not target.is_dir():
            yield "bad", link, f"points to {target.name}, which is gone", again
        elif target.parent != lake.releases.resolve():
            yield "bad", link, f"points to {target}, which is no release", again
        elif found := _damage(target):
            yield "bad", link, f"shows {target.name}: {found[0]}", again
    elif link.exists():
        yield "bad", link, "is no link to a release", f"Move it away. {again}"
    else:
        yield "warn", link, "shows no release yet", "Drop returns in landing and: muster run"


def _damage(release: Path) -> list[str]:
    try:
        return damage(release)
    except LakeError as error:
        return [str(error)]
