"""A portal with an account of each role, and browsers that have signed in there."""

import json
import re
import socket
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import anyio
import httpx
import pytest
from argon2 import PasswordHasher
from starlette.testclient import TestClient

from assets.lake import Lake
from pipelines.portal import serve
from pipelines.portal.accounts import Account, Accounts
from pipelines.portal.judging import verdicts
from pipelines.portal.serve import application
from pipelines.portal.stands import Stands
from pipelines.portal.state import State
from pipelines.portal.web import Portal
from schemas.collection import Collection

PASSWORD = "twelve or more letters"
ACCOUNTS = (
    Account("stf.prepares", "preparer", "STF"),
    Account("stf.signs", "signer", "STF"),
    Account("ken.prepares", "preparer", "KEN"),
    Account("desk.one", "desk"),
    Account("desk.two", "desk"),
)


class Here:
    """Judges in this process: what a process of its own is for is tested elsewhere."""

    def __init__(self, collection: Collection) -> None:
        self.collection = collection

    async def begin(self) -> None:
        """There is nothing to start."""

    async def verdict(self, path: Path, force_code: str) -> dict[str, Any]:
        job = [(path, force_code)]
        return (await anyio.to_thread.run_sync(verdicts, job, self.collection))[0]


@pytest.fixture
def portal(tmp_path: Path, collection: Collection) -> Iterator[Portal]:
    lake = Lake(tmp_path / "lake", collection.id)
    folder = lake.root / "portal"
    # A password that is quick to verify: how long it takes is for other tests.
    quick = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)
    accounts = Accounts(folder, quick)
    for account in ACCOUNTS:
        accounts.add(account, PASSWORD)
    state = State(folder)
    with_it = Portal(collection, lake, accounts, state, Here(collection), Stands(lake))  # type: ignore[arg-type]
    yield with_it
    state.close()


def log_of(portal: Portal) -> list[dict[str, Any]]:
    """Return what the log of who did what says."""
    (log,) = portal.folder.glob("audit-*.jsonl")
    return [json.loads(line) for line in log.read_text().splitlines()]


class Browser:
    """A browser without scripts: it keeps cookies, and fills forms that it was shown."""

    def __init__(self, client: httpx.Client) -> None:
        self.client = client
        self.shown = client.get("/sign-in")

    def go(self, path: str) -> httpx.Response:
        self.shown = self.client.get(path)
        return self.shown

    @property
    def token(self) -> str:
        found = re.search(r'name="token" value="(\w+)"', self.shown.text)
        assert found, self.shown.text[:2000]
        return found[1]

    def send(self, path: str, **fields: str) -> httpx.Response:
        """Fill a form of the page that is shown and send it."""
        self.shown = self.client.post(path, data={"token": self.token, **fields})
        return self.shown

    def upload(
        self, path: str, content: bytes, name: str = "a.xlsx", **fields: str
    ) -> httpx.Response:
        """Choose a file on the page that is shown, and send it."""
        self.shown = self.client.post(
            path, data={"token": self.token, **fields}, files={"return": (name, content)}
        )
        return self.shown

    def sign_in(self, name: str, password: str = PASSWORD) -> httpx.Response:
        self.go("/sign-in")
        return self.send("/sign-in", name=name, password=password)


@pytest.fixture
def browser(portal: Portal) -> Iterator[Callable[..., Browser]]:
    """Return a way to open a browser, signed in as somebody or not."""
    opened = []

    def open_(name: str | None = None) -> Browser:
        client = TestClient(application(portal), raise_server_exceptions=False)
        client.__enter__()
        opened.append(client)
        found = Browser(client)
        if name:
            assert found.sign_in(name).status_code == 200
        return found

    yield open_
    for client in opened:
        client.__exit__(None, None, None)


@pytest.fixture
def address(portal: Portal) -> Iterator[str]:
    """The address of the portal, served from a thread."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        server = serve.server(portal)
        thread = threading.Thread(target=server.run, args=([listening],))
        thread.start()
        while not server.started:
            time.sleep(0.02)
        yield f"http://127.0.0.1:{listening.getsockname()[1]}"
        server.should_exit = True
        thread.join()
