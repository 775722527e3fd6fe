"""Takes a file in as it comes: to a folder of its own, within bounds, and gone when answered."""

import hashlib
import logging
import shutil
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import IO, Final

from python_multipart.exceptions import FormParserError
from python_multipart.multipart import MultipartParser, parse_options_header

from assets.intake.container import MAX_FILE, MIB
from assets.intake.store import ID_LENGTH
from assets.lake import write_errors
from pipelines.portal.accounts import private_folder
from pipelines.portal.web import Body, Portal, RefusedRequestError, Visit, check_token
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
    kind, options = parse_options_header(visit.request.headers.get("content-type"))
    boundary = options.get(b"boundary", b"")
    if kind != b"multipart/form-data" or not 0 < len(boundary) <= 200:
        raise RefusedRequestError(400)
    body = Body(visit.request, MAX_FILE + _AROUND, PATIENCE)
    folder = uploads_folder(visit.portal)
    with _turn(visit), TemporaryDirectory(dir=folder) as own:
        path = Path(own) / f"{visit.force_code}.xlsx"
        with write_errors(path), path.open("wb") as file:
            form = _Form(visit, file)
            parser = MultipartParser(
                boundary,
                {
                    "on_part_begin": form.begin,
                    "on_header_field": form.header,
                    "on_header_value": form.value,
                    "on_header_end": form.end_header,
                    "on_headers_finished": form.headed,
                    "on_part_data": form.data,
                    "on_end": form.end,
                },
            )
            try:
                await body.into(parser.write)
            except FormParserError as error:
                raise RefusedRequestError(400) from error
        if not form.whole:
            raise RefusedRequestError(400)
        if not form.size:
            raise RefusedRequestError(400, "There was no file. Choose one first.")
        yield Upload(path, form.digest.hexdigest(), form.size, form.name)


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


@dataclass
class _Form:
    """What has been read of a form: short fields, and the file, which is written on."""

    visit: Visit
    file: IO[bytes]
    size: int = 0
    whole: bool = False
    name: str = ""
    digest: "hashlib._Hash" = field(default_factory=hashlib.sha256)
    _fields: dict[str, bytearray] = field(default_factory=dict)
    _headers: dict[bytes, bytes] = field(default_factory=dict)
    _header: bytes = b""
    _value: bytes = b""
    _name: str = ""
    _is_file: bool = False

    def begin(self) -> None:
        self._headers, self._header, self._value = {}, b"", b""

    def header(self, data: bytes, start: int, end: int) -> None:
        self._header += data[start:end]

    def value(self, data: bytes, start: int, end: int) -> None:
        self._value += data[start:end]

    def end_header(self) -> None:
        self._headers[self._header.lower()] = self._value
        self._header = self._value = b""

    def headed(self) -> None:
        """Look at what a part is, before it comes."""
        kind, options = parse_options_header(self._headers.get(b"content-disposition", b""))
        self._name = options.get(b"name", b"").decode("ascii", "replace")
        self._is_file = b"filename" in options
        if kind != b"form-data" or self._name in self._fields:
            raise RefusedRequestError(400)
        if self._is_file:
            check_token(
                self.visit, self._fields.get("token", bytearray()).decode("ascii", "replace")
            )
            if self._name != FILE:
                raise RefusedRequestError(400)
            # To be shown to who sent it, and used for nothing else.
            told = options[b"filename"].decode("utf-8", "replace")
            self.name = visible(told.replace("\\", "/").rpartition("/")[2], _LONGEST_NAME)
        self._fields[self._name] = bytearray()

    def data(self, data: bytes, start: int, end: int) -> None:
        """Take a piece of a part."""
        if self._is_file:
            piece = data[start:end]
            self.file.write(piece)
            self.digest.update(piece)
            self.size += len(piece)
            return
        text = self._fields[self._name]
        text += data[start:end]
        if len(text) > _LONGEST_FIELD:
            raise RefusedRequestError(400)

    def end(self) -> None:
        """Note that the form has come whole."""
        self.whole = True
