"""Reading the lake for alerts: what is there now, and never half of what a run is making."""

import shutil
from collections.abc import Callable
from datetime import date

import polars as pl
import pytest

from assets.intake.landing import waiting
from assets.intake.raw_store import RawStore
from assets.intake.tables import damaged_receipts, received
from assets.lake import Lake
from assets.returns.desk.decisions import Ledger, accept_all, answer_all, queries, read_answers
from assets.returns.validation.states import standing
from assets.unattributed import unattributed_files
from pipelines.alerts.conditions import Condition
from pipelines.alerts.look import look
from pipelines.jobs import inventory_now
from schemas.collection import Collection
from schemas.contract import empty
from schemas.errors import LakeError
from schemas.tables import TABLES
from tests.returns import SampleReturn, take_in

Sample = Callable[[str], SampleReturn]
IN_TIME = date(2012, 6, 10)
LATE = date(2012, 7, 2)
BLANK = {("second_jobs", "refused", "count"): None}


def _take_in(lake: Lake, collection: Collection) -> None:
    """Take in what waits."""
    take_in(lake, waiting(lake.landing).files, collection)


def _there(lake: Lake, collection: Collection, today: date) -> dict[str, Condition]:
    return {
        kind: c for kind, c in look(lake, collection, today).items() if c and c.severity != "info"
    }


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory, collection: Collection) -> Lake:
    """A lake with a good return, a broken one, and a file that is no return; not to be changed."""
    lake = Lake(tmp_path_factory.mktemp("made"), collection.id)
    lake.landing.mkdir(parents=True)
    SampleReturn.of("STF", collection).write(lake.landing / "STF.xlsx")
    broken = SampleReturn.of("AVS", collection).with_values(BLANK)
    broken.write(lake.landing / "AVS.xlsx")
    (lake.landing / "figures.xlsx").write_text("the figures are in the e-mail of Sergeant Smith")
    _take_in(lake, collection)
    return lake


@pytest.fixture
def filled(made: Lake, lake: Lake) -> Lake:
    shutil.copytree(made.root, lake.root)
    return lake


def test_broken_returns_and_files_of_nobody_are_seen(filled: Lake, collection: Collection) -> None:
    there = _there(filled, collection, IN_TIME)
    assert set(there) == {"returns-rejected"}
    force, file = there["returns-rejected"].cases
    assert force == "AVS version 1: 1 blocking finding (S010 1)"
    assert file.startswith("receipt ")
    assert file.endswith("force unknown (S001 1)")
    assert "(figures.xlsx, came 20" in file
    assert f"lies at quarantine/{collection.id}/" in file
    assert "Smith" not in str(there)


@pytest.mark.usefixtures("filled")
def test_the_morning_lists_the_same_and_what_is_awaited(collection: Collection) -> None:
    """Also those of whom nobody is told yet."""
    shown, returns, forces = inventory_now(collection, IN_TIME)
    assert shown == "no release is shown to analysts; run: muster run"
    assert returns.startswith(
        "1 return is rejected and 1 file is of no force that can be told:"
        " AVS version 1: 1 blocking finding"
    )
    assert forces.startswith("43 forces are awaited: soft deadline 15 June 2012: AVS, BED, ")
    for line in (shown, returns, forces):
        assert "Smith" not in line


def test_mended_and_replaced_files_are_over(
    filled: Lake, collection: Collection, sample: Sample
) -> None:
    sample("AVS").write(filled.landing / "AVS.xlsx")
    sample("BED").write(filled.landing / "figures.xlsx")
    _take_in(filled, collection)
    assert look(filled, collection, IN_TIME)["returns-rejected"] is None


def test_a_file_of_nobody_that_is_taken_away_is_over(filled: Lake, collection: Collection) -> None:
    (filled.landing / "figures.xlsx").unlink()
    assert list(_there(filled, collection, IN_TIME)["returns-rejected"].cases) == [
        "AVS version 1: 1 blocking finding (S010 1)"
    ]


def test_damaged_receipts_are_seen_by_name_and_are_over_once_restored(
    filled: Lake, collection: Collection
) -> None:
    path = sorted((filled.raw / "receipts").iterdir())[0]
    whole = path.read_text()
    told = []
    for text in ("{", whole):
        path.write_text(text)
        store = RawStore(filled)
        found = received(store).damaged
        table = damaged_receipts(found, filled)
        table.write_parquet(filled.table("intake/damaged_receipts"))
        told.append(look(filled, collection, IN_TIME)["receipts-damaged"])
    damaged, restored = told
    assert damaged
    assert damaged.title == "1 receipt is damaged"
    [line] = damaged.cases
    assert line.startswith(f"raw/{collection.id}/receipts/{path.name}: ")
    assert restored is None


def test_what_was_refused_unopened_is_seen(filled: Lake, collection: Collection) -> None:
    (filled.landing / "link.xlsx").symlink_to(filled.landing / "STF.xlsx")
    _take_in(filled, collection)
    cases = " ".join(_there(filled, collection, IN_TIME)["returns-rejected"].cases)
    assert "in quarantine, not opened (S001)" in cases


def test_what_was_replaced_under_its_name_is_over(
    filled: Lake, collection: Collection, sample: Sample
) -> None:
    """By a return that came before under another name too: nothing is left to be dealt with."""
    whose, link = (filled.landing / name for name in ("whose.xlsx", "link.xlsx"))
    sample("STF").with_values({("cover", "force_code", "value"): "XXX"}).write(whose)
    link.symlink_to(whose)
    _take_in(filled, collection)
    before = unattributed_files(filled)
    assert {"whose.xlsx", "link.xlsx"} <= {file.file_name for file in before}
    for path in (whose, link):
        path.unlink()
        shutil.copy(filled.landing / "STF.xlsx", path)
    _take_in(filled, collection)
    left = {file.file_name for file in unattributed_files(filled)}
    assert left == {file.file_name for file in before} - {"whose.xlsx", "link.xlsx"}


def test_late_forces_are_counted(filled: Lake, collection: Collection) -> None:
    late = _there(filled, collection, LATE)["forces-late"]
    assert late.title == "43 forces are late: hard deadline 29 June 2012"
    assert "42 missing, 1 rejected" in late.now


def test_what_the_desk_accepted_since_the_run_counts(
    lake: Lake, collection: Collection, sample: Sample
) -> None:
    lake.landing.mkdir(parents=True)
    sample("CHS").write(lake.landing / "CHS.xlsx")
    _take_in(lake, collection)
    overdue = _there(lake, collection, LATE)["queries-overdue"]
    assert overdue.title.startswith("1 query is open past")
    ledger = Ledger(lake)
    for decide in (
        lambda q: answer_all(ledger, [(q, "as counted by hand")], "A"),
        lambda q: accept_all(ledger, [q], "B"),
    ):
        findings = standing(lake).current_findings()
        asked = queries(findings, read_answers(ledger), lake.collection)
        decide(asked.row(0, named=True))
    assert look(lake, collection, LATE)["queries-overdue"] is None


def test_half_of_what_a_run_makes_is_not_looked_at(
    filled: Lake, collection: Collection, sample: Sample
) -> None:
    """A receipt whose findings are not written yet would look like a return without any."""
    sample("AVS").write(filled.landing / "AVS again.xlsx")
    store = RawStore(filled)
    store.take_in(waiting(filled.landing).files, collection)
    received(store).receipts.write_parquet(filled.table("intake/receipts"))
    assert look(filled, collection, LATE) == {}


def test_without_tables_nothing_is_said_to_be_over(filled: Lake, collection: Collection) -> None:
    """The work folder may be deleted; the next run makes it again."""
    filled.table("validation/rule_results").unlink()
    assert look(filled, collection, LATE) == {}


def test_research_that_is_refused_is_seen_and_over_once_it_is_mended(
    filled: Lake, collection: Collection
) -> None:
    table = empty(TABLES["research/research_problems"])
    row = ("survey_responses.csv", 7, "answer", "maybe", "yes or no", "Type one of them.")
    path = filled.table("research/research_problems")
    path.parent.mkdir(parents=True, exist_ok=True)
    pl.DataFrame([row], schema=table.schema, orient="row").write_parquet(path)
    assert "research-refused" in _there(filled, collection, IN_TIME)
    table.write_parquet(path)
    assert look(filled, collection, IN_TIME)["research-refused"] is None


def test_a_damaged_table_is_said_to_be_so(filled: Lake, collection: Collection) -> None:
    filled.table("validation/entries").write_bytes(b"PAR1 no more")
    with pytest.raises(LakeError, match="is damaged"):
        look(filled, collection, LATE)


def test_a_lake_in_which_nothing_came_is_late_only_while_the_collection_runs(
    lake: Lake, collection: Collection
) -> None:
    assert _there(lake, collection, IN_TIME) == {}
    assert _there(lake, collection, LATE)["forces-late"].title.startswith("44 forces are late")
    assert look(lake, collection, date(2026, 1, 1)) == {}


def test_the_figures_are_those_of_the_release_that_analysts_see(
    lake: Lake, collection: Collection
) -> None:
    row = {"figure_id": "INV-01", "measure": "investigations", "breakdown": ""}
    rows = [{**row, "published": 2207.0, "computed": 2208.0, "status": "differs"}]
    release = lake.releases / "r"
    release.mkdir(parents=True)
    pl.DataFrame(rows).write_parquet(release / "reconciliation.parquet")
    lake.marts.parent.mkdir()
    lake.marts.symlink_to(release)
    assert list(_there(lake, collection, IN_TIME)["figures-differ"].cases) == ["INV-01"]
