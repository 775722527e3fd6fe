"""A collection is data: a new one is a new file, and a wrong one says what is wrong."""

from datetime import date
from pathlib import Path

import pytest

from schemas.collection import Collection, description, load_collection, read_collection
from schemas.collection_fields import Period
from schemas.errors import SetupError
from schemas.reference import COLLECTIONS, collection_files
from schemas.template_file import read_template, template_files

EXAMPLES = Path(__file__).parents[2] / "examples"
TEXT = (COLLECTIONS / "2012-revisit.toml").read_text(encoding="utf-8")


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("MUSTER_COLLECTIONS", str(tmp_path))
    return tmp_path


def test_a_new_collection_is_a_new_file(folder: Path) -> None:
    start, end = TEXT.index("[published]"), TEXT.index("[cases]")
    text = TEXT[: TEXT.index("[[disclosure.exempt]]")]
    text = (text[:start] + text[end:]).replace("2012-revisit", "2014-revisit")
    (folder / "2014-revisit.toml").write_text(text)
    assert {"2012-revisit", "2014-revisit"} <= set(collection_files())
    assert load_collection("2014-revisit").id == "2014-revisit"


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("[published]", '[published]\ncollection = "2014"', "of 2012-revisit, not about this"),
        ('template = "returns-1"', 'template = "returns-9"', "returns-9.toml"),
        ("start = 2010-04-01\nend = 2011-03-31", 'collection = "2010"', "no collection '2010'"),
        ('id = "2012-revisit"', 'id = "other"', "the id must be the file's name"),
        ('"AVS", ', '"XXX", ', "XXX"),
        ('"AVS", ', '"BED", ', "listed twice"),
        ("end = 2012-05-31", "end = 2011-05-31", "before it starts"),
        ("[period]", "[periods]", "period"),
        ('title = "', "title = ", "no TOML"),
    ],
)
def test_a_wrong_file_says_what_is_wrong(folder: Path, old: str, new: str, message: str) -> None:
    (folder / "2012-revisit.toml").write_text(TEXT.replace(old, new, 1))
    with pytest.raises(SetupError, match=message):
        load_collection("2012-revisit")


def test_our_own_are_sound() -> None:
    """Commands take them for it, and hold only those from outside to the rules."""
    for path in COLLECTIONS.glob("*.toml"):
        assert read_collection(path).id == path.stem
    assert [read_template(path).path for path in template_files()] == template_files()


def test_a_collection_knows_its_forces_as_they_were_at_its_census(
    monkeypatch: pytest.MonkeyPatch, collection: Collection
) -> None:
    monkeypatch.setenv("MUSTER_COLLECTIONS", str(EXAMPLES))
    later = load_collection("2013-revisit")
    assert later.ended("BED") == (date(2013, 3, 31), "BEH")
    assert collection.ended("BED") is None
    for each in (later, collection):
        assert sorted(each.bodies["force_code"]) == sorted(each.forces)
    assert "BEH" not in set(collection.bodies["force_code"])


def test_a_comparator_may_be_another_collection(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MUSTER_COLLECTIONS", str(EXAMPLES))
    before = load_collection("2013-revisit").comparators["previous"]
    assert (before.collection, before.months) == ("2012-revisit", 9)


def test_what_a_release_keeps_is_read_without_what_was_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MUSTER_COLLECTIONS", str(EXAMPLES))
    for name, content in description("2013-revisit").items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(content)
    monkeypatch.delenv("MUSTER_COLLECTIONS")
    then = read_collection(tmp_path / "collections" / "2013-revisit.toml", sound=True)
    assert then.template.version == 2
    assert then.ended("HRT") == (date(2013, 3, 31), "BEH")


def test_an_unknown_collection_names_those_there_are() -> None:
    with pytest.raises(SetupError, match="2012-revisit"):
        load_collection("2013")


def test_months_are_counted_with_both_ends() -> None:
    assert Period(start=date(2011, 9, 1), end=date(2012, 5, 31)).months == 9
    assert Period(start=date(2006, 9, 1), end=date(2011, 8, 31)).months == 60
