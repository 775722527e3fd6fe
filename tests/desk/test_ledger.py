"""The ledger is only ever added to, one record a file, whoever writes at once."""

import json
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path

import pytest

from assets.lake import Lake
from assets.returns.desk.decisions import DeskError, Ledger, same_person, sent_by
from schemas.errors import LakeError, UnavailableError


@pytest.fixture
def lake(tmp_path: Path) -> Lake:
    return Lake(tmp_path, "2012-revisit")


def _accepts(answer: int) -> dict[str, object]:
    return {"query_id": "Q-00000001", "answer": answer}


def test_records_come_back_in_order_and_by_kind(lake: Lake) -> None:
    ledger = Ledger(lake, clock=lambda: datetime(2012, 6, 1, tzinfo=UTC))
    ledger.add("acceptance", " Ann ", _accepts(1))
    ledger.add("choice", "Bob", {"force_code": "STF", "version": 2, "up_to": 3, "reason": "why"})
    ledger.add("acceptance", "Cat", _accepts(3))
    assert [r.content.get("answer") for r in ledger.records()] == [1, None, 3]
    assert [r.content["answer"] for r in ledger.records("acceptance")] == [1, 3]
    assert ledger.records()[0].by == "Ann"
    assert ledger.records()[0].at == "2012-06-01T00:00:00+00:00"


def test_two_writers_never_take_one_number(lake: Lake) -> None:
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda n: Ledger(lake).add("acceptance", "Ann", _accepts(n)), range(40)))
    records = Ledger(lake).records()
    assert [r.number for r in records] == list(range(1, 41))
    assert {r.content["answer"] for r in records} == set(range(40))


def test_what_was_recorded_later_is_not_known_earlier(lake: Lake) -> None:
    for day in (1, 2, 3):
        at = datetime(2012, 6, day, tzinfo=UTC)
        Ledger(lake, clock=lambda at=at: at).add("acceptance", "Ann", _accepts(day))
    known = Ledger(lake, until=datetime(2012, 6, 2, tzinfo=UTC)).records()
    assert [r.content["answer"] for r in known] == [1, 2]


def test_a_decision_needs_somebody(lake: Lake) -> None:
    with pytest.raises(DeskError, match="--by NAME"):
        Ledger(lake).add("answer", "  ", {})
    assert Ledger(lake).records() == []


def test_a_damaged_record_is_noticed(lake: Lake) -> None:
    Ledger(lake).add("answers", "Ann", {"answers": [_accepts(1)]})
    with pytest.raises(LakeError, match="not a record"):
        Ledger(lake).records()
    path = next((lake.desk / "ledger").glob("*.json"))
    path.write_text(json.dumps({"number": 1}))
    with pytest.raises(LakeError, match="not a record"):
        Ledger(lake).records()


def test_a_ledger_that_cannot_be_read_is_no_empty_one(lake: Lake) -> None:
    """Else every choice and reason would be forgotten, and other versions count."""
    (lake.desk).mkdir(parents=True)
    (lake.desk / "ledger").write_text("no folder, as one without permission")
    with pytest.raises(UnavailableError, match=r"ledger: cannot be read \(Not a directory\)"):
        Ledger(lake).records()


def test_who_wrote_an_answer_into_a_workbook_cannot_accept_it_at_the_desk() -> None:
    """Where it was written does not make another person of the same role."""
    written = sent_by("Head of professional standards", "MPS", "bf58a2c0d1e4f607")
    assert same_person(written, "head of  Professional Standards ")
    assert not same_person(written, "Head of professional standards, inspectorate")
