"""An object store, addressed s3://bucket/prefix, through the readers of polars and pyarrow.

Settings are the usual variables, whose values are never shown: AWS_ACCESS_KEY_ID,
AWS_SECRET_ACCESS_KEY, AWS_SESSION_TOKEN, AWS_REGION, AWS_ENDPOINT_URL.

A folder is shown whole by a pointer in place of a link: `<prefix>/releases/<name>/` is written
once, and `<prefix>/current.json` names the one to be read.
"""

import json
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

import polars as pl

from schemas.errors import ServiceError, SetupError

POINTER: Final = "current.json"

_TRIES: Final = 3
_CONNECT: Final = 5
_ANSWER: Final = 30
_SHOWN: Final = 300
_READERS_WORD: Final = "object-store error"
READING: Final = {"max_retries": _TRIES}
"""The storage options for polars, which reads the same variables."""

_SECRETS: Final = ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN")
_OURS_TO_MEND: Final = re.compile(
    r"NO_SUCH_BUCKET|ACCESS_DENIED|INVALID_ACCESS_KEY|SIGNATURE|NoSuchBucket|AccessDenied"
    r"|InvalidAccessKeyId|credential|HTTP status 403|HTTP status 301",
    re.IGNORECASE,
)


def checked_url(url: str) -> str:
    """Return a URL without a slash at its end.

    Raises:
        SetupError: it is not of the form s3://bucket/prefix.
    """
    parts = urlsplit(url)
    if parts.scheme != "s3" or not parts.netloc or "@" in parts.netloc:
        raise SetupError("An object store is addressed s3://bucket/prefix. Write it so.")
    return url.rstrip("/")


def files_below(url: str) -> dict[str, int]:
    """Return the bytes of every object at or below a URL by its own URL, sorted.

    Raises:
        SetupError: there is no such bucket, or it may not be read.
        ServiceError: the store does not answer.
    """
    bucket = _path(url).partition("/")[0]
    with store_errors(url):
        at, around = _store().get_file_info([_path(url), bucket])
        if at.is_file:
            return {url: at.size}
        if around.type.name == "NotFound":
            raise SetupError(
                f"{url} cannot be used: there is no bucket {bucket}. Check the address, and the"
                " variables AWS_REGION and AWS_ENDPOINT_URL."
            )
        below = _fs().FileSelector(_path(url), allow_not_found=True, recursive=True)
        found = [item for item in _store().get_file_info(below) if item.is_file]
    return {f"s3://{item.path}": item.size for item in sorted(found, key=lambda item: item.path)}


def head(url: str, size: int) -> bytes:
    """Return the first bytes of an object."""
    with store_errors(url), _store().open_input_file(_path(url)) as file:
        content: bytes = file.read(size)
    return content


def tail(url: str, size: int) -> bytes:
    """Return the last bytes of an object, all of a smaller one."""
    with store_errors(url), _store().open_input_file(_path(url)) as file:
        length = min(size, file.size())
        content: bytes = file.read_at(length, file.size() - length)
    return content


def fetch(url: str, path: Path) -> None:
    """Copy an object to a file."""
    with store_errors(url):
        _fs().copy_files(_path(url), str(path), _store(), _fs().LocalFileSystem())


def copy_folder(folder: Path, url: str) -> None:
    """Copy every file below a folder to below a URL."""
    with store_errors(url):
        _fs().copy_files(str(folder), _path(url), _fs().LocalFileSystem(), _store())


def put(url: str, content: bytes) -> None:
    """Write an object whole: readers see the old content or the new."""
    with store_errors(url), _store().open_output_stream(_path(url)) as file:
        file.write(content)


@contextmanager
def store_errors(url: str) -> Iterator[None]:
    """Turn what a reader or writer of an object store says into an error with what to do.

    Raises:
        SetupError: the address or the rights are wrong.
        ServiceError: the store does not do its part.
    """
    try:
        yield
    except (OSError, pl.exceptions.PolarsError) as error:
        if isinstance(error, pl.exceptions.PolarsError) and _READERS_WORD not in str(error):
            raise  # the file is damaged, not the store
        said = " ".join(str(error).split())
        for secret in filter(None, map(os.environ.get, _SECRETS)):
            said = said.replace(secret, "...")
        said = said[:_SHOWN]
        if _OURS_TO_MEND.search(said):
            raise SetupError(
                f"{url} cannot be used ({said}). Check the address, and the variables AWS_REGION,"
                " AWS_ENDPOINT_URL and those of the key."
            ) from None
        raise ServiceError(
            f"{url}: the object store did not do its part ({said}). What readers see has not"
            " changed. See whether the store answers, then start again."
        ) from None


@cache
def _fs() -> Any:
    """Return pyarrow.fs, whose loading takes as long as judging a hundred thousand rows."""
    import pyarrow.fs  # noqa: PLC0415

    return pyarrow.fs


def _store() -> Any:
    return _fs().S3FileSystem(
        region=os.environ.get("AWS_REGION"),
        endpoint_override=os.environ.get("AWS_ENDPOINT_URL"),
        connect_timeout=_CONNECT,
        request_timeout=_ANSWER,
        retry_strategy=_fs().AwsStandardS3RetryStrategy(max_attempts=_TRIES),
        # A small object is then put in one request, not in parts.
        allow_delayed_open=True,
    )


def _path(url: str) -> str:
    return url.removeprefix("s3://")


def publish_folder(folder: Path, prefix: str, name: str) -> str:
    """Copy a folder to below a prefix, and let its pointer name it once all of it is there.

    The name follows from the content, so that what is there under it already is the same.

    Returns:
        The URL of the copy.

    Raises:
        SetupError: the prefix is none, or may not be written.
        ServiceError: the store does not do its part; the pointer names what it named.
    """
    prefix = checked_url(prefix)
    target = f"{prefix}/releases/{name}"
    sizes = {
        f"{target}/{path.relative_to(folder)}": path.stat().st_size
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }
    if _named(prefix) == name and files_below(target) == sizes:
        return target
    copy_folder(folder, target)
    if files_below(target) != sizes:
        raise ServiceError(
            f"{target} does not hold what was copied to it. {prefix} shows what it did before."
            " See whether another program writes there, then start again."
        )
    put(f"{prefix}/{POINTER}", json.dumps({"release": name}, indent=1).encode())
    return target


def shown_at(prefix: str) -> str:
    """Return the URL of the folder that a prefix shows now, to read several files of one release.

    Raises:
        SetupError: nothing is published there.
        ServiceError: the store does not answer.
    """
    prefix = checked_url(prefix)
    name = _named(prefix)
    if name is None:
        raise SetupError(f"{prefix} holds no {POINTER}: nothing is published there. Name another.")
    return f"{prefix}/releases/{name}"


def _named(prefix: str) -> str | None:
    pointer = f"{prefix}/{POINTER}"
    size = files_below(pointer).get(pointer)
    if size is None:
        return None
    name: str = json.loads(head(pointer, size))["release"]
    return name
