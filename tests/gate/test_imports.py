"""Great Expectations takes seconds to load, so it is loaded when a gate is run and never before."""

import pytest

from tests.test_structure import ROOT, _loaded_by

ENGINE = ROOT / "assets" / "release" / "gate" / "evaluate.py"


def test_the_engine_alone_names_it() -> None:
    ours = [
        path
        for package in ("schemas", "assets", "pipelines")
        for path in (ROOT / package).rglob("*.py")
    ]
    named = [path for path in ours if "great_expectations" in path.read_text(encoding="utf-8")]
    assert named == [ENGINE]


def test_importing_the_gate_does_not_load_it() -> None:
    code = "import assets.release.gate.evaluate, assets.release.gate.process"
    assert "great_expectations" not in _loaded_by(code)


@pytest.mark.slow
def test_it_loads_without_what_it_does_not_need_here() -> None:
    loaded = _loaded_by("import assets.release.gate.evaluate as engine; engine.load()")
    assert "great_expectations" in loaded
    assert not loaded & {"altair.vegalite", "boto3", "scipy.stats._stats_py", "sqlalchemy"}
    shown = _loaded_by(
        "import assets.release.gate.evaluate as engine; engine.load(); import sqlalchemy, altair;"
        "altair.Chart"
    )
    assert {"altair.vegalite", "sqlalchemy.engine"} <= shown, "they are there for who needs them"
