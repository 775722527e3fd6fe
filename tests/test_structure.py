"""The house: every import points down, and what is heavy is loaded only where it is used."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
ALLOWED = {"schemas": {"schemas"}, "assets": {"schemas", "assets"}}
ALLOWED["pipelines"] = {"schemas", "assets", "pipelines"}


def _imports(path: Path) -> set[str]:
    """Return the top-level packages that a module imports, wherever in it."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative imports hide the direction"
            found.add((node.module or "").partition(".")[0])
    return found


@pytest.mark.parametrize("package", ALLOWED)
def test_imports_point_down(package: str) -> None:
    """A schema that knows its pipeline, or a stage that knows its schedule, cannot be moved."""
    for path in (ROOT / package).rglob("*.py"):
        ours = _imports(path) & set(ALLOWED)
        assert ours <= ALLOWED[package], f"{path} imports {ours - ALLOWED[package]}"


def test_dagster_is_imported_where_assets_are_declared_and_nowhere_else_below_pipelines() -> None:
    """`muster check` must not wait for Dagster, nor a stage depend on it."""
    allowed = {ROOT / "assets" / "declare.py", *ROOT.glob("assets/*/assets.py")}
    for package in ("schemas", "assets"):
        for path in (ROOT / package).rglob("*.py"):
            if path not in allowed:
                assert "dagster" not in _imports(path), path


def _loaded_by(code: str) -> set[str]:
    script = f"import sys\n{code}\nprint(*sorted(sys.modules))"
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, check=True, text=True
    )
    return set(done.stdout.splitlines()[-1].split())


def test_help_loads_no_data_library() -> None:
    """Somebody who asks for help should not wait for polars."""
    code = (
        "from pipelines.cli.main import muster\n"
        "try:\n    muster(['--help'])\nexcept SystemExit:\n    pass"
    )
    assert not _loaded_by(code) & {"polars", "dagster", "pandera", "openpyxl", "pandas"}


def test_checking_a_return_loads_no_orchestrator() -> None:
    assert not _loaded_by("import assets.validation.check") & {"dagster", "great_expectations"}


def test_every_package_initialiser_is_empty() -> None:
    """A name re-exported from two places has two homes."""
    for package in ALLOWED:
        for path in (ROOT / package).rglob("__init__.py"):
            assert path.read_text(encoding="utf-8") == "", path
