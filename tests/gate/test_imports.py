"""Great Expectations takes seconds to load, so it is loaded when a gate is run and never before."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from schemas.collection import Collection
from schemas.marts.catalogue import MARTS
from tests.gate.sound import put, sound_mart, write_mart
from tests.test_structure import ROOT, _imports, _loaded_by

ENGINE = ROOT / "assets" / "gate" / "evaluate.py"


def test_the_engine_alone_imports_it() -> None:
    ours = [
        path
        for package in ("schemas", "assets", "pipelines")
        for path in (ROOT / package).rglob("*.py")
    ]
    assert [path for path in ours if "great_expectations" in _imports(path)] == [ENGINE]


def test_importing_the_gate_or_the_command_does_not_load_it() -> None:
    code = "import pipelines.cli.main, assets.gate.evaluate, assets.gate.process"
    assert "great_expectations" not in _loaded_by(code)


@pytest.mark.slow
def test_another_process_writes_the_same_pages(tmp_path: Path, collection: Collection) -> None:
    """Sets have another order there; a page must not show it."""
    for name, contract in MARTS.items():
        write_mart(tmp_path / "marts", name, sound_mart(name, contract, collection))
    broken = sound_mart("investigations", MARTS["investigations"], collection)
    write_mart(tmp_path / "marts", "investigations", put(broken, cases=-1).drop_columns(["basis"]))
    for seed in ("1", "2"):
        code = (
            "import sys, pathlib\n"
            "from tests.gate.gated import run_gate\n"
            "from schemas.collection import load_collection\n"
            f"here = pathlib.Path({str(tmp_path)!r})\n"
            f"run_gate(here / 'marts', load_collection({collection.id!r}), here / {seed!r}, {{}})\n"
        )
        environment = {**os.environ, "PYTHONHASHSEED": seed}
        subprocess.run([sys.executable, "-c", code], check=True, env=environment, cwd=ROOT)
    first, second = (
        {path.name: path.read_bytes() for path in (tmp_path / seed).iterdir()} for seed in "12"
    )
    assert b"does not exist" in first["investigations.html"]
    assert first == second


@pytest.mark.slow
def test_loading_it_leaves_the_warnings_of_the_process_alone() -> None:
    """On import it sends every warning of the process to its log."""
    code = (
        "import warnings; shown = warnings.showwarning\n"
        "from assets.gate import evaluate; evaluate.load()\n"
        "assert warnings.showwarning is shown"
    )
    assert "great_expectations" in _loaded_by(code)
