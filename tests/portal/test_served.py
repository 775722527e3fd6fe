"""The portal as a process that real clients reach: slow, hostile, many at once, and killed."""

import socket
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from zipfile import ZIP_DEFLATED, ZipFile

import anyio
import psutil
import pytest

from pipelines.portal import judges as judges_module
from pipelines.portal import serve, uploads
from pipelines.portal.judges import Judges, TooMuchError
from pipelines.portal.web import Portal
from schemas.collection import Collection
from tests.intake.workbooks import MAIN
from tests.portal.conftest import ACCOUNTS, Browser
from tests.portal.last_hour import last_hour
from tests.portal.served import browsing, served, with_accounts
from tests.returns import SampleReturn

pytestmark = pytest.mark.slow

Open = Callable[..., Browser]


def test_in_the_last_hour_nothing_is_lost_and_nothing_mixed(
    tmp_path: Path, collection: Collection
) -> None:
    told = last_hour(tmp_path, collection)
    assert {each.force_code for each in told} == set(collection.forces)
    landed = {path.name for path in (tmp_path / "landing" / collection.id).iterdir()}
    assert landed == {f"{each.force_code}-{each.sha256[:16]}.xlsx" for each in told}
    for each in told:
        others = {other.sha256 for other in told} - {each.sha256}
        assert not any(sha256 in each.receipt for sha256 in others)


@contextmanager
def _posting(address: str, found: Browser, length: int | None) -> Iterator[socket.socket]:
    """Begin to post a file; the body comes as whoever asked for it likes."""
    found.go("/")
    at = urlsplit(address)
    size = f"Content-Length: {length}" if length is not None else "Transfer-Encoding: chunked"
    with socket.create_connection((at.hostname, at.port), timeout=30) as sending:
        head = (
            f"POST /send HTTP/1.1\r\nHost: {at.netloc}\r\n{size}\r\n"
            f"Cookie: muster={found.client.cookies['muster']}\r\n"
            "Content-Type: multipart/form-data; boundary=b\r\n\r\n"
        )
        sending.sendall(head.encode())
        yield sending


def _chunk(content: bytes) -> bytes:
    return f"{len(content):x}\r\n".encode() + content + b"\r\n"


def _send_a_gigabyte(sending: socket.socket) -> None:
    for _ in range(1024):
        sending.sendall(_chunk(b"0" * 1024**2))


def _begun(token: str) -> bytes:
    return (
        f'--b\r\nContent-Disposition: form-data; name="token"\r\n\r\n{token}\r\n'
        '--b\r\nContent-Disposition: form-data; name="return"; filename="a"\r\n\r\n'
    ).encode()


def test_a_gigabyte_that_is_announced_is_refused_at_once(portal: Portal, address: str) -> None:
    with browsing(address, "stf.prepares") as found, _posting(address, found, 1024**3) as sending:
        assert sending.recv(4096).startswith(b"HTTP/1.1 413")
        assert sending.recv(4096) is not None
    assert list(uploads.uploads_folder(portal).iterdir()) == []


def test_a_gigabyte_in_pieces_is_cut_off_and_fills_no_disk(portal: Portal, address: str) -> None:
    with browsing(address, "stf.prepares") as found, _posting(address, found, None) as sending:
        sending.sendall(_chunk(_begun(found.token)))
        with pytest.raises(OSError, match=r"reset|pipe|abort"):
            _send_a_gigabyte(sending)
    assert list(uploads.uploads_folder(portal).iterdir()) == []


@pytest.mark.parametrize("begun", [b"", b"GET / HTTP/1.1\r\nHost:"])
def test_a_connection_without_a_request_ends(
    address: str, monkeypatch: pytest.MonkeyPatch, begun: bytes
) -> None:
    """Two hundred of them would leave no place for anybody."""
    monkeypatch.setattr(serve, "_PATIENCE", 0.5)
    at = urlsplit(address)
    with socket.create_connection((at.hostname, at.port), timeout=10) as silent:
        silent.sendall(begun)
        assert silent.recv(10) == b""
    with socket.create_connection((at.hostname, at.port), timeout=10) as again:
        again.sendall(b"GET /sign-in HTTP/1.1\r\nHost: here\r\n\r\n")
        assert again.recv(12) == b"HTTP/1.1 200"
        again.sendall(begun)
        while again.recv(4096):
            pass


def test_a_slow_body_blocks_nobody_and_ends(
    portal: Portal, address: str, monkeypatch: pytest.MonkeyPatch, collection: Collection,
    tmp_path: Path,
) -> None:  # fmt: skip
    monkeypatch.setattr(uploads, "PATIENCE", 3)
    other = SampleReturn.of("KEN", collection).write(tmp_path / "KEN.xlsx").read_bytes()
    with browsing(address, "stf.prepares") as found, browsing(address, "ken.prepares") as ken:
        ken.go("/")
        with _posting(address, found, None) as sending:
            sending.sendall(_chunk(_begun(found.token) + b"0" * 1000))
            assert "Receipt KEN-0001" in ken.upload("/send", other).text
            (partial,) = uploads.uploads_folder(portal).iterdir()
            assert sending.recv(4096).startswith(b"HTTP/1.1 408")
        assert not partial.exists()


async def _ask(judges: Judges, *files: tuple[Path, str]) -> list[Any]:
    told: list[Any] = [None] * len(files)

    async def one(number: int) -> None:
        try:
            told[number] = await judges.verdict(*files[number])
        except TooMuchError as error:
            told[number] = error

    async with anyio.create_task_group() as group:
        for number in range(len(files)):
            group.start_soon(one, number)
    return told


def _judging() -> list[psutil.Process]:
    mine = psutil.Process().children()
    return [each for each in mine if "anyio.to_process" in each.cmdline()]


def test_a_file_that_hangs_or_kills_harms_no_other(
    collection: Collection, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    files = []
    for force in ("STF", "KEN", "BTP"):
        (tmp_path / force).mkdir()
        path = SampleReturn.of(force, collection).write(tmp_path / force / "a.xlsx")
        files.append((path, force))

    async def one_after_the_other() -> None:
        judges = Judges(collection.id, number=1)
        await judges.begin()
        (process,) = _judging()
        assert [each["whose"] for each in await _ask(judges, *files)] == ["own"] * 3
        monkeypatch.setattr(judges_module, "PATIENCE", 1.0)
        process.suspend()
        assert isinstance((await _ask(judges, files[0]))[0], TooMuchError)
        monkeypatch.setattr(judges_module, "PATIENCE", 30.0)
        assert [each["whose"] for each in await _ask(judges, *files)] == ["own"] * 3
        # One that was killed from outside, idle or at work, is the fault of no file.
        for wait in (None, 0.05):
            (process,) = _judging()
            process.suspend()
            async with anyio.create_task_group() as group:
                if wait is None:
                    process.kill()
                else:
                    group.start_soon(_kill_later, process, wait)
                told = await _ask(judges, *files)
            assert [each["whose"] for each in told] == ["own"] * 3
        assert len(_judging()) == 1

    anyio.run(one_after_the_other)


async def _kill_later(process: psutil.Process, seconds: float) -> None:
    await anyio.sleep(seconds)
    process.kill()


def test_a_file_as_heavy_as_one_may_be_is_answered(collection: Collection, tmp_path: Path) -> None:
    """Within the limits of size, but with as many cells as fit."""
    path = SampleReturn.of("STF", collection).write(tmp_path / "a.xlsx")
    cells = "".join(f'<c r="{letter}@"><v>1</v></c>' for letter in "ABCDEFGHI")
    rows = "".join(f'<row r="{n}">{cells.replace("@", str(n))}</row>' for n in range(1, 40_000))
    sheet = f'<worksheet xmlns="{MAIN}"><sheetData>{rows}</sheetData></worksheet>'
    heavy = tmp_path / "heavy.xlsx"
    with ZipFile(path) as whole, ZipFile(heavy, "w", ZIP_DEFLATED) as made:
        for name in whole.namelist():
            made.writestr(name, sheet if name.endswith("sheet2.xml") else whole.read(name))
    told = anyio.run(_ask, Judges(collection.id, number=1), (heavy, "STF"), (path, "STF"))
    assert isinstance(told[0], TooMuchError) or told[0]["state"] == "rejected"
    assert told[1]["state"] in {"accepted", "queried"}


def test_killed_while_files_come_nothing_partial_is_taken_in(
    tmp_path: Path, collection: Collection
) -> None:
    lake = tmp_path / "lake"
    with_accounts(lake, *ACCOUNTS)
    content = SampleReturn.of("STF", collection).write(tmp_path / "a.xlsx").read_bytes()
    landing = lake / "landing" / collection.id
    with served(lake) as (address, process), browsing(address, "stf.prepares") as found:
        with _posting(address, found, None) as sending:
            sending.sendall(_chunk(_begun(found.token) + content[:5000]))
            for _ in range(200):
                if any((lake / "portal" / "uploads").glob("*/*")):
                    break
                time.sleep(0.05)
            process.kill()
            process.wait()
        assert list(landing.glob("*")) == []
        cookie = found.client.cookies["muster"]
    with served(lake) as (address, _), browsing(address) as found:
        with pytest.raises(AssertionError), served(lake):
            pass  # a second one would take away what is on its way here
        assert not any((lake / "portal" / "uploads").glob("*/*"))
        found.client.cookies.set("muster", cookie)
        assert found.go("/").url.path == "/", "whoever was signed in still is"
        assert "Receipt STF-0001" in found.upload("/send", content).text
        assert [path.read_bytes() for path in landing.iterdir()] == [content]
