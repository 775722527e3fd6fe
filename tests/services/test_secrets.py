"""Secrets come from the environment, and stay there."""

from pathlib import Path

import pytest

from tests.services.conftest import ALERT_TOKEN
from tests.services.database import PASSWORD
from tests.services.front import DEPLOY, PEOPLE, TEAM, VIEW
from tests.services.processes import output_of
from tests.services.service import Service

pytestmark = pytest.mark.services

SECRETS = (PASSWORD, ALERT_TOKEN, *(password for _, password in PEOPLE.values()))


def _shown(text: str) -> list[str]:
    return [secret for secret in SECRETS if secret in text]


def test_no_log_has_one(published: Service) -> None:
    logs = [*published.logs.iterdir(), published.folder.parent / "postgres" / "postgres.log"]
    assert len(logs) >= 6
    for path in logs:
        assert not _shown(path.read_text(errors="replace")), path


def test_the_history_has_none(published: Service) -> None:
    dump = output_of(["pg_dump", "--format=plain"], published.environment)
    assert "event_logs" in dump
    assert not _shown(dump)


def test_the_lake_has_none(published: Service) -> None:
    for path in published.lake.rglob("*"):
        if path.is_file():
            assert not _shown(path.read_bytes().decode(errors="replace")), path


def test_no_ui_shows_one(published: Service) -> None:
    """The UI has a page with the settings of the instance."""
    query = "{ instance { info } }"
    for host in (TEAM, VIEW):
        shown = str(published.graphql(query, host=host))
        assert "PostgresRunStorage" in shown
        assert not _shown(shown)


def test_no_process_has_one_in_its_arguments(published: Service) -> None:
    """Every account of the machine can read those."""
    assert published.muster("--version").returncode == 0
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            assert not _shown(path.read_bytes().decode(errors="replace")), path
        except OSError:  # it has ended meanwhile
            continue


def test_what_dagster_says_of_the_instance_has_none(published: Service) -> None:
    done = published.script("dagster", "instance", "info")
    assert done.returncode == 0, done.stderr
    assert "PostgresRunStorage" in done.stdout
    assert "telemetry:\n  enabled: false" in done.stdout
    assert not _shown(done.stdout + done.stderr)


def test_the_shipped_files_have_none() -> None:
    """What is set there is a name, a folder or a switch; what is secret is a comment."""
    for line in (DEPLOY / "muster.env.example").read_text().splitlines():
        name, is_set, _ = line.partition("=")
        if is_set and not line.startswith("#"):
            assert not any(word in name for word in ("PASSWORD", "SECRET", "TOKEN", "ALERT"))
