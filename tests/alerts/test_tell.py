"""Telling people: what is kept, what is sent, what survives a kill and a channel that is down."""

import json
import logging
import shutil
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from assets.lake import Lake
from pipelines.alerts import delivery
from pipelines.alerts import tell as telling
from pipelines.alerts.outbox import Outbox
from pipelines.alerts.runs import RunOutcome, StuckRun
from pipelines.alerts.state import Alert
from pipelines.alerts.tell import tell, tell_at_end
from schemas.errors import UnavailableError
from tests.alerts.listeners import (
    PASSWORD,
    Mailbox,
    free_port,
    mail_server,
    mail_url,
    webhook,
)

# Of a module that apprise uses and Python 3.13 drops.
pytestmark = pytest.mark.filterwarnings("ignore:'imghdr' is deprecated")

ID = "2012-revisit"
BEFORE_DEADLINES = datetime(2012, 6, 10, 9, tzinfo=UTC)
WAITED: list[float] = []


def _tell(run: RunOutcome | None = None, **more: Any) -> list[Alert]:
    return tell(ID, run=run, now=BEFORE_DEADLINES, wait=WAITED.append, **more)


def _failed(number: int, error: str = "the disk is full. Free space.") -> RunOutcome:
    return RunOutcome(f"run-{number}", error, "totals__facts")


def _kept(lake: Lake) -> list[str]:
    return sorted(path.name for path in lake.outbox.glob("*") if path.is_file())


def test_nothing_wrong_nothing_told(lake: Lake) -> None:
    assert _tell() == []
    assert _tell(RunOutcome("run-1")) == []
    assert _kept(lake) == []


def test_without_channels_alerts_go_to_the_log_and_the_outbox(
    lake: Lake, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.WARNING):
        (alert,) = _tell(_failed(1))
    assert alert.kind == "run-failed"
    assert "Muster: The refresh failed (2012-revisit)" in caplog.text
    assert _kept(lake) == ["000001-run-failed.json", "000001-run-failed.txt"]
    text = (lake.outbox / "000001-run-failed.txt").read_text()
    assert "the disk is full. Free space." in text
    assert "run run-1, step totals__facts" in text
    kept = json.loads((lake.outbox / "000001-run-failed.json").read_text())
    assert kept["title"] == "The refresh failed"


def test_a_run_is_told_of_once_and_the_same_failure_once(lake: Lake) -> None:
    assert len(_tell(_failed(1))) == 1
    assert _tell(_failed(1)) == [], "the sensor sees the run that the command line told of"
    assert _tell(_failed(2)) == [], "the next morning it is broken in the same way"
    assert [a.news for a in _tell(_failed(3, "another error. Do this."))] == ["changed"]
    assert [a.news for a in _tell(RunOutcome("run-4"))] == ["over"]
    assert len(_kept(lake)) == 2 * 3


@pytest.mark.usefixtures("lake")
def test_a_blocked_release_is_no_failed_run() -> None:
    blocked = RunOutcome("run-1", "check failed", "x", ("recount totals_hold: M002 no sum",))
    (alert,) = _tell(blocked)
    assert alert.kind == "release-blocked"
    assert "M002 no sum" in alert.text
    assert [a.kind for a in _tell(_failed(2))] == ["run-failed"], "and nobody unblocked it"
    over = _tell(RunOutcome("run-3"))
    assert [(a.news, a.kind) for a in over] == [("over", "run-failed"), ("over", "release-blocked")]


@pytest.mark.usefixtures("lake")
def test_a_stuck_run() -> None:
    stuck = [StuckRun("run-9", BEFORE_DEADLINES)]
    (alert,) = _tell(stuck=stuck)
    assert alert.title == "1 run of the refresh is stuck"
    assert "run-9, since 2012-06-10 09:00 UTC" in alert.text
    assert _tell(stuck=stuck) == []
    assert _tell() == [], "nobody looked, so it is not over"
    assert [a.news for a in _tell(stuck=[])] == ["over"]


@pytest.mark.usefixtures("lake")
def test_passwords_in_an_error_are_not_told() -> None:
    (alert,) = _tell(_failed(1, f"postgresql://muster:{PASSWORD}@db/x: no\nat line 3 of x.py"))
    assert PASSWORD not in alert.text
    assert "line 3" not in alert.text, "one line, no frames"


@pytest.fixture
def patient(monkeypatch: pytest.MonkeyPatch) -> None:
    WAITED.clear()
    monkeypatch.setattr(delivery, "PAUSES", (0.0, 1.0, 3.0))


@pytest.mark.usefixtures("patient")
def test_a_webhook_receives_what_is_told(lake: Lake, monkeypatch: pytest.MonkeyPatch) -> None:
    with webhook() as hook:
        monkeypatch.setenv("MUSTER_ALERT_URLS", hook.url)
        _tell(_failed(1))
        _tell(RunOutcome("run-2"))
    assert hook.titles == [
        "Muster: The refresh failed (2012-revisit)",
        "Muster: over: The refresh failed (2012-revisit)",
    ]
    assert [message["type"] for message in hook.received] == ["failure", "info"]
    assert "What to do: Mend it, then: muster run." in hook.received[0]["message"]
    assert list(Outbox(lake).undelivered_folder.iterdir()) == []
    assert WAITED == [0.0, 0.0]


@pytest.mark.usefixtures("patient")
def test_a_mail_server_that_is_down_for_a_while(
    lake: Lake, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Kept, then delivered once it is back: in order, nothing lost, nothing doubled."""
    port, mailbox = free_port(), Mailbox()
    monkeypatch.setenv("MUSTER_ALERT_URLS", mail_url(port))
    assert [a.kind for a in _tell(_failed(1))] == ["run-failed", "alerts-undelivered"]
    assert WAITED == [0.0, 1.0, 3.0], "three attempts, then the next occasion"
    assert [a.news for a in _tell(_failed(2, "another error. Do this."))] == ["changed"]
    waiting = Outbox(lake).undelivered()
    assert [kept.alert.number for kept in waiting] == [1, 2, 3]
    assert _kept(lake) == []
    with mail_server(port, mailbox):
        assert [a.kind for a in _tell()] == ["alerts-undelivered"]
        assert _tell() == []
    assert mailbox.subjects == [
        "Muster: The refresh failed (2012-revisit)",
        "Muster: Alerts could not be delivered",
        "Muster: changed: The refresh failed (2012-revisit)",
        "Muster: over: Alerts could not be delivered",
    ]
    assert "1 alert waited" in mailbox.text(1)
    assert len(_kept(lake)) == 2 * 4
    assert Outbox(lake).undelivered() == []


@pytest.mark.usefixtures("patient", "lake")
def test_a_channel_that_is_down_holds_up_no_other_and_is_reported_there(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    port, mailbox = free_port(), Mailbox()
    with webhook() as hook:
        monkeypatch.setenv("MUSTER_ALERT_URLS", f"{mail_url(port)}, {hook.url}")
        _tell(_failed(1))
        assert hook.titles[1:] == ["Muster: Alerts could not be delivered"]
        assert f"mailto://127.0.0.1:{port}: 1 alert waited" in hook.received[1]["message"]
        with mail_server(port, mailbox):
            _tell()
        assert len(mailbox.mails) == 3
        assert hook.titles[2:] == ["Muster: over: Alerts could not be delivered"]


@pytest.mark.usefixtures("patient")
def test_a_channel_that_is_taken_away_is_waited_for_no_longer(
    lake: Lake, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MUSTER_ALERT_URLS", "nonsense://nowhere")
    _tell(_failed(1))
    assert len(Outbox(lake).undelivered()) == 2
    monkeypatch.delenv("MUSTER_ALERT_URLS")
    _tell()
    assert Outbox(lake).undelivered() == []
    assert len(_kept(lake)) == 2 * 3


@pytest.mark.usefixtures("patient")
def test_a_damaged_alert_holds_up_no_other(
    lake: Lake, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    with webhook() as hook:
        hook.refuses = True
        monkeypatch.setenv("MUSTER_ALERT_URLS", hook.url)
        _tell(_failed(1))
        hook.refuses = False
        damaged = lake.outbox / "undelivered" / "000001-run-failed.json"
        damaged.write_text("{")
        _tell()
    assert hook.titles[0] == "Muster: Alerts could not be delivered"
    assert f"{damaged}: cannot be sent" in caplog.text


@pytest.mark.usefixtures("patient")
def test_no_secret_is_written_or_said(
    lake: Lake, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.DEBUG), webhook() as hook:
        hook.refuses = True
        monkeypatch.setenv("MUSTER_ALERT_URLS", f"{hook.url} nonsense://u:{PASSWORD}@h/{PASSWORD}")
        _tell(_failed(1))
    ours = "\n".join(r.getMessage() for r in caplog.records if r.name.startswith("muster"))
    written = [path.read_text() for path in lake.root.rglob("*") if path.is_file()]
    assert len(written) > 4
    assert PASSWORD not in "\n".join([ours, *written])


class Killed(BaseException):
    """Stands for SIGKILL: nothing catches it."""


@pytest.mark.parametrize("at", ["_write", "_write_state", "deliver"])
def test_killed_while_telling_loses_and_doubles_nothing(
    lake: Lake, monkeypatch: pytest.MonkeyPatch, at: str
) -> None:
    def kill(*_: object, **__: object) -> None:
        raise Killed

    with webhook() as hook:
        monkeypatch.setenv("MUSTER_ALERT_URLS", hook.url)
        _tell()
        with monkeypatch.context() as patched:
            patched.setattr(telling if at == "deliver" else Outbox, at, kill)
            with pytest.raises(Killed):
                _tell(_failed(1))
        assert hook.titles == []
        _tell(_failed(1))
        assert hook.titles == ["Muster: The refresh failed (2012-revisit)"]
        assert len(_kept(lake)) == 2


@pytest.mark.usefixtures("lake")
def test_killed_between_sending_and_noting_it_down_sends_once_more(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """At least once: the other way round an alert could be lost."""

    def kill(*_: object) -> None:
        raise Killed

    with webhook() as hook:
        monkeypatch.setenv("MUSTER_ALERT_URLS", hook.url)
        with monkeypatch.context() as patched:
            patched.setattr(Outbox, "taken", kill)
            with pytest.raises(Killed):
                _tell(_failed(1))
        _tell()
        assert hook.titles == ["Muster: The refresh failed (2012-revisit)"] * 2


def test_a_damaged_state_tells_once_more(lake: Lake) -> None:
    _tell(_failed(1))
    (lake.alerts / "state.json").write_text('{"told"')
    assert [a.number for a in _tell(_failed(1))] == [2]
    assert _tell(_failed(1)) == []
    assert (lake.alerts / "state.damaged.json").exists()


def test_those_who_tell_at_the_same_time_share_the_numbers(lake: Lake) -> None:
    """Two that read the same state would write the same number twice, and one be lost."""

    def tell_of(number: int) -> None:
        _tell(_failed(number, f"error {number % 2}. Do this."))

    with ThreadPoolExecutor(6) as pool:
        list(pool.map(tell_of, range(12)))
    numbers = [json.loads(path.read_text())["number"] for path in lake.outbox.glob("*.json")]
    assert sorted(numbers) == list(range(1, len(numbers) + 1))
    assert len(Outbox(lake).read_state().runs) == 12


def test_a_failed_run_is_told_of_though_the_lake_cannot_be_written(
    lake: Lake, monkeypatch: pytest.MonkeyPatch
) -> None:
    lake.root.mkdir()
    lake.alerts.write_text("a file where a folder should be")
    with webhook() as hook:
        monkeypatch.setenv("MUSTER_ALERT_URLS", hook.url)
        with pytest.raises(UnavailableError):
            _tell(_failed(1))
        tell_at_end(ID, _failed(1))
        tell_at_end(ID, RunOutcome("run-2"))
    assert hook.titles == ["Muster: The refresh failed (2012-revisit)"]
    shutil.rmtree(lake.root)


def test_apprise_is_loaded_only_with_an_address() -> None:
    source = (Path(telling.__file__).parent).glob("*.py")
    importing = [p.name for p in source if "import apprise" in p.read_text()]
    assert importing == []
