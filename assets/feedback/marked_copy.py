"""A force's own workbook, marked: every problem at its cell, and a first sheet that lists them.

Belongs here: the copy as a whole, and the files of `muster check --annotate`. The force's file is
only read. A zip of CSV files becomes a workbook of the same cells.
"""

import os
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Final

from assets.feedback.marks import mark, unmark
from assets.feedback.own_workbook import STUMBLES, Copy, own_workbook, workbook_of_cells
from assets.feedback.packing import packed
from assets.feedback.problems import grouped, tally
from assets.feedback.problems_sheet import add_problems_sheet
from assets.feedback.shown import basis_line
from assets.intake.attribution import cover_values
from assets.intake.reader import read_return
from assets.intake.reading import Reading
from assets.lake import atomic_file
from assets.validation.check import Checked
from assets.validation.layout import is_list_of_problems
from schemas.finding import Finding
from schemas.wording import visible

_LONGEST_STEM: Final = 200
"""Bytes; file systems take 255, and a number may follow."""


def marked_copy(
    path: Path,
    reading: Reading,
    findings: Sequence[Finding],
    *,
    name: str,
    not_evaluable: Sequence[str] = (),
) -> bytes:
    """Return the marked copy of a received file, an Excel workbook.

    Where the file cannot be opened whole, the copy holds its cells alone; where it was refused,
    nothing but the list of problems.

    Args:
        path: the force's file, which is only read.
        reading: what reading it gave.
        findings: everything found in it.
        name: what the force calls the file.
        not_evaluable: ids of the rules that could not be told.
    """
    about = _about(reading, findings, name, not_evaluable)
    own = own_workbook(path, reading)
    if own:
        with suppress(*STUMBLES):  # not all that openpyxl can open it can save
            return _marked(own, reading, findings, about)
    if reading.sheets:
        about.append("This copy holds the cells of your file alone, each sheet at its name.")
    return _marked(workbook_of_cells(reading), reading, findings, about)


def _marked(
    copy: Copy, reading: Reading, findings: Sequence[Finding], about: Sequence[str]
) -> bytes:
    for raw in reading.sheets:
        if is_list_of_problems(raw):
            copy.book.remove(copy.sheets[raw.name])
        elif raw.name in copy.sheets:
            unmark(copy.sheets[raw.name])
    mark(copy, findings)
    add_problems_sheet(copy, about, grouped(findings))
    return packed(copy.book, {raw.name: raw for raw in reading.sheets} if copy.whole else {})


def _about(
    reading: Reading, findings: Sequence[Finding], name: str, not_evaluable: Sequence[str]
) -> list[str]:
    """Return the lines above the list of problems."""
    lines = [f"{visible(name)}: {tally(grouped(findings))}."]
    basis = basis_line(cover_values(reading).get("basis"))
    if basis:
        lines.append(basis)
    if reading.refusal:
        return [*lines, "The file could not be read as a return, so this is not a copy of it."]
    lines.append(
        "Each cell is marked in its sheet, with a comment that says what is wrong and what to do."
        " Mend it in this copy or in your own workbook, and send that: this sheet is not read."
    )
    if not_evaluable:
        lines.append(
            "Not checked yet, because what they look at could not be read:"
            f" {', '.join(not_evaluable)}. They are checked once it can."
        )
    return lines


def write_marked_copies(checked: Sequence[Checked], folder: Path) -> list[Path]:
    """Write the marked copy of each checked file into a folder, and return their paths.

    A copy is named after its file; where two files share a name, the later copies are numbered.
    No file that was checked is ever written to.

    Raises:
        OSError: a file cannot be opened any more.
        LakeError: the folder cannot be written.
    """
    files = [Path(item.file) for item in checked]
    taken = {path.name.casefold() for path in files if path.parent.resolve() == folder.resolve()}
    written = []
    for item, path in zip(checked, files, strict=True):
        target = folder / _free_name(path.stem, taken)
        content = marked_copy(
            path,
            read_return(path),
            item.findings,
            name=path.name,
            not_evaluable=item.not_evaluable,
        )
        with atomic_file(target) as file:
            file.write(content)
        written.append(target)
    return written


def _free_name(stem: str, taken: set[str]) -> str:
    """Return a name that is not taken, whatever the case of its letters, and take it.

    A name that would be too long with what is added to it loses its end.
    """
    stem = os.fsdecode(os.fsencode(stem)[:_LONGEST_STEM])
    stem = stem.encode("utf-8", "surrogateescape").decode("utf-8", "ignore")
    name, number = f"{stem}-marked.xlsx", 1
    while name.casefold() in taken:
        number += 1
        name = f"{stem}-marked-{number}.xlsx"
    taken.add(name.casefold())
    return name
