"""Programs that the tests start, wait for and stop."""

import os
import pwd
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

POSTGRES = sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda path: int(path.parts[-2]))
"""Where Debian keeps the programs of each version; the newest is the last."""

PACKAGES = {
    "initdb": "postgresql",
    "pg_dump": "postgresql-client",
    "nginx": "nginx",
    "openssl": "openssl",
    "setpriv": "util-linux",
    "flock": "util-linux",
    "systemd-analyze": "systemd",
    "systemd-sysusers": "systemd",
    "systemd-tmpfiles": "systemd",
}
"""The Debian package that each program comes with."""


def search_path() -> str:
    """Return PATH with what PostgreSQL and the system's own programs need."""
    extra = [str(path) for path in reversed(POSTGRES)] + ["/usr/sbin", "/usr/bin", "/sbin", "/bin"]
    return os.pathsep.join([*extra, os.environ.get("PATH", "")])


def missing_packages() -> list[str]:
    """Return the packages whose programs are not there."""
    path = search_path()
    return sorted({PACKAGES[name] for name in PACKAGES if not shutil.which(name, path=path)})


def account(*names: str) -> pwd.struct_passwd:
    """Return the first of some accounts that exists here."""
    return next(known for name in names for known in pwd.getpwall() if known.pw_name == name)


def free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        port: int = found.getsockname()[1]
        return port


def wait_until(what: str, true: Callable[[], Any], seconds: float = 120) -> Any:
    """Return what `true` returns once it is true."""
    until = time.monotonic() + seconds
    while not (answer := true()):
        if time.monotonic() > until:
            raise AssertionError(f"after {seconds:.0f} seconds there is still not: {what}")
        time.sleep(0.5)
    return answer


def output_of(command: list[Any], env: Mapping[str, str], **how: Any) -> str:
    """Return what a program prints; one that fails is quoted."""
    done = subprocess.run(
        command, env=dict(env), capture_output=True, text=True, check=False, **how
    )
    said = f"{done.stdout}{done.stderr}"
    assert done.returncode == 0, f"{command} ended with {done.returncode}: {said}"
    return done.stdout.strip()


@contextmanager
def running(
    command: list[str], log: Path, env: Mapping[str, str], **how: Any
) -> Iterator[subprocess.Popen[bytes]]:
    """Run a program until the block ends, or the tests do, with its output in a file."""
    with log.open("ab") as output:
        process = subprocess.Popen(
            ["setpriv", "--pdeathsig=TERM", *command], stdin=subprocess.DEVNULL,
            stdout=output, stderr=output, env=dict(env), start_new_session=True, **how,
        )  # fmt: skip
    try:
        yield process
    finally:
        stop(process, signal.SIGTERM)


def stop(process: subprocess.Popen[bytes], how: signal.Signals) -> None:
    """End a program and all it has started, as systemd does; what does not end is killed."""
    for each in (how, signal.SIGKILL):
        if process.poll() is None:
            os.killpg(process.pid, each)
            try:
                process.wait(30)
            except subprocess.TimeoutExpired:
                continue
