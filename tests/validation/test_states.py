"""Which return counts: the newest acceptable one, whatever came after it."""

from collections.abc import Callable
from itertools import permutations
from pathlib import Path

import polars as pl
import pytest

from assets.intake.raw_store import RawStore
from assets.intake.tables import readings, received
from assets.lake import Lake
from assets.returns.validation.judge import judge, received_by_id
from assets.returns.validation.states import Standing
from schemas.collection import Collection
from tests.returns import SampleReturn

BLOCKING = {("second_jobs", "refused", "count"): None}
GOOD = {("second_jobs", "review_months", "count"): "18"}


def _judge(paths: list[Path], root: Path, collection: Collection) -> tuple[pl.DataFrame, ...]:
    lake = Lake(root, collection.id)
    store = RawStore(lake)
    store.take_in(paths, collection)
    everything = received(store)
    known = received_by_id(everything.receipts, collection)
    result = judge(readings(lake, everything.receipts), known, collection)
    now = Standing(collection.id, everything.receipts, result.findings, result.entries)
    return now.status(collection), now.live_returns(), now.current_findings()


@pytest.mark.parametrize(
    "order",
    [
        pytest.param(order, marks=pytest.mark.slow if number % 2 else ())
        for number, order in enumerate(permutations(["first", "good", "blocking"]))
    ],
)
def test_the_newest_acceptable_return_is_live(
    order: tuple[str, ...],
    sample: Callable[[str], SampleReturn],
    tmp_path: Path,
    collection: Collection,
) -> None:
    changes = {"first": {}, "good": GOOD, "blocking": BLOCKING}
    paths = [sample("STF").with_values(changes[n]).write(tmp_path / f"{n}.xlsx") for n in order]
    status, live, findings = _judge(paths, tmp_path / "lake", collection)
    acceptable = [version for version, name in enumerate(order, 1) if name != "blocking"]
    row = status.row(by_predicate=pl.col("force_code") == "STF", named=True)
    assert (row["state"], row["version"]) == ("accepted", acceptable[-1])
    assert live.select("force_code", "receipt_id").rows() == [("STF", row["receipt_id"])]
    if order[-1] == "blocking":
        assert row["blocking"] == 1
        assert row["notes"] == "version 3 was rejected (1 blocking); version 2 stays live"
        assert findings["rule_id"].to_list() == ["S010"]
    else:
        assert (row["blocking"], row["notes"]) == (0, None)
        assert findings.is_empty(), "what was mended is no longer shown"


def test_a_force_whose_only_return_blocks_is_rejected_and_the_others_go_on(
    sample: Callable[[str], SampleReturn], tmp_path: Path, collection: Collection
) -> None:
    paths = [
        sample("STF").with_values(BLOCKING).write(tmp_path / "STF.xlsx"),
        sample("DER").write(tmp_path / "DER.xlsx"),
    ]
    status, live, _ = _judge(paths, tmp_path / "lake", collection)
    found = dict(status.select("force_code", "state").iter_rows())
    assert (found.pop("STF"), found.pop("DER")) == ("rejected", "accepted")
    assert set(found.values()) == {"missing"}
    assert len(found) == 42
    assert live["force_code"].to_list() == ["DER"]


def test_a_force_that_sent_nothing_has_no_receipt_rather_than_an_empty_one(
    tmp_path: Path, collection: Collection
) -> None:
    status, live, _ = _judge([], tmp_path / "lake", collection)
    assert set(status["state"]) == {"missing"}
    assert status["receipt_id"].null_count() == status["version"].null_count() == 44
    assert live.is_empty()


def test_a_query_leaves_a_return_live_and_provisional(
    sample: Callable[[str], SampleReturn], tmp_path: Path, collection: Collection
) -> None:
    path = sample("STF").write(
        tmp_path / "STF.xlsx", lambda book: book.create_sheet("notes").append(["see also"])
    )
    status, live, _ = _judge([path], tmp_path / "lake", collection)
    row = status.row(by_predicate=pl.col("force_code") == "STF", named=True)
    assert (row["state"], row["queries_open"]) == ("queried", 1)
    assert live["provisional"].to_list() == [True]
    assert live["basis"].to_list() == ["reconstructed"]


def test_what_is_asked_is_asked_of_the_version_that_counts(
    sample: Callable[[str], SampleReturn], tmp_path: Path, collection: Collection
) -> None:
    """A refused version has its queries shown with it; nobody is asked to answer them."""
    unlikely = {("second_jobs", "review_months", "count"): "99"}
    refused = sample("STF").with_values({**BLOCKING, **unlikely}).write(tmp_path / "1.xlsx")
    status, live, findings = _judge([refused], tmp_path / "a", collection)
    row = status.row(by_predicate=pl.col("force_code") == "STF", named=True)
    assert (row["state"], row["blocking"], row["queries_open"]) == ("rejected", 1, 0)
    assert sorted(findings["rule_id"]) == ["S010", "V006"]
    good = sample("STF").with_values(unlikely).write(tmp_path / "2.xlsx")
    status, live, findings = _judge([good, refused], tmp_path / "b", collection)
    row = status.row(by_predicate=pl.col("force_code") == "STF", named=True)
    assert (row["state"], row["version"], row["queries_open"]) == ("queried", 1, 1)
    assert findings.join(live, on="receipt_id").select("rule_id").rows() == [("V006",)]


def test_findings_of_a_file_that_is_nobodys_are_shown_and_name_it(
    sample: Callable[[str], SampleReturn], tmp_path: Path, collection: Collection
) -> None:
    """A force that sent an unreadable file must still be found by whoever looks."""
    path = tmp_path / "x\u202e.xlsx"
    path.write_text("hello")
    other = sample("STF").with_values({("cover", "force_code", "value"): "XXX"})
    book = other.write(tmp_path / "y.xlsx")
    _, _, findings = _judge([path, book], tmp_path / "lake", collection)
    shown = findings.select("force_code", "rule_id", pl.col("message").str.extract("^(.*?'): "))
    assert sorted(shown.rows()) == [(None, "S001", r"'x\\u202e.xlsx'"), (None, "S007", "'y.xlsx'")]
