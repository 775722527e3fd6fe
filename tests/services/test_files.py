"""The shipped files, read by the programs they are for."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.services.front import CHECKOUT, DEPLOY
from tests.services.processes import output_of, search_path

pytestmark = pytest.mark.services

ENV = {"PATH": search_path()}
EXPOSED = 20
"""Tenths of what systemd-analyze calls the exposure of a unit; above 50 it warns."""


@pytest.fixture
def units(tmp_path: Path) -> list[Path]:
    """The units, for a checkout that is not in /opt/muster."""
    for path in (DEPLOY / "systemd").rglob("*.*"):
        if path.is_file():
            copy = tmp_path / path.relative_to(DEPLOY / "systemd")
            copy.parent.mkdir(exist_ok=True)
            text = path.read_text().replace(
                "/opt/muster/.venv/bin", str(Path(sys.executable).parent)
            )
            copy.write_text(text.replace("/opt/muster", str(CHECKOUT)))
    return sorted(path for path in tmp_path.iterdir() if path.is_file())


def test_systemd_understands_every_unit(units: list[Path]) -> None:
    env = {**ENV, "SYSTEMD_UNIT_PATH": f"{units[0].parent}:"}
    assert len(units) == 8
    command = ["systemd-analyze", "verify", "--man=no", *units]
    done = subprocess.run(command, env=env, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")


def test_every_service_is_shut_in(units: list[Path]) -> None:
    """A unit that forgets the common settings runs as root with the run of the machine."""
    env = {**ENV, "SYSTEMD_UNIT_PATH": f"{units[0].parent}:"}
    services = [path for path in units if path.suffix == ".service"]
    assert len(services) == 6
    for path in services:
        limit = f"--threshold={EXPOSED}"
        output_of(["systemd-analyze", "security", "--offline=yes", limit, path.name], env)


def test_only_the_code_server_is_told_where_alerts_go(units: list[Path]) -> None:
    for path in units:
        if path.suffix == ".service":
            without = "UnsetEnvironment=MUSTER_ALERT_URLS" in path.read_text()
            assert without == (path.stem != "muster-code"), path


def test_whatever_the_scripts_ask_of_the_environment_is_in_the_example() -> None:
    said = set(re.findall(r"^#?([A-Z_]+)=", (DEPLOY / "muster.env.example").read_text(), re.M))
    asked = {
        name
        for script in (DEPLOY / "backup.sh", DEPLOY / "restore.sh", DEPLOY / "install.sh")
        for name in re.findall(r"\$\{?((?:MUSTER|PG|DAGSTER)_?[A-Z_]*)", script.read_text())
    }
    assert "MUSTER_BACKUP_KEEP" in asked
    assert asked <= said


def test_whatever_muster_asks_of_the_environment_is_in_the_example() -> None:
    """A setting that nobody is told of is never set."""
    said = (DEPLOY / "muster.env.example").read_text()
    asked = {
        name
        for package in ("assets", "pipelines", "schemas")
        for path in (CHECKOUT / package).rglob("*.py")
        for name in re.findall(r"\"(MUSTER_[A-Z_]+)\"", path.read_text())
    }
    assert {"MUSTER_LAKE", "MUSTER_ALERT_URLS"} <= asked
    assert not {name for name in asked if f"{name}=" not in said}
