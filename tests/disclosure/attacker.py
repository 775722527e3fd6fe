"""An attacker of our own: reads public editions and solves for the hidden investigations.

Written from the meaning of the marts alone, with none of the edition's or the audit's code.
"""

from collections.abc import Hashable, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import polars as pl
from numpy.typing import NDArray
from scipy.optimize import linprog
from scipy.sparse import csr_array

DIMS = ["category", "recipient", "media", "outcome"]
CATEGORIES = [
    "information_disclosure", "media_relationship", "social_media", "gratuities_hospitality",
    "procurement", "second_jobs", "other",
]  # fmt: skip

Floats = NDArray[np.float64]
Weighted = tuple[float, Sequence[Any]]
Thresholds = Mapping[str, Mapping[str, float]]


class Seen(NamedTuple):
    """A public edition, and which return of each force is in it, as far as that is known."""

    marts: Mapping[str, pl.DataFrame]
    returns: Mapping[str, Hashable] = {}


class _Attack:
    """Unknowns, one for each hidden entry of each return, and what is known of their sums."""

    def __init__(self) -> None:
        self.values: dict[Any, float] = {}
        self.number: dict[Any, int] = {}
        self.equal: list[tuple[dict[int, float], float]] = []
        self.most: list[tuple[dict[int, float], float]] = []

    def terms(
        self, weighted: Sequence[tuple[float, Sequence[Any]]]
    ) -> tuple[dict[int, float], float]:
        terms: dict[int, float] = {}
        shown = 0.0
        for weight, entries in weighted:
            for entry in entries:
                if entry in self.values:
                    shown += weight * self.values[entry]
                else:
                    number = self.number.setdefault(entry, len(self.number))
                    terms[number] = terms.get(number, 0) + weight
        return terms, shown

    def know(self, entries: Sequence[Any], total: float) -> None:
        terms, shown = self.terms([(1, entries)])
        if terms:
            self.equal.append((terms, total - shown))

    def at_most(self, weighted: Sequence[Weighted], end: float) -> None:
        terms, shown = self.terms(weighted)
        if terms:
            self.most.append((terms, end - shown))

    def matrix(self, rows: Sequence[tuple[dict[int, float], float]]) -> tuple[csr_array, Floats]:
        places = [(row, n, w) for row, (terms, _) in enumerate(rows) for n, w in terms.items()]
        row, column, weight = zip(*places, strict=True) if places else ((), (), ())
        shape = len(rows), len(self.number)
        return csr_array((weight, (row, column)), shape=shape), np.array([end for _, end in rows])


def attack(
    editions: Sequence[Seen],
    categories: Sequence[str] = CATEGORIES,
    thresholds: Thresholds | None = None,
    forces: Sequence[str] | None = None,
) -> pl.DataFrame:
    """Return the bounds of each hidden entry of `investigations`.

    Args:
        editions: what was published, oldest first.
        categories: what to attack.
        thresholds: the limits of rules Q102, Q107, Q108 and Q109, for who counts them in.
        forces: whom to attack; None for all.

    Returns:
        edition (the last that hides it), force_code, the dims, low, high.
    """
    found = _Attack()
    entries = [_entries(seen) for seen in editions]
    hidden: dict[Any, int] = {}
    for at, rows in enumerate(entries):
        for entry, (value, symbol) in rows.items():
            if value is not None:
                found.values[entry] = value
            elif symbol == "c":
                hidden[entry] = at
    for seen, rows in zip(editions, entries, strict=True):
        _read(found, seen.marts, list(rows), thresholds)
    wanted = [
        entry
        for entry in hidden
        if entry[1] in categories and (forces is None or entry[0] in forces)
    ]
    for entry in wanted:
        found.terms([(1, [entry])])
    equal, most = found.matrix(found.equal), found.matrix(found.most)
    ends = [_ends(found, equal, most, entry) for entry in wanted]
    keys = pl.DataFrame(
        [(hidden[entry], *entry[:5]) for entry in wanted],
        schema={"edition": pl.Int64, **dict.fromkeys(["force_code", *DIMS], pl.String)},
        orient="row",
    )
    bounds = pl.DataFrame(ends, schema={"low": pl.Float64, "high": pl.Float64}, orient="row")
    return keys.hstack(bounds)


def _entries(seen: Seen) -> dict[Any, tuple[float | None, str | None]]:
    rows = seen.marts["investigations"].select("force_code", *DIMS, "cases", "symbol").iter_rows()
    return {(*row[:5], seen.returns.get(row[0])): (row[5], row[6]) for row in rows if row[6] != "x"}


def _read(
    found: _Attack,
    public: Mapping[str, pl.DataFrame],
    rows: Sequence[Any],
    thresholds: Thresholds | None,
) -> None:
    national = public["national_totals"].filter(
        pl.col("measure") == "investigations", pl.col("period") == "collection"
    )
    for breakdown, value in national.select("breakdown", "value").drop_nulls().iter_rows():
        found.know(_part(rows, breakdown), value)
    printed = public["reconciliation"].filter(
        pl.col("measure") == "investigations", pl.col("period") == "collection"
    )
    for force, breakdown, value in printed.select("scope", "breakdown", "computed").iter_rows():
        if value is not None and force != "national":
            found.know(_part([row for row in rows if row[0] == force], breakdown), value)
    states = dict(public["returns_status"].select("force_code", "state").iter_rows())
    for row in public["force_profiles"].iter_rows(named=True):
        mine = [entry for entry in rows if entry[0] == row["force_code"]]
        sums = {
            "investigations": mine,
            "media_disclosure": _part(mine, "recipient=media"),
            "continuing": _part(mine, "outcome=continuing"),
            **{name: _part(mine, f"category={name}") for name in CATEGORIES},
        }
        for column, those in sums.items():
            if row[column] is not None:
                found.know(those, row[column])
        if row["investigations_per_month"] is not None:
            found.know(mine, row["investigations_per_month"] * 9)
        if thresholds and states[row["force_code"]] == "accepted":
            _rules(found, row, sums, thresholds)


def _rules(
    found: _Attack,
    row: Mapping[str, Any],
    sums: Mapping[str, Sequence[Any]],
    thresholds: Thresholds,
) -> None:
    """An accepted return has passed the rules; where the whole is shown, they are plain."""
    all_of, disclosure = sums["investigations"], sums["information_disclosure"]
    low, high = thresholds["Q102"]["lowest"], thresholds["Q102"]["highest"]
    found.at_most([(-1, disclosure)], -low)
    found.at_most([(1, disclosure)], high)
    shares = [
        ("Q107", _part(disclosure, "recipient=others"), disclosure, "information_disclosure"),
        ("Q108", sums["continuing"], all_of, "investigations"),
        ("Q109", _part(all_of, "outcome=left_service"), all_of, "investigations"),
    ]
    for rule, part, whole, column in shares:
        if row[column] is not None and row[column] >= thresholds[rule]["cases"]:
            found.at_most([(1, part), (-thresholds[rule]["highest"], whole)], 0)
            if rule == "Q108":
                found.at_most([(-1, part)], -1)


def _part(entries: Sequence[Any], breakdown: str) -> list[Any]:
    kept = list(entries)
    for part in breakdown.split(";") if breakdown else []:
        key, code = part.split("=")
        place = 1 + DIMS.index(key)
        if code == "completed":
            kept = [entry for entry in kept if entry[place] != "continuing"]
        else:
            kept = [entry for entry in kept if entry[place] == code]
    return kept


def _ends(
    found: _Attack, equal: tuple[csr_array, Floats], most: tuple[csr_array, Floats], entry: Any
) -> tuple[float, float]:
    if entry in found.values:
        return found.values[entry], found.values[entry]
    ends = []
    for sign in (1.0, -1.0):
        cost = np.zeros(len(found.number))
        cost[found.number[entry]] = sign
        more = {"A_ub": most[0], "b_ub": most[1]} if found.most else {}
        solved = linprog(cost, A_eq=equal[0], b_eq=equal[1], method="highs", **more)
        assert solved.fun is not None, solved.message
        ends.append(round(sign * float(solved.fun), 6))
    return ends[0], ends[1]
