"""Marts in their public form: what is hidden is null, and a symbol says so."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import Any, Final

import polars as pl

from assets.disclosure.choose import Choice
from assets.disclosure.counts import Block
from assets.disclosure.national_figures import KEY, Key, about_forces, derived, plain, printed
from assets.disclosure.published import protections
from assets.figures.totals.cube import breakdown_in_cube
from schemas.collection import Collection
from schemas.contract import conform, keys
from schemas.disclosure import FOLLOWS, SUPPRESSED, UNAVAILABLE
from schemas.marts.catalogue import contracts_of
from schemas.marts.public import PUBLIC, public_marts, symbol_of, with_symbols
from schemas.template import Template

_COMPUTED: Final = {"comparisons": None, "outcome_breakdown": "investigations"}
"""Marts of sums and shares of totals, and the measure they are of; None where they name it."""

_MARK: Final = "_mark"


def public_forms(
    marts: Mapping[str, pl.DataFrame],
    chosen: Iterable[tuple[Block, Choice]],
    collection: Collection,
    totals: Iterable[Key] = (),
) -> dict[str, pl.DataFrame]:
    """Return the public marts by name, of those in `marts`, each as its contract says.

    Without some national totals, if any are given, and what is computed of their measures.
    """
    hidden, template = _hidden(chosen), collection.template
    forms = {name: marts[name] for name in PUBLIC if name in marts}
    if "comparisons" in forms:  # what another collection released, its public edition may hide
        forms["comparisons"] = forms["comparisons"].filter(pl.col("previous_collection").is_null())
    if "social_media" in forms:  # research may look at bodies that no total includes
        expected = pl.col("force_code").is_in(collection.forces)
        forms["social_media"] = forms["social_media"].filter(expected)
    for mart in list(forms):
        for column in with_symbols(mart, contracts_of(template)[mart]):
            keyed = hidden.get((mart, FOLLOWS.get(column, column)), [])
            key = keys(contracts_of(template)[mart])
            forms[mart] = _marked(forms[mart], key, column, symbol_of(mart, column), keyed)
    national = marts["national_totals"]
    told = pl.concat(
        [
            printed(national, marts["reconciliation"], template).select(KEY),
            plain(national, forms["force_profiles"], template),
        ]
    )
    of_forces = national.filter(about_forces(template)).select(KEY)
    news = of_forces.join(told, on=KEY, how="anti")
    if totals:
        gone = pl.DataFrame([*totals], news.schema, orient="row")
        measures = gone["measure"].unique().sort().to_list()
        computed = national.filter(derived(template, measures)).select(KEY)
        news = pl.concat([news, gone, computed]).unique(maintain_order=True)
        for mart, of in _COMPUTED.items():
            if mart in forms:
                kept = ~pl.col("measure").is_in(measures) if of is None else of not in measures
                forms[mart] = forms[mart].filter(kept)
    if "distribution" in forms:
        forms["distribution"] = _distribution(forms["distribution"], news)
    forms["national_totals"] = _without(forms["national_totals"], news)
    if "cube" in forms:
        forms["cube"] = _cube(forms["cube"], news, template)
    forms["reconciliation"] = _reconciliation(forms["reconciliation"], news, collection)
    contracts = public_marts(template)
    return {name: conform(contracts[name], frame) for name, frame in forms.items()}


def _hidden(
    chosen: Iterable[tuple[Block, Choice]],
) -> dict[tuple[str, str], list[Mapping[str, Any]]]:
    """Return the keys of the hidden rows by mart and column."""
    found: dict[tuple[str, str], list[Mapping[str, Any]]] = defaultdict(list)
    for block, choice in chosen:
        for count, is_hidden in zip(block.counts, choice.hidden.tolist(), strict=True):
            if is_hidden:
                found[count.mart, count.column].append(count.key)
    return found


def _marked(
    frame: pl.DataFrame,
    key: list[str],
    column: str,
    symbol: str,
    hidden: list[Mapping[str, Any]],
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


def _without(frame: pl.DataFrame, news: pl.DataFrame) -> pl.DataFrame:
    """Withhold the values of these national figures."""
    return _withheld(frame, "value", "symbol", _is_in(frame, news))


def _cube(frame: pl.DataFrame, news: pl.DataFrame, template: Template) -> pl.DataFrame:
    """Withhold in a cube what is withheld of the national totals."""
    return _withheld(frame, "value", "symbol", _is_in(breakdown_in_cube(frame, template), news))


def _is_in(frame: pl.DataFrame, news: pl.DataFrame) -> pl.Series:
    rows = frame.with_row_index(_MARK)
    found = rows.join(news, on=KEY, how="semi")
    return rows[_MARK].is_in(found[_MARK].to_list())


def _distribution(distribution: pl.DataFrame, news: pl.DataFrame) -> pl.DataFrame:
    """Return the public form; a statistic has there another key than in national_totals."""
    name = pl.when(pl.col("measure").str.starts_with("forces_with_")).then(pl.lit("count="))
    statistic = pl.concat_str(name.otherwise(pl.lit("statistic=")), "statistic")
    about = pl.when(pl.col("breakdown") != "").then(pl.col("breakdown"))
    as_totals = distribution.with_columns(
        pl.concat_str(about, statistic, separator=";", ignore_nulls=True).alias("breakdown"),
        pl.lit("collection").alias("period"),
    )
    return _without(as_totals, news).with_columns(distribution["breakdown"])


def _reconciliation(
    frame: pl.DataFrame, news: pl.DataFrame, collection: Collection
) -> pl.DataFrame:
    """Return the public form: of a single force, a count is told only as far as it is in print.

    Nor is the status of one that is not: it says on which side of the printed one it lies.
    """
    of_force = frame["scope"].is_in(collection.forces)
    counted = ~frame["measure"].is_in(protections(collection.template).open)
    in_print = (frame["computed"] == frame["published"]).fill_null(value=False)
    is_news = (of_force & counted & ~in_print) | (~of_force & _is_in(frame, news))
    hidden = is_news & frame["computed"].is_not_null()
    told = pl.when(~hidden)
    return _withheld(frame, "computed", "symbol", hidden).with_columns(
        told.then(name).alias(name) for name in ("difference", "status", "note")
    )
