"""What a lake gives out, in a form that two states of the code can be compared by.

Belongs here: marts, public forms, pages, letters, copies and printed text as plain files without
what differs from run to run (times, the lake's folder, the release's name). Does not: what is
made (worlds.py).
"""

import hashlib
import io
import re
import zipfile
from datetime import date, timedelta
from pathlib import Path
from typing import Final

import polars as pl
import pyarrow.parquet as pq

from assets.lake import Lake
from tests.golden.worlds import COLLECTION, made

_RELEASE: Final = re.compile(rf"{COLLECTION}-[0-9a-f]{{12}}")
_TIME: Final = re.compile(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d(:\d\d)?(\.\d+)?(\+00:00|Z| UTC)?")
_DAYS: Final = re.compile(r"\b\d+ days?\b")
_WRAPPED: Final = re.compile(r"(?<=\S)\n *(?=\S)")
_VARYING: Final = ("manifest.json", "muster.duckdb")
"""Of these the manifest repeats the software's hash; the database holds the tables, with times."""

_COPIED: Final = "description"
"""The folder of a release with copies of what the collection is: inputs, and no output."""


def write_outputs(name: str, root: Path) -> Path:
    """Make a lake below `root` and return the folder of its outputs."""
    printed = made(name, root)
    shown = root / "outputs"
    plain = _Plain(root)
    for told, text in printed.items():
        _put(shown / "printed" / f"{told.replace('=', '-')}.txt", plain.text(text).encode())
    released = Lake(root / "lake", COLLECTION).marts.resolve()
    for folder, prefix in ((released, "release"), *((root / f, f) for f in _FOLDERS)):
        for path in sorted(folder.rglob("*")):
            copied = _COPIED in path.relative_to(folder).parts
            if path.is_file() and path.name not in _VARYING and not copied:
                target = shown / prefix / path.relative_to(folder)
                _put(target, plain.file(path))
    return shown


_FOLDERS: Final = ("letters", "copies", "blank")


def digests(folder: Path) -> dict[str, str]:
    """Return a digest of each output by its path in the folder."""
    return {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()[:16]
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


class _Plain:
    """Takes out of texts what differs from run to run."""

    def __init__(self, root: Path) -> None:
        self._root = str(root)
        today = date.today()
        days = [today, today - timedelta(days=1), today + timedelta(days=1)]
        forms = ["%Y-%m-%d", "%-d %B %Y", "%d %B %Y", "%-d %b %Y"]
        self._days = sorted({day.strftime(form) for day in days for form in forms}, reverse=True)

    def text(self, text: str) -> str:
        text = text.replace(self._root, "ROOT")
        text = _RELEASE.sub("RELEASE", text)
        text = _TIME.sub("TIME", text)
        for day in self._days:
            text = text.replace(day, "TODAY")
        return _DAYS.sub("N days", text)

    def file(self, path: Path) -> bytes:
        if path.suffix == ".parquet":
            return self.text(_table_as_text(path)).encode()
        if path.suffix in {".xlsx", ".ods"}:
            return self.text(_parts_as_text(path)).encode()
        text = path.read_text(encoding="utf-8", errors="replace")
        # Where the lines of a letter end follows from how long the day is, written out.
        return self.text(_WRAPPED.sub(" ", text) if path.name == "letter.txt" else text).encode()


def _table_as_text(path: Path) -> str:
    schema = pq.read_schema(path)
    about = [
        f"{field.name} {field.type} {field.nullable} {sorted((field.metadata or {}).items())}"
        for field in schema
    ]
    file = sorted(
        (key, value)
        for key, value in (schema.metadata or {}).items()
        if key not in {b"ARROW:schema", b"software"}
    )
    rows = io.StringIO()
    pl.read_parquet(path).write_csv(rows, null_value="NULL", float_precision=None)
    return "\n".join([*about, str(file), rows.getvalue()])


def _parts_as_text(path: Path) -> str:
    with zipfile.ZipFile(path) as book:
        return "\n".join(
            f"== {name}\n{book.read(name).decode('utf-8', errors='replace')}"
            for name in sorted(book.namelist())
            if name != "docProps/core.xml"
        )


def _put(path: Path, content: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
