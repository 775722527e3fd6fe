"""Receipts: what came together, in order of arrival, and whose it is; each is a JSON file."""

import hashlib
import json
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass, field
from datetime import datetime
from functools import cache
from itertools import count
from pathlib import Path
from typing import Annotated, Any, ClassVar, Final, Generic, TypeVar

from pydantic import AfterValidator, ConfigDict, Field, TypeAdapter, ValidationError

from assets.intake.landing import is_litter
from assets.intake.store import ID_LENGTH, KEPT_NAME, entries, released
from assets.lake import Lake, atomic_file
from schemas.cases import READABLE
from schemas.finding import Finding, finding
from schemas.reference import force_codes
from schemas.wording import visible

UNKNOWN: Final = "?"
"""Stands for the force of something damaged of which nothing tells whose it is."""

_HASH_LENGTH: Final = 64


def _zoned(text: str) -> str:
    if datetime.fromisoformat(text).tzinfo is None:
        raise ValueError("a time without its zone")
    return text


def _known(code: str) -> str:
    if code not in force_codes():
        raise ValueError("no code of a force")
    return code


_Number = Annotated[int, Field(ge=1)]
_Hash = Annotated[str, Field(pattern="^[0-9a-f]{64}$")]
_Time = Annotated[str, AfterValidator(_zoned)]
_Force = Annotated[str, AfterValidator(_known)]
_KeptName = Annotated[str, Field(pattern=f"^{KEPT_NAME.pattern}$")]


@dataclass(frozen=True, kw_only=True)
class Receipt:
    """What has in common whatever came: its order, when, whose, and which of the force's it is."""

    receipt_id: str
    sequence: _Number
    sha256: _Hash
    received_at: _Time
    force_code: _Force | None
    version: _Number | None

    __pydantic_config__: ClassVar = ConfigDict(extra="forbid", strict=True)

    @property
    def names(self) -> tuple[str, str]:
        """What its file is called, to tell whose it is where it cannot be read; and once was."""
        start = f"{self.sequence:06d}-{self.receipt_id}"
        whose = f"{self.force_code or _NOBODYS}-{self.version or 0}"
        return f"{start}-{whose}.json", f"{start}.json"

    def __post_init__(self) -> None:
        """Raise ValueError where it contradicts itself."""
        if (self.force_code is None) != (self.version is None):
            raise ValueError("it has a force without a version, or a version without a force")


@dataclass(frozen=True, kw_only=True)
class ReturnReceipt(Receipt):
    """One received file; the fields are those of the contract Receipts.

    `quarantined` tells where its bytes lie: with the returns, or apart from them. `modified_ns` is
    the time of modification that the file was dropped with; `tie` names those receipts of the force
    that waited together with the same such time, so that arrival does not order them. Older
    receipts have none of the three.
    """

    size: Annotated[int, Field(ge=0)]
    file_name: str
    quarantined: bool = False
    modified_ns: int | None = None
    tie: str | None = None

    def __post_init__(self) -> None:
        """Hold the id against the bytes too: one file is one receipt."""
        super().__post_init__()
        if self.receipt_id != self.sha256[:ID_LENGTH]:
            raise ValueError("its id is not that of its bytes")


@dataclass(frozen=True, kw_only=True)
class Version(Receipt):
    """One extract as it was received: the files of a force, or one file that is nobody's.

    `files` are the folders of the kept files, sorted; `refused` says why a file is nobody's, in
    older receipts `problem`.
    """

    files: Annotated[tuple[_KeptName, ...], Field(min_length=1)]
    problem: str | None = None
    refused: Finding | None = None

    @property
    def refusal(self) -> Finding | None:
        """Why a file is nobody's, by whichever of the two."""
        return finding(READABLE, self.problem) if self.problem else self.refused

    def __post_init__(self) -> None:
        """Hold the hash and the id against the files too."""
        super().__post_init__()
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


def _ids(force: str | None, sha256: str) -> tuple[str, str]:
    return extract_ids(force, [sha256])[1:]


R = TypeVar("R", bound=Receipt)


@dataclass(frozen=True)
class Damaged(Generic[R]):
    """A receipt that nothing can be computed from: its own file or its bytes are damaged or gone.

    `path` is what has to be restored, `problem` what is wrong with it. `receipt_id` and `sequence`
    are null where it stands for no receipt: a copy of one that is there, or a file of another name.
    `force_code` is null where it is nobody's, UNKNOWN where nothing tells. `receipt` is what it
    says, null where it says nothing.
    """

    path: Path
    problem: str
    receipt_id: str | None = None
    sequence: int | None = None
    force_code: str | None = None
    version: int | None = None
    receipt: R | None = None

    @classmethod
    def of(cls, path: Path, problem: str, receipt: R) -> "Damaged[R]":
        """Return what is damaged of a receipt that can be read."""
        about = receipt.receipt_id, receipt.sequence, receipt.force_code, receipt.version
        return cls(path, problem, *about, receipt)


DamagedReturn = Damaged[ReturnReceipt]


@dataclass(frozen=True)
class TakenIn(Generic[R]):
    """What one round of taking in did.

    `left` maps the name of a file that waits for the next round to the reason; `duplicates` the
    name of a dropped file to the receipt that has the same bytes, where that is not the newest of
    this name; `refused` the name of what must not even be opened, and has no receipt, to why.
    """

    new: tuple[R, ...]
    left: dict[str, str]
    duplicates: dict[str, str] = field(default_factory=dict)
    refused: dict[str, str] = field(default_factory=dict)


_RECEIPT: Final = re.compile(r"(\d{6,})-([0-9a-f]{16})(?:-(.+)-(\d+))?")
"""How the name of a receipt begins; older ones do not tell whose they are."""
_NOBODYS: Final = "nobodys"


class Receipts(Generic[R]):
    """The receipts of one kind, each a JSON file; what keeps that kind inherits from it."""

    def __init__(self, lake: Lake, folder: str, form: type[R]) -> None:
        """Read and write receipts of one form, in a folder of the raw store."""
        self._lake, self._folder, self._form = lake, lake.raw / folder, form

    def all(self) -> list[R | Damaged[R]]:
        """Return the receipts that can be read, in order, and after them those that cannot.

        Raises:
            UnavailableError: their folder cannot be read.
        """
        found = self._there()
        return [*found, *self._gone(found)]

    def _there(self) -> list[R | Damaged[R]]:
        paths = [path for path in entries(self._folder) if path.suffix == ".json"]
        found = [self._read(path) for path in paths if not is_litter(path.name)]
        whole = (each for each in found if not isinstance(each, Damaged))
        # Beside one that has been found to be of a force, a kill may leave it as nobody's.
        in_order = sorted(whole, key=lambda each: (each.sequence, each.force_code is not None))
        sound = [*{(each.sequence, each.receipt_id): each for each in in_order}.values()]
        copies = {each.receipt_id: {each.force_code, None, UNKNOWN} for each in sound}
        return sound + [
            Damaged(each.path, each.problem, receipt=each.receipt)
            if each.force_code in copies.get(str(each.receipt_id), ())
            else each
            for each in found
            if isinstance(each, Damaged)
        ]

    def receipts(self) -> list[R]:
        """Return every receipt that can be read, in order of receipt."""
        return [item for item in self._there() if not isinstance(item, Damaged)]

    def damaged(self) -> list[Damaged[R]]:
        """Return those that cannot be read or are gone; the bytes of others are not looked at."""
        return [item for item in self.all() if isinstance(item, Damaged)]

    def _gone(self, found: Sequence[R | Damaged[R]]) -> Iterator[Damaged[R]]:
        """Yield what has no receipt any more: each has a number, without a gap, and is released.

        A file that is kept tells whose it was. Which of several lost ones came when nobody can
        tell, so each is taken for the last of them; what nothing tells of may be of any force.
        """
        known = {each.receipt_id for each in found}
        numbers = {each.sequence for each in found if each.sequence}
        gaps = sorted({*range(1, max(numbers, default=0))} - numbers)
        shown = released(self._lake, "cases" if self._form is Version else "returns")
        lost = {of for of in shown if known.isdisjoint(_ids(*of))}
        if len(gaps) > len(lost):
            lost |= {of for of in self._unlisted(found) if known.isdisjoint(_ids(*of))}
        problem = "there is no receipt with number {}"
        for number in gaps[: max(len(gaps) - len(lost), 0)]:
            path = self._folder / f"{number:06d}-*.json"
            yield Damaged(path, problem.format(number), None, number, UNKNOWN)
        last = max(numbers, default=0) + len(lost) - len(gaps)
        number = gaps[-1] if len(gaps) >= len(lost) > 0 else last
        versions = {(each.force_code, each.version) for each in found}
        for force, sha256 in sorted(lost, key=str):
            version = next(n for n in count(1) if (force, n) not in versions) if force else None
            versions.add((force, version))
            whose = f"{force or _NOBODYS}-{version or 0}"
            path = self._folder / f"*-{sha256[:ID_LENGTH]}-{whose}.json"
            about = sha256[:ID_LENGTH], number, force, version
            yield Damaged(path, problem.format(number), *about)

    def _unlisted(self, _: Sequence[R | Damaged[R]]) -> Iterable[tuple[str | None, str]]:
        """Return force and hash of kept files without a receipt, where they tell whose they are."""
        return ()

    def _read(self, path: Path) -> R | Damaged[R]:
        try:
            receipt: R = _forms()[self._form].validate_json(path.read_bytes())
        except (OSError, ValidationError) as error:
            problem = f"is not a receipt ({_why(error)})"
            if not (named := _RECEIPT.match(path.name)):
                return Damaged(path, problem)
            sequence, receipt_id, force, version = named.groups()
            if force in force_codes():
                return Damaged(path, problem, receipt_id, int(sequence), force, int(version))
            whose = None if force == _NOBODYS else UNKNOWN
            return Damaged(path, problem, receipt_id, int(sequence), whose)
        if path.name in receipt.names:
            return receipt
        problem = f"is not the receipt that its name says, but number {receipt.sequence}"
        return Damaged.of(path, problem, receipt)

    def write(self, receipt: R) -> None:
        """Write a receipt.

        Raises:
            UnavailableError: it cannot be written.
        """
        with atomic_file(self._folder / receipt.names[0]) as target:
            target.write(json.dumps(asdict(receipt), indent=1).encode())


def next_numbers(
    force: str | None, taken: Iterable[Receipt | Damaged[Any]]
) -> tuple[int, int | None]:
    """Return the sequence of the receipt after those, and its version where it is of a force.

    A damaged receipt may be of the force if that cannot be told, so its number stays free.
    """
    numbers, version, perhaps = [0], 0, 0
    for item in sorted(taken, key=lambda item: item.sequence or 0):
        numbers.append(item.sequence or 0)
        if item.force_code == force and force:
            version, perhaps = max(version, item.version or 0), 0
        perhaps += item.force_code == UNKNOWN
    return max(numbers) + 1, version + perhaps + 1 if force else None


@cache
def _forms() -> dict[type[Receipt], TypeAdapter[Any]]:
    return {form: TypeAdapter(form) for form in (ReturnReceipt, Version)}


def _why(error: OSError | ValidationError) -> str:
    """Say why a receipt cannot be read; what stands in its fields is not quoted."""
    if isinstance(error, OSError):
        return type(error).__name__
    found = error.errors(include_url=False, include_input=False, include_context=False)
    told = (": ".join([*map(str, one["loc"]), one["msg"]]) for one in found[:5])
    return visible("; ".join(told))


def case_versions(lake: Lake) -> Receipts[Version]:
    """Return the versions of extracts of a lake."""
    return Receipts(lake, "case_versions", Version)
