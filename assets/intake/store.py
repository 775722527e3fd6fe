"""The received store: every file for ever by its hash, and a receipt for what came together.

One way of keeping for all kinds of file; they differ in the names of their folders alone.
"""

import hashlib
import json
import re
import tempfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, fields, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, Any, ClassVar, Final, Generic, Literal, TypeVar

from assets.intake.landing import is_litter
from assets.lake import Lake, atomic_file, sync_folder, write_errors
from schemas.cases.columns import folder_force
from schemas.collection import Collection
from schemas.errors import LakeError
from schemas.reference import forces

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

UNKNOWN: Final = "?"
"""Stands for the force of something damaged of which nothing tells whose it is."""

_HASH_LENGTH: Final = 64

_KEPT: Final = re.compile(r"(?:(\d{6,})-(?:([a-z]+)-)?)?([0-9a-f]{64})")
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
        return content_of(self.kind, self.sha256, self.path or self.at)

    def there(self) -> Path:
        """Return where it lies; its bytes are not looked at.

        Raises:
            LakeError: it is gone.
        """
        if self.path is None:
            raise LakeError(
                self.at, "holds no file any more", "Restore it from the backup of the lake."
            )
        return self.path

    def damage(self) -> str | None:
        """Return what is wrong with it, None where it is what was received."""
        try:
            self.whole()
        except LakeError as error:
            return error.problem
        return None

    def whole(self) -> Path:
        """Return where it lies, once its bytes are seen to be those that were received.

        Raises:
            LakeError: they are not, or are gone.
        """
        check_unchanged(self.there(), self.name, self.sha256)
        return self.there()


def kept(lake: Lake, kind: Kind) -> list[Kept]:
    """Return the files of a kind in order of their numbers; what is called otherwise is none."""
    folder = lake.raw / FOLDERS[kind]
    names = (at.name for at in sorted(folder.glob("[!.]*")) if _KEPT.fullmatch(at.name))
    return sorted((kept_at(lake, kind, name) for name in names), key=lambda each: each.number)


def kept_at(lake: Lake, kind: Kind, name: str) -> Kept:
    """Return a kept file by what it is called in the folder of its kind; it may be gone."""
    at = lake.raw / FOLDERS[kind] / name
    named = _KEPT.fullmatch(name)
    number, basis, sha256 = named.groups("") if named else ("", "", "")
    path = next(_files(at), None) if at.is_dir() else at if at.exists() else None
    return Kept(kind, at, path, int(number or 0), basis, sha256)


def _files(folder: Path) -> Iterator[Path]:
    return (p for p in sorted(folder.rglob("*")) if p.is_file() and not p.name.startswith("."))


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
        sync_folder(at.parent)


def check_unchanged(path: Path, name: str, sha256: str) -> None:
    """Compare a kept file with the hash that it was received with; `name` is what it was sent as.

    Raises:
        LakeError: its bytes are gone, or no longer those that were received.
    """
    digest = sha256_of(path) or "nothing"
    if digest != sha256:
        raise LakeError(
            path,
            f"the raw file of {name!r} has changed since it was received"
            f" (sha256 {digest[:ID_LENGTH]} against {sha256[:ID_LENGTH]})",
            "Restore it from the backup of the lake; nothing is computed from it meanwhile.",
        )


def sha256_of(path: Path) -> str | None:
    """Return the hash of a file, None where there is none."""
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except (FileNotFoundError, IsADirectoryError):
        return None


def _is_number(value: object, least: int) -> bool:
    return type(value) is int and value >= least


def _is_text(value: object, pattern: str = "(?s:.*)") -> bool:
    return isinstance(value, str) and re.fullmatch(pattern, value) is not None


def _is_time(value: object) -> bool:
    try:
        return datetime.fromisoformat(str(value)).tzinfo is not None
    except ValueError:
        return False


_TYPES: Final[dict[str, Callable[[Any], bool]]] = {
    "receipt_id": _is_text,
    "sequence": lambda value: _is_number(value, 1),
    "sha256": lambda value: _is_text(value, "[0-9a-f]{64}"),
    "size": lambda value: _is_number(value, 0),
    "file_name": _is_text,
    "received_at": _is_time,
    "force_code": lambda value: value is None or value in forces()["force_code"].to_list(),
    "version": lambda value: value is None or _is_number(value, 1),
    "quarantined": lambda value: isinstance(value, bool),
    "modified_ns": lambda value: value is None or type(value) is int,
    "tie": lambda value: value is None or _is_text(value),
    "files": lambda value: (
        isinstance(value, list) and bool(value) and all(_is_text(k, _KEPT.pattern) for k in value)
    ),
    "problem": lambda value: value is None or _is_text(value),
}


@dataclass(frozen=True, kw_only=True)
class Receipt:
    """What has in common whatever came: its order, when, whose, and which of the force's it is."""

    receipt_id: str
    sequence: int
    sha256: str
    received_at: str
    force_code: str | None
    version: int | None

    added_later: ClassVar[frozenset[str]] = frozenset()

    @property
    def file(self) -> str:
        """The name of the receipt's own file."""
        return f"{self.sequence:06d}-{self.receipt_id}.json"

    def check(self) -> None:
        """Raise ValueError where it contradicts itself."""
        if (self.force_code is None) != (self.version is None):
            raise ValueError("it has a force without a version, or a version without a force")


@dataclass(frozen=True, kw_only=True)
class ReturnReceipt(Receipt):
    """One received file; the fields are those of the contract Receipts.

    `quarantined` tells where its bytes lie: with the returns, or apart from them. `modified_ns` is
    the time of modification that the file was dropped with; `tie` names those receipts of the force
    that waited together with the same such time, so that arrival does not order them. Older
    receipts have neither.
    """

    size: int
    file_name: str
    quarantined: bool = False
    modified_ns: int | None = None
    tie: str | None = None

    added_later: ClassVar = frozenset({"quarantined", "modified_ns", "tie"})

    def check(self) -> None:
        """Hold the id against the bytes too: one file is one receipt."""
        super().check()
        if self.receipt_id != self.sha256[:ID_LENGTH]:
            raise ValueError("its id is not that of its bytes")


@dataclass(frozen=True, kw_only=True)
class Version(Receipt):
    """One extract as it was received: the files of a force, or one file that is nobody's.

    `files` are the folders of the kept files, sorted; `problem` says why a file is nobody's.
    """

    files: tuple[str, ...]
    problem: str | None = None

    def check(self) -> None:
        """Hold the hash and the id against the files too."""
        super().check()
        hashes = [key[-_HASH_LENGTH:] for key in self.files]
        sha256, *ids = extract_ids(self.force_code, hashes)
        if self.sha256 != sha256 or self.receipt_id not in ids:
            raise ValueError("its id is not that of its files")


def extract_ids(force: str | None, hashes: Sequence[str]) -> tuple[str, str, str]:
    """Return the hash of files that came together, and the two ids that their version can have.

    The second where others sent the same bytes: two forces without a case, or a file in a wrong
    folder.
    """
    several = hashlib.sha256("\n".join(sorted(hashes)).encode()).hexdigest()
    sha256 = hashes[0] if len(hashes) == 1 else several
    again = hashlib.sha256(f"{force}\n{sha256}".encode()).hexdigest()
    return sha256, sha256[:ID_LENGTH], again[:ID_LENGTH]


R = TypeVar("R", bound=Receipt)


@dataclass(frozen=True)
class Damaged(Generic[R]):
    """A receipt that nothing can be computed from: its own file or its bytes are damaged or gone.

    `path` is what has to be restored, `problem` what is wrong with it. `receipt_id` and `sequence`
    are null where it stands for no receipt: a copy of one that is there, or a file of another name.
    `receipt` is what it says, null where it says nothing.
    """

    path: Path
    problem: str
    receipt_id: str | None
    sequence: int | None
    receipt: R | None = None


DamagedReturn = Damaged[ReturnReceipt]

_RECEIPT: Final = re.compile(r"(\d{6,})-([0-9a-f]{16})")


class Receipts(Generic[R]):
    """The receipts of one kind, each a JSON file; what keeps that kind inherits from it."""

    def __init__(self, folder: Path, form: type[R]) -> None:
        """Read and write receipts of one form."""
        self._folder, self._form = folder, form

    def all(self) -> list[R | Damaged[R]]:
        """Return the receipts that can be read, in order, and after them those that cannot."""
        paths = sorted(self._folder.glob("*.json"))
        found = [self._read(path) for path in paths if not is_litter(path.name)]
        sound = [each for each in found if not isinstance(each, Damaged)]
        there = {receipt.receipt_id for receipt in sound}
        damaged = [each for each in found if isinstance(each, Damaged)]
        return sound + [
            replace(each, receipt_id=None, sequence=None) if each.receipt_id in there else each
            for each in damaged
        ]

    def receipts(self) -> list[R]:
        """Return every receipt that can be read, in order of receipt."""
        return [item for item in self.all() if not isinstance(item, Damaged)]

    def damaged(self) -> list[Damaged[R]]:
        """Return the receipts that cannot be read; the bytes of the others are not looked at."""
        return [item for item in self.all() if isinstance(item, Damaged)]

    def last_version(
        self,
        force: str,
        receipts: Iterable[R],
        damaged: Iterable[Damaged[R]],
        collection: Collection,
    ) -> int:
        """Return the highest number that a version of a force may have, 0 where none has come.

        A damaged receipt may be of the force if that cannot be told, so its number stays free.
        """
        mine = [receipt for receipt in receipts if receipt.force_code == force]
        newest = max((receipt.sequence for receipt in mine), default=0)
        after = [item for item in damaged if (item.sequence or 0) > newest]
        perhaps = sum(self.force_of_damaged(item, collection) in {force, UNKNOWN} for item in after)
        return max((receipt.version or 0 for receipt in mine), default=0) + perhaps

    def force_of_damaged(self, damaged: Damaged[R], collection: Collection) -> str | None:
        """Return the force of a damaged receipt, None where it is nobody's, else UNKNOWN."""
        if not damaged.receipt_id:
            return None
        if damaged.receipt:
            return damaged.receipt.force_code
        return self._force_of_bytes(damaged.receipt_id, collection)

    def _force_of_bytes(self, receipt_id: str, collection: Collection) -> str | None:
        """Return whose kept bytes say that a receipt is; a store that reads none cannot tell."""
        del receipt_id, collection
        return UNKNOWN

    def _read(self, path: Path) -> R | Damaged[R]:
        try:
            receipt = self._parsed(path)
        except (OSError, ValueError, RecursionError) as error:
            named = _RECEIPT.match(path.name)
            # Not the words of a library: they could quote what stands there.
            why = str(error) if type(error) is ValueError else type(error).__name__
            about = (named[2], int(named[1])) if named else (None, None)
            return Damaged(path, f"is not a receipt ({why})", *about)
        if path.name == receipt.file:
            return receipt
        problem = f"is not the receipt that its name says, but number {receipt.sequence}"
        return Damaged(path, problem, receipt.receipt_id, receipt.sequence, receipt)

    def _parsed(self, path: Path) -> R:
        data = json.loads(path.read_text(encoding="utf-8"))
        if not isinstance(data, dict):
            raise ValueError("it holds no object")
        known = {field.name for field in fields(self._form)}
        needed = known - self._form.added_later
        if odd := sorted({*data} - known | (needed - {*data})):
            raise ValueError(f"fields are missing or unknown: {', '.join(odd[:5])!r}")
        if wrong := [name for name, value in data.items() if not _TYPES[name](value)]:
            raise ValueError(f"fields do not hold what they must: {', '.join(wrong)}")
        values: dict[str, Any] = {k: tuple(v) if type(v) is list else v for k, v in data.items()}
        receipt = self._form(**values)
        receipt.check()
        return receipt

    def write(self, receipt: R) -> None:
        """Write a receipt.

        Raises:
            UnavailableError: it cannot be written.
        """
        with atomic_file(self._folder / receipt.file) as target:
            target.write(json.dumps(asdict(receipt), indent=1).encode())


def case_versions(lake: Lake) -> Receipts[Version]:
    """Return the versions of extracts of a lake."""
    return Receipts(lake.raw / "case_versions", Version)
