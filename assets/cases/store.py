"""Received extracts: every file kept for ever by its hash, and the versions of each force.

A version is all files of a force that lie in landing when a new one has come.
"""

import hashlib
import tempfile
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Final

from assets.cases.reading import LIMITS, Rows, trimmed
from assets.cases.sources import SUFFIXES, find_sources, refused
from assets.intake.landing import (
    ARRIVING,
    OPEN,
    LeftError,
    name_as_text,
    opened,
    waiting_below,
)
from assets.intake.receipts import Receipts, TakenIn, Version, extract_ids, next_numbers
from assets.intake.store import Clock, Kept, content_of, kept, kept_at, kept_file, utc_now
from assets.lake import Lake
from schemas.cases import ONE_FORCE, folder_force
from schemas.collection import Collection
from schemas.finding import FilesRefusedError, Finding

_CHUNK: Final = 1024 * 1024
_PACKED: Final = (".gz", ".zst", ".bz2", ".xz", ".zip", ".7z", ".xlsx", ".xls", ".ods", ".tsv")
"""How the names of rows end that were sent in another form than they are read in."""

_HELD: Final = "waits until all of its force's folder can be taken in"
_OVERTAKEN: Final = "was received before a newer version; write it anew to send it again"


def force_of(path: Path, collection: Collection) -> str:
    """Return the force of a file: that of its folder, or the one that its rows name.

    What is called an extract in the folder of a force is the force's, though it cannot be read:
    else the rest of its extract would count as the whole.

    Raises:
        FilesRefusedError: it cannot be read as an extract, or is not of exactly one force.
    """
    folder = folder_force(path.absolute().parent.parts)
    if folder in collection.forces and path.suffix.lower() in (*SUFFIXES, *_PACKED):
        return str(folder)
    (source,) = find_sources([path])
    named: set[str] = {source.folder or ""}
    if not source.folder:
        from assets.cases.csv_text import unpack  # noqa: PLC0415 - as in judging.py

        with tempfile.TemporaryDirectory() as scratch:
            read = unpack(source, Path(scratch) / "text.parquet") if source.text else source
            column = {"force_code": read.sent["force_code"]}
            rows = Rows([replace(read, file=path.name, sent=column)], LIMITS.rows_at_once)
            chunks = (trimmed(rows.read(chunk))["force_code"] for chunk in rows.chunks)
            named = {code for codes in chunks for code in codes.unique()}
    known = sorted(named.intersection(collection.forces))
    if len(known) == 1:
        return known[0]
    told = f"rows of several forces ({', '.join(known)})" if known else "no force of the collection"
    raise refused(path.name, f"the file has {told}", rule=ONE_FORCE)


class CaseStore(Receipts[Version]):
    """The extracts of one collection, each version a receipt."""

    def __init__(self, lake: Lake, clock: Clock = utc_now) -> None:
        """Open the store of a lake."""
        super().__init__(lake, "case_versions", Version)
        self._clock = clock

    def kept(self, key: str) -> Kept:
        """Return a kept file by the name of its folder."""
        return kept_at(self._lake, "extract", key)

    def bad_rows(self, force: str | None, version: int | None) -> Path:
        """Return where the bad rows of a version lie, as they were sent, if it has any."""
        return self._lake.quarantine / "cases" / f"{force}-{version}.parquet"

    def place(self, path: Path) -> str:
        """Return a path in the lake as it is told of."""
        return str(path.relative_to(self._lake.root))

    def take_in(
        self, collection: Collection, settled: Callable[[Path], bool] = lambda _: True
    ) -> TakenIn[Version]:
        """Take dropped files in, and make a version for each force that sent a new one.

        The same bytes in the folder of another force are another file: the folder says whose.

        Raises:
            LakeError: the store cannot be written.
        """
        dropped = waiting_below(self._lake.cases)
        left = dict.fromkeys(dropped.unfinished, OPEN)
        files = kept(self._lake, "extract")
        known = {each.content: each.at.name for each in files if each.path}
        before = {*known.values()}
        last = max((each.number for each in files), default=0)
        lying: dict[str, Path] = {}
        for path in dropped.files:
            try:
                with opened(path) as file:
                    sha256 = hashlib.file_digest(file, "sha256").hexdigest()
                content = content_of("extract", sha256, path)
                if content not in known:
                    if not settled(path):
                        raise LeftError(ARRIVING)
                    known[content] = self._keep(path, sha256, last + 1)
                    last += 1
            except LeftError as reason:
                left[path] = str(reason)
            else:
                lying[known[content]] = path
        # What came of a folder of which a file is left would be a part, and count as the whole.
        held = {folder_force(path.parent.parts) for path in left}
        # Also a file that a run kept before it was killed is still to be listed, unless it may be
        # of a damaged version: listed again, an old file would replace a newer one.
        told = {key: version.force_code for version in self.receipts() for key in version.files}
        nobodys = {
            key
            for version in self.receipts()
            for key in version.files
            if version.refused and version.refused.rule_id == ONE_FORCE and told[key] is None
        }
        fresh = {key for key in lying if key not in told or key in nobodys}
        if damaged := self.damaged():
            receipt = self.place(damaged[0].path)
            for key in fresh & before:
                left[lying[key]] = f"was received before, and {receipt} is damaged"
            fresh -= before
        new = tuple(self._new_versions(lying, fresh, told, held, collection)) if fresh else ()
        waits = fresh.difference(nobodys, *(each.files for each in new))
        left |= {lying[key]: _HELD for key in waits}
        last_of = {version.force_code: version.files for version in self.receipts()}
        for key, path in lying.items():
            if (force := told.get(key)) and key not in last_of[force]:
                left[path] = _OVERTAKEN
        named = {name_as_text(str(p.relative_to(self._lake.cases))): why for p, why in left.items()}
        return TakenIn(new, named)

    def _keep(self, path: Path, sha256: str, number: int) -> str:
        name, digest = path.relative_to(self._lake.cases), hashlib.sha256()
        with kept_file(self._lake, "extract", name, sha256, number) as file:
            with opened(path) as source:
                while chunk := source.read(_CHUNK):
                    digest.update(chunk)
                    file.write(chunk)
            if digest.hexdigest() != sha256:
                raise LeftError(OPEN)
        return f"{number:06d}-{sha256}"

    def _new_versions(
        self,
        lying: Mapping[str, Path],
        fresh: set[str],
        told: Mapping[str, str | None],
        held: set[str | None],
        collection: Collection,
    ) -> Iterator[Version]:
        """Yield a version for each force with a fresh file that is not `held`.

        `told` has the force of the other files. Fresh is also what was nobody's: its force may be
        expected since.
        """
        by_force: dict[str, list[str]] = {}
        for key in sorted(lying):
            try:
                # Of a kept file that may be damaged; what is listed need not be read again.
                force = told.get(key) or force_of(lying[key], collection)
            except FilesRefusedError as error:
                if key not in told:
                    why = replace(error.findings[0], sheet=self.kept(key).name)
                    yield self._write(None, [key], why)
            else:
                by_force.setdefault(force, []).append(key)
        for force, files in by_force.items():
            if fresh.intersection(files) and force not in held:
                yield self._write(force, files)

    def _write(self, force: str | None, files: list[str], why: Finding | None = None) -> Version:
        taken = self.all()
        sequence, number = next_numbers(force, taken)
        sha256, receipt_id, again = extract_ids(force, [key.rpartition("-")[2] for key in files])
        version = Version(
            sequence=sequence,
            receipt_id=again if receipt_id in {item.receipt_id for item in taken} else receipt_id,
            sha256=sha256,
            received_at=self._clock().isoformat(timespec="seconds"),
            force_code=force,
            version=number,
            files=tuple(sorted(files)),
            refused=why,
        )
        self.write(version)
        return version
