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

from assets.intake.landing import is_litter
from assets.intake.reading import REFUSALS, RefusedError, refusal
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
_ENTRY_MAGIC: Final = b"PK\x01\x02"
_END_MAGIC: Final = b"PK\x05\x06"
_LOCAL_HEADER: Final = struct.Struct("<4s5H3I2H")
_SIZES_FOLLOW: Final = 0x8
"""Flag of a part whose sizes stand behind it, so that its header has zeros."""
_ZIP64: Final = 0xFFFFFFFF
_MANY: Final = 0xFFFF
"""What stands for a number that has its place elsewhere, as large zips have it."""

_BOOKS: Final = (".xlsx", ".xlsm", ".xlsb", ".xls", ".ods")
_ARCHIVES: Final = (".zip", ".7z", ".rar", ".gz")
_DRIVE: Final = re.compile(r"[A-Za-z]:")
_MANIFEST: Final = "META-INF/manifest.xml"
_SPREADSHEET: Final = b"application/vnd.oasis.opendocument.spreadsheet"
_OLE_MAGIC: Final = bytes.fromhex("d0cf11e0a1b11ae1")
_TELLS: Final = REFUSALS["tells"]
"""What tells files that are no returns."""
_FEW_LINES: Final = 60
_LOOKED_AT: Final = 64 * 1024
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
        raise _foreign(content)
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
        raise refusal("link")
    if not stat.S_ISREG(status.st_mode):
        raise refusal("no_file")
    if status.st_size > MAX_FILE:
        raise refusal("large", size=f"{status.st_size / MIB:,.0f}", limit=MAX_FILE // MIB)


def _unpacked(content: bytes) -> dict[str, bytes]:
    """Return the content of every member, so that nothing later meets damaged content.

    The directory is read by zipfile; the members by us, because their own headers must agree with
    it: a zip that says two things shows different figures to different programs.
    """
    # Counted before they are read, as to read tens of thousands takes seconds.
    if (entries := content.count(_ENTRY_MAGIC)) > MAX_MEMBERS:
        raise refusal("many_parts", count=entries)
    try:
        with zipfile.ZipFile(BytesIO(content)) as archive:
            members = archive.infolist()
            _check_members(members)
            (told,) = struct.unpack_from("<H", content, content.rindex(_END_MAGIC) + 10)
            if _END_MAGIC in archive.comment or told not in {len(members), _MANY}:
                raise refusal("directories")
            found = dict(_parts(content, members, archive.start_dir))
    except (RefusedError, MemoryError):
        raise
    except Exception as error:
        # zipfile lets through whatever a broken directory provokes: struct.error, OverflowError,
        # UnicodeDecodeError, NotImplementedError...
        said = visible(str(error), 100) or type(error).__name__
        raise refusal("damaged_zip", error=said) from error
    return found


def _parts(
    content: bytes, members: list[zipfile.ZipInfo], directory: int
) -> Iterator[tuple[str, bytes]]:
    end = 0
    for member in sorted(members, key=lambda member: member.header_offset):
        name, start = _plain_name(member), member.header_offset
        shown = repr(visible(name))
        if start < end or (not end and start):
            raise refusal("elsewhere", name=shown)
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
            raise refusal("disagree", name=shown)
        if end > directory:
            raise refusal("cut_off", name=shown)
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
        raise refusal("method")
    if not sound or len(part) != member.file_size or zlib.crc32(part) != member.CRC:
        raise refusal("damaged_in", name=repr(visible(_plain_name(member))))
    return part


def _plain_name(member: zipfile.ZipInfo) -> str:
    """Return a member's name with the separator that the zip format has; Windows knows another."""
    return member.filename.replace("\\", "/")


def _check_members(members: list[zipfile.ZipInfo]) -> None:
    seen: set[str] = set()
    for member in members:
        name = _plain_name(member)
        shown = repr(visible(name))
        outside = name.startswith("/") or ".." in PurePosixPath(name).parts or _DRIVE.match(name)
        if outside or "\0" in member.orig_filename:
            raise refusal("outside", name=shown)
        if name.lower() in seen:
            raise refusal("twice", name=shown)
        seen.add(name.lower())
        if member.flag_bits & 0x1:
            raise refusal("encrypted_zip")
        if stat.S_ISLNK(member.external_attr >> 16):
            raise refusal("link_in_zip", name=shown)
        if member.file_size > MIB and member.file_size > MAX_RATIO * member.compress_size:
            size = f"{member.file_size / MIB:,.0f}"
            raise refusal("ratio", name=shown, size=size, limit=MAX_RATIO)
    unpacked = sum(member.file_size for member in members)
    if unpacked > MAX_UNPACKED:
        raise refusal("unpacks", size=f"{unpacked / MIB:,.0f}", limit=MAX_UNPACKED // MIB)


def _kind(parts: dict[str, bytes]) -> Kind:
    """Tell what the members are together, whatever the case of their names."""
    lower = {name.lower(): name for name in parts}
    types = _ascii(parts.get(lower.get("[content_types].xml", ""), b""))
    mimetype = parts.get("mimetype", b"").strip()
    if "content.xml" in parts and _SPREADSHEET in _ascii(parts.get(_MANIFEST, b"")):
        mimetype = mimetype or _SPREADSHEET  # some programs that pack it anew leave it out
    if mimetype.startswith(b"application/vnd.oasis"):
        if any(name.startswith("xl/") for name in lower):
            raise refusal("two_kinds")
        return _opendocument(parts, mimetype)
    if "xl/workbook.bin" in lower or b"ms-excel.sheet.binary" in types:
        raise refusal("xlsb")
    if any(name.startswith("word/") for name in lower):
        raise refusal("word")
    if any(name.startswith("ppt/") for name in lower):
        raise refusal("powerpoint")
    if "xl/workbook.xml" in lower or b"spreadsheetml" in types:
        _refuse_macros(parts, lower)
        return "workbook"
    if any(name.endswith(".iwa") for name in lower):
        raise refusal("numbers")
    return _packed_files(list(parts))


def _packed_files(names: list[str]) -> Kind:
    """Tell a zip of CSV files from one of other files."""
    plain = [n for n in names if not hidden(n)]
    books = [n for n in plain if n.lower().endswith(_BOOKS)]
    tables = [n for n in plain if n.lower().endswith(".csv")]
    shown = ", ".join(repr(visible(PurePosixPath(n).name)) for n in books[:5])
    if books and tables:
        raise refusal("book_and_csv", books=shown)
    if books:
        raise refusal("books" if len(books) > 1 else "book", count=len(books), books=shown)
    if tables or any(n.lower().endswith(OTHER_TABLES) for n in plain):
        return "csv"
    if any(name.lower().endswith(_ARCHIVES) for name in plain):
        raise refusal("zip_in_zip")
    raise refusal("neither")


OTHER_TABLES: Final = (".tsv", ".txt")
"""How the sheets may end where none is .csv; Excel calls those in UTF-16 .txt."""


def hidden(name: str) -> bool:
    """Whether a member of a zip is what a system writes beside the files, such as `._cover.csv`."""
    parts = PurePosixPath(name).parts
    return not parts or any(map(is_litter, parts))


def _opendocument(parts: dict[str, bytes], mimetype: bytes) -> Kind:
    """Return the kind of an OpenDocument file that may be read."""
    if _ENCRYPTED.search(parts.get(_MANIFEST, b"")):
        raise refusal("password")
    if mimetype not in {_SPREADSHEET, _SPREADSHEET + b"-template"}:
        raise refusal("no_spreadsheet")
    if any(name.lower().startswith(("basic/", "scripts/")) for name in parts):
        raise refusal("macros")
    if "content.xml" not in parts:
        raise refusal("no_content")
    return "ods"


def _refuse_macros(parts: dict[str, bytes], lower: dict[str, str]) -> None:
    """Refuse macros by their being there: the ending .xlsm alone carries none."""
    related = (_ascii(parts[name]).lower() for low, name in lower.items() if low.endswith(".rels"))
    if (
        any("vbaproject" in low.rpartition("/")[2] for low in lower)
        or any(b"/vbaproject" in content for content in related)
        or any(low.startswith("xl/macrosheets/") for low in lower)
    ):
        raise refusal("macros")


def _ascii(xml: bytes) -> bytes:
    """Return XML whose names can be searched for, though it may be in UTF-16."""
    return xml.replace(b"\0", b"")


def _refuse_entities(name: str, content: bytes) -> None:
    def refuse(*_: object) -> None:
        raise refusal("entities", name=repr(visible(name)))

    # Most parts declare nothing. In every encoding that the parser takes these two characters are
    # those of ASCII, or have zeros beside them.
    if b"<!" not in content and b"\0" not in content:
        return
    parser = expat.ParserCreate()
    parser.StartDoctypeDeclHandler = refuse
    parser.EntityDeclHandler = refuse
    # Damage is found by who reads the part: that of looks and properties hides no figure.
    with suppress(expat.ExpatError, LookupError):  # a LookupError names an unknown encoding
        parser.Parse(content, True)


def _foreign(content: bytes) -> RefusedError:
    """Return why a file that does not begin like a zip is refused, and what to send instead."""
    if not content.strip(b"\0"):
        return refusal("zeros" if content else "empty")
    if content.startswith(_OLE_MAGIC):
        return _ole(content)
    for beginning, what, fix in _TELLS["begins"]:
        if content.startswith(beginning.encode("latin-1")):
            return refusal("instead", what=what, fix=fix) if what else refusal(fix)
    return _foreign_text(content)


def _foreign_text(content: bytes) -> RefusedError:
    head = content[:_LOOKED_AT]
    if head.startswith((b"\xff\xfe", b"\xfe\xff")):
        head = head.decode("utf-16", errors="replace").encode()
    head = head.removeprefix(b"\xef\xbb\xbf").lstrip()
    low = head.lower().decode("latin-1")
    for (beginning, *more), what, fix in _TELLS["texts"]:
        if low.startswith(beginning) and all(mark in low for mark in more):
            return refusal("instead", what=what, fix=fix)
    lines = head.splitlines()[:_FEW_LINES]
    if _begins_like_mail(lines):
        return refusal("mail")
    if any(sum(line.count(c) for line in lines) >= len(lines) > 1 for c in (b",", b";", b"\t")):
        return refusal("csv")
    return refusal("other")


def _begins_like_mail(lines: list[bytes]) -> bool:
    names = set()
    for line in lines:
        name, colon, _ = line.partition(b":")
        if not line.startswith((b" ", b"\t")) and not colon:
            break
        names.add(name.lower().decode("latin-1"))
    return len(names.intersection(_TELLS["mail_headers"])) > 1


def _ole(content: bytes) -> RefusedError:
    """Tell an OLE file by the entries of its directory; one without them by its bare names."""
    has_entries = _entry("Root Entry") in content
    for known, problem, fix in _TELLS["streams"]:
        names = (_entry(name) if has_entries else name.encode("utf-16-le") for name in known)
        if any(name in content for name in names):
            return RefusedError(problem, REFUSALS["fixes"][fix])
    return refusal("xls")


def _entry(name: str) -> bytes:
    """Return how the directory of an OLE file names a stream: padded, and with the length of it."""
    return name.encode("utf-16-le").ljust(64, b"\0") + struct.pack("<H", 2 * len(name) + 2)
