"""Every answer has the headers, and says nothing that a browser would load from elsewhere."""

import socket
from urllib.parse import urlsplit

import pytest

from pipelines.portal import serve
from pipelines.portal.web import HEADERS
from tests.portal.served import browsing


def _has_headers(said: str) -> bool:
    return all(f"\r\n{name}: {value}\r\n".lower() in said for name, value in HEADERS.items())


def _answer(address: str, request: bytes) -> str:
    at = urlsplit(address)
    with socket.create_connection((at.hostname, at.port), timeout=10) as asking:
        asking.sendall(request)
        return asking.recv(8192).decode().lower()


def test_every_page_has_them_once(address: str) -> None:
    with browsing(address, "stf.prepares") as found:
        for path in ("/", "/sign-in", "/style.css", "/nothing"):
            answer = found.go(path)
            assert [answer.headers.get_list(name) for name in HEADERS] == [
                [value] for value in HEADERS.values()
            ]
            assert "<script" not in answer.text
            assert "style=" not in answer.text


def test_so_has_what_no_page_answers(
    request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is no request, has too much of a head, or comes when all places are taken."""
    monkeypatch.setattr(serve, "_AT_ONCE", 0)
    address = request.getfixturevalue("address")
    for asked, status in (
        (b"GET / nonsense\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\nA: " + b"x" * 70_000, 400),
        (b"GET / HTTP/1.1\r\nHost: here\r\n\r\n", 503),
    ):
        said = _answer(address, asked)
        assert said.startswith(f"http/1.1 {status}")
        assert _has_headers(said)
