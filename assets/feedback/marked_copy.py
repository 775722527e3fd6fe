"""A force's own workbook, marked: every problem at its cell, and a first sheet that lists them.

The force's file is only read. A zip of CSV files becomes a workbook of the same cells. The first
cell of the list tells readers of returns that it is ours and holds nothing to be read.
"""

import os
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Final

from openpyxl.cell.cell import Cell, MergedCell
from openpyxl.comments import Comment
from openpyxl.styles import PatternFill
from openpyxl.worksheet.worksheet import Worksheet

from assets.feedback.causes import LOOK_IS, Look, causes_of
from assets.feedback.problem_list import FILLS, add_problems_sheet
from assets.feedback.problems import (
    Thing,
    basis_line,
    findings_of,
    fix,
    message,
    severity_word,
    tally,
    to_do,
)
from assets.feedback.safe_cells import STUMBLES, Copy, own_workbook, packed, workbook_of_cells
from assets.intake.grid import COMMENT_BEFORE, OUR_COMMENT
from assets.intake.reader import cover_values, read_return
from assets.intake.reading import Reading
from assets.lake import atomic_file
from assets.returns.desk.returned import HEADS, written_in
from assets.returns.validation.check import Checked, not_checked
from assets.returns.validation.layout import PROBLEMS_MARK, is_ours, lay_out
from schemas.finding import Finding
from schemas.template import Template
from schemas.vocabulary import SEVERITIES

AUTHOR: Final = "Muster"
_WIDTH: Final = 380
_CHARACTERS_A_LINE: Final = 56
_COMMENT_LINE: Final = 17

_LONGEST_STEM: Final = 200
"""Bytes; file systems take 255, and a number may follow."""


def marked_copy(
    path: Path,
    reading: Reading,
    things: Sequence[Thing],
    template: Template,
    *,
    name: str,
    not_evaluable: Sequence[str] = (),
    codes: Mapping[Finding, str] | None = None,
) -> bytes:
    """Return the marked copy of a received file, an Excel workbook, with the `things` to do.

    Where the file cannot be opened whole, the copy holds its cells alone; where it was refused,
    nothing but the list of problems. Rules that are `not_evaluable` could not be told. Queries that
    have `codes` can be answered in the copy; what was written beside them already stands there
    again.
    """
    layout = lay_out(reading.sheets, template)
    before = {each.code: (each.reason, each.role) for each in written_in(reading.sheets)}
    answers = {it: (*before.get(code, ("", "")), code) for it, code in (codes or {}).items()}
    looks = [look for thing in things if thing.cause for look in thing.cause.looks]
    about = {
        "name": name,
        "tally": tally(findings_of(things)),
        "basis": basis_line(cover_values(reading).get("basis")),
        "refused": reading.refusal,
        "answers": answers,
        "heads": HEADS,
        "causes": looks,
        "look_is": LOOK_IS,
        "not_checked": not_checked(not_evaluable, template),
    }

    def marked(copy: Copy, *, alone: bool) -> bytes:
        for raw in reading.sheets:
            if is_ours(raw, PROBLEMS_MARK):
                copy.book.remove(copy.sheets.pop(raw.name))
            elif raw.name in copy.sheets:
                _unmark(copy.sheets[raw.name])
        _mark(copy, looks, findings_of(things))
        add_problems_sheet(copy, {**about, "alone": alone}, things, answers)
        return packed(copy.book, {raw.name: raw for raw in reading.sheets} if copy.whole else {})

    own = own_workbook(path, reading, layout)
    if own:
        with suppress(*STUMBLES):  # not all that openpyxl can open it can save
            return marked(own, alone=False)
    return marked(workbook_of_cells(reading, layout), alone=bool(reading.sheets))


def _mark(copy: Copy, looks: Sequence[Look], findings: Sequence[Finding]) -> None:
    """Mark what has a cell in the workbook; several at one cell in one comment."""
    at_cell: dict[tuple[str, str], list[Look | Finding]] = {}
    severities = list(SEVERITIES)
    ordered = sorted(findings, key=lambda item: severities.index(item.severity))
    marks: list[Look | Finding] = [*looks, *ordered]
    for item in marks:
        if item.cell and item.sheet in copy.sheets:
            sheet, at = copy.sheets[item.sheet], item.cell
            if isinstance(sheet[at], MergedCell):  # of merged cells the first can have a comment
                ranges = (merged for merged in sheet.merged_cells.ranges if at in merged)
                at = next((str(one.coord.partition(":")[0]) for one in ranges), at)
            at_cell.setdefault((sheet.title, at), []).append(item)
    for (title, address), items in at_cell.items():
        cell, first = copy.book[title][address], items[0]
        cell.fill = FILLS["look" if isinstance(first, Look) else first.severity]
        said = [
            f"{item.title}: {item.says}"
            if isinstance(item, Look)
            else f"{item.rule_id}: {severity_word(item)}\n{message(item)}\nWhat to do: {fix(item)}"
            for item in items
        ]
        theirs = f"{COMMENT_BEFORE}{cell.comment.text}" if cell.comment else ""
        text = "\n\n".join([OUR_COMMENT, *said]) + theirs
        lines = sum(1 + len(line) // _CHARACTERS_A_LINE for line in text.split("\n"))
        height = _COMMENT_LINE * (lines + 1)
        cell.comment = Comment(text, AUTHOR, width=_WIDTH, height=height)


def _unmark(sheet: Worksheet) -> None:
    """Take the marks of an earlier copy off: a mended cell must not keep the old complaint."""
    # Only cells that are stored: going through all rows would make those in between.
    for cell in list(sheet._cells.values()):
        if isinstance(cell, Cell) and cell.comment and cell.comment.text.startswith(OUR_COMMENT):
            _, _, theirs = cell.comment.text.partition(COMMENT_BEFORE)
            cell.comment = Comment(theirs, "") if theirs else None
            cell.fill = PatternFill()


def write_marked_copies(checked: Sequence[Checked], folder: Path, template: Template) -> list[Path]:
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
        things = to_do(item.findings, template, causes_of(item.repairs, template))
        known = path, read_return(path), things, template
        content = marked_copy(
            *known, name=path.name, not_evaluable=item.not_evaluable, codes=item.codes
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
