"""The portal as people reach it: `muster portal` in a process of its own, and browsers."""

import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
from argon2 import PasswordHasher

from pipelines.portal.accounts import Account, Accounts
from tests.portal.conftest import PASSWORD, Browser


def with_accounts(lake: Path, *accounts: Account, hasher: PasswordHasher | None = None) -> None:
    """Make accounts of a portal; all have the same password."""
    quick = hasher or PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)
    known = Accounts(lake / "portal", quick)
    for account in accounts:
        known.add(account, PASSWORD)


@contextmanager
def served(lake: Path, *options: str) -> Iterator[tuple[str, subprocess.Popen[str]]]:
    """Serve a lake's portal until the block ends, and give its address and process."""
    command = [Path(sys.executable).with_name("muster"), "portal", "--port", "0", *options]
    process = subprocess.Popen(
        command, env={**os.environ, "MUSTER_LAKE": str(lake)}, stdout=subprocess.PIPE, text=True,
        start_new_session=True,
    )  # fmt: skip
    try:
        assert process.stdout is not None
        said = process.stdout.readline()
        found = re.search(r"http://\S+", said)
        assert found, said
        yield found[0].rstrip("/"), process
    finally:
        if process.poll() is None:
            process.send_signal(signal.SIGTERM)
        process.wait(60)
        assert process.stdout is not None
        process.stdout.close()


@contextmanager
def browsing(address: str, name: str | None = None) -> Iterator[Browser]:
    """Open a browser at an address, signed in or not."""
    with httpx.Client(base_url=address, follow_redirects=True, timeout=120) as client:
        found = Browser(client)
        if name:
            answer = found.sign_in(name)
            assert answer.status_code == 200, answer.text
        yield found
