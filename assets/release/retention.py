"""Which releases are kept and why, and the removal of the others, whole or not."""

import os
from collections.abc import Collection, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from assets.history import Shown, kept, shown
from assets.lake import Lake, held, size, sweep, sync_folder, write_errors
from assets.marts import read_manifest
from schemas.errors import LakeError, SetupError
from schemas.wording import visible

CITED: Final = "cited.txt"
"""The file beside the releases that names those which somebody has cited outside."""


@dataclass(frozen=True)
class Judged:
    """A release, when it was last shown, its bytes, and why it is kept: for no reason, it goes."""

    folder: Path
    last_shown_at: str | None
    size: int
    why: tuple[str, ...]


def reasons(
    names: Collection[str],
    record: Sequence[Shown],
    *,
    now: str | None,
    cited: Collection[str],
    last: int,
) -> dict[str, tuple[str, ...]]:
    """Return why each release is kept; one without a reason may go.

    Args:
        names: every release there is.
        record: what was shown, oldest first. Releases that are gone count for nothing.
        now: the release that is shown, None where there is none.
        cited: the releases that are cited outside.
        last: of those last shown most lately, how many are kept.
    """
    there = [entry for entry in record if entry.release in names]
    month_ends = {entry.at[:7]: entry.release for entry in there}
    latest_first = list(dict.fromkeys(entry.release for entry in reversed(there)))

    def why(name: str) -> tuple[str, ...]:
        months = (f"last of month {month}" for month, end in month_ends.items() if end == name)
        found = {
            "shown now": name == now,
            "cited": name in cited,
            **dict.fromkeys(months, True),
            f"among the last {last}": name in latest_first[:last],
            # Only the record says how old a release is: without it, nobody knows that it may go.
            "never shown": name not in latest_first and name != now,
        }
        return tuple(reason for reason, holds in found.items() if holds)

    return {name: why(name) for name in names}


def read_cited(path: Path, names: Collection[str]) -> frozenset[str]:
    """Return the releases that a file names, one a line; `#` begins a comment.

    Args:
        path: the file. Where there is none, nothing is cited.
        names: every release there is.

    Raises:
        SetupError: the file cannot be read, or names what is no release.
    """
    try:
        # A link that leads nowhere is not the same as no file: it fails here.
        text = path.read_text("utf-8-sig", "replace") if os.path.lexists(path) else ""
    except OSError as error:
        raise SetupError(
            f"{path}: cannot be read ({error.strerror}), so nothing is pruned. Make it a file that"
            " this account can read."
        ) from error
    lines = [line.partition("#")[0].strip() for line in text.splitlines()]
    unknown = [
        f"line {number}, {visible(name)}"
        for number, name in enumerate(lines, 1)
        if name and name not in names
    ]
    if unknown:
        raise SetupError(
            f"{path}: names what is no release here: {'; '.join(unknown)}. Correct it, or take the"
            " release back from a backup; nothing is pruned before. List them: muster releases"
        )
    return frozenset(filter(None, lines))


def judged(lake: Lake, last: int) -> list[Judged]:
    """Return every release with why it is kept, in the order in which each was last shown.

    Raises:
        SetupError: the file of cited releases is wrong.
    """
    folders, record = kept(lake), shown(lake)
    names = [folder.name for folder in folders]
    now = lake.marts.resolve().name if lake.marts.exists() else None
    cited = read_cited(lake.releases / CITED, names)
    why = reasons(names, record, now=now, cited=cited, last=last)
    shown_at, beside = {entry.release: entry.at for entry in record}, _beside(lake)
    return [
        Judged(
            folder, shown_at.get(folder.name), size(folder),
            (*why[folder.name], *beside.get(folder.name, ())),
        )
        for folder in folders
    ]  # fmt: skip


def _beside(lake: Lake) -> dict[str, tuple[str]]:
    """Return the releases whose figures stand in another collection's release, and in which."""
    found: dict[str, tuple[str]] = {}
    for folder in sorted(lake.root.glob("releases/*/[!.]*/")):
        with suppress(LakeError):
            for other, release in read_manifest(folder)["made_from"].get("compared", ()):
                if other == lake.collection:
                    found[release] = (f"{folder.name} is compared with it",)
    return found


def prune(lake: Lake, last: int) -> list[Judged]:
    """Remove every release that is kept for no reason, and return all as they were judged.

    What is to go is renamed first, so that a kill leaves no half release under its name: the next
    run removes the rest.

    Raises:
        BusyError: a run holds the lake; nothing was removed.
        SetupError: the file of cited releases is wrong; nothing was removed.
        UnavailableError: the lake cannot be written.
    """
    with held(lake.root):
        sweep(lake.root)
        found = judged(lake, last)
        going = [each.folder for each in found if not each.why]
        if going:
            with write_errors(lake.releases):
                for folder in going:
                    folder.rename(folder.with_name(f".{folder.name}.partial"))
                sync_folder(lake.releases)
            sweep(lake.root)
    return found
