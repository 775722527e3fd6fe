"""The quarantine: files that must not or cannot be parsed, each beside the reason.

Belongs here: keeping them apart from the returns, unopened. Does not: deciding that a file is
refused (container.py).
"""

import hashlib
import json
import os
from contextlib import suppress
from pathlib import Path

from assets.intake.reading import RefusedError
from assets.lake import Lake, atomic_file, write_errors
from schemas.errors import LakeError

_KEY_LENGTH = 16


class Quarantine:
    """The quarantine of one collection; a file is known by a key, its SHA-256 where it has one."""

    def __init__(self, lake: Lake) -> None:
        self._folder = lake.quarantine

    def path(self, key: str) -> Path:
        """Return where the bytes of a file lie."""
        return self._folder / key

    def reason(self, key: str) -> RefusedError:
        """Return why a file was refused.

        Raises:
            LakeError: the reason is gone.
        """
        path = self._folder / f"{key}.json"
        try:
            why = json.loads(path.read_text(encoding="utf-8"))
            return RefusedError(why["problem"], why["fix"], why["rule_id"])
        except (OSError, ValueError, KeyError) as error:
            raise LakeError(
                path, f"cannot be read ({error})", "Restore it from the backup of the lake."
            ) from error

    def move_in(self, file: Path, key: str, file_name: str, refusal: RefusedError) -> None:
        """Move a file that was read and refused away from the returns, beside the reason.

        Raises:
            LakeError: the quarantine cannot be written.
        """
        self._write_reason(key, file_name, refusal)
        with write_errors(self._folder):
            file.replace(self.path(key))

    def set_aside(self, file: Path, refusal: RefusedError) -> None:
        """Keep what must not be opened: the reason, and for a file a second name to its bytes.

        It is known by its directory entry, because reading it would take its size in time.

        Raises:
            LakeError: the quarantine cannot be written.
        """
        status = file.lstat()
        entry = f"{file.name}|{status.st_size}|{status.st_mtime_ns}"
        key = f"unread-{hashlib.sha256(os.fsencode(entry)).hexdigest()[:_KEY_LENGTH]}"
        self._write_reason(key, name_as_text(file.name), refusal)
        if file.is_file() and not file.is_symlink():
            with suppress(OSError):  # already there, or on another disk: the reason is kept
                self.path(key).hardlink_to(file)

    def _write_reason(self, key: str, file_name: str, refusal: RefusedError) -> None:
        why = {
            "file_name": file_name,
            "rule_id": refusal.rule_id,
            "problem": refusal.problem,
            "fix": refusal.fix,
        }
        with atomic_file(self._folder / f"{key}.json") as file:
            file.write(json.dumps(why, indent=1).encode())


def name_as_text(name: str) -> str:
    """Return a file name as text: a name is bytes, and what is no text in it is escaped."""
    return name.encode("utf-8", "backslashreplace").decode()
