"""Judges a file that was sent, in a process of its own that may use so much and no more.

What is hostile in a file harms that process alone: judges.py starts another.
"""

import errno
import resource
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final

from assets.feedback.causes import causes_of
from assets.feedback.marked_copy import write_marked_copies
from assets.feedback.problems import tally, to_do
from assets.intake.container import open_container
from assets.intake.reader import cover_values, declared_force, read_return
from assets.returns.template.workbook import write_blanks
from assets.returns.validation.check import Checked, answers_read, check_files, not_checked
from schemas.collection import Collection, load_collection
from schemas.errors import ServiceError, place_of
from schemas.template import Template
from schemas.wording import visible

SECONDS: Final = 15
"""Processor seconds that the files of one job may take; a return takes a fifth of one."""
MEMORY: Final = 768 * 1024**2
"""Bytes that judging may take beside what is there when nothing is judged."""

_SUFFIXES: Final = {"workbook": ".xlsx", "ods": ".ods", "csv": ".zip"}
_MOST: Final = 200
"""Things to do that a verdict lists; the marked copy has them all."""


def verdicts(jobs: Sequence[tuple[Path, str]], collection: Collection) -> list[dict[str, Any]]:
    """Judge files, each with the force whose account sends it; write marked copies beside them.

    Of each force there is one file at most. Where the cover does not say that a file is from that
    force, it is not looked into any further: whose it is, and whether there is such a force, makes
    no difference.

    Returns:
        For each file `whose`: `own`, `other`, or `untold` where no force can be read at all. But
        for those of another: everything that `muster check` says, in words, and what was counted.
    """
    whose = {}
    for path, force_code in jobs:
        reading = read_return(path)
        own = declared_force(reading, collection) == force_code
        told = cover_values(reading).get("force_code", "")
        whose[path] = "own" if own else "other" if told else "untold"
    looked_at = [path for path, _ in jobs if whose[path] != "other"]
    found = dict(zip(looked_at, check_files(looked_at, collection), strict=True))
    return [
        {
            "whose": whose[path],
            **(_in_words(found[path], path, collection) if path in found else {}),
        }
        for path, _ in jobs
    ]


def _in_words(checked: Checked, path: Path, collection: Collection) -> dict[str, Any]:
    template = collection.template
    # Where nothing is found there is nothing to mark.
    copies = write_marked_copies([checked] * bool(checked.findings), path.parent, template)
    things = to_do(checked.findings, template, causes_of(checked.repairs, template))
    told = [thing.told for thing in things if thing.label]
    return {
        "readable": checked.readable,
        "suffix": _SUFFIXES[open_container(path).kind] if checked.readable else "",
        "state": checked.state,
        "tally": tally(checked.findings),
        "to_do": told[:_MOST],
        "left_out": max(0, len(told) - _MOST),
        "not_checked": not_checked(checked.not_evaluable, template) * checked.readable,
        "answers": answers_read(checked.answers) if checked.answers else "",
        "marked": copies[0].name if copies else None,
        **counted(checked, template),
    }


def counted(checked: Checked, template: Template) -> dict[str, Any]:
    """Return what was read: entries by sheet, and each sum that is part of no other."""
    value_at = {
        (sheet, row, column): value
        for sheet, row, column, value in checked.entries.select(
            "sheet", "row_code", "column_code", "value"
        ).iter_rows()
    }
    parts = {part for each in template.sums() for part in each.parts}
    totals = dict.fromkeys(each.total for each in template.sums() if each.total not in parts)
    filled = {
        sheet.title: sum(value is not None for at, value in value_at.items() if at[0] == sheet.name)
        for sheet in template.sheets
    }
    labels = {(s.name, row.code): row.label for s in template.sheets for row in s.rows}
    return {
        "filled": filled,
        "totals": [
            {
                "sheet": template.sheet(at[0]).title,
                "row": labels[at[0], at[1]],
                "column": template.sheet(at[0]).columns[at[2]],
                "value": visible(value_at[at]),
            }
            for at in totals
            if value_at.get(at) is not None
        ],
    }


def _used() -> int:
    """Return the bytes of data that this process has."""
    lines = Path("/proc/self/status").read_text(encoding="ascii").splitlines()
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith("VmData"))


def _limit(what: int, most: int) -> None:
    """Allow so much of something and, but for processor time, never more again."""
    hard = resource.getrlimit(what)[1]
    resource.setrlimit(what, (most, hard if what == resource.RLIMIT_CPU else most))


@cache
def _ready(collection_id: str) -> Collection:
    """Load everything that a return needs; what comes after that has so much and no more."""
    collection = load_collection(collection_id)
    with TemporaryDirectory() as folder:
        force = collection.forces[0]
        (blank,) = write_blanks(Path(folder), collection, [force])
        verdicts([(blank, force)], collection)
    _limit(resource.RLIMIT_DATA, _used() + MEMORY)
    _limit(resource.RLIMIT_CORE, 0)
    _limit(resource.RLIMIT_FSIZE, 64 * 1024**2)
    return collection


def judge(job: Sequence[tuple[Path, str]], collection_id: str) -> list[dict[str, Any]]:
    """Return what `verdicts` does, within limits; to be called in a process of its own.

    Raises:
        ServiceError: the disk is full, which is no fault of a file.
        SystemExit: that cannot be done; it says where, and no word of a return. The process ends.
    """
    try:
        collection = _ready(collection_id)
        used = sum(resource.getrusage(resource.RUSAGE_SELF)[:2])
        _limit(resource.RLIMIT_CPU, int(used) + SECONDS + 1)
        return verdicts(job, collection)
    except BaseException as error:
        full = {getattr(each, "errno", None) for each in (error, error.__cause__)}
        if not full.isdisjoint({errno.ENOSPC, errno.EDQUOT}):
            raise ServiceError("the disk is full, so that nothing can be judged.") from None
        raise SystemExit(f"{type(error).__name__} ({place_of(error)})") from None
