"""The received store: every file for ever by its hash.

One way of keeping for all kinds of file; they differ in the names of their folders alone.
"""

import hashlib
import json
import re
import tempfile
from collections.abc import Callable, Container, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import IO, Any, Final, Literal

from assets.lake import MANIFEST, Lake, atomic_file, to_disk, write_errors
from schemas.cases import folder_force
from schemas.errors import UnavailableError

Kind = Literal["return", "extract", "research", "report"]

FOLDERS: Final[dict[Kind, str]] = {
    "return": "files",
    "extract": "cases",
    "research": "research",
    "report": "reports",
}
"""By kind the folder of the raw store; a return lies in it by its hash, others in a folder each."""

ID_LENGTH: Final = 16
"""Characters of the SHA-256 that identify a receipt."""

_HASH_LENGTH: Final = 64
KEPT_NAME: Final = re.compile(r"(?:(\d{6,})-(?:([a-z]+)-)?)?([0-9a-f]{64})")
"""What a kept file is called: its number and basis, where its kind has them, and its hash."""

Clock = Callable[[], datetime]


def utc_now() -> datetime:
    """Return the current time in UTC."""
    return datetime.now(UTC)


@dataclass(frozen=True)
class Kept:
    """A kept file: it lies in `at`, or for a return is `at`, whose name gives the rest.

    `path` is null where it is gone. `number` is its order among its kind, 0 where that has none.
    """

    kind: Kind
    at: Path
    path: Path | None
    number: int
    basis: str
    sha256: str

    @property
    def name(self) -> str:
        """The name it was dropped under, with the folders below that of its kind."""
        if self.path is None or self.path == self.at:
            return self.at.name
        return str(self.path.relative_to(self.at))

    @property
    def content(self) -> str:
        """What names its content: of an extract with its folder, which says of whose it is."""
        return content_of(self.kind, self.sha256, self.place)

    @property
    def place(self) -> Path:
        """Where it lies, or lay."""
        return self.path or self.at

    def damage(self) -> str | None:
        """Return what is wrong with it, None where its bytes are those that were received."""
        gone = "holds no file any more"
        return changed(self.path, self.name, self.sha256) if self.path else gone


@contextmanager
def read_errors(path: Path) -> Iterator[None]:
    """Turn a failed read of `path` into an error that says what to do.

    Raises:
        UnavailableError: the operating system refused the read.
    """
    try:
        yield
    except OSError as error:
        raise UnavailableError(
            Path(error.filename or path),
            f"cannot be read ({error.strerror or error})",
            "Nothing that analysts see has changed. Mend the permissions, or take the account of"
            " the service, then run again.",
        ) from error


def entries(folder: Path) -> list[Path]:
    """Return what lies in a folder, sorted; a folder that is not there is empty.

    Not by `Path.glob`, to which one that it may not read is empty too.

    Raises:
        UnavailableError: it cannot be read.
    """
    with read_errors(folder), suppress(FileNotFoundError):
        return sorted(folder.iterdir())
    return []


def kept(lake: Lake, kind: Kind) -> list[Kept]:
    """Return the files of a kind in order of their numbers; what is called otherwise is none.

    Of research and reports also those that are gone, by the gaps in their numbers, or because a
    release was made from them.

    Raises:
        UnavailableError: their folder cannot be read.
    """
    folder = lake.raw / FOLDERS[kind]
    names = [at.name for at in entries(folder) if KEPT_NAME.fullmatch(at.name)]
    there = {name[-_HASH_LENGTH:] for name in names}
    if kind == "report":
        names += sorted({sha256 for (sha256,) in released(lake, "reports")} - there)
    found = [kept_at(lake, kind, name) for name in names]
    if kind == "research":
        lost = {sha256 for _, sha256, _ in released(lake, "research")} - there
        numbers = {each.number for each in found}
        gone = {*range(1, max(max(numbers, default=0), len(numbers) + len(lost)) + 1)} - numbers
        found += [Kept(kind, folder / f"{number:06d}-*", None, number, "", "") for number in gone]
    return sorted(found, key=lambda each: each.number)


def without_receipt(lake: Lake, known: Container[str | None]) -> list[Path]:
    """Return the kept files of returns that none of the known receipts is for.

    Either a receipt was lost, or a run was killed before it wrote one.
    """
    folders = lake.raw / FOLDERS["return"], lake.quarantine
    files = (at for folder in folders for at in entries(folder))
    return [at for at in files if KEPT_NAME.fullmatch(at.name) and at.name[:ID_LENGTH] not in known]


def released(lake: Lake, what: str) -> frozenset[tuple[Any, ...]]:
    """Return what releases were made from, of `returns`, `cases`, `research` or `reports`."""
    manifests = lake.releases.glob(f"[!.]*/{MANIFEST}")
    return frozenset(of for path in manifests for of in _made_from(path, what))


@cache
def _made_from(manifest: Path, what: str) -> frozenset[tuple[Any, ...]]:
    """Return what a release, which never changes, was made from."""
    with suppress(OSError, ValueError, KeyError, TypeError, RecursionError):
        said = json.loads(manifest.read_bytes())["made_from"][what]
        return frozenset((of,) if isinstance(of, str) else (*of,) for of in said)
    return frozenset()


def kept_at(lake: Lake, kind: Kind, name: str) -> Kept:
    """Return a kept file by what it is called in the folder of its kind; it may be gone."""
    at = lake.raw / FOLDERS[kind] / name
    named = KEPT_NAME.fullmatch(name)
    number, basis, sha256 = named.groups("") if named else ("", "", "")
    inside = (p for p in sorted(at.rglob("*")) if p.is_file() and not p.name.startswith("."))
    path = next(inside, None) if at.is_dir() else at if at.exists() else None
    return Kept(kind, at, path, int(number or 0), basis, sha256)


def content_of(kind: Kind, sha256: str, path: Path) -> str:
    """Return what names the content of a file: the same extract can be of two forces."""
    return f"{sha256}|{folder_force(path.parts[:-1]) or ''}" if kind == "extract" else sha256


@contextmanager
def kept_file(
    lake: Lake, kind: Kind, name: str | Path, sha256: str, number: int = 0, basis: str = ""
) -> Iterator[IO[bytes]]:
    """Open a file for writing that is kept when the block ends well, with its folder, or neither.

    Raises:
        UnavailableError: it cannot be written.
    """
    parts = (f"{number:06d}" if number else "", basis, sha256)
    at = lake.raw / FOLDERS[kind] / "-".join(part for part in parts if part)
    with write_errors(at):
        at.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=at.parent, prefix=".", suffix=".partial") as work:
            folder = Path(work) / at.name
            with atomic_file(folder / name) as file:
                yield file
            folder.rename(at)
        to_disk(at.parent)


def changed(path: Path, name: str, sha256: str) -> str | None:
    """Return what is wrong with a file sent as `name`, None where it is as it was received."""
    digest = sha256_of(path) or "nothing"
    if digest == sha256:
        return None
    return (
        f"the raw file of {name!r} has changed since it was received"
        f" (sha256 {digest[:ID_LENGTH]} against {sha256[:ID_LENGTH]})"
    )


def sha256_of(path: Path) -> str | None:
    """Return the hash of a file, None where there is none."""
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except (FileNotFoundError, IsADirectoryError):
        return None
