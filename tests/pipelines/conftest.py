"""A lake in which `muster demo` has been run, and a way to run commands in it."""

import os
import shutil
from collections.abc import Callable
from contextlib import nullcontext
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from assets.lake import Lake
from assets.release import contents
from pipelines import resources
from pipelines.cli.main import muster

Muster = Callable[..., Result]


def invoke(lake: Path, *arguments: str | Path) -> Result:
    """Run a command with a lake of its own."""
    environment = {"MUSTER_LAKE": str(lake), "DAGSTER_HOME": None, "MUSTER_COLLECTIONS": None}
    return CliRunner(env=environment).invoke(muster, [str(a) for a in arguments])


def _be_quick(patch: pytest.MonkeyPatch) -> None:
    few = {name: contents.PARTS[name] for name in ("national_rules", "datapackage")}
    none = {"expectations": lambda _: {}, "public": lambda _: {"withheld": "not asked for"}}
    patch.setattr(contents, "PARTS", few | none)
    patch.setattr(resources, "gate_process", nullcontext)


@pytest.fixture(autouse=True)
def quick(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Leave out of a release what takes seconds and follows from the marts alone.

    A test that looks at those parts asks for `every_part`.
    """
    if "every_part" not in request.fixturenames:
        _be_quick(monkeypatch)


@pytest.fixture(scope="session")
def demo(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Result]:
    """The lake of a demo without the slow parts, and what it printed; not to be changed."""
    lake = tmp_path_factory.mktemp("demo")
    with pytest.MonkeyPatch.context() as patch:
        _be_quick(patch)
        result = invoke(lake, "demo")
    os.environ.pop("DAGSTER_HOME", None)
    return lake, result


@pytest.fixture
def lake(demo: tuple[Path, Result], tmp_path: Path) -> Lake:
    """A copy of the demo's lake, to be changed at will."""
    shutil.copytree(demo[0], tmp_path / "lake", symlinks=True)
    return Lake(tmp_path / "lake", "2012-revisit")


@pytest.fixture
def every_part() -> None:
    """Let the releases of a test have every part."""


@pytest.fixture
def run(lake: Lake, monkeypatch: pytest.MonkeyPatch) -> Muster:
    """Run a command in the copied lake."""
    monkeypatch.delenv("DAGSTER_HOME", raising=False)
    return lambda *arguments: invoke(lake.root, *arguments)
