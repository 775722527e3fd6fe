"""`muster cases` as people and scripts meet it: what it prints, and what it ends with."""

import json
import os
import pty
import subprocess
import sys
from pathlib import Path

from click.testing import CliRunner, Result

from pipelines.cli.returns import cases as command
from pipelines.cli.returns import check
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
    assert set(found["refusals"][0]) == {"file", "rule_id", "problem", "fix"}
    assert _run(tmp_path / "nowhere", "--out", tmp_path / "out").exit_code == 2


def test_results_among_the_rows_are_refused_at_first(tmp_path: Path) -> None:
    """Else the next run would read them as an extract."""
    (tmp_path / "in").mkdir()
    write_parquet(tmp_path / "in" / "rows.parquet", MANY)
    for out in ("in/results", "in/below/results", "in"):
        refused = _run(tmp_path / "in", "--out", tmp_path / out)
        assert f"lies in {tmp_path / 'in'}, a folder of the extract" in str(refused.exception)
    assert [each.name for each in (tmp_path / "in").iterdir()] == ["rows.parquet"]


def test_check_takes_an_extract_too(tmp_path: Path) -> None:
    """With the same findings as a return: what is bad, at which row, and what to do."""
    good_file = write_csv(tmp_path / "fine.csv", MANY)
    bad = write_parquet(tmp_path / "bad.parquet", [good(1), good(2, suspended=None)])
    torn = tmp_path / "force_code=STF" / "torn.csv"
    torn.parent.mkdir()
    torn.write_text("case_ref,remarks\n")
    result = CliRunner().invoke(check, ["--json", *map(str, (good_file, bad, torn))])
    assert result.exit_code == 2, result.output
    fine, rejected, unreadable = json.loads(result.stdout)
    assert (fine["force_code"], fine["state"], fine["findings"]) == ("STF", "accepted", [])
    found = [(f["rule_id"], f["severity"], f["cell"]) for f in rejected["findings"]]
    assert (rejected["state"], found) == (
        "rejected",
        [("CASE15", "B", None), ("CASE09", "B", "row 2")],
    )
    assert (unreadable["force_code"], unreadable["findings"][0]["rule_id"]) == ("STF", "CASE13")
    copies = tmp_path / "copies"
    result = CliRunner().invoke(check, ["--annotate", str(copies), str(bad)])
    assert result.exit_code == 1, result.output
    assert (copies / "bad-marked.xlsx").exists()


def test_in_a_pipe(tmp_path: Path) -> None:
    """JSON is the summary and nothing else, and what is heavy is not loaded.

    A million rows take less time than loading these would.
    """
    path = write_parquet(tmp_path / "in.parquet", [*MANY, good(40, suspended=None)])
    loaded = tmp_path / "modules"
    code = (
        "import sys\nfrom pathlib import Path\nfrom pipelines.cli.returns import cases as command\n"
        "try:\n    command()\nfinally:\n"
        f"    Path({str(loaded)!r}).write_text(' '.join(sys.modules))"
    )
    arguments = [str(path), "--out", str(tmp_path / "out"), "--json"]
    done = subprocess.run(
        [sys.executable, "-c", code, *arguments], capture_output=True, check=True, text=True
    )
    assert json.loads(done.stdout) == read_results(tmp_path / "out").summary
    assert done.stderr == "", "quiet in a pipe"
    modules = set(loaded.read_text().split())
    assert "assets.cases.job" in modules
    assert not modules & {"pandera", "pandas", "pyarrow", "dagster", "duckdb"}


def test_a_bar_on_a_terminal(tmp_path: Path) -> None:
    """Where standard error is a terminal the bar is drawn there."""
    path = write_parquet(tmp_path / "in.parquet", MANY)
    code = "from pipelines.cli.returns import cases as command; command()"
    ours, theirs = pty.openpty()
    with os.fdopen(ours, "rb", buffering=0) as terminal:
        subprocess.run(
            [sys.executable, "-c", code, str(path), "--out", str(tmp_path / "out")],
            stdout=subprocess.DEVNULL,
            stderr=theirs,
            check=True,
        )
        os.write(theirs, b"\0")  # the end; a read gives as much as a terminal holds at a time
        shown = "".join(iter(lambda: terminal.read(1).decode("latin-1"), "\0"))
        os.close(theirs)
    assert "rows" in shown
    assert "30/30" in shown
    assert "/100" not in shown, "a total that nobody has counted"
