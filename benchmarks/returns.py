"""Measures the 44 workbooks: the whole refresh and one check, beside a script that only adds up."""

import shutil
import tempfile
from pathlib import Path

from assets.sample.write import write_sample
from benchmarks.measure import Program, Run, muster, python, take_turns
from schemas.collection import load_collection


def measured(rounds: int) -> dict[str, Run]:
    """Return the median run of each program by its name."""
    collection = load_collection("2012-revisit")
    with tempfile.TemporaryDirectory(prefix="muster-bench-") as name:
        folder = Path(name)
        paths = write_sample(folder / "sample", collection)
        lake, out = folder / "lake", folder / "out.parquet"

        def fresh_lake() -> None:
            shutil.rmtree(lake, ignore_errors=True)
            shutil.copytree(folder / "sample", lake / "landing" / collection.id)

        return take_turns(
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
