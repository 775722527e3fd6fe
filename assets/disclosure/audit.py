"""The proof, count by count, that nothing hidden can be worked out again.

Belongs here: what is wide enough, and the cases against rule M010. It reads the public edition as
anybody could, and shares no code with the choice of what to hide but the solver.
"""

from collections.abc import Iterator, Mapping
from typing import Any, Final

import numpy as np
import polars as pl

from assets.disclosure.bounds import Extremes
from assets.disclosure.known import Knowledge
from assets.disclosure.order import OVER_FORCES
from assets.disclosure.readings import knowledge
from assets.disclosure.solver import Floats
from schemas.collection import Collection
from schemas.contract import conform, empty
from schemas.disclosure import FORCE_COUNTS, SUPPRESSED, Disclosure, Protection
from schemas.marts.public import SuppressionAudit, symbol_of

_NO_MART: Final = "cells"
"""The audit's name for counts that stand in no public mart, while sums of them do."""


def audit(public: Mapping[str, pl.DataFrame], collection: Collection) -> pl.DataFrame:
    """Return the mart SuppressionAudit of public marts.

    Args:
        public: the public marts by name, as PUBLIC_MARTS says.
        collection: the collection, with its settings of the public edition.

    Raises:
        ContractError: no whole numbers fit the public marts.
    """
    settings = collection.disclosure
    rows: list[dict[str, Any]] = []
    if settings is not None:
        year = collection.census.year
        blind = knowledge(_blind(public, settings), year)
        for table, known in knowledge(public, year).items():
            rows += [_unread(breakdown) for breakdown in known.unread]
            if known.hidden:
                rows += _judged(known, blind[table], settings)
    return conform(SuppressionAudit, pl.DataFrame(rows, schema=empty(SuppressionAudit).schema))


def problems(audited: pl.DataFrame) -> Iterator[str]:
    """Yield the cases against rule M010, from the mart SuppressionAudit."""
    for row in audited.filter(~pl.col("protected")).iter_rows(named=True):
        what = f"{row['mart']}.{row['column_name']} {row['cell']}"
        if row["width"]:
            low, high = row["table_low"], row["table_high"]
            yield f"{what} can only be {low} to {high}; it has to be {row['required']} wide"
        else:
            yield f"{what} can be worked out"


def _judged(known: Knowledge, blind: Knowledge, settings: Disclosure) -> Iterator[dict[str, Any]]:
    extremes = Extremes(known)
    extremes.bound(range(len(known.hidden)))
    protections = [_protection(item.mart, item.column, settings) for item in known.hidden]
    extremes.find_tables(np.array([item.width for item in protections], dtype=float))
    required = _required(known, blind, protections, extremes)
    for place, item in enumerate(known.hidden):
        if item.mart == _NO_MART and extremes.high[place] < protections[place].smallest:
            continue  # certainly not small, and nothing that the edition hides
        yield {
            "mart": item.mart,
            "column_name": item.column,
            "cell": item.cell,
            "low": float(extremes.low[place]),
            "high": float(extremes.high[place]),
            "table_low": int(extremes.table_low[place]),
            "table_high": int(extremes.table_high[place]),
            "width": int(extremes.widths[place]),
            "required": int(required[place]),
            "protected": bool(extremes.widths[place] >= required[place]),
        }


def _required(
    known: Knowledge, blind: Knowledge, protections: list[Protection], extremes: Extremes
) -> Floats:
    """Return how wide each hidden count must be.

    That is what the collection asks for, or all that national totals and exempt counts leave open
    where that is less; and never nothing.
    """
    required = np.array([item.width for item in protections], dtype=float)
    narrow = np.flatnonzero(extremes.widths < required).tolist()
    if narrow:
        places = {item.key: place for place, item in enumerate(blind.hidden)}
        there = {place: places[known.hidden[place].key] for place in narrow}
        without = Extremes(blind)
        for place in narrow:
            required[place] = min(required[place], without.ceilings[there[place]])
        left = [place for place in narrow if extremes.widths[place] < required[place]]
        without.bound(there[place] for place in left)
        for place in left:
            required[place] = min(required[place], max(1, without.room[there[place]]))
    return required


def _protection(mart: str, column: str, settings: Disclosure) -> Protection:
    return settings.counts[column if mart == _NO_MART else FORCE_COUNTS[mart][column]]


def _unread(breakdown: str) -> dict[str, Any]:
    """A statistic that is shown, and of which nobody can say here what follows from it."""
    ends = dict.fromkeys(["low", "high", "table_low", "table_high", "width"], 0)
    where = {"mart": "national_totals", "column_name": "value", "cell": breakdown}
    return {**where, **ends, "required": 1, "protected": False}


def _blind(public: Mapping[str, pl.DataFrame], settings: Disclosure) -> dict[str, pl.DataFrame]:
    """Return the public marts with every count of a single force hidden but the exempt ones.

    And without the statistics over forces that are not in print, since they follow from the rest.
    """
    found = dict(public)
    for mart, names in FORCE_COUNTS.items():
        for column in names if mart in public else ():
            symbol = symbol_of(mart, column)
            exempt = [
                force
                for force in found[mart]["force_code"].unique()
                if settings.is_exempt(mart, column, force)
            ]
            hide = pl.col(column).is_not_null() & ~pl.col("force_code").is_in(exempt)
            found[mart] = found[mart].with_columns(
                pl.when(hide).then(pl.lit(SUPPRESSED)).otherwise(symbol).alias(symbol),
                pl.when(~hide).then(column).alias(column),
            )
    printed = public["reconciliation"].drop_nulls("computed")
    over_forces = pl.col("measure").is_in(OVER_FORCES)
    national = public["national_totals"]
    found["national_totals"] = pl.concat(
        [
            national.filter(~over_forces),
            national.filter(over_forces).join(
                printed, on=["measure", "breakdown", "period"], how="semi"
            ),
        ]
    )
    return found
