"""What sending does: the file lies in landing, whole, as one that was dropped; and a receipt."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from assets.intake.store import FOLDERS, ID_LENGTH, utc_now
from assets.lake import Lake, alone, atomic_file
from pipelines.portal.accounts import private_folder, write_private

if TYPE_CHECKING:
    from pipelines.portal.uploads import Upload
    from pipelines.portal.web import Portal

_PIECE: Final = 1024 * 1024


@dataclass(frozen=True)
class Receipt:
    """What a force has in hand for a file that it sent. Numbers are those of each force alone."""

    number: int
    force_code: str
    account: str
    at: str
    sha256: str
    size: int
    file: str
    verdict: dict[str, Any]
    sent_as: str = ""

    @classmethod
    def read(cls, path: Path) -> Receipt:
        """Return the receipt that a file holds."""
        return cls(**json.loads(path.read_text(encoding="utf-8")))

    @property
    def name(self) -> str:
        """What it is called: STF-0001."""
        return f"{self.force_code}-{self.number:04d}"

    @property
    def called(self) -> str:
        """What the force called the file; older receipts do not say so."""
        return self.sent_as or self.file

    @property
    def receipt_id(self) -> str:
        """The id of its receipt in the raw store, once it is taken in."""
        return self.sha256[:ID_LENGTH]


class Sent:
    """What one force has sent through the portal of a collection."""

    def __init__(self, portal: Portal, force_code: str) -> None:
        self._portal, self._force_code = portal, force_code
        self._folder = portal.folder / "receipts" / portal.collection.id / force_code

    def receipts(self) -> list[Receipt]:
        """Return its receipts, the newest first."""
        found = (self.receipt(number) for number in sorted(self._numbers(), reverse=True))
        return [each for each in found if each]

    def _numbers(self) -> list[int]:
        return [int(path.stem) for path in self._folder.glob("[0-9]*.json")]

    def receipt(self, number: int) -> Receipt | None:
        """Return one receipt, None where there is none of that number."""
        try:
            return Receipt.read(self._folder / f"{number:04d}.json")
        except FileNotFoundError:
            return None

    def marked(self, number: int) -> Path | None:
        """Return the marked copy that belongs to a receipt, None where there is none."""
        receipt = self.receipt(number)
        path = self._marked(receipt.receipt_id) if receipt else None
        return path if path and path.exists() else None

    def _marked(self, receipt_id: str) -> Path:
        return self._folder / f"{receipt_id}-marked.xlsx"

    def send(self, upload: Upload, verdict: dict[str, Any], account: str) -> tuple[Receipt, bool]:
        """Put a file into landing, and return its receipt and whether anything is new.

        The file first: a receipt is only ever for what lies there. Killed in between, the force has
        no receipt and sends again, which puts nothing there twice.

        Raises:
            UnavailableError: the lake cannot be written.
        """
        lake = self._portal.lake
        name = f"{self._force_code}-{upload.receipt_id}{verdict['suffix']}"
        if not _taken_in(lake, upload.sha256) and not (lake.landing / name).exists():
            with atomic_file(lake.landing / name) as target, upload.path.open("rb") as source:
                while piece := source.read(_PIECE):
                    target.write(piece)
        # Receipts of a force are given out one at a time: one for a file, and no number twice.
        with alone(private_folder(self._folder) / ".lock"):
            for earlier in self.receipts():
                if earlier.sha256 == upload.sha256:
                    return earlier, False
            return self._write(upload, verdict, account, name), True

    def _write(self, upload: Upload, verdict: dict[str, Any], account: str, name: str) -> Receipt:
        if verdict["marked"]:  # before the receipt, which leads to it
            marked = (upload.path.parent / verdict["marked"]).read_bytes()
            write_private(self._marked(upload.receipt_id), marked)
        number, at = max(self._numbers(), default=0) + 1, utc_now().isoformat(timespec="seconds")
        receipt = Receipt(
            number, self._force_code, account, at, upload.sha256, upload.size, name, verdict,
            upload.name,
        )  # fmt: skip
        path = self._folder / f"{number:04d}.json"
        write_private(path, json.dumps(asdict(receipt)).encode())
        return receipt


def sent_here(lake: Lake) -> dict[str, Receipt]:
    """Return the receipts of all forces of a collection by the SHA-256 of what was sent."""
    folder = lake.root / "portal" / "receipts" / lake.collection
    receipts = map(Receipt.read, sorted(folder.glob("*/[0-9]*.json")))
    return {receipt.sha256: receipt for receipt in receipts}


def waiting(portal: Portal, force_code: str) -> list[Receipt]:
    """Return the receipts of what no run has taken in yet, the newest first."""
    taken_in = set(portal.stands.now().receipts["sha256"])
    return [each for each in Sent(portal, force_code).receipts() if each.sha256 not in taken_in]


def damage(path: Path, lake: Lake) -> Iterator[tuple[Path, str, str]]:
    """Yield what is wrong with a receipt, and what to do: a file it is for lies somewhere."""
    try:
        receipt = Receipt.read(path)
    except (ValueError, TypeError) as error:
        yield path, f"is no receipt ({type(error).__name__})", "Restore it from the backup."
        return
    if not (lake.landing / receipt.file).exists() and not _taken_in(lake, receipt.sha256):
        seen = f"receipt {receipt.name} is for a file that lies neither in landing nor in raw"
        yield path, seen, "Ask the force to send it again, or restore it from the backup."


def _taken_in(lake: Lake, sha256: str) -> bool:
    return (lake.raw / FOLDERS["return"] / sha256).exists()
