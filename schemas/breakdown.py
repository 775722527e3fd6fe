"""The text form of a breakdown: `category=media_relationship;outcome=continuing`.

A published figure and a computed total meet by joining on this text, so there is exactly one way
to write a breakdown: the dimensions in the order of the template, between the keys that stand
first and last in every collection. `a|b` means either answer; `60..` and `0..10` are inclusive.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

import polars as pl

FIRST: Final = ("question", "answer", "year", "site")
LAST: Final = ("count", "statistic")
"""Keys that are no dimension of a template's cells, or that stand before them."""


def in_order(keys: Iterable[str]) -> list[str]:
    """Return the keys of a breakdown as they are written; a template's are given in its order."""
    given = list(keys)
    between = [key for key in given if key not in (*FIRST, *LAST)]
    return [*(k for k in FIRST if k in given), *between, *(k for k in LAST if k in given)]


def write_breakdown(parts: Mapping[str, str | None]) -> str:
    """Return the text of a breakdown; a key whose value is None is left out."""
    return ";".join(f"{key}={parts[key]}" for key in in_order(parts) if parts[key] is not None)


def read_breakdown(text: str) -> dict[str, str]:
    """Return the keys and values of a breakdown's text.

    Raises:
        ValueError: a part is not `key=value`.
    """
    if not text:
        return {}
    pairs = [part.partition("=") for part in text.split(";")]
    if any(not separator or not key for key, separator, _ in pairs):
        raise ValueError(f"breakdown {text!r} is not a list of key=value parts joined by ';'")
    return {key: value for key, _, value in pairs}


def breakdown_of(*columns: str) -> pl.Expr:
    """Return an expression that writes the breakdown of a row from the named columns.

    Columns of a template are given in its order. Null columns are left out, so one expression
    serves every level of a cube.
    """
    ordered = in_order(columns)
    if not ordered:
        return pl.lit("").alias("breakdown")
    parts = [pl.format(f"{column}={{}}", pl.col(column)) for column in ordered]
    return pl.concat_str(parts, separator=";", ignore_nulls=True).alias("breakdown")


@dataclass(frozen=True)
class Band:
    """An inclusive range of counts, written `2`, `0..10` or `60..`."""

    low: int
    high: int | None

    @classmethod
    def parse(cls, text: str) -> "Band":
        """Read a band from its text.

        Raises:
            ValueError: the text is none of the three forms, or its ends are the wrong way round.
        """
        low, dots, high = text.partition("..")
        try:
            band = cls(int(low), int(high) if high else (None if dots else int(low)))
        except ValueError:
            raise ValueError(f"band {text!r} is not of the form 2, 60.. or 0..10") from None
        if band.high is not None and band.high < band.low:
            raise ValueError(f"band {text!r} ends before it starts")
        return band

    def contains(self, column: pl.Expr) -> pl.Expr:
        """Return whether the column's count lies in the band."""
        return column >= self.low if self.high is None else column.is_between(self.low, self.high)
