"""The text form of a breakdown: `category=media_relationship;outcome=continuing`.

A published figure and a computed total meet by joining on this text, so there is exactly one
way to write a breakdown: the keys in the order of KEYS, which is the order of
reference/published_figures.csv. `a|b` means either answer; `60..` and `0..10` are inclusive.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import polars as pl

KEYS: Final = (
    "question",
    "answer",
    "year",
    "site",
    "category",
    "recipient",
    "media",
    "outcome",
    "body",
    "kind",
    "decision",
    "conditions",
    "occupation",
    "count",
    "statistic",
)


def write_breakdown(parts: Mapping[str, str | None]) -> str:
    """Return the text of a breakdown; a key whose value is None is left out.

    Raises:
        KeyError: a key is not in KEYS.
    """
    unknown = set(parts) - set(KEYS)
    if unknown:
        raise KeyError(f"not breakdown keys: {sorted(unknown)}; known keys: {', '.join(KEYS)}")
    return ";".join(f"{key}={parts[key]}" for key in KEYS if parts.get(key) is not None)


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

    Null columns are left out, so one expression serves every level of a cube.
    """
    ordered = sorted(columns, key=KEYS.index)
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
            raise ValueError(f"band {text!r} is not of the form 2, 0..10 or 60..") from None
        if band.high is not None and band.high < band.low:
            raise ValueError(f"band {text!r} ends before it starts")
        return band

    def contains(self, column: pl.Expr) -> pl.Expr:
        """Return whether the column's count lies in the band."""
        return column >= self.low if self.high is None else column.is_between(self.low, self.high)
