"""Marts in their public form: what is hidden is null, and a symbol says so.

Of national figures those are hidden that tell of single forces. A total that one force alone gives
is that force's count. Offices that publish statistics ask for two contributors or three: two are
asked for here, since persons are to be protected from everybody, and not a force from another one.
What else has to be hidden with it, the audit says: as long as it can tell a count, the narrowest
total that the count is part of goes too. A statistic over forces, such as a largest count, and any
figure that nobody decided upon, is shown where everybody has it in print, or can take it from the
public table itself.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final

import polars as pl

from assets.disclosure.published import Edition, Leaf, force_of, own_rows, places_of, protections
from assets.figures.totals.cube import breakdown_in_cube
from schemas.breakdown import Band, breakdown_of, read_breakdown
from schemas.collection import Collection
from schemas.conform import conform
from schemas.contract import keys
from schemas.disclosure import FOLLOWS, PROFILES, SUPPRESSED, UNAVAILABLE
from schemas.marts import contracts_of
from schemas.measures import NOW
from schemas.public import public_marts, symbol_of, with_symbols
from schemas.template import Place, Template

Key = tuple[str, str, str]
"""Measure, breakdown and period of a national total."""

Untold = tuple[frozenset[Leaf], list[list[Leaf]]]
"""Cells whose own national total cannot be had, and the totals shown that include one of them."""

Hidden = tuple[str, str, Mapping[str, Any]]
"""Mart, column and key of a hidden count."""

_KEY: Final = ["measure", "breakdown", "period"]
_ALONE: Final = 1
_OF_NOBODY: Final = (
    "reporting_bodies",
    "months_in_collection",
    "survey_waves",
    "survey_respondents",
    "survey_percent",
)
_OF_RESEARCH: Final = ("cases", "instances", "instances_share", "forces_researched")
_OUTCOMES: Final = "outcome_breakdown"
"""A mart of sums and shares of the measure `investigations`."""

_OF_NATION: Final = {"national_totals", "cube", "distribution"}
_MARK: Final = "_mark"


def public_forms(
    marts: Mapping[str, pl.DataFrame],
    hidden: Iterable[Hidden],
    collection: Collection,
    totals: Iterable[Key] = (),
) -> dict[str, pl.DataFrame]:
    """Return the public marts by name, of those in `marts`, each as its contract says.

    Without some national totals, if any are given, and what is computed of their measures.
    """
    template, found = collection.template, defaultdict(list)
    for mart, column, row in hidden:
        found[mart, column].append(row)
    forms = own_rows(marts, collection)
    protected = protections(template).measures
    for column, figure in template.profile.items():
        if figure.period in collection.compared and figure.measure in protected:
            said = forms[PROFILES].drop_nulls(column)
            found[PROFILES, column] += said.select("force_code").to_dicts()
    for mart in list(forms):
        contract = contracts_of(template)[mart]
        for column in with_symbols(mart, contract):
            at, rows = symbol_of(mart, column), found[mart, FOLLOWS.get(column, column)]
            forms[mart] = _marked(forms[mart], keys(contract), column, at, rows)
    news, untold = _news(marts, forms["force_profiles"], totals, template)
    for mart, of in {"comparisons": pl.col("measure"), _OUTCOMES: pl.lit(_OUTCOMES)}.items():
        if mart in forms:
            forms[mart] = forms[mart].filter(~of.is_in(untold))
    for mart in _OF_NATION & forms.keys():
        where = _is_in(_as_totals(mart, forms[mart], template), news)
        forms[mart] = _withheld(forms[mart], "value", "symbol", where)
    forms["reconciliation"] = _reconciliation(forms["reconciliation"], news, collection)
    contracts = public_marts(template)
    return {name: conform(contracts[name], frame) for name, frame in forms.items()}


def _news(
    marts: Mapping[str, pl.DataFrame],
    profiles: pl.DataFrame,
    totals: Iterable[Key],
    template: Template,
) -> tuple[pl.DataFrame, list[str]]:
    """Return the national figures that are hidden, and of what nothing computed is shown.

    That are the names of measures with hidden totals, and of what is computed of no total.
    """
    national = marts["national_totals"]
    in_print = printed(national, marts["reconciliation"], template).select(_KEY)
    told = pl.concat([in_print, _plain(national, profiles, template)])
    news = national.filter(_about_forces(template)).select(_KEY).join(told, on=_KEY, how="anti")
    gone = pl.DataFrame([*totals], news.schema, orient="row")
    measures = gone["measure"].unique().sort().to_list()
    untold = {*_derived(template, measures), *_of_no_total(marts, template)}
    # How counts are spread tells of single forces alone, and that is decided above.
    text = pl.col("breakdown").str
    is_spread = text.contains("statistic=") & ~text.contains("statistic=mean")
    computed = national.filter(pl.col("measure").is_in(untold), ~is_spread)
    hidden = pl.concat([news, gone, computed.select(_KEY)]).unique(maintain_order=True)
    return hidden, sorted(untold.union(measures))


def _marked(
    frame: pl.DataFrame, key: list[str], column: str, symbol: str, hidden: list[Mapping[str, Any]]
) -> pl.DataFrame:
    """Hide a column in the rows of these keys, and add its symbols."""
    rows = pl.DataFrame(hidden, schema={name: frame.schema[name] for name in key})
    marks = rows.with_columns(pl.lit(value=True).alias(_MARK))
    joined = frame.join(marks, on=key, how="left", nulls_equal=True, maintain_order="left")
    return _withheld(joined, column, symbol, pl.col(_MARK).is_not_null()).drop(_MARK)


def _withheld(
    frame: pl.DataFrame, column: str, symbol: str, where: pl.Expr | pl.Series
) -> pl.DataFrame:
    """Make a column null there, and say in its symbol column why it is null."""
    why = pl.when(where).then(pl.lit(SUPPRESSED)).when(pl.col(column).is_null())
    return frame.with_columns(
        why.then(pl.lit(UNAVAILABLE)).alias(symbol),
        pl.when(~where).then(pl.col(column)).alias(column),
    )


def _is_in(frame: pl.DataFrame, news: pl.DataFrame) -> pl.Series:
    rows = frame.with_row_index(_MARK)
    found = rows.join(news, on=_KEY, how="semi")
    return rows[_MARK].is_in(found[_MARK].to_list())


def _as_totals(mart: str, frame: pl.DataFrame, template: Template) -> pl.DataFrame:
    """Return a mart of national figures by the keys that they have in national_totals."""
    if mart == "national_totals":
        return frame
    if mart == "cube":
        return breakdown_in_cube(frame, template)
    name = pl.when(pl.col("measure").str.starts_with("forces_with_")).then(pl.lit("count="))
    statistic = pl.concat_str(name.otherwise(pl.lit("statistic=")), "statistic")
    about = pl.when(pl.col("breakdown") != "").then(pl.col("breakdown"))
    return frame.with_columns(
        pl.concat_str(about, statistic, separator=";", ignore_nulls=True).alias("breakdown"),
        pl.lit("collection").alias("period"),
    )


def _reconciliation(
    frame: pl.DataFrame, news: pl.DataFrame, collection: Collection
) -> pl.DataFrame:
    """Return the public form: of a single force, a count is told only as far as it is in print.

    Nor is the status of one that is not: it says on which side of the printed one it lies. So may
    that of a figure which contradicts it in print, as the one holds or does not.
    """
    of_force = frame["scope"].is_in(collection.forces)
    counted = ~frame["measure"].is_in(protections(collection.template).open)
    in_print = (frame["computed"] == frame["published"]).fill_null(value=False)
    is_news = (of_force & counted & ~in_print) | (~of_force & _is_in(frame, news))
    hidden = is_news & frame["computed"].is_not_null()
    gone = pl.col("symbol").eq_missing(SUPPRESSED)
    same = gone.any().over("source_issue", "scope") & pl.col("source_issue").is_not_null()
    differs = pl.col("status").is_in(["differs", "source_issue"]) & pl.col("computed").is_not_null()
    return _withheld(frame, "computed", "symbol", hidden).with_columns(
        pl.when(~gone).then("difference").alias("difference"),
        *(pl.when(~(gone | (same & differs))).then(of).alias(of) for of in ("status", "note")),
    )


def of_one_force(now: Edition) -> dict[Key, frozenset[Leaf]]:
    """Return the totals of counts that one force alone gives, and their cells; but for none."""
    alone = now.behind["national_totals"].filter(
        pl.col("forces_included") == _ALONE, pl.col("value") > 0
    )
    keys = set(alone.select(_KEY).iter_rows())
    return {key: of for key, of in _totals(now).items() if key in keys} if keys else {}


def that_tell(
    now: Edition, audited: pl.DataFrame, hidden: frozenset[Key], wholly: frozenset[str]
) -> frozenset[Key]:
    """Return the narrowest totals that show counts which can be told though all else is hidden.

    Such counts are in a hidden total, or of a force whose counts are hidden `wholly`. For each one
    total is returned, and each time as many more as are hidden of it already.
    """
    totals, found = _totals(now), set[Key]()
    gone = [totals.pop(key) for key in hidden]
    alone, cells = frozenset().union(*gone), dict(_cells(now))
    narrow = audited.filter(~pl.col("protected")).select("mart", "column_name", "cell")
    for name in narrow.iter_rows():
        own = cells.get(name, frozenset())
        own &= own if force_of(name[2]) in wholly else alone
        around = sorted((len(of), key) for key, of in totals.items() if of & own)
        found |= {key for _, key in around[: max(1, sum(not own.isdisjoint(of) for of in gone))]}
    return frozenset(found)


def left_untold(edition: Edition, hidden: Iterable[Key] = ()) -> Untold:
    """Return the cells whose own national total cannot be had, and the totals that include one.

    `hidden` are the totals that an edition in the making hides.
    """
    public = edition.public["national_totals"]
    if "symbol" in public.columns:
        rows = public.filter(pl.col("symbol") == SUPPRESSED).select(_KEY).iter_rows()
        hidden = {*hidden, *rows}
    gone = {key for key in hidden if places_of(edition.collection.template, *key)}
    if not gone:
        return frozenset(), []
    totals = _totals(edition)
    gone &= totals.keys()
    told = {place for key, of in totals.items() if key not in gone and len(of) == 1 for place in of}
    left = frozenset(place for key in gone for place in totals[key]) - told
    return left, [sorted(of) for key, of in totals.items() if key not in gone and of & left]


def _totals(edition: Edition) -> dict[Key, frozenset[Place]]:
    """Return the cells that each total of protected counts adds up, of those not in print."""
    national, printed = edition.behind["national_totals"], edition.behind["reconciliation"]
    nation = ~pl.col("scope").is_in(edition.collection.forces)
    confirmed = printed.filter(nation, pl.col("computed") == pl.col("published"))
    own = ~pl.col("period").is_in([*edition.collection.compared])
    shown = national.filter(own).drop_nulls("value").join(confirmed, on=_KEY, how="anti")
    template = edition.collection.template
    found = {key: places_of(template, *key) for key in shown.select(_KEY).iter_rows()}
    return {key: places for key, places in found.items() if places}


def _cells(now: Edition) -> Iterator[tuple[tuple[str, str, str], frozenset[Leaf]]]:
    """Yield the names of counts, and of the sums of them, with the cells they are of."""
    for source, entries in now.entries:
        sums = {
            column: frozenset(entry.place for entry in source.places if among(entry.place))
            for column, among in source.sums.items()
        }
        for each in entries:
            yield each.name, frozenset([each.leaf])
            for column, places in sums.items():
                yield (PROFILES, column, f"force_code={each.key['force_code']}"), places


def _derived(template: Template, measures: Iterable[str]) -> Iterator[str]:
    """Yield the names of what is computed of the totals of some measures."""
    yield from _shares(template, measures)
    for measure in measures:
        yield from (f"{measure}_{what}" for what in ("per_month", "per_force", "share", "change"))
    if "investigations" in measures:
        yield _OUTCOMES


def _shares(template: Template, measures: Iterable[str]) -> dict[str, str]:
    """Return the names of the shares of some measures, each with its measure."""
    described = ((name, template.measures[name]) for name in measures)
    return {of.share_name(name, share): name for name, of in described for share in of.shares}


def _of_no_total(marts: Mapping[str, pl.DataFrame], template: Template) -> Iterator[str]:
    """Yield the names of what is computed of sums of protected counts that are no totals.

    Of totals it is another form; else it would tell what no total does.
    """
    keys = [*marts["national_totals"].select(_KEY).iter_rows()]
    totals, protected = {places_of(template, *key) for key in keys}, protections(template).measures
    parts = _shares(template, protected)
    if _OUTCOMES in marts and "investigations" in protected:
        parts[_OUTCOMES] = "investigations"
        shown = marts[_OUTCOMES].select(pl.lit(_OUTCOMES), breakdown_of("category", "outcome"))
        keys += ((*row, NOW) for row in shown.iter_rows())
    for name, breakdown, when in keys:
        if name in parts:
            part = places_of(template, parts[name], breakdown, when, every=True)
            yield from () if part in totals else (name,)


def _about_forces(template: Template) -> pl.Expr:
    """Return whether a row of national_totals tells of single forces, for all that is known here.

    A mean is the total once more, a share or a rate another form of totals. Sums over those forces
    alone that know two things, such as a change, are not: beside the totals they tell of the rest.
    """
    protected = protections(template)
    totals, measure = [*_OF_NOBODY, *_shares(template, template.measures)], pl.col("measure")
    for name in template.measures:
        totals += [name, f"{name}_per_month"]
        totals += [f"{name}_share", f"{name}_change"] if name not in protected.measures else []
    totals += [f"{subject}_{what}" for subject in protected.research for what in _OF_RESEARCH]
    spreads, text = [f"{name}_per_force" for name in template.measures], pl.col("breakdown").str
    mean = measure.is_in(spreads) & text.contains("statistic=mean")
    statistic = measure.is_in(list(protected.measures)) & text.contains("statistic=")
    return ~(mean | (measure.is_in(totals) & ~statistic))


def printed(
    national: pl.DataFrame, reconciliation: pl.DataFrame, template: Template
) -> pl.DataFrame:
    """Return the rows of such figures that the publication printed.

    Only those that the data confirm: another value would be news.
    """
    confirmed = reconciliation.filter(pl.col("computed") == pl.col("published"))
    return national.filter(_about_forces(template)).join(confirmed, on=_KEY, how="semi")


def starts(
    national: pl.DataFrame, reconciliation: pl.DataFrame, template: Template
) -> dict[str, set[int]]:
    """Return where the ranges of counts begin that the printed statistics tell apart.

    As long as every force stays in its range, no printed statistic changes.

    Returns:
        By column of force_profiles, 0 among them; none where nothing is printed.
    """
    told = printed(national, reconciliation, template).select("measure", "breakdown", "value")
    found: dict[str, set[int]] = {}
    for measure, breakdown, value in told.iter_rows():
        column, parts = _column(measure, breakdown, template)
        if column is not None:
            at = Band(int(value), int(value))
            band = Band.parse(parts["count"]) if "count" in parts else at
            after = set() if band.high is None else {band.high + 1}
            found.setdefault(column, {0}).update({band.low} | after)
    return found


def _plain(national: pl.DataFrame, profiles: pl.DataFrame, template: Template) -> pl.DataFrame:
    """Return the key of the statistics that the public table of forces tells: none is hidden."""
    own = profiles.filter(pl.col("basis") != "published")
    whole = {name for name in own.columns if not own[name].null_count()}
    spread = national.filter(_about_forces(template)).select(_KEY).iter_rows()
    told = [row for row in spread if _column(row[0], row[1], template)[0] in whole]
    return pl.DataFrame(told, schema=dict.fromkeys(_KEY, pl.String), orient="row")


def _column(
    measure: str, breakdown: str, template: Template
) -> tuple[str | None, Mapping[str, str]]:
    """Return the profile column whose spread a statistic is of, None for none, and its codes."""
    parts = read_breakdown(breakdown)
    of = measure.removeprefix("forces_with_").removesuffix("_per_force")
    dims = {name: code for name, code in parts.items() if name not in {"count", "statistic"}}
    return (_of_profile(template, of, dims) if len(dims) < len(parts) else None), parts


def _of_profile(template: Template, measure: str, dims: Mapping[str, str]) -> str | None:
    wanted = measure, dims, NOW
    columns = template.profile.items()
    return next((name for name, of in columns if (of.measure, of.dims, of.period) == wanted), None)
