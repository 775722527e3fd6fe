"""A file that is no return is told by what it is, with the way out."""

import struct
import tomllib
from importlib import resources
from pathlib import Path

import pytest

from assets.intake.reader import read_return

ROOT = Path(__file__).parents[2]
OLE = bytes.fromhex("d0cf11e0a1b11ae1")


def ole(*names: str, noise: str = "") -> bytes:
    """Return an OLE file with a directory of these streams, and other text in its last sector."""
    entries = b"".join(
        name.encode("utf-16-le").ljust(64, b"\0")
        + struct.pack("<HB", 2 * len(name) + 2, 5 if name == "Root Entry" else 2)
        + bytes(61)
        for name in ("Root Entry", *names)
    )
    sectors = -(-len(entries) // 512)
    header = bytearray(512)
    header[:8] = OLE
    struct.pack_into("<HH", header, 26, 3, 0xFFFE)
    struct.pack_into("<H", header, 30, 9)
    struct.pack_into("<II", header, 44, 1, 1)
    struct.pack_into("<109I", header, 76, 0, *[0xFFFFFFFF] * 108)
    chain = [*range(2, sectors + 1), 0xFFFFFFFE]
    table = struct.pack("<128I", 0xFFFFFFFD, *chain, *[0xFFFFFFFF] * (127 - len(chain)))
    return bytes(header) + table + entries.ljust(sectors * 512, b"\0") + noise.encode("utf-16-le")


SPACES = ("\x06DataSpaces", "DataSpaceMap")
MAIL = b"Received: by x\r\n (for y)\r\nFrom: a@b.uk\r\nSubject: return\r\n\r\nHello\r\n"

FILES = {
    "password": (
        ole(*SPACES, "StrongEncryptionDataSpace", "EncryptionInfo", "EncryptedPackage"), "password"
    ),
    "label": (ole(*SPACES, "DRMEncryptedDataSpace", "EncryptedPackage"), "sensitivity label"),
    "label by a look": (
        OLE + bytes(504) + "DRMEncryptedDataSpace EncryptedPackage".encode("utf-16-le"),
        "sensitivity label",
    ),
    "password by a look": (OLE + "EncryptedPackage".encode("utf-16-le"), "password"),
    "mail": (ole("__nameid_version1.0", "__properties_version1.0"), "mail message"),
    "xls": (ole("Workbook"), "old Excel format (.xls)"),
    "xls that speaks of it": (ole("Workbook", noise="EncryptedPackage"), "old Excel format"),
    "xls of Excel 5": (ole("Book"), "old Excel format"),
    "doc": (ole("WordDocument"), "Word document"),
    "ppt": (ole("PowerPoint Document"), "PowerPoint"),
    "damaged OLE": (OLE + bytes(2000), "old Excel format (.xls)"),
    "cut OLE": (ole("Workbook")[:700], "old Excel format"),
    "BIFF": (b"\x09\x08\x10\x00" + bytes(99), "old Excel format"),
    "PDF": (b"%PDF-1.7", "a PDF"),
    "PNG": (b"\x89PNG\r\n", "picture"),
    "JPEG": (b"\xff\xd8\xff\xe0", "picture"),
    "RAR": (b"Rar!\x1a\x07", "RAR"),
    "7z": (b"7z\xbc\xaf\x27\x1c", "7-Zip"),
    "gzip": (b"\x1f\x8b\x08", "gzip"),
    "empty zip": (b"PK\x05\x06" + bytes(18), "empty zip"),
    "Parquet": (b"PAR1xx", "Parquet"),
    "HTML": (b"\xef\xbb\xbf\r\n<html><table>", "web page"),
    "HTML in UTF-16": ("<HTML><table>".encode("utf-16"), "web page"),
    "XML of 2003": (
        b'<?xml version="1.0"?><Workbook xmlns="urn:schemas-microsoft-com:office:spreadsheet">',
        "Excel 2003",
    ),
    "fods": (
        b'<?xml version="1.0"?>'
        b'<o:document xmlns:o="urn:oasis:names:tc:opendocument:xmlns:office:1.0">',
        ".fods",
    ),
    "eml": (MAIL, "mail message"),
    "CSV": (b"code,label,value\r\ntemplate,Template,returns\r\n", "single CSV file"),
    "CSV in UTF-16": ("code;label\r\na;b\r\n".encode("utf-16"), "single CSV file"),
    "zeros": (bytes(5000), "zeros"),
    "empty": (b"", "empty"),
    "shortcut": (b"[InternetShortcut]\r\nURL=x", "shortcut"),
    "text": (b"hello", "not an Excel workbook"),
}  # fmt: skip


@pytest.mark.parametrize("name", FILES)
def test_a_file_is_told_by_what_it_is(name: str, tmp_path: Path) -> None:
    content, word = FILES[name]
    (tmp_path / "STF.xlsx").write_bytes(content)
    refusal = read_return(tmp_path / "STF.xlsx").refusal
    assert refusal is not None
    assert word in refusal.problem
    assert refusal.fix.endswith(".")
    assert ("password" in refusal.problem + refusal.fix) == (word == "password")


def test_every_refusal_has_a_way_out() -> None:
    """A name that is not in the table would hide why a file was refused."""
    text = resources.files("assets.intake").joinpath("refusals.toml").read_text(encoding="utf-8")
    told = tomllib.loads(text)
    fixes = [row[1] for row in told["says"].values() if row[1] != "{fix}"]
    for name in ("begins", "texts", "streams"):
        fixes += [fix for _, what, fix in told["tells"][name] if what]
    assert set(fixes) <= set(told["fixes"])
    code = "".join(path.read_text() for path in (ROOT / "assets" / "intake").glob("*.py"))
    called = {row[2] for row in told["tells"]["begins"] if not row[1]}
    assert all(f'"{name}"' in code or name in called for name in told["says"])
