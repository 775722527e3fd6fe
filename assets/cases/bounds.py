"""Holds a Parquet file to what its bytes can be rows of, before any of them is unpacked.

A file of a few kilobytes can hold gigabytes: pages of one byte over and over, one long value in
every row. Its footer need not say so, hence the heads of all pages are read, and nothing else.
"""

import mmap
from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

import polars as pl

MIB: Final = 1024 * 1024
_ANY: Final = 256 * MIB
"""What any file may unpack to; the rows of a whole year take a tenth of it."""
_RATIO: Final = 100
"""Rows of plain text pack to a tenth or a twentieth."""
_LONGEST: Final = 64 * 1024
"""Bytes of a value of a column that is a dictionary, whose every row costs as much as its value."""
_TOGETHER: Final = 32 * MIB
"""Of values that are unpacked together where each may be as long as its page."""

_BY_PREFIX: Final = 7
"""The encoding by which a value begins like the one before it: DELTA_BYTE_ARRAY."""


class TooMuchError(Exception):
    """A file unpacks to more than rows of its size can be; it says by how much."""


def rows_held(path: Path, sent: Mapping[str, pl.DataType]) -> tuple[int, int]:
    """Return how many rows the footer of a file says, and how many its pages do.

    Raises:
        TooMuchError: it unpacks to more than rows of its size can be.
        Exception: it is damaged; a field of a footer can be gone, or of any other kind.
    """
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as content:
        limit = max(_ANY, _RATIO * len(content))
        footer = _footer(content)
        held, by_prefix = Counter[str](), dict[str, int]()
        for column, size, encoding in _pages(content, footer):
            held[column] += size
            if encoding == _BY_PREFIX:
                by_prefix[column] = max(size, by_prefix.get(column, 1))
    if held.total() <= limit and by_prefix:
        held += _by_prefix(path, by_prefix, limit)
    _check(held, limit)
    listed = [name for name, dtype in sent.items() if isinstance(dtype, (pl.Categorical, pl.Enum))]
    for column, longest in _longest(path, listed) if listed else ():
        if longest > _LONGEST:
            raise TooMuchError(
                f"the column {column} has a value of {longest:,} bytes, expected {_LONGEST:,}"
            )
    return int(footer[3]), sum(group[3] for group in footer[4])


def check_footer(content: bytes, length: int) -> None:
    """Hold a file of a length to what the footer at the end of its `content` says of its pages.

    Raises:
        TooMuchError: it unpacks to more than rows of its size can be.
        Exception: it is damaged, or not all of the footer is there.
    """
    held = Counter[str]()
    for group in _footer(content)[4]:
        for about in (chunk[3] for chunk in group[1]):
            if about[6] < 0 or about[5] < 0:
                raise ValueError(about)
            held[about[3][0].decode()] += about[6] + about[5]
    _check(held, max(_ANY, _RATIO * length))


def _check(held: Counter[str], limit: int) -> None:
    """Refuse what unpacks to more than the limit, a value taking a byte at least."""
    if held.total() > limit:
        most, size = held.most_common(1)[0]
        raise TooMuchError(
            f"the file unpacks to {held.total() / MIB:,.0f} MB or more, expected at most"
            f" {limit / MIB:,.0f} MB ({size / MIB:,.0f} MB in the column {most})"
        )


Content = mmap.mmap | bytes


def _footer(content: Content) -> dict[int, Any]:
    end = len(content) - 8
    start = end - int.from_bytes(content[end : end + 4], "little")
    if start < 0:
        raise ValueError(start)
    return _struct(content, start)[0]


def _pages(content: Content, footer: dict[int, Any]) -> Iterator[tuple[str, int, int]]:
    """Yield of each page its column, how many bytes it unpacks to, and its encoding.

    A value takes a byte at least, however often one stands for all.
    """
    for group in footer[4]:
        for about in (chunk[3] for chunk in group[1]):
            at, left, column = about.get(11) or about[9], about[5], about[3][0].decode()
            until = at + about[7]
            while at < until and left > 0:
                head, start = _struct(content, at)
                values = head.get(5) or head.get(8) or {}
                for number in (at, head[2], head[3], *values.values()):
                    if number.__class__ is int and number < 0:
                        raise ValueError(number)
                at, rows = start + head[3], values.get(1, 0)
                left -= rows
                yield column, head[2] + rows, values.get(2 if 5 in head else 4, 0)
            # Readers make room for what is said here, and some end the process where it is not so.
            if left or about[5] != group[3]:
                raise ValueError(left)


def _struct(content: Content, at: int) -> tuple[dict[int, Any], int]:
    """Return a struct of Thrift's compact protocol by the numbers of its fields, and its end.

    Which of them come is told field by field: neither a footer nor the head of a page has a map.
    """
    found, field = dict[int, Any](), 0
    while head := content[at]:
        at, kind = at + 1, head & 15
        if head > 15:
            field += head >> 4
        else:
            field, at = _value(content, at, _INTEGER)
        if kind > 2:
            found[field], at = _value(content, at, kind)
        else:
            found[field] = kind == 1
    return found, at + 1


_INTEGER: Final = 5
_FIXED: Final = {1: 1, 2: 1, 3: 1, 7: 8}
"""Bytes of a value of each kind that says no length: flags in a list, a byte, a real number."""


def _value(content: Content, at: int, kind: int) -> tuple[Any, int]:
    if 3 < kind < 7:
        number, at = _whole(content, at)
        return number >> 1 ^ -(number & 1), at
    if kind in {9, 10}:
        size, of, values = content[at] >> 4, content[at] & 15, list[Any]()
        size, at = _whole(content, at + 1) if size == 15 else (size, at + 1)
        for _ in range(size):
            value, at = _value(content, at, of)
            values.append(value)
        return values, at
    if kind == 12:
        return _struct(content, at)
    size, at = _whole(content, at) if kind == 8 else (_FIXED[kind], at)
    if at + size > len(content):
        raise IndexError(at)
    return content[at : at + size], at + size


def _whole(content: Content, at: int) -> tuple[int, int]:
    found = shift = 0
    while (byte := content[at]) > 127:
        found |= (byte & 127) << shift
        at += 1
        if (shift := shift + 7) > 63:
            raise ValueError(shift)
    return found | byte << shift, at + 1


def _by_prefix(path: Path, longest: Mapping[str, int], limit: int) -> Counter[str]:
    """Count what columns hold in which each value may be as long as the longest of their pages."""
    import pyarrow.parquet  # noqa: PLC0415

    held, rows = Counter[str](), max(1, _TOGETHER // sum(longest.values()))
    for batch in pyarrow.parquet.ParquetFile(path).iter_batches(rows, columns=[*longest]):
        for column in longest:
            held[column] += batch[column].nbytes
        if held.total() > limit:
            break
    return held


def _longest(path: Path, columns: list[str]) -> Iterator[tuple[str, int]]:
    """Yield the bytes of the longest value in each dictionary of some columns."""
    import pyarrow.compute  # noqa: PLC0415
    import pyarrow.parquet  # noqa: PLC0415

    file = pyarrow.parquet.ParquetFile(path)
    for group in range(file.num_row_groups):
        for column in columns:
            for part in file.read_row_group(group, [column])[column].chunks:
                values = part.dictionary if hasattr(part, "dictionary") else part
                longest = pyarrow.compute.max(pyarrow.compute.binary_length(values)).as_py()
                yield column, longest or 0
