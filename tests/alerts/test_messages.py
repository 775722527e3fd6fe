"""Telling people: what is kept, what is sent, what survives a kill and a channel that is down."""

import json
import logging
import shutil
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from assets.lake import Lake
from pipelines.alerts import send
from pipelines.alerts.conditions import KINDS, Condition
from pipelines.alerts.look import RunOutcome
from pipelines.alerts.messages import Message, State, taken, tell, tell_at_end, waiting
from pipelines.alerts.send import Channel
from pipelines.definitions import defs
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


def _tell(run: RunOutcome | None = None, **more: Any) -> list[Message]:
    return tell(ID, run=run, now=BEFORE_DEADLINES, **more)


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
    assert alert.condition.kind == "run-failed"
    assert "Muster: The refresh failed (2012-revisit)" in caplog.text
    assert _kept(lake) == ["000001-run-failed.txt"]
    text = (lake.outbox / "000001-run-failed.txt").read_text()
    assert text.startswith("Muster: The refresh failed (2012-revisit)\n")
    assert "the disk is full. Free space." in text
    assert "run run-1, step totals__facts" in text


def test_a_run_is_told_of_once_and_the_same_failure_once(lake: Lake) -> None:
    assert len(_tell(_failed(1))) == 1
    assert _tell(_failed(1)) == [], "the sensor sees the run that the command line told of"
    assert _tell(_failed(2)) == [], "the next morning it is broken in the same way"
    assert [a.news for a in _tell(_failed(3, "another error. Do this."))] == ["changed"]
    assert [a.news for a in _tell(RunOutcome("run-4"))] == ["over"]
    *_, last = kept = _kept(lake)
    assert len(kept) == 3
    ended = (lake.outbox / last).read_text().splitlines()[-1]
    assert ended.startswith("info, "), "what is over is no error"


@pytest.mark.usefixtures("lake")
def test_a_blocked_release_is_no_failed_run() -> None:
    blocked = RunOutcome("run-1", "check failed", "x", ("recount totals_hold: M002 no sum",))
    (alert,) = _tell(blocked)
    assert alert.condition.kind == "release-blocked"
    assert "M002 no sum" in alert.text
    assert [a.condition.kind for a in _tell(_failed(2))] == ["run-failed"], (
        "and nobody unblocked it"
    )
    over = _tell(RunOutcome("run-3"))
    assert [(a.news, a.condition.kind) for a in over] == [
        ("over", "run-failed"),
        ("over", "release-blocked"),
    ]


@pytest.mark.usefixtures("lake")
def test_a_stuck_run() -> None:
    stuck = {"run-9": BEFORE_DEADLINES}
    (alert,) = _tell(stuck=stuck)
    assert alert.condition.title == "1 run of the refresh is stuck"
    assert "run-9, since 2012-06-10 09:00 UTC" in alert.text
    assert _tell(stuck=stuck) == []
    assert _tell() == [], "nobody looked, so it is not over"
    assert [a.news for a in _tell(stuck={})] == ["over"]


@pytest.mark.usefixtures("lake")
def test_passwords_in_an_error_are_not_told() -> None:
    (alert,) = _tell(_failed(1, f"postgresql://muster:{PASSWORD}@db/x: no\nat line 3 of x.py"))
    assert PASSWORD not in alert.text
    assert "line 3" not in alert.text, "one line, no frames"


@pytest.fixture
def patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without the pauses between attempts."""
    monkeypatch.setattr(send, "PAUSES", (0.0, 0.0, 0.0))


@pytest.mark.usefixtures("patient", "lake")
def test_a_webhook_receives_what_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
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


@pytest.mark.usefixtures("patient")
def test_a_mail_server_that_is_down_for_a_while(
    lake: Lake, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Once it is back it is told how things stand: in order, nothing lost, nothing doubled."""
    port, mailbox = free_port(), Mailbox()
    monkeypatch.setenv("MUSTER_ALERT_URLS", mail_url(port))
    assert [a.condition.kind for a in _tell(_failed(1))] == ["run-failed", "alerts-undelivered"]
    assert [a.news for a in _tell(_failed(2, "another error. Do this."))] == ["changed"]
    assert len(_kept(lake)) == 3
    with mail_server(port, mailbox):
        assert [(a.news, a.condition.kind) for a in _tell()] == [("over", "alerts-undelivered")]
        assert _tell() == []
    assert mailbox.subjects == [
        "Muster: The refresh failed (2012-revisit)",
        "Muster: Alerts could not be delivered",
        "Muster: over: Alerts could not be delivered",
    ]
    assert "another error. Do this." in mailbox.text(0)


@pytest.mark.usefixtures("patient", "lake")
def test_what_is_over_for_those_who_heard_of_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """A channel that was down hears the end of what it knows, and nothing of what it missed."""
    with webhook() as hook:
        monkeypatch.setenv("MUSTER_ALERT_URLS", hook.url)
        _tell(_failed(1))
        hook.refuses = True
        _tell(RunOutcome("run-2"))
        assert hook.asked == 4, "once, and then three times in vain"
        _tell(stuck={"run-3": BEFORE_DEADLINES})
        _tell(stuck={})
        hook.refuses = False
        _tell()
        _tell()
    assert hook.titles == [
        "Muster: The refresh failed (2012-revisit)",
        "Muster: over: The refresh failed (2012-revisit)",
        "Muster: Alerts could not be delivered",
        "Muster: over: Alerts could not be delivered",
    ]


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
    assert len(_tell(_failed(1))) == 2
    monkeypatch.delenv("MUSTER_ALERT_URLS")
    assert [a.news for a in _tell()] == ["over"]
    assert len(_kept(lake)) == 3


@pytest.mark.usefixtures("lake")
def test_a_new_channel_is_told_what_is_broken(monkeypatch: pytest.MonkeyPatch) -> None:
    _tell(_failed(1))
    with webhook() as hook:
        monkeypatch.setenv("MUSTER_ALERT_URLS", hook.url)
        assert _tell() == []
    assert hook.titles == ["Muster: The refresh failed (2012-revisit)"]


@pytest.mark.usefixtures("patient")
def test_no_secret_is_written_or_said(
    lake: Lake, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.DEBUG), webhook() as hook:
        hook.refuses = True
        monkeypatch.setenv(
            "MUSTER_ALERT_URLS", f"slack:/{PASSWORD}/x {hook.url} nonsense://{PASSWORD}@h"
        )
        _tell(_failed(1))
    ours = "\n".join(r.getMessage() for r in caplog.records if r.name.startswith("muster"))
    written = [path.read_text() for path in lake.root.rglob("*") if path.is_file()]
    assert len(written) >= 4
    assert PASSWORD not in "\n".join([ours, *written])


class Killed(BaseException):
    """Stands for SIGKILL: nothing catches it."""


@pytest.mark.parametrize("number", [0, 1, 2, 3])
def test_killed_while_telling_loses_nothing_and_doubles_at_most_what_was_just_sent(
    lake: Lake, monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    """Killed before each writing of the state; after sending, since else one could be lost."""
    writes, write = [], State.write

    def kill(state: State, path: Path) -> None:
        writes.append(path)
        if len(writes) > number:
            raise Killed
        write(state, path)

    with webhook() as hook:
        monkeypatch.setenv("MUSTER_ALERT_URLS", hook.url)
        _tell()
        with monkeypatch.context() as patched:
            patched.setattr(State, "write", kill)
            with pytest.raises(Killed):
                _tell(_failed(1))
        _tell(_failed(1))
        assert hook.titles == ["Muster: The refresh failed (2012-revisit)"] * (1 + (number == 2))
        assert _tell(_failed(1)) == []
    assert _kept(lake) == ["000001-run-failed.txt"]


def test_killed_while_sending_loses_nothing(monkeypatch: pytest.MonkeyPatch, lake: Lake) -> None:
    """Though whoever tells next knows nothing of that run."""

    def kill(*_: object) -> None:
        raise Killed

    with webhook() as hook:
        monkeypatch.setenv("MUSTER_ALERT_URLS", hook.url)
        with monkeypatch.context() as patched:
            patched.setattr(Channel, "send", kill)
            with pytest.raises(Killed):
                _tell(_failed(1))
        _tell()
        assert hook.titles == ["Muster: The refresh failed (2012-revisit)"]
    assert len(_kept(lake)) == 1


def test_a_damaged_state_tells_once_more(lake: Lake) -> None:
    _tell(_failed(1))
    (lake.alerts / "state.json").write_text('{"told"')
    assert len(_tell(_failed(1))) == 1
    assert _tell(_failed(1)) == []
    assert (lake.alerts / "state.damaged.json").exists()
    assert _kept(lake) == ["000001-run-failed.txt", "000002-run-failed.txt"]


def test_the_state_of_an_earlier_muster_is_read(lake: Lake) -> None:
    """Its numbers are not given again, and what was told is not told again."""
    _tell(_failed(1))
    path = lake.alerts / "state.json"
    state = json.loads(path.read_text())
    del state["run"]
    path.write_text(json.dumps({**state, "runs": ["run-0", "run-1"]}))
    assert _tell(_failed(1)) == []
    assert [each.news for each in _tell(RunOutcome("run-2"))] == ["over"]
    assert _kept(lake) == ["000001-run-failed.txt", "000002-run-failed.txt"]


def test_a_state_of_another_kind_tells_once_more(lake: Lake) -> None:
    lake.alerts.mkdir(parents=True)
    lake.outbox.mkdir()
    (lake.outbox / "000007-run-failed.txt").write_text("told")
    old = {"next_number": 8, "told": {"run-failed/2012-revisit": {}}, "runs": ["run-1"]}
    (lake.alerts / "state.json").write_text(json.dumps(old))
    assert len(_tell(_failed(2))) == 1
    assert _kept(lake) == ["000007-run-failed.txt", "000008-run-failed.txt"]


def test_those_who_tell_at_the_same_time_share_the_numbers(lake: Lake) -> None:
    """Two that read the same state would write the same number twice, and one be lost."""

    def tell_of(number: int) -> None:
        _tell(_failed(number, f"error {number % 2}. Do this."))

    with ThreadPoolExecutor(6) as pool:
        list(pool.map(tell_of, range(12)))
    numbers = [int(name.partition("-")[0]) for name in _kept(lake)]
    assert sorted(numbers) == list(range(1, len(numbers) + 1))
    assert State.read(lake.alerts / "state.json").number == len(numbers)


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
    source = (Path(send.__file__).parent).glob("*.py")
    importing = [p.name for p in source if "import apprise" in p.read_text()]
    assert importing == []


def _condition(*cases: str, **changes: Any) -> Condition:
    named = {case: f"line of {case}" for case in cases}
    made = Condition("returns-rejected", ID, "Broken", "Something is broken.", named)
    return replace(made, **changes)


def _news(state: State, *current: Condition) -> list[str]:
    """Tell a channel of what is there now, and return what was news."""
    there = {condition.kind: condition for condition in current}
    state.see({"returns-rejected": None, **there}, ID)
    found = waiting(state, "x")
    for message in found:
        taken(state, "x", message, "now")
    return [message.news for message in found]


def test_told_once_again_when_it_changes_and_once_when_it_is_over() -> None:
    state = State({})
    for condition, news in (
        (_condition("a"), ["new"]),
        (_condition("a"), []),
        (_condition("a", "b"), ["changed"]),
        (_condition("a", "b", severity="warning"), ["changed"]),
        (_condition("b", severity="warning"), ["changed"]),
        (None, ["over"]),
        (None, []),
        (_condition("b"), ["new"]),
        (_condition("b", severity="info"), ["over"]),
    ):
        assert _news(state, *([condition] if condition else [])) == news


def test_progress_is_no_news_but_what_comes_back_is() -> None:
    """Whoever answers seven queries should not get six messages; an eighth one is told."""
    state = State({})
    for cases, severity, news in (
        ("ab", "error", ["new"]),
        ("a", "error", []),
        ("ab", "error", ["changed"]),
        ("b", "warning", ["changed"]),
    ):
        condition = _condition(*cases, kind="forces-late", severity=severity)
        assert _news(state, condition) == news


def test_a_change_says_what_is_new_and_what_is_gone() -> None:
    text = _condition("b", "c").described(_condition("a", "b"))
    assert "New since the last message: 1\n  line of c\nNo longer: 1\n  a" in text


def test_counts_are_exact_and_the_sample_is_capped() -> None:
    text = _condition(*(f"case{n:02d}" for n in range(25))).described()
    assert text.count("line of") == 10
    assert "and 15 more" in text


def test_a_message_says_what_where_what_to_do_and_where_to_read_on(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delenv("MUSTER_UI_URL", raising=False)
    condition = _condition("a", page="runs/1")
    text = condition.described()
    assert text.startswith("Something is broken.\n  line of a\n\nWhere: table validation/findings")
    assert "What to do: Send each force its marked workbook" in text
    assert "docs/alerts.md#returns-rejected" in text
    assert "See:" not in text
    monkeypatch.setenv("MUSTER_UI_URL", "https://user:secret@ui.example/")
    assert "See: https://****@ui.example/runs/1\n" in condition.described()


def test_every_kind_has_its_section_in_the_documentation() -> None:
    """The link in a message must lead somewhere."""
    page = (Path(__file__).parents[2] / "docs" / "alerts.md").read_text(encoding="utf-8")
    for name in KINDS:
        assert f'<a id="{name}"></a>\n## ' in page


def test_every_page_that_a_message_links_to_is_there() -> None:
    """The page of a table is that of its asset in the UI."""
    assets = defs.resolve_asset_graph().get_all_asset_keys()
    there = {"/".join(("assets", *key.path)) for key in assets}
    linked = {kind["page"] for kind in KINDS.values() if "page" in kind}
    assert linked
    assert linked - there == set()
