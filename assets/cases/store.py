"""Received extracts: every file kept for ever by its hash, and the versions of each force.

Belongs here: from the folder `cases` of landing to versions. Does not: judging them (received.py).
A version is all files of a force that lie in landing when a new one has come.
"""

import hashlib
import json
from collections.abc import Callable, Iterable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final

from assets.cases.sources import ExtractRefusedError
from assets.cases.whose import force_of
from assets.intake.kept import ID_LENGTH, check_unchanged
from assets.intake.landing import ARRIVING, CASES, OPEN, is_litter, waiting_below
from assets.intake.raw_store import Clock, utc_now
from assets.lake import Lake, atomic_file
from schemas.cases.columns import folder_force
from schemas.collection import Collection
from schemas.errors import LakeError

Settled = Callable[[Path], bool]

_CHUNK: Final = 1024 * 1024
_HASH_LENGTH: Final = 64


@dataclass(frozen=True)
class Version:
    """One extract as it was received: the files of a force, or one file that is nobody's.

    `files` are the folders of the kept files, sorted; `problem` says why a file is nobody's.
    """

    sequence: int
    receipt_id: str
    sha256: str
    received_at: str
    force_code: str | None
    version: int | None
    files: tuple[str, ...]
    problem: str | None = None


@dataclass(frozen=True)
class TakenCases:
    """`new` versions; `left` maps the name of a file that waits for the next round to why."""

    new: tuple[Version, ...]
    left: dict[str, str]


class _LeftError(Exception):
    """A file stays in landing for the next round; the text says why."""


class CaseStore:
    """The extracts of one collection."""

    def __init__(self, lake: Lake, clock: Clock = utc_now) -> None:
        """Open the store of a lake."""
        self._landing = lake.landing / CASES
        self._files = lake.raw / "cases"
        self._versions = lake.raw / "case_versions"
        self._clock = clock

    def versions(self) -> list[Version]:
        """Return every version in order of receipt.

        Raises:
            LakeError: what was noted of one is damaged.
        """
        found = []
        for path in sorted(self._versions.glob("*.json")):
            if is_litter(path.name):
                continue
            try:
                item = json.loads(path.read_text(encoding="utf-8"))
                found.append(Version(**{**item, "files": tuple(item["files"])}))
            except (OSError, ValueError, TypeError, KeyError, RecursionError) as error:
                raise LakeError(
                    path,
                    f"is not what was received of an extract ({type(error).__name__})",
                    "Restore it from the backup of the lake.",
                ) from error
        return found

    def path(self, kept: str) -> Path:
        """Return where a kept file lies, under its own name and folder.

        Raises:
            LakeError: it is gone.
        """
        for path in _whole_files(self._files / kept):
            return path
        raise LakeError(
            self._files / kept, "holds no file any more", "Restore it from the backup of the lake."
        )

    def unchanged(self, kept: str) -> Path:
        """Return where a kept file lies, once its bytes are seen to be those that were received.

        Raises:
            LakeError: they are not, or are gone.
        """
        path = self.path(kept)
        check_unchanged(path, self.name(kept), kept[-_HASH_LENGTH:])
        return path

    def name(self, kept: str) -> str:
        """Return the name under which a kept file was dropped, with its folders."""
        return str(self.path(kept).relative_to(self._files / kept))

    def take_in(self, collection: Collection, settled: Settled = lambda _: True) -> TakenCases:
        """Take dropped files in, and make a version for each force that sent a new one.

        The same bytes in the folder of another force are another file: the folder says whose.

        Args:
            collection: the collection, with its forces.
            settled: whether a file that was not received before may be taken as it is now.

        Raises:
            LakeError: the store cannot be written.
        """
        dropped = waiting_below(self._landing)
        left = {path.name: OPEN for path in dropped.unfinished}
        folders = sorted(self._files.glob("*-*"))
        known = {
            (kept.name[-_HASH_LENGTH:], folder_force(path.parts[:-1])): kept.name
            for kept in folders
            for path in _whole_files(kept)
        }
        last = max((int(path.name.partition("-")[0]) for path in folders), default=0)
        lying: set[str] = set()
        for path in dropped.files:
            try:
                sha256 = _hash(path)
                identity = (sha256, folder_force(path.parts[:-1]))
                if identity not in known:
                    known[identity] = self._keep(path, sha256, last + 1, settled)
                    last += 1
            except _LeftError as reason:
                left[path.name] = str(reason)
            else:
                lying.add(known[identity])
        # Also a file that a run kept before it was killed is still to be listed.
        fresh = lying - {kept for version in self.versions() for kept in version.files}
        return TakenCases(tuple(self._new_versions(lying, fresh, collection)), left)

    def _keep(self, path: Path, sha256: str, number: int, settled: Settled) -> str:
        if not settled(path):
            raise _LeftError(ARRIVING)
        kept = f"{number:06d}-{sha256}"
        target = self._files / kept / path.relative_to(self._landing)
        digest = hashlib.sha256()
        with path.open("rb") as source, atomic_file(target) as file:
            while chunk := source.read(_CHUNK):
                digest.update(chunk)
                file.write(chunk)
            if digest.hexdigest() != sha256:
                raise _LeftError(OPEN)
        return kept

    def _new_versions(
        self, lying: Iterable[str], fresh: set[str], collection: Collection
    ) -> Iterator[Version]:
        by_force: dict[str, list[str]] = {}
        for kept in sorted(lying):
            try:
                force = force_of(self.path(kept), collection)
            except ExtractRefusedError as error:
                if kept in fresh:
                    refusal = error.refusals[0]
                    yield self._write(None, [kept], f"{refusal.problem}. {refusal.fix}")
            else:
                by_force.setdefault(force, []).append(kept)
        for force, files in by_force.items():
            if fresh.intersection(files):
                yield self._write(force, files, None)

    def _write(self, force: str | None, files: list[str], problem: str | None) -> Version:
        earlier = self.versions()
        hashes = [kept[-_HASH_LENGTH:] for kept in files]
        several = hashlib.sha256("\n".join(sorted(hashes)).encode()).hexdigest()
        sha256 = hashes[0] if len(hashes) == 1 else several
        number = sum(version.force_code == force for version in earlier) + 1
        receipt_id = sha256[:ID_LENGTH]
        if any(version.receipt_id == receipt_id for version in earlier):
            # Others sent the same bytes: two forces without a case, or a file in a wrong folder.
            receipt_id = hashlib.sha256(f"{force}\n{sha256}".encode()).hexdigest()[:ID_LENGTH]
        version = Version(
            sequence=len(earlier) + 1,
            receipt_id=receipt_id,
            sha256=sha256,
            received_at=self._clock().isoformat(timespec="seconds"),
            force_code=force,
            version=number if force else None,
            files=tuple(sorted(files)),
            problem=problem,
        )
        name = f"{version.sequence:06d}-{version.receipt_id}.json"
        with atomic_file(self._versions / name) as file:
            file.write(json.dumps(asdict(version), indent=1).encode())
        return version


def _whole_files(folder: Path) -> Iterator[Path]:
    """Yield the files of a kept folder, of which a killed run may have left none."""
    return (p for p in folder.rglob("*") if p.is_file() and not p.name.startswith("."))


def _hash(path: Path) -> str:
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise _LeftError(f"cannot be opened ({error.strerror})") from error
