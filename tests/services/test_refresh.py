"""The refresh in the service profile: whoever starts it, its history lies in PostgreSQL."""

import json
import signal

import pytest

from schemas.collection import load_collection
from schemas.marts import marts_of
from tests.services.front import TEAM
from tests.services.processes import wait_until
from tests.services.service import Service

pytestmark = pytest.mark.services


def test_the_daemon_publishes_what_was_dropped(published: Service) -> None:
    marts = published.lake / "marts" / "2012-revisit"
    assert {path.stem for path in marts.glob("*.parquet")} >= set(
        marts_of(load_collection("2012-revisit"))
    )
    assert published.muster("releases", "verify").returncode == 0
    states = json.loads(published.muster("status", "--json").stdout)
    assert sum(row["state"] in {"accepted", "queried"} for row in states) == 44


def test_the_history_lies_in_the_database_and_nowhere_else(published: Service) -> None:
    assert int(published.database.ask("select count(*) from runs")) >= 1
    assert int(published.database.ask("select count(*) from event_logs")) > 100
    assert not list((published.folder / "dagster").rglob("*.db"))


def test_a_killed_code_server_does_not_block_the_next_run(published: Service) -> None:
    """A run that died with it counts as running for two hours, in a queue of one place."""
    answer = published.launch(TEAM)
    assert answer["__typename"] == "LaunchRunSuccess", answer
    killed = answer["run"]["runId"]
    wait_until("a run at work", lambda: _steps_begun(published, killed) > 0)
    published.stop_unit("code", signal.SIGKILL)
    published.start_unit("code")
    published.wait_for_ui()
    assert published.runs()[killed] == "STARTED"
    published.wait_for_success(published.launch(TEAM)["run"]["runId"])
    assert published.runs()[killed] == "FAILURE"


def _steps_begun(service: Service, run_id: str) -> int:
    events = f"event_logs where run_id = '{run_id}' and dagster_event_type = 'STEP_START'"
    return int(service.database.ask(f"select count(*) from {events}"))


@pytest.mark.parametrize(
    "command", ["dagster instance migrate", "dagster-daemon liveness-check", "muster doctor"]
)
def test_what_operations_tells_to_run_ends_well(published: Service, command: str) -> None:
    done = published.script(*command.split())
    assert done.returncode == 0, done.stdout + done.stderr


def test_without_its_database_the_command_line_says_what_to_do(published: Service) -> None:
    before = (published.lake / "marts" / "2012-revisit").readlink()
    # Where nothing at all is new, nobody asks it: here the folder of collections is another.
    done = published.script("env", "-u", "MUSTER_COLLECTIONS", "PGPORT=1", "muster", "run")
    assert done.returncode == 1
    assert "the database of runs does not answer" in done.stderr
    assert "Start the database" in done.stderr
    assert "Traceback" not in done.stderr
    assert (published.lake / "marts" / "2012-revisit").readlink() == before
