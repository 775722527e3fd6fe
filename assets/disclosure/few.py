"""National totals that are hidden: those that one force alone gives, and what tells them.

Such a total is that force's count. Offices that publish statistics ask for two contributors or
three: two are asked for here, since persons are to be protected from everybody, and not a force
from another one. What else has to be hidden with it, the audit says: as long as it can tell a
count, the narrowest total that the count is part of goes too.
"""

from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from typing import Final

import polars as pl

from assets.disclosure.published import Edition, Leaf, Source, protections, sources
from schemas.breakdown import read_breakdown
from schemas.disclosure import SUPPRESSED
from schemas.measures import NOW
from schemas.template import Place, Template

Key = tuple[str, str, str]
"""Measure, breakdown and period of a national total."""

Untold = tuple[frozenset[Leaf], list[list[Leaf]]]
"""Cells whose own national total cannot be had, and the totals shown that include one of them."""

_KEY: Final = ("measure", "breakdown", "period")
_ALONE: Final = 1


def of_one_force(now: Edition) -> dict[Key, frozenset[Leaf]]:
    """Return the totals of counts that one force alone gives, and their cells; but for none."""
    alone = now.behind["national_totals"].filter(
        pl.col("forces_included") == _ALONE, pl.col("value") > 0
    )
    keys = set(alone.select(_KEY).iter_rows())
    return {key: of for key, of in _totals(now).items() if key in keys} if keys else {}


def that_tell(now: Edition, audited: pl.DataFrame, hidden: frozenset[Key]) -> frozenset[Key]:
    """Return for each count in hidden totals that can be told the narrowest that shows it still."""
    if not hidden:
        return hidden
    totals, found = _totals(now), set()
    alone = {place for key in hidden for place in totals.pop(key)}
    narrow = audited.filter(~pl.col("protected")).select("mart", "column_name", "cell")
    where = {
        name: places for source in sources(now.collection) for name, places in _at(source, now)
    }
    for name in narrow.iter_rows():
        own = where.get(name, frozenset()) & alone
        around = [key for key, of in totals.items() if of & own]
        found |= {min(around, key=lambda key: (len(totals[key]), key))} if around else set()
    return frozenset(found)


def left_untold(edition: Edition, hidden: Iterable[Key] = ()) -> Untold:
    """Return the cells whose own national total cannot be had, and the totals that include one.

    Args:
        edition: a public edition, or one in the making.
        hidden: the totals that the one in the making hides.
    """
    public = edition.public["national_totals"]
    if "symbol" in public.columns:
        rows = public.filter(pl.col("symbol") == SUPPRESSED).select(_KEY).iter_rows()
        hidden = {*hidden, *rows}
    gone = {key for key in hidden if _places(edition.collection.template, *key)}
    if not gone:
        return frozenset(), []
    totals = _totals(edition)
    gone &= totals.keys()
    told = {place for key, of in totals.items() if key not in gone and len(of) == 1 for place in of}
    left = frozenset(place for key in gone for place in totals[key]) - told
    return left, [sorted(of) for key, of in totals.items() if key not in gone and of & left]


def derived(template: Template, measures: Iterable[str]) -> pl.Expr:
    """Return whether a row of national_totals is a share, a rate or a change of some measures."""
    names = [
        name
        for measure in measures
        for item in [template.measures[measure]]
        for name in (
            *(item.share_name(measure, share) for share in item.shares),
            *(f"{measure}_{what}" for what in ("per_month", "per_force", "share", "change")),
        )
    ]
    return pl.col("measure").is_in(names)


def _totals(edition: Edition) -> dict[Key, frozenset[Place]]:
    """Return the cells that each total of protected counts adds up, of those not in print."""
    national, printed = edition.behind["national_totals"], edition.behind["reconciliation"]
    nation = ~pl.col("scope").is_in(edition.collection.forces)
    confirmed = printed.filter(nation, pl.col("computed") == pl.col("published"))
    shown = national.drop_nulls("value").join(confirmed, on=_KEY, how="anti")
    template = edition.collection.template
    found = {key: _places(template, *key) for key in shown.select(_KEY).iter_rows()}
    return {key: places for key, places in found.items() if places}


@cache
def _places(template: Template, measure: str, breakdown: str, period: str) -> frozenset[Place]:
    parts = read_breakdown(breakdown)
    if measure not in protections(template).measures or not set(parts) <= set(template.dimensions):
        return frozenset()
    groups = template.groups
    codes: Mapping[str, Iterable[str | None]] = {
        name: groups.get(name, {}).get(code, (code,)) for name, code in parts.items()
    }
    without = template.measures[measure].left_out(parts)
    codes = {**codes, **({without: (None,)} if without else {})}
    return frozenset(
        entry.place
        for entry in template.counted()
        if (entry.measure, entry.period) == (measure, period)
        and (period == NOW or entry.dims == parts)
        and all(entry.dims.get(name) in among for name, among in codes.items())
    )


def _at(source: Source, now: Edition) -> Iterator[tuple[tuple[str, str, str], frozenset[Leaf]]]:
    """Yield the names of a source's counts, and of the sums of them, with the cells they are of."""
    for row, leaf, name, _ in source.counts(now.behind):
        yield name, frozenset([leaf])
        for column, among in source.sums.items():
            places = frozenset(entry.place for entry in source.places if among(entry.place))
            yield ("force_profiles", column, f"force_code={row['force_code']}"), places
