"""A kept research file row by row, so that a figure can be traced to its cells.

Belongs here: finding the file by its hash, and the addresses of its cells. Does not: which cells
make a figure (assets/explain/research.py).
"""

import hashlib
from dataclasses import dataclass, replace
from pathlib import Path

import polars as pl
from openpyxl.utils import get_column_letter

from assets.research.reading import read_rows
from assets.research.table import ROW
from schemas.collection import Collection
from schemas.errors import LakeError


@dataclass(frozen=True)
class Evidence:
    """A research file as it was received.

    `rows`: the columns of its contract and ROW. `headings`: the columns in the order of the file.
    """

    file: str
    sha256: str
    rows: pl.DataFrame
    headings: tuple[str, ...]

    def where(self, holds: pl.Expr) -> "Evidence":
        """Return the rows of which something holds."""
        return replace(self, rows=self.rows.filter(holds))

    def cell(self, column: str) -> pl.Expr:
        """Return the address of a column's cell in each row, as a spreadsheet shows it."""
        letter = get_column_letter(self.headings.index(column) + 1)
        return pl.format(f"{letter}{{}}", pl.col(ROW))


def evidence(kept: Path, file: str, sha256: str, collection: Collection) -> Evidence:
    """Return a kept research file by its name and hash.

    Raises:
        LakeError: it is gone, or no longer what was received.
    """
    for path in kept.glob(f"*-{sha256}/{file}"):
        content = path.read_bytes()
        if hashlib.sha256(content).hexdigest() == sha256:
            return Evidence(file, sha256, *read_rows(file, content, collection))
    raise LakeError(
        kept / file,
        f"the research file with the sha256 {sha256} is gone or has changed",
        "Restore it from the backup of the lake.",
    )
