"""National figures that tell of single forces, such as a largest count: which of them are shown.

A total is shown, and what follows from totals. A statistic over forces, and any figure that nobody
decided upon, is shown where everybody has it in print, or can take it from the public table itself.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Final

import polars as pl

from assets.disclosure.published import protections
from assets.figures.totals.national import STATISTICS
from schemas.breakdown import Band, read_breakdown
from schemas.disclosure import SUPPRESSED
from schemas.measures import NOW
from schemas.template import Template

_KEY: Final = ["measure", "breakdown", "period"]
_OF_NOBODY: Final = (
    "reporting_bodies",
    "months_in_collection",
    "survey_waves",
    "survey_respondents",
    "survey_percent",
)
_OF_RESEARCH: Final = ("cases", "instances", "instances_share", "forces_researched")


def about_forces(template: Template) -> pl.Expr:
    """Return whether a row of national_totals tells of single forces, for all that is known here.

    A mean is the total once more, a share or a rate another form of totals. Sums over those forces
    alone that know two things, such as a change, are not: beside the totals they tell of the rest.
    """
    protected = protections(template)
    totals, measure = list(_OF_NOBODY), pl.col("measure")
    for name, item in template.measures.items():
        shares = [item.share_name(name, share) for share in item.shares]
        if name in protected.measures:
            totals += [name, f"{name}_per_month", *shares]
        else:
            totals += [name, f"{name}_per_month", *shares, f"{name}_share", f"{name}_change"]
    totals += [f"{subject}_{what}" for subject in protected.research for what in _OF_RESEARCH]
    spreads = [f"{name}_per_force" for name in template.measures]
    mean = measure.is_in(spreads) & pl.col("breakdown").str.contains("statistic=mean")
    statistic = measure.is_in(list(protected.measures)) & pl.col("breakdown").str.contains(
        "statistic="
    )
    return ~(mean | (measure.is_in(totals) & ~statistic))


def printed(
    national: pl.DataFrame, reconciliation: pl.DataFrame, template: Template
) -> pl.DataFrame:
    """Return measure, breakdown and period of such figures that the publication printed.

    Only those that the data confirm: another value would be news.
    """
    confirmed = reconciliation.filter(pl.col("computed") == pl.col("published"))
    return national.filter(about_forces(template)).join(confirmed, on=_KEY, how="semi").select(_KEY)


def starts(
    national: pl.DataFrame, reconciliation: pl.DataFrame, template: Template
) -> dict[str, set[int]]:
    """Return where the ranges of counts begin that the printed statistics tell apart.

    As long as every force stays in its range, no printed statistic changes.

    Returns:
        By column of force_profiles, 0 among them; none where nothing is printed.
    """
    told = national.join(printed(national, reconciliation, template), on=_KEY, how="semi")
    found: dict[str, set[int]] = {}
    for measure, breakdown, value in told.select("measure", "breakdown", "value").iter_rows():
        column, parts = _column(measure, breakdown, template)
        if column is None:
            continue
        cuts = found.setdefault(column, {0})
        if "count" in parts:
            band = Band.parse(parts["count"])
            cuts |= {band.low} if band.high is None else {band.low, band.high + 1}
        else:
            cuts |= {int(value), int(value) + 1}
    return found


def _column(
    measure: str, breakdown: str, template: Template
) -> tuple[str | None, Mapping[str, str]]:
    """Return the profile column whose spread a statistic is of, None for none, and its codes."""
    parts = read_breakdown(breakdown)
    of = measure.removeprefix("forces_with_").removesuffix("_per_force")
    dims = {name: code for name, code in parts.items() if name not in {"count", "statistic"}}
    is_statistic = len(dims) < len(parts)
    return (_of_profile(template, of, dims) if is_statistic else None), parts


def _of_profile(template: Template, measure: str, dims: Mapping[str, str]) -> str | None:
    return next(
        (
            name
            for name, column in template.profile.items()
            if (column.measure, column.dims, column.period) == (measure, dims, NOW)
        ),
        None,
    )


def between(cuts: Sequence[int]) -> Iterator[Band]:
    """Yield the ranges that begin at each of some counts and end before the next."""
    for low, following in zip(cuts, [*cuts[1:], None], strict=True):
        yield Band(low, None if following is None else following - 1)


def plain(national: pl.DataFrame, profiles: pl.DataFrame, template: Template) -> pl.DataFrame:
    """Return the key of the statistics that the public table of forces fixes by itself.

    Args:
        national: mart NationalTotals.
        profiles: the public form of force_profiles.
        template: what the columns of a profile count.
    """
    fixed = []
    for row in national.filter(about_forces(template)).select(_KEY).iter_rows():
        column, parts = _column(row[0], row[1], template)
        if column is None or column not in profiles.columns:
            continue
        whole = _of_profile(template, template.profile[column].measure, {})
        low, high = _extremes(profiles, column, whole)
        if high.null_count():
            continue
        if "count" in parts:
            certain = _is_certain(low, high, Band.parse(parts["count"]))
        else:
            certain = _statistic(low, parts["statistic"]) == _statistic(high, parts["statistic"])
        if certain:
            fixed.append(row)
    return pl.DataFrame(fixed, schema=dict.fromkeys(_KEY, pl.String), orient="row")


def _extremes(
    profiles: pl.DataFrame, column: str, whole: str | None
) -> tuple[pl.Series, pl.Series]:
    """Return the least and the largest count that each force in the totals may have."""
    is_hidden = pl.col(f"{column}_symbol") == SUPPRESSED
    most = pl.lit(None, pl.Int64) if whole is None else pl.col(whole)
    ends = profiles.filter(pl.col("basis") != "published").select(
        pl.when(is_hidden).then(0).otherwise(column).alias("low"),
        pl.when(is_hidden).then(most).otherwise(column).alias("high"),
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
