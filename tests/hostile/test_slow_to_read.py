"""A small file that says the same thing very often is read in no time, or refused."""

import zipfile
from collections.abc import Callable
from pathlib import Path
from time import process_time

import pytest

from assets.intake.reader import read_return
from tests.intake.workbooks import parts, row, write

Write = Callable[[Path], Path]
OFTEN = 60_000


def _book(rows: str, styles: str = "") -> Write:
    return lambda folder: write(folder, parts(rows, styles=styles))


def _csv(name: str, text: str) -> Write:
    def write_zip(folder: Path) -> Path:
        with zipfile.ZipFile(folder / "a.zip", "w") as archive:
            archive.writestr(name, text)
        return folder / "a.zip"

    return write_zip


FORMAT = f'<numFmts><numFmt numFmtId="164" formatCode="{"[" * OFTEN}"/></numFmts>'
SHARED = "".join(
    f'<row><c><f t="shared" si="0">{f}</f><v>1</v></c></row>' for f in ("[" * OFTEN, "")
)
FILES = {
    "a number format": _book(row("><v>1</v>"), f'{FORMAT}<cellXfs><xf numFmtId="164"/></cellXfs>'),
    "a shared formula": _book(SHARED),
    "spaces after the code": _csv("cover.csv", f"code{' ' * OFTEN}x\n"),
    "dashes in a name": _csv(f"{'-' * OFTEN}x.csv", "code,value\n"),
}


@pytest.mark.parametrize("name", FILES)
def test_it_takes_no_time(name: str, tmp_path: Path) -> None:
    path = FILES[name](tmp_path)
    begun = process_time()
    reading = read_return(path)
    assert process_time() - begun < 1
    assert reading.refusal is None
    assert all(cell.doubt for sheet in reading.sheets for cell in sheet.cells if cell.text == "1")
