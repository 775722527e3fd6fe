"""Hashes of files: those of a folder, and those of the code that turns returns into marts."""

import hashlib
from functools import cache
from pathlib import Path
from typing import Final

MANIFEST: Final = "manifest.json"
"""The file of a release that says what it was made from, and the hash of every other file."""

_PACKAGES: Final = Path(__file__).parents[1]
_SOURCES: Final = ("assets", "schemas")
_DATA: Final = ("collections", "templates", "reference")
"""Folders of `schemas` whose files a release keeps of its own collection alone."""


def hashes(folder: Path) -> dict[str, str]:
    """Return the sha256 of every file below a folder but the manifest, by relative path."""
    return {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and path.name != MANIFEST
    }


@cache
def software_sha256() -> str:
    """Return the hash of the code and data that turn returns of any collection into marts."""
    described = [_PACKAGES / "schemas" / name for name in _DATA]
    files = sorted(
        path
        for folder in _SOURCES
        for path in (_PACKAGES / folder).rglob("*")
        if path.suffix in {".py", ".sql", ".toml", ".csv"}
        and not any(path.is_relative_to(folder) for folder in described)
    )
    parts = [
        f"{path.relative_to(_PACKAGES)} {hashlib.sha256(path.read_bytes()).hexdigest()}"
        for path in files
    ]
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()
