"""Workbooks written part by part, to hold what no library would write."""

import zipfile
from collections.abc import Callable
from pathlib import Path

from assets.intake.reader import read_return
from assets.intake.reading import Cell, Reading

MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
STRICT = {MAIN: "http://purl.oclc.org/ooxml/spreadsheetml/main"}
STRICT[OFFICE] = "http://purl.oclc.org/ooxml/officeDocument/relationships"
PACKAGE = "http://schemas.openxmlformats.org/package/2006/relationships"

STYLES = (
    '<numFmts><numFmt numFmtId="164" formatCode="yyyy\\-mm\\-dd hh:mm"/>'
    '<numFmt numFmtId="165" formatCode="#,##0 &quot;days&quot;"/></numFmts>'
    '<fonts><font><sz val="11"/><name val="Arial"/></font><font><strike/></font>'
    '<font><vertAlign val="superscript"/></font><font><strike val="0"/></font></fonts>'
    "<cellStyleXfs><xf numFmtId='9'/></cellStyleXfs>"
    "<cellXfs><xf/><xf numFmtId='164'/><xf numFmtId='165'/><xf numFmtId='9'/><xf fontId='1'/>"
    "<xf fontId='2'/><xf fontId='3'/><xf numFmtId='14'/><xf numFmtId='x' fontId='99'/></cellXfs>"
)
_, MOMENT, DAYS, PERCENT, STRUCK, RAISED, NOT_STRUCK, DAY, FAULTY = range(9)


def parts(*sheets: str, texts: str = "", styles: str = STYLES, book: str = "") -> dict[str, str]:
    """Return the parts of a workbook with these rows of cells in its sheets a, b, c..."""
    names = [chr(ord("a") + number) for number in range(len(sheets))]
    listed = "".join(f'<sheet name="{n}" sheetId="1" r:id="{n}"/>' for n in names)
    links = [(name, "worksheet", f"worksheets/{name}.xml") for name in names]
    links += [("texts", "sharedStrings", "texts.xml"), ("looks", "styles", "looks.xml")]
    head = f'<workbook xmlns="{MAIN}" xmlns:r="{OFFICE}">'
    found = {
        "_rels/.rels": _links([("book", "officeDocument", "xl/workbook.xml")]),
        "xl/workbook.xml": f"{head}{book}<sheets>{listed}</sheets></workbook>",
        "xl/_rels/workbook.xml.rels": _links(links),
        "xl/texts.xml": f'<sst xmlns="{MAIN}">{texts}</sst>',
        "xl/looks.xml": f'<styleSheet xmlns="{MAIN}">{styles}</styleSheet>',
    }
    for name, rows in zip(names, sheets, strict=True):
        data = f"<sheetData>{rows}</sheetData>" if "<sheetData" not in rows else rows
        found[f"xl/worksheets/{name}.xml"] = f'<worksheet xmlns="{MAIN}">{data}</worksheet>'
    return found


def _links(links: list[tuple[str, str, str]]) -> str:
    inner = "".join(
        f'<Relationship Id="{name}" Type="{OFFICE}/{kind}" Target="{target}"/>'
        for name, kind, target in links
    )
    return f'<Relationships xmlns="{PACKAGE}">{inner}</Relationships>'


def write(folder: Path, members: dict[str, str]) -> Path:
    """Write the parts as a workbook."""
    path = folder / "made.xlsx"
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return path


def read(
    folder: Path, *sheets: str, texts: str = "", styles: str = STYLES, book: str = ""
) -> Reading:
    """Return the reading of a workbook with these rows of cells."""
    return read_return(write(folder, parts(*sheets, texts=texts, styles=styles, book=book)))


def cells(reading: Reading, sheet: int = 0) -> dict[str, Cell]:
    """Return the cells of a sheet by address."""
    assert reading.refusal is None, reading.refusal
    return {cell.address: cell for cell in reading.sheets[sheet].cells}


def row(*inner: str) -> str:
    """Return row 1 with these cells side by side; each is attributes and content of its <c>."""
    made = "".join(f'<c r="{chr(ord("A") + n)}1"{cell}</c>' for n, cell in enumerate(inner))
    return f'<row r="1">{made}</row>'


def rewritten(path: Path, to: Path, part: str, change: Callable[[str], str]) -> Path:
    """Write a workbook again with one of its parts changed."""
    with zipfile.ZipFile(path) as archive:
        found = {name: archive.read(name) for name in archive.namelist()}
    found[part] = change(found[part].decode()).encode()
    with zipfile.ZipFile(to, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in found.items():
            archive.writestr(name, content)
    return to


def strict(part: str) -> str:
    """Return a part in the namespaces of ISO strict workbooks."""
    for transitional, other in STRICT.items():
        part = part.replace(transitional, other)
    return part
