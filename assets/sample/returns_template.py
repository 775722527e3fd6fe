"""What the sample knows of template `returns-1`, read from its description."""

from dataclasses import dataclass
from typing import Final

from schemas.template import Template
from schemas.template_file import load_template

TOTAL: Final = "total"
SUSPENDED: Final = "people_suspended"


@dataclass(frozen=True)
class InvestigationRow:
    """What a row of the investigations sheet counts; null where the split does not apply.

    `is_part` is false for the subtotal and the total, which repeat what other rows say.
    """

    code: str
    label: str
    category: str | None
    recipient: str | None = None
    media: str | None = None
    is_part: bool = True


def returns_template() -> Template:
    """Return template `returns`, version 1."""
    return load_template("returns-1")


def _investigation_rows() -> tuple[InvestigationRow, ...]:
    sheet = returns_template().sheet("investigations")
    dims = {row.code: row.entries[0].dims for row in sheet.rows}
    return tuple(
        InvestigationRow(
            row.code,
            row.label,
            dims[(row.sum_of or (row.code,))[0]].get("category") if row.code != TOTAL else None,
            dims[row.code].get("recipient"),
            dims[row.code].get("media"),
            is_part=not row.sum_of,
        )
        for row in sheet.rows
    )


INVESTIGATION_ROWS: Final = _investigation_rows()
