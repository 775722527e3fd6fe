"""Dagster's own storage: beside the lake, so that the UI shows runs from the command line too.

It holds history only, so its loss changes no mart: what is damaged is set aside, and a run goes on.
"""

import itertools
import os
import re
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from assets.lake import atomic_file, lake_root, write_errors
from schemas.errors import MusterError, UnavailableError
from schemas.lean import without

if TYPE_CHECKING:
    import dagster as dg
    from alembic.config import Config

_SETTINGS: Final = Path(__file__).with_name("dagster_home.yaml")
"""What is written as dagster.yaml where there is none."""

_DATABASES: Final = ("history/runs.db", "history/runs/index.db", "schedules/schedules.db")
_A_MOMENT: Final = 0.2
_PATIENCE: Final = 30
"""Seconds that a statement waits for another process, as in Dagster."""
_IN_FILES: Final = (
    "the history of runs cannot be read or written",
    "See muster doctor; free space, mend the permissions, or end what holds it",
)
_ELSEWHERE: Final = (
    "the database of runs does not answer",
    "Start the database, or mend its address (PGHOST and what goes with it)",
)
"""What is wrong where the history refuses something, and what to do."""
_STORAGE: Final = re.compile(
    r"^(storage|run_storage|event_log_storage|schedule_storage)\s*:", re.MULTILINE
)


def dagster_home() -> Path:
    """Return DAGSTER_HOME, or the folder `dagster` in the lake, with its settings in place.

    Raises:
        LakeError: the folder cannot be written.
    """
    home = home_folder()
    settings = home / "dagster.yaml"
    if not settings.exists():
        with atomic_file(settings) as file:
            file.write(_SETTINGS.read_bytes())
    return home


def home_folder() -> Path:
    """Return where Dagster's storage lies, whether or not there is any yet."""
    return Path(os.environ.get("DAGSTER_HOME") or lake_root() / "dagster").absolute()


def open_instance() -> "dg.DagsterInstance":
    """Return the instance that keeps runs and events.

    Raises:
        UnavailableError: it cannot be opened.
    """
    import dagster as dg

    home = dagster_home()
    os.environ["DAGSTER_HOME"] = str(home)
    with history_errors(), _opened_quickly():
        return dg.DagsterInstance.from_config(str(home))


@contextmanager
def history_errors() -> Iterator[None]:
    """Turn what the history of runs refuses into an error that says what to do.

    Raises:
        UnavailableError: it is locked, damaged or full, may not be written, or does not answer.
    """
    from sqlalchemy.exc import SQLAlchemyError

    try:
        yield
    except MusterError:
        raise
    except Exception as error:
        # A storage wraps what its driver says in a class of its own.
        causes = (each for each in (error, error.__cause__) if each)
        cause = next((e for e in causes if isinstance(e, SQLAlchemyError | OSError)), None)
        if cause is None:
            raise
        said = " ".join(str(getattr(cause, "orig", None) or cause).split())
        problem, do = _IN_FILES if keeps_files(home_folder()) else _ELSEWHERE
        raise UnavailableError(
            home_folder(),
            f"{problem} ({said})",
            f"What analysts see stays as it is. {do}, then run again: muster run",
        ) from error


@contextmanager
def _opened_quickly() -> Iterator[None]:
    """Have files of the history opened, or made, without what takes longer than that itself.

    Dagster reads all scripts by which its tables change for each file, to know the newest; and
    SQLite waits for the disk after each statement that makes a table. What a power cut leaves of a
    new file is noticed, and set aside (`mend_history`).
    """
    with without(absent=["pygments"]):  # it would colour its templates, if anybody looked
        from alembic.script import ScriptDirectory
    from sqlalchemy import Engine, event

    anew, read = ScriptDirectory.from_config, dict[str | None, ScriptDirectory]()

    def once(config: "Config") -> ScriptDirectory:
        where = config.get_main_option("script_location")
        return read.get(where) or read.setdefault(where, anew(config))

    def no_waiting(connection: Any, _: object) -> None:
        if isinstance(connection, sqlite3.Connection):
            connection.execute("pragma synchronous=off")

    ScriptDirectory.from_config = once  # type: ignore[method-assign]
    event.listen(Engine, "connect", no_waiting)
    try:
        yield
    finally:
        ScriptDirectory.from_config = anew  # type: ignore[method-assign]
        event.remove(Engine, "connect", no_waiting)


@contextmanager
def history_at_hand(instance: "dg.DagsterInstance") -> Iterator[None]:
    """Keep one connection to each file of the history through a run, where it lies in files.

    Dagster makes one anew for each of some thousand statements, compiles each statement anew, and
    asks again and again which tables there are; and whenever nobody has a file open any more,
    SQLite writes its log back. Together that takes longer than most steps. What is committed
    survives a kill as before; after a power cut the last events may be missing, and the file is
    whole.
    """
    from dagster._core.storage.event_log import SqliteEventLogStorage
    from sqlalchemy import Connection, create_engine, text
    from sqlalchemy.pool import StaticPool

    storage = instance.event_log_storage
    if not isinstance(storage, SqliteEventLogStorage) or "_connect" in vars(storage):
        yield
        return
    anew, connections = storage._connect, dict[str, Connection]()

    @contextmanager
    def connect(shard: str) -> Iterator[Any]:
        if shard not in connections:
            with _opened_quickly(), anew(shard):  # it makes the tables if there are none
                pass
            engine = create_engine(
                storage.conn_string_for_shard(shard),
                poolclass=StaticPool,
                connect_args={"timeout": _PATIENCE, "check_same_thread": False},
            )
            connections[shard] = engine.connect()
            connections[shard].execute(text("pragma synchronous=normal"))
            connections[shard].commit()
        with storage._db_lock, connections[shard].begin():
            yield connections[shard]

    vars(storage).update(_connect=connect, has_table=cache(storage.has_table))
    try:
        yield
    finally:
        del vars(storage)["_connect"], vars(storage)["has_table"]
        for connection in connections.values():
            connection.close()
            connection.engine.dispose()


def on_the_terminal(instance: "dg.DagsterInstance") -> None:
    """Leave what is printed during a run to the terminal, where files would have it as well.

    To copy it from the files to the terminal, Dagster starts four processes a step and waits for
    them at its end, as long as a stage takes.
    """
    from dagster._core.storage.local_compute_log_manager import LocalComputeLogManager
    from dagster._core.storage.noop_compute_log_manager import NoOpComputeLogManager

    if isinstance(instance.compute_log_manager, LocalComputeLogManager):
        instance._compute_log_manager = NoOpComputeLogManager()


def mend_history() -> list[str]:
    """Set damaged databases of Dagster aside, and return what was lost, in words for people.

    To be called by whoever holds the lake, before the instance is opened.

    Raises:
        UnavailableError: a damaged file cannot be set aside.
    """
    home = dagster_home()
    notes = []
    if history_is_gone() and any((lake_root() / "releases").glob("*/*")):
        notes.append(
            f"{home} holds no history of earlier runs: it was deleted, or moved away. Receipts,"
            " decisions and releases do not lie there and are unharmed; a new history begins."
        )
    for path, problem in damaged_databases(home):
        whole = path.relative_to(home).as_posix() in _DATABASES
        lost = "The history of earlier runs" if whole else "What was recorded of that run"
        numbers = itertools.count(1)
        names = (path.with_name(f"{path.name}.damaged-{number}") for number in numbers)
        aside = next(name for name in names if not name.exists())
        with write_errors(path):
            for part in (*_beside(path), path):  # the database last: a kill leaves it to be found
                part.replace(path.with_name(aside.name + part.name.removeprefix(path.name)))
        notes.append(
            f"{path} is damaged ({problem}) and was moved to {aside}. {lost} is lost; receipts,"
            " decisions and releases are unharmed. Restart the Dagster services if they are"
            " running."
        )
    return notes


def history_is_gone() -> bool:
    """Return whether there is no history of runs where files would have it."""
    home = home_folder()
    return keeps_files(home) and not (home / _DATABASES[0]).exists()


def damaged_databases(home: Path) -> Iterator[tuple[Path, str]]:
    """Yield the databases below a home that SQLite cannot read, each with what is wrong.

    Nothing is yielded where the settings keep the history elsewhere.
    """
    kept = [home / name for name in _DATABASES if keeps_files(home) and (home / name).exists()]
    found = {path: problem for path in kept if (problem := _problem(path))}
    yield from found.items()
    if (runs := home / _DATABASES[0]) in {*kept} - {*found}:
        for path in _asked_again(runs):
            if problem := _problem(path):
                yield path, problem


def _asked_again(runs: Path) -> list[Path]:
    """Return the databases of the latest runs that did not end well, of which other runs ask.

    One that is empty is filled by whoever asks.
    """
    latest = "select run_id from runs where status <> 'SUCCESS' order by id desc limit 100"
    with suppress(sqlite3.Error), closing(_reading(runs)) as database:
        named = (runs.parent / "runs" / f"{run_id}.db" for (run_id,) in database.execute(latest))
        return [path for path in named if path.exists() and path.stat().st_size]
    return []


def keeps_files(home: Path) -> bool:
    """Return whether the storage is files below this home, and no database elsewhere."""
    settings = home / "dagster.yaml"
    return not (settings.exists() and _STORAGE.search(settings.read_text(encoding="utf-8")))


def _problem(path: Path) -> str | None:
    if path.stat().st_size == 0:
        return "it is empty"
    try:
        with closing(_reading(path)) as database:
            (answer,) = database.execute("pragma quick_check(1)").fetchone()
    except sqlite3.OperationalError as error:
        # A lock, or a write-ahead log that a reader may not open, is no damage.
        return str(error) if "malformed" in str(error) else None
    except sqlite3.DatabaseError as error:
        return str(error)
    return None if answer == "ok" else " ".join(str(answer).splitlines())


def _reading(path: Path) -> sqlite3.Connection:
    # A reader that may write clears up after itself, but also what a killed writer has left.
    address = f"{path.as_uri()}?mode={'ro' if _beside(path) else 'rw'}"
    return sqlite3.connect(address, uri=True, timeout=_A_MOMENT)


def _beside(path: Path) -> list[Path]:
    """Return the files in which SQLite keeps what is not in a database yet."""
    names = (path.with_name(path.name + part) for part in ("-wal", "-shm", "-journal"))
    return [name for name in names if name.exists()]
