"""Drafts are examined whole: whoever wrote one hears everything, each with file and line."""

import shutil
from pathlib import Path

import pytest

from schemas.collection import collection_files, load_collection
from schemas.drafts import wrong_in
from schemas.errors import SetupError

EXAMPLES = Path(__file__).parents[2] / "examples"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    shutil.copytree(EXAMPLES, tmp_path / "drafts")
    return tmp_path / "drafts"


def _change(path: Path, old: str, new: str) -> int:
    """Change a file; return the line on which it is changed."""
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), encoding="utf-8")
    return text[: text.index(old)].count("\n") + 1


def test_the_examples_are_sound() -> None:
    files, wrong = wrong_in(EXAMPLES)
    assert {path.name for path in files} >= {"2013-revisit.toml", "use-of-force-1.toml"}
    assert wrong == []


def test_everything_is_told_at_once(folder: Path) -> None:
    template = folder / "templates" / "use-of-force-1.toml"
    collection = folder / "collections" / "2013-revisit.toml"
    changes = (
        (template, "spray = ", '"Spray!" = ', "lists.tactic.Spray!: "),
        (collection, "hard = 2013-06-28", "hard = 2013-06-01", "deadlines.hard: "),
        (collection, "census = 2013-05-31", "census = 2013-05-30", "census: the census"),
        (collection, "V006 = { lowest = 1,", "V006 = { lowest = 99,", "thresholds.V006: lowest 99"),
        (collection, '"BTP"', '"BED"', "forces."),
        (collection, '"KEN"', '"XYZ"', "forces."),
        (collection, "[comparators.prev", "[comparators.y", "comparators: "),
    )
    told = [f"{path}:{_change(path, old, new)}: {key}" for path, old, new, key in changes]
    _, wrong = wrong_in(folder)
    for expected in told:
        assert any(line.startswith(expected) for line in wrong), (expected, wrong)
    said = "\n".join(wrong)
    assert "BED ended on 2013-03-31, before the census; expect BEH" in said
    assert "force code not in reference/forces.csv: XYZ" in said
    assert "the template asks about 'previous'" in said


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("collections/2014.toml", b"id = \n", "2014.toml:1: this is no TOML"),
        ("collections/2014.toml", b"\xff\xfe", "it is no text in UTF-8"),
        ("collections/2014.toml", b'id = "2014"\n', "2014.toml:1: census: is missing"),
        ("reference/forces.csv", b"a,b\n1,2\n", "forces.csv"),
        ("templates/uses-2.toml", b'name = "uses"\nversion = 2\n', "uses-2.toml:1: sheet: is miss"),
    ],
)
def test_a_draft_that_is_no_draft(name: str, content: bytes, said: str, folder: Path) -> None:
    (folder / name).write_bytes(content)
    assert any(said in line for line in wrong_in(folder)[1]), wrong_in(folder)[1]


def test_a_single_file_and_an_empty_folder(folder: Path, tmp_path: Path) -> None:
    assert wrong_in(folder / "collections" / "use-of-force-2013.toml")[1] == []
    assert wrong_in(folder / "templates" / "returns-2.toml")[1] == []
    (tmp_path / "none").mkdir()
    assert "there is no file collections/<id>.toml" in wrong_in(tmp_path / "none")[1][0]


def test_a_broken_draft_harms_no_other_collection(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MUSTER_COLLECTIONS", str(folder))
    (folder / "collections" / "2013-revisit.toml").write_text("id = ")
    with pytest.raises(SetupError, match="no TOML"):
        load_collection("2013-revisit")
    for name in set(collection_files()) - {"2013-revisit"}:
        assert load_collection(name).id == name
