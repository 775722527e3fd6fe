"""The typed entries of a return as the tables that rules read: one column a code.

Belongs here: how long entries become wide rows. Each view has, beside a number column for each
code, a text column `<code>:missing` that says why there is no number.
"""

from dataclasses import dataclass
from functools import cached_property
from typing import Final, Literal

import polars as pl

from schemas.returns_template import returns_template
from schemas.template import Sheet

Axis = Literal["row_code", "column_code"]
MISSING: Final = ":missing"


@dataclass(frozen=True)
class View:
    """One sheet with the codes of one axis spread over columns.

    A sheet of one column is a single row a receipt; of any other, there is one row for each code
    of the axis that is not spread.
    """

    name: str
    sheet: str
    spread: Axis

    @property
    def along(self) -> Axis:
        """The axis that is not spread."""
        return "column_code" if self.spread == "row_code" else "row_code"

    @property
    def along_code(self) -> pl.Expr:
        """The code of a row of the view on the axis that is not spread."""
        return pl.col(self.along)

    @cached_property
    def codes(self) -> list[str]:
        """The codes that are columns of the view."""
        sheet = self._sheet
        return [row.code for row in sheet.rows] if self.spread == "row_code" else [*sheet.columns]

    @cached_property
    def schema(self) -> dict[str, type[pl.DataType]]:
        """Columns of the view and their types."""
        return {
            "receipt_id": pl.String,
            self.along: pl.String,
            **dict.fromkeys(self.codes, pl.Int64),
            **{code + MISSING: pl.String for code in self.codes},
        }

    @property
    def _sheet(self) -> Sheet:
        return returns_template().sheet(self.sheet)

    def frame(self, entries: pl.DataFrame) -> pl.DataFrame:
        """Return the view of the entries; a code that was not found is null."""
        index = ["receipt_id", self.along]
        mine = entries.filter(pl.col("sheet") == self.sheet)
        numbers = mine.pivot(on=self.spread, index=index, values="number")
        missing = mine.pivot(on=self.spread, index=index, values="missing").rename(
            lambda name: name if name in index else name + MISSING
        )
        wide = numbers.join(missing, on=index, validate="1:1").sort(index)
        return wide.select(
            pl.col(name).cast(dtype) if name in wide.columns else pl.lit(None, dtype).alias(name)
            for name, dtype in self.schema.items()
        )


VIEWS: Final = {
    view.name: view
    for view in (
        View("investigation_rows", "investigations", "column_code"),
        View("investigation_columns", "investigations", "row_code"),
        View("register_rows", "registers", "column_code"),
        View("second_jobs", "second_jobs", "row_code"),
    )
}
