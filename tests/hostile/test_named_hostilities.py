"""The hostile and broken files that are known by name: each refused or found, each with its word.

Driven through the command, one after another in a process of its own, so that what it takes in
memory is seen.
"""

import io
import json
import subprocess
import sys
import zipfile
from collections.abc import Callable
from random import Random
from typing import Any

import pytest
from openpyxl import load_workbook

from schemas.collection import Collection
from tests.returns import SampleReturn

MEMORY_MB = 300
Make = Callable[[bytes], bytes]

OLE = bytes.fromhex("d0cf11e0a1b11ae1")
HEAD = b'<?xml version="1.0" encoding="UTF-8" standalone="yes"?>'


def _rewrite(change: Callable[[str, bytes], bytes], **more: bytes) -> Make:
    def make(content: bytes) -> bytes:
        target = io.BytesIO()
        with (
            zipfile.ZipFile(io.BytesIO(content)) as source,
            zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive,
        ):
            for name in source.namelist():
                archive.writestr(name, change(name, source.read(name)))
            for name, part in more.items():
                archive.writestr(name, part)
        return target.getvalue()

    return make


def _in_first_sheet(old: bytes, new: bytes) -> Make:
    return _rewrite(
        lambda name, part: part.replace(old, new, 1) if name.endswith("sheet1.xml") else part
    )


def _book(change: Callable[[Any], None]) -> Make:
    def make(content: bytes) -> bytes:
        book = load_workbook(io.BytesIO(content))
        change(book)
        target = io.BytesIO()
        book.save(target)
        return target.getvalue()

    return make


def _set(sheet: str, cell: str, value: Any) -> Make:
    return _book(lambda book: book[sheet].__setitem__(cell, value))


def _zip(members: dict[str, bytes], method: int = zipfile.ZIP_DEFLATED) -> Make:
    def make(_: bytes) -> bytes:
        target = io.BytesIO()
        with zipfile.ZipFile(target, "w", method) as archive:
            for name, content in members.items():
                archive.writestr(name, content)
        return target.getvalue()

    return make


def _with_rows(count: int) -> Make:
    def make(content: bytes) -> bytes:
        row = b'<row r="%d" s="1" customFormat="1"/>'
        rows = b"".join(row % number for number in range(100, 100 + count))
        return _in_first_sheet(b"</sheetData>", rows + b"</sheetData>")(content)

    return make


def _hide_row(book: Any) -> None:
    book["registers"].row_dimensions[6].hidden = True


def _rename(book: Any) -> None:
    book.create_sheet("Registers2").append(["x"])
    book["Registers2"].title = "REGISTERS "


FILES: dict[str, tuple[Make, int, str]] = {
    "encrypted": (lambda _: OLE + "EncryptedPackage".encode("utf-16-le"), 2, "password"),
    "xls": (lambda _: OLE + bytes(2000), 2, "old Excel format (.xls)"),
    "xlsb": (_zip({"xl/workbook.bin": b"x"}), 2, ".xlsb"),
    "ods": (_zip({"mimetype": b"application/vnd.oasis.opendocument.spreadsheet"}), 2, ".ods"),
    "bomb by ratio": (_zip({"investigations.csv": bytes(200_000_000)}), 2, "packed size"),
    "bomb by total": (
        _zip({f"{n}.csv": Random(n).randbytes(30_000) * 33 for n in range(16)}), 2, "unpacks to",
    ),
    "cell far out": (
        _in_first_sheet(
            b"</sheetData>", b'<row r="1048576"><c r="XFD1048576"><v>1</v></c></row></sheetData>'
        ), 2, "XFD1048576",
    ),
    "a million styled rows": (_with_rows(1_000_000), 2, "unpacks to"),
    "many styled rows": (_with_rows(200_000), 0, ""),
    "entity bomb": (
        _in_first_sheet(
            HEAD, HEAD + b'<!DOCTYPE l [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;&a;&a;">]>'
        ), 2, "XML entities",
    ),
    "path traversal": (_zip({"../../etc/cron.csv": b"x"}), 2, "outside itself"),
    "absolute name": (_zip({"/etc/cron.csv": b"x"}), 2, "outside itself"),
    "drive name": (_zip({"C:\\cron.csv": b"x"}), 2, "outside itself"),
    "truncated": (lambda content: content[:9000], 2, "damaged or cut off"),
    "wrong magic": (lambda _: b"GIF89a" + bytes(500), 2, "not an Excel workbook"),
    "macros": (_rewrite(lambda _, part: part, **{"xl/vbaProject.bin": b"x"}), 2, "macros"),
    "macro type": (
        _rewrite(
            lambda name, part: part.replace(
                b"spreadsheetml.sheet.main", b"vnd.ms-excel.sheet.macroEnabled.main"
            ) if name.startswith("[Content") else part
        ), 0, "",
    ),
    "macros under another name": (
        _rewrite(lambda _, part: part, **{"xl/VBAPROJECT.bin": b"x"}), 2, "macros",
    ),
    "unknown encoding": (_in_first_sheet(b'encoding="UTF-8"', b'encoding="abc"'), 2, "damaged"),
    "external links": (
        _rewrite(lambda _, part: part, **{"xl/externalLinks/externalLink1.xml": b"<x/>"}), 1,
        "links to other files",
    ),
    "error cell": (_set("comparators", "C6", "#REF!"), 1, "an error"),
    "uncalculated": (_set("comparators", "C6", "=2+2"), 1, "never calculated"),
    "hidden sheet": (
        _book(lambda book: setattr(book["registers"], "sheet_state", "hidden")), 0, "is hidden",
    ),
    "hidden row": (_book(_hide_row), 0, "hidden rows"),
    "merged": (_book(lambda book: book["registers"].merge_cells("C6:D6")), 1, "merged"),
    "alike by case": (_book(_rename), 1, "differ only by case"),
    "control character": (_set("cover", "C17", "a_x0007_b"), 0, ""),
    "look-alike letter": (_set("investigations", "A18", "sеcond_jobs"), 1, "CYRILLIC SMALL LETTER"),
    "bidirectional": (_set("investigations", "A18", "\u202esecond_jobs"), 1, "RIGHT-TO-LEFT"),
    "full-width digits": (_set("comparators", "C6", "１２"), 1, "FULLWIDTH DIGIT"),
    "1e3": (_set("comparators", "C6", "1e3"), 1, "not a whole number"),
    "NaN": (_set("comparators", "C6", "NaN"), 1, "not a whole number"),
    "-0": (_set("comparators", "C6", "-0"), 1, "below zero"),
    "+5": (_set("comparators", "C6", "+5"), 1, "not a whole number"),
    "beyond int64": (_set("comparators", "C6", "9223372036854775808"), 1, "larger than any"),
    "beyond int64 as number": (_set("comparators", "C6", 1e300), 1, "not a whole number"),
}  # fmt: skip


# Peak memory since the start of this program; what getrusage tells includes its parent's.
_RUN = """
import contextlib, io, json, re, sys
from pathlib import Path
from pipelines.cli.main import muster
for path in sys.argv[1:]:
    said = io.StringIO()
    try:
        with contextlib.redirect_stdout(said):
            muster(["check", "--json", path], prog_name="muster")
        code = None
    except SystemExit as ended:
        code = ended.code
    peak = re.search(r"VmHWM:\\s+(\\d+)", Path("/proc/self/status").read_text())[1]
    print(json.dumps([code, said.getvalue(), int(peak)]))
"""
HUGE = "two gigabytes"


@pytest.fixture(scope="module")
def checked(
    tmp_path_factory: pytest.TempPathFactory, collection: Collection
) -> dict[str, tuple[int, dict[str, Any], float]]:
    """Of every file by its name the exit code, the one object of the output, and memory in MB."""
    folder = tmp_path_factory.mktemp("hostile")
    original = SampleReturn.of("STF", collection).write(folder / "STF.xlsx").read_bytes()
    paths = {name: folder / str(number) / "STF.xlsx" for number, name in enumerate([*FILES, HUGE])}
    for name, path in paths.items():
        path.parent.mkdir()
        if name == HUGE:
            with path.open("wb") as file:
                file.truncate(2 * 1024**3)
        else:
            path.write_bytes(FILES[name][0](original))
    command = [sys.executable, "-c", _RUN, *map(str, paths.values())]
    done = subprocess.run(command, capture_output=True, check=True, text=True)
    assert "Traceback" not in done.stderr, done.stderr
    found = {}
    for name, line in zip(paths, done.stdout.splitlines(), strict=True):
        code, said, peak = json.loads(line)
        (document,) = json.loads(said)
        found[name] = code, document, peak / 1024
    return found


@pytest.mark.slow
@pytest.mark.parametrize("name", FILES)
def test_a_hostile_file_is_refused_or_found(
    name: str, checked: dict[str, tuple[int, dict[str, Any], float]]
) -> None:
    _, code, word = FILES[name]
    exit_code, document, memory = checked[name]
    assert exit_code == code, document
    messages = [finding["message"] for finding in document["findings"]]
    assert not word or any(word in message for message in messages), messages
    assert all(finding["how_to_fix"] for finding in document["findings"])
    assert memory < MEMORY_MB


@pytest.mark.slow
def test_a_file_of_two_gigabytes_is_refused_unread(
    checked: dict[str, tuple[int, dict[str, Any], float]],
) -> None:
    exit_code, document, memory = checked[HUGE]
    assert (exit_code, document["findings"][0]["rule_id"]) == (2, "S001")
    assert "2,048 MB" in document["findings"][0]["message"]
    assert memory < MEMORY_MB
