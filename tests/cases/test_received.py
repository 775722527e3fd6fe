"""Extracts in the lake: kept, versioned, judged, compared with returns, standing in for them."""

import shutil
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from assets.cases import derived
from assets.cases.job import run_cases
from assets.cases.received import judge_received
from assets.cases.sources import Source, find_sources
from assets.cases.store import CaseStore
from assets.feedback.letters import letters
from assets.figures.totals.national import national_totals
from assets.lake import Lake
from assets.returns.validation.judge import Received, judge
from assets.returns.validation.states import Standing, live_entries
from assets.sample.write import SUSPENDED, sample_cases, sample_returns, write_cases
from schemas.collection import Collection
from tests.cases.extracts import good, write_csv, write_parquet
from tests.returns import SampleReturn

NOON = datetime(2012, 6, 20, 12, tzinfo=UTC)
MANY = [good(number) for number in range(30)]


@pytest.fixture
def lake(tmp_path: Path, collection: Collection) -> Lake:
    return Lake(tmp_path / "lake", collection.id)


@pytest.fixture
def store(lake: Lake) -> CaseStore:
    return CaseStore(lake, lambda: NOON)


def _dropped(lake: Lake, name: str) -> Path:
    return lake.landing / "cases" / name


def test_every_file_is_kept_and_the_same_bytes_are_no_new_version(
    lake: Lake, store: CaseStore, collection: Collection
) -> None:
    path = write_csv(_dropped(lake, "a.csv"), MANY)
    sent = path.read_bytes()
    (version,) = store.take_in(collection).new
    assert (version.force_code, version.version) == ("STF", 1)
    assert version.received_at == NOON.isoformat(timespec="seconds")
    assert store.take_in(collection).new == ()
    path.rename(path.with_name("b.csv"))
    assert store.take_in(collection).new == ()
    write_csv(path.with_name("b.csv"), MANY[:-1])
    (second,) = store.take_in(collection).new
    assert (second.version, len(second.files)) == (2, 1)
    assert store.kept(version.files[0]).place.read_bytes() == sent
    assert [v.version for v in CaseStore(lake).receipts()] == [1, 2]


def test_files_that_lie_together_are_one_extract(
    lake: Lake, store: CaseStore, collection: Collection
) -> None:
    """In folders or beside each other; another force's new file makes no version of this one."""
    write_csv(_dropped(lake, "a.csv"), MANY)
    write_parquet(_dropped(lake, "force_code=STF/b.parquet"), [good(99)])
    write_parquet(_dropped(lake, "force_code=DER/b.parquet"), [good(1, "DER")])
    taken = store.take_in(collection).new
    assert {(v.force_code, len(v.files)) for v in taken} == {("STF", 2), ("DER", 1)}
    write_parquet(_dropped(lake, "force_code=DER/c.parquet"), [good(2, "DER")])
    (version,) = store.take_in(collection).new
    assert (version.force_code, version.version, len(version.files)) == ("DER", 2, 2)
    extracts, cases, _ = judge_received(store, lake, collection)
    assert dict(cases.group_by("force_code").agg(pl.sum("cases")).iter_rows()) == {
        "STF": 31,
        "DER": 2,
    }
    assert extracts["live"].all()


def _text_below(path: Path) -> None:
    """Write a note beside extracts, which is none, whatever the folder says."""
    path.parent.mkdir()
    path.write_text("x")


@pytest.mark.parametrize(
    ("name", "write", "problem"),
    [
        ("a.csv", lambda path: path.write_text("name,remarks\n"), "not those of an extract"),
        ("a.xlsx", lambda path: path.write_text("x"), "neither Parquet"),
        ("force_code=STF/a.txt", _text_below, "neither Parquet"),
        ("a.csv", lambda path: write_csv(path, [good(1), good(1, "DER")]), "several forces"),
        ("a.csv", lambda path: write_csv(path, [good(1, "XXX")]), "no force of the collection"),
    ],
)
def test_a_file_that_is_nobodys_is_kept_with_the_reason(
    name: str,
    write: Callable[[Path], object],
    problem: str,
    lake: Lake,
    store: CaseStore,
    collection: Collection,
) -> None:
    write_csv(_dropped(lake, "fine.csv"), MANY)
    write(_dropped(lake, name))
    assert len(store.take_in(collection).new) == 2
    assert store.take_in(collection).new == (), "it is told once"
    extracts, cases, findings = judge_received(store, lake, collection)
    (row,) = extracts.filter(pl.col("force_code").is_null()).to_dicts()
    assert (row["state"], row["live"], row["rows"]) == ("unreadable", False, None)
    (found,) = findings.to_dicts()
    assert (found["force_code"], found["severity"], found["sheet"]) == (None, "B", name)
    assert problem in found["message"]
    assert str(lake.root) not in str(found)
    assert cases["cases"].sum() == 30


def test_packed_rows_in_the_folder_of_a_force_are_a_part_of_its_extract(
    lake: Lake, store: CaseStore, collection: Collection
) -> None:
    """Else the part that can be read would count as the whole."""
    write_csv(_dropped(lake, "force_code=STF/a.csv"), MANY)
    _dropped(lake, "force_code=STF/b.csv.gz").write_bytes(b"\x1f\x8b packed")
    (version,) = store.take_in(collection).new
    assert (version.force_code, len(version.files)) == ("STF", 2)
    extracts, cases, findings = judge_received(store, lake, collection)
    assert extracts.select("state", "live").rows() == [("unreadable", False)]
    assert (cases.height, findings["sheet"].to_list()) == (0, ["force_code=STF/b.csv.gz"])


def test_a_run_killed_after_keeping_a_file_loses_nothing(
    lake: Lake, store: CaseStore, collection: Collection, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_csv(_dropped(lake, "a.csv"), MANY)
    with monkeypatch.context() as killed:
        killed.setattr(CaseStore, "_write", lambda *_: (_ for _ in ()).throw(KeyboardInterrupt))
        with pytest.raises(KeyboardInterrupt):
            store.take_in(collection)
    (version,) = store.take_in(collection).new
    assert version.version == 1
    kept = store.kept(version.files[0]).place
    write_csv(_dropped(lake, "b.csv"), [good(77)])
    kept.parent.with_name("000009-" + "0" * 64).mkdir()
    assert len(store.take_in(collection).new) == 1, "an empty folder is no kept file"


def test_a_rejected_extract_leaves_the_earlier_one_live(
    lake: Lake, store: CaseStore, collection: Collection
) -> None:
    path = write_csv(_dropped(lake, "a.csv"), MANY)
    store.take_in(collection)
    write_csv(path, [*MANY[:5], good(98, workforce=None), good(99, suspended=None)])
    store.take_in(collection)
    extracts, cases, findings = judge_received(store, lake, collection)
    found = extracts.sort("version").select("version", "state", "live", "rows", "bad").rows()
    assert found == [(1, "accepted", True, 30, 0), (2, "rejected", False, 7, 2)]
    assert cases["cases"].sum() == 30
    assert findings.select("rule_id", "sheet", "cell").rows() == [
        ("CASE09", "a.csv", "row 7"),
        ("CASE10", "a.csv", "row 6"),
        ("CASE15", "a.csv", None),
    ]
    bad = pl.read_parquet(lake.quarantine / "cases" / "STF-2.parquet")
    assert bad.select("file", "row", "reasons").rows() == [
        ("a.csv", 6, "CASE10"),
        ("a.csv", 7, "CASE09"),
    ]


def test_damage_inside_one_extract_leaves_the_others(
    lake: Lake, store: CaseStore, collection: Collection
) -> None:
    """A Parquet file may begin and end well, and still not be readable."""
    whole = write_parquet(_dropped(lake, "force_code=DER/a.parquet"), [good(1, "DER")] * 1)
    damaged = write_parquet(
        _dropped(lake, "force_code=STF/a.parquet"), [good(n) for n in range(999)]
    )
    content = bytearray(damaged.read_bytes())
    content[100:2000] = b"\xff" * 1900
    damaged.write_bytes(content)
    store.take_in(collection)
    extracts, cases, _ = judge_received(store, lake, collection)
    assert dict(extracts.select("force_code", "state").iter_rows()) == {
        "DER": "accepted",
        "STF": "unreadable",
    }
    assert whole.exists()
    assert cases["force_code"].to_list() == ["DER"]


def _sample_by_month(collection: Collection) -> pl.DataFrame:
    month = pl.col("opened_on").dt.truncate("1mo").alias("month")
    by = ["force_code", "category", "recipient", "media", "status_at_census", month]
    counted = sample_cases(collection).group_by(by).agg(pl.len().cast(pl.Int64).alias("cases"))
    return counted.rename({"status_at_census": "outcome"})


def test_x007_compares_cell_by_cell(collection: Collection) -> None:
    """It fires at the very cell, not where no rows were sent, nor of a force that sent only rows.

    What these add up to is asked about, as far as rows give the cells.
    """
    cases = _sample_by_month(collection).filter(pl.col("force_code").is_in(["STF", "DER"]))
    more = cases.filter(force_code="STF", category="other").head(1).with_columns(cases=1000)
    changed = cases.update(more, on=["force_code", "category", "outcome", "month"])
    grid = derived.case_grid(changed, pl.Series(["STF", "DER"]), collection.template)
    open_ = _sample_by_month(collection).filter(force_code="WMP")
    open_ = open_.with_columns(outcome=pl.lit("continuing"))
    only = pl.DataFrame({"force_code": ["WMP"], "receipt_id": ["WMP"]})
    validated = judge(
        {force: SampleReturn.of(force, collection).reading() for force in ("STF", "DER", "AVS")},
        {force: Received(date(2012, 7, 1), force, 1) for force in ("STF", "DER", "AVS", "WMP")},
        collection,
        cases=grid.with_columns(aside=pl.lit("")),
        derived=derived.derived_entries(open_, only, collection.template),
    )
    told = dict(validated.results.filter(receipt_id="WMP").drop("receipt_id").iter_rows())
    assert [told[rule] for rule in ("Q108", "Q109", "Q101", "Q105", "S001")] == [
        "failed", "passed", "not_evaluable", "not_evaluable", "not_applicable",
    ]  # fmt: skip
    results = dict(validated.results.filter(rule_id="X007").drop("rule_id").iter_rows())
    not_asked = dict.fromkeys(("AVS", "WMP"), "not_applicable")
    assert results == {"STF": "failed", "DER": "passed", **not_asked}
    (finding,) = validated.findings.filter(rule_id="X007").to_dicts()
    outcome = more["outcome"].item()
    assert (finding["receipt_id"], finding["severity"]) == ("STF", "B")
    assert (finding["row_code"], finding["column_code"]) == ("other", outcome)
    assert finding["cell"]
    assert f"{finding['value']} in the workbook" in finding["message"]
    assert "case rows" in finding["message"]


def test_x007_asks_for_cases_that_the_workbook_calls_not_held(collection: Collection) -> None:
    """They would be in no total, as the workbook counts; without such a case nothing is wrong."""
    told = {
        ("investigations", "other", at): n for at, n in (("continuing", 0), ("left_service", 2))
    }
    (sheet,) = (each for each in collection.template.sheets if each.name == "investigations")
    rows = tuple(
        row.model_copy(
            update={
                "entries": tuple(
                    replace(e, missing=("not_held",)) if e.place in told else e for e in row.entries
                )
            }
        )
        for row in sheet.rows
    )
    sheets = (each for each in collection.template.sheets if each is not sheet)
    template = replace(collection.template, sheets=(*sheets, replace(sheet, rows=rows)))
    only = pl.DataFrame(
        [("STF", *at, rows, "") for at, rows in told.items()],
        ["force_code", "sheet", "row_code", "column_code", "rows", "aside"],
        orient="row",
    )
    judged = judge(
        {
            "STF": SampleReturn.of("STF", collection)
            .with_values(dict.fromkeys(told, "not_held"))
            .reading()
        },
        {"STF": Received(date(2012, 7, 1), "STF", 1)},
        collection.model_copy(update={"template": template}),
        cases=only,
    )
    (message,) = judged.findings.filter(rule_id="X007")["message"]
    assert message == "not_held in the workbook, 2 case rows"


@pytest.fixture(scope="module")
def sample_extracts(
    tmp_path_factory: pytest.TempPathFactory, collection: Collection
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """The tables of the sample's extracts, but for STF, which sent its own."""
    lake = Lake(tmp_path_factory.mktemp("sample") / "lake", collection.id)
    write_cases(lake.landing / "cases", collection)
    _dropped(lake, "STF.parquet").unlink()
    write_csv(_dropped(lake, "own.csv"), MANY)
    store = CaseStore(lake, lambda: NOON)
    store.take_in(collection)
    return judge_received(store, lake, collection)[:2]


def test_the_sample_is_never_taken_for_what_a_force_sent(
    sample_extracts: tuple[pl.DataFrame, pl.DataFrame],
) -> None:
    extracts, cases = sample_extracts
    basis = dict(extracts.select("force_code", "basis").iter_rows())
    assert basis.pop("STF") == "submitted"
    assert set(basis.values()) == {"reconstructed"}
    assert len(basis) == 43
    assert set(cases.filter(force_code="STF")["basis"]) == {"submitted"}


def test_where_only_rows_came_and_some_are_set_aside_what_counts_is_provisional(
    sample_extracts: tuple[pl.DataFrame, pl.DataFrame], collection: Collection
) -> None:
    """A case that a bad row stands for is in no total: nobody may take that for all of them."""
    extracts, cases = sample_extracts
    bad = pl.when(pl.col("force_code") == "DER").then(2).otherwise(0)
    now = _alone(extracts.with_columns(bad=bad), cases, collection)
    entries = live_entries(now.live_returns(), now.entries)
    for live in (entries, now.live_returns()):
        assert set(live.filter("provisional")["force_code"]) == {"DER"}
    totals = national_totals(entries, collection).filter(
        measure="investigations", breakdown="", period="collection"
    )
    assert totals["provisional"].item()
    (told,) = now.status_of_sent(collection).filter(state="queried").to_dicts()
    assert told["force_code"] == "DER"
    assert f"rows set aside: 2 of {cases.filter(force_code='DER')['cases'].sum()}" in told["notes"]


def test_where_only_rows_came_the_grid_is_derived(
    sample_extracts: tuple[pl.DataFrame, pl.DataFrame], collection: Collection
) -> None:
    """Every cell of it but people suspended, sums and zeros too, as the workbook would have it.

    An extract without a row gives no zero: that nothing came of a query is no count of cases.
    """
    extracts, cases = sample_extracts
    without = ["AVS", "STF"]
    rows = pl.when(pl.col("force_code").is_in(without)).then(0).otherwise("rows")
    now = _alone(extracts.with_columns(rows=rows), cases, collection)
    entries = live_entries(now.live_returns(), now.entries)
    sent = sample_returns(collection).filter(
        pl.col("sheet") == "investigations",
        pl.col("column_code") != SUSPENDED,
        ~pl.col("force_code").is_in(without),
    )
    place = ["force_code", "sheet", "row_code", "column_code"]
    assert entries.select(*place, "value").sort(place).equals(sent.sort(place))
    assert set(entries["cell"]) == {derived.CELL}
    assert now.live_returns()["force_code"].n_unique() == 44 - len(without)
    status = now.status_of_sent(collection)
    silent = pl.col("force_code").is_in(without)
    assert set(status.filter(~silent)["state"]) == {"accepted"}
    assert status.filter(~silent)["notes"].str.contains("sent only case rows").all()
    assert set(status.filter(silent)["state"]) == {"missing"}
    assert (
        status.filter(silent)["notes"].str.contains("without a row; that there was no case").all()
    )


def _alone(extracts: pl.DataFrame, cases: pl.DataFrame, collection: Collection) -> Standing:
    """Return where forces stand that sent rows and nothing else."""
    nothing = Standing(collection.id)
    now = replace(nothing, extracts=extracts)
    return replace(now, entries=derived.derived_entries(cases, now.only, collection.template))


def test_rows_do_not_get_around_a_workbook(
    sample_extracts: tuple[pl.DataFrame, pl.DataFrame],
) -> None:
    """A force whose workbook is rejected has to mend it."""
    extracts, _ = sample_extracts
    receipts = pl.DataFrame({"force_code": ["STF", None], "receipt_id": ["one", "two"]})
    assert "STF" not in derived.only_rows(extracts, receipts)["force_code"]
    assert derived.only_rows(extracts, receipts).height == 43


@pytest.mark.parametrize("force_in_rows", [True, False])
def test_the_same_bytes_in_another_folder_are_another_extract(
    force_in_rows: bool, lake: Lake, store: CaseStore, collection: Collection
) -> None:
    """What two forces without a case send is one heading; a file in a wrong folder is moved."""
    rows = [good(1)] if force_in_rows else []
    wrong = write_csv(_dropped(lake, "force_code=AVS/a.csv"), rows)
    assert [v.force_code for v in store.take_in(collection).new] == ["AVS"]
    right = _dropped(lake, "force_code=STF/a.csv")
    right.parent.mkdir()
    if force_in_rows:
        wrong.rename(right)
    else:
        right.write_bytes(wrong.read_bytes())
    (moved,) = store.take_in(collection).new
    assert (moved.force_code, moved.version) == ("STF", 1)
    assert store.take_in(collection).new == ()
    extracts, _, _ = judge_received(store, lake, collection)
    assert dict(extracts.select("force_code", "live").iter_rows()) == {
        "AVS": not force_in_rows,
        "STF": True,
    }
    assert extracts["sha256"].n_unique() == 1
    assert extracts["receipt_id"].n_unique() == 2


def test_who_looks_at_the_status_is_told_that_rows_are_refused(
    lake: Lake, store: CaseStore, collection: Collection
) -> None:
    """Else an extract that does not count looks like one that never came."""
    bad = [good(number, suspended=None) for number in range(3)]
    write_csv(_dropped(lake, "DER.csv"), [good(1, "DER", suspended=None)])
    path = write_csv(_dropped(lake, "STF.csv"), MANY)
    store.take_in(collection)
    path.unlink()
    write_csv(_dropped(lake, "STF2.csv"), [*MANY[3:], *bad])
    store.take_in(collection)
    extracts, _, _ = judge_received(store, lake, collection)
    now = Standing(collection.id, extracts=extracts)
    status = now.status(collection)
    notes = dict(status.drop_nulls("notes").select("force_code", "notes").iter_rows())
    assert notes.keys() == {"DER", "STF"}
    assert notes["DER"] == "case rows, version 1, refused: 1 of 1 rows is bad"
    told = letters(lake, now, collection, NOON.date())
    assert "refused: 1 of 1 rows" in next(x.said("opening") for x in told if x.force_code == "DER")
    assert notes["STF"].endswith("missing; case rows, version 2, refused: 3 of 30 rows are bad")


def test_an_extract_is_judged_once(
    lake: Lake, store: CaseStore, collection: Collection, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What came of it is kept by its content; what is damaged of that is made again."""
    judged: list[set[str | None]] = []
    looked: list[str] = []

    def told(sources: list[Source], *arguments: Any, **options: Any) -> dict[str, Any]:
        judged.append({source.folder for source in sources})
        return run_cases(sources, *arguments, **options)

    def looked_at(paths: list[Path]) -> list[Source]:
        looked.extend(path.name for path in paths)
        return find_sources(paths)

    def same() -> bool:
        shutil.rmtree(lake.quarantine)
        again = judge_received(store, lake, collection)
        found = pl.read_parquet(quarantine)
        return found.equals(bad) and all(map(pl.DataFrame.equals, again, before))

    monkeypatch.setattr("assets.cases.job.run_cases", told)
    monkeypatch.setattr("assets.cases.received.find_sources", looked_at)
    write_csv(_dropped(lake, "a.csv"), [*MANY, good(99, workforce=None)])
    write_csv(_dropped(lake, "b.csv"), [good(1, "DER")])
    store.take_in(collection)
    before = judge_received(store, lake, collection)
    quarantine = lake.quarantine / "cases" / "STF-1.parquet"
    bad = pl.read_parquet(quarantine)
    assert same()
    assert judged == [{"STF", "DER"}]
    assert sorted(looked) == ["a.csv", "b.csv"], "what was judged before is not opened again"
    for path in lake.kept.glob("extract*/*"):
        path.write_bytes(path.read_bytes()[:-1])
    assert same()
    assert judged == [{"STF", "DER"}] * 2
    write_csv(_dropped(lake, "b.csv"), [good(2, "DER")])
    store.take_in(collection)
    judge_received(store, lake, collection)
    assert judged[2:] == [{"DER"}]
