"""The marts made of live entries: what each force sent, its profile, totals laid out to read."""

from typing import Final

import polars as pl

from assets.figures.totals.leaves import LEAF, cells_in, divided, leaves, percent
from assets.inputs.reports.kept_reports import agreed
from assets.inputs.research.tables import no_research, social_media_cases
from schemas.breakdown import breakdown_of, write_breakdown
from schemas.collection import Collection
from schemas.conform import conform
from schemas.contract import Contract, empty
from schemas.disclosure import FOLLOWS
from schemas.figures import ANSWER
from schemas.marts import (
    CapabilityAdoption,
    CapabilityAnswers,
    Cells,
    Distribution,
    Investigations,
    OutcomeBreakdown,
    RegisterEntries,
    SecondJobs,
    Workforce,
    force_profiles_contract,
)
from schemas.measures import NOW, QUESTION, SHOWN
from schemas.reference import workforce as numbers_in
from schemas.template import Template

INVESTIGATIONS = "investigations"


def _cells(
    contract: Contract, live: pl.DataFrame, collection: Collection, measure: str
) -> pl.DataFrame:
    """Return the leaves of a measure of the collection's own period that a force gave.

    A dimension of the contract that the template does not have is null; without the measure there
    are no rows.
    """
    wanted = (pl.col("measure") == measure) & (pl.col("period") == NOW)
    cells = leaves(live, collection.template).filter(wanted)
    absent = [c for c in contract.columns if c.codes and c.name not in cells.columns]
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
    of = [name for name, (mart, _, _) in SHOWN.items() if mart == "second_jobs"]
    found = leaves(live, collection.template).filter(pl.col("measure").is_in(of), period=NOW)
    return conform(SecondJobs, found.rename({"number": "count", "row_code": "item"}))


def capability_answers(live: pl.DataFrame, collection: Collection) -> pl.DataFrame:
    """Return the mart CapabilityAnswers: of every sheet of questions, whatever it is called."""
    answers = leaves(live, collection.template).drop_nulls(QUESTION)
    return conform(CapabilityAnswers, answers.rename({QUESTION: "question_code", "value": ANSWER}))


def cells(live: pl.DataFrame, collection: Collection) -> pl.DataFrame:
    """Return the mart Cells."""
    del collection  # every live entry, whatever it counts
    return conform(Cells, live)


def outcome_breakdown(live: pl.DataFrame, collection: Collection) -> pl.DataFrame:
    """Return the mart OutcomeBreakdown."""
    by = ["category", "outcome"]
    held = _cells(OutcomeBreakdown, live, collection, INVESTIGATIONS).drop_nulls([*by, "number"])
    by_outcome = held.group_by(by).agg(cases=pl.col("number").sum())
    whole = pl.col("cases").sum().over("category").alias("whole")
    return conform(
        OutcomeBreakdown,
        by_outcome.with_columns(whole).with_columns(percent("cases", "whole").alias("share")),
        collection.template,
    )


def capability_adoption(cube: pl.DataFrame, collection: Collection) -> pl.DataFrame:
    """Return the mart CapabilityAdoption: each answer alone, of the mart Cube."""
    of_returns = pl.col("measure").is_in(list(collection.template.measures))
    found = cube.filter(of_returns, ~pl.col(ANSWER).str.contains("|", literal=True))
    return conform(
        CapabilityAdoption,
        found.select(
            ANSWER,
            question_code=QUESTION,
            forces=pl.col("value").cast(pl.Int64),
            share=percent("value", "forces_included"),
        ),
    )


def distribution(cube: pl.DataFrame, collection: Collection) -> pl.DataFrame:
    """Return the mart Distribution: statistics and bands of counts per force, of the mart Cube."""
    template, statistic = collection.template, pl.coalesce("count", "statistic").alias("statistic")
    spread = cube.filter(~pl.col("measure").is_in(list(template.measures)), statistic.is_not_null())
    return conform(Distribution, spread.with_columns(statistic, breakdown_of(*template.dimensions)))


def force_profiles(
    live: pl.DataFrame,
    status: pl.DataFrame,
    printed: pl.DataFrame,
    collection: Collection,
    instances: pl.DataFrame | None = None,
) -> pl.DataFrame:
    """Return the mart force_profiles, with the columns of the collection's template.

    It is made from the table LiveEntries, the mart ReturnsStatus, ReportFigures and InstancesInUse.
    """
    bodies, name = collection.bodies, pl.col("full_name").alias("name")
    known = bodies.select("force_code", "ons_code", "region", name)
    expected = status.select("force_code", "state").join(known, on="force_code", how="left")
    sent = _from_returns(live, collection.template)
    told = _from_reports(agreed(printed), collection.template)
    reported = told.join(sent, on="force_code", how="anti")
    rows = expected.join(
        pl.concat([sent, reported], how="diagonal"), on="force_code", how="left", validate="1:1"
    )
    found = no_research().instances if instances is None else instances
    rows = _with_cases(rows, social_media_cases(found, collection))
    contract = force_profiles_contract(collection.template)
    names = {column.name for column in contract.columns}
    rates = [
        divided(pl.col(of), pl.lit(collection.period.months)).alias(rate)
        for rate, of in FOLLOWS.items()
        if rate in names
    ]
    return conform(contract, rows.with_columns(rates))


def workforce(collection: Collection) -> pl.DataFrame:
    """Return the mart Workforce; without rows where the collection names no table of it."""
    of = collection.workforce
    if of is None:
        return empty(Workforce)
    table = numbers_in(collection.reference(of.figures))
    is_of_the_day, given = pl.col("as_at") == of.as_at, pl.col("workforce").is_not_null()
    others = table.filter(~is_of_the_day, given).group_by("force_code")
    other_days = others.agg(pl.col("as_at").sort().cast(pl.String).str.join(", ").alias("others"))
    rows = (
        pl.DataFrame({"force_code": collection.forces})
        .join(table.filter(is_of_the_day), on="force_code", how="left")
        .join(other_days, on="force_code", how="left")
    )
    why_not = (
        pl.when(given).then(None)
        .when(pl.col("others").is_not_null())
        .then(pl.format("known as at {} alone", "others"))
        .when(pl.col("source").is_not_null()).then(pl.lit("its source gives none"))
        .otherwise(pl.lit("the table has no row of it"))
    )  # fmt: skip
    return conform(Workforce, rows.with_columns(why_not=why_not, as_at=pl.lit(of.as_at)))


_CASES: Final = "social_media_cases"


def _with_cases(rows: pl.DataFrame, cases: pl.DataFrame) -> pl.DataFrame:
    """Add each force's cases in the research; without them what its report printed stands."""
    found = cases.select("force_code", "cases", pl.col("basis").alias("cases_basis"))
    reported = pl.when(pl.col(_CASES).is_not_null()).then(pl.lit("published"))
    return rows.join(found, on="force_code", how="left").with_columns(
        pl.coalesce("cases", _CASES).alias(_CASES),
        pl.coalesce("cases_basis", reported).alias("social_media_basis"),
    )


def _from_returns(live: pl.DataFrame, template: Template) -> pl.DataFrame:
    """One row a force with a live return, with each column of the template's profile."""
    columns: dict[str, pl.Expr] = {}
    for name, of in template.profile.items():
        cells = cells_in(template, of.measure, of.dims, of.period, every=True)
        here = LEAF.is_in(["/".join(cell.place) for cell in cells])
        number, answer = pl.col("number").filter(here), pl.col("value").filter(here).first()
        count = pl.when(number.count() > 0).then(number.sum())
        columns[name] = answer if QUESTION in of.dims else count
    # A force that sent case rows alone has no cover, but what these count of it.
    bases = live.group_by("force_code").agg(pl.col("basis").first())
    profile = leaves(live, template).group_by("force_code").agg(**columns)
    return bases.join(profile, on="force_code", how="left", validate="1:1")


def _from_reports(printed: pl.DataFrame, template: Template) -> pl.DataFrame:
    """One row a force whose report was read, with a column for each figure it printed."""
    figures = pl.concat_str("measure", "breakdown", separator=" ")
    said = {_CASES: pl.col("value").filter(figures == f"{_CASES} ").first().cast(pl.Int64)}
    for name, column in template.profile.items():
        if QUESTION in column.dims:
            pattern = f"^{column.measure} question={column.dims[QUESTION]};answer=(.+)$"
            said[name] = figures.str.extract(pattern).drop_nulls().first()
        elif column.period == NOW:
            figure = f"{column.measure} {write_breakdown(column.dims)}"
            said[name] = pl.col("value").filter(figures == figure).first().cast(pl.Int64)
    named = [expression.alias(name) for name, expression in said.items()]
    return printed.group_by("force_code").agg(*named, pl.lit("published").alias("basis"))
