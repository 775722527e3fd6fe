"""Rules about entries one by one: against a ceiling, case rows, peers, and other versions.

Each gives a table with one row an entry of a return, and the tests of its rows; but S014, which
asks of two versions whether their order can be told.
"""

from collections.abc import Callable, Iterator, Mapping, Set
from dataclasses import dataclass
from datetime import date
from functools import cached_property
from math import inf
from typing import Final

import polars as pl

from assets.returns.desk.versions import replaced
from assets.returns.validation.rules.evaluate import ENTRY, Fields, Test
from assets.returns.validation.rules.kinds import Use
from schemas.collection import Collection
from schemas.finding import Finding, Place, finding
from schemas.rules.catalogue import UNORDERED
from schemas.wording import first_of, plural

CASE_GRID: Final = ["force_code", *ENTRY]
NOT_OLDER: Final = "S011"
"""The rule that every template has: a return that replaces another is not older."""

_CONSISTENT: Final = 1.4826
"""Makes the median absolute deviation an estimate of the standard deviation."""

NO_CASES: Final = pl.DataFrame(
    schema={**dict.fromkeys(CASE_GRID, pl.String), "rows": pl.Int64, "aside": pl.String}
)
"""What case rows add up to where no force sent any, with what of them was set aside, "" for
nothing: `Returns.cases`."""

_COUNTS: Final = dict.fromkeys(("before", "months"), pl.Int64)
NONE_BEFORE: Final = pl.DataFrame(
    schema=dict.fromkeys(CASE_GRID, pl.String) | _COUNTS | {"until": pl.String}
)
"""What entries were before where nothing was released: `Returns.before`."""


@dataclass(frozen=True)
class Returns:
    """The typed returns that rules are held against.

    `entries`: table Entries. `receipts`: receipt_id, force_code, version. `cases`: `rows` by
    CASE_GRID, and what was set `aside`, of the forces whose case-level extract counts. `before`:
    what the entries were in the released collection before: force_code, ENTRY, before, and the
    `months` of its period and the month `until` when. `acceptable`: the receipts without a blocking
    finding so far that the desk has not gone back from.
    """

    entries: pl.DataFrame
    receipts: pl.DataFrame
    cases: pl.DataFrame
    before: pl.DataFrame
    acceptable: frozenset[str] = frozenset()

    @property
    def numbers(self) -> pl.DataFrame:
        """receipt_id, ENTRY and number of every entry."""
        return self.entries.select("receipt_id", *ENTRY, "number")

    @property
    def newest(self) -> pl.DataFrame:
        """The newest acceptable receipt of each force."""
        known = self.receipts.drop_nulls("force_code")
        known = known.filter(pl.col("receipt_id").is_in(list(self.acceptable)))
        return known.sort("version").unique("force_code", keep="last")

    @cached_property
    def beside_earlier(self) -> pl.DataFrame:
        """Every entry with those of its force's acceptable return before it, or null."""
        of_earlier = {"receipt_id": "earlier_id", "number": "earlier", "value": "earlier_value"}
        entries = self.entries.select("receipt_id", *ENTRY, "number", "value")
        counted = pl.col("receipt_id").is_in(list(self.acceptable))
        earlier_of = replaced(self.receipts.with_columns(counted=counted)).filter("counted")
        beside = entries.join(
            earlier_of.select("receipt_id", "earlier_id"), on="receipt_id", how="left"
        )
        return beside.join(entries.rename(of_earlier), on=["earlier_id", *ENTRY], how="left")


def entry_tests(
    returns: Returns, kinds: Set[str], collection: Collection, off: Set[str]
) -> Iterator[tuple[pl.DataFrame, list[Test]]]:
    """Yield the tests of entries one by one by rules of some kinds, each with its table."""
    for item in collection.template.rules:
        if item.use in kinds and item.id not in off:
            use = Use(item, collection)
            table = ENTRY_KINDS[item.use](use, returns)
            yield table, [use.of_entries(table)]
    if "resubmission" in kinds and NOT_OLDER not in off:
        now, before = pl.col("value"), pl.col("earlier_value")
        dated = (pl.col("row_code") == "submitted_on") & before.is_not_null()
        told: Fields = {"value": now, "earlier_value": before}
        # ISO dates compare as text.
        yield returns.beside_earlier, [Test(NOT_OLDER, "not_older", now >= before, told, dated)]


def _ceiling(_: Use, returns: Returns) -> pl.DataFrame:
    return returns.numbers


def _cases(_: Use, returns: Returns) -> pl.DataFrame:
    forces = returns.receipts.select("receipt_id", "force_code")
    grid = forces.join(returns.cases, on="force_code", how="left")
    own = returns.entries.select("receipt_id", *ENTRY, "number", "missing")
    told = pl.coalesce(pl.col("number").cast(pl.String), "missing").alias("told")
    return grid.join(own.with_columns(told), on=["receipt_id", *ENTRY], how="left")


def _resubmission(use: Use, returns: Returns) -> pl.DataFrame:
    """Return entries with the `earlier` number, and whether the change is `little`."""
    now, before = pl.col("number"), pl.col("earlier")
    change = (now - before).abs()
    little = (change <= before * use.limits["share"]) | (change < use.limits["difference"])
    both = now.is_not_null() & before.is_not_null()
    sent = returns.numbers.join(
        returns.receipts.drop_nulls("force_code"), on="receipt_id"
    ).with_columns(acceptable=pl.col("receipt_id").is_in(list(returns.acceptable)))
    # Of a number that was asked about, the earlier one stays: sent once more, it is no answer.
    settled, beside = sent.clear().select("force_code", *ENTRY, earlier="number"), []
    for (_,), mine in sent.sort("version").group_by("version", maintain_order=True):
        told = mine.join(settled, on=["force_code", *ENTRY], how="left", nulls_equal=True)
        beside.append(told.select("receipt_id", *ENTRY, "number", "earlier"))
        holds = told.filter("acceptable", now.is_not_null(), ~both | little)
        known = holds.select("force_code", *ENTRY, earlier="number")
        settled = pl.concat([settled, known]).unique(["force_code", *ENTRY], keep="last")
    table = pl.concat(beside) if beside else returns.beside_earlier
    return table.with_columns(little=little)


def _peers(use: Use, returns: Returns) -> pl.DataFrame:
    places = pl.DataFrame(use.places(use.item.at), ENTRY, orient="row")
    typical = (pl.col("centre") ** 2).round(0).cast(pl.Int64)
    spread = pl.col("deviation") * _CONSISTENT
    return _beside_peers(returns, places).with_columns(typical=typical, spread=spread)


def _ratios(use: Use, returns: Returns) -> pl.DataFrame:
    """Return entries beside those of an earlier period, with what is usual and how it is said."""
    limits, number, before = use.limits, pl.col("number"), pl.col("before")
    enough = pl.col("low").is_not_null() & (number > 0) & (before > 0)
    at_rate, median = pl.col("at_rate"), pl.col("median")
    times = pl.when(before > 0).then((number / at_rate).round(2).cast(pl.String))
    usually = pl.when(enough).then(median.round(2).cast(pl.String))
    return _beside_before(returns, use).with_columns(
        enough=enough,
        at=number,
        other=before,
        other_months="months",
        months=pl.lit(use.collection.period.months),
        times=times.otherwise(pl.lit("any")),
        usually=usually.otherwise(pl.lit(f"{limits['lowest']:g} to {limits['highest']:g}")),
        usual=pl.when(enough).then(at_rate * median).otherwise(at_rate),
    )


ENTRY_KINDS: Final[dict[str, Callable[[Use, Returns], pl.DataFrame]]] = {
    test.__name__.removeprefix("_"): test
    for test in (_ceiling, _cases, _resubmission, _peers, _ratios)
}
"""The tables that kinds of tests of entries one by one are about, a row an entry of a return.

`peers` and `ratios` need cells named.
"""

WITHIN: Final = frozenset({"ceiling", "cases"})
"""Those by what the return itself, or its case rows, say."""

BETWEEN: Final = frozenset(ENTRY_KINDS) - WITHIN
"""Those by other returns, as far as these are acceptable."""


def _beside_peers(returns: Returns, places: pl.DataFrame) -> pl.DataFrame:
    """Return the entries at places with the spread of their peers, one row a return and place.

    Peers are the newest acceptable returns of the other forces. `centre` and `deviation` are the
    median and the median absolute deviation of the square roots of their numbers.
    """
    numbers = returns.entries.join(places, on=ENTRY).join(
        returns.receipts.select("receipt_id", "force_code"), on="receipt_id"
    )
    root = pl.col("number").cast(pl.Float64).sqrt().alias("root")
    live = numbers.join(returns.newest, on="receipt_id", how="semi").select(
        "force_code", *ENTRY, root, again=pl.int_range(pl.len()).over(*ENTRY, "number")
    )
    own = numbers.drop_nulls("force_code").select("receipt_id", "force_code", *ENTRY)
    own = own.join(
        live.drop("again").rename({"root": "own"}), on=["force_code", *ENTRY], how="left"
    )
    # Forces with the same number have the same peers: a spread for each number, not for each force.
    is_own = (pl.col("root") == pl.col("own")) & (pl.col("again") == 0)
    spread = (
        own.select(*ENTRY, "own")
        .unique()
        .join(live, on=ENTRY)
        .filter(~is_own.fill_null(value=False))
        .group_by(*ENTRY, "own")
        .agg(
            pl.col("root").count().cast(pl.Int64).alias("peers"),
            pl.col("root").median().alias("centre"),
            (pl.col("root") - pl.col("root").median()).abs().median().alias("deviation"),
        )
    )
    spread = own.join(spread, on=[*ENTRY, "own"], nulls_equal=True).drop("force_code", "own")
    grid = returns.receipts.select("receipt_id").join(places, how="cross")
    mine = numbers.select("receipt_id", *ENTRY, "number")
    return grid.join(mine, on=["receipt_id", *ENTRY], how="left").join(
        spread, on=["receipt_id", *ENTRY], how="left"
    )


_NO_RATIOS: Final = {"forces": inf, "exponent": 0.0, "constant": 0.0, "least": 0.0}
"""The limits of a collection that gives none for ratios: the usual ratios are its limits."""


def _beside_before(returns: Returns, use: Use) -> pl.DataFrame:
    """Return entries beside those of an earlier period, with the limits that all of them give.

    `at_rate` is the earlier number at the months of now. `off` is how far a ratio lies from the
    median of those of the newest acceptable returns, as many times up as down, weighed by size;
    `low` and `high` are null where too few forces have both numbers.
    """
    periods, template = use.collection.comparators, use.collection.template
    own, limits, number = use.collection.period, {**_NO_RATIOS, **use.limits}, pl.col("number")
    held = returns.entries.select("receipt_id", *ENTRY, "number", "missing")
    whose = returns.receipts.select("receipt_id", "force_code")
    if use.item.other:
        rows = []
        for at, other in use.pairs():
            period = periods[template.entry_at[other].period]
            rows.append((*at, *other, period.months, f"{period.end:%B %Y}"))
        others = [f"other_{name}" for name in ENTRY]
        places = pl.DataFrame(rows, [*ENTRY, *others, "months", "until"], orient="row")
        was = held.rename({**dict(zip(ENTRY, others, strict=True)), "number": "before"})
        before = whose.join(places, how="cross").join(was, on=["receipt_id", *others])
    else:
        places = pl.DataFrame([at for at, _ in use.pairs()], ENTRY, orient="row")
        released = returns.before.join(places, on=ENTRY).with_columns(
            missing=pl.lit(None, pl.String)
        )
        before = whose.join(released, on="force_code")
    grid = (
        before.rename({"missing": "before_missing"})
        .join(held.drop("missing"), on=["receipt_id", *ENTRY], how="left")
        .with_columns(at_rate=pl.col("before") * own.months / pl.col("months"))
    )
    both = (number > 0) & (pl.col("before") > 0)
    ratio = pl.when(both).then(number / pl.col("at_rate"))
    live = grid.join(returns.newest, on="receipt_id", how="semi").filter(both)
    medians = live.group_by(ENTRY).agg(median=ratio.median())
    apart = (
        pl.when(ratio < pl.col("median"))
        .then(1 - pl.col("median") / ratio)
        .otherwise(ratio / pl.col("median") - 1)
    )
    size = pl.max_horizontal(number, "at_rate").cast(pl.Float64) ** limits["exponent"]
    off = (apart * size).alias("off")
    centre, least = pl.col("off").median(), limits["least"]
    low, high = (pl.col("off").quantile(at, "linear") for at in (0.25, 0.75))
    width = [pl.max_horizontal(one, (centre * least).abs()) * limits["constant"]
             for one in (centre - low, high - centre)]  # fmt: skip
    enough = pl.len() >= limits["forces"]
    ends = (
        live.join(medians, on=ENTRY)
        .with_columns(off)
        .group_by(ENTRY)
        .agg(
            pl.when(enough).then(centre - width[0]).alias("low"),
            pl.when(enough).then(centre + width[1]).alias("high"),
        )
    )
    told = grid.join(medians, on=ENTRY, how="left").join(ends, on=ENTRY, how="left")
    return told.with_columns(off)


_SHOWN: Final = 10
_SUBMITTED: Final = ("cover", "submitted_on", "value")
_HELD: Final = ("receipt_id", *ENTRY, "cell", "value", "number")
_BLANK: Final = (None, None, None)
_Held = dict[tuple[str, ...], tuple[str | None, str | None, int | None]]
"""By entry its cell, value and number."""


@dataclass(frozen=True)
class Received:
    """What validation knows of a receipt beside its content.

    `version` is null, as `force_code` may be, for a file that is checked on its own. `tie` is as in
    the contract Receipts. With what the desk has `gone` back from nothing is compared.
    """

    received_on: date
    force_code: str | None = None
    version: int | None = None
    file_name: str = ""
    tie: str | None = None
    gone: bool = False


def unordered(
    entries: pl.DataFrame, received: Mapping[str, Received], acceptable: Set[str]
) -> Iterator[tuple[str, Finding]]:
    """Yield the receipt that would count by its name alone, with the query, for each tie."""
    ties: dict[tuple[str | None, str], list[str]] = {}
    for key, known in received.items():
        if known.tie and key in acceptable:
            ties.setdefault((known.force_code, known.tie), []).append(key)
    for (_, first), found in ties.items():
        newest = max(found, key=lambda key: received[key].version or 0)
        # The first can have come, and counted, before the others were known.
        rivals = {*found, *({first} & acceptable)} - {newest}
        held: dict[str, _Held] = {key: {} for key in (newest, *rivals)}
        of = entries.filter(pl.col("receipt_id").is_in([*held]))
        for key, *at, cell, value, number in of.select(*_HELD).iter_rows():
            held[key][*at] = cell, value, number
        # ISO dates compare as text, and none is before any.
        day = {key: each.get(_SUBMITTED, _BLANK)[1] or "" for key, each in held.items()}
        told = [
            f"{_named(received[key])} ({differing})"
            for key in sorted(rivals, key=lambda key: received[key].version or 0)
            if not day[newest] > day[key] and (differing := _differences(held[key], held[newest]))
        ]
        if told:
            # No value: an answer would hold for every later pair of the same date.
            place = Place("cover", held[newest].get(_SUBMITTED, _BLANK)[0], *_SUBMITTED[1:])
            message = (
                f"{_named(received[newest])} has the same time as {', '.join(told)}: which of them"
                " is newer cannot be told, and none counts until somebody says so"
            )
            yield newest, finding(UNORDERED, message, place)


def _named(known: Received) -> str:
    return f"version {known.version} ({known.file_name!r})"


def _differences(one: _Held, other: _Held) -> str:
    """Name the cells that differ, with what they hold where that is a number and no free text."""
    told = []
    for at in sorted({*one, *other}):
        (cell, was, before), (now_at, now, after) = (each.get(at, _BLANK) for each in (one, other))
        if was != now:
            numbers = "" if None in {before, after} else f" {before} against {after}"
            told.append(f"{at[0]}!{now_at or cell}{numbers}")
    verb = "differs" if len(told) == 1 else "differ"
    return f"{plural(len(told), 'cell')} {verb}: {first_of(told, _SHOWN)}" if told else ""
