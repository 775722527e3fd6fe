"""What a file is that is no return: told from its bytes, so that its sender knows what to send.

Belongs here: the kinds of file that come instead of a return, and the way out of each. Does not:
opening what may be one (container.py).
"""

import struct
from typing import Final

from assets.intake.reading import RefusedError

OLE_MAGIC: Final = bytes.fromhex("d0cf11e0a1b11ae1")
SAVE_AS: Final = "Open it in Excel, save it as an Excel workbook (.xlsx), and send that."
SEND_AGAIN: Final = "Send the file again; if it fails again, save it anew in Excel first."

_WORKBOOK: Final = "Send the return workbook (.xlsx) itself."
_UNPACK: Final = "Unpack it and send the return workbook (.xlsx) itself."
_DETACH: Final = "Save the workbook that is attached to the mail, and send that alone."
_PROTECTED: Final = RefusedError(
    "the workbook is protected by a sensitivity label (rights management), so that it opens for"
    " its owner's organisation alone",
    "Choose a label without protection (Home, Sensitivity), or File, Info, Protect Workbook,"
    " Restrict Access, Unrestricted Access; then save it and send it again.",
)
PASSWORD: Final = RefusedError(
    "the workbook is encrypted with a password",
    "Remove the password (File, Info, Protect Workbook) and send it again.",
)

_BEGINNINGS: Final[tuple[tuple[bytes, str, str], ...]] = (
    (b"%PDF", "a PDF", SAVE_AS),
    (b"\x89PNG", "a picture (PNG)", _WORKBOOK),
    (b"\xff\xd8\xff", "a picture (JPEG)", _WORKBOOK),
    (b"GIF8", "a picture (GIF)", _WORKBOOK),
    (b"II*\0", "a picture (TIFF)", _WORKBOOK),
    (b"MM\0*", "a picture (TIFF)", _WORKBOOK),
    (b"\0\0\0\x18ftyp", "a picture or a recording", _WORKBOOK),
    (b"\0\0\0\x1cftyp", "a picture or a recording", _WORKBOOK),
    (b"\0\0\0\x20ftyp", "a picture or a recording", _WORKBOOK),
    (b"BM", "a picture (BMP)", _WORKBOOK),
    (b"RIFF", "a picture or a recording", _WORKBOOK),
    (b"Rar!", "a RAR archive", _UNPACK),
    (b"7z\xbc\xaf\x27\x1c", "a 7-Zip archive", _UNPACK),
    (b"\x1f\x8b", "a gzip archive", _UNPACK),
    (b"BZh", "a bzip2 archive", _UNPACK),
    (b"\xfd7zXZ", "an xz archive", _UNPACK),
    (b"PK\x05\x06", "an empty zip", _WORKBOOK),
    (b"PK\x07\x08", "one part of a zip that was split", "Send it as one zip, or the workbook."),
    (b"PAR1", "a Parquet file", "Send case-level extracts to the folder `cases`."),
    (b"ID;P", "a SYLK file (.slk)", SAVE_AS),
    (b"{\\rtf", "a text document (RTF)", SAVE_AS),
    (b"MZ", "a program", _WORKBOOK),
    (b"L\0\0\0\x01\x14\x02\0", "a shortcut to a file", "Send the file itself."),
    (b"[InternetShortcut]", "a shortcut to a page", "Download the workbook and send that."),
    (b"\0\x05\x16\x07", "what a Mac writes beside a file (._name)", "Send the file itself."),
)

_BIFF: Final = (b"\x09\0\x04\0", b"\x09\x02\x06\0", b"\x09\x04\x06\0", b"\x09\x08")
"""How workbooks of Excel 2 to 5 begin, which are no OLE files."""
_XLS: Final = RefusedError("the file is in the old Excel format (.xls)", SAVE_AS)

_STREAMS: Final[tuple[tuple[tuple[str, ...], RefusedError], ...]] = (
    (("EncryptionInfo",), PASSWORD),
    (("DRMEncryptedDataSpace", "DRMEncryptedTransform", "\tDRMContent"), _PROTECTED),
    (("EncryptedPackage",), PASSWORD),
    (
        ("__properties_version1.0", "__nameid_version1.0"),
        RefusedError("the file is a mail message (.msg)", _DETACH),
    ),
    (("Workbook", "Book"), _XLS),
    (("WordDocument",), RefusedError("the file is a Word document (.doc)", SAVE_AS)),
    (("PowerPoint Document",), RefusedError("the file is a PowerPoint file (.ppt)", _WORKBOOK)),
)
"""What the names of the streams in an OLE file tell, the first that is there.

A label's encryption has no EncryptionInfo; a password's has the folder of data spaces as well.
"""

_PAGE: Final = "a web page (HTML) under another name"
_FLAT: Final = "Open it in LibreOffice, save it as .ods or .xlsx, and send that."
_TEXTS: Final = (
    (
        (b"", b"urn:schemas-microsoft-com:office:spreadsheet"),
        "an XML spreadsheet of Excel 2003",
        SAVE_AS,
    ),
    ((b"", b"urn:oasis:names:tc:opendocument"), "a flat OpenDocument file (.fods)", _FLAT),
    *(
        ((tag,), _PAGE, SAVE_AS)
        for tag in (b"<!doctype html", b"<html", b"<table", b"<head", b"<meta", b"<body", b"<div")
    ),
    ((b"<?xml", b"<html"), _PAGE, SAVE_AS),
    ((b"mime-version:", b"multipart/related"), "a web page in one file (.mht)", SAVE_AS),
    ((b"{", b'"doc_id"'), "a shortcut to a Google sheet", "Download it as .xlsx and send that."),
)
"""How a text begins, and what else is in it; the first that fits tells what it is."""
_MAIL_HEADERS: Final = {
    b"subject", b"from", b"to", b"date", b"received", b"mime-version", b"message-id",
    b"return-path", b"delivered-to",
}  # fmt: skip
_FEW_LINES: Final = 60
_LOOKED_AT: Final = 64 * 1024
_LONGEST_CHAIN: Final = 4096


def foreign(content: bytes) -> RefusedError:
    """Return why a file that does not begin like a zip is refused, and what to send instead."""
    if not content:
        return RefusedError("the file is empty", SEND_AGAIN)
    if not content.strip(b"\0"):
        return RefusedError("the file holds nothing but zeros: it was not copied whole", SEND_AGAIN)
    if content.startswith(OLE_MAGIC):
        return _ole(content)
    if content.startswith(_BIFF):
        return _XLS
    for beginning, kind, fix in _BEGINNINGS:
        if content.startswith(beginning):
            return _other(kind, fix)
    return _text(content)


def _other(kind: str, fix: str) -> RefusedError:
    return RefusedError(f"the file is {kind}, not an Excel workbook", fix)


def _text(content: bytes) -> RefusedError:
    head = content[:_LOOKED_AT]
    if head.startswith((b"\xff\xfe", b"\xfe\xff")):
        head = head.decode("utf-16", errors="replace").encode()
    head = head.removeprefix(b"\xef\xbb\xbf").lstrip()
    low = head.lower()
    for marks, kind, fix in _TEXTS:
        if low.startswith(marks[0]) and all(mark in low for mark in marks[1:]):
            return _other(kind, fix)
    if _begins_like_mail(head):
        return RefusedError("the file is a mail message (.eml)", _DETACH)
    lines = head.splitlines()[:_FEW_LINES]
    if any(sum(line.count(c) for line in lines) >= len(lines) > 1 for c in (b",", b";", b"\t")):
        return RefusedError(
            "the file is a single CSV file, not an Excel workbook, and a return has six sheets",
            "Send the workbook (.xlsx), or a zip of all its sheets as CSV files.",
        )
    return RefusedError("the file is not an Excel workbook, whatever its name", SAVE_AS)


def _begins_like_mail(head: bytes) -> bool:
    names = set()
    for line in head.splitlines()[:_FEW_LINES]:
        name, colon, _ = line.partition(b":")
        if not line.startswith((b" ", b"\t")) and not colon:
            break
        names.add(name.lower())
    return len(names & _MAIL_HEADERS) > 1


def _ole(content: bytes) -> RefusedError:
    """Tell an OLE file by its streams; a damaged one, whose directory cannot be read, by a look."""
    try:
        names = _stream_names(content)
    except (struct.error, IndexError, ValueError):
        names = set()
    for known, refusal in _STREAMS:
        found = names.intersection(known) or (
            not names and any(name.encode("utf-16-le") in content for name in known)
        )
        if found:
            return refusal
    return _XLS


def _stream_names(content: bytes) -> set[str]:
    """Return the names in the directory of an OLE file; empty where it has none that holds."""
    (shift,) = struct.unpack_from("<H", content, 30)
    (first,) = struct.unpack_from("<I", content, 48)
    if shift not in {9, 12}:
        return set()
    size = 1 << shift
    tables = struct.unpack_from("<109I", content, 76)
    names: set[str] = set()
    sector = first
    for _ in range(_LONGEST_CHAIN):
        start = (sector + 1) * size
        page = content[start : start + size]
        if len(page) < size:
            break
        for entry in range(0, size, 128):
            (length,) = struct.unpack_from("<H", page, entry + 64)
            if page[entry + 66] and 2 <= length <= 64:
                name = page[entry : entry + length - 2]
                names.add(name.decode("utf-16-le", errors="replace"))
        table = tables[sector // (size // 4)]
        (sector,) = struct.unpack_from("<I", content, (table + 1) * size + sector % (size // 4) * 4)
    return names if "Root Entry" in names else set()
