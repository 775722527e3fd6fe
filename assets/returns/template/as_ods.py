"""Writes a return workbook as an OpenDocument spreadsheet: the same cells, locks and checks.

It is made of the Excel workbook that was made before, so that there is one description of both.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any, Final

from markupsafe import Markup, escape
from openpyxl import load_workbook
from openpyxl.cell.cell import Cell
from openpyxl.utils.cell import get_column_letter
from openpyxl.worksheet.datavalidation import DataValidation
from openpyxl.worksheet.worksheet import Worksheet

from assets.ods_file import OASIS, packed
from schemas.wording import LINE_HEIGHT

_NAMES: Final = " ".join(
    f'xmlns:{prefix}="{OASIS}:{name}:1.0"'
    for prefix, name in {
        "office": "office", "style": "style", "table": "table", "text": "text",
        "fo": "xsl-fo-compatible", "number": "datastyle",
    }.items()
) + f' xmlns:of="{OASIS}:of:1.2" xmlns:xlink="http://www.w3.org/1999/xlink"'  # fmt: skip
_CENTIMETRES: Final = 0.2
"""Width of a letter, about."""


def as_ods(workbook: Path) -> bytes:
    """Return a return workbook that Muster wrote as an OpenDocument spreadsheet."""
    book, results = load_workbook(workbook), load_workbook(workbook, data_only=True)
    made = _Made()
    tables = [made.table(sheet, results[sheet.title]) for sheet in book.worksheets]
    styles = "".join(made.styles())
    rules = f"<table:content-validations>{''.join(made.rules)}</table:content-validations>"
    return packed(
        f'<office:document-content {_NAMES} office:version="1.3">'
        f"<office:automatic-styles>{styles}</office:automatic-styles>"
        f"<office:body><office:spreadsheet>{rules}{''.join(tables)}"
        "</office:spreadsheet></office:body></office:document-content>"
    )


_DATE: Final = (
    '<number:date-style style:name="day"><number:year number:style="long"/>'
    '<number:text>-</number:text><number:month number:style="long"/>'
    '<number:text>-</number:text><number:day number:style="long"/></number:date-style>'
)


_OF_CELLS: Final = '"table-cell"'


@dataclass
class _Made:
    """What the sheets of one document have in common: looks by what they are, and validations."""

    looks: dict[tuple[str, str], str] = field(default_factory=dict)
    rules: list[str] = field(default_factory=list)

    def styles(self) -> Iterator[str]:
        """Yield the automatic styles."""
        yield _DATE
        for (family, looks), name in self.looks.items():
            yield f'<style:style style:name="{name}" style:family={family}>{looks}</style:style>'

    def style(self, family: str, looks: str) -> str:
        """Return the name of a style, given its family and what may follow that."""
        return self.looks.setdefault((family, looks), f"s{len(self.looks)}")

    def table(self, sheet: Worksheet, results: Worksheet) -> str:
        """Return a sheet."""
        rules = dict(self._validations(sheet))
        letters = map(get_column_letter, range(1, sheet.max_column + 1))
        widths = (sheet.column_dimensions[letter].width * _CENTIMETRES for letter in letters)
        columns = "".join(self._sized("column", "width", f"{width:.1f}cm") for width in widths)
        rows = []
        for number, cells in enumerate(sheet.iter_rows(), 1):
            height = sheet.row_dimensions[number].height or LINE_HEIGHT
            made = (self._cell(cell, results[cell.coordinate].value, rules) for cell in cells)
            open_row = self._sized("row", "height", f"{height:g}pt").removesuffix("/>")
            rows.append(f"{open_row}>{''.join(made)}</table:table-row>")
        locked = ' table:protected="true"' if sheet.protection.sheet else ""
        printed = f'"table" style:master-page-name="{sheet.page_setup.orientation or "portrait"}"'
        looks = self.style(printed, '<style:table-properties table:display="true"/>')
        name = f'table:name="{escape(sheet.title)}" table:style-name="{looks}"'
        head = f"<table:table {name}{locked}>"
        return f"{head}{columns}{''.join(rows)}</table:table>"

    def _sized(self, what: str, side: str, size: str) -> str:
        # Every program has its own letters: it makes a row as high as it needs.
        fit = ' style:use-optimal-row-height="true"' if what == "row" else ""
        properties = f'<style:table-{what}-properties style:{what}-{side}="{size}"{fit}/>'
        name = self.style(f'"table-{what}"', properties)
        return f'<table:table-{what} table:style-name="{name}"/>'

    def _cell(self, cell: Any, result: Any, rules: dict[str, str]) -> str:
        day = ' style:data-style-name="day"' * (cell.number_format == "yyyy-mm-dd")
        looks = f' table:style-name="{self.style(f"{_OF_CELLS}{day}", _looks(cell))}"'
        if cell.coordinate in rules:
            looks += f' table:content-validation-name="{rules[cell.coordinate]}"'
        if cell.value is None:
            return f"<table:table-cell{looks}/>"
        if cell.data_type == "f":
            looks += f' table:formula="{escape(_formula(cell.value))}"'
        value, shown = _stored(result)
        return (
            f"<table:table-cell{looks} {value}><text:p>{escape(shown)}</text:p></table:table-cell>"
        )

    def _validations(self, sheet: Worksheet) -> Iterator[tuple[str, str]]:
        """Yield the name of the validation of each cell that has one."""
        for rule in sheet.data_validations.dataValidation:
            name = f"v{len(self.rules)}"
            cells = [cell for part in str(rule.sqref).split() for cell in _cells_of(sheet, part)]
            said = Markup(
                '<table:content-validation table:name="{}" table:condition="{}"'
                ' table:allow-empty-cell="true" table:base-cell-address="{}">'
                '<table:error-message table:title="{}" table:display="true"'
                ' table:message-type="stop"><text:p>{}</text:p></table:error-message>'
                "</table:content-validation>"
            ).format(
                name, _condition(rule), f"${sheet.title}.{cells[0]}", rule.errorTitle, rule.error
            )
            self.rules.append(said)
            yield from dict.fromkeys(cells, name).items()


def _cells_of(sheet: Worksheet, part: str) -> Iterator[str]:
    found = sheet[part]
    for row in found if isinstance(found, tuple) else ((found,),):
        yield from (cell.coordinate for cell in row)


def _looks(cell: Cell) -> str:
    """Return the properties of a cell's style."""
    fill, font, place = cell.fill, cell.font, cell.alignment
    of_cell = [f'style:cell-protect="{"protected" if cell.protection.locked else "none"}"']
    if fill.fill_type == "solid":
        of_cell.append(f'fo:background-color="#{fill.fgColor.rgb[-6:]}"')
    if cell.border.left is not None and cell.border.left.style:
        of_cell.append('fo:border="0.5pt solid #999999"')
    if place.wrap_text:
        of_cell.append('fo:wrap-option="wrap"')
    if place.vertical:
        of_cell.append(f'style:vertical-align="{_VERTICAL.get(place.vertical, place.vertical)}"')
    of_text = ['fo:font-weight="bold"'] * bool(font.b) + ['fo:font-style="italic"'] * bool(font.i)
    if font.sz:
        of_text.append(f'fo:font-family="{font.name}" fo:font-size="{font.sz:g}pt"')
    # A check is red until it is right, which only Excel's conditional format shows.
    if font.color is not None and isinstance(font.color.rgb, str) and cell.data_type != "f":
        of_text.append(f'fo:color="#{font.color.rgb[-6:]}"')
    side = {"left": "start", "center": "center"}.get(place.horizontal or "")
    aligned = f'<style:paragraph-properties fo:text-align="{side}"/>' if side else ""
    return (
        f"<style:table-cell-properties {' '.join(of_cell)}/>{aligned}"
        f"<style:text-properties {' '.join(of_text)}/>"
        + "<!--day-->"
        * (cell.number_format == "yyyy-mm-dd")
    )


_VERTICAL: Final = {"center": "middle"}


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
