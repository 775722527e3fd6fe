"""Two files of one force and one time: neither replaces the other by its name."""

import os
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import polars as pl
import pytest

from assets.intake.landing import waiting
from assets.intake.raw_store import RawStore
from assets.intake.tables import readings, received
from assets.lake import Lake
from assets.returns.desk.decisions import Ledger, accept_all, answer_all, queries, read_answers
from assets.returns.desk.versions import (
    as_typed,
    choose,
    gone_from,
    read_choices,
    version_changes,
)
from assets.returns.validation.judge import judge, received_by_id
from assets.returns.validation.states import Standing
from schemas.collection import Collection
from tests.returns import SampleReturn

MONTHS = ("second_jobs", "review_months", "count")
DAY = ("cover", "submitted_on", "value")
ROLE = ("cover", "prepared_by_role", "value")
CARDS = ("comparators", "cards_2012", "value")
BLANK = {("second_jobs", "refused", "count"): None}
TIME = 1_339_300_000
Sample = Callable[[str], SampleReturn]


class Desk:
    """A lake whose landing folder is filled by hand, and judged."""

    def __init__(self, root: Path, collection: Collection, sample: Sample) -> None:
        self.lake, self.collection, self.sample = Lake(root, collection.id), collection, sample
        self.lake.landing.mkdir(parents=True)
        self.ledger = Ledger(self.lake)
        self.days = 0

    def drop(self, name: str, months: str, at: int = TIME, **more: str | None) -> None:
        places = {
            "day": DAY,
            "role": ROLE,
            "cards": CARDS,
            "refused": ("second_jobs", "refused", "count"),
        }
        changed = {MONTHS: months, **{places[key]: value for key, value in more.items()}}
        path = self.sample("KEN").with_values(changed).write(self.lake.landing / name)
        os.utime(path, (at, at))

    def run(self) -> Standing:
        """Take in what waits and judge all, a day after the last time."""
        now = datetime(2012, 6, 10, tzinfo=UTC) + timedelta(days=self.days)
        self.days += 1
        store = RawStore(self.lake, clock=lambda: now)
        store.take_in(waiting(self.lake.landing).files, self.collection)
        everything = received(store)
        decided = read_answers(self.ledger), read_choices(self.ledger)
        gone = gone_from(everything.receipts, decided[1])
        known = received_by_id(everything.receipts, self.collection, gone)
        read = readings(self.lake, everything.receipts)
        result = judge(read, known, self.collection)
        told = everything.receipts, result.findings, result.entries
        return Standing(self.collection.id, *told, *decided)

    def query(self, now: Standing) -> dict[str, str]:
        asked = queries(now.current_findings(), read_answers(self.ledger), self.lake.collection)
        return asked.row(by_predicate=pl.col("rule_id") == "S014", named=True)


@pytest.fixture
def desk(tmp_path: Path, collection: Collection, sample: Sample) -> Desk:
    return Desk(tmp_path / "lake", collection, sample)


def _status(now: Standing, collection: Collection) -> dict[str, object]:
    return now.status(collection).row(by_predicate=pl.col("force_code") == "KEN", named=True)


def _live(now: Standing) -> list[str]:
    """The review interval of each live return, which tells the files apart."""
    live = now.judged.filter("live").select("receipt_id")
    mine = now.entries.filter(pl.col("row_code") == "review_months")
    return mine.join(live, on="receipt_id")["value"].to_list()


@pytest.mark.parametrize("names", [("KEN.xlsx", "KEN (1).xlsx"), ("KEN (1).xlsx", "KEN.xlsx")])
def test_neither_wins_by_its_name(names: tuple[str, str], desk: Desk) -> None:
    desk.drop(names[0], "7")
    desk.drop(names[1], "9", role="Data manager")
    now = desk.run()
    assert _live(now) == []
    status = _status(now, desk.collection)
    assert (status["state"], status["blocking"]) == ("rejected", 0)
    assert "versions 1 and 2 came with the same time and differ" in str(status["notes"])
    query = desk.query(now)
    assert "KEN.xlsx" in query["message"]
    assert "KEN (1).xlsx" in query["message"]
    assert "2 cells differ" in query["message"]
    assert "second_jobs!" in query["message"]
    assert "Data manager" not in query["message"], "what is free text is not repeated"
    assert _live(desk.run()) == [], "nor in a later run"


def test_what_was_live_before_both_stays_live(desk: Desk) -> None:
    desk.drop("first.xlsx", "5", at=TIME - 1000)
    assert _live(desk.run()) == ["5"]
    desk.drop("b.xlsx", "7")
    desk.drop("a.xlsx", "9")
    now = desk.run()
    assert _live(now) == ["5"]
    status = _status(now, desk.collection)
    assert (status["version"], status["state"]) == (1, "queried"), "it may be about to change"
    assert "versions 2 and 3" in str(status["notes"])
    assert "version 1 stays live" in str(status["notes"])


def test_an_accepted_answer_lets_the_version_in_the_query_count(desk: Desk) -> None:
    desk.drop("a.xlsx", "7")
    desk.drop("b.xlsx", "9")
    now = desk.run()
    answer_all(desk.ledger, [(desk.query(now), "the force says that it is b.xlsx")], "Ann")
    now = desk.run()
    assert _live(now) == [], "one person alone cannot decide it"
    accept_all(desk.ledger, [desk.query(now)], "Bob")
    now = desk.run()
    assert _live(now) == ["9"]
    desk.drop("c.xlsx", "11", at=TIME + 5)
    desk.drop("d.xlsx", "13", at=TIME + 5)
    now = desk.run()
    assert _live(now) == ["9"], "the answer was about other files"
    asked = queries(now.current_findings(), read_answers(desk.ledger), desk.lake.collection)
    unordered = asked.filter(pl.col("rule_id") == "S014")
    assert set(unordered["state"]) == {"accepted", "open"}
    assert unordered["query_id"].n_unique() == 2


@pytest.mark.parametrize(("version", "months"), [(1, "7"), (2, "9")])
def test_somebody_can_choose_one(version: int, months: str, desk: Desk) -> None:
    desk.drop("a.xlsx", "7")
    desk.drop("b.xlsx", "9")
    choose(desk.ledger, desk.run().judged, "KEN", version, "the force says so", "Ann")
    now = desk.run()
    assert _live(now) == [months]
    assert _status(now, desk.collection)["state"] == "accepted"
    assert now.current_findings().filter(pl.col("rule_id") == "S014").is_empty(), "it is settled"
    desk.drop("c.xlsx", "11", at=TIME + 5)
    assert _live(desk.run()) == ["11"], "a newer one counts again"


def test_a_later_date_on_the_cover_decides(desk: Desk) -> None:
    desk.drop("a.xlsx", "7", day="2012-06-07")
    desk.drop("b.xlsx", "9", day="2012-06-05")
    now = desk.run()
    assert _live(now) == ["7"], "though b comes after a"
    assert now.current_findings().is_empty(), "there is nothing to ask"
    assert now.judged.sort("version")["file_name"].to_list() == ["b.xlsx", "a.xlsx"]


def test_other_times_and_later_arrival_decide(desk: Desk) -> None:
    desk.drop("b.xlsx", "7", at=TIME)
    desk.drop("a.xlsx", "9", at=TIME + 1)
    assert _live(desk.run()) == ["9"]
    desk.drop("0.xlsx", "11", at=TIME)
    now = desk.run()
    assert _live(now) == ["11"], "it came when the others had been received"
    assert now.current_findings().is_empty()


def test_files_that_waited_together_are_compared_though_taken_one_after_the_other(
    desk: Desk,
) -> None:
    """A run that the sensor starts takes what had settled by then."""
    desk.drop("b.xlsx", "7")
    desk.drop("a.xlsx", "9")
    store = RawStore(desk.lake, clock=lambda: datetime.now(UTC) + timedelta(seconds=5))
    store.take_in([desk.lake.landing / "b.xlsx"], desk.collection)
    now = desk.run()
    assert _live(now) == ["7"], "what was live stays"
    assert (
        "version 2 ('a.xlsx') has the same time as version 1 ('b.xlsx')"
        in (desk.query(now)["message"])
    )


@pytest.mark.parametrize("blocked", ["a.xlsx", "b.xlsx"])
def test_a_rejected_one_is_no_rival(blocked: str, desk: Desk) -> None:
    for name, months in (("a.xlsx", "7"), ("b.xlsx", "9")):
        more = {"refused": None} if name == blocked else {}
        desk.drop(name, months, **more)
    now = desk.run()
    assert _live(now) == [{"a.xlsx": "9", "b.xlsx": "7"}[blocked]]
    assert "S014" not in now.findings["rule_id"].to_list()


def test_of_three_none_wins(desk: Desk) -> None:
    for name, months in (("a.xlsx", "7"), ("b.xlsx", "9"), ("c.xlsx", "11")):
        desk.drop(name, months)
    now = desk.run()
    assert _live(now) == []
    assert all(name in desk.query(now)["message"] for name in ("a.xlsx", "b.xlsx", "c.xlsx"))


def test_equal_cells_are_no_question(desk: Desk) -> None:
    """Saved twice: other bytes, the same return."""
    desk.drop("a.xlsx", "7")
    path = (
        desk.sample("KEN")
        .with_values({MONTHS: "7"})
        .write(
            desk.lake.landing / "b.xlsx", lambda book: setattr(book.properties, "title", "again")
        )
    )
    os.utime(path, (TIME, TIME))
    now = desk.run()
    assert now.receipts.height == 2
    assert _live(now) == ["7"]
    assert now.current_findings().is_empty()


def test_a_version_that_is_gone_leaves_a_gap_in_what_changed(desk: Desk) -> None:
    for number, months in enumerate(("7", "9", "11")):
        desk.drop(f"{number}.xlsx", months, at=TIME + number)
    now = desk.run()
    left = now.judged.filter(pl.col("version") != 2)
    rows = version_changes(left, now.entries).select("version", "before", "after").rows()
    assert rows == [(3, "7", "11")]


def test_what_was_typed_is_told_where_nothing_can_be_read_and_where_it_is_corrected(
    desk: Desk,
) -> None:
    for number, (months, refused) in enumerate((("7", "4"), ("c. 9", None), ("11", "5"))):
        desk.drop(f"{number}.xlsx", months, at=TIME + number, refused=refused)
    now = desk.run()
    last = now.receipts.filter(version=3)["receipt_id"].item()
    names = ["receipt_id", "sheet", "row_code", "column_code", "from_value"]
    corrected = pl.DataFrame([(last, *MONTHS, "1l")], names, orient="row")
    typed = as_typed(now.entries, now.findings, corrected)
    changed = version_changes(now.judged, typed).sort("version", "row_code")
    assert changed.select("version", "row_code", "cell", "before", "after").rows() == [
        (2, "refused", "C8", "4", None),
        (2, "review_months", "C15", "7", "c. 9"),
        (3, "refused", "C8", None, "5"),
        (3, "review_months", "C15", "c. 9", "1l"),
    ], "all of them are refused"


def test_the_version_before_is_none_that_was_refused(desk: Desk) -> None:
    for number, (months, more) in enumerate((("7", {}), ("9", {"refused": None}), ("11", {}))):
        desk.drop(f"{number}.xlsx", months, at=TIME + number, **more)
    changed = desk.run().changes.filter(version=3)
    assert changed.select("against", "row_code", "before").rows() == [(1, "review_months", "7")]


def test_the_version_before_is_none_that_was_gone_back_from(desk: Desk) -> None:
    """In queries and in what each changed: it replaced nothing that counts."""
    sent = [("4", "2012-06-01"), ("13", "2012-06-09"), ("14", "2012-06-08"), ("40", "2012-06-09")]
    for number, (cards, day) in enumerate(sent, 1):
        desk.drop(f"{number}.xlsx", "7", at=TIME + number, cards=cards, day=day)
        now = desk.run()
        if number in {2, 4}:
            choose(desk.ledger, now.judged, "KEN", number - 1, "sent by mistake", "Ann")
    now = desk.run()
    between = now.findings.filter(pl.col("rule_id").is_in(["Q111", "S011"]))
    told = between.join(now.receipts, on="receipt_id").sort("version", "rule_id")
    assert told.select("version", "rule_id", "message").rows() == [
        (3, "Q111", "14, but 4 in the earlier return"),
        (4, "Q111", "40, but 4 in the earlier return"),
    ], "14 is asked about, so that 40 is compared with what was before it"
    changed = now.changes.filter(row_code="cards_2012").select("version", "against", "before")
    assert changed.rows() == [(2, 1, "4"), (3, 1, "4"), (4, 3, "14")]
