"""All that people read of an edition, as the bytes of files, wherever they are drawn."""

from collections.abc import Collection, Iterable, Iterator
from typing import Final

from assets.release.pages.figures import Edition
from assets.release.pages.pages import pages_of
from assets.release.pages.workbook import open_document, summary

REPORT: Final = "report"
"""The folder of the pages of the full edition; those of the public one stand at its top."""
SUMMARY: Final = "summary.xlsx"

_TOGETHER: Final = 6
"""Forces whose pages are drawn in one go."""
TOTALS: Final = "changed_totals"
"""The table of the national figures that are different from those of the edition before."""

Files = Iterable[tuple[str, bytes]]
"""Files by their paths in the folder of an edition: of many bodies, one at a time."""


def parts(edition: Edition) -> list[tuple[str, ...]]:
    """Return what can be drawn by itself: what is about all forces (none named), or about some."""
    forces = [*edition.names]
    return [(), *(tuple(forces[at : at + _TOGETHER]) for at in range(0, len(forces), _TOGETHER))]


def drawn(edition: Edition, forces: Collection[str] | None = None) -> Iterator[tuple[str, bytes]]:
    """Yield the pages, tables and workbooks of an edition, or a part of them.

    The same marts give the same bytes.

    Raises:
        SetupError: there is no such collection.
    """
    at = "" if edition.is_public else f"{REPORT}/"
    for name, html in pages_of(edition, forces):
        yield f"{at}{name}", html.encode()
    if forces:
        return
    if TOTALS in edition.marts:
        yield f"{at}{TOTALS}.csv", edition.marts[TOTALS].write_csv().encode()
    yield SUMMARY, summary(edition)
    if edition.is_public:
        yield "summary.ods", open_document(edition)
