"""Writes the return workbook: blank for a force to fill, or filled with given values.

Belongs here: how the template looks and helps in Excel. Does not: what it consists of
(schemas/template.py). The same input gives the same bytes.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from pathlib import Path
from typing import Any, Final

import xlsxwriter

from assets.template.checks import Check, checks
from schemas.collection import Collection
from schemas.template import HEADER_ROW, Entry, Sheet, Template
from schemas.vocabulary import MISSING_REASONS

Values = Mapping[tuple[str, str, str], str]
"""Values by (sheet, row code, column code), in plain text form; an absent one is left blank."""

_EPOCH: Final = datetime(2012, 1, 1)
_RECONSTRUCTED: Final = "RECONSTRUCTED sample: made by Muster, not sent by any police force."


@dataclass
class _Formats:
    book: Any
    made: dict[str, Any] = field(default_factory=dict)

    _STYLES = {  # noqa: RUF012 - read only
        "title": {"bold": True, "font_size": 14},
        "note": {"italic": True, "font_color": "#333333"},
        "warning": {"bold": True, "font_color": "#9C0006"},
        "heading": {"bold": True, "text_wrap": True, "valign": "bottom"},
        "code": {"font_color": "#666666", "font_size": 9},
        "label": {"text_wrap": True, "valign": "top"},
        "locked": {"border": 1, "bg_color": "#EEEEEE"},
        "entry": {"border": 1, "bg_color": "#FFF9DB", "locked": False},
        "date": {
            "border": 1,
            "bg_color": "#FFF9DB",
            "locked": False,
            "num_format": "yyyy-mm-dd",
            "align": "left",
        },
        "check": {"italic": True, "font_color": "#9C0006"},
        "adds_up": {"font_color": "#006100"},
    }

    def __getitem__(self, name: str) -> Any:
        if name not in self.made:
            self.made[name] = self.book.add_format(self._STYLES[name])
        return self.made[name]


def write_workbook(path: Path, template: Template, collection: Collection, values: Values) -> None:
    """Write a return workbook.

    `values` gives the prefilled cells; the cover's `basis` decides whether the workbook is
    labelled as reconstructed.
    """
    with xlsxwriter.Workbook(str(path)) as book:
        _set_properties(book, template, collection, values)
        formats = _Formats(book)
        reconstructed = values.get(("cover", "basis", "value")) == "reconstructed"
        for sheet in template.sheets:
            page = book.add_worksheet(sheet.name)
            _write_frame(page, sheet, formats, reconstructed=reconstructed)
            for row in sheet.rows:
                for entry in row.entries:
                    _write_entry(page, sheet, entry, values, formats)
            _write_validations(page, sheet)
            for check in checks(sheet):
                _write_check(page, check, values, formats)


def _set_properties(book: Any, template: Template, collection: Collection, values: Values) -> None:
    book.set_properties(
        {"title": f"{collection.title}: return", "author": "Muster", "created": _EPOCH}
    )
    book.set_custom_property("template", template.name)
    book.set_custom_property("template_version", str(template.version))
    book.set_custom_property("collection", collection.id)
    book.set_custom_property("force_code", values.get(("cover", "force_code", "value"), ""))


def _write_frame(page: Any, sheet: Sheet, formats: _Formats, *, reconstructed: bool) -> None:
    page.protect("", {"select_locked_cells": True, "format_columns": True, "format_rows": True})
    page.set_landscape()
    page.set_paper(9)
    page.fit_to_pages(1, 0)
    page.repeat_rows(HEADER_ROW - 1)
    page.freeze_panes(HEADER_ROW, 2)
    page.set_column(0, 0, 34)
    page.set_column(1, 1, 58)
    page.set_column(2, 1 + len(sheet.columns), 30 if len(sheet.columns) == 1 else 17)
    page.set_column(2 + len(sheet.columns), 2 + len(sheet.columns), 18)
    page.write_string(0, 0, sheet.title, formats["title"])
    for line, text in enumerate(sheet.instructions, 1):
        page.write_string(line, 0, text, formats["note"])
    if reconstructed:
        page.write_string(0, 2, _RECONSTRUCTED, formats["warning"])
        page.set_footer(f"&C{_RECONSTRUCTED}")
    for column, label in enumerate(sheet.columns.values(), 2):
        page.write_string(HEADER_ROW - 2, column, label, formats["heading"])
    for column, code in enumerate(sheet.header):
        page.write_string(HEADER_ROW - 1, column, code, formats["code"])
    for row in sheet.rows:
        line = sheet.row_numbers[row.code] - 1
        page.write_string(line, 0, row.code, formats["code"])
        page.write_string(line, 1, row.label, formats["label"])


def _write_entry(page: Any, sheet: Sheet, entry: Entry, values: Values, formats: _Formats) -> None:
    line = sheet.row_numbers[entry.row_code] - 1
    column = sheet.column_numbers[entry.column_code] - 1
    text = values.get(entry.place)
    style = formats["locked" if entry.locked else "date" if entry.kind == "date" else "entry"]
    if text is None:
        page.write_blank(line, column, None, style)
    elif entry.kind == "date":
        page.write_datetime(line, column, date.fromisoformat(text), style)
    elif text.isdigit():
        page.write_number(line, column, int(text), style)
    else:
        page.write_string(line, column, text, style)


def _write_validations(page: Any, sheet: Sheet) -> None:
    """Write one validation for all entries that accept the same; Excel moves its formula along."""
    alike: dict[tuple[object, ...], list[Entry]] = {}
    for row in sheet.rows:
        for entry in row.entries:
            if not entry.locked:
                alike.setdefault((entry.kind, entry.answers, entry.missing), []).append(entry)
    for entries in alike.values():
        places = [sheet.address(entry.row_code, entry.column_code) for entry in entries]
        validation = _validation(entries[0], places[0])
        page.data_validation(places[0], {**validation, "multi_range": " ".join(places)})


def _validation(entry: Entry, here: str) -> dict[str, Any]:
    if entry.kind == "answer":
        return {
            "validate": "list",
            "source": list(entry.answers),
            "error_title": "Not an answer of the list",
            "error_message": "Choose one of the answers in the drop-down list.",
        }
    if entry.kind == "date":
        return {
            "validate": "date",
            "criteria": ">=",
            "value": date(2000, 1, 1),
            "error_title": "Not a date",
            "error_message": "Type a date, such as 2012-05-31.",
        }
    if entry.kind == "text":
        return {
            "validate": "length",
            "criteria": "<=",
            "value": 200,
            "error_title": "Too long",
            "error_message": "At most 200 characters.",
        }
    whole = f"IF(ISNUMBER({here}),AND({here}>=0,{here}=INT({here})),FALSE)"
    words = "".join(f',{here}="{reason}"' for reason in entry.missing)
    meaning = "".join(f", or {reason} if {MISSING_REASONS[reason]}" for reason in entry.missing)
    return {
        "validate": "custom",
        "value": f"=OR({whole}{words})",
        "error_title": "Not a whole number",
        "error_message": f"Type a whole number; 0 for nil{meaning}.",
    }


def _write_check(page: Any, check: Check, values: Values, formats: _Formats) -> None:
    line, column = check.row - 1, check.column - 1
    result = "adds up" if check.holds(values) else "does not add up"
    page.write_formula(line, column, check.formula, formats["check"], result)
    page.conditional_format(
        line,
        column,
        line,
        column,
        {
            "type": "cell",
            "criteria": "==",
            "value": '"adds up"',
            "format": formats["adds_up"],
        },
    )
    if check.label:
        page.write_string(line, 1, check.label, formats["note"])
