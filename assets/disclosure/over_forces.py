"""What the statistics over forces tell of the counts of each, such as a largest one."""

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from typing import Final, NamedTuple

import numpy as np
import polars as pl

from assets.disclosure.known import Knowledge
from assets.disclosure.solver import Total
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
        of_forces, name = spread_of(parts), parts.get("statistic")
        if name is None:
            _read_band(known, of_forces, Band.parse(parts["count"]), round(value), round(value))
        elif not _is_fixed(of_forces, _QUANTILES[name]):
            if name in _ENDS:
                _read_end(known, of_forces, round(value), name)
            else:
                known.unread.append(f"{name} of {breakdown}")
    hidden = public["reconciliation"].filter(here, pl.col("symbol") == SUPPRESSED)
    for breakdown, printed in hidden.select("breakdown", "published").iter_rows():
        parts = read_breakdown(breakdown)
        of_forces = spread_of(parts)
        if "count" in parts:
            # On which side of what is printed their number is, is given away here.
            band, true = Band.parse(parts["count"]), [known.of_total(t) for t, *_ in of_forces]
            more = sum(band.low <= count <= _top(band) for count in true) > printed
            ends = (math.floor(printed) + 1, len(true)) if more else (0, math.ceil(printed) - 1)
            _read_band(known, of_forces, band, *ends)
        else:
            differs = partial(_differs, parts["statistic"], printed)
            known.unlike.append(([each.total for each in of_forces], differs))


def _differs(statistic: str, printed: float, totals: Sequence[float]) -> bool:
    """Return whether a statistic is not what is printed: then it would be shown."""
    return bool(np.quantile(totals, _QUANTILES[statistic]) != printed)


def _is_fixed(spread: Spread, quantile: float) -> bool:
    if any(np.isinf(each.high) for each in spread):
        return False
    low, high = ([each[end] for each in spread] for end in (1, 2))
    return bool(np.quantile(low, quantile) == np.quantile(high, quantile))


def _top(band: Band) -> float:
    return np.inf if band.high is None else band.high


def _read_band(known: Knowledge, spread: Spread, band: Band, least: int, most: int) -> None:
    """So many totals lie in the band; where none or all of the unsure ones do, each one does."""
    top = _top(band)
    sure = [each for each in spread if band.low <= each.low and each.high <= top]
    may = [each for each in spread if each.low <= top and each.high >= band.low]
    unsure = [each.total for each in may if each not in sure]
    least, most = max(0, least - len(sure)), min(len(unsure), most - len(sure))
    ends: tuple[float, float | None] | None = None
    if least == len(unsure):
        ends = band.low, band.high
    elif most == 0 and band.low == 0 and band.high is not None:
        ends = band.high + 1, None
    elif most == 0 and band.high is None:
        ends = 0, band.low - 1
    for total in unsure if ends else ():
        known.hold(total, *ends)  # type: ignore[misc]
    if ends is None and (least > 0 or most < len(unsure)):
        known.bands.append((unsure, band, least, most))


def _read_end(known: Knowledge, spread: Spread, value: int, name: str) -> None:
    """No total is beyond it, and one reaches it."""
    unsure = [each.total for each in spread if each.low != each.high]
    for total in unsure:
        known.hold(total, *((value, None) if name == "minimum" else (0, value)))
    sure = {each.low for each in spread if each.low == each.high}
    told = any(band == Band(value, value) and least for _, band, least, _ in known.bands)
    if value not in sure and not told:
        known.bands.append((unsure, Band(value, value), 1, len(unsure)))
