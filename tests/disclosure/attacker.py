"""An attacker of our own: reads a public edition and solves for the hidden investigations.

Written from the meaning of the marts alone, with none of the edition's or the audit's code.
"""

from collections.abc import Mapping, Sequence

import numpy as np
import polars as pl
from numpy.typing import NDArray
from scipy.optimize import linprog

DIMS = ["category", "recipient", "media", "outcome"]
CATEGORIES = [
    "information_disclosure", "media_relationship", "social_media", "gratuities_hospitality",
    "procurement", "second_jobs", "other",
]  # fmt: skip

Floats = NDArray[np.float64]


def attack(
    public: Mapping[str, pl.DataFrame], categories: Sequence[str] = CATEGORIES
) -> pl.DataFrame:
    """Return force_code, the dims, low and high of each hidden entry of `investigations`."""
    entries = public["investigations"].with_row_index("place")
    hidden = entries.filter(pl.col("symbol") == "c")
    number = {place: n for n, place in enumerate(hidden["place"])}
    rows: list[tuple[Floats, float]] = []

    def know(those: pl.DataFrame, total: float) -> None:
        unknown = [number[place] for place in those["place"] if place in number]
        if unknown:
            row = np.zeros(len(number))
            row[unknown] = 1
            rows.append((row, total - sum(those["cases"].drop_nulls().to_list())))

    national = public["national_totals"].filter(
        pl.col("measure") == "investigations", pl.col("period") == "collection"
    )
    for breakdown, value in national.select("breakdown", "value").drop_nulls().iter_rows():
        know(_part(entries, breakdown), value)
    printed = public["reconciliation"].filter(
        pl.col("measure") == "investigations", pl.col("period") == "collection"
    )
    for force, breakdown, value in printed.select("scope", "breakdown", "computed").iter_rows():
        if value is not None and force != "national":
            know(_part(entries.filter(pl.col("force_code") == force), breakdown), value)
    for row in public["force_profiles"].iter_rows(named=True):
        mine = entries.filter(pl.col("force_code") == row["force_code"])
        sums = {
            "investigations": mine,
            "media_disclosure": mine.filter(pl.col("recipient") == "media"),
            "continuing": mine.filter(pl.col("outcome") == "continuing"),
            **{name: mine.filter(pl.col("category") == name) for name in CATEGORIES},
        }
        for column, those in sums.items():
            if row[column] is not None:
                know(those, row[column])
        if row["investigations_per_month"] is not None:
            know(mine, row["investigations_per_month"] * 9)
    wanted = hidden.filter(pl.col("category").is_in(categories))
    matrix = np.array([row for row, _ in rows])
    totals = np.array([total for _, total in rows])
    ends = [_ends(matrix, totals, number[place]) for place in wanted["place"]]
    bounds = pl.DataFrame(ends, schema=["low", "high"], orient="row")
    return wanted.select("force_code", *DIMS).hstack(bounds)


def _part(entries: pl.DataFrame, breakdown: str) -> pl.DataFrame:
    for part in breakdown.split(";") if breakdown else []:
        key, code = part.split("=")
        if code == "completed":
            entries = entries.filter(pl.col("outcome") != "continuing")
        else:
            entries = entries.filter(pl.col(key) == code)
    return entries


def _ends(matrix: Floats, totals: Floats, place: int) -> list[float]:
    ends = []
    for sign in (1.0, -1.0):
        cost = np.zeros(matrix.shape[1])
        cost[place] = sign
        found = linprog(cost, A_eq=matrix, b_eq=totals, method="highs")
        assert found.fun is not None, found.message
        ends.append(round(sign * float(found.fun), 6))
    return ends
