"""The portal as people reach it: `muster portal` in a process of its own, and browsers."""

import hashlib
import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import httpx
from argon2 import PasswordHasher

from assets.lake import Lake
from pipelines.portal.accounts import Account, Accounts
from schemas.collection import Collection
from tests.portal.conftest import PASSWORD, Browser
from tests.returns import SampleReturn, take_in


def with_accounts(lake: Path, *accounts: Account, hasher: PasswordHasher | None = None) -> None:
    """Make accounts of a portal; all have the same password."""
    quick = hasher or PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)
    known = Accounts(lake / "portal", quick)
    for account in accounts:
        known.add(account, PASSWORD)


def take_some_in(lake: Lake, collection: Collection, months: str = "99") -> None:
    """Take in two returns of STF, the second as the portal names it, and one of KEN that asks.

    In the first of STF `months` are between reviews.
    """
    cards = ("comparators", "cards_2012", "value")
    mine = SampleReturn.of("STF", collection)
    few = str(int(mine.values[cards]) // 3)
    returns = [
        mine.with_values({cards: few, ("second_jobs", "review_months", "count"): months}),
        mine.with_values({cards: few}),
        SampleReturn.of("KEN", collection).with_values({cards: "1"}),
    ]
    with TemporaryDirectory() as folder:
        paths = [each.write(Path(folder) / f"{n}.xlsx") for n, each in enumerate(returns)]
        sha256 = hashlib.sha256(paths[1].read_bytes()).hexdigest()
        paths[1] = paths[1].rename(paths[1].with_name(f"STF-{sha256[:16]}.xlsx"))
        take_in(lake, paths, collection)


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
