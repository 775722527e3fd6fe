"""Real services on this machine that alerts are sent to: a mail server and a webhook."""

import json
import socket
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from email import message_from_bytes, policy
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from aiosmtpd.controller import Controller

from assets.lake import Lake

PASSWORD = "correct-horse-battery"


def free_port() -> int:
    """Return a port that nobody listens on."""
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


class Webhook:
    """What a webhook received; `refuses` makes it answer that it cannot take anything."""

    def __init__(self) -> None:
        self.received: list[dict[str, Any]] = []
        self.refuses = False
        self.asked = 0
        self.port = 0

    @property
    def url(self) -> str:
        """Its address, with a secret in it."""
        return f"json://user:{PASSWORD}@127.0.0.1:{self.port}/hook/{PASSWORD}"

    @property
    def titles(self) -> list[str]:
        """The titles received, in order."""
        return [message["title"] for message in self.received]


@contextmanager
def webhook() -> Iterator[Webhook]:
    """Run a webhook."""
    ours = Webhook()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            ours.asked += 1
            body = self.rfile.read(int(self.headers["Content-Length"]))
            if not ours.refuses:
                ours.received.append(json.loads(body))
            self.send_response(503 if ours.refuses else 200)
            self.end_headers()

        def log_message(self, *_: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    ours.port = server.server_address[1]
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield ours
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


class Mailbox:
    """Mails received, as the mail server hands them over."""

    def __init__(self) -> None:
        self.mails: list[Any] = []

    async def handle_DATA(self, _server: Any, _session: Any, envelope: Any) -> str:  # noqa: N802
        self.mails.append(message_from_bytes(envelope.content, policy=policy.default))
        return "250 OK"

    @property
    def subjects(self) -> list[str]:
        """The subjects received, in order."""
        return [mail["Subject"] for mail in self.mails]

    def text(self, number: int) -> str:
        """Return the text of a mail."""
        body = self.mails[number].get_body(preferencelist=("plain", "html"))
        return str(body.get_content())


@contextmanager
def mail_server(port: int, mailbox: Mailbox) -> Iterator[Mailbox]:
    """Run a mail server at a port that puts what it receives in a mailbox."""
    controller = Controller(mailbox, hostname="127.0.0.1", port=port)
    controller.start()
    try:
        yield mailbox
    finally:
        controller.stop()


def mail_url(port: int) -> str:
    """Return the address of a mail server for alerts."""
    people = "from=muster@example.org&to=team@example.org"
    return f"mailto://127.0.0.1:{port}?{people}&format=text"


def everything_said(lake: Lake, *outputs: subprocess.CompletedProcess[str]) -> str:
    """Return whatever a lake and some commands have come to say of anything."""
    said = [done.stdout + done.stderr for done in outputs]
    files = (path for path in lake.root.rglob("*") if path.is_file())
    return "\n".join([*said, *(path.read_bytes().decode("latin-1") for path in files)])
