"""Decides from its outside whether a file may be parsed and as what; unpacks it within bounds."""

import re
import stat
import struct
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from io import BytesIO
from pathlib import Path, PurePosixPath
from typing import Final, Literal
from xml.parsers import expat

from assets.intake.foreign import ITSELF, SAVE_AS, SEND_AGAIN, foreign
from assets.intake.landing import is_litter
from assets.intake.reading import RefusedError
from schemas.wording import visible

MIB: Final = 1024 * 1024
MAX_FILE: Final = 10 * MIB
MAX_UNPACKED: Final = 12 * MIB
"""A return unpacks to about a quarter of one; reading ten times that still takes no time."""
MAX_RATIO: Final = 250
"""A return compresses about ten to one; a thousand to one is a bomb."""
MAX_MEMBERS: Final = 500

Kind = Literal["workbook", "csv", "ods"]

_ZIP_MAGIC: Final = b"PK\x03\x04"
_END_MAGIC: Final = b"PK\x05\x06"
_LOCAL_HEADER: Final = struct.Struct("<4s5H3I2H")
_SIZES_FOLLOW: Final = 0x8
"""Flag of a part whose sizes stand behind it, so that its header has zeros."""
_ZIP64: Final = 0xFFFFFFFF
_MANY: Final = 0xFFFF
"""What stands for a number that has its place elsewhere, as large zips have it."""
_ANEW: Final = "Save the return anew in Excel (.xlsx) and send that."

_BOOKS: Final = (".xlsx", ".xlsm", ".xlsb", ".xls", ".ods")
_ARCHIVES: Final = (".zip", ".7z", ".rar", ".gz")
_DRIVE: Final = re.compile(r"[A-Za-z]:")
_MANIFEST: Final = "META-INF/manifest.xml"
_SPREADSHEET: Final = b"application/vnd.oasis.opendocument.spreadsheet"
_ENCRYPTED: Final = re.compile(rb"<(?:\w+:)?encryption-data\b")


@dataclass(frozen=True)
class Container:
    """An unpacked zip that is safe to read: what it is, and the content of each member by name."""

    kind: Kind
    parts: dict[str, bytes] = field(repr=False)


def open_container(path: Path) -> Container:
    """Unpack a received file for reading.

    Raises:
        RefusedError: the file is not a workbook or a zip of CSV files, or is not safe to read.
    """
    check_entry(path)
    content = path.read_bytes()
    if not content.startswith(_ZIP_MAGIC):
        raise foreign(content)
    parts = _unpacked(content)
    kind = _kind(parts)
    for name, part in parts.items():
        # Which parts hold cells is for a workbook to say, whatever their names end in.
        if kind != "csv" or name.lower().endswith((".xml", ".rels")):
            _refuse_entities(name, part)
    return Container(kind, parts)


def check_entry(path: Path) -> None:
    """Refuse what must not even be opened: links, devices, and files larger than any return.

    Raises:
        RefusedError: it is one of these.
    """
    status = path.lstat()
    if stat.S_ISLNK(status.st_mode):
        raise RefusedError("this is a link, not a file", ITSELF)
    if not stat.S_ISREG(status.st_mode):
        raise RefusedError("this is not a plain file", ITSELF)
    if status.st_size > MAX_FILE:
        raise RefusedError(
            f"the file has {status.st_size / MIB:,.0f} MB; a return has less than one, and the"
            f" limit is {MAX_FILE // MIB} MB",
            "Send the return workbook alone, without pictures or other sheets.",
        )


def _unpacked(content: bytes) -> dict[str, bytes]:
    """Return the content of every member, so that nothing later meets damaged content.

    The directory is read by zipfile; the members by us, because their own headers must agree with
    it: a zip that says two things shows different figures to different programs.
    """
    try:
        with zipfile.ZipFile(BytesIO(content)) as archive:
            members = archive.infolist()
            _check_members(members)
            (told,) = struct.unpack_from("<H", content, content.rindex(_END_MAGIC) + 10)
            if _END_MAGIC in archive.comment or told not in {len(members), _MANY}:
                raise RefusedError("the zip has two directories, or part of one", _ANEW)
            found = dict(_parts(content, members, archive.start_dir))
    except (RefusedError, MemoryError):
        raise
    except Exception as error:
        # zipfile lets through whatever a broken directory provokes: struct.error, OverflowError,
        # UnicodeDecodeError, NotImplementedError...
        raise RefusedError(
            f"the zip is damaged or cut off ({_in_short(error)})", SEND_AGAIN
        ) from error
    return found


def _in_short(error: Exception) -> str:
    return visible(str(error), 100) or type(error).__name__


def _parts(
    content: bytes, members: list[zipfile.ZipInfo], directory: int
) -> Iterator[tuple[str, bytes]]:
    end = 0
    for member in sorted(members, key=lambda member: member.header_offset):
        name, start = _plain_name(member), member.header_offset
        if start < end or (not end and start):
            raise RefusedError(f"the zip is damaged: {visible(name)!r} starts elsewhere", _ANEW)
        magic, _, flags, method, *_, crc, packed, size, name_length, extra = _LOCAL_HEADER.unpack(
            content[start : start + _LOCAL_HEADER.size]
        )
        begin = start + _LOCAL_HEADER.size + name_length + extra
        end = begin + member.compress_size
        told = {(crc, member.CRC), (packed, member.compress_size), (size, member.file_size)}
        agrees = flags & _SIZES_FOLLOW or all(a in {b, _ZIP64} for a, b in told)
        local_name = content[start + _LOCAL_HEADER.size :][:name_length]
        same_name = member.orig_filename in {
            local_name.decode("utf-8", "replace"),
            local_name.decode("cp437"),
        }
        if magic != _ZIP_MAGIC or method != member.compress_type or not (agrees and same_name):
            raise RefusedError(
                f"the zip is damaged: its directory and {visible(name)!r} do not agree", _ANEW
            )
        if end > directory:
            raise RefusedError(f"the zip is cut off in {visible(name)!r}", SEND_AGAIN)
        part = _inflated(content[begin:end], member)
        if not member.is_dir() and not name.endswith("/"):
            yield name, part


def _inflated(packed: bytes, member: zipfile.ZipInfo) -> bytes:
    """Return the content of a member, which may not be a byte longer than the zip says."""
    sound = True
    part = packed
    if member.compress_type == zipfile.ZIP_DEFLATED:
        inflate = zlib.decompressobj(-zlib.MAX_WBITS)
        part = inflate.decompress(packed, member.file_size + 1)
        sound = inflate.eof and not inflate.unused_data
    elif member.compress_type != zipfile.ZIP_STORED:
        raise RefusedError("the zip is packed in an unusual way", _ANEW)
    if not sound or len(part) != member.file_size or zlib.crc32(part) != member.CRC:
        raise RefusedError(f"the zip is damaged in {visible(_plain_name(member))!r}", SEND_AGAIN)
    return part


def _plain_name(member: zipfile.ZipInfo) -> str:
    """Return a member's name with the separator that the zip format has; Windows knows another."""
    return member.filename.replace("\\", "/")


def _check_members(members: list[zipfile.ZipInfo]) -> None:
    if len(members) > MAX_MEMBERS:
        raise RefusedError(f"the file holds {len(members)} parts, far more than a return", SAVE_AS)
    seen: set[str] = set()
    for member in members:
        name = _plain_name(member)
        shown = repr(visible(name))
        outside = name.startswith("/") or ".." in PurePosixPath(name).parts or _DRIVE.match(name)
        if outside or "\0" in member.orig_filename:
            raise RefusedError(f"the zip names a path outside itself: {shown}", SAVE_AS)
        if name.lower() in seen:
            raise RefusedError(f"the zip holds {shown} twice", SAVE_AS)
        seen.add(name.lower())
        if member.flag_bits & 0x1:
            raise RefusedError("the zip is encrypted", "Send it without a password.")
        if stat.S_ISLNK(member.external_attr >> 16):
            raise RefusedError(f"the zip holds a link: {shown}", ITSELF)
        if member.file_size > MIB and member.file_size > MAX_RATIO * member.compress_size:
            raise RefusedError(
                f"{shown} unpacks to {member.file_size / MIB:,.0f} MB, more than"
                f" {MAX_RATIO} times its packed size",
                SAVE_AS,
            )
    unpacked = sum(member.file_size for member in members)
    if unpacked > MAX_UNPACKED:
        raise RefusedError(
            f"the file unpacks to {unpacked / MIB:,.0f} MB; the limit is {MAX_UNPACKED // MIB} MB",
            "Delete the empty formatted rows below the figures and send it again.",
        )


def _kind(parts: dict[str, bytes]) -> Kind:
    """Tell what the members are together, whatever the case of their names."""
    lower = {name.lower(): name for name in parts}
    types = _ascii(parts.get(lower.get("[content_types].xml", ""), b""))
    mimetype = parts.get("mimetype", b"").strip()
    if "content.xml" in parts and _SPREADSHEET in _ascii(parts.get(_MANIFEST, b"")):
        mimetype = mimetype or _SPREADSHEET  # some programs that pack it anew leave it out
    if mimetype.startswith(b"application/vnd.oasis"):
        if any(name.startswith("xl/") for name in lower):
            raise RefusedError("the file is two kinds of workbook at once", _ANEW)
        return _opendocument(parts, mimetype)
    if "xl/workbook.bin" in lower or b"ms-excel.sheet.binary" in types:
        raise RefusedError("the file is a binary workbook (.xlsb)", SAVE_AS)
    if any(name.startswith("word/") for name in lower):
        raise RefusedError("the file is a Word document", SAVE_AS)
    if any(name.startswith("ppt/") for name in lower):
        raise RefusedError("the file is a PowerPoint file", SAVE_AS)
    if "xl/workbook.xml" in lower or b"spreadsheetml" in types:
        _refuse_macros(parts, lower)
        return "workbook"
    if any(name.endswith(".iwa") for name in lower):
        fix = "In Numbers: File, Export To, Excel. Send the .xlsx."
        raise RefusedError("the file is an Apple Numbers document", fix)
    return _packed_files(list(parts))


def _packed_files(names: list[str]) -> Kind:
    """Tell a zip of CSV files from one of other files."""
    plain = [n for n in names if not hidden(n)]
    books = [n for n in plain if n.lower().endswith(_BOOKS)]
    tables = [n for n in plain if n.lower().endswith(".csv")]
    shown = ", ".join(repr(visible(PurePosixPath(n).name)) for n in books[:5])
    if books and tables:
        raise RefusedError(
            f"the zip holds CSV files and beside them a workbook ({shown}); which one counts?",
            "Send one of them: the workbook alone, or the zip of CSV files alone.",
        )
    if len(books) > 1:
        raise RefusedError(
            f"the zip holds {len(books)} workbooks ({shown})",
            "Take them out and send each alone, as a file of its own.",
        )
    if books:
        raise RefusedError(
            f"the zip holds a workbook ({shown})", "Take it out and send it alone, not in a zip."
        )
    if tables or any(n.lower().endswith(OTHER_TABLES) for n in plain):
        return "csv"
    if any(name.lower().endswith(_ARCHIVES) for name in plain):
        raise RefusedError(
            "the zip holds another zip", "Take out the return workbook and send it alone."
        )
    raise NO_RETURN


OTHER_TABLES: Final = (".tsv", ".txt")
"""How the sheets may end where none is .csv; Excel calls those in UTF-16 .txt."""
NO_RETURN: Final = RefusedError("the zip holds neither an Excel workbook nor CSV files", SAVE_AS)


def hidden(name: str) -> bool:
    """Whether a member of a zip is what a system writes beside the files, such as `._cover.csv`."""
    parts = PurePosixPath(name).parts
    return not parts or any(map(is_litter, parts))


def _opendocument(parts: dict[str, bytes], mimetype: bytes) -> Kind:
    """Return the kind of an OpenDocument file that may be read.

    Raises:
        RefusedError: it is no spreadsheet, is encrypted, or holds macros.
    """
    if _ENCRYPTED.search(parts.get(_MANIFEST, b"")):
        fix = "Save it without a password (File, Save As) and send it again."
        raise RefusedError("the workbook is encrypted with a password", fix)
    if mimetype not in {_SPREADSHEET, _SPREADSHEET + b"-template"}:
        raise RefusedError("the file is an OpenDocument file, but not a spreadsheet", SAVE_AS)
    if any(name.lower().startswith(("basic/", "scripts/")) for name in parts):
        raise RefusedError("the workbook holds macros", SAVE_AS, "S006")
    if "content.xml" not in parts:
        raise RefusedError("the OpenDocument file (.ods) lacks its content", SEND_AGAIN)
    return "ods"


def _refuse_macros(parts: dict[str, bytes], lower: dict[str, str]) -> None:
    """Refuse macros by their being there: the ending .xlsm alone carries none."""
    related = (_ascii(parts[name]).lower() for low, name in lower.items() if low.endswith(".rels"))
    if (
        any("vbaproject" in low.rpartition("/")[2] for low in lower)
        or any(b"/vbaproject" in content for content in related)
        or any(low.startswith("xl/macrosheets/") for low in lower)
    ):
        raise RefusedError("the workbook holds macros", SAVE_AS, "S006")


def _ascii(xml: bytes) -> bytes:
    """Return XML whose names can be searched for, though it may be in UTF-16."""
    return xml.replace(b"\0", b"")


def _refuse_entities(name: str, content: bytes) -> None:
    def refuse(*_: object) -> None:
        raise RefusedError(
            f"{visible(name)!r} declares XML entities, which no Excel workbook does", SAVE_AS
        )

    parser = expat.ParserCreate()
    parser.StartDoctypeDeclHandler = refuse
    parser.EntityDeclHandler = refuse
    # Damage is found by who reads the part: that of looks and properties hides no figure.
    with suppress(expat.ExpatError, LookupError):  # a LookupError names an unknown encoding
        parser.Parse(content, True)
