"""What the statistics over forces tell of the counts of each, such as a largest one."""

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from typing import Final, NamedTuple

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


class OfForce(NamedTuple):
    """The total of a force, with the least and most it can be."""

    total: Total
    low: int
    high: float


Spread = Sequence[OfForce]


def over_forces(measures: Iterable[str]) -> list[str]:
    """Return the measures of national_totals that tell how counts are spread over the forces."""
    return [name for of in measures for name in (f"forces_with_{of}", f"{of}_per_force", of)]


def read_spread(
    known: Knowledge,
    numbering: Numbering,
    measure: str,
    public: Mapping[str, pl.DataFrame],
    spread_of: Callable[[Mapping[str, str]], Spread],
) -> None:
    """Add to the knowledge what the shown statistics tell; bands come before ends, by name.

    `spread_of` gives the totals that a breakdown is about.
    """
    text = pl.col("breakdown").str
    spread = text.contains("statistic=") & ~text.contains("statistic=mean")
    here = pl.col("measure").is_in(over_forces([measure])) & (text.contains("count=") | spread)
    shown = public["national_totals"].filter(here).sort("measure", "breakdown")
    for breakdown, value in shown.drop_nulls("value").select("breakdown", "value").iter_rows():
        parts = read_breakdown(breakdown)
        of_forces = spread_of(parts)
        if "count" in parts:
            _read_band(known, of_forces, Band.parse(parts["count"]), round(value))
        elif not _is_fixed(of_forces, _QUANTILES[parts["statistic"]]):
            if parts["statistic"] in _ENDS:
                _read_end(known, of_forces, round(value), parts["statistic"])
            else:
                known.unread.append(f"{parts['statistic']} of {breakdown}")
    hidden = public["reconciliation"].filter(here, pl.col("symbol") == SUPPRESSED)
    for breakdown, value in hidden.select("breakdown", "published").iter_rows():
        parts = read_breakdown(breakdown)
        of_forces = spread_of(parts)
        if "count" in parts:
            true = [numbering.of_total(each.total) for each in of_forces]
            _read_other_band(known, of_forces, Band.parse(parts["count"]), value, true)
        else:
            differs = partial(_differs, parts["statistic"], value)
            known.unlike.append(([each.total for each in of_forces], differs))


def _differs(statistic: str, printed: float, totals: Sequence[float]) -> bool:
    """Return whether a statistic is not what is printed: then it would be shown."""
    return bool(np.quantile(totals, _QUANTILES[statistic]) != printed)


def _is_fixed(spread: Spread, quantile: float) -> bool:
    if any(np.isinf(each.high) for each in spread):
        return False
    low, high = ([each[end] for each in spread] for end in (1, 2))
    return bool(np.quantile(low, quantile) == np.quantile(high, quantile))


def _in_band(spread: Spread, band: Band) -> tuple[int, list[Total]]:
    """Return how many totals are in a band for certain, and those that may be."""
    top = np.inf if band.high is None else band.high
    sure = [each for each in spread if band.low <= each.low and each.high <= top]
    may = [each for each in spread if each.low <= top and each.high >= band.low]
    return len(sure), [each.total for each in may if each not in sure]


def _read_band(known: Knowledge, spread: Spread, band: Band, value: int) -> None:
    """So many totals lie in the band; where none or all of the unsure ones do, each one does."""
    sure, unsure = _in_band(spread, band)
    inside = value - sure
    if inside == len(unsure):
        known.limits += [(total, band.low, band.high) for total in unsure]
    elif inside == 0 and band.low == 0 and band.high is not None:
        known.limits += [(total, band.high + 1, None) for total in unsure]
    elif inside == 0 and band.high is None:
        known.limits += [(total, 0, band.low - 1) for total in unsure]
    else:
        known.bands.append((unsure, band, inside, inside))


def _read_other_band(
    known: Knowledge, spread: Spread, band: Band, printed: float, true: Sequence[float]
) -> None:
    """Not so many totals lie in the band as is printed; on which side of it is given away here."""
    sure, unsure = _in_band(spread, band)
    top = np.inf if band.high is None else band.high
    more = sum(band.low <= count <= top for count in true) > printed
    least, most = (math.floor(printed) + 1, len(true)) if more else (0, math.ceil(printed) - 1)
    least, most = max(0, least - sure), min(len(unsure), most - sure)
    if least > 0 or most < len(unsure):
        known.bands.append((unsure, band, least, most))


def _read_end(known: Knowledge, spread: Spread, value: int, name: str) -> None:
    """No total is beyond it, and one reaches it."""
    unsure = [each.total for each in spread if each.low != each.high]
    ends = (value, None) if name == "minimum" else (0, value)
    known.limits += [(total, *ends) for total in unsure]
    sure = {each.low for each in spread if each.low == each.high}
    told = any(band == Band(value, value) and least for _, band, least, _ in known.bands)
    if value not in sure and not told:
        known.bands.append((unsure, Band(value, value), 1, len(unsure)))
