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


STAGES = (
    # What every stage stands on.
    "lake kept marts history previous tables declare object_store html ods_file",
    "intake",
    "cases unattributed",
    "inputs",
    "returns",
    "figures",
    "disclosure",
    "release",
    "feedback sample",
    "doctor",
)
"""The parts of assets/ by stage, in the order data flows."""


def _modules() -> dict[str, set[str]]:
    """Return for each module of ours the modules of ours that it imports, wherever in it."""
    paths = {
        ".".join(path.relative_to(ROOT).with_suffix("").parts): path
        for package in ALLOWED
        for path in (ROOT / package).rglob("*.py")
    }
    found: dict[str, set[str]] = {}
    for name, path in paths.items():
        named = set()
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Import):
                named |= {alias.name for alias in node.names}
            elif isinstance(node, ast.ImportFrom):
                named |= {f"{node.module}.{alias.name}" for alias in node.names}
                named.add(str(node.module))
        found[name] = named & set(paths)
    return found


def test_no_stage_imports_a_later_one() -> None:
    """Where data flows one way, a stage can be read and changed without those behind it."""
    at = {name: number for number, names in enumerate(STAGES) for name in names.split()}
    for module, imported in _modules().items():
        if module.startswith("assets."):
            here = at[module.split(".")[1]] if "__init__" not in module else 0
            ours = {other for other in imported if other.startswith("assets.")}
            later = {other for other in ours if at[other.split(".")[1]] > here}
            assert not later, f"{module} imports {later}, which come after it"


def test_no_modules_import_each_other_in_a_circle() -> None:
    remaining = _modules()
    while ready := {name for name, imported in remaining.items() if not imported & set(remaining)}:
        remaining = {name: own for name, own in remaining.items() if name not in ready}
    assert not remaining, "each of these imports another of them"


def test_dagster_is_imported_where_assets_are_declared_and_nowhere_else_below_pipelines() -> None:
    """`muster check` must not wait for Dagster, nor a stage depend on it."""
    allowed = {ROOT / "assets" / "declare.py", *ROOT.glob("assets/**/assets.py")}
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


def test_no_command_loads_a_library_to_explain_itself() -> None:
    """Somebody who asks for help should not wait for polars."""
    code = (
        "from pipelines.cli.main import COMMANDS, main\n"
        "for words in ('', *COMMANDS, 'releases prune', 'collections check'):\n"
        "    try:\n        main(f'{words} --help'.split())\n"
        "    except SystemExit:\n        pass"
    )
    heavy = {"polars", "pydantic", "dagster", "pandera", "openpyxl", "pandas", "rich", "jinja2"}
    assert not _loaded_by(code) & heavy


def test_checking_a_return_loads_what_reads_and_judges_it_and_nothing_else(
    sample_folder: Path,
) -> None:
    command = ["check", str(sample_folder / "STF.xlsx"), "--collection", "2012-revisit"]
    code = (
        f"from pipelines.cli.main import main\ntry:\n    main({command})\n"
        "except SystemExit as ended:\n    assert not ended.code"
    )
    loaded = {name.partition(".")[0] for name in _loaded_by(code)}
    assert not loaded & {
        "altair", "dagster", "dask", "duckdb", "great_expectations", "highspy", "jinja2", "rich",
        "scipy", "sqlalchemy", "xlsxwriter",
    }  # fmt: skip


def test_every_package_initialiser_is_empty() -> None:
    """A name re-exported from two places has two homes."""
    for package in ALLOWED:
        for path in (ROOT / package).rglob("__init__.py"):
            assert path.read_text(encoding="utf-8") == "", path
