"""Results of an extract on an object store: made here, and shown there whole.

Belongs here: the folder to work in, and the name that follows from the results.
"""

import hashlib
import json
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from assets.cases.place import Place
from assets.files import hashes

_NAME_LENGTH: Final = 12


@contextmanager
def results_at(out: Place) -> Iterator[Path]:
    """Yield the folder for the results: `out` itself, or one whose content is published there.

    The folder lies where temporary files do (TMPDIR); a cluster must see it too.

    Raises:
        MusterError: the store cannot be written; it shows what it showed.
    """
    if isinstance(out, Path):
        yield out
        return
    from assets.pointer import publish_folder  # noqa: PLC0415

    with tempfile.TemporaryDirectory(prefix="muster-cases-") as name:
        folder = Path(name) / "results"
        yield folder
        content = json.dumps(hashes(folder), sort_keys=True).encode()
        publish_folder(folder, out, hashlib.sha256(content).hexdigest()[:_NAME_LENGTH])


def lake_places(collection_id: str) -> tuple[str, str] | None:
    """Return where the extracts lie in a lake on an object store, and where the results go.

    None where MUSTER_LAKE names no such lake.
    """
    lake = os.environ.get("MUSTER_LAKE", "").rstrip("/")
    if not lake.startswith("s3://"):
        return None
    return f"{lake}/landing/{collection_id}/cases", f"{lake}/cases/{collection_id}"
