"""Writes a return workbook as an OpenDocument spreadsheet: the same cells, locks and checks.

It is made of the Excel workbook that was made before, so that there is one description of both.
"""

import re
from datetime import datetime
from pathlib import Path
from typing import IO, Any, Final

from openpyxl import load_workbook
from openpyxl.utils.cell import get_column_letter as letter
from openpyxl.worksheet.cell_range import CellRange
from openpyxl.worksheet.datavalidation import DataValidation

from assets.html import render
from assets.ods_file import packed
from schemas.wording import LINE_HEIGHT

_TEMPLATE: Final = Path(__file__).parent / "templates" / "return.ods.j2"
_DAY: Final = "yyyy-mm-dd"
_SIDES: Final = {"left": "start", "center": "center"}


def as_ods(workbook: Path | IO[bytes]) -> bytes:
    """Return a return workbook that Muster wrote as an OpenDocument spreadsheet."""
    book, results = load_workbook(workbook), load_workbook(workbook, data_only=True)
    looks: dict[tuple[str, str], str] = {}
    rules: list[dict[str, Any]] = []
    ruled: dict[tuple[str, str], str] = {}
    for sheet in book.worksheets:
        for rule in sheet.data_validations.dataValidation:
            ranges = map(CellRange, str(rule.sqref).split())
            cells = [f"{letter(column)}{row}" for at in ranges for row, column in at.cells]
            name, at = f"v{len(rules)}", f"${sheet.title}.{cells[0]}"
            said = {"title": rule.errorTitle, "said": rule.error}
            rules.append({"name": name, "condition": _condition(rule), "at": at, **said})
            ruled |= dict.fromkeys([(sheet.title, cell) for cell in cells], name)

    def style(family: str, of: str) -> str:
        """Return the name of a style, given its family and what may follow that."""
        return looks.setdefault((family, of), f"s{len(looks)}")

    text = render(
        _TEMPLATE, book=book, results=results, day=_DAY, sides=_SIDES, rules=rules,
        ruled=ruled, looks=looks, style=style, letter=letter, line_height=LINE_HEIGHT,
        stored=_stored, formula=_formula,
    )  # fmt: skip
    return packed(text.rstrip("\n"))


def _stored(value: Any) -> tuple[str, str]:
    """Return a value as a cell has it, and as it is shown."""
    if isinstance(value, datetime):
        day = value.date().isoformat()
        return f'office:value-type="date" office:date-value="{day}"', day
    if isinstance(value, int | float):
        return f'office:value-type="float" office:value="{value}"', str(value)
    if value is None:  # of a formula that was never calculated
        return "", ""
    return 'office:value-type="string"', str(value)


_REFERENCE: Final = re.compile(r"(\$?[A-Z]{1,3}\$?[0-9]+)(?::(\$?[A-Z]{1,3}\$?[0-9]+))?")


def _formula(formula: str) -> str:
    """Return one of our formulas as OpenDocument writes it: `of:=SUM([.C6:.D6];[.C8])`."""
    parts = formula.split('"')
    for number in range(0, len(parts), 2):  # between quotes stand words
        parts[number] = _REFERENCE.sub(
            lambda at: f"[.{at[1]}:.{at[2]}]" if at[2] else f"[.{at[1]}]", parts[number]
        ).replace(",", ";")
    return "of:" + '"'.join(parts)


def _condition(rule: DataValidation) -> str:
    """Return what a validation asks for, as OpenDocument writes it."""
    said = str(rule.formula1)
    if rule.type == "list":
        listed = said.strip('"').split(",")
        quoted = ";".join(f'"{each}"' for each in listed)
        of_cells = _formula(said).removeprefix("of:=")
        return f"of:cell-content-is-in-list({of_cells if said.startswith('=') else quoted})"
    if rule.type == "date":
        return f"of:cell-content-is-date() and cell-content()>={said}"
    if rule.type == "textLength":
        return f"of:cell-content-text-length()<={said}"
    return f"of:is-true-formula({_formula(said).removeprefix('of:').removeprefix('=')})"
