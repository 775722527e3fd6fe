"""Which releases are kept and why, and the removal of the others, whole or not."""

import os
from collections.abc import Collection, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from assets.history import kept, shown
from assets.lake import Lake, held, size, sweep, to_disk, write_errors
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


def read_cited(path: Path, names: Collection[str]) -> frozenset[str]:
    """Return the releases that a file names, one a line; `#` begins a comment.

    Where there is no file, nothing is cited. The names are those of every release there is.

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

    Of those that were last shown most lately, `last` are kept.

    Raises:
        SetupError: the file of cited releases is wrong.
    """
    folders = kept(lake)
    names = [folder.name for folder in folders]
    # What is gone takes no place from what is there.
    record = [entry for entry in shown(lake) if entry.release in names]
    now = lake.marts.resolve().name if lake.marts.exists() else None
    month_ends = {entry.at[:7]: entry.release for entry in record}
    shown_at = {entry.release: entry.at for entry in record}
    latest_first = list(dict.fromkeys(entry.release for entry in reversed(record)))
    reasons = [
        ("shown now", now),
        ("what runs make", record[-1].instead_of if record else None),
        *(("cited", name) for name in read_cited(lake.releases / CITED, names)),
        *((f"last of month {month}", name) for month, name in month_ends.items()),
        *((f"among the last {last}", name) for name in latest_first[:last]),
        # Only the record says how old a release is: without it, nobody knows that it may go.
        *(("never shown", name) for name in names if name not in latest_first and name != now),
        *_beside(lake),
    ]
    return [
        Judged(
            of, shown_at.get(of.name), size(of), tuple(y for y, name in reasons if name == of.name)
        )
        for of in folders
    ]


def _beside(lake: Lake) -> Iterator[tuple[str, str]]:
    """Yield what other collections' releases are compared with: in which, and the release."""
    for folder in sorted(lake.root.glob("releases/*/[!.]*/")):
        with suppress(LakeError):
            for other, release in read_manifest(folder)["made_from"].get("compared", ()):
                if other == lake.collection:
                    yield f"{folder.name} is compared with it", release


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
                to_disk(lake.releases)
            sweep(lake.root)
    return found
