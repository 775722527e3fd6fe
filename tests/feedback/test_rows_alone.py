"""What only case rows say is asked about as a workbook's counts are: file in, query and letter out.

A rule that needs what rows do not hold is not evaluable: neither failed nor passed.
"""

from datetime import date
from io import BytesIO
from pathlib import Path

import polars as pl
import pytest
from click.testing import CliRunner
from openpyxl import load_workbook

from assets.cases.store import CaseStore
from assets.figures.agenda import Agenda, ordered
from assets.figures.scores import Figures
from assets.figures.totals.national import national_totals
from assets.lake import Lake
from assets.returns.desk.chasing import todo
from assets.returns.desk.decisions import Ledger, accept_all, answer_all, queries, read_answers
from assets.returns.validation.check import check_files
from assets.returns.validation.states import Standing, live_entries, standing
from assets.sample.write import sample_cases
from assets.tables import contract_of, work_table
from pipelines.cli.desk import set_aside, versions
from schemas.collection import Collection
from schemas.collection_fields import RuleChange
from schemas.contract import empty
from tests.feedback.conftest import Written, take_in_cases, write
from tests.returns import SampleReturn, take_in

pytestmark = pytest.mark.slow

REASON = "A single operation of many cases ran over the census."
TODAY = date(2012, 6, 20)


def _drop(lake: Lake, collection: Collection, continuing: int) -> Path:
    """Drop STF's 48 sample cases, of which so many continue, in the place of what lay there."""
    path, first = lake.landing / "cases" / "STF.csv", pl.int_range(pl.len()) < continuing
    path.parent.mkdir(parents=True, exist_ok=True)
    closed = pl.when(first).then(None).otherwise(pl.col("opened_on"))
    other = pl.lit("no_further_action")
    sample_cases(collection).filter(force_code="STF").with_columns(
        status_at_census=pl.when(first).then(pl.lit("continuing")).otherwise(other),
        closed_on=closed,
    ).write_csv(path)
    return path


def _sent(lake: Lake, collection: Collection, continuing: int) -> Standing:
    _drop(lake, collection, continuing)
    return _taken_in(lake, collection)


def _taken_in(lake: Lake, collection: Collection) -> Standing:
    if not lake.table("intake/receipts").exists():
        take_in(lake, [], collection)
    take_in_cases(lake, collection)
    return standing(lake)


def _asked(now: Standing) -> pl.DataFrame:
    return queries(now.asked(), now.answers, now.collection_id)


def _state(now: Standing, collection: Collection) -> tuple[str, int, int]:
    mine = now.status(collection).filter(force_code="STF")
    return mine.select("state", "queries_open", "queries_answered").row(0)


def _listed(lake: Lake, now: Standing, collection: Collection) -> Agenda:
    """Return the queries by what they move of the cases that continue, the one figure here."""
    own = collection.model_copy(update={"published": None})
    live = live_entries(now.live_returns(), now.entries)
    nothing = empty(contract_of("reconciliation/reconciliation"))
    totals = national_totals(live, own).filter(
        measure="investigations", breakdown="outcome=continuing", period="collection"
    )
    figures = Figures(own, live, totals, nothing)
    expected = work_table(lake, "validation/expectations")
    return ordered(_asked(now), expected, now.entries, figures)


@pytest.fixture
def lake(tmp_path: Path, six: Collection) -> Lake:
    return Lake(tmp_path / "lake", six.id)


def test_an_implausible_share_is_asked_about(lake: Lake, six: Collection) -> None:
    """And what rows do not hold neither fails nor passes."""
    now = _sent(lake, six, 45)
    (query,) = _asked(now).to_dicts()
    place = query["rule_id"], query["sheet"], query["row_code"], query["column_code"]
    assert place == ("Q108", "investigations", "total", "continuing")
    assert query["message"] == (
        "STF.csv, rows with status_at_census continuing: 45 of 48 investigations continue, above"
        " 75%"
    )
    assert "Else mend the rows, and send the whole extract anew. See docs/" in query["how_to_fix"]
    assert (query["state"], query["value"], query["cell"]) == ("open", "45", None)
    assert _state(now, six) == ("queried", 1, 0)
    assert now.live_returns()["provisional"].to_list() == [True], "it counts meanwhile"
    results = work_table(lake, "validation/rule_results").filter(receipt_id=query["receipt_id"])
    told = dict(results.select("rule_id", "result").iter_rows())
    assert {rule: result for rule, result in told.items() if result in {"passed", "failed"}} == {
        **dict.fromkeys(("C101", "Q102", "Q107", "Q109", "V007"), "passed"),
        "Q108": "failed",
    }
    for rule in ("V005", "X002", "X005", "Q101", "Q104", "Q105", "Q106", "Q113", "C502", "C701"):
        assert told[rule] == "not_evaluable", rule
    for rule in ("S001", "S009", "V001", "X007", "Q111"):
        assert told[rule] == "not_applicable", rule


def test_an_answer_holds_until_the_count_changes(lake: Lake, six: Collection) -> None:
    (query,) = _asked(_sent(lake, six, 45)).to_dicts()
    answer_all(Ledger(lake), [(query, REASON)], "Ann")
    accept_all(Ledger(lake), _asked(standing(lake)).to_dicts(), "Bob")
    assert _state(standing(lake), six) == ("accepted", 0, 1)
    assert standing(lake).live_returns()["provisional"].to_list() == [False]
    now = _sent(lake, six, 44)
    assert _asked(now)["state"].to_list() == ["lapsed"], "answered for 45"
    assert _state(now, six) == ("queried", 1, 0)
    assert _asked(_sent(lake, six, 36)).is_empty(), "a usual share is not asked about"
    assert _state(standing(lake), six) == ("accepted", 0, 0)


def test_a_large_change_is_asked_about(lake: Lake, six: Collection) -> None:
    """Against what counted before, until it is answered: sent once more, it is no answer."""
    assert _asked(_sent(lake, six, 20)).is_empty()
    path = _drop(lake, six, 36)
    path.write_text(path.read_text().replace("officer", "x"))
    refused = _taken_in(lake, six)
    assert refused.extracts.filter(version=2)["state"].item() == "rejected", "it is passed over"
    store = CaseStore(lake)
    for version in (3, 4):
        store.kept(store.receipts()[0].files[0]).place.write_text("damaged since")
        path = _drop(lake, six, 4)
        path.write_text(path.read_text() + "\n" * version)
        now = _taken_in(lake, six)
        assert now.judged.select("version", "live").rows() == [(version, True)]
        asked = _asked(now).filter(row_code="total").sort("column_code")
        assert asked["rule_id"].to_list() == ["Q111", "Q111"]
        assert asked["message"].to_list() == [
            "STF.csv, rows with status_at_census continuing: 4, but 20 in the earlier return",
            "STF.csv, rows with status_at_census no_further_action: 44, but 28 in the earlier"
            " return",
        ]
        assert (_state(now, six)[0], now.entries["receipt_id"].n_unique()) == ("queried", 1)
    assert "Q111" in write(lake, six, TODAY).text("STF/letter.txt")


def test_it_is_listed_by_what_it_moves(lake: Lake, six: Collection) -> None:
    """Beside three workbooks, which say what is usual, and by which it is usual to them too."""
    others = ("AVS", "BED", "DER")
    books = [SampleReturn.of(force, six).write(lake.root / f"{force}.xlsx") for force in others]
    take_in(lake, books, six)
    now = _sent(lake, six, 48)
    found = _listed(lake, now, six)
    (asked,) = found.rows.filter(force_code="STF").to_dicts()
    held = live_entries(now.live_returns(), now.entries).filter(
        sheet="investigations", row_code="total"
    )
    shares = (
        held.pivot("column_code", index="force_code", values="number")
        .select(pl.col("continuing") / pl.col("total"))
        .to_series()
    )
    counted = held.filter(column_code="continuing")["number"].sum()
    off = 48 - float(shares.median() or 0) * 48
    assert asked["moves"] == "investigations outcome=continuing"
    assert asked["effect"] == pytest.approx(off * 100 / counted)
    assert asked["score"] == pytest.approx(asked["effect"] * off / 48)
    assert asked["query_id"] in found.above


def test_the_letter_asks_and_says_what_to_do(lake: Lake, six: Collection) -> None:
    now = _sent(lake, six, 45)
    written: Written = write(lake, six, TODAY)
    assert written.letters["STF"].situation == "rows_asked"
    assert written.letters["STF"].attachments == ["STF-extract.xlsx"]
    text = " ".join(written.text("STF/letter.txt").split())
    message = _asked(now)["message"].item()
    asked = "because we have 1 query", "steps below are for what is not right"
    for told in (message, "Your cases count".upper(), *asked, "Else mend"):
        assert told in text
    listed = load_workbook(BytesIO(written.files["STF/STF-extract.xlsx"]))["problems"]
    assert "tell the data team why, or answer on the drop-off page" in str(listed["A4"].value)
    answer_all(Ledger(lake), [(_asked(now).row(0, named=True), REASON)], "Ann")
    assert "STF" not in write(lake, six, TODAY).letters, "it waits for the desk now"


def test_a_row_that_is_set_aside_is_told_to_the_force_and_to_the_desk(
    lake: Lake, six: Collection
) -> None:
    """Though nothing is asked: what counts is provisional, as a case may be missing."""
    path = _drop(lake, six, 20)
    path.write_text(path.read_text().replace("officer", "x", 1))
    (checked,) = check_files([path], six, cases=True)
    now = _taken_in(lake, six)
    assert (checked.state, *_state(now, six)) == ("queried", "queried", 0, 0)
    text = " ".join(write(lake, six, TODAY).text("STF/letter.txt").split())
    assert "COUNT, BUT SOME MAY BE MISSING" in text
    assert "because some of the rows are set aside" in text
    assert "1 NOTE 1. STF.csv row" in text
    status = now.status(six)
    told = todo(status, _asked(now), {}, six, TODAY).filter(force_code="STF")
    assert told["what"].to_list() == ["let it mend the case rows that are set aside"]
    assert set_aside(status) == "STF"


def test_beside_a_workbook_the_rows_are_asked_nothing(lake: Lake, six: Collection) -> None:
    book = SampleReturn.of("STF", six).write(lake.root / "STF.xlsx")
    take_in(lake, [book], six)
    now = _sent(lake, six, 45)
    assert set(now.judged["receipt_id"]) == set(now.receipts["receipt_id"])
    assert _asked(now).is_empty()
    assert set(now.findings["rule_id"]) == {"X007"}, "they differ, which blocks the workbook"


def test_the_same_bytes_dropped_as_a_return_too_are_another_receipt(
    lake: Lake, six: Collection
) -> None:
    """The one is nobody's and refused, the other counts: neither takes the other's findings."""
    take_in(lake, [_drop(lake, six, 45)], six)
    now = _sent(lake, six, 45)
    assert now.judged.select("force_code", "live", "blocking").rows() == [
        (None, False, 1), ("STF", True, 0),
    ]  # fmt: skip
    assert _state(now, six) == ("queried", 1, 0)
    found = now.current_findings().select("force_code", "rule_id").rows()
    assert sorted(found, key=str) == [("STF", "Q108"), (None, "S001")]


def test_it_is_checked_before_it_is_sent(lake: Lake, six: Collection) -> None:
    path = _drop(lake, six, 45)
    (checked,) = check_files([path], six, cases=True)
    assert (checked.state, checked.exit_code) == ("queried", 0)
    assert [item.rule_id for item in checked.findings] == ["Q108"]
    assert checked.findings[0].message.startswith("STF.csv, rows with status_at_census continuing")
    book = SampleReturn.of("STF", six).write(lake.root / "STF.xlsx")
    both = check_files([path, book], six, cases=True)
    assert [item.state for item in both] == ["accepted", "accepted"], "beside a workbook"


def test_a_desk_cannot_go_back_to_an_extract(lake: Lake, six: Collection) -> None:
    """A choice of it would be one of the workbook of that number, which may come yet."""
    _sent(lake, six, 20)
    run = CliRunner(env={"MUSTER_LAKE": str(lake.root)}).invoke
    shown = run(versions, ["STF", "--collection", six.id])
    assert "case rows" in shown.output
    back = ["STF", "--go-back", "1", "--reason", REASON, "--by", "Ann", "--collection", six.id]
    assert run(versions, back).exit_code != 0
    assert read_answers(Ledger(lake)).is_empty()
    assert not Ledger(lake).records("choice")
    assert len(CaseStore(lake).receipts()) == 1


def test_a_rule_that_is_switched_off_is_noted_of_rows_too(lake: Lake, six: Collection) -> None:
    """Nobody takes it for passed."""
    off = RuleChange(rule="Q108", severity="off", reason=REASON, since=TODAY)
    other = six.model_copy(update={"rule_changes": (off,)})
    now = _sent(lake, other, 45)
    (note,) = now.current_findings().filter(force_code="STF").to_dicts()
    assert (note["rule_id"], note["severity"], note["sheet"]) == ("Q108", "N", None)
    assert note["message"].startswith("not checked in this collection, since 2012-06-20")
    assert "rows" not in note["how_to_fix"], "there is nothing to mend"
    assert _state(now, other) == ("accepted", 0, 0)
