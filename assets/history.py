"""Which release was shown when: a list that only grows, and the releases that are kept."""

import json
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from assets.lake import Lake, to_disk, write_errors
from schemas.errors import SetupError

_RECORD: Final = "shown.jsonl"


@dataclass(frozen=True)
class Shown:
    """A release, and when it was shown to analysts, ISO 8601 in UTC.

    `edition` is the entry of its public edition in the ledger, None for none; lines of a time
    before there was a ledger do not say. `instead_of` is the release that the last run had made,
    where somebody went back from it.
    """

    release: str
    at: str
    edition: str | None = "unknown"
    instead_of: str | None = None


def record(lake: Lake, release: str, edition: str | None, instead_of: str | None = None) -> None:
    """Add that a release is shown from now on, and the id of its public edition, None for none.

    With `instead_of`, by somebody who went back to it from the release of that name.
    """
    path = lake.releases / _RECORD
    at = datetime.now(UTC).isoformat(timespec="seconds")
    back = {"instead_of": instead_of} if instead_of else {}
    line = json.dumps({"release": release, "at": at, "edition": edition, **back})
    with write_errors(path), path.open("a", encoding="utf-8") as file:
        # A line that a kill cut short has no end; what follows must not become part of it.
        cut = path.read_bytes()[-1:] not in {b"", b"\n"}
        file.write("\n" * cut + line + "\n")
    to_disk(path)
    to_disk(lake.releases)


def chosen(lake: Lake) -> Shown | None:
    """Return what is shown, if somebody went back to it and no run has made another since."""
    last = shown(lake)[-1:]
    stands = last and last[0].instead_of and lake.marts.exists()
    return last[0] if stands and lake.marts.resolve().name == last[0].release else None


def shown(lake: Lake) -> list[Shown]:
    """Return what was shown, oldest first; a line that a kill cut short is passed over."""
    path = lake.releases / _RECORD
    found = []
    for line in path.read_text(encoding="utf-8").splitlines() if path.exists() else ():
        try:
            found.append(Shown(**json.loads(line)))
        except (ValueError, TypeError):
            continue
    return found


def kept(lake: Lake) -> list[Path]:
    """Return the folder of every release, in the order in which each was last shown."""
    last = {entry.release: at for at, entry in enumerate(shown(lake))}
    folders = (path for path in lake.releases.glob(f"{lake.collection}-*") if path.is_dir())
    return sorted(folders, key=lambda path: (last.get(path.name, -1), path.name))


def find(lake: Lake, name: str) -> Path:
    """Return the folder of the one release whose name is, starts or ends with `name`.

    Raises:
        SetupError: there is none, it was pruned, or there is more than one.
    """
    names = [path.name for path in kept(lake)]
    near = _near(lake, name, names)
    known = ", ".join(near or names) or "none yet"
    gone = {} if near else {entry.release: entry.at for entry in shown(lake)}
    if pruned := _near(lake, name, gone):
        raise SetupError(
            f"release {pruned[-1]} was last shown at {gone[pruned[-1]]}, and was pruned or moved"
            f" away since. Take it back from a backup that has it. There are: {known}"
        )
    if len(near) != 1:
        said = f"{len(near)} releases have {name} in their names, so give more of one"
        raise SetupError(f"{said if near else f'there is no release {name}'}. There are: {known}")
    return lake.releases / near[0]


def _near(lake: Lake, name: str, names: Iterable[str]) -> list[str]:
    exact = [each for each in names if each == name]
    return exact or [each for each in names if f"{lake.collection}-{name}" in each or name in each]
