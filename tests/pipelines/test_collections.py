"""Collections from outside are listed and drafts examined; a broken one is said, harming nobody."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from assets.lake import Lake
from assets.marts import read_manifest, read_mart
from pipelines.cli.main import muster
from schemas.collection import description

ROOT = Path(__file__).parents[2]
EXAMPLES = ROOT / "examples"


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    shutil.copytree(EXAMPLES, tmp_path / "drafts")
    monkeypatch.setenv("MUSTER_COLLECTIONS", str(tmp_path / "drafts"))
    monkeypatch.setenv("MUSTER_LAKE", str(tmp_path / "lake"))
    monkeypatch.delenv("MUSTER_COLLECTION", raising=False)
    return tmp_path / "drafts"


def _collections(*arguments: str) -> Result:
    return CliRunner().invoke(muster, ["collections", *arguments])


@pytest.mark.usefixtures("folder")
def test_ours_and_those_from_outside_are_listed() -> None:
    listed = {row["collection"]: row for row in json.loads(_collections("--json").output)}
    assert set(listed) == {"2012-revisit", "2013-revisit", "use-of-force-2013"}
    assert listed["2012-revisit"] == listed["2012-revisit"] | {
        "template": "returns-1",
        "start": "2011-09-01",
        "end": "2012-05-31",
        "state": "closed",
        "releases": 0,
        "problem": None,
    }
    assert "returns-2" in _collections().output


def test_a_broken_one_is_said_beside_the_others(folder: Path) -> None:
    (folder / "collections" / "2013-revisit.toml").write_text("id = \n")
    done = _collections()
    assert done.exit_code == 1
    assert "use-of-force-1" in done.output
    assert "2013-revisit.toml:1: this is no TOML" in done.output


def test_a_folder_that_is_not_there_is_said(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MUSTER_COLLECTIONS", str(folder / "none"))
    done = _collections()
    assert (done.exit_code, "2012-revisit" in done.output) == (1, True)
    assert f"MUSTER_COLLECTIONS names {folder / 'none'}, which is no folder" in done.output


@pytest.mark.slow
def test_a_broken_one_keeps_no_other_from_running(folder: Path) -> None:
    (folder / "collections" / "2013-revisit.toml").write_text("id = \n")
    code = (
        "from pipelines.definitions import defs; known = defs.get_repository_def();"
        "print(*(each.name for each in (*known.sensor_defs, *known.schedule_defs)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert {"landing_2012_revisit", "daily_refresh_use_of_force_2013"} <= {*done.stdout.split()}
    assert "2013_revisit" not in done.stdout
    asked = CliRunner().invoke(muster, ["status"])
    assert "2013-revisit.toml:1: this is no TOML" in str(asked.exception), "it may be the one meant"
    assert "name the collection that you mean: --collection ID" in str(asked.exception)
    named = CliRunner().invoke(muster, ["status", "--collection", "2012-revisit"])
    assert "there is no lake in" in str(named.exception)
    (folder.parent / "lake").mkdir()
    examined = json.loads(CliRunner().invoke(muster, ["doctor", "--json"]).output)
    (ill,) = (each for each in examined if each["what"] == "collections")
    assert ill["level"] == "bad"
    assert "this is no TOML" in ill["observed"]


def test_a_template_that_was_released_on_is_not_changed_in_place(folder: Path) -> None:
    release = folder.parent / "lake" / "releases" / "r1"
    for name, content in description("use-of-force-2013").items():
        path = release / "description" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    (folder.parent / "lake" / "marts").mkdir()
    (folder.parent / "lake" / "marts" / "use-of-force-2013").symlink_to(release)
    template = folder / "templates" / "use-of-force-1.toml"
    text = template.read_text()
    template.write_text(text.replace('"People hurt"', '"People who were hurt"'))
    assert _collections("check", str(folder)).exit_code == 0, "only worded otherwise"
    template.write_text(text.replace('code = "people_hurt"', 'code = "people_injured"'))
    done = _collections("check", str(folder / "collections" / "use-of-force-2013.toml"))
    assert done.exit_code == 1
    assert f"{template}: 2 cells are not as when use-of-force-2013 was released" in done.output
    assert "uses/people_hurt/count first" in done.output
    assert "use-of-force-2.toml" in done.output
    template.write_text(template.read_text().replace('"firearm"] }', '"gun"] }'))
    done = _collections("check", str(folder / "collections" / "use-of-force-2013.toml"))
    assert "there is no row or column 'gun'" in done.output
    assert "not as when" not in done.output, "first what is wrong in itself"


def test_a_draft_is_examined(folder: Path) -> None:
    done = _collections("check", str(folder))
    assert (done.exit_code, done.output) == (0, "Nothing is wrong in 5 files\n")
    path = folder / "collections" / "use-of-force-2013.toml"
    path.write_text(path.read_text().replace("start = 2012-04-01", "start = 2012-04-02"))
    at = path.read_text().splitlines().index("[period]") + 1
    noted = _collections("check", str(path)).output
    assert f"Note: {path}:{at}: period: this is no span of whole months" in noted
    path.write_text(path.read_text().replace("start = 2012-04-02", "start = 2012-04-01"))
    (folder / "collection").mkdir()
    (folder / "reference" / "force.csv").write_text("force_code\n")
    (folder / "collection" / "2014.toml").write_text("id = 1\n")
    noted = _collections("check", str(folder)).output.splitlines()
    assert [line.partition(": nothing reads this file")[0] for line in noted] == [
        f"Note: {folder / 'collection' / '2014.toml'}",
        f"Note: {folder / 'reference' / 'force.csv'}",
        "Nothing is wrong in 5 files",
    ]
    path.write_text(path.read_text().replace("use-of-force-1", "use-of-force-2"))
    done = _collections("check", str(path))
    assert done.exit_code == 1
    line = path.read_text().splitlines().index('template = "use-of-force-2"') + 1
    assert f"{path}:{line}: template: there is no template 'use-of-force-2'" in done.output
    assert json.loads(_collections("check", str(path), "--json").output)["wrong"]


@pytest.mark.slow
def test_a_release_is_named_by_the_one_that_it_is_compared_with(lake: Lake) -> None:
    """The next run sees that the other collection has another release, and nothing else new."""
    environment = {"MUSTER_LAKE": str(lake.root), "MUSTER_COLLECTIONS": str(EXAMPLES)}
    later, found = Lake(lake.root, "2013-revisit"), []
    quick = "from tests.pipelines.conftest import be_quick, pytest; be_quick(pytest.MonkeyPatch())"

    def muster_says(*words: str) -> str:
        command = [*words, "--collection", later.collection]
        code = f"{quick}\nfrom pipelines.cli.main import main\nmain({command})"
        told = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
        return subprocess.run(
            [sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT,
            env={**told, **environment},
        ).stdout  # fmt: skip

    for name in (lake.marts.resolve().name, "2012-revisit-ffffffffffff"):
        if not (lake.releases / name).exists():
            shutil.copytree(lake.marts.resolve(), lake.releases / name)
            lake.marts.unlink()
            lake.marts.symlink_to(lake.releases / name)
        muster_says("run")
        shown = later.marts.resolve()
        assert read_manifest(shown)["made_from"]["compared"] == [["2012-revisit", name]]
        found.append(shown.name)
    assert found[0] != found[1]
    beside = read_mart(shown, "comparisons").filter(measure="investigations", breakdown="")
    row = beside.select("previous_value", "previous_release").row(0)
    assert row == (2207, "2012-revisit-ffffffffffff")
