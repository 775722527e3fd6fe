"""Who to call, most urgent first, and what has changed."""

from datetime import date

import polars as pl
import pytest

from assets.returns.desk.chasing import came_late, changes, days_late, due, todo
from assets.returns.desk.sign_off import SignOff
from schemas.collection import Collection
from schemas.collection_fields import Deadlines
from schemas.conform import conform
from schemas.contract import empty
from schemas.marts import ReturnsStatus


@pytest.fixture
def timed(collection: Collection) -> Collection:
    deadlines = Deadlines(soft=date(2012, 6, 15), hard=date(2012, 6, 29))
    return collection.model_copy(update={"deadlines": deadlines})


def _status(**states: tuple[str, int | None, int, int]) -> pl.DataFrame:
    rows = [
        {
            "force_code": force, "state": state, "version": version, "blocking": blocking,
            "queries_open": queries, "queries_answered": 0, "receipt_id": None,
            "received_at": None, "sha256": None, "notes": None,
        }
        for force, (state, version, blocking, queries) in states.items()
    ]  # fmt: skip
    return conform(ReturnsStatus, pl.DataFrame(rows, schema=empty(ReturnsStatus).schema))


def test_a_return_came_late_after_the_hard_deadline_by_its_receipt(timed: Collection) -> None:
    """In British summer, when midnight is 23:00 UTC; what came through the page has its time."""
    at = {"AVS": "06-29T22:59", "BED": "06-29T23:00", "CAM": "07-02T09:00", "CHS": "06-20T09:00"}
    status = _status(**dict.fromkeys(at, ("accepted", 1, 0, 0)), CLE=("missing", None, 0, 0))
    status = status.with_columns(
        sha256=pl.col("force_code"),
        received_at=pl.col("force_code").replace_strict(at, default=None),
    ).with_columns(received_at=pl.format("2012-{}:00+00:00", "received_at"))
    # What was sent before, and once more after the deadline, came before.
    sent = {"CAM": "2012-06-28T09:00:00+00:00", "CHS": "2012-07-03T09:00:00+00:00"}
    assert came_late(status, sent, timed) == {"BED"}


@pytest.mark.parametrize(
    ("day", "urgency", "late"),
    [(15, "in time", 0), (16, "due", 0), (29, "due", 0), (30, "late", 1)],
)
def test_the_deadline_days_themselves_are_in_time(
    timed: Collection, day: int, urgency: str, late: int
) -> None:
    today = date(2012, 6, day)
    assert (due(timed, today), days_late(timed, today)) == (urgency, late)


def test_changes_are_the_forces_that_stand_elsewhere() -> None:
    same = {"BTP": ("accepted", 1, 0, 0)}
    before = _status(AVS=("missing", None, 0, 0), BED=("queried", 1, 0, 2), **same)
    after = _status(AVS=("accepted", 1, 0, 0), BED=("queried", 1, 0, 1), **same)
    assert changes(before, after).rows() == [
        ("AVS", "missing", "accepted", None, 1, 0, 0),
        ("BED", "queried", "queried", 1, 1, 2, 1),
    ]


def test_what_is_to_be_done_is_listed_by_force(timed: Collection) -> None:
    status = _status(
        AVS=("missing", None, 0, 0), BED=("rejected", 1, 2, 0), CAM=("queried", 1, 0, 3),
        CHS=("accepted", 1, 0, 0), CLE=("accepted", 1, 0, 0), CMB=("accepted", 1, 0, 0),
    )  # fmt: skip
    status = status.with_columns(receipt_id=pl.col("force_code"))
    reached = {"CAM": "signed", "CHS": "signed", "CLE": "prepared", "CMB": "released"}
    levels = {code: SignOff(level, {}) for code, level in reached.items()}
    asked = pl.DataFrame(
        {
            "force_code": ["CAM"] * 4,
            "state": ["open", "open", "lapsed", "answered"],
            "question": ["G-1", "G-1", "Q-2", "Q-3"],
        }
    )
    rows = todo(status, asked, levels, timed, date(2012, 6, 30))
    assert rows.select("force_code", "what").rows() == [
        ("AVS", "ask for its return, 1 day late"),
        ("BED", "let it mend 2 blocking findings"),
        ("CAM", "have 3 queries answered"),
        ("CAM", "accept the answer to 1 query, or ask again"),
        ("CHS", "accept its return"),
        ("CLE", "let a second person of the force sign its return"),
    ]
    calls = rows.sort("call", "force_code", maintain_order=True).drop_nulls("call")
    assert calls["force_code"].to_list() == ["AVS", "BED", "CAM", "CLE"], "the most urgent first"
    by_force = dict(rows.select("force_code", "how").rows())
    assert by_force["BED"] == "muster feedback --out DIR"
    assert rows["how"].to_list()[-2:] == ["muster versions CHS --sign accepted --by ROLE", None]
    early = todo(status, asked.clear(), levels, timed, date(2012, 6, 1))
    assert early["force_code"].to_list() == ["BED", "CHS", "CLE"]
