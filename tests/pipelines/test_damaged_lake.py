"""What was written and has been damaged since: no traceback, but which file and what to do."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import polars as pl
import pytest
from click.testing import Result

from assets.cases.store import CaseStore
from assets.intake.raw_store import RawStore
from assets.lake import Lake, held
from assets.returns.desk.corrections import read_corrections
from schemas.collection import Collection
from schemas.errors import MusterError
from tests.cases.extracts import good, write_csv
from tests.pipelines.conftest import Muster
from tests.returns import SampleReturn

Damage = Callable[[Path], object]


def _cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def _empty(path: Path) -> None:
    path.write_bytes(b"")


def _noise(path: Path) -> None:
    path.write_bytes(b"PAR1" + bytes(range(256)) * 4 + b"PAR1")


def _folder(path: Path) -> None:
    path.unlink()
    path.mkdir()
    (path / "notes.txt").write_text("kept by somebody")


def _others(path: Path) -> None:
    pl.DataFrame({"something": [1]}).write_parquet(path)


def _typed_otherwise(path: Path) -> None:
    table = pl.read_parquet(path)
    table.select(pl.lit(1).alias(name) for name in table.columns).write_parquet(path)


def _nowhere(path: Path) -> None:
    path.unlink()
    path.symlink_to("nowhere")


DAMAGES: tuple[Damage, ...] = (_cut, _empty, _noise, _folder, _others, _typed_otherwise, _nowhere)
READING = (
    ("status",),
    ("status", "--since", "yesterday"),
    ("queries", "--all"),
    ("answer", "Q-00000000", "--accepted-by", "Ann"),
    ("versions", "STF"),
    ("reconcile",),
    ("explain", "INV-01"),
    ("releases",),
    ("releases", "verify"),
    ("doctor",),
)
TABLES = ("intake/receipts", "validation/all_findings", "validation/entries", "cases/extracts")


def _explained(result: Result, *said: str) -> None:
    """A command ends well, or with an error that Muster explains, and says what is asked."""
    error = result.exception
    assert error is None or isinstance(error, MusterError | SystemExit), (error, result.output)
    assert result.exit_code in {0, 1}
    for text in said:
        assert text in f"{error} {result.output}"


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_damaged_table_is_named(damage: Damage, lake: Lake, run: Muster, tmp_path: Path) -> None:
    for table in TABLES:
        path = lake.table(table)
        whole = path.rename(path.with_suffix(".whole"))
        shutil.copy(whole, path)
        damage(path)
        _explained(run("status"), str(path), "muster run makes it anew")
        _explained(run("feedback", "--out", tmp_path / "feedback"), str(path))
        shutil.rmtree(path) if path.is_dir() else path.unlink()
        whole.rename(path)


def test_a_table_of_another_version_is_not_called_damaged(lake: Lake, run: Muster) -> None:
    """After an upgrade status said that the lake was damaged."""
    path = lake.table("validation/all_findings")
    pl.read_parquet(path).drop("how_to_fix").write_parquet(path)
    said = f"{run('status').exception}"
    assert said == f"{path}: was written by another version of Muster. muster run makes it anew."


def test_the_last_return_is_missed_though_no_release_names_its_receipt(
    lake: Lake, run: Muster
) -> None:
    """Nothing is known of it but the file that is kept: only the doctor told of it."""
    (lake.raw / "files" / ("a" * 64)).write_bytes(b"a return")
    lost = "Kept without a receipt, lost or not written: 1 file; see"
    assert lost in run("status").output
    with held(lake.root):
        assert lost not in run("status").output, "a run writes receipts once all files are kept"


def test_a_receipt_that_the_last_run_has_not_read_is_not_missed(
    lake: Lake, run: Muster, sample: Callable[[str], SampleReturn], collection: Collection
) -> None:
    """A run that is killed after it took files in leaves receipts that no table has."""
    new = sample("STF").with_values({("second_jobs", "review_months", "count"): "5"})
    path = new.write(lake.landing / "new.xlsx")
    assert RawStore(lake).take_in([path], collection).new
    assert "Kept without a receipt" not in run("status").output


@pytest.mark.slow
@pytest.mark.parametrize("damage", DAMAGES)
def test_a_run_makes_all_tables_anew(damage: Damage, lake: Lake, run: Muster) -> None:
    before = {p.name: p.read_bytes() for p in lake.marts.iterdir() if p.is_file()}
    for path in sorted(lake.work.rglob("*.parquet")):
        damage(path)
    for command in READING:
        _explained(run(*command))
    result = run("run")
    assert result.exit_code == 0, result.exception
    assert run("status").exit_code == 0
    assert {p.name: p.read_bytes() for p in lake.marts.iterdir() if p.is_file()} == before


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{}",
        *(
            pytest.param(text, marks=pytest.mark.slow)
            for text in (
                "[]",
                "null",
                '"text"',
                "{",
                "7",
                "\ufeff{}",
                '{"files": 1}',
                "[" * 100_000,
            )
        ),
    ],
)
def test_a_manifest_that_says_nothing_is_named(text: str, lake: Lake, run: Muster) -> None:
    path = lake.marts.resolve() / "manifest.json"
    path.write_text(text)
    for command in ("releases",), ("releases", "verify"), ("explain", "INV-01"), ("doctor",):
        result = run(*command)
        _explained(result, str(path))
        assert result.exit_code == 1
    _explained(run("reconcile"), str(path))


@pytest.mark.parametrize("part", ["files", "made_from", "found"])
@pytest.mark.parametrize(
    "value",
    [None, *(pytest.param(v, marks=pytest.mark.slow) for v in ([], "x", {"live": 1, "x": 2}))],
)
def test_a_manifest_without_a_part_is_named(
    part: str, value: object, lake: Lake, run: Muster
) -> None:
    path = lake.marts.resolve() / "manifest.json"
    manifest = json.loads(path.read_text())
    path.write_text(json.dumps({**manifest, part: value}))
    for command in ("releases",), ("explain", "INV-01"), ("doctor",):
        _explained(run(*command))
    if part != "found" or not isinstance(value, dict):
        _explained(run("releases"), str(path))
    _explained(run("releases", "prune"))
    (name,) = [path.parent.name]
    _explained(run("releases", "compare", name, name))


@pytest.mark.parametrize(
    "damage", [*DAMAGES[::3], *(pytest.param(d, marks=pytest.mark.slow) for d in DAMAGES[1::3]),
               *(pytest.param(d, marks=pytest.mark.slow) for d in DAMAGES[2::3])],
)  # fmt: skip
def test_a_damaged_mart_is_named(damage: Damage, lake: Lake, run: Muster) -> None:
    path = lake.marts.resolve() / "reconciliation.parquet"
    damage(path)
    _explained(run("reconcile"), str(path), "muster releases go-back")


@pytest.mark.slow
@pytest.mark.parametrize("damage", DAMAGES)
def test_a_damaged_mart_is_explained_by_every_command(
    damage: Damage, lake: Lake, run: Muster
) -> None:
    damage(lake.marts.resolve() / "reconciliation.parquet")
    for command in READING:
        _explained(run(*command))


@pytest.mark.parametrize("text", ["", "[]", "null", "{", '{"number": 1}', "\udcff"])
def test_a_damaged_decision_is_named(text: str, lake: Lake, run: Muster) -> None:
    folder = lake.desk / "ledger"
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "000001-answer.json"
    path.write_text(text, errors="surrogateescape")
    _explained(run("status"), str(path), "backup")


@pytest.mark.parametrize(
    "content",
    [
        {},
        [],
        {"query_id": None},
        {"force_code": "STF", "version": "x", "up_to": 1, "reason": "why"},
    ],
)
@pytest.mark.parametrize("kind", ["answer", "acceptance", "choice", "else"])
def test_a_decision_that_says_nothing_is_explained(
    kind: str, content: object, lake: Lake, run: Muster
) -> None:
    record = {"number": 1, "kind": kind, "by": "Ann", "at": "2012-06-20T10:00:00+00:00"}
    folder = lake.desk / "ledger"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / f"000001-{kind}.json").write_text(json.dumps({**record, "content": content}))
    _explained(run("status"), "000001")


@pytest.mark.slow
def test_what_is_damaged_of_extracts_reports_and_research_stops_no_return(
    lake: Lake, run: Muster, collection: Collection
) -> None:
    before = pl.read_parquet(lake.marts / "investigations.parquet")
    cases = lake.landing / "cases" / "STF.csv"
    for rows in (10, 20):
        write_csv(cases, [good(number) for number in range(rows)])
        CaseStore(lake).take_in(collection)
    shutil.rmtree(lake.landing)
    harmed = [
        max((lake.raw / "case_versions").glob("*.json")),
        next(lake.kept_research.glob("*/survey_responses.csv")),
    ]
    for path in harmed:
        path.write_bytes(path.read_bytes()[:-9])
    result = run("run")
    assert result.exit_code == 0, result.output
    assert pl.read_parquet(lake.marts / "investigations.parquet").equals(before)
    assert pl.read_parquet(lake.marts / "survey.parquet").is_empty()
    status = run("status", "--json").output
    assert "case rows, version 2, do not count: damaged in the raw store" in status
    for path in harmed:
        _explained(run("doctor", "--json"), str(path))
        told = run("status").output.replace("\n", "")
        assert path.name[:20] in told or path.name in told


def _with_corrections(lake: Lake, text: str | None) -> Path:
    """Damage the file of corrections; without a text it is a folder."""
    path = lake.desk / "corrections.csv"
    lake.desk.mkdir(parents=True, exist_ok=True)
    path.mkdir() if text is None else path.write_text(text)
    return path


@pytest.mark.parametrize("text", ["", "a,b\n1,2\n", "\x00\xff", "force_code\nSTF\n", None])
def test_a_damaged_file_of_corrections_is_named(
    text: str | None, tmp_path: Path, collection: Collection
) -> None:
    lake = Lake(tmp_path, collection.id)
    path = _with_corrections(lake, text)
    with pytest.raises((MusterError, OSError), match=str(path)):
        read_corrections(lake, collection)


@pytest.mark.slow
def test_a_run_that_meets_damaged_corrections_names_them(lake: Lake, run: Muster) -> None:
    path = _with_corrections(lake, None)
    result = run("run")
    assert result.exit_code == 1
    _explained(result, str(path))
