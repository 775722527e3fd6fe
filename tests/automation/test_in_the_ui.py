"""A real webserver: what its pages Jobs, Overview and Timeline ask for has the command's run."""

import json
import os
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from assets.lake import Lake
from schemas.collection import load_collection
from tests.alerts.listeners import free_port
from tests.returns import SampleReturn

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[2]
WHERE = 'repositoryName: "__repository__", repositoryLocationName: "muster"'
JOB = f"""{{ pipelineOrError(params: {{{WHERE}, pipelineName: "refresh"}}) {{
    ... on Pipeline {{ runs(limit: 5) {{ runId status }} }} }} }}"""
TIMELINE = """{ runsOrError(filter: {statuses: [SUCCESS, FAILURE, STARTED]}) { ... on Runs {
    results { runId jobName repositoryOrigin { repositoryName repositoryLocationName } } } } }"""
BY_REPOSITORY = """{ runsOrError(filter: {pipelineName: "refresh", tags:
    [{key: ".dagster/repository", value: "__repository__@muster"}]}) { ... on Runs {
    results { runId } } } }"""
PARTITIONS = f"""{{ repositoryOrError(repositorySelector: {{{WHERE}}}) {{
    ... on Repository {{ pipelines {{ name runs(limit: 1) {{ runId }} }} }} }} }}"""


@pytest.fixture
def ask(lake: Lake, tmp_path: Path) -> Iterator[Any]:
    """Run the command, start the webserver on the lake, and return a way to ask it."""
    SampleReturn.of("STF", load_collection(lake.collection)).write(lake.landing / "STF.xlsx")
    environment = {k: v for k, v in os.environ.items() if not k.startswith(("MUSTER_", "DAGSTER_"))}
    environment |= {"MUSTER_LAKE": str(lake.root), "DAGSTER_HOME": str(lake.root / "dagster")}
    bin_ = Path(sys.executable).parent
    done = subprocess.run(
        [bin_ / "muster", "run"], env=environment, capture_output=True, check=False
    )
    assert done.returncode == 0, done.stderr
    port = free_port()
    command = [bin_ / "dagster-webserver", "-w", ROOT / "workspace.yaml", "-p", str(port)]
    with (tmp_path / "log").open("w") as log:
        server = subprocess.Popen(
            command, env=environment, cwd=ROOT, stdout=log, stderr=log, start_new_session=True
        )

    def post(query: str) -> Any:
        request = urllib.request.Request(
            f"http://127.0.0.1:{port}/graphql",
            json.dumps({"query": query}).encode(),
            {"Content-Type": "application/json"},
        )
        with urllib.request.urlopen(request, timeout=60) as answer:
            said = json.load(answer)
        assert "errors" not in said, said
        return said["data"]

    until = time.monotonic() + 180
    while True:
        try:
            post("{ version }")
        except (urllib.error.URLError, ConnectionError):
            assert time.monotonic() < until, (tmp_path / "log").read_text()
            time.sleep(0.5)
        else:
            break
    yield post
    os.killpg(server.pid, signal.SIGTERM)
    server.wait()


def test_the_commands_run_is_under_its_job_and_in_the_timeline(ask: Any) -> None:
    (run,) = ask(JOB)["pipelineOrError"]["runs"]
    assert run["status"] == "SUCCESS"
    (shown,) = ask(TIMELINE)["runsOrError"]["results"]
    assert shown["jobName"] == "refresh"
    assert shown["repositoryOrigin"] == {
        "repositoryName": "__repository__",
        "repositoryLocationName": "muster",
    }
    assert ask(BY_REPOSITORY)["runsOrError"]["results"] == [{"runId": run["runId"]}]
    last = {p["name"]: p["runs"] for p in ask(PARTITIONS)["repositoryOrError"]["pipelines"]}
    assert last["refresh"] == [{"runId": run["runId"]}]
