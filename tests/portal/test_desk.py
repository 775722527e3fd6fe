"""Queries are answered by the force and accepted by the desk; returns are signed by two people."""

import re
import shutil
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from io import BytesIO
from pathlib import Path

import polars as pl
import pytest
from openpyxl import load_workbook

from assets.intake.raw_store import RawStore
from assets.lake import Lake
from assets.returns.desk.decisions import Ledger, read_answers
from assets.returns.desk.sign_off import sign_off
from assets.returns.desk.versions import choose
from assets.sample.write import sample_cases
from pipelines.portal import sending
from pipelines.portal.web import Portal
from schemas.collection import Collection
from tests.feedback.conftest import take_in_cases
from tests.portal.conftest import Browser
from tests.portal.served import take_some_in
from tests.returns import SampleReturn, address_of, take_in

Open = Callable[..., Browser]


@pytest.fixture(scope="module")
def stood(tmp_path_factory: pytest.TempPathFactory, collection: Collection) -> Path:
    """A lake once a run has taken in what STF and KEN have sent."""
    lake = Lake(tmp_path_factory.mktemp("stood"), collection.id)
    take_some_in(lake, collection)
    return lake.root


@pytest.fixture
def taken_in(portal: Portal, stood: Path) -> Portal:
    shutil.copytree(stood, portal.lake.root, dirs_exist_ok=True)
    return portal


def _fields(page: str) -> list[str]:
    return re.findall(r'name="((?:reason|tick) [QG]-[^"]*)"', page)


def test_a_force_answers_and_the_desk_accepts(browser: Open, taken_in: Portal) -> None:
    found = browser("stf.prepares")
    fields = _fields(found.go("/queries").text)
    assert fields
    assert "mend the workbook and send it again instead" in found.shown.text
    for field in fields:
        found.send("/queries", **{field: "The cards were counted anew by hand."})
    answered = found.go("/queries").text
    assert "0 queries to answer" in answered
    assert "The cards were counted anew by hand." in answered
    desk = browser("desk.one")
    ticks = _fields(desk.go("/desk/queries").text)
    assert len(ticks) == len(fields)
    desk.send("/desk/queries", **dict.fromkeys(ticks, "yes"))
    assert f"about {len(fields)} queries is recorded" in desk.shown.text
    settled = f"<h1>Queries: 1 open, {len(fields)} accepted</h1>"
    assert settled in desk.go("/desk/queries").text, "that of KEN is open"
    assert "no letter for the force" in desk.go("/desk/forces/STF/letter").text
    assert "Accepted" in found.go("/queries").text
    given = read_answers(Ledger(taken_in.lake))
    assert set(given["answered_by"]) == {"stf.prepares"}
    assert set(given["accepted_by"]) == {"desk.one"}


@pytest.mark.slow
def test_who_sent_case_rows_alone_mends_these(
    browser: Open, portal: Portal, collection: Collection
) -> None:
    """Of a workbook, which this force has none of, nothing is said."""
    outcome = pl.lit("continuing")
    rows = sample_cases(collection).filter(force_code="STF")
    rows = rows.with_columns(status_at_census=outcome, closed_on=None)
    portal.lake.cases.mkdir(parents=True)
    rows.write_csv(portal.lake.cases / "STF.csv")
    take_in(portal.lake, [], collection)
    take_in_cases(portal.lake, collection)
    shown = browser("stf.prepares").go("/queries").text
    assert "mend the case rows where they come from and send the whole extract anew" in shown
    assert "mend the workbook" not in shown


def test_a_reason_with_a_name_is_refused_and_still_there(browser: Open, taken_in: Portal) -> None:
    found = browser("stf.prepares")
    (field, *_) = _fields(found.go("/queries").text)
    for reason in ("short", "DCI Brown counted them all again last week."):
        answer = found.send("/queries", **{field: reason})
        assert answer.status_code == 400
        assert "Nothing was recorded" in answer.text
        assert f">{reason}</textarea>" in answer.text
        assert 'aria-invalid="true"' in answer.text
        assert "Error: Queries" in answer.text
    assert read_answers(Ledger(taken_in.lake)).is_empty()


def test_queries_of_one_cause_are_answered_and_accepted_as_one(
    browser: Open, taken_in: Portal, monkeypatch: pytest.MonkeyPatch
) -> None:
    agenda = taken_in.stands.agenda(taken_in.collection)
    moves = {"question": pl.lit("G-0123456789"), "moves": pl.lit("DIS-15")}
    rows = agenda.rows.with_columns(**moves)
    asked = replace(agenda, rows=rows)
    monkeypatch.setattr(taken_in.stands, "agenda", lambda _: asked)
    found = browser("stf.prepares")
    (field,) = _fields(found.go("/queries").text)
    queries = rows.filter(force_code="STF").height
    assert queries > 1
    assert f"one answer for {queries} queries" in found.shown.text
    for fix in rows.filter(force_code="STF")["how_to_fix"]:
        assert fix.partition(" See docs/")[0] in found.shown.text
    text = found.send("/queries", **{field: "The cards were counted anew by hand."}).text
    assert f"The answer to {queries} queries is recorded" in text, "as the first page counts them"
    assert read_answers(Ledger(taken_in.lake)).height == queries
    shown = browser("desk.one").go("/desk/queries").text
    assert 'DIS-15 <span class="rule">Forces with investigations: Information disclosure' in shown


@pytest.mark.slow
def test_the_desk_asks_again_and_says_why(browser: Open, taken_in: Portal) -> None:
    found, desk = browser("stf.prepares"), browser("desk.one")
    (field, *_) = _fields(found.go("/queries").text)
    found.send("/queries", **{field: "The cards were counted anew by hand."})
    (tick, *_) = _fields(desk.go("/desk/queries").text)
    assert desk.send("/desk/queries", **{tick: "yes"}, again="yes").status_code == 422
    assert f'id="{tick.removeprefix("tick ")}" name="{tick}" value="yes" checked' in desk.shown.text
    (tick, *_) = _fields(desk.go("/desk/queries").text)
    why = "Say of which day the count is."
    assert desk.send("/desk/queries", **{tick: "yes"}, again="yes", why=why).status_code == 200
    assert f"Your answer was not accepted: {why}" in found.go("/queries").text
    assert field in _fields(found.shown.text)
    assert read_answers(Ledger(taken_in.lake))["reason"].to_list() == [None]
    assert f"Asked again: {why}" in desk.go("/desk/queries").text
    assert "1 asked again" in found.go("/").text
    assert why in " ".join(found.go("/letter/letter.txt").text.split())
    marked = load_workbook(BytesIO(found.go("/letter/STF-marked.xlsx").content))["problems"]
    assert any(why in str(cell.value) for row in marked.iter_rows() for cell in row)


def test_another_forces_query_cannot_be_answered(browser: Open, taken_in: Portal) -> None:
    mine, other = browser("stf.prepares"), browser("ken.prepares")
    (field, *_) = _fields(mine.go("/queries").text)
    other.go("/queries")
    theirs = other.send("/queries", **{field: "This is not for me to say at all."})
    nobodys = other.send("/queries", **{"reason Q-0000000000.x": "This is not there at all."})
    assert theirs.status_code == nobodys.status_code == 409
    # But for what was typed, they are told the same.
    assert theirs.text == nobodys.text
    assert "STF" not in other.go("/versions").text + other.go("/queries").text
    assert read_answers(Ledger(taken_in.lake)).is_empty()


def test_nobody_accepts_what_he_has_not_seen(browser: Open, taken_in: Portal) -> None:
    found, desk = browser("stf.prepares"), browser("desk.one")
    (field, *_) = _fields(found.go("/queries").text)
    found.send("/queries", **{field: "The cards were counted anew by hand."})
    (tick, *_) = _fields(desk.go("/desk/queries").text)
    query = field.removeprefix("reason ").partition(".")[0]
    ledger = Ledger(taken_in.lake)
    (record,) = ledger.records("answer")
    ledger.add("answer", "stf.prepares", {**record.content, "reason": "Something else entirely."})
    answer = desk.send("/desk/queries", **{tick: "yes"})
    assert query in tick
    assert answer.status_code == 409
    assert read_answers(ledger)["accepted_by"].to_list() == [None]


@pytest.mark.usefixtures("taken_in")
def test_the_desk_is_not_there_for_a_force(browser: Open) -> None:
    found, desk = browser("stf.prepares"), browser("desk.one")
    nothing = found.go("/nothing")
    for path in ("/desk/queries", "/desk/forces/KEN", "/desk/contacts"):
        for answer in (
            found.go(path),
            found.client.post(path),
            found.client.post(f"{path}/accept"),
        ):
            assert answer.status_code == 404
            assert answer.text == nothing.text
        assert desk.go(path).status_code == 200


@pytest.mark.usefixtures("taken_in")
def test_versions_show_what_counts_and_what_changed(browser: Open) -> None:
    text = browser("stf.prepares").go("/versions").text
    assert "2 versions received" in text
    assert "This version counts." in text
    assert "What version 2 changed against version 1: 1 cell" in text
    assert "reviews of an approval: Count</td>" in text, "told by its words"


def test_what_had_come_before_came_then_and_lies_where_it_lay(
    browser: Open, taken_in: Portal, monkeypatch: pytest.MonkeyPatch
) -> None:
    (first,) = RawStore(taken_in.lake).receipts()[:1]
    content = RawStore(taken_in.lake).path(first).read_bytes()
    later = datetime.fromisoformat(first.received_at) + timedelta(days=400)
    monkeypatch.setattr(sending, "utc_now", lambda: later)
    found = browser("stf.prepares")
    found.go("/")
    receipt = found.upload("/send", content)
    assert f"{later:%B %Y}" in receipt.text
    assert "<dt>Taken in as</dt><dd>Version 1" in receipt.text
    assert "Lies in landing as" not in receipt.text
    text = found.go("/versions").text
    assert "STF-0001" in text
    assert f"{later:%B %Y}" not in text


def test_what_was_typed_is_told_though_it_could_not_be_read(
    browser: Open, portal: Portal, collection: Collection
) -> None:
    take_some_in(portal.lake, collection, "n/a")
    text = browser("stf.prepares").go("/versions").text
    assert ">n/a</td>" in text
    assert ">12</td>" in text
    assert ">nothing</td>" not in text


def test_a_version_that_the_desk_went_back_from_is_not_to_be_signed(
    browser: Open, taken_in: Portal
) -> None:
    now = taken_in.stands.now()
    sha256 = now.receipts.filter(force_code="STF", version=2)["sha256"].item()
    found, signs = browser("stf.prepares"), browser("stf.signs")
    found.go("/")
    found.upload("/send", (taken_in.lake.raw / "files" / str(sha256)).read_bytes())
    assert "STF-0001 waits for a signature" in found.go("/").text
    assert "Sign it for" in signs.go("/receipts/1").text
    choose(Ledger(taken_in.lake), now.judged, "STF", 1, "It was sent in error.", "desk.one")
    assert "waits for a signature" not in found.go("/").text
    assert "Sign it for" not in signs.go("/receipts/1").text
    assert "To go back to this one, ask" in signs.shown.text
    desk = browser("desk.one")
    desk.go("/desk/forces/STF")
    receipt = str(sha256)[:16]
    assert desk.send("/desk/forces/STF/accept", receipt=receipt).status_code == 404
    assert (
        "This version counts: the inspectorate has gone back to it." in found.go("/versions").text
    )
    (path,) = taken_in.folder.glob("receipts/*/STF/0001.json")
    path.write_text(path.read_text().replace('"state": "queried"', '"state": "rejected"'))
    assert "and version 1 counts" in found.go("/receipts/1").text
    assert "To go back to this one" not in found.shown.text, "nobody can"
    assert "A newer file waits" not in desk.go("/desk/forces/STF").text
    path.write_text(path.read_text().replace(str(sha256), "0" * 64))
    assert "<p>A newer file waits to be taken in.</p>" in desk.go("/desk/forces/STF").text
    assert "Accept version 1" in desk.shown.text


def test_a_letter_looks_first_at_what_the_version_before_said_otherwise(
    browser: Open, portal: Portal, collection: Collection, tmp_path: Path
) -> None:
    """Of three cells that could each be wrong, as `muster feedback` tells it."""
    before, total = SampleReturn.of("STF", collection), ("registers", "force.gratuity", "total")
    after = before.with_values({total: str(int(before.values[total]) + 7)})
    sent = [each.write(tmp_path / f"{n}.xlsx") for n, each in enumerate((before, after))]
    take_in(portal.lake, sent, collection)
    letter = browser("stf.prepares").go("/letter/letter.txt").text
    assert f"1. registers {address_of(*total)} (C401)" in letter


@pytest.mark.usefixtures("taken_in")
def test_a_letter_can_be_read_and_kept(browser: Open) -> None:
    found = browser("stf.prepares")
    text = found.go("/letter").text
    assert "please answer our queries" in text
    for name, begins in (
        ("letter.html", b"<!doctype html>"), ("letter.txt", b""), ("STF-marked.xlsx", b"PK"),
    ):  # fmt: skip
        answer = found.go(f"/letter/{name}")
        assert answer.status_code == 200
        assert answer.content.startswith(begins)
        assert answer.headers["content-disposition"] == f'attachment; filename="{name}"'
    assert found.go("/letter/KEN-marked.xlsx").status_code == 404
    desk = browser("desk.one")
    assert 'href="/desk/forces/STF/letter"' in desk.go("/desk/forces/STF").text
    assert (
        'href="/desk/forces/STF/letter/STF-marked.xlsx"' in desk.go("/desk/forces/STF/letter").text
    )
    theirs = desk.go("/desk/forces/STF/letter/STF-marked.xlsx")
    assert theirs.content == found.go("/letter/STF-marked.xlsx").content
    assert found.go("/desk/forces/STF/letter").status_code == 404
    assert "15 June 2012" in found.go("/help").text


def test_two_people_of_a_force_and_one_of_the_desk_sign(browser: Open, taken_in: Portal) -> None:
    receipts = taken_in.stands.now().receipts.filter(force_code="STF").sort("version")
    sha256 = receipts["sha256"].last()
    content = (taken_in.lake.raw / "files" / str(sha256)).read_bytes()
    prepares, signs, desk = browser("stf.prepares"), browser("stf.signs"), browser("desk.one")
    prepares.go("/")
    prepares.upload("/send", content)
    assert "Sign it for" not in prepares.shown.text
    assert prepares.send("/receipts/1/sign").status_code == 404
    assert "Accept version" not in desk.go("/desk/forces/STF").text
    assert "STF-0001 waits for a signature" in prepares.go("/").text
    assert ">Sign STF-0001</a>" in signs.go("/").text
    assert "Sign it</a>" in signs.go("/versions").text
    assert "Sign it for" in signs.go("/receipts/1").text
    assert "the force has signed it" in signs.send("/receipts/1/sign").text.lower()
    assert "Accept version 2" in desk.go("/desk/forces/STF").text
    assert "about it have no accepted answer yet; <a" in desk.shown.text
    receipt = str(sha256)[:16]
    assert desk.send("/desk/forces/STF/accept", receipt="0" * 16).status_code == 404
    desk.go("/desk/forces/STF")
    assert desk.send("/desk/forces/STF/accept", receipt=receipt).status_code == 200
    recorded = sign_off(Ledger(taken_in.lake), receipt).recorded
    assert {level: one.by for level, one in recorded.items()} == {
        "prepared": "stf.prepares", "signed": "stf.signs", "accepted": "desk.one",
    }  # fmt: skip


def test_who_sent_a_return_is_not_told_to_sign_it(browser: Open, taken_in: Portal) -> None:
    sha256 = taken_in.stands.now().receipts.filter(force_code="STF", version=2)["sha256"].item()
    signs = browser("stf.signs")
    signs.go("/")
    signs.upload("/send", (taken_in.lake.raw / "files" / str(sha256)).read_bytes())
    assert "Sign it for" not in signs.shown.text
    assert "STF-0001 waits for a signature: another account" in signs.go("/").text
    assert "Sign STF-0001" not in signs.shown.text
    assert "Sign it</a>" not in signs.go("/versions").text


@pytest.mark.usefixtures("taken_in")
def test_the_desk_sees_who_is_missing(browser: Open) -> None:
    found = browser("desk.one")
    text = found.go("/").text
    assert "44 forces" in text
    assert "Ask for its return" in text
    assert "(late)" in text, "what came after the deadline"
    assert "Accounts" in found.go("/desk/forces/KEN").text
    assert "ken.prepares" in found.go("/desk/contacts").text
    assert "No account yet: Avon and Somerset Constabulary, " in found.shown.text
    assert found.go("/desk/forces/XXX").status_code == 404
