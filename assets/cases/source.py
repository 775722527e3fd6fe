"""The files of an extract: which they are, whose, and whether they have the columns they must.

Belongs here: everything that is refused before any row is read. Does not: reading rows
(reading.py), unpacking CSV (csv_text.py).
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

import polars as pl

from assets.cases.place import Place, files_at, folders, head, reading, same, scan, size, suffix
from assets.cases.refusal import SEND_AGAIN, ExtractRefusedError, Refusal, in_short, refused
from assets.cases.typed import wrong_types
from schemas.cases.columns import TYPES, folder_force, folder_value
from schemas.wording import visible

_MAGIC: Final = b"PAR1"
_BYTES_PER_CSV_ROW: Final = 80

_OPEN_AT_ONCE: Final = 200
"""Files; a process may have about a thousand open."""


@dataclass(frozen=True)
class Source:
    """A file of an extract.

    `file` is its name in findings, `path` where its rows are read, `folder` the force of the
    Hive folder it lies in, None also for the folder of null. `sent` has its columns and their
    types, `rows` its rows. Until it is unpacked, CSV (`text`) has no columns and about so many
    rows.
    """

    file: str
    path: Place
    folder: str | None
    sent: Mapping[str, pl.DataType]
    rows: int
    text: bool


def find_sources(paths: Sequence[Place]) -> list[Source]:
    """Return the files at or below the paths, sorted by folder and name, each once.

    Raises:
        ExtractRefusedError: names every file that cannot be an extract, and why.
        MusterError: an object store cannot be read.
    """
    found: dict[Place, Source] = {}
    refusals: list[Refusal] = []
    for path in paths:
        try:
            files = list(files_at(path))
        except ExtractRefusedError as error:
            refusals += error.refusals
            continue
        if not files:
            refusals.append(Refusal(str(path), "the folder holds no file", "Name another."))
        for file in files:
            try:
                found.setdefault(same(file), _source(file))
            except ExtractRefusedError as error:
                refusals += error.refusals
    if refusals:
        raise ExtractRefusedError(refusals)
    return _counted(sorted(found.values(), key=lambda source: (source.folder or "", source.file)))


def _source(file: Place) -> Source:
    name = str(file)
    if name != name.encode(errors="replace").decode():
        problem = "the name of the file is not text in UTF-8"
        raise refused(visible(name, None), problem, "Rename it.")
    if isinstance(file, Path) and not file.is_file():
        raise refused(str(file), "this is no file, or a link to none", SEND_AGAIN)
    magic = head(file, len(_MAGIC))
    if not magic:
        raise refused(str(file), "the file is empty", SEND_AGAIN)
    text = suffix(file) == ".csv"
    if text == (magic == _MAGIC) or not (text or suffix(file) == ".parquet"):
        raise refused(
            str(file),
            "the file is neither Parquet (.parquet) nor CSV (.csv)",
            "Send the rows as one of these, with no other files beside them.",
        )
    if text:
        about = size(file) // _BYTES_PER_CSV_ROW
        return Source(str(file), file, folder_force(folders(file)), {}, about, text=True)
    try:
        with reading([file]):
            sent = scan([file]).collect_schema()
    except (pl.exceptions.PolarsError, pl.exceptions.PanicException) as error:
        problem = f"the file is damaged or cut off ({in_short(error)})"
        raise refused(str(file), problem, SEND_AGAIN) from error
    source = Source(str(file), file, folder_force(folders(file)), sent, 0, text=False)
    check_columns(source, list(sent))
    if wrong := wrong_types(sent):
        raise refused(
            str(file),
            f"columns have other types: {'; '.join(wrong)}",
            "Send them with these types.",
        )
    return source


def _counted(sources: Iterable[Source]) -> list[Source]:
    """Fill in the rows of the Parquet files, from the footers of many at once."""
    sources = list(sources)
    places = [source.path for source in sources if not source.text]
    counts: list[int] = []
    for first in range(0, len(places), _OPEN_AT_ONCE):
        some = places[first : first + _OPEN_AT_ONCE]
        with reading(some):
            found = pl.concat(scan([place]).select(pl.len()) for place in some).collect()
        counts += found["len"].to_list()
    rows = iter(counts)
    return [source if source.text else replace(source, rows=next(rows)) for source in sources]


def check_columns(source: Source, names: Sequence[str]) -> None:
    """Hold the columns of a file against the closed list; its folder may give force_code.

    Raises:
        ExtractRefusedError: a column is missing, is not on the list, or stands twice.
    """
    given = {*names, "force_code"} if folder_value(folders(source.path)) else {*names}
    problems = {
        "it lacks": [name for name in TYPES if name not in given],
        "it has, and must not have,": [name for name in given if name not in TYPES],
        "it has twice": [name for name in given if list(names).count(name) > 1],
    }
    told = [
        f"{what} {', '.join(map(repr, sorted(found)))}" for what, found in problems.items() if found
    ]
    if told:
        raise refused(
            source.file,
            f"the columns are not those of an extract: {'; '.join(told)}",
            f"Send exactly {', '.join(TYPES)}; an extract takes no names and no free text.",
        )
