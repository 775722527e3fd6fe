"""Makes a release complete in a folder of its own, then shows it to analysts in one rename.

Until then nothing an analyst sees changes, and a run that dies on the way leaves the last release
in place.
"""

import os
import shutil
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

import polars as pl

from assets.disclosure.ledger import edition_of
from assets.figures.comparable import outdated_series
from assets.history import chosen, record, shown
from assets.lake import Lake, forced_together, hashes, to_disk, write_errors
from assets.marts import damage, read_manifest, write_manifest
from assets.object_store import publish_folder
from assets.release.contents import Draft, Found, about_release, write_marts, write_parts
from assets.release.gate.process import Gate
from assets.release.identity import MadeFrom, release_id
from schemas.errors import LakeError, ReleaseBlockedError


def publish(
    lake: Lake, marts: Mapping[str, pl.DataFrame], made_from: MadeFrom, gate: Gate
) -> tuple[Path, dict[str, Found]]:
    """Write the marts as a release and let `marts/<collection>` show it.

    One that somebody went back from is not shown again while it is what a run makes.

    Returns:
        The folder of the release, and what the making of each part found.

    Raises:
        ReleaseBlockedError: the marts are not fit to be shown; the last release stays in place.
        ContractError: a mart is not what its contract says.
        LakeError: the lake cannot be written; the last release stays in place.
    """
    _require_returns(lake, made_from)
    folder = lake.releases / release_id(made_from)
    partial = lake.releases / f".{folder.name}.partial"
    about = about_release(marts, made_from)
    draft = Draft(partial, lake, marts, about, gate, made_from)
    with write_errors(lake.releases):
        shutil.rmtree(partial, ignore_errors=True)
        partial.mkdir(parents=True)
    try:
        with forced_together():
            write_marts(draft)
            if known := folder.exists():
                _require_same(partial, folder)
                found = read_manifest(folder)["found"]
            else:
                found = write_parts(draft)
                write_manifest(partial, {**about, "made_from": made_from, "found": found})
        if not known:
            with write_errors(folder):
                partial.rename(folder)
                to_disk(lake.releases)
    finally:
        shutil.rmtree(partial, ignore_errors=True)
    by_hand = chosen(lake)
    if not (known and by_hand and by_hand.instead_of == folder.name):
        show(lake, folder)
    return folder, found


def _require_returns(lake: Lake, made_from: MadeFrom) -> None:
    """Block a release in which no return counts where analysts see one in which some do."""
    if made_from["live"] or made_from["cases"] or not lake.marts.exists():
        return
    last = lake.marts.resolve()
    if before := read_manifest(last)["made_from"]["live"]:
        raise ReleaseBlockedError(
            f"the release is blocked, the last one stays in place. None of the returns counts, and"
            f" {len(before)} did in {last.name}. A return that is sent cannot do that: the"
            " template, the collection or a rule has changed since. Take that back, or make it a"
            " new version (docs/collections.md), then run again.",
            ["no return counts"],
        )


def show(lake: Lake, folder: Path, *, by_hand: bool = False) -> None:
    """Let `marts/<collection>` show a release: one rename of a link.

    Where somebody goes back to it `by_hand`, it stands until a run makes another release than the
    last one did.

    Raises:
        LakeError: the link cannot be written, or something else stands in its place.
    """
    link, before, instead_of = lake.marts, shown(lake), None
    if by_hand and before:
        made = before[-1].instead_of or before[-1].release
        instead_of = made if made != folder.name else None
    if not link.is_symlink() and link.exists():
        # A copy of a lake that follows links has one.
        do = "Move it away, then run again, which shows the newest release."
        raise LakeError(link, "is no link to a release", do)
    if not link.is_symlink() or link.resolve() != folder.resolve():
        with write_errors(link):
            link.parent.mkdir(parents=True, exist_ok=True)
            fresh = link.with_name(f".{link.name}.partial")
            fresh.unlink(missing_ok=True)
            fresh.symlink_to(os.path.relpath(folder, link.parent))
            fresh.replace(link)
            to_disk(link.parent)
    elif before and (before[-1].release, before[-1].instead_of) == (folder.name, instead_of):
        return
    # Also of one that is shown already, by a run that was killed before it said so.
    record(lake, folder.name, edition_of(folder), instead_of)


def renew_series(root: Path) -> str | None:
    """Make the series anew where it is outdated; return what it is if it is so still, else None.

    A release is shown before, and stays so, whatever that of another collection lacks.
    """
    if not outdated_series(root):
        return None
    from assets.release.pages.series import write_series  # noqa: PLC0415 - few lakes have one

    with suppress(Exception):  # what it comes to is told: it is older than what is shown
        write_series(root)
    return outdated_series(root)


def _require_same(made: Path, kept: Path) -> None:
    """A release of that name exists: it must be whole, and the same marts must be in it.

    What else is in a release follows from the marts alone.
    """
    _require_whole(kept, "Move that folder away, then run again: it is made anew.")
    files = read_manifest(kept)["files"]
    if any(files.get(name) != sha256 for name, sha256 in hashes(made).items()):
        raise LakeError(
            kept,
            "exists with other content than the same returns give now (were receipts written"
            " anew?)",
            "Move that folder away if it is not needed, then run again.",
        )


def _require_whole(folder: Path, remedy: str) -> None:
    if found := damage(folder):
        raise LakeError(folder, f"is damaged: {'; '.join(found[:5])}", remedy)


def publish_marts(folder: Path, url: str) -> str:
    """Copy a release to `<url>/releases/<its name>/`, and let `<url>/current.json` name it.

    Returns:
        The URL of the copy.

    Raises:
        LakeError: the release is not what its manifest says.
        SetupError: the URL is none, or may not be written.
        ServiceError: the store does not do its part; it shows what it showed.
    """
    remedy = "Nothing was copied. Move that folder away, then muster run makes it anew."
    _require_whole(folder, remedy)
    return publish_folder(folder, url, folder.name)
