"""What the doctor says of the service around the lake: Dagster, its automation, alerts, packages.

Only looks. The lake itself is examined in assets/doctor.py; `examine` puts both together.
"""

import time
from collections.abc import Iterator
from dataclasses import replace
from importlib import metadata
from pathlib import Path
from typing import Final

from dagster import DagsterInstance
from packaging.requirements import InvalidRequirement, Requirement

from assets import doctor
from assets.doctor import Examined, bad, ok, warn
from assets.lake import Lake, lake_root
from pipelines.alerts.send import SETTING, channels
from pipelines.definitions import defs
from pipelines.instance import damaged_databases, home_folder, keeps_files
from pipelines.jobs import SWITCH, is_on
from schemas.collection import addressed
from schemas.errors import MusterError
from schemas.reference import collection_files
from schemas.wording import plural

_LOCK: Final = Path(__file__).parents[1] / "requirements.lock"
_SILENCE: Final = 300
"""Seconds without a word after which a daemon is taken for stopped."""


def examine() -> Iterator[Examined]:
    """Look at everything, in the order in which things depend on each other."""
    root = lake_root()
    yield from doctor.layout(root)
    if root.is_dir():
        yield from doctor.permissions(root)
        yield from doctor.space(root)
        yield from doctor.leftovers(root)
        for name in sorted(collection_files()):
            lake = Lake(root, name)
            if lake.landing.exists() or lake.raw.exists() or lake.releases.exists():
                for part in (
                    doctor.landing,
                    doctor.received,
                    doctor.releases,
                    doctor.public_editions,
                ):
                    for found in part(lake):
                        yield replace(found, do=addressed(found.do, name))
    yield from history()
    yield from alerts()
    yield from packages()


def history() -> Iterator[Examined]:
    """Say whether Dagster's storage can be read, and what runs by itself."""
    home = home_folder()
    damaged = list(damaged_databases(home))
    for path, problem in damaged:
        yield bad(
            "Dagster",
            path,
            f"is damaged: {problem}",
            "muster run, which sets it aside and goes on; only the history of runs is lost.",
        )
    if damaged:
        return
    if keeps_files(home) and not (home / "history" / "runs.db").exists():
        yield warn("Dagster", home, "has no history of runs", "Nothing; it begins with a run.")
        return
    try:
        yield from _of_instance(home)
    except Exception as error:  # whatever keeps it from opening is the finding
        yield bad(
            "Dagster",
            home,
            f"cannot be opened: {str(error).partition(chr(10))[0]}",
            "Where the disk is full or read-only, mend that first. Else mend dagster.yaml or its"
            " database.",
        )


def _of_instance(home: Path) -> Iterator[Examined]:
    with DagsterInstance.from_config(str(home)) as instance:
        yield ok("Dagster", home, f"opens; {plural(instance.get_runs_count(), 'run')} recorded")
        yield from automation(instance)


def automation(instance: DagsterInstance) -> Iterator[Examined]:
    """Say which schedules and sensors are on, and whether the daemon that runs them is alive."""
    try:
        default = is_on()
    except MusterError as error:
        yield bad("automation", SWITCH, str(error), "Correct the setting.")
        return
    switched = {
        state.instigator_name: state.is_running
        for state in instance.all_instigator_state()
        if state.status.value != "DECLARED_IN_CODE"
    }
    named = list(_instigators())
    running = [name for name in named if switched.get(name, default)]
    off = [name for name in named if name not in running]
    listed = "; ".join(
        f"{state}: {', '.join(names)}" for state, names in (("on", running), ("off", off)) if names
    )
    beats = instance.get_daemon_heartbeats()
    newest = max((beat.timestamp for beat in beats.values()), default=None)
    if running and (newest is None or time.time() - newest > _SILENCE):
        since = (
            f"silent since {time.strftime('%F %T', time.gmtime(newest))} UTC"
            if newest
            else "never seen"
        )
        yield warn(
            "automation",
            "dagster-daemon",
            f"{since}, so nothing runs by itself ({listed})",
            "Start it: make dev, or the service's dagster-daemon.",
        )
    else:
        yield ok("automation", SWITCH, listed)


def _instigators() -> Iterator[str]:
    repository = defs.get_repository_def()
    yield from (schedule.name for schedule in repository.schedule_defs)
    yield from (sensor.name for sensor in repository.sensor_defs)


def alerts() -> Iterator[Examined]:
    """Say where alerts go, without the secrets in the addresses."""
    names = [channel.name for channel in channels()]
    seen = ", ".join(names) or "none set: alerts go to the log and to the outbox folder"
    yield ok("alerts", SETTING, seen)


def packages() -> Iterator[Examined]:
    """Say whether the installed packages are those of the lock file, where there is one."""
    wanted = dict(_locked()) if _LOCK.exists() else {}
    installed = {_plain(each.name): each.version for each in metadata.distributions()}
    other = [
        f"{name} {installed[name]}, not {version}"
        for name, version in sorted(wanted.items())
        if installed.get(name, version) != version
    ]
    if other:
        more = f" and {len(other) - 5} more" if len(other) > 5 else ""
        yield warn("packages", _LOCK.name, "; ".join(other[:5]) + more, "make setup")
    else:
        yield ok("packages", _LOCK.name, f"{plural(len(wanted), 'version')} as locked")


def _locked() -> Iterator[tuple[str, str]]:
    for line in _LOCK.read_text(encoding="utf-8").splitlines():
        try:
            found = Requirement(line.removesuffix("\\").strip())
        except InvalidRequirement:
            continue
        pinned = [each.version for each in found.specifier if each.operator == "=="]
        if pinned and (found.marker is None or found.marker.evaluate()):
            yield _plain(found.name), pinned[0]


def _plain(name: str) -> str:
    return name.lower().replace("_", "-").replace(".", "-")
