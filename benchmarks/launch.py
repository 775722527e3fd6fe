"""Runs a command and prints what it took, as JSON: a process of its own, and a small one.

A process inherits the peak memory of the one that starts it, so what starts the programs that are
measured must have held nothing. Belongs here: as little as can be.
"""

import json
import os
import signal
import subprocess
import sys
import time


def main() -> None:
    """Run the command after the first argument, and end it after so many seconds (0: never)."""
    most, *command = sys.argv[1:]
    started = time.perf_counter()
    process = subprocess.Popen(  # noqa: S603 (the commands are ours)
        command, stdout=subprocess.DEVNULL
    )
    signal.signal(signal.SIGALRM, lambda *_: process.kill())
    signal.alarm(int(most))
    _, status, used = os.wait4(process.pid, 0)
    wall = time.perf_counter() - started
    process.returncode = os.waitstatus_to_exitcode(status)
    measured = {
        "wall": wall,
        "cpu": used.ru_utime + used.ru_stime,
        "peak": used.ru_maxrss,
        "code": process.returncode,
    }
    print(json.dumps(measured))  # noqa: T201


if __name__ == "__main__":
    main()
