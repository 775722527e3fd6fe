"""What a file says never steers the terminal, and findings are told whatever becomes of copies."""

import json
import os
import re
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from pipelines.cli.main import main, muster
from pipelines.cli.output import print_json, print_rows, printable_streams, set_apart
from schemas.cases import TYPES
from schemas.collection import Collection
from tests.returns import SampleReturn, address_of

NASTY = "\x1b]0;owned\x07\x1b[31m\x9b2J\u202e\u2066\x7f\r\x00"


def _harmless(text: str) -> bool:
    return all(c == "\n" or c.isprintable() for c in text)


@pytest.mark.parametrize("options", [[], ["--json"]])
def test_cells_of_extracts(options: list[str], tmp_path: Path) -> None:
    line = "STF,{},{},,,2011-10-03,continuing,,false,staff"
    rows = [line.format("STF-2011-1", NASTY), line.format(NASTY, "other"), NASTY]
    for number, lines in enumerate((rows[:2], rows)):
        path = tmp_path / f"{number}.csv"
        path.write_text("\n".join([",".join(TYPES), *lines, ""]), newline="")
        arguments = ["cases", str(path), "--out", str(tmp_path / "out"), *options]
        done = CliRunner().invoke(muster, arguments)
        assert done.exit_code in {1, 2}, done.exception
        assert done.output
        assert _harmless(done.output)


@pytest.mark.parametrize("command", ["check", "read-report"])
def test_names_of_files(command: str, tmp_path: Path) -> None:
    name = NASTY.replace("\x00", "") + ".txt"
    (tmp_path / name).write_text("hello")
    for path in (tmp_path / name, tmp_path / f"no{name}"):
        done = CliRunner().invoke(muster, [command, str(path)])
        assert "\\x1b]0;owned\\x07\\x1b[31m\\x9b2J\\u202e" in done.output
        assert _harmless(done.output)


def test_json_says_the_same_in_escapes(capsys: pytest.CaptureFixture[str]) -> None:
    with printable_streams():
        print_json({"value": NASTY, "named": "café 𝟙 \U000e0041"})
    said = capsys.readouterr().out
    assert _harmless(said)
    assert json.loads(said) == {"value": NASTY, "named": "café 𝟙 \U000e0041"}


def test_what_differs_is_printed_with_the_digits_that_differ(
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Both were printed as 84.34, with a change of 0.00."""
    pairs = [(84.3401, 84.3439), (84.34, 85.0), (None, 2207.0), (3.5, 3.5), (1 / 3, 1 / 3 + 1e-15)]
    rows = [{"old": a, "new": b, "change": None if a is None else b - a} for a, b in pairs]
    print_rows(list(map(set_apart, rows)), ">old, >new, >change")
    assert [line.split() for line in capsys.readouterr().out.splitlines()[1:]] == [
        ["84.340", "84.344", "0.004"],
        ["84.34", "85", "0.66"],
        ["-", "2,207", "-"],
        ["3.50", "3.50", "0"],
        ["0.333333333333333", "0.333333333333334", "0.000000000000001"],
    ]
    row: dict[str, object] = {"old_status": "match", "old": 2.001, "new": 2.002}
    assert set_apart(row) == {"old_status": "match", "old": "2.001", "new": "2.002"}


def test_a_name_too_long_for_its_copy_loses_its_end(tmp_path: Path, collection: Collection) -> None:
    path = tmp_path / f"{'é' * 124}.xlsx"
    stf = SampleReturn.of("STF", collection)
    blank = [place for place in stf.values if place[1].startswith("breach.")][:3]
    stf.with_values(
        {("registers", "force.gratuity", "accepted"): "c. 3", **dict.fromkeys(blank)}
    ).write(tmp_path / "a.xlsx").rename(path)
    done = CliRunner().invoke(muster, ["check", str(path), "--annotate", str(tmp_path / "out")])
    assert done.exit_code == 1, done.exception
    assert "V001" in done.output
    cells = ", ".join(address_of(*place) for place in blank)
    assert re.search(rf"S010 +B +second_jobs +{cells} ", done.output), "three blanks in one line"
    assert "4 findings" in done.output
    (copy,) = (tmp_path / "out").iterdir()
    assert copy.name == f"{'é' * 100}-marked.xlsx"


def test_findings_are_told_though_the_copy_cannot_be_written(
    tmp_path: Path, collection: Collection
) -> None:
    path = SampleReturn.of("STF", collection).write(tmp_path / "a.xlsx")
    (tmp_path / "file").write_text("in the way")
    done = CliRunner().invoke(muster, ["check", str(path), "--annotate", str(tmp_path / "file/x")])
    assert "a.xlsx: STF, accepted" in done.output


def test_a_narrow_terminal_gets_what_does_not_fit_line_by_line(
    tmp_path: Path, collection: Collection, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Half a word a line is no message; who has no checkout can open no file of ours."""
    monkeypatch.chdir(tmp_path)
    typed = {("registers", "force.gratuity", "accepted"): "<5"}
    path = SampleReturn.of("STF", collection).with_values(typed).write(Path("STF.xlsx"))
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.setattr("pipelines.cli.returns.PROJECT", tmp_path)
    printed = CliRunner().invoke(muster, ["check", str(path)]).output
    assert "\n    what is wrong: '<5' is a range; a whole number belongs here" in printed
    assert "docs/rules" not in printed
    monkeypatch.setenv("MUSTER_RULES_URL", "https://example.org/rules")
    printed = CliRunner().invoke(muster, ["check", str(path)]).output
    assert "https://example.org/rules/validity.md#v001." in printed


def test_names_of_files_are_utf8_whatever_the_locale(monkeypatch: pytest.MonkeyPatch) -> None:
    begun: list[object] = []
    monkeypatch.setattr(sys, "getfilesystemencoding", lambda: "iso8859-9")
    monkeypatch.setattr(os, "execv", lambda *given: begun.append(given))
    monkeypatch.setenv("PYTHONUTF8", "0")
    with pytest.raises(SystemExit):
        main(["--version"])
    assert begun == [(sys.executable, sys.orig_argv)]
    assert os.environ["PYTHONUTF8"] == "1"
