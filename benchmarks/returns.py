"""Measures the 44 workbooks beside a script that only adds up: all new, nothing new, one changed.

Belongs here too: checking one workbook, and what the command line takes to say what it can do.
"""

import itertools
import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Final

from assets.returns.template.workbook import write_workbook
from assets.sample.write import write_sample
from benchmarks.bodies import by_stage, sent
from benchmarks.measure import Program, Run, muster, python, run_once, take_turns
from schemas.collection import load_collection

_CORRECTED: Final = "AVS"
_COUNTED: Final = (("second_jobs", "pending", "count"), ("second_jobs", "total", "count"))
"""Two cells that a correction raises alike: a count and its sum."""


def measured(rounds: int) -> tuple[dict[str, Run], dict[str, float]]:
    """Return the median run of each program by its name, and what the last refresh took by stage.

    That is in seconds, in the order in which the stages began; "around" is what is no step.
    """
    collection = load_collection("2012-revisit")
    values, corrections = sent(collection)[_CORRECTED], itertools.count(1)
    with tempfile.TemporaryDirectory(prefix="muster-bench-") as name:
        folder = Path(name)
        paths = write_sample(folder / "sample", collection)
        out = folder / "out.parquet"

        def landing(lake: str) -> Path:
            return folder / lake / "landing" / collection.id

        def dropped(lake: str) -> None:
            shutil.rmtree(folder / lake, ignore_errors=True)
            shutil.copytree(folder / "sample", landing(lake))

        def corrected() -> None:
            more = next(corrections)
            raised = {place: str(int(values[place]) + more) for place in _COUNTED}
            path = landing("changed") / f"{_CORRECTED}.xlsx"
            write_workbook(path, collection.template, collection, {**values, **raised})

        def refresh(lake: str, before: Callable[[], None]) -> Program:
            return Program(muster("run"), (0,), before, {"MUSTER_LAKE": str(folder / lake)})

        for lake in ("same", "changed"):
            run_once(refresh(lake, lambda lake=lake: dropped(lake)))  # type: ignore[misc]
        runs = take_turns(
            {
                "refresh": refresh("new", lambda: dropped("new")),
                "nothing new": refresh("same", lambda: None),
                "one changed": refresh("changed", corrected),
                "script": Program(python("benchmarks.workbooks", *paths, out)),
                "check one": Program(muster("check", paths[0])),
                "script one": Program(python("benchmarks.workbooks", paths[0], out)),
                "help": Program(muster("--help")),
            },
            rounds,
        )
        return runs, by_stage(folder / "new", runs["refresh"].wall)
