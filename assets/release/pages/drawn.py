"""All that people read of an edition, as the bytes of files, wherever they are drawn."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Final

import polars as pl

from assets.release.pages.figures import Edition
from assets.release.pages.pages import pages_of
from assets.release.pages.workbook import open_document, summary

REPORT: Final = "report"
"""The folder of the pages of the full edition; those of the public one stand at its top."""
SUMMARY: Final = "summary.xlsx"

Files = Iterable[tuple[str, bytes]]
"""Files by their paths in the folder of an edition: of many bodies, one at a time."""


def drawn(edition: Edition) -> Iterator[tuple[str, bytes]]:
    """Yield the pages and workbooks of an edition; the same marts give the same bytes.

    Raises:
        SetupError: there is no such collection.
    """
    is_public = edition.about.get("edition") == "public"
    at = "" if is_public else f"{REPORT}/"
    for name, html in pages_of(edition):
        yield f"{at}{name}", html.encode()
    yield SUMMARY, summary(edition)
    if is_public:
        yield "summary.ods", open_document(edition)


def drawn_or_none(
    marts: Mapping[str, pl.DataFrame], about: Mapping[str, str]
) -> list[tuple[str, bytes]] | None:
    """Return what is drawn of an edition; None where that fails, for whatever reason.

    Whoever asked draws it then, fails alike, and can say why.
    """
    try:
        return [*drawn(Edition(marts, about))]
    except Exception:
        return None
