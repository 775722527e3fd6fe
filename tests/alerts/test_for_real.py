"""Everything real: the command in its own process, a mail server, a webhook."""

import os
import re
import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from assets.lake import Lake
from schemas.reference import COLLECTIONS
from tests.alerts.listeners import (
    PASSWORD,
    Mailbox,
    everything_said,
    free_port,
    mail_server,
    mail_url,
    webhook,
)
from tests.returns import SampleReturn

ID = "2012-revisit"
BIN = Path(sys.executable).parent
BLANK = {("second_jobs", "refused", "count"): None}
Sample = Callable[[str], SampleReturn]

pytestmark = pytest.mark.slow


@pytest.fixture
def environment(lake: Lake, tmp_path: Path) -> dict[str, str]:
    """The environment of a lake whose collection had its deadline yesterday."""
    yesterday = (datetime.now(UTC) - timedelta(days=1)).date()
    text = (COLLECTIONS / f"{ID}.toml").read_text(encoding="utf-8")
    text = re.sub(r"(?m)^(soft|hard) = .*$", rf"\g<1> = {yesterday}", text)
    text = re.sub(r"(?ms)^\[running\]$.*?(?=^\[)", "", text)
    folder = tmp_path / "collections"
    folder.mkdir()
    (folder / f"{ID}.toml").write_text(f"{text}\n[running]\nsettle_seconds = 1\n")
    return {
        **{k: v for k, v in os.environ.items() if not k.startswith(("MUSTER_", "DAGSTER_"))},
        "MUSTER_LAKE": str(lake.root),
        "MUSTER_COLLECTIONS": str(folder),
        "MUSTER_AUTOMATION": "on",
        "MUSTER_UI_URL": "http://ui.example",
    }


def _muster(environment: dict[str, str], *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [BIN / "muster", *arguments], env=environment, capture_output=True, text=True, check=False
    )


def test_the_command_tells_by_mail_and_webhook(
    lake: Lake, environment: dict[str, str], sample: Sample
) -> None:
    """A broken return among good ones; then it is mended, and people are told that it is over."""
    lake.landing.mkdir(parents=True)
    sample("STF").write(lake.landing / "STF.xlsx")
    sample("AVS").with_values(BLANK).write(lake.landing / "AVS.xlsx")
    port, mailbox = free_port(), Mailbox()
    with webhook() as hook, mail_server(port, mailbox):
        environment["MUSTER_ALERT_URLS"] = f"{mail_url(port)} {hook.url}"
        first = _muster(environment, "run")
        assert first.returncode == 0, first.stderr
        titles = list(hook.titles)
        sample("AVS").write(lake.landing / "AVS.xlsx")
        second = _muster(environment, "run")
    rejected = f"Muster: 1 return is rejected ({ID})"
    assert rejected in titles
    assert any(title.startswith("Muster: 43 forces are late: hard deadline") for title in titles)
    assert rejected in first.stderr, "the log has it too"
    assert mailbox.subjects == hook.titles, "both channels have every alert, in order"
    assert hook.titles.count(rejected) == 1
    assert hook.titles.count(f"Muster: over: 1 return is rejected ({ID})") == 1
    text = mailbox.text(mailbox.subjects.index(rejected))
    assert "AVS version 1: 1 blocking finding (S010 1)" in text
    assert "See: http://ui.example/assets/validation/findings" in text
    assert PASSWORD not in everything_said(lake, first, second)


def test_the_command_tells_that_it_failed(lake: Lake, environment: dict[str, str]) -> None:
    lake.landing.mkdir(parents=True)
    lake.work.parent.mkdir()
    lake.work.write_text("a file where a folder should be")
    with webhook() as hook:
        environment["MUSTER_ALERT_URLS"] = hook.url
        done = _muster(environment, "run")
    assert done.returncode == 1
    (told,) = [m for m in hook.received if "The refresh failed" in m["title"]]
    assert str(lake.work) in told["message"]
    assert "See that its folder is there, then run again." in told["message"]
    assert "Traceback" not in told["message"]


def test_alert_test_says_which_channel_took_it(lake: Lake, environment: dict[str, str]) -> None:
    none = _muster(environment, "alert-test")
    assert none.returncode == 0
    assert str(lake.outbox) in none.stdout
    assert "nothing leaves this machine" in none.stdout
    port, mailbox = free_port(), Mailbox()
    with webhook() as hook, mail_server(port, mailbox):
        environment["MUSTER_ALERT_URLS"] = f"{mail_url(port)} {hook.url}"
        both = _muster(environment, "alert-test")
        hook.refuses = True
        one = _muster(environment, "alert-test")
    assert both.returncode == 0, both.stdout + both.stderr
    assert both.stdout.splitlines() == [
        f"mailto://127.0.0.1:{port}: ok",
        f"json://127.0.0.1:{hook.port}: ok",
    ]
    assert hook.titles == ["Muster: TEST, nothing is broken"]
    assert one.returncode == 1
    assert f"json://127.0.0.1:{hook.port}: failed: " in one.stdout
    assert PASSWORD not in everything_said(lake, both, one)
