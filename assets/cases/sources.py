"""The files of an extract: where they lie, and what is refused before any row is read."""

import os
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from itertools import filterfalse
from pathlib import Path, PurePosixPath
from threading import Lock
from typing import Final

import polars as pl

from assets import object_store
from assets.intake.landing import is_hidden
from schemas.cases.columns import TYPES, folder_force, folder_value
from schemas.errors import MusterError
from schemas.wording import visible

SEND_AGAIN: Final = "Write the file anew and send it again."


@dataclass(frozen=True)
class Refusal:
    """Why a file is refused whole, and what its sender can do."""

    file: str
    problem: str
    fix: str


class ExtractRefusedError(MusterError):
    """Files are not readable as case-level extracts; it names every one of them at once."""

    def __init__(self, refusals: Sequence[Refusal]) -> None:
        """Say of each file what is wrong with it and what to do next."""
        super().__init__("\n".join(f"{r.file}: {r.problem}. {r.fix}" for r in refusals))
        self.refusals = tuple(refusals)


_SHOWN: Final = 200
"""Characters of another program's words that a refusal quotes."""


def in_short(error: BaseException) -> str:
    """Return the beginning of what an error says, on one line; a panic's words help nobody."""
    if "PanicException" in type(error).__name__:
        if "time zone" in str(error):
            return "a column has a time zone that does not exist"
        return "its content is not what it says of itself"
    return " ".join(str(error).split())[:_SHOWN]


def refused(file: str, problem: str, fix: str) -> ExtractRefusedError:
    """Return the error that refuses one file."""
    return ExtractRefusedError([Refusal(file, problem, fix)])


Place = Path | str
"""A string is always a URL."""

_PERMISSIONS: Final = "Mend its permissions."


def files_at(where: Place) -> Iterator[Place]:
    """Yield a file itself, or the files below a folder but for what writers hide there.

    Links are followed, and no folder twice: one that were passed over would be rows lost.

    Raises:
        ExtractRefusedError: a folder cannot be listed.
    """
    if isinstance(where, str):
        for url in object_store.files_below(where):
            names = url.removeprefix(where).strip("/").split("/")
            if not (url.endswith("/") or any(map(is_hidden, filter(None, names)))):
                yield url
        return
    if not where.is_dir():
        yield where
        return
    seen: set[Path] = set()
    for name, folders, files in os.walk(where, onerror=_refuse_folder, followlinks=True):
        folder = Path(name)
        if (real := folder.resolve()) in seen:
            folders.clear()
            continue
        seen.add(real)
        folders[:] = sorted(filterfalse(is_hidden, folders))
        yield from (folder / file for file in sorted(filterfalse(is_hidden, files)))


def _refuse_folder(error: OSError) -> None:
    problem = f"the folder cannot be listed ({error.strerror})"
    raise refused(str(error.filename), problem, _PERMISSIONS) from error


def folders(where: Place) -> Sequence[str]:
    """Return the names of the folders a file lies in, the outermost first."""
    path = PurePosixPath(where) if isinstance(where, str) else where.absolute()
    return path.parent.parts


def head(where: Place, length: int) -> bytes:
    """Return the first bytes of a file.

    Raises:
        ExtractRefusedError: it cannot be opened.
    """
    if isinstance(where, str):
        return object_store.head(where, length)
    try:
        with where.open("rb") as opened:
            return opened.read(length)
    except OSError as error:
        problem = f"the file cannot be opened ({error.strerror})"
        raise refused(str(where), problem, _PERMISSIONS) from error


def brought(where: Place, path: Path) -> Path:
    """Return a file that lies here: itself, or a copy of an object at `path`."""
    if isinstance(where, Path):
        return where
    object_store.fetch(where, path)
    return path


def scan(places: Sequence[Place]) -> pl.LazyFrame:
    """Return the rows of Parquet files, all of them here or all in a store."""
    remote = any(isinstance(where, str) for where in places)
    return pl.scan_parquet(
        list(map(str, places)),
        hive_partitioning=False,
        glob=False,
        storage_options=object_store.READING if remote else None,
        credential_provider=None if remote else "auto",
    )


@contextmanager
def reading(places: Sequence[Place]) -> Iterator[None]:
    """Tell an object store that does not answer from a file that is damaged.

    Meanwhile polars prints nothing: its panics at damaged files are exceptions to us as well.

    Raises:
        MusterError: the store cannot be read.
    """
    urls = [where for where in places if isinstance(where, str)]
    with _silent_panics():
        if not urls:
            yield
            return
        with object_store.store_errors(urls[0]):
            yield


_STDERR: Final = 2
_lock: Final = Lock()
_silenced: list[int] = []
"""Copies of standard error, one for each thread that reads; the first is the real one."""


@contextmanager
def _silent_panics() -> Iterator[None]:
    """Keep what Rust code writes to standard error by itself from the terminal.

    A progress bar has a copy of its own (see the command line).
    """
    with _lock:
        sys.stderr.flush()
        _silenced.append(os.dup(_STDERR))
        if len(_silenced) == 1:
            nowhere = os.open(os.devnull, os.O_WRONLY)
            os.dup2(nowhere, _STDERR)
            os.close(nowhere)
    try:
        yield
    finally:
        with _lock:
            if len(_silenced) == 1:
                os.dup2(_silenced[0], _STDERR)
            os.close(_silenced.pop())


STRINGS: Final = (pl.String, pl.Categorical, pl.Enum, pl.Null)
"""Types of text in Parquet."""

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
                key = file if isinstance(file, str) else file.resolve()
                found.setdefault(key, _source(file))
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
    suffix = PurePosixPath(file).suffix.lower()
    text = suffix == ".csv"
    if text == (magic == _MAGIC) or not (text or suffix == ".parquet"):
        raise refused(
            str(file),
            "the file is neither Parquet (.parquet) nor CSV (.csv)",
            "Send the rows as one of these, with no other files beside them.",
        )
    if text:
        held = (
            file.stat().st_size if isinstance(file, Path) else object_store.files_below(file)[file]
        )
        about = held // _BYTES_PER_CSV_ROW
        return Source(str(file), file, folder_force(folders(file)), {}, about, text=True)
    try:
        with reading([file]):
            sent = scan([file]).collect_schema()
    except (pl.exceptions.PolarsError, pl.exceptions.PanicException) as error:
        problem = f"the file is damaged or cut off ({in_short(error)})"
        raise refused(str(file), problem, SEND_AGAIN) from error
    source = Source(str(file), file, folder_force(folders(file)), sent, 0, text=False)
    check_columns(source, list(sent))
    if wrong := _wrong_types(sent):
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


def _wrong_types(sent: Mapping[str, pl.DataType]) -> list[str]:
    """Say of each column of a Parquet file that has a type without a lossless way to ours."""
    return [
        f"{name} is {dtype}, expected {TYPES[name].__name__}"
        for name, dtype in sent.items()
        if not _accepted(TYPES[name], dtype)
    ]


def _accepted(wanted: type[pl.DataType], dtype: pl.DataType) -> bool:
    if wanted == pl.String:
        return isinstance(dtype, STRINGS)
    if wanted == pl.Date and isinstance(dtype, pl.Datetime):
        return dtype.time_zone is None
    return isinstance(dtype, (wanted, pl.Null))
