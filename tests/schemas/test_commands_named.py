"""Printed commands work on the collection they were printed for, whatever the usual one is."""

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from pipelines.alerts.conditions import KINDS, Condition
from schemas.collection import addressed, command, load_collection, usual_collection
from schemas.errors import SetupError
from schemas.reference import collection_files

EXAMPLES = Path(__file__).parents[2] / "examples"
OTHER = "use-of-force-2013"


@pytest.fixture
def usual(monkeypatch: pytest.MonkeyPatch) -> Callable[[str | None], None]:
    monkeypatch.setenv("MUSTER_COLLECTIONS", str(EXAMPLES))

    def set_to(name: str | None) -> None:
        if name:
            monkeypatch.setenv("MUSTER_COLLECTION", name)
        else:
            monkeypatch.delenv("MUSTER_COLLECTION", raising=False)

    return set_to


def test_a_command_names_the_collection_unless_it_means_it_anyway(
    usual: Callable[[str | None], None],
) -> None:
    usual(OTHER)
    assert command("explain INV-01", OTHER) == "muster explain INV-01"
    assert command("run", "2012-revisit") == "muster run --collection 2012-revisit"
    assert command("run", OTHER, kept=True) == f"muster run --collection {OTHER}"
    usual(None)  # the newest of those that are closed
    assert command("run", "2013-revisit") == "muster run"
    assert command("run", OTHER) == f"muster run --collection {OTHER}"


def test_commands_in_a_text_name_the_collection_once(usual: Callable[[str | None], None]) -> None:
    usual(None)
    text = "Mend it: muster run. Or muster releases go-back, or muster releases. See muster doctor."
    named = addressed(text, OTHER)
    assert named == (
        f"Mend it: muster run --collection {OTHER}. Or muster releases go-back --collection {OTHER}"
        f", or muster releases --collection {OTHER}. See muster doctor."
    )
    assert addressed(named, OTHER) == named
    assert addressed(text, "2013-revisit") == text


@pytest.mark.parametrize("kind", [name for name in KINDS if name != "alerts-undelivered"])
def test_alerts_name_the_collection(kind: str, usual: Callable[[str | None], None]) -> None:
    usual(None)
    text = Condition(kind, OTHER, "Title", "Now.", {"a": "a"}).described()
    assert text.count("muster ") - text.count("muster doctor") == text.count("--collection")


def test_a_broken_draft_does_not_keep_commands_from_being_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shutil.copytree(EXAMPLES, tmp_path / "drafts")
    monkeypatch.delenv("MUSTER_COLLECTION", raising=False)
    monkeypatch.setenv("MUSTER_COLLECTIONS", str(tmp_path / "drafts"))
    (tmp_path / "drafts" / "collections" / "2013-revisit.toml").write_text("id = ")
    assert command("run", OTHER) == f"muster run --collection {OTHER}"


def test_what_is_not_known_hints_at_the_folder_it_may_be_in(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("MUSTER_COLLECTIONS", "MUSTER_COLLECTION"):
        monkeypatch.delenv(name, raising=False)
    with pytest.raises(SetupError, match=r"there are: 2012-revisit.*COLLECTIONS is not set"):
        load_collection(OTHER)
    monkeypatch.setenv("MUSTER_COLLECTIONS", str(tmp_path / "gone"))
    with pytest.raises(SetupError, match="gone, which is no folder"):
        load_collection(OTHER)
    with pytest.raises(SetupError, match=r"gone, which is no folder.*Until then name"):
        usual_collection()
    text = collection_files()["2012-revisit"].read_text(encoding="utf-8")
    monkeypatch.setenv("MUSTER_COLLECTIONS", str(tmp_path))
    (tmp_path / "2012-revisit.toml").write_text(text.replace('"returns-1"', '"returns-7"'))
    with pytest.raises(SetupError, match=r"there are returns-1; returns-7.toml is looked for in"):
        load_collection("2012-revisit")
