"""What sending does: the file lies in landing, whole, as one that was dropped; and a receipt."""

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

from assets.intake.store import FOLDERS, ID_LENGTH, utc_now
from assets.lake import atomic_file, scratch_file, sync_folder, write_errors
from pipelines.portal.accounts import private_folder, write_private
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

    @property
    def name(self) -> str:
        """What it is called: STF-0001."""
        return f"{self.force_code}-{self.number:04d}"

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
        found = (
            self._read(path) for path in sorted(self._folder.glob("[0-9]*.json"), reverse=True)
        )
        return [each for each in found if each]

    def receipt(self, number: int) -> Receipt | None:
        """Return one receipt, None where there is none of that number."""
        return self._read(self._folder / f"{number:04d}.json")

    def marked(self, number: int) -> Path | None:
        """Return the marked copy that belongs to a receipt, None where there is none."""
        path = self._folder / f"{number:04d}-marked.xlsx"
        return path if path.exists() else None

    def _read(self, path: Path) -> Receipt | None:
        try:
            return Receipt(**json.loads(path.read_text(encoding="utf-8")))
        except FileNotFoundError:
            return None

    def send(self, upload: Upload, verdict: dict[str, Any], account: str) -> tuple[Receipt, bool]:
        """Put a file into landing, and return its receipt and whether anything is new.

        The file first: a receipt is only ever for what lies there. Killed in between, the force has
        no receipt and sends again, which puts nothing there twice.

        Raises:
            UnavailableError: the lake cannot be written.
        """
        lake = self._portal.lake
        name = f"{self._force_code}-{upload.receipt_id}{verdict['suffix']}"
        is_there = (lake.raw / FOLDERS["return"] / upload.sha256).exists()
        if not is_there and not (lake.landing / name).exists():
            with atomic_file(lake.landing / name) as target, upload.path.open("rb") as source:
                while piece := source.read(_PIECE):
                    target.write(piece)
        for earlier in self.receipts():
            if earlier.sha256 == upload.sha256:
                return earlier, False
        return self._write(upload, verdict, account, name), True

    def _write(self, upload: Upload, verdict: dict[str, Any], account: str, name: str) -> Receipt:
        folder, at = private_folder(self._folder), utc_now().isoformat(timespec="seconds")
        with write_errors(folder), scratch_file(folder) as scratch:
            while True:
                taken = (int(path.name[:4]) for path in folder.glob("[0-9]*.json"))
                number = max(taken, default=0) + 1
                receipt = Receipt(
                    number, self._force_code, account, at, upload.sha256, upload.size, name, verdict
                )
                scratch.write_text(json.dumps(asdict(receipt)), encoding="utf-8")
                try:
                    # A link, unlike a rename, fails where somebody else took the number.
                    (folder / f"{number:04d}.json").hardlink_to(scratch)
                except FileExistsError:
                    continue
                break
        if verdict["marked"]:
            marked = (upload.path.parent / verdict["marked"]).read_bytes()
            write_private(folder / f"{number:04d}-marked.xlsx", marked)
        sync_folder(folder)
        return receipt
