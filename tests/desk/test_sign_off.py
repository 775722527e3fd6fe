"""A return is prepared, signed, accepted and released, each by somebody else; no level counts."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from assets.lake import Lake
from assets.returns.desk.decisions import DeskError, Ledger
from assets.returns.desk.sign_off import LEVELS, sign, sign_off, sign_offs

RECEIPT = "0123456789abcdef"


@pytest.fixture
def ledger(tmp_path: Path) -> Ledger:
    return Ledger(Lake(tmp_path, "2012-revisit"))


def test_a_return_goes_from_prepared_to_released(ledger: Ledger) -> None:
    seen = []
    for level, by in (("prepared", "analyst"), ("signed", "head"), ("accepted", "data team")):
        sign(ledger, RECEIPT, "WMC", level, by)
        seen.append(sign_off(ledger, RECEIPT))
    assert [(each.level, each.due) for each in seen] == [
        ("prepared", "signed"), ("signed", "accepted"), ("accepted", None),
    ]  # fmt: skip
    assert seen[-1].recorded["signed"].by == "head"
    released = sign_offs(ledger, [RECEIPT, "other"], {RECEIPT, "other"})
    assert (released[RECEIPT].level, released["other"].level) == ("released", "signed")
    assert [*LEVELS] == ["prepared", "signed", "accepted", "released"]


def test_what_came_with_a_signed_cover_waits_for_the_desk(ledger: Ledger) -> None:
    assert (sign_off(ledger, RECEIPT).level, sign_off(ledger, RECEIPT).recorded) == ("signed", {})
    sign(ledger, RECEIPT, "WMC", "accepted", "data team")
    assert sign_off(ledger, RECEIPT).level == "accepted"


def test_the_same_twice_is_recorded_once(ledger: Ledger) -> None:
    assert sign(ledger, RECEIPT, "WMC", "prepared", "analyst")
    assert sign(ledger, RECEIPT, "WMC", "prepared", " Analyst") is None
    assert len(ledger.records("sign_off")) == 1


@pytest.mark.parametrize(
    ("before", "level", "by", "said"),
    [
        ([], "released", "data team", "nobody signs"),
        ([], "prepared", "DC Smith", "a rank or title"),
        ([], "prepared", " ", "nobody is named"),
        ([("prepared", "analyst")], "prepared", "clerk", "already, by analyst"),
        ([("prepared", "analyst")], "signed", "ANALYST ", "second person"),
        ([("prepared", "analyst")], "accepted", "data team", "not signed"),
        ([("signed", "head")], "prepared", "analyst", "comes after"),
        ([("signed", "head")], "accepted", "head", "second person"),
        ([("prepared", "a"), ("signed", "b")], "accepted", "A", "prepared by a"),
    ],
)
def test_a_level_that_cannot_be_recorded_is_refused(
    ledger: Ledger, before: list[tuple[str, str]], level: str, by: str, said: str
) -> None:
    for earlier, role in before:
        sign(ledger, RECEIPT, "WMC", earlier, role)
    with pytest.raises(DeskError, match=said):
        sign(ledger, RECEIPT, "WMC", level, by)
    assert len(ledger.records()) == len(before)


def test_a_level_is_known_from_the_moment_it_was_recorded(tmp_path: Path) -> None:
    at = datetime(2012, 6, 20, tzinfo=UTC)
    lake = Lake(tmp_path, "2012-revisit")
    sign(Ledger(lake, clock=lambda: at), RECEIPT, "WMC", "accepted", "data team")
    assert sign_off(Ledger(lake, until=at), RECEIPT).recorded["accepted"].at == at.isoformat()
    assert sign_off(Ledger(lake, until=at.replace(day=19)), RECEIPT).level == "signed"
