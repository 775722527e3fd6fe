"""What docs/collections.md shows is a collection that runs to its end, as it stands there."""

import re
import subprocess
import sys
from pathlib import Path

import polars as pl
import pytest
from openpyxl import load_workbook

ROOT = Path(__file__).parents[2]
NUMBERS = {"drugs": (1, 2), "weapons": (3, 4), "other": (5, 6), "total": (9, 12)}


def _run(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    """Run a command in a process of its own: Dagster knows the collections of its start."""
    command = [sys.executable, "-c", "from pipelines.cli.main import main; main()", *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def _write(folder: Path) -> None:
    page = (ROOT / "docs" / "collections.md").read_text(encoding="utf-8")
    template, collection = re.findall(r"```toml\n(.*?)```", page, re.DOTALL)
    example = (ROOT / "examples" / "templates" / "use-of-force-1.toml").read_text(encoding="utf-8")
    cover = example[
        example.index('[[sheet]]\nname = "cover"') : example.index('[[sheet]]\nname = "uses"')
    ]
    at = template.index("[[sheet]]")
    for kind, name, text in (
        (
            "templates",
            "stops-1",
            template[:at] + cover + template[at:],
        ),
        ("collections", "stops-2014", collection),
    ):
        (folder / kind).mkdir(parents=True)
        (folder / kind / f"{name}.toml").write_text(text, encoding="utf-8")


def _fill(path: Path, *, held: bool) -> None:
    book = load_workbook(path)
    for row in book["cover"].iter_rows():
        if row[0].value in {"data_as_at", "submitted_on"}:
            row[2].value = "2014-12-31" if row[0].value == "data_as_at" else "2015-01-20"
        elif row[0].value in {"prepared_by_role", "signed_off_by_role", "assurance"}:
            row[2].value = "Head of analysis"
    for row in book["stops"].iter_rows():
        if row[0].value in NUMBERS:
            arrest, none = NUMBERS[row[0].value]
            for cell, number in zip(row[2:], (arrest, none, arrest + none), strict=False):
                cell.value = number
            if not held and row[0].value == "other":
                row[2].value = row[3].value = row[4].value = "not_held"
            if not held and row[0].value == "total":
                row[2].value, row[3].value, row[4].value = 4, 6, 10
    book.save(path)


@pytest.mark.slow
def test_the_example_runs_to_its_end(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    _write(tmp_path / "mine")
    monkeypatch.setenv("MUSTER_COLLECTIONS", str(tmp_path / "mine"))
    monkeypatch.setenv("MUSTER_COLLECTION", "stops-2014")
    monkeypatch.setenv("MUSTER_LAKE", str(tmp_path / "lake"))
    monkeypatch.delenv("DAGSTER_HOME", raising=False)
    done = _run("collections", "check", tmp_path / "mine")
    assert done.returncode == 0, done.stdout + done.stderr
    landing = tmp_path / "lake" / "landing" / "stops-2014"
    assert _run("template", "--out", landing).returncode == 0
    for path in landing.glob("*.xlsx"):
        _fill(path, held=not path.name.startswith("CAM"))
    done = _run("run")
    assert done.returncode == 0, done.stdout + done.stderr
    totals = pl.read_parquet(tmp_path / "lake/marts/stops-2014/national_totals.parquet")
    value = {
        row["breakdown"]: row["value"]
        for row in totals.iter_rows(named=True)
        if row["measure"] == "stops"
    }
    assert value[""] == 21 + 21 + 10
    assert value["ground=other;result=arrest"] == 5 + 5
    assert value["result=none"] == 12 + 12 + 6
    report = (tmp_path / "lake/marts/stops-2014/report/index.html").read_text(encoding="utf-8")
    assert "Offensive weapons, No further action" in report
