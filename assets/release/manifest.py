"""The manifest of a release: what it was made from, and the hash of every file in it.

Belongs here: writing it, reading it, and holding a folder to it. Does not: the swap (publish.py).
"""

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from assets.lake import atomic_file
from schemas.errors import LakeError

MANIFEST: Final = "manifest.json"


def write_manifest(folder: Path, about: Mapping[str, Any]) -> None:
    """Write the manifest of a folder that is complete but for it."""
    manifest = {**about, "files": hashes(folder)}
    with atomic_file(folder / MANIFEST) as file:
        file.write(json.dumps(manifest, indent=1, sort_keys=True).encode())


def read_manifest(folder: Path) -> dict[str, Any]:
    """Return the manifest of a release.

    Raises:
        LakeError: it is missing or cannot be read.
    """
    try:
        manifest: dict[str, Any] = json.loads((folder / MANIFEST).read_bytes())
    except (OSError, ValueError) as error:
        raise LakeError(
            folder, f"has no readable {MANIFEST} ({error})", "Take it back from a backup."
        ) from error
    return manifest


def hashes(folder: Path) -> dict[str, str]:
    """Return the sha256 of every file below a folder but the manifest, by relative path."""
    return {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and path.name != MANIFEST
    }


def damage(folder: Path) -> list[str]:
    """Return every way in which a release is not what its manifest says, in words.

    Raises:
        LakeError: the manifest itself cannot be read.
    """
    expected, found = read_manifest(folder)["files"], hashes(folder)
    return [
        *(f"{name} is missing" for name in sorted(expected.keys() - found)),
        *(f"{name} is not part of it" for name in sorted(found.keys() - expected)),
        *(
            f"{name} has sha256 {found[name][:12]}, not {expected[name][:12]}"
            for name in sorted(expected.keys() & found)
            if expected[name] != found[name]
        ),
    ]
