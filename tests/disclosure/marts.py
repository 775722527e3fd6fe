"""The marts that a public edition is made from, of any live entries."""

from collections.abc import Mapping, Sequence

import polars as pl

from assets.disclosure.edition import PublicEdition
from assets.disclosure.published import Edition, behind, rules_told
from assets.figures.reconcile import reconcile
from assets.figures.totals import marts
from assets.figures.totals.cube import cube
from assets.figures.totals.marts import force_profiles
from assets.figures.totals.national import national_totals
from assets.inputs.research.tables import ResearchTables, no_research, social_media
from schemas.collection import Collection
from schemas.contract import empty
from schemas.disclosure import Disclosure
from schemas.tables import ReportFigures

Marts = dict[str, pl.DataFrame]


def marts_of(
    live: pl.DataFrame,
    collection: Collection,
    research: ResearchTables | None = None,
    queried: Sequence[str] = (),
) -> Marts:
    """Return the marts of a release, those that a public edition reads.

    Every return is accepted but those of the forces that are `queried`.
    """
    own = research or no_research()
    sent = live["force_code"].unique().to_list()
    asked = pl.when(pl.col("force_code").is_in(list(queried))).then(pl.lit("queried"))
    state = asked.when(pl.col("force_code").is_in(sent)).then(pl.lit("accepted"))
    status = pl.DataFrame({"force_code": collection.forces}).with_columns(
        state.otherwise(pl.lit("missing")).alias("state")
    )
    printed = empty(ReportFigures)
    national = national_totals(live, collection, own)
    laid = cube(national, collection)
    found = {
        "national_totals": national,
        "cube": laid,
        "investigations": marts.investigations(live, collection),
        "register_entries": marts.register_entries(live, collection),
        "second_jobs": marts.second_jobs(live, collection),
        "cells": marts.cells(live, collection),
        "outcome_breakdown": marts.outcome_breakdown(live, collection),
        "distribution": marts.distribution(laid, collection),
        "force_profiles": force_profiles(live, status, printed, collection, own.instances),
        "reconciliation": reconcile(national, live, printed, collection, own.instances),
        "returns_status": status,
    }
    if not own.instances.is_empty():
        found["social_media"] = social_media(own.instances)
    return found


def settings_of(collection: Collection) -> Disclosure:
    """Return the collection's settings of the public edition."""
    assert collection.disclosure is not None
    return collection.disclosure


def hidden(edition: PublicEdition) -> dict[str, int]:
    """Return how many values have symbol c, by mart."""
    return {
        name: sum(
            int((frame[column] == "c").sum())
            for column in frame.columns
            if column.endswith("symbol")
        )
        for name, frame in edition.marts.items()
    }


def returns_of(live: pl.DataFrame, whose: Mapping[str, str]) -> pl.DataFrame:
    """Return live entries in which each force has sent the figures of another one, or its own."""
    return pl.concat(
        live.filter(force_code=sender).with_columns(pl.lit(force).alias("force_code"))
        for force, sender in sorted(whose.items())
    )


def as_published(
    edition: PublicEdition, full: Marts, collection: Collection, release: str = "r1"
) -> Edition:
    """Return a public edition as the ledger keeps it."""
    return Edition(release, edition.marts, behind(full), collection, rules_told(collection))
