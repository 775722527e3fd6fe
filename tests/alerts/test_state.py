"""Who is told what: once, again when it changes, once when it is over."""

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from pipelines.alerts.condition import KINDS, Condition, described
from pipelines.alerts.state import State, news

NOW = datetime(2012, 7, 1, 9, tzinfo=UTC)
KIND = "returns-rejected"


def _condition(*cases: str, **changes: object) -> Condition:
    made = Condition(
        kind=KIND,
        collection="c",
        severity="error",
        title=f"{len(cases)} broken",
        now="Something is broken.",
        where="here",
        cases={case: f"line of {case}" for case in cases},
        do="Mend it.",
    )
    return replace(made, **changes)  # type: ignore[arg-type]


def _told(state: State, *current: Condition) -> tuple[list[str], State]:
    alerts, after = news(state, [KIND], current, "c", NOW)
    return [alert.news for alert in alerts], after


def test_told_once_again_when_it_changes_and_once_when_it_is_over() -> None:
    said, state = _told(State(), _condition("a"))
    assert said == ["new"]
    said, state = _told(state, _condition("a"))
    assert said == []
    said, state = _told(state, _condition("a", "b"))
    assert said == ["changed"]
    said, state = _told(state, _condition("a", "b", severity="warning"))
    assert said == ["changed"]
    said, state = _told(state, _condition("b", severity="warning"))
    assert said == ["changed"]
    said, state = _told(state)
    assert said == ["over"]
    assert _told(state)[0] == []
    said, state = _told(state, _condition("b"))
    assert said == ["new"], "what comes back is told anew"
    assert state.next_number == 7


def test_what_was_not_looked_at_is_neither_new_nor_over() -> None:
    _, state = _told(State(), _condition("a"))
    alerts, after = news(state, ["run-failed"], [], "c", NOW)
    assert alerts == []
    assert after == state
    alerts, _ = news(state, [KIND], [], "another", NOW)
    assert alerts == [], "nor is what happens in another collection"


def test_progress_is_no_news_but_what_comes_back_is() -> None:
    """Whoever answers seven queries should not get six messages; an eighth one is told."""
    _, state = _told(State(), _condition("a", "b", grows_only=True))
    said, state = _told(state, _condition("a", grows_only=True))
    assert said == []
    said, state = _told(state, _condition("a", "b", grows_only=True))
    assert said == ["changed"]
    said, state = _told(state, _condition("b", grows_only=True, severity="warning"))
    assert said == ["changed"]


def test_a_change_says_what_is_new_and_what_is_gone() -> None:
    _, state = _told(State(), _condition("a", "b"))
    (alert,), _ = news(state, [KIND], [_condition("b", "c")], "c", NOW)
    assert "New since the last message: 1\n  line of c\nNo longer: 1\n  a" in alert.text


def test_counts_are_exact_and_the_sample_is_capped() -> None:
    text = described(_condition(*(f"case{n:02d}" for n in range(25))), None)
    assert text.count("line of") == 10
    assert "and 15 more" in text


def test_a_message_says_what_where_what_to_do_and_where_to_read_on(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delenv("MUSTER_UI_URL", raising=False)
    condition = _condition("a", page="runs/1")
    text = described(condition, None)
    for part in (
        "Something is broken.",
        "Where: here",
        "What to do: Mend it.",
        f"alerts.md#{KIND}",
    ):
        assert part in text
    assert "See:" not in text
    monkeypatch.setenv("MUSTER_UI_URL", "https://user:secret@ui.example/")
    assert "See: https://****@ui.example/runs/1\n" in described(condition, None)


def test_the_state_survives_being_written_and_read() -> None:
    _, state = _told(State(), _condition("a", "b"))
    assert State.from_json(state.with_run("r").to_json()) == state.with_run("r")


def test_every_kind_has_its_section_in_the_documentation() -> None:
    """The link in a message must lead somewhere."""
    page = (Path(__file__).parents[2] / "docs" / "alerts.md").read_text(encoding="utf-8")
    for kind, title in KINDS.items():
        assert f'<a id="{kind}"></a>\n## {title}\n' in page
