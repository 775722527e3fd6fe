"""Marts in their public form: what is hidden is null, and a symbol says so.

Belongs here: applying a choice to the marts. Does not: making the choice (choose.py).
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import Any, Final

import polars as pl

from assets.disclosure import spread
from assets.disclosure.choose import Choice
from assets.disclosure.counts import Block
from schemas.collection import Collection
from schemas.contract import conform, keys
from schemas.disclosure import FOLLOWS, SUPPRESSED, UNAVAILABLE
from schemas.marts.public import PUBLIC_MARTS, WITH_SYMBOLS, symbol_of

_KEY: Final = ["measure", "breakdown", "period"]
_MARK: Final = "_mark"
_ABOUT_ARRANGEMENTS: Final = ("capability", "second_job_review_months")
"""Measures of single forces that count nothing a person did."""


def public_forms(
    marts: Mapping[str, pl.DataFrame],
    chosen: Iterable[tuple[Block, Choice]],
    collection: Collection,
) -> dict[str, pl.DataFrame]:
    """Return the public marts by name, of those in `marts`, each as its contract says."""
    hidden = _hidden(chosen)
    forms = {name: marts[name] for name in PUBLIC_MARTS if name in marts}
    if "social_media" in forms:  # research may look at bodies that no total includes
        expected = pl.col("force_code").is_in(collection.forces)
        forms["social_media"] = forms["social_media"].filter(expected)
    for mart in list(forms):
        for column in WITH_SYMBOLS.get(mart, ()):
            keyed = hidden.get((mart, FOLLOWS.get(column, column)), [])
            forms[mart] = _marked(forms[mart], mart, column, keyed)
    shown = pl.concat(
        [
            spread.printed(marts["national_totals"], marts["reconciliation"]),
            spread.plain(marts["national_totals"], forms["force_profiles"]),
        ]
    )
    if "distribution" in forms:
        forms["distribution"] = _distribution(forms["distribution"], shown)
    forms["national_totals"] = _only_told(forms["national_totals"], shown)
    forms["reconciliation"] = _reconciliation(forms["reconciliation"], shown, collection)
    return {name: conform(PUBLIC_MARTS[name], frame) for name, frame in forms.items()}


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
    frame: pl.DataFrame, mart: str, column: str, hidden: list[Mapping[str, Any]]
) -> pl.DataFrame:
    """Hide a column in the rows of these keys, and add its symbols."""
    key = keys(PUBLIC_MARTS[mart])
    rows = pl.DataFrame(hidden, schema={name: frame.schema[name] for name in key})
    marks = rows.with_columns(pl.lit(value=True).alias(_MARK))
    joined = frame.join(marks, on=key, how="left", nulls_equal=True, maintain_order="left")
    return _withheld(joined, column, symbol_of(mart, column), pl.col(_MARK).is_not_null()).drop(
        _MARK
    )


def _withheld(
    frame: pl.DataFrame, column: str, symbol: str, where: pl.Expr | pl.Series
) -> pl.DataFrame:
    """Make a column null there, and say in its symbol column why it is null."""
    why = pl.when(where).then(pl.lit(SUPPRESSED)).when(pl.col(column).is_null())
    return frame.with_columns(
        why.then(pl.lit(UNAVAILABLE)).alias(symbol),
        pl.when(~where).then(pl.col(column)).alias(column),
    )


def _only_told(frame: pl.DataFrame, shown: pl.DataFrame) -> pl.DataFrame:
    """Withhold the statistics over forces but those in `shown`."""
    where = _is_news(frame, shown)
    return _withheld(frame, "value", "symbol", where)


def _is_news(frame: pl.DataFrame, shown: pl.DataFrame) -> pl.Series:
    """Return which rows are a statistic over forces that is not in `shown`."""
    rows = frame.with_row_index(_MARK)
    news = rows.filter(spread.ABOUT_FORCES).join(shown, on=_KEY, how="anti")
    return rows[_MARK].is_in(news[_MARK].to_list())


def _distribution(distribution: pl.DataFrame, shown: pl.DataFrame) -> pl.DataFrame:
    """Return the public form; a statistic has there another key than in national_totals."""
    name = pl.when(pl.col("measure") == spread.BANDS).then(pl.lit("count="))
    statistic = pl.concat_str(name.otherwise(pl.lit("statistic=")), "statistic")
    about = pl.when(pl.col("breakdown") != "").then(pl.col("breakdown"))
    as_totals = distribution.with_columns(
        pl.concat_str(about, statistic, separator=";", ignore_nulls=True).alias("breakdown"),
        pl.lit("collection").alias("period"),
    )
    return _only_told(as_totals, shown).with_columns(distribution["breakdown"])


def _reconciliation(
    frame: pl.DataFrame, shown: pl.DataFrame, collection: Collection
) -> pl.DataFrame:
    """Return the public form: of a single force, a count is told only as far as it is in print."""
    of_force = frame["scope"].is_in(collection.forces)
    counted = ~frame["measure"].is_in(_ABOUT_ARRANGEMENTS)
    in_print = (frame["computed"] == frame["published"]).fill_null(value=False)
    news = (of_force & counted & ~in_print) | (~of_force & _is_news(frame, shown))
    hidden = news & frame["computed"].is_not_null()
    told = pl.when(~hidden)
    return _withheld(frame, "computed", "symbol", hidden).with_columns(
        told.then("difference").alias("difference"), told.then("note").alias("note")
    )
