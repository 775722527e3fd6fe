"""The files of an extract: where they lie, and what is refused before any row is read."""

import os
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, replace
from itertools import filterfalse
from pathlib import Path, PurePosixPath
from threading import Lock
from typing import Final

import polars as pl

from assets import object_store
from assets.cases.bounds import TooMuchError, check_footer, rows_held
from assets.intake.landing import is_hidden
from schemas.cases import COLUMNS, READABLE, TYPES, folder_force, folder_value
from schemas.errors import MusterError
from schemas.finding import FilesRefusedError, Finding, finding
from schemas.finding import Place as At
from schemas.wording import visible

SUFFIXES: Final = (".csv", ".parquet")
"""How the name of an extract ends."""

_PERMISSIONS: Final = "Mend its permissions."


def refused(
    file: str, problem: str, fix: str | None = None, *, rule: str = READABLE
) -> FilesRefusedError:
    """Return the error that refuses one file."""
    return FilesRefusedError([finding(rule, problem, At(sheet=file), fix=fix)])


Place = Path | str
"""A string is always a URL."""


def _files_at(where: Place) -> Iterator[Place]:
    """Yield a file itself, or the files below a folder but for what writers hide there.

    Links are followed, and no folder twice: one that were passed over would be rows lost.
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


def _folders(where: Place) -> Sequence[str]:
    """Return the names of the folders a file lies in, the outermost first."""
    return (PurePosixPath(where) if isinstance(where, str) else where.absolute()).parent.parts


def _head(where: Place, length: int) -> bytes:
    if isinstance(where, str):
        return object_store.head(where, length)
    try:
        with where.open("rb") as opened:
            return opened.read(length)
    except OSError as error:
        problem = f"the file cannot be opened ({error.strerror})"
        raise refused(str(where), problem, _PERMISSIONS) from error


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


DAMAGE: Final = (pl.exceptions.PolarsError, pl.exceptions.PanicException)
"""What polars raises at a damaged file."""


@contextmanager
def reading(
    places: Sequence[Place], file: str | None = None, damaged: str = "damaged"
) -> Iterator[None]:
    """Tell an object store that does not answer from a file that is damaged.

    Meanwhile polars prints nothing: its panics at damaged files are exceptions to us as well.

    Raises:
        FilesRefusedError: the one `file` is damaged; without its name, DAMAGE is raised as it is.
        MusterError: the store cannot be read.
    """
    urls = [where for where in places if isinstance(where, str)]
    store = object_store.store_errors(urls[0]) if urls else nullcontext()
    try:
        with _silent_panics(), store:
            yield
    except DAMAGE as error:
        if file is None:
            raise
        raise refused(file, f"the file is {damaged} ({_in_short(error)})") from error


def _in_short(error: BaseException) -> str:
    """Return the beginning of what an error says, on one line; a panic's words help nobody."""
    if "PanicException" in type(error).__name__:
        if "time zone" in str(error):
            return "a column has a time zone that does not exist"
        return "its content is not what it says of itself"
    return " ".join(str(error).split())[:200]


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

_SHOWN: Final = 50
_NAMED: Final = 10
"""Characters of a heading that a message repeats, and headings."""

WRITE_ANEW: Final = (
    "Write it anew: an extract holds codes, references and dates alone. Where a database fills"
    " columns up with spaces, trim them."
)

_FETCHED: Final = 64 * 1024 * 1024
_MAGIC: Final = b"PAR1"
_BYTES_PER_CSV_ROW: Final = 80

_AT_ONCE: Final = 2
"""Files that are looked at together: while polars works on one, Python does on another."""


@dataclass(frozen=True)
class Source:
    """A file of an extract.

    `file` is its name in findings, `path` where its rows are read, whole: workers have other
    folders. `folder` is the force of the Hive folder it lies in, None also for the folder of null.
    `sent` has its columns and their types, `rows` its rows. Until it is unpacked, CSV (`text`) has
    no columns and about so many rows.
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
        FilesRefusedError: names every file that cannot be an extract, and why.
        MusterError: an object store cannot be read.
    """
    there: dict[Place, Place | tuple[Finding, ...]] = {}
    for path in paths:
        try:
            if not (files := list(_files_at(path))):
                raise refused(str(path), "the folder holds no file", "Name another.")
        except FilesRefusedError as error:
            there[path] = error.findings
            continue
        for file in files:
            there.setdefault(file if isinstance(file, str) else file.resolve(), file)
    with ThreadPoolExecutor(_AT_ONCE) as threads:
        found = list(threads.map(_source, there.values()))
    if wrong := [each for told in found if isinstance(told, tuple) for each in told]:
        raise FilesRefusedError(wrong)
    sources = (each for each in found if isinstance(each, Source))
    return sorted(sources, key=lambda source: (source.folder or "", source.file))


def _source(file: Place | tuple[Finding, ...]) -> Source | tuple[Finding, ...]:
    """Return a file as a source, or why it is none."""
    if isinstance(file, tuple):
        return file
    try:
        return _examined(file)
    except FilesRefusedError as error:
        return error.findings


def _examined(file: Place) -> Source:
    name = str(file)
    if name != name.encode(errors="replace").decode():
        problem = "the name of the file is not text in UTF-8"
        raise refused(visible(name, None), problem, "Rename it.")
    if isinstance(file, Path) and not file.is_file():
        raise refused(name, "this is no file, or a link to none")
    magic = _head(file, len(_MAGIC))
    if not magic:
        raise refused(name, "the file is empty")
    suffix = PurePosixPath(file).suffix.lower()
    text = suffix == ".csv"
    if text == (magic == _MAGIC) or suffix not in SUFFIXES:
        raise refused(
            name,
            "the file is neither Parquet (.parquet) nor CSV (.csv)",
            "Send the rows as one of these, with no other files beside them.",
        )
    folder = folder_force(_folders(file))
    path = file if isinstance(file, str) else file.absolute()
    if text:
        held = (
            object_store.files_below(file)[file] if isinstance(file, str) else file.stat().st_size
        )
        return Source(name, path, folder, {}, held // _BYTES_PER_CSV_ROW, text=True)
    with reading([file], name, "damaged or cut off"):
        sent = scan([file]).collect_schema()
    source = Source(name, path, folder, sent, 0, text=False)
    check_columns(source, list(sent))
    if wrong := [
        f"{column} is {dtype if isinstance(dtype, pl.Datetime) else dtype.base_type()}, expected"
        f" {TYPES[column].__name__}"
        for column, dtype in sent.items()
        if not _without_loss(dtype, TYPES[column])
    ]:
        problem = f"columns have other types: {'; '.join(wrong)}"
        raise refused(name, problem, "Send them with these types.", rule=COLUMNS)
    said, held = _rows(source)
    if said != held:  # slices follow the footer: rows that it does not count would never be read
        raise refused(name, f"the file is damaged (it says {said:,} rows and has {held:,})")
    return replace(source, rows=held)


def _rows(source: Source) -> tuple[int, int]:
    """Return how many rows a Parquet file says, and has; it unpacks to no more than these can be.

    A large one in a store is held to what its footer says of them: each page would be a question of
    its own there, and as few bytes as make a bomb are fetched.
    """
    path = source.path
    with tempfile.TemporaryDirectory() if isinstance(path, str) else nullcontext("") as folder:
        length = object_store.files_below(path)[path] if isinstance(path, str) else 0
        if isinstance(path, str) and length <= _FETCHED:
            object_store.fetch(path, path := Path(folder) / "extract.parquet")
        try:
            if isinstance(path, Path):
                return rows_held(path, source.sent)
            size = int.from_bytes(object_store.tail(path, 8)[:4], "little")
            check_footer(object_store.tail(path, min(size, _FETCHED) + 8), length)
            asked = [scan([path]).select(of) for of in (pl.len(), "suspended")]
            with reading([path], source.file, "damaged or cut off"):
                footer, column = pl.collect_all(asked)
            return int(footer.item()), column.height
        except TooMuchError as error:
            raise refused(source.file, str(error), WRITE_ANEW) from error
        except MusterError:
            raise
        except Exception as error:  # a field is not there, or of another kind
            raise refused(source.file, "the file is damaged (its pages do not follow)") from error


def _without_loss(dtype: pl.DataType, wanted: type[pl.DataType]) -> bool:
    if wanted == pl.String:
        return isinstance(dtype, STRINGS)
    if wanted == pl.Date and isinstance(dtype, pl.Datetime):
        return dtype.time_zone is None
    return isinstance(dtype, (wanted, pl.Null))


def check_columns(source: Source, names: Sequence[str]) -> None:
    """Hold the columns of a file against the closed list; its folder may give force_code.

    Raises:
        FilesRefusedError: a column is missing, is not on the list, or stands twice.
    """
    given = {*names, "force_code"} if folder_value(_folders(source.path)) else {*names}
    others = sorted(repr(name[:_SHOWN]) for name in given - TYPES.keys())
    if 2 * len(TYPES.keys() & given) < len(TYPES):  # they may be values, which are not repeated
        others = [f"{len(others)} others: is its first line the heading?"]
    elif more := len(others) - _NAMED:
        others = [*others[:_NAMED], f"{more:,} more"] if more > 0 else others
    problems = {
        "it lacks": sorted(map(repr, TYPES.keys() - given)),
        "it has, and must not have,": others,
        "it has twice": sorted(repr(name) for name in TYPES if names.count(name) > 1),
    }
    told = [f"{what} {', '.join(found)}" for what, found in problems.items() if found]
    if told:
        raise refused(
            source.file,
            f"the columns are not those of an extract: {'; '.join(told)}",
            f"Send exactly {', '.join(TYPES)}; an extract takes no names and no free text.",
            rule=COLUMNS,
        )
