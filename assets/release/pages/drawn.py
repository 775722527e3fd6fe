"""All that people read of an edition, as the bytes of files, wherever they are drawn."""

import base64
import io
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import Any, Final

import polars as pl

from assets.release.pages.figures import Edition
from assets.release.pages.pages import pages_of
from assets.release.pages.workbook import open_document, summary

REPORT: Final = "report"
"""The folder of the pages of the full edition; those of the public one stand at its top."""
SUMMARY: Final = "summary.xlsx"
_BESIDE: Final = "table:"

Files = Iterable[tuple[str, bytes]]
"""Files by their paths in the folder of an edition: of many bodies, one at a time."""
Draw = Callable[[Edition], Callable[[], Files]]
"""Begins to draw an edition, and returns how to have what is drawn."""


def here(edition: Edition) -> Callable[[], Files]:
    """Draw an edition when it is wanted."""
    return partial(drawn, edition)


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


def asked_of(folder: Path, edition: Edition) -> dict[str, Any]:
    """Return as plain data what another process draws an edition of: its marts lie in a folder."""
    tables: dict[str, str] = {}
    for name, table in edition.marts.items():
        path = folder.absolute() / f"{name}.parquet"
        tables[name] = str(path)
        if not path.exists():  # a table that is told of beside them
            table.write_ipc(buffer := io.BytesIO())
            tables[name] = _BESIDE + base64.b64encode(buffer.getvalue()).decode()
    return {"tables": tables, "about": dict(edition.about)}


def _table(told: str) -> pl.DataFrame:
    beside = told.removeprefix(_BESIDE)
    return pl.read_parquet(told) if beside == told else pl.read_ipc(base64.b64decode(beside))


def drawn_of(tables: Mapping[str, str], about: Mapping[str, str]) -> dict[str, str] | None:
    """Return what was asked for, as text; None where that fails, for whatever reason.

    Whoever asked draws it then, fails alike, and can say why.
    """
    try:
        marts = {name: _table(told) for name, told in tables.items()}
        files = drawn(Edition(marts, about))
        return {name: base64.b64encode(content).decode() for name, content in files}
    except Exception:
        return None
