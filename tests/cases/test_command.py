"""`muster cases` as people and scripts meet it: what it prints, and what it ends with."""

import json
import subprocess
import sys
from pathlib import Path

from click.testing import CliRunner, Result

from pipelines.cli.cases import cases as command
from tests.cases.extracts import good, read_results, write_csv, write_parquet

MANY = [good(number) for number in range(30)]


def _run(*arguments: object) -> Result:
    return CliRunner().invoke(command, [str(argument) for argument in arguments])


def test_an_extract_without_faults(tmp_path: Path) -> None:
    path = write_parquet(tmp_path / "in.parquet", MANY)
    result = _run(path, "--out", tmp_path / "out")
    assert result.exit_code == 0, result.output
    assert "30 rows in 1 file: 30 valid, 0 bad (0.00%)" in result.output


def test_some_bad_rows_are_set_aside(tmp_path: Path) -> None:
    path = write_csv(tmp_path / "in.csv", [*MANY, good(40, suspended="maybe")])
    result = _run(path, "--out", tmp_path / "out")
    assert result.exit_code == 0, result.output
    assert "CASE09" in result.output
    assert "row 31" in result.output
    assert "maybe" not in result.output, "what stands there may name somebody"
    assert "a text of 5 characters" in result.output
    assert "Accepted without the bad rows" in result.output


def test_too_many_bad_rows_reject_the_extract(tmp_path: Path) -> None:
    path = write_parquet(tmp_path / "in.parquet", [good(1), good(2, suspended=None)])
    result = _run(path, "--out", tmp_path / "out")
    assert result.exit_code == 1, result.output
    assert "Rejected" in result.output
    assert read_results(tmp_path / "out").counts["cases"].sum() == 1


def test_unreadable(tmp_path: Path) -> None:
    path = tmp_path / "in.csv"
    path.write_text("name,remarks\n")
    result = _run(path, "--out", tmp_path / "out")
    assert result.exit_code == 2
    assert result.stdout == ""
    assert f"{path}: the columns are not those of an extract" in result.stderr
    assert not (tmp_path / "out").exists()
    found = json.loads(_run(path, "--out", tmp_path / "out", "--json").stdout)
    assert found["state"] == "unreadable"
    assert set(found["refusals"][0]) == {"file", "problem", "fix"}
    assert _run(tmp_path / "nowhere", "--out", tmp_path / "out").exit_code == 2


def test_json_is_the_summary_and_nothing_else(tmp_path: Path) -> None:
    path = write_parquet(tmp_path / "in.parquet", [*MANY, good(40, suspended=None)])
    code = "from pipelines.cli.cases import cases as command; command()"
    arguments = [str(path), "--out", str(tmp_path / "out"), "--json"]
    done = subprocess.run(
        [sys.executable, "-c", code, *arguments], capture_output=True, check=True, text=True
    )
    assert json.loads(done.stdout) == read_results(tmp_path / "out").summary
    assert done.stderr == "", "quiet in a pipe"


def test_what_is_heavy_is_not_loaded(tmp_path: Path) -> None:
    """A million rows take less time than loading these would."""
    path = write_parquet(tmp_path / "in.parquet", MANY)
    code = (
        "import sys\nfrom pipelines.cli.cases import cases as command\n"
        "try:\n    command()\nexcept SystemExit:\n    print(*sys.modules)"
    )
    arguments = [str(path), "--out", str(tmp_path / "out"), "--json"]
    done = subprocess.run(
        [sys.executable, "-c", code, *arguments], capture_output=True, check=True, text=True
    )
    loaded = set(done.stdout.splitlines()[-1].split())
    assert "assets.cases.job" in loaded
    assert not loaded & {"pandera", "pandas", "pyarrow", "dagster", "duckdb"}


def test_a_bar_on_a_terminal(tmp_path: Path) -> None:
    """Under a pseudo-terminal the bar is drawn on standard error."""
    path = write_parquet(tmp_path / "in.parquet", MANY)
    code = (
        "import pty, sys\n"
        "run = 'from pipelines.cli.cases import cases as command; command()'\n"
        f"pty.spawn([sys.executable, '-c', run, {str(path)!r}, '--out', {str(tmp_path / 'o')!r}])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True, text=True)
    assert "rows" in done.stdout
    assert "30/30" in done.stdout
    assert "/100" not in done.stdout, "a total that nobody has counted"
