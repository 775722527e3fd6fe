"""A query wants a reason and a second person; an answer holds for the value it was given for."""

import json
from pathlib import Path

import polars as pl
import pytest

from assets.lake import Lake
from assets.returns.desk import decisions as desk
from assets.returns.desk.decisions import DeskError, Ledger
from schemas.contract import empty
from schemas.marts import Findings
from schemas.tables import Answers

COLLECTION = "2012-revisit"
REASON = "The force counted every allegation as a case."


@pytest.fixture
def ledger(tmp_path: Path) -> Ledger:
    return Ledger(Lake(tmp_path, COLLECTION))


def _finding(value: str | None = "120", rule: str = "Q102", severity: str = "Q") -> pl.DataFrame:
    row = {
        "force_code": "WMC", "receipt_id": "r", "rule_id": rule, "severity": severity,
        "sheet": "investigations", "cell": "H12", "row_code": "information_disclosure",
        "column_code": "total", "value": value, "message": "120, outside 3 to 90",
        "how_to_fix": "Check.", "reason": None, "accepted_by": None,
    }  # fmt: skip
    return pl.DataFrame([row], schema=empty(Findings).schema)


def _state(findings: pl.DataFrame, ledger: Ledger) -> dict[str, object]:
    return desk.queries(findings, desk.read_answers(ledger), COLLECTION).row(0, named=True)


def test_a_query_goes_from_open_to_accepted(ledger: Ledger) -> None:
    query = _state(_finding(), ledger)
    assert (query["state"], query["reason"]) == ("open", None)
    desk.answer_all(ledger, [(query, REASON)], "Ann")
    query = _state(_finding(), ledger)
    assert (query["state"], query["reason"], query["accepted_by"]) == ("answered", REASON, None)
    desk.accept_all(ledger, [query], "Bob")
    query = _state(_finding(), ledger)
    people = query["answered_by"], query["accepted_by"]
    assert (query["state"], people) == ("accepted", ("Ann", "Bob"))


@pytest.mark.parametrize("name", ["Ann", " ann", "ANN "])
def test_nobody_accepts_a_reason_of_their_own(ledger: Ledger, name: str) -> None:
    desk.answer_all(ledger, [(_state(_finding(), ledger), REASON)], "Ann")
    with pytest.raises(DeskError, match="second person"):
        desk.accept_all(ledger, [_state(_finding(), ledger)], name)
    assert _state(_finding(), ledger)["state"] == "answered"


def test_an_answer_carries_over_while_the_value_is_unchanged(ledger: Ledger) -> None:
    desk.answer_all(ledger, [(_state(_finding(), ledger), REASON)], "Ann")
    desk.accept_all(ledger, [_state(_finding(), ledger)], "Bob")
    resubmitted = _finding().with_columns(receipt_id=pl.lit("r2"), cell=pl.lit("H14"))
    assert _state(resubmitted, ledger)["state"] == "accepted"


def test_an_answer_lapses_when_the_value_changes(ledger: Ledger) -> None:
    desk.answer_all(ledger, [(_state(_finding(), ledger), REASON)], "Ann")
    desk.accept_all(ledger, [_state(_finding(), ledger)], "Bob")
    lapsed = _state(_finding("121"), ledger)
    assert (lapsed["state"], lapsed["reason"], lapsed["accepted_by"]) == ("lapsed", None, None)
    with pytest.raises(DeskError, match="Record a reason first"):
        desk.accept_all(ledger, [lapsed], "Bob")


@pytest.mark.parametrize(
    ("rule", "said", "then", "state"),
    [
        ("Q105", "40 of 40 applications approved", "0 of 40 applications approved", "lapsed"),
        ("Q105", "40 of 40 applications approved", "40 of 40 were approved", "accepted"),
        ("Q101", "1 in 9 months, against 8 in 12: 0.2 times, where 0.9 is usual",
         "1 in 9 months, against 8 in 12: 0.2 times, where 0.8 is usual", "accepted"),
        ("Q101", "1 in 9 months, against 8 in 12 months", "1 in 9 months, against 9 in 12 months",
         "lapsed"),
        ("Q103", "120, of peers 3 to 90", "120, of peers 4 to 80", "accepted"),  # as others sent
    ],
)  # fmt: skip
def test_an_answer_lapses_when_another_number_of_the_query_changes(
    rule: str, said: str, then: str, state: str, ledger: Ledger
) -> None:
    first, now = (_finding(rule=rule).with_columns(message=pl.lit(text)) for text in (said, then))
    desk.answer_all(ledger, [(_state(first, ledger), REASON)], "Ann")
    desk.accept_all(ledger, [_state(first, ledger)], "Bob")
    assert _state(now, ledger)["state"] == state
    (path,) = (ledger._folder).glob("*-answer.json")
    record = json.loads(path.read_text())
    del record["content"]["numbers"]
    path.write_text(json.dumps(record))
    assert _state(now, ledger)["state"] == "accepted", "of a ledger from before"


def test_a_new_reason_wants_a_new_acceptance(ledger: Ledger) -> None:
    desk.answer_all(ledger, [(_state(_finding(), ledger), REASON)], "Ann")
    desk.accept_all(ledger, [_state(_finding(), ledger)], "Bob")
    desk.answer_all(
        ledger, [(_state(_finding(), ledger), "On reflection it was another matter.")], "Ann"
    )
    assert _state(_finding(), ledger)["state"] == "answered"


def test_a_query_without_a_cell_is_answered_for_what_was_observed(ledger: Ledger) -> None:
    desk.answer_all(ledger, [(_state(_finding(None), ledger), REASON)], "Ann")
    assert _state(_finding(None), ledger)["state"] == "answered"
    other = _finding(None).with_columns(message=pl.lit("130, outside 3 to 90"))
    assert _state(other, ledger)["state"] == "lapsed"


def test_a_reason_must_say_something(ledger: Ledger) -> None:
    for reason in ("", "ok", "  yes    "):
        with pytest.raises(DeskError, match="too short"):
            desk.answer_all(ledger, [(_state(_finding(), ledger), reason)], "Ann")


def test_only_queries_are_queries(ledger: Ledger) -> None:
    findings = pl.concat([_finding(severity="B"), _finding(severity="N")])
    assert desk.queries(findings, desk.read_answers(ledger), COLLECTION).is_empty()


def test_two_rules_at_one_cell_are_two_queries(ledger: Ledger) -> None:
    both = pl.concat([_finding(rule="Q102"), _finding(rule="Q103")])
    rows = desk.queries(both, desk.read_answers(ledger), COLLECTION)
    assert rows["query_id"].n_unique() == 2
    desk.answer_all(ledger, [(rows.row(0, named=True), REASON)], "Ann")
    states = desk.queries(both, desk.read_answers(ledger), COLLECTION)["state"].to_list()
    assert sorted(states) == ["answered", "open"]


def test_queries_of_two_collections_have_ids_of_their_own() -> None:
    nobody = empty(Answers)
    first, other = (
        desk.queries(_finding(), nobody, name)["query_id"].item() for name in (COLLECTION, "2013")
    )
    assert first != other


def test_an_answer_in_an_older_ledger_still_holds(ledger: Ledger) -> None:
    """Its query was called by its place alone, as in every collection."""
    query = {**_state(_finding(), ledger), "query_id": "Q-98dda509"}
    desk.answer_all(ledger, [(query, REASON)], "Ann")
    assert _state(_finding(), ledger)["state"] == "answered"
    desk.accept_all(ledger, [_state(_finding(), ledger)], "Bob")
    assert _state(_finding(), ledger)["state"] == "accepted"


def test_several_queries_are_answered_and_accepted_at_once_or_not_at_all(ledger: Ledger) -> None:
    def now() -> list[dict[str, object]]:
        both = pl.concat([_finding(rule="Q102"), _finding(rule="Q103")])
        return desk.queries(both, desk.read_answers(ledger), COLLECTION).to_dicts()

    first, second = now()
    with pytest.raises(DeskError, match="too short"):
        desk.answer_all(ledger, [(first, REASON), (second, "ok")], "Ann")
    assert ledger.records() == []
    desk.answer_all(ledger, [(first, REASON)], "Ann")
    with pytest.raises(DeskError, match="Record a reason first"):
        desk.accept_all(ledger, now(), "Bob")
    desk.answer_all(ledger, [(query, REASON) for query in now()], "Ann")
    with pytest.raises(DeskError, match="second person"):
        desk.accept_all(ledger, now(), "ann")
    desk.accept_all(ledger, now(), "Bob")
    assert [(query["state"], query["accepted_by"]) for query in now()] == [("accepted", "Bob")] * 2
    assert [record.kind for record in ledger.records()] == ["answer", "answers", "acceptances"]
