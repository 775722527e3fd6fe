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


def too_much(path: Path, sent: Mapping[str, pl.DataType]) -> str | None:
    """Return how a file unpacks to more than rows of its size can be, None where it does not.

    Raises:
        Exception: it is damaged; a field of a footer can be gone, or of any other kind.
    """
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as content:
        limit = max(_ANY, _RATIO * len(content))
        held, by_prefix = Counter[str](), dict[str, int]()
        for column, size, encoding in _pages(content):
            held[column] += size
            if encoding == _BY_PREFIX:
                by_prefix[column] = max(size, by_prefix.get(column, 1))
    if held.total() <= limit and by_prefix:
        held += _by_prefix(path, by_prefix, limit)
    if held.total() > limit:
        most, size = held.most_common(1)[0]
        return (
            f"the file unpacks to {held.total() / MIB:,.0f} MB or more, expected at most"
            f" {limit / MIB:,.0f} MB ({size / MIB:,.0f} MB in the column {most})"
        )
    listed = [name for name, dtype in sent.items() if isinstance(dtype, (pl.Categorical, pl.Enum))]
    for column, longest in _longest(path, listed) if listed else ():
        if longest > _LONGEST:
            return f"the column {column} has a value of {longest:,} bytes, expected {_LONGEST:,}"
    return None


def _pages(content: mmap.mmap) -> Iterator[tuple[str, int, int]]:
    """Yield of each page its column, how many bytes it unpacks to, and its encoding.

    A value takes a byte at least, however often one stands for all.
    """
    end = len(content) - 8
    footer = _Thrift(content, end - int.from_bytes(content[end : end + 4], "little")).struct()
    for group in footer[4]:
        for about in (chunk[3] for chunk in group[1]):
            at, left = about.get(11) or about[9], about[5]
            until = at + about[7]
            while at < until and left > 0:
                page = _Thrift(content, at)
                head = page.struct()
                values = head.get(5) or head.get(8) or {}
                numbers = (head[2], head[3], *values.values())
                if any(isinstance(number, int) and number < 0 for number in numbers):
                    raise ValueError(head)
                at, rows = page.at + head[3], values.get(1, 0)
                left -= rows
                yield about[3][0].decode(), head[2] + rows, values.get(2 if 5 in head else 4, 0)
            # Readers make room for what is said here, and some end the process where it is not so.
            if left or about[5] != group[3]:
                raise ValueError(left)


class _Thrift:
    """Reads the compact protocol of Thrift, which says field by field what comes next.

    Neither a footer nor the head of a page has a map.
    """

    def __init__(self, content: mmap.mmap, at: int) -> None:
        if at < 0:
            raise IndexError(at)
        self._content, self.at = content, at

    def struct(self) -> dict[int, Any]:
        """Return a struct by the numbers of its fields."""
        found, field = dict[int, Any](), 0
        while head := self._byte():
            field = field + (head >> 4) if head >> 4 else self._signed()
            found[field] = head & 15 == 1 if head & 15 in {1, 2} else self._value(head & 15)
        return found

    def _value(self, kind: int) -> Any:
        if kind in {4, 5, 6}:
            return self._signed()
        if kind in {9, 10}:
            head = self._byte()
            size = self._whole() if head >> 4 == 15 else head >> 4
            return [self._value(head & 15) for _ in range(size)]
        if kind == 12:
            return self.struct()
        return self._bytes(self._whole() if kind == 8 else {1: 1, 2: 1, 3: 1, 7: 8}[kind])

    def _bytes(self, size: int) -> bytes:
        start, self.at = self.at, self.at + size
        if self.at > len(self._content):
            raise IndexError(start)
        return self._content[start : self.at]

    def _byte(self) -> int:
        self.at += 1
        return self._content[self.at - 1]

    def _whole(self) -> int:
        found, shift, at, content = 0, 0, self.at, self._content
        while (byte := content[at]) > 127:
            found |= (byte & 127) << shift
            at += 1
            if (shift := shift + 7) > 63:
                raise ValueError(shift)
        self.at = at + 1
        return found | byte << shift

    def _signed(self) -> int:
        number = self._whole()
        return number >> 1 ^ -(number & 1)


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
