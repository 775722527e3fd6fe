"""Preflight: decides from a file's outside whether it may be parsed, and as what.

Belongs here: type, size, zip contents, encryption: everything that is refused before any of the
content is interpreted. Does not: reading cells (workbook.py, csv_zip.py).
"""

import stat
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Final, Literal
from xml.parsers import expat

from assets.intake.reading import RefusedError

MIB: Final = 1024 * 1024
MAX_FILE: Final = 10 * MIB
MAX_UNPACKED: Final = 12 * MIB
"""A return unpacks to about a quarter of one; reading ten times that still takes no time."""
MAX_RATIO: Final = 250
"""A return compresses about ten to one; a thousand to one is a bomb."""
MAX_MEMBERS: Final = 500

_OLE_MAGIC: Final = bytes.fromhex("d0cf11e0a1b11ae1")
_ZIP_MAGIC: Final = b"PK\x03\x04"
_SAVE_AS: Final = "Open it in Excel, save it as an Excel workbook (.xlsx), and send that."
_SEND_AGAIN: Final = "Send the file again; if it fails again, save it anew in Excel first."

_DAMAGE: Final = (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, ValueError)


@dataclass(frozen=True)
class Container:
    """An opened zip whose members are safe to read, and what it holds."""

    path: Path
    kind: Literal["workbook", "csv"]
    archive: zipfile.ZipFile

    def read(self, name: str) -> bytes:
        """Return the bytes of a member, whose size the preflight has bounded."""
        return self.archive.read(name)

    def names(self) -> list[str]:
        """Return the names of the members that are files."""
        return [info.filename for info in self.archive.infolist() if not info.is_dir()]


@contextmanager
def open_container(path: Path) -> Iterator[Container]:
    """Open a received file for reading.

    Raises:
        RefusedError: the file is not a workbook or a zip of CSV files, or is not safe to read.
    """
    check_entry(path)
    _check_head(path)
    with _opened(path) as archive:
        yield Container(path, _kind(archive), archive)


def _opened(path: Path) -> zipfile.ZipFile:
    """Open the zip and read every member once, so that nothing later meets damaged content."""
    try:
        archive = zipfile.ZipFile(path)
        try:
            _check_members(archive.infolist())
            _check_content(archive)
        except BaseException:
            archive.close()
            raise
    except _DAMAGE as error:
        raise RefusedError(f"the file is damaged or cut off ({error})", _SEND_AGAIN) from error
    return archive


def check_entry(path: Path) -> None:
    """Refuse what must not even be opened: links, devices, and files larger than any return.

    Raises:
        RefusedError: it is one of these.
    """
    status = path.lstat()
    if stat.S_ISLNK(status.st_mode):
        raise RefusedError("this is a link, not a file", "Send the file itself.")
    if not stat.S_ISREG(status.st_mode):
        raise RefusedError("this is not a plain file", "Send the file itself.")
    if status.st_size > MAX_FILE:
        raise RefusedError(
            f"the file has {status.st_size / MIB:,.0f} MB; a return has less than one, and the"
            f" limit is {MAX_FILE // MIB} MB",
            "Send the return workbook alone, without pictures or other sheets.",
        )


def _check_head(path: Path) -> None:
    with path.open("rb") as file:
        head = file.read(8)
    if not head:
        raise RefusedError("the file is empty", _SEND_AGAIN)
    if head.startswith(_OLE_MAGIC):
        _refuse_ole(path)
    if not head.startswith(_ZIP_MAGIC):
        kind = "a PDF" if head.startswith(b"%PDF") else "not an Excel workbook, whatever its name"
        raise RefusedError(f"the file is {kind}", _SAVE_AS)


def _refuse_ole(path: Path) -> None:
    if "EncryptedPackage".encode("utf-16-le") in path.read_bytes():
        raise RefusedError(
            "the workbook is encrypted with a password",
            "Remove the password (File, Info, Protect Workbook) and send it again.",
        )
    raise RefusedError("the file is in the old Excel format (.xls)", _SAVE_AS)


def _check_members(members: list[zipfile.ZipInfo]) -> None:
    if len(members) > MAX_MEMBERS:
        raise RefusedError(f"the file holds {len(members)} parts, far more than a return", _SAVE_AS)
    seen: set[str] = set()
    for member in members:
        name = member.filename
        if "\\" in name or ":" in name or name.startswith("/") or ".." in PurePosixPath(name).parts:
            raise RefusedError(f"the zip names a path outside itself: {name!r}", _SAVE_AS)
        if name.lower() in seen:
            raise RefusedError(f"the zip holds {name!r} twice", _SAVE_AS)
        seen.add(name.lower())
        if member.flag_bits & 0x1:
            raise RefusedError("the zip is encrypted", "Send it without a password.")
        if stat.S_ISLNK(member.external_attr >> 16):
            raise RefusedError(f"the zip holds a link: {name!r}", "Send the file itself.")
        if member.file_size > MIB and member.file_size > MAX_RATIO * member.compress_size:
            raise RefusedError(
                f"{name!r} unpacks to {member.file_size / MIB:,.0f} MB, more than"
                f" {MAX_RATIO} times its packed size",
                _SAVE_AS,
            )
    unpacked = sum(member.file_size for member in members)
    if unpacked > MAX_UNPACKED:
        raise RefusedError(
            f"the file unpacks to {unpacked / MIB:,.0f} MB; the limit is {MAX_UNPACKED // MIB} MB",
            "Delete the empty formatted rows below the figures and send it again.",
        )


def _kind(archive: zipfile.ZipFile) -> Literal["workbook", "csv"]:
    names = set(archive.namelist())
    if "xl/workbook.xml" in names:
        _refuse_macros(archive, names)
        return "workbook"
    if "xl/workbook.bin" in names:
        raise RefusedError("the file is a binary workbook (.xlsb)", _SAVE_AS)
    if "mimetype" in names and archive.read("mimetype").startswith(b"application/vnd.oasis"):
        raise RefusedError("the file is an OpenDocument file (.ods)", _SAVE_AS)
    if any(name.lower().endswith(".csv") for name in names):
        return "csv"
    raise RefusedError("the zip holds neither an Excel workbook nor CSV files", _SAVE_AS)


def _refuse_macros(archive: zipfile.ZipFile, names: set[str]) -> None:
    types = archive.read("[Content_Types].xml") if "[Content_Types].xml" in names else b""
    if b"macroEnabled" in types or any(name.endswith("vbaProject.bin") for name in names):
        raise RefusedError("the workbook holds macros", _SAVE_AS, "S006")


def _check_content(archive: zipfile.ZipFile) -> None:
    for member in archive.infolist():
        content = archive.read(member)
        if member.filename.lower().endswith((".xml", ".rels")):
            _check_xml(member.filename, content)


def _check_xml(name: str, content: bytes) -> None:
    def refuse(*_: object) -> None:
        raise RefusedError(
            f"{name!r} declares XML entities, which no Excel workbook does", _SAVE_AS
        )

    parser = expat.ParserCreate()
    parser.StartDoctypeDeclHandler = refuse
    parser.EntityDeclHandler = refuse
    try:
        parser.Parse(content, True)
    except (expat.ExpatError, LookupError) as error:  # a LookupError names an unknown encoding
        raise RefusedError(f"{name!r} inside the file is damaged ({error})", _SEND_AGAIN) from error
