"""The marts made of live entries: what each force sent, and totals laid out for reading."""

import polars as pl

from assets.figures.totals.leaves import ANSWER, leaves, percent, sent, summed
from assets.figures.totals.national import adoption, spread
from schemas.collection import Collection
from schemas.contract import Contract, columns, conform, empty
from schemas.marts.facts import CapabilityAnswers, Investigations, RegisterEntries, SecondJobs
from schemas.marts.returns import Cells
from schemas.marts.totals import CapabilityAdoption, Distribution, OutcomeBreakdown
from schemas.measures import NOW, QUESTION

INVESTIGATIONS = "investigations"


def _cells(
    contract: Contract, live: pl.DataFrame, collection: Collection, measure: str
) -> pl.DataFrame:
    """Return the leaves of a measure of the collection's own period that a force gave.

    A dimension of the contract that the template does not have is null; without the measure there
    are no rows.
    """
    wanted = (pl.col("measure") == measure) & (pl.col("period") == NOW)
    cells = sent(leaves(live, collection.template)).filter(wanted)
    absent = [c for c in columns(contract) if c.codes and c.name not in cells.columns]
    return cells.with_columns(pl.lit(None, c.dtype).alias(c.name) for c in absent)


def investigations(live: pl.DataFrame, collection: Collection) -> pl.DataFrame:
    """Return the mart Investigations."""
    cases = _cells(Investigations, live, collection, INVESTIGATIONS)
    return conform(Investigations, cases.rename({"number": "cases"}), collection.template)


def register_entries(live: pl.DataFrame, collection: Collection) -> pl.DataFrame:
    """Return the mart RegisterEntries; an entry that is not held is null, never zero."""
    entries = _cells(RegisterEntries, live, collection, "register_entries")
    return conform(RegisterEntries, entries.rename({"number": "entries"}), collection.template)


def second_jobs(live: pl.DataFrame, collection: Collection) -> pl.DataFrame:
    """Return the mart SecondJobs: decisions, breaches and the review interval."""
    found = sent(leaves(live, collection.template)).filter(sheet="second_jobs")
    return conform(SecondJobs, found.rename({"number": "count", "row_code": "item"}))


def capability_answers(live: pl.DataFrame, collection: Collection) -> pl.DataFrame:
    """Return the mart CapabilityAnswers: of every sheet of questions, whatever it is called."""
    answers = sent(leaves(live, collection.template)).drop_nulls(QUESTION)
    return conform(CapabilityAnswers, answers.rename({QUESTION: "question_code", "value": ANSWER}))


def cells(live: pl.DataFrame, collection: Collection) -> pl.DataFrame:
    """Return the mart Cells."""
    del collection  # every live entry, whatever it counts
    return conform(Cells, live)


def outcome_breakdown(live: pl.DataFrame, collection: Collection) -> pl.DataFrame:
    """Return the mart OutcomeBreakdown."""
    cases = _cells(OutcomeBreakdown, live, collection, INVESTIGATIONS)
    by_outcome = summed(cases, ("category", "outcome")).rename({"total": "cases"})
    whole = pl.col("cases").sum().over("category").alias("whole")
    return conform(
        OutcomeBreakdown,
        by_outcome.with_columns(whole).with_columns(percent("cases", "whole").alias("share")),
        collection.template,
    )


def capability_adoption(live: pl.DataFrame, collection: Collection) -> pl.DataFrame:
    """Return the mart CapabilityAdoption."""
    found = adoption(leaves(live, collection.template), collection.template)
    share = percent("forces", "answered").alias("share")
    return conform(
        CapabilityAdoption, found.rename({QUESTION: "question_code"}).with_columns(share)
    )


def distribution(live: pl.DataFrame, collection: Collection) -> pl.DataFrame:
    """Return the mart Distribution: statistics and bands of counts per force, by subject."""
    everything = leaves(live, collection.template)
    found = [
        rows.with_columns(pl.lit(text).alias("statistic"))
        for name, measure in collection.template.measures.items()
        if measure.per_force
        for _, text, rows in spread(
            name, measure, everything.filter(measure=name, period=NOW), collection
        )
    ]
    return conform(Distribution, pl.concat(found) if found else empty(Distribution))
