"""Shows a folder on an object store whole, by a pointer in place of a link.

`<prefix>/releases/<name>/` is written once; `<prefix>/current.json` names the one to be read.
"""

import json
from pathlib import Path
from typing import Final

from assets.object_store import checked_url, copy_folder, files_below, head, put
from schemas.errors import ServiceError, SetupError

POINTER: Final = "current.json"


def publish_folder(folder: Path, prefix: str, name: str) -> str:
    """Copy a folder to below a prefix, and let its pointer name it once all of it is there.

    The name follows from the content, so that what is there under it already is the same.

    Returns:
        The URL of the copy.

    Raises:
        SetupError: the prefix is none, or may not be written.
        ServiceError: the store does not do its part; the pointer names what it named.
    """
    prefix = checked_url(prefix)
    target = f"{prefix}/releases/{name}"
    sizes = {
        f"{target}/{path.relative_to(folder)}": path.stat().st_size
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }
    if _named(prefix) == name and files_below(target) == sizes:
        return target
    copy_folder(folder, target)
    if files_below(target) != sizes:
        raise ServiceError(
            f"{target} does not hold what was copied to it. {prefix} shows what it did before."
            " See whether another program writes there, then start again."
        )
    put(f"{prefix}/{POINTER}", json.dumps({"release": name}, indent=1).encode())
    return target


def shown_at(prefix: str) -> str:
    """Return the URL of the folder that a prefix shows now, to read several files of one release.

    Raises:
        SetupError: nothing is published there.
        ServiceError: the store does not answer.
    """
    prefix = checked_url(prefix)
    name = _named(prefix)
    if name is None:
        raise SetupError(f"{prefix} holds no {POINTER}: nothing is published there. Name another.")
    return f"{prefix}/releases/{name}"


def _named(prefix: str) -> str | None:
    pointer = f"{prefix}/{POINTER}"
    size = files_below(pointer).get(pointer)
    if size is None:
        return None
    name: str = json.loads(head(pointer, size))["release"]
    return name
