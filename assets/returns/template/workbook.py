"""Writes the return workbook: blank for a force to fill, or filled with given values.

The same input gives the same bytes.
"""

import io
import re
import tomllib
from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import date, datetime
from pathlib import Path
from typing import Any, Final, Literal

import xlsxwriter

from assets.html import render
from assets.lake import Lake, write_anew, write_errors
from assets.previous import earlier_releases, previous_values
from assets.returns.template.as_ods import as_ods
from assets.returns.template.checks import (
    ADDS_UP,
    ANSWERS,
    DOES_NOT_ADD_UP,
    EARLIER,
    GUIDANCE,
    GUIDANCE_MARK,
    Check,
    checks,
)
from schemas.collection import Collection, command
from schemas.collection_fields import Period
from schemas.errors import SetupError
from schemas.reference import forces_at
from schemas.template import Entry, Place, Sheet, Template, column_letter
from schemas.vocabulary import MISSING_REASONS
from schemas.wording import LINE_HEIGHT, lines_of, long_date

Suffix = Literal["xlsx", "ods"]

Totals = Literal["typed", "summed"]
"""How totals come into a workbook that somebody fills."""

Values = Mapping[tuple[str, str, str], str]
"""Values by (sheet, row code, column code), in plain text form; an absent one is left blank."""

EarlierValues = Mapping[str, Values]
"""What a force told before, by what to call that time: the collection and its period."""

_LABEL_WIDTH: Final = 60
_GUIDANCE_WIDTHS: Final = (26, 100)

_FOR_COMPARISON: Final = "For comparison, locked and not part of this return"
_EARLIER_HEIGHT: Final = 108
"""Points; a heading that names collection and period as well takes seven lines."""

_LONGEST_LIST: Final = 255
"""Characters of a list of answers, with commas, that Excel keeps in a drop-down itself."""

_DATE: Final = re.compile(r"\{(period|census|soft|hard)\}")
_EPOCH: Final = datetime(2012, 1, 1)
_RECONSTRUCTED: Final = "RECONSTRUCTED sample: made by Muster, not sent by any police force."
_GUIDANCE: Final = Path(__file__).parent / "templates" / "guidance.txt.j2"
_LOOKS: Final = tomllib.loads(Path(__file__).with_name("workbook.toml").read_text(encoding="utf-8"))


class _Formats(dict[str, Any]):
    """The formats of a workbook by name, each made where it is first used."""

    def __init__(self, book: Any) -> None:
        super().__init__()
        self._book = book

    def __missing__(self, name: str) -> Any:
        return self.setdefault(name, self._book.add_format(_LOOKS["formats"][name]))


def write_workbook(
    path: Path,
    template: Template,
    collection: Collection,
    values: Values,
    earlier: EarlierValues | None = None,
    to_fill: Totals | None = None,
) -> None:
    """Write a return workbook: of OpenDocument where the path ends with `.ods`, else of Excel.

    `values` gives the prefilled cells; the cover's `basis` decides whether the workbook is
    labelled as reconstructed. What was told `earlier` stands locked right of the entries and
    their checks, in the row of its entry. With `to_fill` it is for somebody to fill: guidance
    comes first, and checks show nothing until a number is typed.
    """
    content = io.BytesIO()
    with xlsxwriter.Workbook(content) as book:
        _set_properties(book, template, collection, values)
        formats = _Formats(book)
        if to_fill:
            _write_guidance(_page(book, GUIDANCE), collection, to_fill, formats)
        reconstructed = values.get(("cover", "basis", "value")) == "reconstructed"
        for sheet in template.sheets:
            page = _page(book, sheet.name)
            page.set_landscape()
            _write_frame(page, sheet, collection, formats, reconstructed=reconstructed,
                         to_fill=bool(to_fill))  # fmt: skip
            # Of two sums in one cell the first makes it, and the check of the other looks on.
            summed = reversed([*checks(sheet)]) if to_fill == "summed" else ()
            sums = {check.total: check for check in summed}
            for row in sheet.rows:
                for entry in row.entries:
                    is_sum = entry.kind == "count" and row.sum_of
                    style = "entry_sum" if is_sum else _LOOKS["entries"][entry.kind]
                    look = formats["locked" if entry.locked else style]
                    line = sheet.row_numbers[entry.row_code] - 1
                    column = sheet.column_numbers[entry.column_code] - 1
                    text = values.get(entry.place)
                    if total := sums.get((entry.row_code, entry.column_code)):
                        page.write_formula(line, column, total.calculated, look, "")
                    elif text is not None and entry.kind == "date":
                        page.write_datetime(line, column, date.fromisoformat(text), look)
                    else:
                        _write_value(page, line, column, text, look)
            _write_validations(page, sheet, collection.census)
            for check in checks(sheet):
                _write_check(page, check, None if to_fill else values, formats)
            _write_beside(page, sheet, earlier or {}, formats)
    write_anew(path, as_ods(content) if path.suffix == ".ods" else content.getvalue())


def _set_properties(book: Any, template: Template, collection: Collection, values: Values) -> None:
    book.set_properties(
        {"title": f"{collection.title}: return", "author": "Muster", "created": _EPOCH}
    )
    book.set_custom_property("template", template.name)
    book.set_custom_property("template_version", str(template.version))
    book.set_custom_property("collection", collection.id)
    book.set_custom_property("force_code", values.get(("cover", "force_code", "value"), ""))


def _page(book: Any, name: str) -> Any:
    page = book.add_worksheet(name)
    page.protect("", {"select_locked_cells": True, "format_columns": True, "format_rows": True})
    page.hide_gridlines(2)
    page.set_paper(9)
    page.fit_to_pages(1, 0)
    return page


def _write_frame(
    page: Any,
    sheet: Sheet,
    collection: Collection,
    formats: _Formats,
    *,
    reconstructed: bool,
    to_fill: bool,
) -> None:
    page.freeze_panes(sheet.header_row, 2)
    single = len(sheet.columns) == 1
    page.set_column(0, 0, 28)
    page.set_column(1, 1, _LABEL_WIDTH)
    last = max([2 + len(sheet.columns), *(check.column - 1 for check in checks(sheet))])
    page.set_column(2, last, 34 if single else 17)
    page.set_row(sheet.header_row - 2, 62)
    page.write_string(0, 0, sheet.title, formats["title"])
    dates = _dates_of(collection)
    for line, text in enumerate(sheet.instructions, 1):
        told = _DATE.sub(lambda found: dates[found[1]], text)
        page.write_string(line, 0, told, formats["note"])
    if reconstructed:
        page.write_string(sheet.header_row - 2, 0, _RECONSTRUCTED, formats["warning"])
        page.set_footer(f"&C{_RECONSTRUCTED}")
    for column, label in enumerate(sheet.columns.values(), 2):
        page.write_string(sheet.header_row - 2, column, label, formats["heading"])
    for column, code in enumerate(sheet.header):
        page.write_string(sheet.header_row - 1, column, code, formats["code"])
    for row in sheet.rows:
        line = sheet.row_numbers[row.code] - 1
        page.write_string(line, 0, row.code, formats["code"])
        page.write_string(line, 1, row.label, formats["label_sum" if row.sum_of else "label"])
        if to_fill and (lines := lines_of(row.label, _LABEL_WIDTH)) > 1:
            page.set_row(line, LINE_HEIGHT * lines)


def _write_guidance(page: Any, collection: Collection, totals: Totals, formats: _Formats) -> None:
    """Write how to fill, check and send the return, by its template and its collection."""
    page.set_column(0, 0, _GUIDANCE_WIDTHS[0])
    page.set_column(1, 1, _GUIDANCE_WIDTHS[1])
    page.write_string(0, 0, GUIDANCE_MARK, formats["title"])
    entries = [entry for entry in collection.template.entries() if not entry.locked]
    every, sheets = Counter(entry.sheet for entry in entries), {}
    for reason in MISSING_REASONS:
        some = Counter(entry.sheet for entry in entries if reason in entry.missing)
        told = ((sheet, number, every[sheet]) for sheet, number in some.items())
        sheets[reason] = [f"{s} ({n} of {of} cells)" if n < of else s for s, n, of in told]
    rows = render(
        _GUIDANCE, collection=collection, dates=_dates_of(collection), entries=entries,
        reasons=MISSING_REASONS, sheets=sheets, totals=totals,
        check=command("check FILE", collection.id, kept=True),
    )  # fmt: skip
    for line, row in enumerate(rows.splitlines(), 2):
        head, text = row.split(" | ", 1)
        page.write_string(line, 0, head, formats["label_sum"])
        page.write_string(line, 1, text, formats["label"])
        of = zip((head, text), _GUIDANCE_WIDTHS, strict=True)
        page.set_row(line, LINE_HEIGHT * max(lines_of(*each) for each in of) + 4)


def _dates_of(collection: Collection) -> dict[str, str]:
    """Return the dates that instructions name, in words."""
    dates = {name: long_date(getattr(collection.deadlines, name)) for name in ("soft", "hard")}
    return {"period": _spelt(collection.period), "census": long_date(collection.census), **dates}


def _spelt(period: Period) -> str:
    """Return a period in words: 1 September 2011 to 31 May 2012."""
    return f"{long_date(period.start)} to {long_date(period.end)}"


def _write_value(page: Any, line: int, column: int, text: str | None, style: Any) -> None:
    if text is None:
        page.write_blank(line, column, None, style)
    elif text.isdigit():
        page.write_number(line, column, int(text), style)
    else:
        page.write_string(line, column, text, style)


def _write_validations(page: Any, sheet: Sheet, day: date) -> None:
    """Write one validation for all entries that accept the same; Excel moves its formula along."""
    lists = _long_lists(sheet)
    alike: dict[tuple[object, ...], list[Entry]] = {}
    for row in sheet.rows:
        for entry in row.entries:
            if not entry.locked:
                alike.setdefault((entry.kind, entry.answers, entry.missing), []).append(entry)
    for entries in alike.values():
        places = [sheet.address(entry.row_code, entry.column_code) for entry in entries]
        validation = _validation(entries[0], places[0], day)
        if column := lists.get(entries[0].answers):
            top, bottom = sheet.header_row + 1, sheet.header_row + len(entries[0].answers)
            at = column_letter(column + 1)
            validation["source"] = f"=${at}${top}:${at}${bottom}"
        page.data_validation(places[0], {**validation, "multi_range": " ".join(places)})


def _validation(entry: Entry, here: str, day: date) -> dict[str, Any]:
    found = dict(_LOOKS["validations"][entry.kind])
    if entry.kind == "answer":
        found["source"] = list(entry.answers)
    elif entry.kind == "date":
        found["error_message"] = found["error_message"].replace("{day}", day.isoformat())
    elif entry.kind == "count":
        whole = f"IF(ISNUMBER({here}),AND({here}>=0,{here}=INT({here})),FALSE)"
        words = "".join(f',{here}="{reason}"' for reason in entry.missing)
        found["value"] = f"=OR({whole}{words})"
        meant = "".join(f", or {reason} if {MISSING_REASONS[reason]}" for reason in entry.missing)
        found["error_message"] = found["error_message"].replace("{or}", meant)
    return found


def _write_check(page: Any, check: Check, values: Values | None, formats: _Formats) -> None:
    """Write a check with its result; it has none in a workbook to be filled, without values."""
    line, column = check.row - 1, check.column - 1
    if values is None:
        page.write_formula(line, column, check.formula_to_fill, formats["check"], "")
    else:
        result = ADDS_UP if check.holds(values) else DOES_NOT_ADD_UP
        page.write_formula(line, column, check.formula, formats["check"], result)
    good = {"type": "cell", "criteria": "==", "value": f'"{ADDS_UP}"'}
    page.conditional_format(line, column, line, column, good | {"format": formats["adds_up"]})
    if check.label:
        page.write_string(line, 1, check.label, formats["note"])


def _free(sheet: Sheet) -> int:
    """Return the first column, from 0, that is right of all entries and checks."""
    return max([*sheet.column_numbers.values(), *(check.column for check in checks(sheet))])


def _long_lists(sheet: Sheet) -> dict[tuple[str, ...], int]:
    """Return the lists of answers that a drop-down cannot hold, with their columns from 0."""
    lists = dict.fromkeys(entry.answers for row in sheet.rows for entry in row.entries)
    long = [answers for answers in lists if len(",".join(answers)) > _LONGEST_LIST]
    return {answers: column for column, answers in enumerate(long, _free(sheet))}


def _write_beside(page: Any, sheet: Sheet, earlier: EarlierValues, formats: _Formats) -> None:
    """Write what stands locked beside the table, and is never read.

    Long lists of answers come first, then a column of earlier values for each column of entries
    and time that has any.
    """
    lists = _long_lists(sheet)
    columns: list[tuple[str, str, Mapping[int, str | None]]] = [
        ("Answers to choose from", ANSWERS, dict(enumerate(answers, sheet.header_row)))
        for answers in lists
    ]
    for code, label in sheet.columns.items():
        for heading, values in earlier.items():
            rows = sheet.row_numbers.items()
            found = {line - 1: values.get((sheet.name, row, code)) for row, line in rows}
            if any(found.values()):
                columns.append((f"{heading}: {label}", EARLIER, found))
    first = _free(sheet)
    for column, (heading, code, told) in enumerate(columns, first):
        page.set_column(column, column, 22)
        page.write_string(sheet.header_row - 2, column, heading, formats["heading"])
        page.write_string(sheet.header_row - 1, column, code, formats["code"])
        for line, text in told.items():
            _write_value(page, line, column, text, formats["earlier"])
    if len(columns) > len(lists):
        page.set_row(sheet.header_row - 2, _EARLIER_HEIGHT)
        page.write_string(0, first + len(lists), _FOR_COMPARISON, formats["note"])


def write_blanks(
    folder: Path,
    collection: Collection,
    forces: Sequence[str] = (),
    earlier: Mapping[str, EarlierValues] | None = None,
    totals: Totals = "typed",
    suffix: Suffix = "xlsx",
) -> list[Path]:
    """Write one blank workbook a force, of those given or of all the collection expects.

    `earlier` has what to show beside the entries of each force, as `earlier_values` returns it.
    `totals` tells whether the force types them, or they are summed as it types their parts;
    `suffix`, whether it is a workbook of Excel or an OpenDocument spreadsheet.

    Raises:
        SetupError: a code is not that of a force the collection expects.
        LakeError: the folder cannot be written.
    """
    unknown = sorted(set(forces) - set(collection.forces))
    if unknown:
        raise SetupError(
            f"not forces of collection {collection.id}: {', '.join(unknown)}."
            f"{''.join(_ended(code, collection) for code in unknown)}"
            f" It expects {', '.join(collection.forces)}."
        )
    paths = []
    with write_errors(folder):
        folder.mkdir(parents=True, exist_ok=True)
        for force_code in forces or collection.forces:
            values = prefilled(collection, force_code, "submitted")
            before = (earlier or {}).get(force_code)
            paths.append(folder / f"{force_code}.{suffix}")
            write_workbook(paths[-1], collection.template, collection, values, before, totals)
    return paths


def prefilled(collection: Collection, force_code: str, basis: str) -> dict[Place, str]:
    """Return what stands on the cover before anybody fills it."""
    cover = {
        "template": collection.template.name,
        "template_version": str(collection.template.version),
        "collection": collection.id,
        "force_code": force_code,
        "force_name": collection.name_of(force_code),
        "basis": basis,
    }
    return {("cover", code, "value"): text for code, text in cover.items()}


def earlier_values(lake: Lake, collection: Collection) -> Mapping[str, EarlierValues]:
    """Return what each force told in the released collections before.

    Raises:
        LakeError: a release cannot be read.
    """
    told = previous_values(lake, collection).drop_nulls()
    found: dict[str, dict[str, Values]] = {}
    for (force_code, name), rows in told.partition_by(
        "force_code", "collection", as_dict=True, maintain_order=True
    ).items():
        period = earlier_releases(lake, collection)[str(name)].collection.period
        told_of = rows.select("sheet", "row_code", "column_code", "value").iter_rows()
        values = {(sheet, row, column): value for sheet, row, column, value in told_of}
        found.setdefault(str(force_code), {})[f"{name}, {_spelt(period)}"] = values
    return found


def _ended(force_code: str, collection: Collection) -> str:
    """Return when a force ended and whose workbook to ask for instead, "" for any other force."""
    if not (ended := collection.ended(force_code)):
        return ""
    day, successor = ended
    said = f" {force_code} ended on {day}, before the census."
    names = dict(
        forces_at(collection.root, collection.census).select("force_code", "full_name").rows()
    )
    if successor is None:
        return said
    told = f"{names[successor]} ({successor})" if successor in names else successor
    there = f": name {successor} instead." if successor in collection.forces else "."
    return f"{said} {told} succeeds it{there}"
