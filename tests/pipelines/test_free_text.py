"""No word that a force typed is written outside the raw store, or printed by any command."""

import json
import sqlite3
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path

import polars as pl
import pytest
from openpyxl import load_workbook

from assets.lake import Lake
from assets.sample.write import returns_template
from tests.pipelines.conftest import Muster
from tests.returns import SampleReturn

CANARY = "Zbigniewska"
RAW = ("raw", "landing", "quarantine")
READING = (
    ("status", "--json"),
    ("queries", "--all", "--json"),
    ("queries", "--all"),
    ("versions", "WYK"),
    ("versions", "STF"),
    ("reconcile", "--json"),
    ("explain", "INV-01", "--json"),
    ("releases",),
    ("doctor",),
)


def _texts(folder: Path) -> Iterator[tuple[Path, str]]:
    """Yield every file below a folder with its text: of tables, databases and archives too."""
    for path in folder.rglob("*"):
        if not path.is_file() or path.is_symlink():
            continue
        content = path.read_bytes()
        yield path, content.decode("latin-1")
        if path.suffix == ".parquet":
            yield path, pl.read_parquet(path).write_json()
        elif zipfile.is_zipfile(path):
            with zipfile.ZipFile(path) as parts:
                yield path, "".join(parts.read(n).decode("latin-1") for n in parts.namelist())
        elif content.startswith(b"SQLite format 3"):
            with sqlite3.connect(path) as database:
                yield path, "\n".join(database.iterdump())


@pytest.mark.slow
@pytest.mark.usefixtures("every_part")
def test_a_word_in_every_cell_stays_in_the_raw_store(
    lake: Lake,
    run: Muster,
    sample: Callable[[str], SampleReturn],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """One return is rejected for what it says everywhere; another counts, and says it in texts."""
    monkeypatch.setenv("MUSTER_ALERT_URLS", "")
    texts = ("prepared_by_role", "signed_off_by_role", "assurance")
    counted = {("cover", row, "value"): f"Office of {CANARY}" for row in texts}
    sample("WYK").with_values(counted).write(lake.landing / "WYK 2.xlsx")
    everywhere = {
        entry.place: CANARY
        for entry in returns_template().entries()
        if entry.row_code != "force_code" and entry.kind != "date"
    }

    def strays(book: object) -> None:
        for sheet in book.worksheets:  # type: ignore[attr-defined]
            for row in (1, 60):
                sheet.cell(row, 9).value = CANARY

    broken = sample("STF").with_values(everywhere)
    path = broken.write(lake.landing / "STF 2.xlsx", strays)
    outputs = [run("run").output, run("check", path, "--json").output, run("check", path).output]
    assert run("status", "--json").exit_code == 0
    outputs += [run(*command).output for command in READING]
    outputs.append(run("feedback", "--out", tmp_path / "feedback").output)
    outputs.append(run("check", path, "--annotate", tmp_path / "marked").output)
    assert not any(CANARY in output for output in outputs)
    states = {r["force_code"]: r for r in json.loads(run("status", "--json").output)}
    assert (states["WYK"]["version"], states["STF"]["version"]) == (2, 1)
    # What was read of each file; the force's own file, marked.
    own = lake.kept / "reading", lake.kept / "marked"
    told = {
        str(path.relative_to(folder))
        for folder in (lake.root, tmp_path / "feedback", tmp_path / "marked")
        for path, text in _texts(folder)
        if CANARY in text and path.relative_to(folder).parts[0] not in RAW
        if not any(path.is_relative_to(each) for each in own)
    }
    assert told == {"STF/STF-marked.xlsx", "STF 2-marked.xlsx"}, "the force's own file back"
    book = load_workbook(tmp_path / "feedback" / "STF" / "STF-marked.xlsx")
    problems = [str(c.value) for row in book.worksheets[0].iter_rows() for c in row]
    comments = [
        c.comment.text for s in book.worksheets for row in s.iter_rows() for c in row if c.comment
    ]
    assert comments
    assert not any(CANARY in said for said in (*problems, *comments))
