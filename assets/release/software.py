"""Which code turns returns into marts, by its hash.

Belongs here: nothing else; a cluster's workers ask for it, and must not load more for that.
"""

import hashlib
from functools import cache
from pathlib import Path
from typing import Final

_PACKAGES: Final = Path(__file__).parents[2]
_SOURCES: Final = ("assets", "schemas")


@cache
def software_sha256() -> str:
    """Return the hash of the code and data that turn returns into marts."""
    files = sorted(
        path
        for folder in _SOURCES
        for path in (_PACKAGES / folder).rglob("*")
        if path.suffix in {".py", ".sql", ".toml", ".csv"}
    )
    parts = [
        f"{path.relative_to(_PACKAGES)} {hashlib.sha256(path.read_bytes()).hexdigest()}"
        for path in files
    ]
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()
