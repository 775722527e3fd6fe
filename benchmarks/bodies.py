"""Makes collections of any number of bodies from the sample, and measures a refresh of each.

Belongs here: bodies that do not exist. Each sends what one of the 44 of the sample sends, so that
only their number grows; what is published about the 44 is left out.
"""

import itertools
import re
import shutil
import string
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import polars as pl
from dagster import DagsterInstance

from assets.returns.template.workbook import prefilled, write_workbook
from assets.sample.write import sample_returns
from benchmarks.measure import FailedError, Program, Run, muster, run_once
from schemas.collection import Collection, load_collection, read_collection
from schemas.reference import REFERENCE, collection_files

_MADE_FROM: Final = "2012-revisit"
_LEFT_OUT: Final = re.compile(r"\[published\]|\[\[disclosure\.exempt\]\]")
_BASIS: Final = "reconstructed"
_MOST: Final = 4 * 60 * 60
"""Seconds after which a refresh is ended, and said to have been."""


def sent(collection: Collection) -> dict[str, dict[tuple[str, str, str], str]]:
    """Return what each force of the sample sends."""
    found: dict[str, dict[tuple[str, str, str], str]] = {}
    for force, sheet, row, column, value in sample_returns(collection).iter_rows():
        found.setdefault(force, {})[sheet, row, column] = value
    return found


def made(number: int, folder: Path) -> tuple[Path, str]:
    """Return a folder for MUSTER_COLLECTIONS with a collection of so many bodies, and its id.

    Their returns lie beside the collection, in `returns`. What is there already is left.
    """
    root, name = folder / f"bodies-{number}", f"bodies-{number}"
    if root.exists():
        return root, name
    partial = root.with_name(f".{root.name}.partial")
    shutil.rmtree(partial, ignore_errors=True)
    ours = load_collection(_MADE_FROM)
    like = dict(zip(_codes(ours.forces), itertools.cycle(ours.forces), strict=False))
    like = dict(itertools.islice(like.items(), number))
    for below in ("collections", "reference", "returns"):
        (partial / below).mkdir(parents=True)
    forces = pl.read_csv(REFERENCE / "forces.csv", infer_schema=False)
    more = {body: force for body, force in like.items() if body != force}
    schema = {"body": pl.String, "force_code": pl.String}
    copies = pl.DataFrame([*more.items()], schema=schema, orient="row")
    copies.join(forces, on="force_code", maintain_order="left").select(
        pl.col("body").alias("force_code"),
        pl.lit("").alias("ons_code"),
        pl.format("{} {}", "short_name", "body").alias("short_name"),
        pl.format("{} {}", "full_name", "body").alias("full_name"),
        *forces.columns[4:],
    ).write_csv(partial / "reference" / "forces.csv")
    path = partial / "collections" / f"{name}.toml"
    path.write_text(_described(name, like), encoding="utf-8")
    collection, values = read_collection(path), sent(ours)
    for body, force in like.items():
        about = prefilled(collection, body, _BASIS)
        workbook = partial / "returns" / f"{body}.xlsx"
        write_workbook(workbook, collection.template, collection, {**values[force], **about})
    partial.rename(root)
    return root, name


def _codes(forces: tuple[str, ...]) -> Iterator[str]:
    """Yield the codes of the forces, then every other of three letters."""
    yield from forces
    letters = string.ascii_uppercase
    yield from (
        code for code in map("".join, itertools.product(letters, repeat=3)) if code not in forces
    )


def _described(name: str, like: Mapping[str, str]) -> str:
    """Return the collection of the sample with other bodies, and without its publication."""
    text = collection_files()[_MADE_FROM].read_text(encoding="utf-8")
    head, *tables = re.split(r"(?m)^(?=\[)", text)
    head = re.sub(r"(?m)^id = .*", f'id = "{name}"', head)
    head = re.sub(r"(?ms)^forces = \[.*?\]", f"forces = {[*like]!r}", head)
    head = re.sub(r"(?m)^research = .*", "research = false", head)
    without = [body for body, force in like.items() if force == "MPS"]
    head = re.sub(r"(?m)^without_police_authority = .*",
                  f"without_police_authority = {without!r}", head)  # fmt: skip
    return head + "".join(table for table in tables if not _LEFT_OUT.match(table))


@dataclass(frozen=True)
class Refresh:
    """What a first refresh took, and of that the seconds by stage as `by_stage` returns them."""

    run: Run
    stages: Mapping[str, float]


def measured(numbers: Sequence[int], folder: Path) -> dict[int, Refresh | str]:
    """Return a first refresh by the number of bodies; where one did not end well, its last line."""
    found: dict[int, Refresh | str] = {}
    for number in numbers:
        root, name = made(number, folder)
        lake = folder / f"lake-{number}"

        def fresh_lake(root: Path = root, name: str = name, lake: Path = lake) -> None:
            shutil.rmtree(lake, ignore_errors=True)
            shutil.copytree(root / "returns", lake / "landing" / name)

        where = {"MUSTER_COLLECTIONS": root, "MUSTER_COLLECTION": name, "MUSTER_LAKE": lake}
        environment = {key: str(value) for key, value in where.items()}
        program = Program(muster("run"), (0,), fresh_lake, environment, _MOST)
        try:
            run = run_once(program)
            found[number] = Refresh(run, by_stage(lake, run.wall))
        except FailedError as error:
            found[number] = str(error).strip().rpartition("\n")[2]
        shutil.rmtree(lake, ignore_errors=True)
    return found


_OF_STEP: Final = {"validated": "validation", "judged": "validation"}


def by_stage(lake: Path, whole: float) -> dict[str, float]:
    """Return the seconds of the last run of a lake by stage, in the order in which they began.

    A stage is the folder that assets stand in; "around" is what of the `whole` is no step.
    """
    found: dict[str, float] = {}
    with DagsterInstance.from_config(str(lake / "dagster")) as instance:
        (run,) = instance.get_runs(limit=1)
        steps = instance.get_run_step_stats(run.run_id)
    for step in sorted(steps, key=lambda step: step.start_time or 0):
        # A step that makes several tables bears the name of a function.
        stage = _OF_STEP.get(step.step_key, step.step_key.partition("__")[0])
        found[stage] = found.get(stage, 0.0) + (step.end_time or 0) - (step.start_time or 0)
    return found | {"around": whole - sum(found.values())}
