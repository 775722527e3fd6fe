"""Writes the return that a reading stands for as an OpenDocument spreadsheet."""

import zipfile
from collections.abc import Mapping
from pathlib import Path
from xml.sax.saxutils import escape, quoteattr

from assets.intake.reading import RawSheet, Reading

MIMETYPE = "application/vnd.oasis.opendocument.spreadsheet"
_SPACES = " ".join(
    f'xmlns:{prefix}="urn:oasis:names:tc:opendocument:xmlns:{name}:1.0"'
    for prefix, name in {
        "office": "office", "style": "style", "table": "table", "text": "text",
        "fo": "xsl-fo-compatible",
    }.items()
)  # fmt: skip
_CALCEXT = 'xmlns:calcext="urn:org:documentfoundation:names:experimental:calc:xmlns:calcext:1.0"'
STYLES = (
    '<style:style style:name="up" style:family="text">'
    '<style:text-properties style:text-position="super 58%"/></style:style>'
    '<style:style style:name="gone" style:family="text">'
    '<style:text-properties style:text-line-through-style="solid"/></style:style>'
    '<style:style style:name="void" style:family="table-cell">'
    '<style:text-properties style:text-line-through-style="solid"/></style:style>'
    '<style:style style:name="tongue" style:family="text">'
    '<style:text-properties fo:language="en" fo:country="GB"/></style:style>'
    '<style:style style:name="pale" style:family="table-cell">'
    '<style:text-properties fo:color="#FFFFFF"/></style:style>'
    '<style:style style:name="dark" style:family="table-cell" style:parent-style-name="pale">'
    '<style:table-cell-properties fo:background-color="#333333"/></style:style>'
    '<style:style style:name="speck" style:family="table-cell">'
    '<style:text-properties fo:font-size="1pt" fo:color="red"/></style:style>'
    '<style:style style:name="at times" style:family="table-cell">'
    '<style:map style:condition="cell-content()&gt;3" style:apply-style-name="pale"/></style:style>'
    '<style:style style:name="again" style:family="table-cell">'
    '<style:table-cell-properties style:repeat-content="true"/></style:style>'
    '<style:style style:name="away" style:family="table">'
    '<style:table-properties table:display="false"/></style:style>'
    '<style:style style:name="flat" style:family="table-row">'
    '<style:table-row-properties style:row-height="0in"/></style:style>'
    '<style:style style:name="flat" style:family="table-column">'
    '<style:table-column-properties style:column-width="0.02cm"/></style:style>'
)


def cell(text: str, kind: str) -> str:
    """Return the element of a cell as LibreOffice writes it."""
    shown = "".join(f"<text:p>{escape(line)}</text:p>" for line in text.split("\n"))
    if kind == "number":
        return (
            f'<table:table-cell office:value-type="float" office:value="{text}">{shown}'
            "</table:table-cell>"
        )
    if kind == "date":
        return (
            f'<table:table-cell office:value-type="date" office:date-value="{text}">{shown}'
            "</table:table-cell>"
        )
    return f'<table:table-cell office:value-type="string">{shown}</table:table-cell>'


def table(sheet: RawSheet, instead: Mapping[str, str]) -> str:
    """Return the element of a sheet; `instead` has elements of cells by address."""
    at = {(c.row, c.column): c for c in sheet.cells}
    rows = []
    for row in range(1, max(row for row, _ in at) + 1):
        cells = []
        for column in range(1, max(column for _, column in at) + 1):
            found = at.get((row, column))
            if found and found.address in instead:
                cells.append(instead[found.address])
            else:
                cells.append(cell(found.text, found.kind) if found else "<table:table-cell/>")
        rows.append(f"<table:table-row>{''.join(cells)}</table:table-row>")
    filler = (
        '<table:table-row table:number-rows-repeated="1048000">'
        '<table:table-cell table:number-columns-repeated="16384"/></table:table-row>'
    )
    return (
        f"<table:table table:name={quoteattr(sheet.name)}>"
        f'<table:table-column table:number-columns-repeated="16384"/>{"".join(rows)}{filler}'
        "</table:table>"
    )


def write_ods(
    path: Path,
    reading: Reading,
    instead: Mapping[tuple[str, str], str] | None = None,
    **members: str,
) -> Path:
    """Write the sheets of a reading; `instead` has elements of cells by sheet and address."""
    changes = instead or {}
    tables = "".join(
        table(sheet, {a: new for (name, a), new in changes.items() if name == sheet.name})
        for sheet in reading.sheets
    )
    return write_content(path, tables, **members)


def write_content(path: Path, tables: str, **members: str) -> Path:
    """Write a spreadsheet of these tables, and other members by name."""
    content = (
        f'<?xml version="1.0" encoding="UTF-8"?><office:document-content {_SPACES} {_CALCEXT}>'
        f"<office:automatic-styles>{STYLES}</office:automatic-styles>"
        f"<office:body><office:spreadsheet>{tables}</office:spreadsheet></office:body>"
        "</office:document-content>"
    )
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, part in {"mimetype": MIMETYPE, "content.xml": content, **members}.items():
            archive.writestr(name, part)
    return path
