"""The sheet on which a return says whose it is, and what a template's may lack."""

from collections.abc import Iterator, Sequence
from typing import Final

from schemas.faults import Fault
from schemas.measures import SheetLines
from schemas.toml_lines import Loc
from schemas.vocabulary import BASES

COVER: Final = {
    "template": "text", "template_version": "text", "collection": "text", "force_code": "text",
    "force_name": "text", "data_as_at": "date", "submitted_on": "date",
    "signed_off_by_role": "text", "basis": "answer",
}  # fmt: skip
"""What every return says of itself on the sheet `cover`, in the column `value`."""

PREFILLED: Final = (
    "template", "template_version", "collection", "force_code", "force_name", "basis",
)  # fmt: skip
"""What stands on the cover before anybody fills it: these rows alone can be locked."""


def cover_faults(sheets: Sequence[SheetLines]) -> Iterator[Fault]:
    """Yield what the sheet `cover` lacks, of the sheets of a template's file."""
    found = ((i, sheet) for i, sheet in enumerate(sheets) if sheet.name == "cover")
    number, cover = next(found, (0, None))
    if cover is None:
        yield ("sheet",), "there is no sheet 'cover', on which a return says whose it is"
        return
    rows = {row.code: (i, row.kind or cover.kind) for i, row in enumerate(cover.rows)}
    for code, kind in COVER.items():
        place, of = rows.get(code, (None, ""))
        if of != kind:
            at: Loc = ("sheet", number, "rows")
            at = at if place is None else (*at, place)
            yield at, f"the cover needs a row {code!r} of kind {kind}"
    for place, row in enumerate(cover.rows):
        at = ("sheet", number, "rows", place)
        if row.code == "basis" and not set(row.answers) <= set(BASES):
            yield (*at, "answers"), f"'basis' has no answers but {', '.join(BASES)}"
    if [column.code for column in cover.columns] != ["value"]:
        yield ("sheet", number, "columns"), "the cover has one column, 'value'"
