"""The drop-off page behind nginx: what a force sends there is taken in, and nothing gets past."""

import signal
import socket
import time
from collections.abc import Iterator

import httpx
import pytest

from assets.intake.container import MAX_FILE
from schemas.collection import load_collection
from tests.portal.conftest import Browser
from tests.returns import SampleReturn
from tests.services.front import DROP
from tests.services.processes import wait_until
from tests.services.service import Service

pytestmark = pytest.mark.services


class _Named(httpx.HTTPTransport):
    """Speaks to this machine by a name that only the certificate knows."""

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        request.extensions = {**request.extensions, "sni_hostname": DROP}
        request.headers["Host"] = DROP
        return super().handle_request(request)


@pytest.fixture(scope="module")
def force(published: Service) -> Iterator[Browser]:
    address = f"https://127.0.0.1:{published.front.ports['https']}"
    transport = _Named(verify=published.front.trust())
    with httpx.Client(base_url=address, transport=transport, follow_redirects=True) as client:
        client.timeout = httpx.Timeout(60)
        found = Browser(client)
        assert "Staffordshire Police" in found.sign_in("stf.prepares").text
        yield found


def test_a_browser_is_told_to_stay_with_tls(force: Browser) -> None:
    answer = force.client.get("/sign-in", follow_redirects=False)
    assert answer.headers["strict-transport-security"] == "max-age=31536000"
    assert answer.headers.get_list("x-frame-options") == ["DENY"]
    assert list(force.client.cookies) == ["__Host-muster"]


def test_what_is_sent_is_taken_in_by_the_sensor(force: Browser, published: Service) -> None:
    collection = load_collection("2012-revisit")
    mine = SampleReturn.of("STF", collection)
    path = mine.with_values({("capability", "audit_software", "answer"): "no"}).write(
        published.folder / "STF.xlsx"
    )
    force.go("/")
    force.upload("/check", path.read_bytes())
    assert "Nothing was kept" in force.shown.text
    force.go("/")
    force.upload("/send", path.read_bytes())
    assert "Receipt STF-0001" in force.shown.text
    wait_until("version 2", lambda: "2 versions received" in force.go("/versions").text, 300)
    assert "This version counts." in force.shown.text
    # What is shown comes before the run is over, and the next that a person starts does not wait.
    wait_until("the end of the run", lambda: "STARTED" not in published.runs().values(), 120)


def test_whoever_asks_is_known_by_his_own_address(force: Browser, published: Service) -> None:
    """Else one attacker would shut everybody out, or nobody would be."""
    (log,) = (published.lake / "portal").glob("audit-*.jsonl")
    assert '"address": "127.0.0.1"' in log.read_text()
    answer = force.client.get("/", headers={"X-Forwarded-For": "203.0.113.7"})
    assert answer.status_code == 200
    assert "203.0.113.7" not in log.read_text()


def test_nginx_stops_what_is_too_large(force: Browser, published: Service) -> None:
    force.go("/")
    assert len(force.shown.headers.get_list("content-security-policy")) == 1
    answer = force.upload("/send", b"0" * (MAX_FILE + 2 * 1024**2))
    assert (answer.status_code, "too large to be a return" in answer.text) == (413, True)
    assert answer.headers["content-security-policy"].startswith("default-src 'none'")
    assert answer.headers["x-content-type-options"] == "nosniff"
    plain = socket.create_connection(("127.0.0.1", published.front.ports["https"]))
    trust = published.front.trust()
    with trust.wrap_socket(plain, server_hostname=DROP) as sending:
        head = f"POST /send HTTP/1.1\r\nHost: {DROP}\r\nContent-Length: {1024**3}\r\n\r\n"
        sending.sendall(head.encode())
        began = time.monotonic()
        assert sending.recv(100).startswith(b"HTTP/1.1 413")
        assert time.monotonic() - began < 10


def test_the_page_itself_listens_on_loopback_only(published: Service) -> None:
    port = published.front.ports["portal"]
    with socket.create_connection(("127.0.0.1", port)):
        pass
    name = socket.gethostbyname(socket.gethostname())
    if not name.startswith("127."):
        with pytest.raises(OSError, match="refused"):
            socket.create_connection((name, port), timeout=5)


def test_while_the_page_is_away_it_is_said_that_nothing_was_received(
    force: Browser, published: Service
) -> None:
    published.stop_unit("portal", signal.SIGTERM)
    try:
        answer = force.client.get("/")
        assert (answer.status_code, "not received" in answer.text) == (503, True)
        assert answer.headers["content-security-policy"].startswith("default-src 'none'")
    finally:
        published.start_unit("portal")
        wait_until("the page", lambda: force.client.get("/help").status_code == 200)
