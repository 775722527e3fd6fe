"""Copies a release to an object store.

Belongs here: that only a whole one is copied. Does not: how it is shown there (assets/pointer.py).
"""

from pathlib import Path

from assets.marts import damage
from assets.pointer import publish_folder
from schemas.errors import LakeError


def publish_marts(folder: Path, url: str) -> str:
    """Copy a release to `<url>/releases/<its name>/`, and let `<url>/current.json` name it.

    Returns:
        The URL of the copy.

    Raises:
        LakeError: the release is not what its manifest says.
        SetupError: the URL is none, or may not be written.
        ServiceError: the store does not do its part; it shows what it showed.
    """
    if found := damage(folder):
        raise LakeError(
            folder,
            f"is damaged: {'; '.join(found[:5])}",
            "Nothing was copied. Move that folder away, then muster run makes it anew.",
        )
    return publish_folder(folder, url, folder.name)
