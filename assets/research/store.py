"""Research files: each kept for ever by its hash, the newest acceptable one of each name in use.

Belongs here: from the research folder to the tables that everything else is made of. Does not: how
a file is read (reading.py).
"""

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

import polars as pl

from assets.intake.store import Kept, kept, kept_file
from assets.lake import Lake
from assets.research.agreement import disagreements
from assets.research.dropped import Settled, dropped
from assets.research.problem import Problem, ResearchError
from assets.research.reading import read_file
from assets.research.tables import ResearchTables
from schemas.collection import Collection
from schemas.contract import conform, empty, keys
from schemas.research_in_use import IN_USE, ResearchFiles, ResearchProblems

_PROBLEM: Final = keys(ResearchProblems)


@dataclass(frozen=True)
class Research:
    """The research in use.

    `tables`: what it says. `files`: table ResearchFiles, the files that it comes from. `problems`:
    table ResearchProblems, of the newest file of each name and of the folder. `new`: names of the
    files that were received now; `left` maps the name of one that waits in landing to why.
    """

    tables: ResearchTables
    files: pl.DataFrame
    problems: pl.DataFrame
    new: tuple[str, ...]
    left: dict[str, str]


def read_research(
    lake: Lake, collection: Collection, settled: Settled = lambda _: True
) -> Research:
    """Keep the files that were dropped, and read the newest acceptable one of each name.

    Args:
        lake: the lake.
        collection: the collection, with its forces.
        settled: whether a dropped file may be taken as it is now.

    Raises:
        UnavailableError: a file cannot be kept.
    """
    found = dropped(lake.research, settled)
    new = [name for name, content in found.files if _keep(lake, name, content, found.basis)]
    problems = list(found.problems)
    tables: dict[str, pl.DataFrame] = {}
    used = []
    for name, contract in IN_USE.items():
        table, file, wrong = _newest_acceptable(lake, name, collection)
        tables[name] = conform(contract, empty(contract) if table is None else table)
        problems += wrong
        used += [(name, file.sha256, file.basis)] if file else []
    research = ResearchTables(*tables.values())
    problems += disagreements(research.profiles, research.instances)
    return Research(
        research,
        conform(ResearchFiles, _frame(used, empty(ResearchFiles))),
        _told(problems),
        tuple(new),
        found.left,
    )


def _newest_first(lake: Lake, name: str) -> list[Kept]:
    """Return the files of a name, and those of which not even the name is left."""
    files = reversed(kept(lake, "research"))
    return [each for each in files if each.path is None or each.name == name]


def _keep(lake: Lake, name: str, content: bytes, basis: str) -> bool:
    """Keep a file unless it is the newest of its name already; return whether it was new.

    The newest alone is compared: a name is always the same, so an earlier file that is dropped
    again is meant to count again. One that is damaged now is kept anew.
    """
    sha256 = hashlib.sha256(content).hexdigest()
    newest = next(iter(_newest_first(lake, name)), None)
    if newest and (newest.sha256, newest.basis) == (sha256, basis) and not newest.damage():
        return False
    number = max((each.number for each in kept(lake, "research")), default=0) + 1
    with kept_file(lake, "research", name, sha256, number, basis) as file:
        file.write(content)
    return True


def _newest_acceptable(
    lake: Lake, name: str, collection: Collection
) -> tuple[pl.DataFrame | None, Kept | None, tuple[Problem, ...]]:
    """Return a file's table with its basis, where it lies, and what is wrong with the newest.

    Where one is damaged none before it is used: it may be what counts.
    """
    problems: tuple[Problem, ...] = ()
    for each in _newest_first(lake, name):
        if damage := each.damage():
            place = (each.path or each.at).relative_to(lake.root)
            fix = "Restore it from the backup of the lake, or drop it in the research folder again."
            lost = Problem(name, None, None, f"{place}: {damage}", "what was received", fix)
            return None, None, (*problems, lost)
        try:
            table = read_file(name, each.there().read_bytes(), collection)
        except ResearchError as error:
            problems = problems or error.problems
        else:
            return table.with_columns(pl.lit(each.basis).alias("basis")), each, problems
    return None, None, problems


def _told(problems: Iterable[Problem]) -> pl.DataFrame:
    rows = _frame(map(_as_row, problems), empty(ResearchProblems))
    return conform(ResearchProblems, rows.unique(_PROBLEM, keep="first", maintain_order=True))


def _as_row(problem: Problem) -> tuple[str | int | None, ...]:
    return (
        problem.file, problem.row, problem.column, problem.observed, problem.expected, problem.fix,
    )  # fmt: skip


def _frame(rows: Iterable[tuple[str | int | None, ...]], like: pl.DataFrame) -> pl.DataFrame:
    return pl.DataFrame(list(rows), schema=like.schema, orient="row")
