"""A zip that says two things, or more than it holds, is refused by name, and the others go on."""

import io
import struct
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path

import pytest

from assets.intake import reader
from assets.intake.container import open_container
from assets.intake.reader import read_return
from assets.intake.reading import RefusedError
from pipelines.cli.main import muster
from schemas.collection import Collection
from tests.returns import SampleReturn

LOCAL, CENTRAL, END = b"PK\x03\x04", b"PK\x01\x02", b"PK\x05\x06"
Spoil = Callable[[bytes], bytes]


@pytest.fixture(scope="module")
def content(tmp_path_factory: pytest.TempPathFactory, collection: Collection) -> bytes:
    path = tmp_path_factory.mktemp("zip") / "STF.xlsx"
    return SampleReturn.of("STF", collection).write(path).read_bytes()


def _put(magic: bytes, offset: int, form: str, value: int, *, last: bool = False) -> Spoil:
    """Put a number into the first or last header of a kind."""

    def spoil(content: bytes) -> bytes:
        damaged = bytearray(content)
        at = content.rindex(magic) if last else content.index(magic)
        struct.pack_into(form, damaged, at + offset, value)
        return bytes(damaged)

    return spoil


def _overlapping(content: bytes) -> bytes:
    """Let two entries of the directory share the same bytes."""
    first = content.index(CENTRAL)
    second = content.index(CENTRAL, first + 4)
    damaged = bytearray(content)
    damaged[second + 42 : second + 46] = content[first + 42 : first + 46]
    return bytes(damaged)


def _longer_than_told(content: bytes) -> bytes:
    """Pack more than the size says; the checksum is that of the beginning alone."""
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("cover.csv", b"code,label\n" * 50)
    packed = bytearray(target.getvalue())
    crc = zlib.crc32(b"code,label\n")
    for magic, at in ((LOCAL, 14), (CENTRAL, 16)):
        start = packed.index(magic) + at
        struct.pack_into("<I", packed, start, crc)
        struct.pack_into("<I", packed, start + 8, len(b"code,label\n"))
    del content
    return bytes(packed)


def _packed_by(method: int) -> Spoil:
    def spoil(_: bytes) -> bytes:
        target = io.BytesIO()
        with zipfile.ZipFile(target, "w", method) as archive:
            archive.writestr("cover.csv", b"code,label\n")
        return target.getvalue()

    return spoil


DAMAGE: dict[str, Spoil] = {
    "offset of the directory": _put(END, 16, "<I", 1_000_000),
    "offset beyond": _put(CENTRAL, 42, "<I", 0x7FFFFFFF),
    "offset behind": _put(END, 16, "<I", 5, last=True),
    "offset of zip64": _put(CENTRAL, 42, "<I", 0xFFFFFFFF),
    "size of zip64": _put(CENTRAL, 24, "<I", 0xFFFFFFFF),
    "overlapping": _overlapping,
    "local magic": _put(LOCAL, 0, "<I", 0, last=True),
    "local name": _put(LOCAL, 30, "<I", 0x41414141, last=True),
    "local size": _put(LOCAL, 22, "<I", 7, last=True),
    "local method": _put(LOCAL, 8, "<H", 0, last=True),
    "local extra": _put(LOCAL, 28, "<H", 0xFFFF, last=True),
    "size": _put(CENTRAL, 24, "<I", 7),
    "packed size": _put(CENTRAL, 20, "<I", 7),
    "packed size beyond": _put(CENTRAL, 20, "<I", 0x7FFFFFFF, last=True),
    "checksum": _put(CENTRAL, 16, "<I", 7),
    "method": _put(CENTRAL, 10, "<H", 99),
    "version": _put(CENTRAL, 6, "<H", 0xFFFF),
    "number of parts": _put(END, 10, "<H", 3),
    "size of the directory": _put(END, 12, "<I", 10),
    "two directories": lambda content: content + content,
    "something before": lambda content: content[:100] + content,
    "longer than told": _longer_than_told,
    "bzip2": _packed_by(zipfile.ZIP_BZIP2),
    "lzma": _packed_by(zipfile.ZIP_LZMA),
}


@pytest.mark.parametrize("name", DAMAGE)
def test_a_zip_that_does_not_fit_together_is_refused(
    name: str, content: bytes, tmp_path: Path
) -> None:
    path = tmp_path / "STF.xlsx"
    path.write_bytes(DAMAGE[name](content))
    refusal = read_return(path).refusal
    assert refusal is not None
    assert any(word in refusal.problem for word in ("zip", "unpacks to"))
    assert refusal.fix.endswith(".")


def test_what_nobody_thought_of_is_a_refusal_without_the_cell(
    content: bytes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A fault of our reader refuses one file; too little memory is no fault of the file."""
    path = tmp_path / "STF.xlsx"
    path.write_bytes(content)

    def stumble(error: BaseException) -> Callable[[object], object]:
        def read(_: object) -> object:
            raise error

        return read

    for error in (struct.error("Smith"), OverflowError("Smith"), RecursionError("Smith")):
        monkeypatch.setattr(reader, "read_workbook", stumble(error))
        refusal = read_return(path).refusal
        assert refusal is not None
        assert type(error).__name__ in refusal.problem
        assert "Smith" not in refusal.problem + refusal.fix
    for passing in (MemoryError(), KeyboardInterrupt()):
        monkeypatch.setattr(reader, "read_workbook", stumble(passing))
        with pytest.raises(type(passing)):
            read_return(path)


def test_check_names_the_file_and_goes_on(
    content: bytes, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    good, bad = tmp_path / "good.xlsx", tmp_path / "bad\x1b[31m.xlsx"
    good.write_bytes(content)
    bad.write_bytes(DAMAGE["overlapping"](content))
    with pytest.raises(SystemExit) as ended:
        muster(["check", str(bad), str(good)], prog_name="muster")
    said = capsys.readouterr().out
    assert ended.value.code == 2
    assert "bad\\x1b[31m.xlsx: force not known, rejected" in said
    assert "good.xlsx: STF, accepted" in said
    assert "\x1b" not in said


def test_a_directory_of_very_many_parts_is_not_even_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """To read tens of thousands takes seconds, in which others wait."""
    path = tmp_path / "many.zip"
    with zipfile.ZipFile(path, "w") as archive:
        for number in range(600):
            archive.writestr(str(number), b"")
    monkeypatch.setattr(zipfile, "ZipFile", None)
    with pytest.raises(RefusedError, match="600 parts"):
        open_container(path)
