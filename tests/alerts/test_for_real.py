"""Everything real: the command in its own process, Dagster's daemon, a mail server, a webhook."""

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from assets.lake import Lake
from schemas.reference import COLLECTIONS
from tests.alerts.listeners import PASSWORD, Mailbox, free_port, mail_server, mail_url, webhook
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


def _everything_said(lake: Lake, *outputs: subprocess.CompletedProcess[str]) -> str:
    said = [done.stdout + done.stderr for done in outputs]
    files = (path for path in lake.root.rglob("*") if path.is_file())
    return "\n".join([*said, *(path.read_bytes().decode("latin-1") for path in files)])


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
    assert PASSWORD not in _everything_said(lake, first, second)


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
    assert PASSWORD not in _everything_said(lake, both, one)


@contextmanager
def _daemon(environment: dict[str, str], lake: Lake, log: Path) -> Iterator[None]:
    """Run Dagster's daemon, as a service does, with its code server."""
    home = subprocess.run(
        [sys.executable, "-c", "from pipelines import instance; print(instance.dagster_home())"],
        env=environment, capture_output=True, text=True, check=True,
    ).stdout.strip()  # fmt: skip
    command = [BIN / "dagster-daemon", "run", "-m", "pipelines.definitions"]
    with log.open("wb") as output:
        process = subprocess.Popen(
            command, env={**environment, "DAGSTER_HOME": home}, stdout=output, stderr=output,
            start_new_session=True, cwd=lake.root,
        )  # fmt: skip
    try:
        yield
    finally:
        os.killpg(process.pid, signal.SIGTERM)
        try:
            process.wait(30)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()


def _wait_for(what: Callable[[], bool], log: Path) -> None:
    until = time.monotonic() + 240
    while not what():
        assert time.monotonic() < until, log.read_text()[-4000:]
        time.sleep(0.5)


def test_the_daemon_tells_of_a_file_that_was_dropped(
    lake: Lake, environment: dict[str, str], sample: Sample, tmp_path: Path
) -> None:
    port, mailbox, log = free_port(), Mailbox(), tmp_path / "daemon.log"
    rejected = f"Muster: 1 return is rejected ({ID})"
    lake.landing.mkdir(parents=True)
    with webhook() as hook, mail_server(port, mailbox):
        environment["MUSTER_ALERT_URLS"] = f"{mail_url(port)} {hook.url}"
        with _daemon(environment, lake, log):
            sample("AVS").with_values(BLANK).write(lake.landing / "AVS.xlsx")
            _wait_for(lambda: rejected in hook.titles and rejected in mailbox.subjects, log)
            _wait_for(lake.marts.exists, log)
    assert sorted(set(hook.titles)) == sorted(hook.titles), "each alert once"
    assert any("forces are late: hard deadline" in title for title in hook.titles)
    said = _everything_said(lake) + log.read_text(errors="replace")
    assert PASSWORD not in said
