"""Runs programs beside each other and measures what each takes: wall, processor, peak memory.

Every run is a process of its own, started anew, and the programs take turns, so that what else
the machine does falls on all of them alike.
"""

import json
import os
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Final

_LAUNCHER: Final = Path(__file__).with_name("launch.py")
_UNIT: Final = 1 if sys.platform == "darwin" else 1024
"""Bytes of one unit in which the system tells peak memory."""


class FailedError(Exception):
    """A program ended with an unexpected code; the text is what it said last."""


@dataclass(frozen=True)
class Program:
    """What is measured: a command, the codes it may end with, and what is done before each run.

    After `most` seconds it is ended; 0 for never.
    """

    command: Sequence[str]
    ends: Sequence[int] = (0,)
    before: Callable[[], None] = lambda: None
    environment: Mapping[str, str] | None = None
    most: int = 0


@dataclass(frozen=True)
class Run:
    """One run: seconds by the clock, seconds of processors, bytes of memory at its peak."""

    wall: float
    cpu: float
    peak: float


def run_once(program: Program) -> Run:
    """Run a program to its end.

    Raises:
        FailedError: it ended with a code that is not one of its own.
    """
    program.before()
    done = subprocess.run(  # noqa: S603 (the commands are ours)
        [sys.executable, "-S", str(_LAUNCHER), str(program.most), *program.command],
        capture_output=True,
        check=True,
        text=True,
        env={**os.environ, **(program.environment or {})},
    )
    measured = json.loads(done.stdout)
    if program.most and measured["wall"] >= program.most:
        raise FailedError(f"It was ended after {program.most:,} seconds.")
    if measured["code"] not in program.ends:
        raise FailedError(f"{' '.join(program.command)}\n{done.stderr[-2000:]}")
    return Run(measured["wall"], measured["cpu"], measured["peak"] * _UNIT)


def take_turns(programs: Mapping[str, Program], rounds: int) -> dict[str, Run]:
    """Return the median of each program's runs, by its name."""
    runs: dict[str, list[Run]] = {name: [] for name in programs}
    names = list(programs)
    for turn in range(rounds):
        # Another begins each round: none has always the same before it.
        for name in names[turn % len(names) :] + names[: turn % len(names)]:
            runs[name].append(run_once(programs[name]))
            print(f"  {name}: {runs[name][-1].wall:.2f} s", file=sys.stderr)  # noqa: T201
    return {name: middle(found) for name, found in runs.items()}


def middle(runs: Sequence[Run]) -> Run:
    """Return the median of each quantity."""
    return Run(
        median(run.wall for run in runs),
        median(run.cpu for run in runs),
        median(run.peak for run in runs),
    )


def python(module: str, *arguments: object) -> list[str]:
    """Return the command that runs a module with this interpreter."""
    return [sys.executable, "-W", "ignore", "-m", module, *map(str, arguments)]


def muster(*arguments: object) -> list[str]:
    """Return the command that runs `muster` of this environment."""
    return [str(Path(sys.executable).with_name("muster")), *map(str, arguments)]
