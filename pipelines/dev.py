"""`make dev`: the Dagster UI on this machine, and an end to all that it started."""

import os
import signal
import subprocess
import sys
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Final

import click

from pipelines.instance import dagster_home
from pipelines.open_demo import demonstration
from schemas.errors import MusterError

_ENDS: Final = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
_PATIENCE: Final = 30
"""Seconds in which the servers end by themselves; whoever asks twice does not wait for them."""


def together(command: Sequence[str | Path]) -> int:
    """Run a command until it ends or we are told to end; nothing that it started is left then.

    It gets a process group of its own, in which nobody's Ctrl-C ends a part and not the others.
    What started us may have had interrupts ignored, and the command would ignore them too.
    """
    for each in _ENDS:
        signal.signal(each, signal.default_int_handler)
    process = subprocess.Popen(command, stdin=subprocess.DEVNULL, process_group=0)  # noqa: S603
    try:
        return process.wait()
    except KeyboardInterrupt:
        os.killpg(process.pid, signal.SIGINT)
        with suppress(subprocess.TimeoutExpired):
            process.wait(_PATIENCE)
        return 0
    finally:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)


def main() -> int:
    """Serve what the lake holds and, where no folder of collections is named, a demonstration."""
    if not os.environ.get("MUSTER_COLLECTIONS"):
        demonstration()
    os.environ["DAGSTER_HOME"] = str(dagster_home())
    dg = Path(sys.executable).with_name("dg")
    return together([dg, "dev", "--host", "127.0.0.1", "--port", "3000", *sys.argv[1:]])


if __name__ == "__main__":
    try:
        sys.exit(main())
    except MusterError as error:
        click.echo(f"muster: {error}", err=True)
        sys.exit(1)
