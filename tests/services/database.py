"""A PostgreSQL of the tests' own, on loopback, with the account and the database of the service."""

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.services.processes import account, free_port, output_of, running, search_path, wait_until

PASSWORD = "a-password-that-nothing-may-show"
_ADMIN = "postgres"
_ADMIN_PASSWORD = "another-one"


@dataclass(frozen=True)
class Database:
    """Where it is; `environment` is what libpq, and so the service, reads."""

    port: int

    @property
    def environment(self) -> dict[str, str]:
        return {
            "PGHOST": "127.0.0.1",
            "PGPORT": str(self.port),
            "PGDATABASE": "muster",
            "PGUSER": "muster",
            "PGPASSWORD": PASSWORD,
        }

    def make(self) -> None:
        """Make the role, if need be, and an empty database of its own, as an administrator does."""
        self._administer(
            "do $$ begin if not exists (select from pg_roles where rolname = 'muster') then"
            f" create role muster login password '{PASSWORD}'; end if; end $$",
            "create database muster owner muster",
        )

    def lose(self) -> None:
        self._administer("drop database muster with (force)")

    def ask(self, query: str) -> str:
        """Return the one value that a query of the service's account gives."""
        return _psql(self.environment, query)

    def _administer(self, *statements: str) -> None:
        who = {"PGUSER": _ADMIN, "PGPASSWORD": _ADMIN_PASSWORD, "PGDATABASE": "postgres"}
        for statement in statements:
            _psql({**self.environment, **who}, statement)


def _psql(environment: dict[str, str], statement: str) -> str:
    command = ["psql", "--no-psqlrc", "-tA", "--set=ON_ERROR_STOP=1", "-c", statement]
    return output_of(command, {**environment, "PATH": search_path()})


@contextmanager
def started(folder: Path) -> Iterator[Database]:
    """Start a server whose files lie in a folder; it ends with the block."""
    env = {"PATH": search_path(), "LC_ALL": "C.UTF-8"}
    data, secret, log = folder / "data", folder / "admin", folder / "postgres.log"
    folder.mkdir()
    secret.write_text(_ADMIN_PASSWORD)
    how = {}
    if os.geteuid() == 0:  # PostgreSQL refuses to run as root
        who = account("postgres", "nobody")
        how = {"user": who.pw_uid, "group": who.pw_gid, "extra_groups": []}
        for path in (folder, secret):
            os.chown(path, who.pw_uid, who.pw_gid)
    output_of(
        ["initdb", f"--pgdata={data}", f"--username={_ADMIN}", f"--pwfile={secret}",
         "--auth=scram-sha-256", "--encoding=UTF8", "--no-sync"],
        env, cwd=folder, **how,
    )  # fmt: skip
    found = Database(free_port())
    settings = {
        "listen_addresses": "127.0.0.1",
        "port": str(found.port),
        "unix_socket_directories": str(folder),
        "fsync": "off",
    }
    command = ["postgres", "-D", str(data), *(f"--{k}={v}" for k, v in settings.items())]
    with running(command, log, env, cwd=folder, **how):
        ready = ["pg_isready", "-q", "-h", "127.0.0.1", "-p", str(found.port)]
        wait_until("a PostgreSQL", lambda: subprocess.call(ready, env=env) == 0)
        found.make()
        yield found
