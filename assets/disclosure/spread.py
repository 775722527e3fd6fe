"""Statistics over forces, such as the smallest count or how many forces have none: what they tell.

Belongs here: which of them may be shown, and what the printed ones say of a single force. A
statistic is shown where everybody has it in print, or can take it from the public table itself.
"""

from collections.abc import Iterator, Sequence
from typing import Final, NamedTuple

import polars as pl

from assets.totals.national import STATISTICS
from schemas.breakdown import Band, read_breakdown
from schemas.disclosure import SUPPRESSED

BANDS: Final = "forces_with_investigations"
_ORDER: Final = "investigations_per_force"
_KEY: Final = ["measure", "breakdown", "period"]

ABOUT_FORCES: Final = pl.col("measure").is_in([BANDS, _ORDER]) & ~pl.col("breakdown").str.contains(
    "statistic=mean"
)
"""Rows of national_totals that tell of single forces; a mean is the total once more."""


class Bound(NamedTuple):
    """A range of counts, both ends included; no upper end is None."""

    low: int
    high: int | None

    def holds(self, value: int) -> bool:
        """Return whether a count lies in the range."""
        return value >= self.low and (self.high is None or value <= self.high)


def printed(national: pl.DataFrame, reconciliation: pl.DataFrame) -> pl.DataFrame:
    """Return measure, breakdown and period of the statistics that the publication printed.

    Only those that the returns confirm: another value would be news.
    """
    confirmed = reconciliation.filter(pl.col("computed") == pl.col("published"))
    return national.filter(ABOUT_FORCES).join(confirmed, on=_KEY, how="semi").select(_KEY)


def starts(national: pl.DataFrame, reconciliation: pl.DataFrame) -> dict[str, set[int]]:
    """Return where the ranges of counts begin that the printed statistics tell apart.

    As long as every force stays in its range, no printed statistic changes.

    Returns:
        By column of force_profiles, 0 among them; none where nothing is printed.
    """
    told = national.join(printed(national, reconciliation), on=_KEY, how="semi")
    found: dict[str, set[int]] = {}
    for breakdown, value in told.select("breakdown", "value").iter_rows():
        parts = read_breakdown(breakdown)
        cuts = found.setdefault(_column(parts.get("category")), {0})
        if "count" in parts:
            band = Band.parse(parts["count"])
            cuts |= {band.low} if band.high is None else {band.low, band.high + 1}
        else:
            cuts |= {int(value), int(value) + 1}
    return found


def _column(category: str | None) -> str:
    return category or "investigations"


def between(cuts: Sequence[int]) -> Iterator[Bound]:
    """Yield the ranges that begin at each of some counts and end before the next."""
    for low, following in zip(cuts, [*cuts[1:], None], strict=True):
        yield Bound(low, None if following is None else following - 1)


def plain(national: pl.DataFrame, profiles: pl.DataFrame) -> pl.DataFrame:
    """Return the key of the statistics that the public table of forces fixes by itself.

    Args:
        national: mart NationalTotals.
        profiles: the public form of force_profiles.
    """
    fixed = []
    for row in national.filter(ABOUT_FORCES).select(_KEY).iter_rows():
        parts = read_breakdown(row[1])
        low, high = _extremes(profiles, _column(parts.get("category")))
        if high.null_count():
            continue
        if "count" in parts:
            certain = _is_certain(low, high, Band.parse(parts["count"]))
        else:
            certain = _statistic(low, parts["statistic"]) == _statistic(high, parts["statistic"])
        if certain:
            fixed.append(row)
    return pl.DataFrame(fixed, schema=dict.fromkeys(_KEY, pl.String), orient="row")


def _extremes(profiles: pl.DataFrame, column: str) -> tuple[pl.Series, pl.Series]:
    """Return the least and the largest count that each force in the totals may have."""
    is_hidden = pl.col(f"{column}_symbol") == SUPPRESSED
    ends = profiles.filter(pl.col("basis") != "published").select(
        pl.when(is_hidden).then(0).otherwise(column).alias("low"),
        pl.when(is_hidden).then("investigations").otherwise(column).alias("high"),
    )
    return ends["low"], ends["high"]


def _statistic(totals: pl.Series, name: str) -> float | None:
    value: float | None = totals.alias("total").to_frame().select(STATISTICS[name]).item()
    return value


def _is_certain(low: pl.Series, high: pl.Series, band: Band) -> bool:
    """Whether every force is for certain in the band, or for certain outside."""
    top = band.high if band.high is not None else max(high.max() or 0, band.low)
    inside = (low >= band.low) & (high <= top)
    outside = (high < band.low) | (low > top)
    return bool((inside | outside).all())
