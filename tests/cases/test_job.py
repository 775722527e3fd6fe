"""The whole job: the same extract gives the same results however it is sent and divided."""

import resource
from datetime import date, datetime
from pathlib import Path

import polars as pl
import pytest

from assets.cases.job import RESULTS
from assets.cases.reading import Limits, Rows
from assets.cases.sources import find_sources
from benchmarks.make_cases import SHAPES, Recipe, blocks, write
from schemas.collection import Collection
from schemas.collection_fields import CaseExtracts
from tests.cases.extracts import Results, frame, good, run, write_parquet
from tests.cases.reference import counted, judged, seen

SMALL = Limits(rows_at_once=60, keys_at_once=40)
"""Every force on its own, in many chunks and buckets."""


QUICK = ("uneven", "duplicates")
OTHERS = [pytest.param(shape, marks=pytest.mark.slow) for shape in SHAPES if shape not in QUICK]


@pytest.fixture(scope="module", params=[*QUICK, *OTHERS])
def recipe(request: pytest.FixtureRequest) -> Recipe:
    return Recipe(600, seed=3, shape=request.param)


@pytest.fixture
def hive(recipe: Recipe, tmp_path: Path, few: Collection) -> Path:
    write(recipe, tmp_path / "hive", "hive", few)
    return tmp_path / "hive"


def _without_places(results: Results) -> list[object]:
    """Return what does not depend on the files; only folders tell of forces without a case."""
    rows = results.quarantine.drop("file", "row").sort(pl.all())
    tables = [results.counts, results.by_force.filter(pl.col("rows") > 0), rows]
    return [*(table.to_dicts() for table in tables), results.summary["national"]]


def test_against_plain_python(recipe: Recipe, hive: Path, tmp_path: Path, few: Collection) -> None:
    sent = [
        (force, {"force_code": force, **row})
        for force, _, rows in blocks(recipe, few)
        for row in rows.iter_rows(named=True)
    ]
    results = run(hive, tmp_path / "out", few)
    assert results.cells == counted(sent, few)
    expected = [";".join(broken) for broken in judged(sent, few) if broken]
    assert results.quarantine["reasons"].to_list() == expected
    assert results.summary["bad"] == len(expected)
    bad = [seen(row) for (_, row), broken in zip(sent, judged(sent, few), strict=True) if broken]
    as_text = frame(bad).cast(pl.String)
    assert results.quarantine.select(as_text.columns).equals(as_text), (
        "each row as it was sent, without spaces around"
    )


def test_divided_otherwise_the_results_are_the_same_bytes(
    hive: Path, tmp_path: Path, few: Collection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("assets.cases.job.ROWS_IN_GROUP", 7)
    run(hive, tmp_path / "whole", few)
    run(hive, tmp_path / "small", few, SMALL)
    for name in RESULTS:
        whole, small = ((tmp_path / which / name).read_bytes() for which in ("whole", "small"))
        assert whole == small, name


def test_sent_otherwise_the_results_are_the_same(
    recipe: Recipe, hive: Path, tmp_path: Path, few: Collection
) -> None:
    by_force = _without_places(run(hive, tmp_path / "out", few))
    for layout in ("file", "csv"):
        write(recipe, tmp_path / layout, layout, few)
        results = run(tmp_path / layout, tmp_path / "out", few, SMALL)
        assert _without_places(results) == by_force


def test_mixed_files_are_one_extract(tmp_path: Path, collection: Collection) -> None:
    """A force's rows may lie in its folder and beside it, as Parquet and as CSV."""
    source = tmp_path / "in"
    write_parquet(source / "force_code=STF" / "a.parquet", [good(1), good(2)])
    frame([good(3), good(1)]).drop("force_code").write_csv(source / "force_code=STF" / "b.CSV")
    write_parquet(source / "loose.parquet", [good(2), good(4), good(4, force="DER")])
    frame([]).write_csv(source / "empty.csv")
    (source / "_SUCCESS").touch()
    results = run(source, tmp_path / "out", collection)
    assert set(results.reasons.values()) == {"CASE11"}
    assert set(results.reasons) == {
        ("a.parquet", 1),
        ("a.parquet", 2),
        ("b.CSV", 2),
        ("loose.parquet", 1),
    }
    rows = results.by_force.select("force_code", "rows", "valid", "bad").rows()
    assert rows == [("DER", 1, 1, 0), ("STF", 6, 2, 4)]
    assert [item["rows"] for item in results.summary["files"]] == [0, 3, 2, 2]


def test_a_file_named_twice_is_read_once(tmp_path: Path, collection: Collection) -> None:
    path = write_parquet(tmp_path / "in" / "a.parquet", [good(1)])
    results = run([path, tmp_path / "in"], tmp_path / "out", collection)
    assert (results.summary["rows"], results.summary["bad"]) == (1, 0)


def test_wide_rows_are_read_in_smaller_chunks(tmp_path: Path) -> None:
    """Memory is bounded by what rows take, not by their number: 12 MB of Parquet took 7 GB."""
    chunks = {}
    for width in (1, 2_000):
        rows = [good(n, category=f"{n}" + "x" * width) for n in range(2_000)]
        source = find_sources([write_parquet(tmp_path / f"{width}.parquet", rows)])
        read = Rows(source, 5_000)
        chunks[width] = len(read.chunks)
        assert sum(read.read(chunk).height for chunk in read.chunks) == 2000
    assert chunks == {1: 1, 2_000: 2}


def test_more_files_than_a_process_may_have_open(tmp_path: Path, collection: Collection) -> None:
    """Writers of folders leave thousands of small files."""
    one = write_parquet(tmp_path / "one.parquet", [good(1)]).read_bytes()
    for number in range(400):
        path = tmp_path / "in" / f"{number}.parquet"
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(one)
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (300, hard))
    try:
        found = run(tmp_path / "in", tmp_path / "out", collection)
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    assert found.summary["rows"] == 400


def test_names_that_mean_something_to_a_reader_of_globs(
    tmp_path: Path, collection: Collection
) -> None:
    write_parquet(tmp_path / "in [1]" / "*.parquet", [good(1)])
    write_parquet(tmp_path / "in [1]" / "b.parquet", [good(2)])
    assert run(tmp_path / "in [1]", tmp_path / "out", collection).summary["rows"] == 2


def test_other_types_without_loss(tmp_path: Path, collection: Collection) -> None:
    """What pandas and others write: dictionaries, timestamps, columns that are all null."""
    rows = frame([good(1), good(2, recipient="others", media=None)]).with_columns(
        pl.col("category", "recipient").cast(pl.Categorical),
        pl.col("workforce").cast(pl.Enum(["staff", "officer"])),
        pl.col("opened_on").cast(pl.Datetime("ns")),
        pl.Series("closed_on", [datetime(2012, 1, 31), datetime(2012, 1, 31, 12)]),
    )
    path = tmp_path / "1.parquet"
    rows.select(reversed(rows.columns)).write_parquet(path)
    nothing = frame([good(3, recipient="others", media=None)]).with_columns(media=pl.lit(None))
    nothing.write_parquet(tmp_path / "2.parquet")
    results = run([path, tmp_path / "2.parquet"], tmp_path / "out", collection)
    assert results.reasons == {("1.parquet", 2): "CASE08"}, "a time of day is no date"
    assert results.quarantine["closed_on"][0].startswith("2012-01-31 12:00:00")


@pytest.mark.parametrize("limits", [Limits(), SMALL])
def test_padded_text_counts_without_its_spaces(
    limits: Limits, tmp_path: Path, collection: Collection
) -> None:
    """SQL fills a CHAR column up with spaces: a file of them is as good as any other."""
    rows = [*(good(n) for n in range(200)), good(7), good(201, category=" unknown")]
    plain = run(write_parquet(tmp_path / "a.parquet", rows), tmp_path / "out", collection)
    padded = frame(rows).with_columns(pl.col(pl.String).fill_null("").str.pad_end(40))
    for name, sent in {"b": padded, "c": padded.cast({"category": pl.Categorical})}.items():
        sent.write_parquet(tmp_path / f"{name}.parquet")
        found = run(tmp_path / f"{name}.parquet", tmp_path / "out", collection, limits)
        assert _without_places(found) == _without_places(plain)
    assert plain.summary["valid"] == 199
    assert plain.quarantine["category"][-1] == "unknown"


def test_hashes_that_collide_do_not_make_a_case_bad(
    tmp_path: Path, collection: Collection, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Equal hashes only make candidates; the keys decide."""
    weak = pl.col("case_ref").hash() % 3
    monkeypatch.setattr("assets.cases.judging.key_hash", lambda: weak)
    path = write_parquet(tmp_path / "in.parquet", [*(good(n) for n in range(50)), good(7)])
    for limits in (Limits(), SMALL, Limits(7, 5)):
        results = run(path, tmp_path / "out", collection, limits)
        assert results.reasons == {("in.parquet", 8): "CASE11", ("in.parquet", 51): "CASE11"}
        assert results.summary["valid"] == 49


def test_days_to_close(tmp_path: Path, collection: Collection) -> None:
    closed = [date(2011, 10, 3 + days) for days in (0, 1, 2, 9)]
    rows = [good(number, closed_on=day) for number, day in enumerate(closed)]
    rows += [good(9, status_at_census="continuing", closed_on=None, suspended=True)]
    results = run(write_parquet(tmp_path / "in.parquet", rows), tmp_path / "out", collection)
    assert results.by_force.row(0, named=True) == {
        "force_code": "STF",
        "state": "accepted",
        "rows": 5,
        "valid": 5,
        "bad": 0,
        "suspended": 1,
        "staff": 0,
        "closed": 4,
        "days_lower_quartile": 0,
        "days_median": 1,
        "days_upper_quartile": 2,
        "days_longest": 9,
    }
    assert results.summary["national"]["to_close"]["days_median"] == 1


def test_rows_whose_force_cannot_be_told_are_not_lost(
    tmp_path: Path, collection: Collection
) -> None:
    path = write_parquet(tmp_path / "in.parquet", [good(1), good(2, force_code=None)])
    results = run(path, tmp_path / "out", collection)
    assert results.by_force.select("force_code", "rows", "bad").rows() == [
        (None, 1, 1),
        ("STF", 1, 0),
    ]


def test_the_share_of_bad_rows_decides(tmp_path: Path, collection: Collection) -> None:
    """At the share the bad rows are set aside; above it the extract is refused whole."""
    strict = collection.model_copy(update={"cases": CaseExtracts(max_bad_share=0.01)})
    rows = [*(good(n) for n in range(19)), good(19, workforce=None)]
    path = write_parquet(tmp_path / "in.parquet", rows)
    found = run(path, tmp_path / "out", collection)
    assert (found.summary["state"], found.states) == ("quarantined", {"STF": "quarantined"})
    found = run(path, tmp_path / "out", strict)
    assert (found.summary["state"], found.states) == ("rejected", {"STF": "rejected"})
    assert found.summary["rejected"] == ["STF"]
    clean = write_parquet(tmp_path / "clean.parquet", rows[:19])
    found = run(clean, tmp_path / "out", strict)
    assert (found.summary["state"], found.states) == ("accepted", {"STF": "accepted"})


def test_a_bad_extract_does_not_hide_behind_good_ones(
    tmp_path: Path, collection: Collection
) -> None:
    """The share is each force's own: a small one that is all wrong is lost in 44 together."""
    rows = [*(good(n) for n in range(99)), good(1, "DER", suspended=None), good(2, "DER")]
    found = run(write_parquet(tmp_path / "in.parquet", rows), tmp_path / "out", collection)
    assert found.states == {"DER": "rejected", "STF": "accepted"}
    assert (found.summary["state"], found.summary["rejected"]) == ("rejected", ["DER"])


def test_a_slip_in_the_force_of_a_row_refuses_nobody(
    tmp_path: Path, collection: Collection
) -> None:
    """A force that does not exist has no extract; a folder of its name would be one."""
    rows = [*(good(n) for n in range(99)), good(1, "XXX"), good(100, force_code=None)]
    found = run(write_parquet(tmp_path / "in.parquet", rows), tmp_path / "out", collection)
    assert found.states == {None: None, "STF": "accepted", "XXX": None}
    assert found.summary["state"] == "quarantined"
    path = tmp_path / "hive" / "force_code=XXX" / "in.parquet"
    write_parquet(path, [good(1, "XXX")])
    write_parquet(tmp_path / "hive" / "force_code=STF" / "in.parquet", rows[:99])
    found = run(tmp_path / "hive", tmp_path / "out", collection)
    assert found.summary["rejected"] == ["XXX"]


def test_the_hive_folder_of_null_is_rows_without_a_force(
    tmp_path: Path, collection: Collection
) -> None:
    """Writers put rows whose force is null there, without the column; they are still rows."""
    folder = tmp_path / "in" / "force_code=__HIVE_DEFAULT_PARTITION__"
    folder.mkdir(parents=True)
    frame([good(1)]).drop("force_code").write_parquet(folder / "a.parquet")
    write_parquet(tmp_path / "in" / "force_code=STF" / "a.parquet", [good(1)])
    found = run(tmp_path / "in", tmp_path / "out", collection)
    assert found.quarantine["reasons"].to_list() == ["CASE01"]
    assert found.by_force.select("force_code", "valid", "bad").rows() == [
        (None, 0, 1),
        ("STF", 1, 0),
    ]


def test_links_are_followed_and_nothing_is_read_twice(
    tmp_path: Path, collection: Collection
) -> None:
    """A folder kept elsewhere is often linked in; passed over, its rows would be lost."""
    kept = write_parquet(tmp_path / "kept" / "a.parquet", [good(1)])
    source = tmp_path / "in"
    write_parquet(source / "force_code=DER" / "b.parquet", [good(1, "DER")])
    (source / "force_code=STF").symlink_to(kept.parent)
    (source / "force_code=DER" / "again").symlink_to(source)
    (source / "force_code=DER" / "c.parquet").symlink_to(source / "force_code=DER" / "b.parquet")
    found = run(source, tmp_path / "out", collection)
    assert (found.summary["rows"], found.summary["bad"]) == (2, 0)
    assert found.by_force["force_code"].to_list() == ["DER", "STF"]


def test_samples_are_capped_and_found_however_late(
    tmp_path: Path, collection: Collection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("assets.cases.job._NEAR", 10)
    rows = [*(good(n, workforce="x" * 200) for n in range(30)), good(30, suspended=None)]
    results = run(write_parquet(tmp_path / "in.parquet", rows), tmp_path / "out", collection)
    rules = {rule["rule_id"]: rule for rule in results.summary["rules"]}
    assert rules["CASE10"]["rows"] == 30
    told = [sample["value"] for sample in rules["CASE10"]["samples"]]
    assert told == ["a text of 80 characters"] * 5, "what stands there may name somebody"
    assert [sample["row"] for sample in rules["CASE09"]["samples"]] == [31]
    assert results.quarantine["workforce"][0] == "x" * 200
