"""nginx in front of the two UIs: who gets in, and by what."""

import os
import socket
import ssl
from http.client import HTTPConnection
from pathlib import Path

import pytest
from websockets.exceptions import InvalidStatus
from websockets.sync.client import ClientConnection, connect

from tests.services.front import PEOPLE, TEAM, VIEW, sign_in
from tests.services.service import Service

pytestmark = pytest.mark.services

HOSTS = (TEAM, VIEW)
PATHS = ("/", "/graphql", "/server_info", "/runs", "/logs/x/y.err", "/download_debug/x", "/a/../b")


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("host", HOSTS)
def test_nothing_without_sign_in(service: Service, host: str, path: str) -> None:
    assert service.front.request(host, path).status == 401
    assert service.front.request(host, path, body={"query": "{ version }"}).status == 401
    wrong = sign_in(PEOPLE[host][0], "guessed")
    assert service.front.request(host, path, Authorization=wrong).status in {401, 405}
    assert service.front.request(host, path, body={}, Authorization=wrong).status == 401


@pytest.mark.parametrize("host", HOSTS)
def test_each_ui_has_its_own_people(service: Service, host: str) -> None:
    (other,) = set(HOSTS) - {host}
    assert service.front.request(host, "/server_info", who=host).status == 200
    assert service.front.request(host, "/server_info", who=other).status == 401


@pytest.mark.parametrize("host", HOSTS)
def test_who_signs_in_sees_the_ui_and_a_browser_is_told_to_stay_with_tls(
    service: Service, host: str
) -> None:
    answer = service.front.request(host, "/", who=host)
    assert answer.status == 200
    assert b"<html" in answer.body.lower()
    assert "max-age=31536000" in answer.headers["Strict-Transport-Security"]
    assert answer.headers["X-Frame-Options"] == "DENY"
    assert "nginx/" not in answer.headers["Server"]


@pytest.mark.parametrize("host", HOSTS)
def test_plain_http_leads_to_https_and_nowhere_else(service: Service, host: str) -> None:
    for asked, led_to in ((host, host), ("elsewhere.test", TEAM)):
        connection = HTTPConnection("127.0.0.1", service.front.ports["http"], timeout=30)
        connection.request("GET", "/runs", headers={"Host": asked})
        answer = connection.getresponse()
        assert answer.status == 301
        assert answer.headers["Location"] == f"https://{led_to}/runs"
        connection.close()


def test_old_tls_is_refused(service: Service) -> None:
    old = service.front.trust()
    with pytest.warns(DeprecationWarning, match="TLSv1_1"):
        old.maximum_version = ssl.TLSVersion.TLSv1_1
    old.set_ciphers("ALL:@SECLEVEL=0")
    with (
        socket.create_connection(("127.0.0.1", service.front.ports["https"])) as plain,
        pytest.raises(ssl.SSLError),
    ):
        old.wrap_socket(plain, server_hostname=TEAM)


@pytest.mark.parametrize("host", HOSTS)
def test_a_websocket_asks_for_the_password_too(service: Service, host: str) -> None:
    """The UI's live updates come by one: left open, it would answer any query."""
    with pytest.raises(InvalidStatus) as refused, _websocket(service, host, {}):
        pass
    assert refused.value.response.status_code == 401
    signed_in = {"Authorization": sign_in(*PEOPLE[host])}
    with _websocket(service, host, signed_in) as websocket:
        websocket.send('{"type": "connection_init"}')
        assert "connection_ack" in str(websocket.recv(timeout=30))


@pytest.mark.parametrize("host", HOSTS)
def test_another_sites_page_cannot_use_the_password_that_a_browser_remembers(
    service: Service, host: str
) -> None:
    """A browser adds it to whatever any page makes it send."""
    query, ours = {"query": "{ version }"}, f"https://{host}:{service.front.ports['https']}"
    for origin, status in ((ours, 200), ("https://elsewhere.test", 403), ("null", 403)):
        answer = service.front.request(host, "/graphql", body=query, who=host, Origin=origin)
        assert answer.status == status, origin
    signed_in = {"Authorization": sign_in(*PEOPLE[host])}
    with _websocket(service, host, signed_in, ours):
        pass
    with (
        pytest.raises(InvalidStatus) as refused,
        _websocket(service, host, signed_in, "https://elsewhere.test"),
    ):
        pass
    assert refused.value.response.status_code == 403
    by_picture = service.front.request(host, "/graphql?query=%7B%20version%20%7D", who=host)
    assert by_picture.status == 405


def test_what_has_no_sign_in_listens_on_loopback_only(service: Service) -> None:
    """Dagster's own ports ask for nothing; whoever reaches them can launch."""
    listening = _listening()
    for name in ("web", "view"):
        assert listening[service.front.ports[name]] == {"127.0.0.1"}, name


def test_the_code_server_has_no_port_at_all(service: Service) -> None:
    """Whoever can speak to it can run code, and loopback is open to every account."""
    assert (service.folder / "run" / "code.sock").is_socket()
    leader = service.unit("code").pid
    group = [path for path in Path("/proc").glob("[0-9]*") if _group(path) == leader]
    assert group
    opened = {str(file.readlink()) for path in group for file in (path / "fd").iterdir()}
    assert not opened & {f"socket:[{line[9]}]" for line in _listeners()}


def _group(process: Path) -> int | None:
    try:
        return os.getpgid(int(process.name))
    except ProcessLookupError:
        return None


def _listeners() -> list[list[str]]:
    """Return the fields of each TCP socket that is listened to."""
    lines = [
        line.split()
        for table in ("tcp", "tcp6")
        for line in Path(f"/proc/net/{table}").read_text().splitlines()[1:]
    ]
    return [line for line in lines if line[3] == "0A"]


def _listening() -> dict[int, set[str]]:
    """Return the addresses on which each port is listened to."""
    found: dict[int, set[str]] = {}
    for line in _listeners():
        address, port = line[1].split(":")
        known = {"0100007F": "127.0.0.1"}.get(address, address)
        found.setdefault(int(port, 16), set()).add(known)
    return found


def _websocket(
    service: Service, host: str, headers: dict[str, str], origin: str | None = None
) -> ClientConnection:
    return connect(
        f"wss://{host}:{service.front.ports['https']}/graphql",
        sock=socket.create_connection(("127.0.0.1", service.front.ports["https"])),
        ssl=service.front.trust(),
        subprotocols=["graphql-ws"],  # type: ignore[list-item]
        additional_headers=headers,
        origin=origin,  # type: ignore[arg-type]
    )
