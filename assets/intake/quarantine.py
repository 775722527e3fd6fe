"""The quarantine: files that must not or cannot be parsed, each beside the reason.

Belongs here: keeping them apart from the returns, unopened. Does not: deciding that a file is
refused (container.py).
"""

import hashlib
import json
import os
from collections.abc import Iterator
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

    def has(self, key: str) -> bool:
        """Return whether there is a file whose key starts so."""
        return any(self._folder.glob(f"{key}*"))

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

    def unopened(self) -> Iterator[tuple[str, dict[str, str]]]:
        """Yield the key of each file that was set aside unopened, and what is noted of it."""
        for path in sorted(self._folder.glob("unread-*.json")):
            with suppress(OSError, ValueError, TypeError):
                why = json.loads(path.read_text(encoding="utf-8"))
                if {"file_name", "problem", "rule_id"} <= {*why}:
                    yield path.stem, why

    def set_aside(self, file: Path, refusal: RefusedError, received_at: str) -> None:
        """Keep what must not be opened: the reason, and for a file a second name to its bytes.

        It is known by its directory entry, because reading it would take its size in time.

        Raises:
            LakeError: the quarantine cannot be written.
        """
        key = unread_key(file)
        if not (self._folder / f"{key}.json").exists():
            self._write_reason(key, name_as_text(file.name), refusal, received_at)
        if file.is_file() and not file.is_symlink():
            with suppress(OSError):  # already there, or on another disk: the reason is kept
                self.path(key).hardlink_to(file)

    def _write_reason(
        self, key: str, file_name: str, refusal: RefusedError, received_at: str | None = None
    ) -> None:
        why = {
            "file_name": file_name,
            "rule_id": refusal.rule_id,
            "problem": refusal.problem,
            "fix": refusal.fix,
        }
        if received_at:
            why["received_at"] = received_at
        with atomic_file(self._folder / f"{key}.json") as file:
            file.write(json.dumps(why, indent=1).encode())


def unread_key(file: Path) -> str:
    """Return the key of what must not be opened, which is that of its directory entry."""
    status = file.lstat()
    entry = f"{file.name}|{status.st_size}|{status.st_mtime_ns}"
    return f"unread-{hashlib.sha256(os.fsencode(entry)).hexdigest()[:_KEY_LENGTH]}"


def name_as_text(name: str) -> str:
    """Return a file name as text: a name is bytes, and what is no text in it is escaped."""
    return name.encode("utf-8", "backslashreplace").decode()
