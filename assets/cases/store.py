"""Received extracts: every file kept for ever by its hash, and the versions of each force.

Belongs here: from the folder `cases` of landing to versions. Does not: judging them (received.py).
A version is all files of a force that lie in landing when a new one has come.
"""

import hashlib
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from assets.cases.sources import ExtractRefusedError
from assets.cases.whose import force_of
from assets.intake.landing import ARRIVING, CASES, OPEN, waiting_below
from assets.intake.store import (
    ID_LENGTH,
    Clock,
    Damaged,
    Kept,
    Receipt,
    Receipts,
    content_of,
    kept,
    kept_at,
    kept_file,
    utc_now,
)
from assets.lake import Lake
from schemas.collection import Collection
from schemas.errors import LakeError

Settled = Callable[[Path], bool]

_CHUNK: Final = 1024 * 1024


@dataclass(frozen=True, kw_only=True)
class Version(Receipt):
    """One extract as it was received: the files of a force, or one file that is nobody's.

    `files` are the folders of the kept files, sorted; `problem` says why a file is nobody's.
    """

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
        self._lake = lake
        self._versions = Receipts(lake.raw / "case_versions", Version, lambda _: None)
        self._clock = clock

    def versions(self) -> list[Version]:
        """Return every version in order of receipt.

        Raises:
            LakeError: what was noted of one is damaged.
        """
        found = []
        for item in self._versions.all():
            if isinstance(item, Damaged):
                raise LakeError(item.path, item.problem, "Restore it from the backup of the lake.")
            found.append(item)
        return found

    def kept(self, key: str) -> Kept:
        """Return a kept file by the name of its folder."""
        return kept_at(self._lake, "extract", key)

    def take_in(self, collection: Collection, settled: Settled = lambda _: True) -> TakenCases:
        """Take dropped files in, and make a version for each force that sent a new one.

        The same bytes in the folder of another force are another file: the folder says whose.

        Args:
            collection: the collection, with its forces.
            settled: whether a file that was not received before may be taken as it is now.

        Raises:
            LakeError: the store cannot be written.
        """
        dropped = waiting_below(self._lake.landing / CASES)
        left = {path.name: OPEN for path in dropped.unfinished}
        files = kept(self._lake, "extract")
        known = {each.content: each.at.name for each in files if each.path}
        last = max((each.number for each in files), default=0)
        lying: set[str] = set()
        for path in dropped.files:
            try:
                sha256 = _hash(path)
                content = content_of("extract", sha256, path)
                if content not in known:
                    known[content] = self._keep(path, sha256, last + 1, settled)
                    last += 1
            except _LeftError as reason:
                left[path.name] = str(reason)
            else:
                lying.add(known[content])
        # Also a file that a run kept before it was killed is still to be listed.
        fresh = lying - {key for version in self.versions() for key in version.files}
        return TakenCases(tuple(self._new_versions(lying, fresh, collection)), left)

    def _keep(self, path: Path, sha256: str, number: int, settled: Settled) -> str:
        if not settled(path):
            raise _LeftError(ARRIVING)
        name, digest = path.relative_to(self._lake.landing / CASES), hashlib.sha256()
        with (
            path.open("rb") as source,
            kept_file(self._lake, "extract", name, sha256, number) as file,
        ):
            while chunk := source.read(_CHUNK):
                digest.update(chunk)
                file.write(chunk)
            if digest.hexdigest() != sha256:
                raise _LeftError(OPEN)
        return f"{number:06d}-{sha256}"

    def _new_versions(
        self, lying: Iterable[str], fresh: set[str], collection: Collection
    ) -> Iterator[Version]:
        by_force: dict[str, list[str]] = {}
        for key in sorted(lying):
            try:
                force = force_of(self.kept(key).there(), collection)
            except ExtractRefusedError as error:
                if key in fresh:
                    refusal = error.refusals[0]
                    yield self._write(None, [key], f"{refusal.problem}. {refusal.fix}")
            else:
                by_force.setdefault(force, []).append(key)
        for force, files in by_force.items():
            if fresh.intersection(files):
                yield self._write(force, files, None)

    def _write(self, force: str | None, files: list[str], problem: str | None) -> Version:
        earlier = self.versions()
        hashes = [key.rpartition("-")[2] for key in files]
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
        self._versions.write(version)
        return version


def _hash(path: Path) -> str:
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise _LeftError(f"cannot be opened ({error.strerror})") from error
