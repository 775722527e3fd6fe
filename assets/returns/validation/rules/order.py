"""Rule S014: whether the order of two versions of a force's return can be told."""

from collections.abc import Iterator, Mapping, Set
from dataclasses import dataclass
from datetime import date
from typing import Final

import polars as pl

from schemas.finding import Finding, Place, finding
from schemas.rules.catalogue import UNORDERED
from schemas.wording import plural

_SHOWN: Final = 10
_ENTRY: Final = ["sheet", "row_code", "column_code"]


@dataclass(frozen=True)
class Received:
    """What validation knows of a receipt beside its content.

    `version` is null, as `force_code` may be, for a file that is checked on its own. `tie` is as in
    the contract Receipts.
    """

    received_on: date
    force_code: str | None = None
    version: int | None = None
    file_name: str = ""
    tie: str | None = None


def unordered(
    entries: pl.DataFrame, received: Mapping[str, Received], acceptable: Set[str]
) -> Iterator[tuple[str, Finding]]:
    """Yield the receipt that would count by its name alone, with the query, for each tie.

    Args:
        entries: table Entries.
        received: what is known of each receipt.
        acceptable: the receipts without a blocking finding.
    """
    ties: dict[tuple[str | None, str], list[str]] = {}
    for key, known in received.items():
        if known.tie and key in acceptable:
            ties.setdefault((known.force_code, known.tie), []).append(key)
    for (_, first), found in ties.items():
        newest = max(found, key=lambda key: received[key].version or 0)
        # The first can have come, and counted, before the others were known.
        rivals = {*found, *({first} & acceptable)} - {newest}
        tables = {key: entries.filter(receipt_id=key) for key in (newest, *rivals)}
        dated = {
            key: table.filter(sheet="cover", row_code="submitted_on").select("value", "cell").rows()
            for key, table in tables.items()
        }
        # ISO dates compare as text, and none is before any.
        day = {key: next((value or "" for value, _ in rows), "") for key, rows in dated.items()}
        told = [
            f"{_named(received[key])} ({_differences(differing)})"
            for key in sorted(rivals, key=lambda key: received[key].version or 0)
            if not day[newest] > day[key]
            and (differing := _differing(tables[key], tables[newest])).height
        ]
        if told:
            # No value: an answer would hold for every later pair of the same date.
            cell = next((cell for _, cell in dated[newest]), None)
            place = Place("cover", cell, "submitted_on", "value")
            message = (
                f"{_named(received[newest])} has the same time as {', '.join(told)}: which of them"
                " is newer cannot be told, and none counts until somebody says so"
            )
            yield newest, finding(UNORDERED, message, place)


def _named(known: Received) -> str:
    return f"version {known.version} ({known.file_name!r})"


def _differing(one: pl.DataFrame, other: pl.DataFrame) -> pl.DataFrame:
    """Return the entries that differ: _ENTRY, cell, and the value and number of either."""
    kept = [*_ENTRY, "cell", "value", "number"]
    both = one.select(kept).join(
        other.select(kept), on=_ENTRY, how="full", coalesce=True, suffix="_other"
    )
    cell = pl.coalesce("cell_other", "cell").alias("cell")
    return (
        both.filter(pl.col("value").ne_missing(pl.col("value_other")))
        .with_columns(cell)
        .sort(_ENTRY)
    )


def _differences(differing: pl.DataFrame) -> str:
    """Name the cells that differ, with what they hold where that is a number and no free text."""
    told = [
        f"{row['sheet']}!{row['cell']}"
        + (
            f" {row['number']} against {row['number_other']}"
            if row["number"] is not None and row["number_other"] is not None
            else ""
        )
        for row in differing.head(_SHOWN).iter_rows(named=True)
    ]
    more = f" and {differing.height - _SHOWN} more" if differing.height > _SHOWN else ""
    verb = "differs" if differing.height == 1 else "differ"
    return f"{plural(differing.height, 'cell')} {verb}: {', '.join(told)}{more}"
