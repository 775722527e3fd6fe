"""Whether a kept file is still what was received.

Belongs here: comparing its bytes with their hash. Does not: where it is kept (raw_store.py and the
stores of reports and extracts).
"""

import hashlib
from pathlib import Path
from typing import Final

from schemas.errors import LakeError

ID_LENGTH: Final = 16
"""Characters of the SHA-256 that identify a receipt."""


def check_unchanged(path: Path, name: str, sha256: str) -> None:
    """Compare a kept file with the hash that it was received with; `name` is what it was sent as.

    Raises:
        LakeError: its bytes are gone, or no longer those that were received.
    """
    try:
        with path.open("rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
    except FileNotFoundError:
        digest = "nothing"
    if digest != sha256:
        raise LakeError(
            path,
            f"the raw file of {name!r} has changed since it was received"
            f" (sha256 {digest[:ID_LENGTH]} against {sha256[:ID_LENGTH]})",
            "Restore it from the backup of the lake; nothing is computed from it meanwhile.",
        )
