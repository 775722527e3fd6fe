"""A lake in which `muster demo` has been run, and a way to run commands in it."""

import json
import os
import shutil
from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path
from unittest.mock import Mock

import pytest
from click.testing import CliRunner, Result

from assets.lake import Lake, held
from assets.release import contents
from assets.release.gate import process
from pipelines import resources
from pipelines.cli.main import muster

Muster = Callable[..., Result]


def invoke(lake: Path, *arguments: str | Path) -> Result:
    """Run a command with a lake of its own."""
    none = dict.fromkeys(("DAGSTER_HOME", "MUSTER_COLLECTIONS", "MUSTER_COLLECTION"))
    environment = {"MUSTER_LAKE": str(lake), **none}
    return CliRunner(env=environment).invoke(muster, [str(a) for a in arguments])


def be_quick(patch: pytest.MonkeyPatch) -> None:
    """Leave out of releases what takes seconds and follows from the marts alone."""
    few = {name: contents.PARTS[name] for name in ("national_rules", "description", "pack")}
    none = {"expectations": lambda _: {}, "public": lambda _: {"withheld": "not asked for"}}
    patch.setattr(contents, "PARTS", few | none)
    patch.setattr(resources, "gate_process", lambda: nullcontext(Mock()))
    patch.setattr(process, "begin", lambda *_: None)


@pytest.fixture(autouse=True)
def quick(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Leave out of a release what takes seconds and follows from the marts alone.

    A test that looks at those parts asks for `every_part`.
    """
    if "every_part" not in request.fixturenames:
        be_quick(monkeypatch)


@dataclass(frozen=True)
class Demo:
    """The lake of a demo without the slow parts, and what it printed; not to be changed."""

    lake: Path
    exit_code: int
    output: str


@pytest.fixture(scope="session")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Demo:
    """One demo for all processes that run tests side by side."""
    ours = tmp_path_factory.getbasetemp()
    folder = (ours.parent if "PYTEST_XDIST_WORKER" in os.environ else ours) / "one-demo"
    said = folder / "said.json"
    with held(folder, patience=600):
        if not said.exists():
            with pytest.MonkeyPatch.context() as patch:
                be_quick(patch)
                result = invoke(folder / "lake", "demo")
            said.write_text(json.dumps([result.exit_code, result.output]))
    os.environ.pop("DAGSTER_HOME", None)
    return Demo(folder / "lake", *json.loads(said.read_text()))


@pytest.fixture
def lake(demo: Demo, tmp_path: Path) -> Lake:
    """A copy of the demo's lake, to be changed at will."""
    shutil.copytree(demo.lake, tmp_path / "lake", symlinks=True)
    return Lake(tmp_path / "lake", "2012-revisit")


@pytest.fixture
def every_part() -> None:
    """Let the releases of a test have every part."""


@pytest.fixture
def run(lake: Lake, monkeypatch: pytest.MonkeyPatch) -> Muster:
    """Run a command in the copied lake."""
    monkeypatch.delenv("DAGSTER_HOME", raising=False)
    return lambda *arguments: invoke(lake.root, *arguments)
