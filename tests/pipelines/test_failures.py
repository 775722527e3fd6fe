"""A command that fails says what to do next; of a fault of the program it keeps where it was."""

import re
from pathlib import Path

import pytest

from pipelines.cli import figures
from pipelines.cli.main import main

SECRET = "1,234 in Staffordshire"


@pytest.fixture(autouse=True)
def examples(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MUSTER_COLLECTIONS", str(Path(__file__).parents[2] / "examples"))
    monkeypatch.setenv("MUSTER_LAKE", str(tmp_path / "lake"))
    monkeypatch.delenv("MUSTER_COLLECTION", raising=False)


def _said(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    with pytest.raises(SystemExit) as ended:
        main([*arguments])
    assert ended.value.code == 1
    return capsys.readouterr().err


def test_what_to_do_next_names_the_collection(capsys: pytest.CaptureFixture[str]) -> None:
    said = _said(capsys, "reconcile", "--collection", "use-of-force-2013")
    assert "muster run --collection use-of-force-2013" in said


def _raise(_: str) -> None:
    try:
        raise ValueError(SECRET)
    except ValueError as error:
        raise KeyError(SECRET) from error


@pytest.mark.parametrize("with_lake", [True, False])
def test_a_crash_leaves_its_stack_and_names_the_file(
    with_lake: bool,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr(figures, "read_release", _raise)
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    if with_lake:
        (tmp_path / "lake").mkdir()
    said = _said(capsys, "explain", SECRET)
    named = re.search(r"Report it with (\S+\.log)\.", said)
    assert named, said
    log = Path(named[1])
    assert log.parent == (tmp_path / "lake" / "logs" if with_lake else tmp_path)
    kept = log.read_text(encoding="utf-8")
    assert "KeyError" in kept
    assert "ValueError" in kept
    assert "in _raise" in kept
    assert "explain" in kept.splitlines()[0]
    assert SECRET not in kept + said


def test_a_crash_whose_log_cannot_be_written_is_told_all_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(figures, "read_release", _raise)
    (tmp_path / "lake").mkdir()
    (tmp_path / "lake" / "logs").write_text("in the way")
    said = _said(capsys, "explain", "INV-01")
    assert "KeyError, which Muster did not foresee" in said
    assert "Report it with this line. (" in said
