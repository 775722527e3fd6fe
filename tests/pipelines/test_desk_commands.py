"""The returns desk from the command line: queries, answers, versions, chasing."""

import csv
import json
from collections.abc import Callable
from pathlib import Path

import polars as pl
import pytest

from assets import previous
from assets.lake import Lake
from tests.pipelines.conftest import Muster
from tests.returns import SampleReturn

REASON = "The force counted every allegation as a case."
TEXT = "assurance"


def _status(run: Muster, force: str) -> dict[str, object]:
    rows = json.loads(run("status", "--json").output)
    return next(row for row in rows if row["force_code"] == force)


def _query(run: Muster, force: str, rule: str) -> dict[str, object]:
    rows = json.loads(run("queries", "--all", "--json").output)
    return next(r for r in rows if (r["force_code"], r["rule_id"]) == (force, rule))


def test_the_sample_has_its_known_queries(run: Muster) -> None:
    rows = json.loads(run("queries", "--json").output)
    assert {row["force_code"] for row in rows} == {"CAM", "CHS", "DVC", "GMP", "MPS", "WMC", "WMP"}
    assert {row["state"] for row in rows} == {"open"}
    assert {row["previous_value"] for row in rows} == {None}, "there is no collection before"
    assert [*rows[0]][-5:] == ["effect", "moves", "score", "about", "question"]
    assert [row["score"] for row in rows[:6]] == sorted(row["score"] for row in rows[:6])[::-1]
    text = run("queries").output
    assert "Answering the 11 queries above leaves no published figure" in text
    assert text.index("Q-caeca238d1") < text.index("Answering the 11") < text.index("CHS")
    assert "Answering" not in run("queries", "--all").output


@pytest.mark.slow
def test_a_question_is_answered_at_once(lake: Lake, run: Muster) -> None:
    """Six queries about the size of one force."""
    question = _query(run, "MPS", "Q102")["question"]
    both = ("--reason", REASON, "--by", "Ann", "--accepted-by", "Bob")
    assert run("answer", question, "Q-00000000", *both).exit_code != 0
    assert not (lake.desk / "ledger").exists(), "nothing was recorded"
    told = run("answer", question, _query(run, "CHS", "Q105")["query_id"], *both)
    assert told.exit_code == 0, told.output
    assert (_status(run, "MPS")["state"], _status(run, "CHS")["state"]) == ("accepted", "accepted")
    assert sorted(path.stem[7:] for path in (lake.desk / "ledger").iterdir()) == [
        "acceptances", "answers",
    ]  # fmt: skip
    assert "Answering the 5 queries above" in run("queries").output


@pytest.mark.slow
def test_what_the_entry_was_before_stands_beside_a_query(
    run: Muster, monkeypatch: pytest.MonkeyPatch
) -> None:
    query = _query(run, "CHS", "Q105")
    place = {key: query[key] for key in ("force_code", "sheet", "row_code", "column_code")}
    before = pl.DataFrame([{**place, "value": "8123", "collection": "2011-visit"}])
    monkeypatch.setattr(previous, "previous_values", lambda *_: before)
    told = _query(run, "CHS", "Q105")
    assert (told["previous_value"], told["previous_collection"]) == ("8123", "2011-visit")
    assert "8123" in run("queries").output
    assert _query(run, "WMC", "Q102")["previous_value"] is None


@pytest.mark.slow
def test_a_query_is_answered_by_one_and_accepted_by_another(lake: Lake, run: Muster) -> None:
    query_id = _query(run, "CHS", "Q105")["query_id"]
    assert _status(run, "CHS")["state"] == "queried"
    recorded = run("answer", query_id, "--reason", REASON, "--by", "Ann")
    assert recorded.exit_code == 0, recorded.output
    refused = run("answer", query_id, "--accepted-by", "ann")
    assert refused.exit_code != 0
    assert "second person" in str(refused.exception)
    assert _status(run, "CHS")["state"] == "queried"
    assert run("answer", query_id, "--accepted-by", "Bob").exit_code == 0
    assert _status(run, "CHS")["state"] == "accepted"
    assert run("run").exit_code == 0
    findings = pl.read_parquet(lake.marts / "findings.parquet")
    row = findings.row(by_predicate=pl.col("rule_id") == "Q105", named=True)
    assert (row["reason"], row["accepted_by"]) == (REASON, "Bob")
    status = pl.read_parquet(lake.marts / "returns_status.parquet")
    row = status.row(by_predicate=pl.col("force_code") == "CHS", named=True)
    assert (row["state"], row["queries_open"], row["queries_answered"]) == ("accepted", 0, 1)


def test_one_person_cannot_answer_and_accept_at_once(run: Muster) -> None:
    query_id = _query(run, "CHS", "Q105")["query_id"]
    both = ("answer", query_id, "--reason", REASON, "--by", "Ann", "--accepted-by")
    assert run(*both, "Ann").exit_code != 0
    assert _query(run, "CHS", "Q105")["state"] == "open", "nothing was recorded"
    assert run(*both, "Bob").exit_code == 0
    assert _query(run, "CHS", "Q105")["state"] == "accepted"


@pytest.mark.slow
def test_an_answer_that_does_not_do_is_asked_for_again(run: Muster) -> None:
    question = _query(run, "MPS", "Q102")["question"]
    assert run("answer", question, "--ask-again", "Say what has changed", "--by", "Bob").exit_code
    of_one = _query(run, "MPS", "Q102")["query_id"]
    run("answer", of_one, "--reason", REASON, "--by", "Ann")
    told = run("answer", question, "--reason", f"Another: {REASON}", "--by", "Cat")
    assert told.exit_code == 0, told.output
    mine = _query(run, "MPS", "Q102")
    assert (mine["reason"], mine["answered_by"]) == (REASON, "Ann"), "it was answered already"
    assert run("answer", of_one, "--ask-again", "Say what has changed", "--by", "Ann").exit_code
    assert run("answer", of_one, "--ask-again", "Say.", "--by", "Bob").exit_code
    assert run("answer", of_one, "--ask-again", "Say what has changed", "--by", "Bob").output
    mine = _query(run, "MPS", "Q102")
    now = [mine[name] for name in ("state", "reason", "answered_by", "asked_again")]
    assert now == ["open", None, None, "Say what has changed"]
    assert "Say what has changed" in run("queries").output
    assert run("answer", of_one, "--accepted-by", "Bob").exit_code, "there is nothing to accept"
    run("answer", of_one, "--reason", f"Better: {REASON}", "--by", "Ann", "--accepted-by", "Bob")
    mine = _query(run, "MPS", "Q102")
    assert (mine["state"], mine["asked_again"]) == ("accepted", None)
    replaced = run("answer", of_one, "--reason", REASON, "--by", "Cat").output
    assert "the reason of Ann is replaced" in replaced


def test_a_return_is_signed_off_and_that_is_shown(run: Muster) -> None:
    """Levels say nothing of what counts."""
    before = _status(run, "STF")
    assert before["sign_off"] == "signed"
    assert "muster versions STF --sign accepted --by ROLE" in run("status", "--todo").output
    assert run("versions", "STF", "--sign", "accepted").exit_code != 0
    signed = run("versions", "STF", "--sign", "accepted", "--by", "data team")
    assert (signed.exit_code, "is released" in signed.output) == (0, True)
    assert _status(run, "STF") == {**before, "sign_off": "released"}
    assert "muster versions STF" not in run("status", "--todo").output
    again = run("versions", "STF", "--sign", "signed", "--by", "head")
    assert "comes after" in str(again.exception)


@pytest.mark.slow
def test_an_answer_lapses_with_a_resubmission_that_changes_the_value(
    lake: Lake, run: Muster, sample: Callable[[str], SampleReturn]
) -> None:
    query_id = _query(run, "CHS", "Q105")["query_id"]
    run("answer", query_id, "--reason", REASON, "--by", "Ann", "--accepted-by", "Bob")
    same = sample("CHS").with_values({("cover", TEXT, "value"): "Checked again"})
    same.write(lake.landing / "CHS 2.xlsx")
    run("run")
    assert (_status(run, "CHS")["version"], _status(run, "CHS")["state"]) == (2, "accepted")
    count = ("second_jobs", "approved_conditional", "count")
    total = ("second_jobs", "total", "count")
    more = {p: str(int(sample("CHS").values[p]) + 1) for p in (count, total)}
    sample("CHS").with_values(more).write(lake.landing / "CHS 3.xlsx")
    run("run")
    assert _status(run, "CHS")["state"] == "queried"
    assert _query(run, "CHS", "Q105")["state"] == "lapsed"


def test_that_nothing_is_asked_is_said(lake: Lake, run: Muster) -> None:
    path = lake.table("validation/all_findings")
    pl.read_parquet(path).remove(severity="Q").write_parquet(path)
    for all_of_them in ((), ("--all",)):
        listed = run("queries", *all_of_them)
        assert listed.exit_code == 0, listed.exception
        assert listed.stdout.endswith("0 queries: none open\n")


def test_queries_are_exported(run: Muster, tmp_path: Path) -> None:
    assert run("queries", "--export", tmp_path / "q.csv").exit_code == 0
    with (tmp_path / "q.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert {"query_id", "force_code", "rule_id", "cell", "message", "state"} <= set(rows[0])
    nowhere = tmp_path / "none" / "q.csv"
    refused = str(run("queries", "--export", nowhere).exception)
    assert refused.startswith(f"{nowhere}: cannot be written (No such file or directory). Nothing")
    assert refused.endswith("See that its folder is there, then run again.")


@pytest.mark.parametrize("words", [("queries", "--force", "ZZZ"), ("versions", "ZZZ")])
def test_a_force_that_nobody_expects_is_refused(words: tuple[str, ...], run: Muster) -> None:
    refused = run(*words)
    assert refused.exit_code == 1
    assert "2012-revisit expects no force ZZZ. It expects AVS, " in str(refused.exception)


@pytest.mark.slow
def test_versions_show_what_changed_and_can_be_gone_back_to(
    lake: Lake, run: Muster, sample: Callable[[str], SampleReturn]
) -> None:
    place = ("comparators", "cards_2012", "value")
    old = sample("STF").values[place]
    sample("STF").with_values({place: str(int(old) + 1)}).write(lake.landing / "STF 2.xlsx")
    assert run("run").exit_code == 0
    shown = json.loads(run("versions", "STF", "--json").output)
    assert [v["live"] for v in shown["versions"]] == [False, True]
    assert [(c["cell"], c["before"], c["after"]) for c in shown["changes"]] == [
        ("C11", old, str(int(old) + 1))
    ]
    assert shown["typed"] == shown["changes"], "all of it could be read"
    text = run("versions", "STF").output
    assert "Version 2 against version 1: 1 cell\n" in text
    assert f"{old} -> {int(old) + 1}" in text
    back = run("versions", "STF", "--go-back", "1", "--reason", "sent by mistake", "--by", "Ann")
    assert back.exit_code == 0, back.output
    assert run("run").exit_code == 0
    row = _status(run, "STF")
    assert (row["version"], row["notes"]) == (
        1, "Ann went back to version 1; version 2 does not count",
    )  # fmt: skip
    cells = pl.read_parquet(lake.marts / "cells.parquet").filter(
        pl.col("force_code") == "STF", pl.col("row_code") == "cards_2012"
    )
    assert cells["value"].item() == old
    sample("STF").with_values({place: str(int(old) + 2)}).write(lake.landing / "STF 3.xlsx")
    assert run("run").exit_code == 0
    assert _status(run, "STF")["version"] == 3, "a newer version counts again"


def test_going_back_is_refused_where_it_makes_no_sense(run: Muster) -> None:
    refused = run("versions", "STF", "--go-back", "2", "--reason", "why not", "--by", "Ann")
    assert "Its versions: 1" in str(refused.exception)
    assert run("versions", "STF", "--go-back", "1").exit_code == 2


@pytest.mark.slow
def test_a_rejected_version_cannot_be_gone_back_to(
    lake: Lake, run: Muster, sample: Callable[[str], SampleReturn]
) -> None:
    blank = {("comparators", "cards_2012", "value"): None}
    sample("STF").with_values(blank).write(lake.landing / "STF 2.xlsx")
    run("run")
    assert _status(run, "STF")["version"] == 1
    refused = run("versions", "STF", "--go-back", "2", "--reason", "why not", "--by", "Ann")
    assert "was rejected" in str(refused.exception)


def test_the_call_list_is_a_file_for_people(lake: Lake, run: Muster, tmp_path: Path) -> None:
    # Whom to call is asked most where the first run ended before it added up.
    lake.table("totals/national_totals").unlink()
    assert run("status", "--call-list", tmp_path / "calls.csv").exit_code == 0
    gone = str(run("status", "--call-list", tmp_path / "gone" / "calls.csv").exception)
    assert "calls.csv: cannot be written (No such file or directory" in gone
    with (tmp_path / "calls.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert [row["force_code"] for row in rows] == ["CAM", "CHS", "DVC", "GMP", "MPS", "WMC", "WMP"]
    assert rows[1]["what"] == "have 1 query answered"


@pytest.mark.parametrize(("since", "told"), [("yesterday", True), ("2999-01-01", False)])
def test_what_has_changed_since_a_day(run: Muster, since: str, told: bool) -> None:
    output = run("status", "--since", since).output
    assert ("missing" in output) == told
    assert ("Nothing changed" in output) != told


@pytest.mark.slow
def test_a_declared_correction_shows_in_the_marts(
    lake: Lake, run: Muster, sample: Callable[[str], SampleReturn]
) -> None:
    old = sample("STF").values["comparators", "cards_2012", "value"]
    lake.desk.mkdir(parents=True, exist_ok=True)
    (lake.desk / "corrections.csv").write_text(
        "force_code,sheet,row_code,column_code,from_value,to_value,reason,owner,agreed_on\n"
        f"STF,comparators,cards_2012,value,{old},41,typing error,data team,2012-06-20\n"
    )
    before = lake.marts.resolve()
    assert run("run").exit_code == 0
    assert lake.marts.resolve() != before, "made from something else"
    row = pl.read_parquet(lake.marts / "corrections.parquet").row(0, named=True)
    assert (row["force_code"], row["from_value"], row["to_value"]) == ("STF", old, "41")
    (lake.landing / "STF 2.xlsx").write_bytes(b"")
    sample("STF").with_values({("comparators", "cards_2012", "value"): "40"}).write(
        lake.landing / "STF 2.xlsx"
    )
    failed = run("run")
    assert failed.exit_code == 1
    assert "corrections that the live return no longer needs" in failed.output
    assert pl.read_parquet(lake.marts / "corrections.parquet").height == 1, "last release stays"
