"""Measures the 44 workbooks: the whole refresh and one check, beside a script that only adds up."""

import shutil
import tempfile
from pathlib import Path
from typing import Final

from dagster import DagsterInstance

from assets.sample.write import write_sample
from benchmarks.measure import Program, Run, muster, python, take_turns
from schemas.collection import load_collection

_STAGES: Final = {"validated": "validation", "judged": "validation"}


def measured(rounds: int) -> tuple[dict[str, Run], dict[str, float]]:
    """Return the median run of each program by its name, and what the last refresh took by stage.

    That is in seconds, in the order in which the stages began; "around" is what is no step.
    """
    collection = load_collection("2012-revisit")
    with tempfile.TemporaryDirectory(prefix="muster-bench-") as name:
        folder = Path(name)
        paths = write_sample(folder / "sample", collection)
        lake, out = folder / "lake", folder / "out.parquet"

        def fresh_lake() -> None:
            shutil.rmtree(lake, ignore_errors=True)
            shutil.copytree(folder / "sample", lake / "landing" / collection.id)

        runs = take_turns(
            {
                "refresh": Program(
                    muster("run"), before=fresh_lake, environment={"MUSTER_LAKE": str(lake)}
                ),
                "script": Program(python("benchmarks.workbooks", *paths, out)),
                "check one": Program(muster("check", paths[0])),
                "script one": Program(python("benchmarks.workbooks", paths[0], out)),
                "help": Program(muster("--help")),
            },
            rounds,
        )
        stages = _by_stage(lake)
    stages["around"] = runs["refresh"].wall - sum(stages.values())
    return runs, stages


def _by_stage(lake: Path) -> dict[str, float]:
    """Return the seconds of the steps of the last run, by the folder their assets stand in."""
    found: dict[str, float] = {}
    with DagsterInstance.from_config(str(lake / "dagster")) as instance:
        (run,) = instance.get_runs(limit=1)
        steps = instance.get_run_step_stats(run.run_id)
    for step in sorted(steps, key=lambda step: step.start_time or 0):
        # A step that makes several tables bears the name of a function.
        stage = _STAGES.get(step.step_key, step.step_key.partition("__")[0])
        found[stage] = found.get(stage, 0.0) + (step.end_time or 0) - (step.start_time or 0)
    return found
