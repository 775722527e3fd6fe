"""The service as deploy/ has it: its own commands and files, with other folders and ports."""

import os
import re
import shlex
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.services.database import Database
from tests.services.front import CHECKOUT, DEPLOY, TEAM, VIEW, Front
from tests.services.processes import running, search_path, stop, wait_until

LAUNCH = """
mutation Launch($params: ExecutionParams!) {
  launchRun(executionParams: $params) {
    __typename
    ... on LaunchRunSuccess { run { runId } }
    ... on PythonError { message }
    ... on UnauthorizedError { message }
  }
}
"""


@dataclass
class Service:
    """The service in a folder; `start` and `stop` are those of muster.target."""

    folder: Path
    database: Database
    alert_urls: str
    _units: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)
    _stack: ExitStack = field(default_factory=ExitStack)

    def __post_init__(self) -> None:
        self.front = Front(self.folder / "nginx", self.logs)

    @property
    def lake(self) -> Path:
        return self.folder / "lake"

    @property
    def logs(self) -> Path:
        return self.folder / "logs"

    @property
    def backups(self) -> Path:
        return self.folder / "backup"

    @property
    def environment(self) -> dict[str, str]:
        """What stands in muster.env."""
        return {
            "PATH": f"{Path(sys.executable).parent}:{search_path()}",
            "HOME": str(self.folder),
            "MUSTER_LAKE": str(self.lake),
            "MUSTER_BACKUP": str(self.backups),
            "MUSTER_BACKUP_KEEP": "2",
            "DAGSTER_HOME": str(self.folder / "dagster"),
            "MUSTER_AUTOMATION": "on",
            "MUSTER_COLLECTIONS": str(self.folder / "collections"),
            "MUSTER_ALERT_URLS": self.alert_urls,
            **self.database.environment,
        }

    def placed(self, text: str) -> str:
        """Return a text of deploy/ with the folders and ports of this service."""
        python = Path(sys.executable).parent
        for old, new in {
            "/opt/muster/.venv/bin": python,
            "/opt/muster": self.folder / "opt",
            "/run/muster": self.folder / "run",
            "--port 3000": f"--port {self.front.ports['web']}",
            "--port 3001": f"--port {self.front.ports['view']}",
            "--port 3002": f"--port {self.front.ports['portal']}",
        }.items():
            text = text.replace(old, str(new))
        return text

    def make(self) -> None:
        """Put everything in place, as install.sh does."""
        for name in ("lake", "run", "logs", "collections", "dagster", "opt/deploy"):
            (self.folder / name).mkdir(parents=True)
        (self.folder / "dagster" / "dagster.yaml").symlink_to(DEPLOY / "dagster.yaml")
        workspace = self.placed((DEPLOY / "workspace.yaml").read_text())
        (self.folder / "opt" / "deploy" / "workspace.yaml").write_text(workspace)
        collection = (CHECKOUT / "schemas/collections/2012-revisit.toml").read_text()
        quick = re.sub(r"settle_seconds = \d+", "settle_seconds = 1", collection)
        (self.folder / "collections" / "2012-revisit.toml").write_text(quick)

    def start(self) -> None:
        for name in ("code", "daemon", "web", "view", "portal"):
            self.start_unit(name)
        self.wait_for_ui()

    def stop(self) -> None:
        for process in self._units.values():
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGTERM)
        for name in list(self._units):
            self.stop_unit(name, signal.SIGTERM)

    def start_unit(self, name: str) -> None:
        """Start what a unit of deploy/systemd starts."""
        unit = (DEPLOY / "systemd" / f"muster-{name}.service").read_text()
        (command,) = re.findall(r"^ExecStart=(.*)$", unit, re.MULTILINE)
        log = self.logs / f"{name}.log"
        program = running(shlex.split(self.placed(command)), log, self.environment)
        self._units[name] = self._stack.enter_context(program)
        if name == "code":
            ready, process = self.folder / "run" / "code.sock", self._units[name]
            wait_until("the code server", lambda: ready.exists() or process.poll() is not None)
            assert process.poll() is None, log.read_text()[-2000:]

    def unit(self, name: str) -> subprocess.Popen[bytes]:
        """Return the process of a unit, which leads the group of all it has started."""
        return self._units[name]

    def stop_unit(self, name: str, how: signal.Signals) -> None:
        stop(self._units.pop(name), how)
        if name == "code":  # systemd removes its folder below /run
            (self.folder / "run" / "code.sock").unlink(missing_ok=True)

    def wait_for_ui(self) -> None:
        for host in (TEAM, VIEW):
            wait_until(
                f"the UI {host} with Muster in it", lambda host=host: self._shows_muster(host)
            )

    def _shows_muster(self, host: str) -> bool:
        answer = self.front.request(host, "/graphql", body={"query": _JOBS}, who=host)
        if answer.status != 200:
            return False
        found = answer.json["data"]["repositoriesOrError"].get("nodes", [])
        return any(job["name"] == "refresh" for node in found for job in node["jobs"])

    def graphql(self, query: str, *, host: str = TEAM, **variables: Any) -> Any:
        """Return the data that a signed-in person gets for a query."""
        body = {"query": query, "variables": variables}
        return self.front.request(host, "/graphql", body=body, who=host).json["data"]

    def launch(self, host: str) -> Any:
        """Launch a refresh through a UI; return what it answers."""
        place = {"repositoryLocationName": "muster", "repositoryName": "__repository__"}
        params = {
            "selector": {**place, "jobName": "refresh"},
            "runConfigData": {},
            "executionMetadata": {"tags": [{"key": "dagster/partition", "value": "2012-revisit"}]},
        }
        return self.graphql(LAUNCH, host=host, params=params)["launchRun"]

    def runs(self) -> dict[str, str]:
        """Return the status of each refresh that the UI shows, by its id, the newest first."""
        found = self.graphql(_RUNS)["runsOrError"]["results"]
        return {run["runId"]: run["status"] for run in found}

    def wait_for_success(self, run_id: str) -> None:
        """Wait for the end of a run; one that failed is quoted."""

        def ended() -> str | None:
            status = self.runs().get(run_id)
            return status if status in {"SUCCESS", "FAILURE", "CANCELED"} else None

        status = wait_until(f"the end of run {run_id}", ended, 300)
        assert status == "SUCCESS", self.database.ask(
            "select string_agg(event, chr(10)) from event_logs"
            f" where run_id = '{run_id}' and dagster_event_type like '%FAILURE'"
        )

    def muster(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run the muster command with the service's settings."""
        return self.script("muster", *arguments)

    def script(self, *command: str) -> subprocess.CompletedProcess[str]:
        """Run a command with the service's settings; its output is kept with the logs."""
        done = subprocess.run(
            command, env=self.environment, capture_output=True, text=True, check=False,
            cwd=self.folder,
        )  # fmt: skip
        with (self.logs / "commands.log").open("a") as log:
            log.write(f"{done.stdout}{done.stderr}")
        return done

    @contextmanager
    def behind_nginx(self) -> Iterator[None]:
        """Run nginx until the block ends, and end with it whatever was started meanwhile."""
        with self.front.running(), self._stack:
            yield


_JOBS = "{ repositoriesOrError { ... on RepositoryConnection { nodes { jobs { name } } } } }"
_RUNS = """{ runsOrError(filter: {pipelineName: "refresh"}) {
  ... on Runs { results { runId status } } } }"""
