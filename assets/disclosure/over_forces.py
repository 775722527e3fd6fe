"""What the statistics over forces tell of the counts of each, such as a largest one."""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, Final, Protocol

import numpy as np
import polars as pl

from assets.disclosure.known import Knowledge, Numbering, Total
from schemas.breakdown import Band, read_breakdown
from schemas.disclosure import SUPPRESSED

_QUANTILES: Final = {
    "minimum": 0.0,
    "lower_quartile": 0.25,
    "median": 0.5,
    "upper_quartile": 0.75,
    "maximum": 1.0,
}
_ENDS: Final = ("minimum", "maximum")


@dataclass(frozen=True)
class _Spread:
    """The totals of the forces in one subject, each with the least and most it can be."""

    totals: list[Total]
    low: list[int]
    high: list[float]


class Said(Protocol):
    """What the template's file says of a profile."""

    lists: list[str]
    profile: dict[str, dict[str, Any]]

    def among(self, measure: str, breakdown: str) -> list[tuple[Any, ...]] | None:
        """Return the cells that a total adds up."""


class Summed(Protocol):
    """The counts of an edition."""

    def total(self, leaves: Iterable[tuple[Any, ...]], force: str | None = None) -> Total | None:
        """Return the sum of counts; None where none of them has a number."""


def over_forces(measures: Iterable[str]) -> list[str]:
    """Return the measures of national_totals that tell how counts are spread over the forces."""
    return [name for of in measures for name in (f"forces_with_{of}", f"{of}_per_force", of)]


def read_spread(
    known: Knowledge,
    said: Said,
    measure: str,
    counts: Summed,
    public: Mapping[str, pl.DataFrame],
    numbering: Numbering,
) -> None:
    """Add to the knowledge what the shown statistics tell; bands come before ends, by name."""
    over = pl.col("breakdown").str.contains("count=") | (
        pl.col("breakdown").str.contains("statistic=")
        & ~pl.col("breakdown").str.contains("statistic=mean")
    )
    here = pl.col("measure").is_in(over_forces([measure])) & over
    shown = public["national_totals"].filter(here).sort("measure", "breakdown")
    for breakdown, value in shown.drop_nulls("value").select("breakdown", "value").iter_rows():
        parts = read_breakdown(breakdown)
        spread = _spread(counts, public["force_profiles"], said, measure, parts)
        if "count" in parts:
            _read_band(known, spread, Band.parse(parts["count"]), round(value))
        elif not _is_fixed(spread, _QUANTILES[parts["statistic"]]):
            if parts["statistic"] in _ENDS:
                _read_end(known, spread, round(value), parts["statistic"])
            else:
                known.unread.append(f"{parts['statistic']} of {breakdown}")
    hidden = public["reconciliation"].filter(here, pl.col("symbol") == SUPPRESSED)
    for breakdown, value in hidden.select("breakdown", "published").iter_rows():
        parts = read_breakdown(breakdown)
        spread = _spread(counts, public["force_profiles"], said, measure, parts)
        true = [numbering.of_total(total) for total in spread.totals]
        if "count" in parts:
            _read_other_band(known, spread, Band.parse(parts["count"]), value, true)
        else:
            known.unlike.append((spread.totals, partial(_differs, parts["statistic"], value)))


def _differs(statistic: str, printed: float, totals: Sequence[float]) -> bool:
    """Return whether a statistic is not what is printed: then it would be shown."""
    return bool(np.quantile(totals, _QUANTILES[statistic]) != printed)


def _read_other_band(
    known: Knowledge, spread: _Spread, band: Band, printed: float, true: Sequence[float]
) -> None:
    """Not so many totals lie in the band as is printed; on which side of it is given away here."""
    top = np.inf if band.high is None else band.high
    sure, unsure = 0, []
    for total, low, high in zip(spread.totals, spread.low, spread.high, strict=True):
        if low >= band.low and high <= top:
            sure += 1
        elif low <= top and high >= band.low:
            unsure.append(total)
    more = sum(band.low <= count <= top for count in true) > printed
    least, most = (math.floor(printed) + 1, len(true)) if more else (0, math.ceil(printed) - 1)
    least, most = max(0, least - sure), min(len(unsure), most - sure)
    if least > 0 or most < len(unsure):
        known.bands.append((unsure, band, least, most))


def _spread(
    counts: Summed,
    profiles: pl.DataFrame,
    said: Said,
    measure: str,
    parts: Mapping[str, str],
) -> _Spread:
    dims = {name: code for name, code in parts.items() if name in said.lists}
    column, whole = (
        next(
            (
                name
                for name, of in said.profile.items()
                if of["measure"] == measure and of.get("dims", {}) == codes and "period" not in of
            ),
            None,
        )
        for codes in (dims, {})
    )
    leaves = said.among(measure, ";".join(f"{name}={code}" for name, code in dims.items()))
    totals, low, high = [], [], []
    for row in profiles.sort("force_code").iter_rows(named=True):
        total = counts.total(leaves or (), row["force_code"])
        if total is not None:
            shown = row.get(column or "")
            most = row.get(whole or "")
            totals.append(total)
            low.append(total.shown if shown is None else shown)
            high.append((np.inf if most is None else most) if shown is None else shown)
    return _Spread(totals, low, high)


def _is_fixed(spread: _Spread, quantile: float) -> bool:
    if np.isinf(spread.high).any():
        return False
    low, high = (np.quantile(ends, quantile) for ends in (spread.low, spread.high))
    return bool(low == high)


def _read_band(known: Knowledge, spread: _Spread, band: Band, value: int) -> None:
    """So many totals lie in the band; where none or all of the unsure ones do, each one does."""
    top = np.inf if band.high is None else band.high
    inside, unsure = 0, []
    for total, low, high in zip(spread.totals, spread.low, spread.high, strict=True):
        if low >= band.low and high <= top:
            inside += 1
        elif low <= top and high >= band.low:
            unsure.append(total)
    inside = value - inside
    if inside == len(unsure):
        known.limits += [(total, band.low, band.high) for total in unsure]
    elif inside == 0 and band.low == 0 and band.high is not None:
        known.limits += [(total, band.high + 1, None) for total in unsure]
    elif inside == 0 and band.high is None:
        known.limits += [(total, 0, band.low - 1) for total in unsure]
    else:
        known.bands.append((unsure, band, inside, inside))


def _read_end(known: Knowledge, spread: _Spread, value: int, name: str) -> None:
    """No total is beyond it, and one reaches it."""
    unsure = [place for place, low in enumerate(spread.low) if low != spread.high[place]]
    for place in unsure:
        low, high = (value, None) if name == "minimum" else (0, value)
        known.limits.append((spread.totals[place], low, high))
    sure = {low for place, low in enumerate(spread.low) if place not in unsure}
    told = any(band == Band(value, value) and least for _, band, least, _ in known.bands)
    if value not in sure and not told:
        totals = [spread.totals[place] for place in unsure]
        known.bands.append((totals, Band(value, value), 1, len(totals)))
