"""Takes a file in as it comes: to a folder of its own, within bounds, and gone when answered."""

import hashlib
import logging
import shutil
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

from starlette.concurrency import run_in_threadpool
from starlette.datastructures import FormData, UploadFile
from starlette.formparsers import MultiPartParser

from assets.intake.container import MAX_FILE, MIB
from assets.intake.store import ID_LENGTH
from assets.lake import write_errors
from pipelines.portal.accounts import private_folder
from pipelines.portal.web import (
    Portal,
    RefusedRequestError,
    Visit,
    bounded,
    check_token,
    parsed,
)
from schemas.wording import visible

# It tells of each form that is not well formed, and could be made to fill a log.
logging.getLogger("python_multipart").setLevel(logging.CRITICAL)

FILE: Final = "return"
"""The field of a form that has the file."""
PATIENCE: Final = 120
"""Seconds in which a file must have come whole."""
_AROUND: Final = 16 * 1024
"""Bytes that a form may have around its file."""
_LONGEST_FIELD: Final = 1024
_LONGEST_NAME: Final = 120
_AT_ONCE: Final = 64
_OF_ONE: Final = 3
_LEAST_FREE: Final = 256 * MIB
"""Bytes that the disk must have left; runs need some."""


@dataclass
class Upload:
    """A file that was sent: where it lies until the request is answered, and its hash."""

    path: Path
    sha256: str
    size: int
    name: str = ""

    @property
    def receipt_id(self) -> str:
        """The id of its receipt, once it is taken in."""
        return self.sha256[:ID_LENGTH]


@asynccontextmanager
async def received(visit: Visit) -> AsyncIterator[Upload]:
    """Give the file of a form, which is gone when the block ends.

    The token stands before the file and is checked before anything is written.

    Raises:
        RefusedRequestError: the form is none of ours, too long or too slow, or has no file.
        UnavailableError: it cannot be written.
    """
    kind = visit.request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind != "multipart/form-data":
        raise RefusedRequestError(400)
    folder = uploads_folder(visit.portal)
    with _turn(visit), TemporaryDirectory(dir=folder) as own:
        path = Path(own) / f"{visit.force_code}.xlsx"
        with write_errors(path):
            form = await parsed(_Form(visit), PATIENCE)
            try:
                upload = await run_in_threadpool(_written, form.get(FILE), path)
            finally:
                await form.close()
        yield upload


def _written(came: object, path: Path) -> Upload:
    if not isinstance(came, UploadFile) or not came.size:
        raise RefusedRequestError(400, "There was no file. Choose one first.")
    with path.open("w+b") as file:
        shutil.copyfileobj(came.file, file)
        file.seek(0)
        sha256 = hashlib.file_digest(file, "sha256").hexdigest()
    # To be shown to who sent it, and used for nothing else.
    name = (came.filename or "").replace("\\", "/").rpartition("/")[2]
    return Upload(path, sha256, came.size, visible(name, _LONGEST_NAME))


class _Form(MultiPartParser):
    """A form with a file, which is read only if the token that stands before it is ours."""

    def __init__(self, visit: Visit) -> None:
        self._visit, body = visit, bounded(visit.request, MAX_FILE + _AROUND)
        headers = visit.request.headers
        super().__init__(headers, body, max_files=1, max_fields=1, max_part_size=_LONGEST_FIELD)

    def on_headers_finished(self) -> None:
        """Look at what a part is, before it comes."""
        super().on_headers_finished()
        if self._current_files:
            check_token(self._visit, str(dict(self.items).get("token", "")))

    async def parse(self) -> FormData:
        """Read the form; one that breaks off within its file has none."""
        form = await super().parse()
        for each in () if FILE in form else self._files_to_close_on_error:
            each.close()
        return form


def uploads_folder(portal: Portal) -> Path:
    """Return the folder for what is on its way."""
    return private_folder(portal.folder / "uploads" / portal.collection.id)


def clear_uploads(portal: Portal) -> None:
    """Remove what was on its way when the portal was killed; to be called before it serves."""
    shutil.rmtree(uploads_folder(portal), ignore_errors=True)


_ON_THEIR_WAY: Final[Counter[str]] = Counter()
"""How many files of which account."""


@contextmanager
def _turn(visit: Visit) -> Iterator[None]:
    """Let so many files come at once, few of one account, and none where the disk is full."""
    name = visit.me.name
    if _ON_THEIR_WAY[name] >= _OF_ONE:
        raise RefusedRequestError(429, "Other files of yours are still on their way.")
    free = shutil.disk_usage(uploads_folder(visit.portal)).free
    if _ON_THEIR_WAY.total() >= _AT_ONCE or free < _LEAST_FREE:
        raise RefusedRequestError(503)
    _ON_THEIR_WAY[name] += 1
    try:
        yield
    finally:
        _ON_THEIR_WAY[name] -= 1
