"""Makes the summary of a release as an OpenDocument spreadsheet: the sheets of workbook.py."""

from collections.abc import Iterator
from typing import Final

from markupsafe import Markup, escape

from assets.ods_file import OASIS, packed
from assets.release.pages.content import Cell, Figure
from assets.release.pages.figures import Edition
from assets.release.pages.workbook import Sheet, sheets, shorthand, words_in

_NAMES: Final = " ".join(
    f'xmlns:{prefix}="{OASIS}:{name}:1.0"'
    for prefix, name in {
        "office": "office", "style": "style", "table": "table", "text": "text",
        "fo": "xsl-fo-compatible",
    }.items()
) + ' xmlns:xlink="http://www.w3.org/1999/xlink"'  # fmt: skip
_CENTIMETRES: Final = 0.2
"""Width of a letter, about."""


def open_document(edition: Edition) -> bytes:
    """Return the summary of a release as an OpenDocument spreadsheet.

    Raises:
        SetupError: there is no such collection.
    """
    return packed("".join(_content(sheets(edition))))


def _content(made: list[Sheet]) -> Iterator[str]:
    yield f'<office:document-content {_NAMES} office:version="1.3"><office:automatic-styles>'
    widths = sorted({width for sheet in made for width in sheet.widths})
    for width in widths:
        size = f'<style:table-column-properties style:column-width="{width * _CENTIMETRES:.1f}cm"/>'
        yield f'<style:style style:name="w{width}" style:family="table-column">{size}</style:style>'
    bold = '<style:text-properties fo:font-weight="bold"/>'
    wrap = '<style:table-cell-properties fo:wrap-option="wrap" style:vertical-align="top"/>'
    for name, looks in {"head": bold + wrap, "text": wrap}.items():
        yield f'<style:style style:name="{name}" style:family="table-cell">{looks}</style:style>'
    yield "</office:automatic-styles><office:body><office:spreadsheet>"
    for sheet in made:
        yield from _sheet(sheet)
    yield "</office:spreadsheet></office:body></office:document-content>"


def _sheet(sheet: Sheet) -> Iterator[str]:
    yield f'<table:table table:name="{escape(sheet.name)}">'
    for width in sheet.widths:
        yield f'<table:table-column table:style-name="w{width}"/>'
    yield _row([_text(sheet.title, "head")])
    # Lines above a table run over its columns: wrapped they would be as narrow as the first.
    for line in sheet.lines:
        yield _row([_text(line, "" if sheet.heads else "text")])
    if sheet.heads:
        yield _row([_text(head.label, "head") for head in sheet.heads])
    for cells in sheet.rows:
        yield _row(
            _link(cell.text) if sheet.linked and not number else _cell(cell)
            for number, cell in enumerate(cells)
        )
    yield "</table:table>"


def _row(cells: Iterator[str] | list[str]) -> str:
    return f"<table:table-row>{''.join(cells)}</table:table-row>"


def _cell(cell: Cell) -> str:
    content = cell.content
    if not isinstance(content, Figure) or isinstance(content.value, str | bool):
        return _text(words_in(cell), "text")
    if content.number is None:
        return _text(shorthand(content), "")
    number = f'office:value-type="float" office:value="{content.number!r}"'
    return f"<table:table-cell {number}><text:p>{escape(cell.text)}</text:p></table:table-cell>"


def _link(name: str) -> str:
    href = Markup('<text:a xlink:type="simple" xlink:href="#{}.A1">{}</text:a>').format(name, name)
    return (
        f'<table:table-cell office:value-type="string"><text:p>{href}</text:p></table:table-cell>'
    )


def _text(words: str, look: str) -> str:
    style = f' table:style-name="{look}"' if look else ""
    kind = f'<table:table-cell office:value-type="string"{style}>'
    return f"{kind}<text:p>{escape(words)}</text:p></table:table-cell>"
