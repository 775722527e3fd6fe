"""What the doctor says of the service around the lake: Dagster, its automation, alerts.

Only looks. The lake itself is examined in assets/doctor.py; `examine` puts both together.
"""

import os
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Final

from dagster import DagsterInstance, DagsterRunStatus, RunsFilter

from assets import doctor
from assets.doctor import Examined, Ill, examined
from assets.lake import Lake, is_held, lake_root
from pipelines.alerts.send import SETTING, channels
from pipelines.instance import damaged_databases, history_is_gone, home_folder
from pipelines.portal.accounts import RESTORE, Accounts
from pipelines.portal.sending import damage
from schemas.collection import addressed, load_collection
from schemas.errors import LakeError, MusterError, SetupError, UnavailableError
from schemas.reference import collection_files, outside
from schemas.wording import plural

_SWITCH: Final = "MUSTER_AUTOMATION"
_SILENCE: Final = 300
"""Seconds without a word after which a daemon is taken for stopped."""
_LARGE: Final = 512 * 1024**2
_MOST_LOST: Final = 5
_SET_ASIDE: Final = "muster run, which sets it aside and goes on; only the history of runs is lost."


def examine() -> Iterator[Examined]:
    """Look at everything, in the order in which things depend on each other."""
    root = lake_root()
    yield from doctor.layout(root)
    if root.is_dir():
        for look in (doctor.permissions, doctor.space, doctor.leftovers):
            yield from look(root)
        yield from doctor.strays(root, collection_files())
        for name in sorted(collection_files()):
            yield from examined("collections", _broken(name))
            lake = Lake(root, name)
            if lake.landing.exists() or lake.raw.exists() or lake.releases.exists():
                parts = (doctor.landing, doctor.received, doctor.releases, doctor.public_editions)
                for found in (each for part in parts for each in _readable(part, lake)):
                    yield replace(found, do=addressed(found.do, name))
        yield from examined("collections", _unknown(root))
        yield from doctor.series(root)
        yield from portal(root / "portal")
    yield from settings()
    yield from history()
    yield from alerts()


def _readable(part: Callable[[Lake], Iterator[Examined]], lake: Lake) -> Iterator[Examined]:
    """Yield what a part of the doctor says; where it may not read something, that alone."""
    do = "Mend its permissions, or look as the account of the service."
    try:
        yield from part(lake)
    except UnavailableError as error:
        yield from examined("permissions", [("bad", error.path, error.problem, do)])
    except OSError as error:
        seen = f"cannot be read ({error.strerror})"
        yield from examined("permissions", [("bad", error.filename or lake.root, seen, do)])


def settings() -> Iterator[Examined]:
    """Say which settings name collections that are not there."""
    ill: list[Ill] = []
    if (folder := outside()) and not folder.is_dir():
        do = "Correct the setting, or mount what is to be there."
        ill.append(("bad", "MUSTER_COLLECTIONS", f"names {folder}, which is no folder", do))
    if (named := os.environ.get("MUSTER_COLLECTION")) and named not in collection_files():
        do = "Name one of those that muster collections lists."
        ill.append(("bad", "MUSTER_COLLECTION", f"names {named}, which is no collection", do))
    yield from examined("settings", ill)


def _unknown(root: Path) -> Iterator[Ill]:
    """Say of which collections there are releases that no file describes: nothing else looks."""
    for path in sorted((root / "releases").glob("[!.]*/")):
        if path.name not in collection_files():
            do = "Let MUSTER_COLLECTIONS name the folder that describes it, then: muster doctor"
            yield "warn", path, "has releases of a collection that is not known: not examined", do


def _broken(collection_id: str) -> Iterator[Ill]:
    try:
        load_collection(collection_id)
    except SetupError as error:
        do = "Mend the file; until then nothing of this collection runs. The others go on."
        yield "bad", collection_files()[collection_id], " ".join(str(error).split()), do


def history() -> Iterator[Examined]:
    """Say whether Dagster's storage can be read, and what runs by itself."""
    home = home_folder()
    ill: list[Ill] = [
        ("bad", path, f"is damaged: {problem}", _SET_ASIDE)
        for path, problem in damaged_databases(home)
    ]
    if not ill and history_is_gone():
        ill = [("warn", home, "has no history of runs", "Nothing; it begins with a run.")]
    if ill:
        yield from examined("Dagster", ill)
        return
    try:
        with DagsterInstance.from_config(str(home)) as instance:
            opens = f"opens; {plural(instance.get_runs_count(), 'run')} recorded"
            yield from examined("Dagster", killed(instance), home, opens)
            yield from automation(instance)
    except Exception as error:  # whatever keeps it from opening is the finding
        seen = f"cannot be opened: {str(error).partition(chr(10))[0]}"
        do = (
            "Where the disk is full or read-only, mend that first. Else mend dagster.yaml or its"
            " database."
        )
        yield from examined("Dagster", [("bad", home, seen, do)])


def killed(instance: DagsterInstance) -> Iterator[Ill]:
    """Say which refreshes began and did not end, where no run is at work."""
    begun = RunsFilter(job_name="refresh", statuses=[DagsterRunStatus.STARTED])
    for run in () if is_held(lake_root()) else instance.get_runs(begun, limit=_MOST_LOST):
        seen = "has not ended, and no run is at work: it was killed"
        yield "warn", f"run {run.run_id}", seen, "Start it again: muster run"


def automation(instance: DagsterInstance) -> Iterator[Examined]:
    """Say which schedules and sensors are on, and whether the daemon that runs them is alive."""
    try:
        from pipelines.definitions import defs  # with a wrong setting nothing is defined
        from pipelines.jobs import is_on
    except MusterError as error:
        yield from examined("automation", [("bad", _SWITCH, str(error), "Correct the setting.")])
        return
    default = is_on()
    switched = {
        state.instigator_name: state.is_running
        for state in instance.all_instigator_state()
        if state.status.value != "DECLARED_IN_CODE"
    }
    there = defs.get_repository_def()
    named = [schedule.name for schedule in there.schedule_defs]
    named += [sensor.name for sensor in there.sensor_defs]
    running = [name for name in named if switched.get(name, default)]
    states = (("on", running), ("off", [name for name in named if name not in running]))
    listed = "; ".join(f"{state}: {', '.join(names)}" for state, names in states if names)
    beats = [beat.timestamp for beat in instance.get_daemon_heartbeats().values()]
    newest = max(beats, default=0.0)
    ill: list[Ill] = []
    if running and time.time() - newest > _SILENCE:
        since = f"silent since {time.strftime('%F %T', time.gmtime(newest))} UTC"
        seen = f"{since if beats else 'never seen'}, so nothing runs by itself ({listed})"
        do = "Start it: make dev, or the service's dagster-daemon."
        ill = [("warn", "dagster-daemon", seen, do)]
    yield from examined("automation", ill, _SWITCH, listed)


def portal(folder: Path) -> Iterator[Examined]:
    """Say whether the drop-off page, where there is one, has all it needs, for itself alone."""
    if not folder.is_dir():
        return
    ill, accounts, number = list[Ill](), Accounts(folder), 0
    try:
        number = len(accounts.all())
    except LakeError as error:
        ill.append(("bad", accounts.path, error.problem, RESTORE))
    else:
        if not number:
            ill.append(("bad", accounts.path, "is not there: nobody can sign in", RESTORE))
    if not (folder / "secret").exists():
        do = "Nothing, if somebody removed it; once the page is started again all must sign in."
        ill.append(("warn", folder / "secret", "is not there", do))
    files = [path for path in folder.rglob("*") if path.is_file()]
    told = [
        path for path in (folder, *files) if path.stat().st_size and path.stat().st_mode & 0o077
    ]
    if told:
        seen = f"others may read it ({plural(len(told), 'path')} in all)"
        ill.append(("bad", told[0], seen, f"chmod -R go= {folder}"))
    lost = [
        each
        for path in folder.glob("receipts/*/*/[0-9]*.json")
        for each in damage(path, Lake(folder.parent, path.parts[-3]))
    ]
    ill += [("bad", path, seen, do) for path, seen, do in lost[:_MOST_LOST]]
    an_hour_ago = time.time() - 3600
    uploads = (path for path in files if "uploads" in path.parts)
    left = [path for path in uploads if path.stat().st_mtime < an_hour_ago]
    if left:
        seen = f"{plural(len(left), 'upload')} of a page that was killed"
        do = "Nothing; it is removed when the page is started. No receipt was given for it."
        ill.append(("warn", left[0], seen, do))
    log = sum(path.stat().st_size for path in folder.glob("audit*.jsonl"))
    if log > _LARGE:
        seen = f"the log of who did what has {log / 1024**2:,.0f} MB"
        ill.append(("warn", folder, seen, "Move the months that nobody asks for to an archive."))
    yield from examined("drop-off page", ill, folder, f"{plural(number, 'account')}, all its own")


def alerts() -> Iterator[Examined]:
    """Say where alerts go, without the secrets in the addresses."""
    there = channels()
    seen = ", ".join(channel.name for channel in there)
    ill: list[Ill] = [
        ("bad", SETTING, f"{each.name} is no address that apprise knows", "Correct the setting.")
        for each in there
        if not each.known
    ]
    seen = seen or "none set: alerts go to the log and to the outbox folder"
    yield from examined("alerts", ill, SETTING, seen)
