"""Reads the public edition as somebody would who wants to know what is hidden.

Belongs here: what each public figure adds up. Written apart from the choice of what to hide, on
purpose: it reads public marts alone, by its own reading of what each total covers.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any, Final

import polars as pl

from assets.disclosure.known import Entries, Hidden, Knowledge, Numbering, Total
from assets.disclosure.order import read_spread
from assets.disclosure.promises import read_rules
from assets.disclosure.published import Edition
from schemas.breakdown import read_breakdown
from schemas.disclosure import SUPPRESSED
from schemas.returns_template import INVESTIGATION_ROWS

Row = Mapping[str, Any]
Public = Mapping[str, pl.DataFrame]

_PROFILE: Final = {
    "investigations": ("investigations", ""),
    "information_disclosure": ("investigations", "category=information_disclosure"),
    "media_disclosure": ("investigations", "category=information_disclosure;recipient=media"),
    "media_relationship": ("investigations", "category=media_relationship"),
    "social_media": ("investigations", "category=social_media"),
    "gratuities_hospitality": ("investigations", "category=gratuities_hospitality"),
    "procurement": ("investigations", "category=procurement"),
    "second_jobs": ("investigations", "category=second_jobs"),
    "other": ("investigations", "category=other"),
    "continuing": ("investigations", "outcome=continuing"),
    "people_suspended": ("people_suspended", ""),
    "register_entries": ("register_entries", "body=force"),
    "register_declined": ("register_entries", "body=force;decision=declined"),
    "second_job_applications": ("second_job_applications", ""),
    "second_job_approved": ("second_job_applications", "decision=approved"),
    "social_media_cases": ("social_media_cases", ""),
    "investigations_2010_11": ("investigations_2010_11", ""),
}
"""What each column of force_profiles counts, as measure and breakdown."""

_MEASURES: Final = {
    "investigations": "investigations",
    "people_suspended": "people_suspended",
    "register_entries": "register_entries",
    "second_job_applications": "second_jobs",
    "second_job_approvals_in_breach": "second_jobs",
    "social_media_instances": "social_media",
    "social_media_cases": "social_media",
    "investigations_2010_11": "investigations_2010_11",
}
"""The table that a measure adds up."""

_ENTRIES: Final = {
    "investigations": "cases",
    "register_entries": "entries",
    "second_jobs": "count",
    "social_media": "instances",
}
"""Public marts of entries, and the column that counts."""

_SYSTEMS: Final = {
    "investigations": ("investigations", "people_suspended", "investigations_2010_11"),
    "register_entries": ("register_entries",),
    "second_jobs": ("second_jobs",),
    "social_media": ("social_media",),
}
"""Tables that something ties together, and what the whole of them is called."""

_SUBJECT: Final = ("category", "recipient", "media")
_COMPLETED: Final = ("referred_external", "no_further_action", "management_action", "left_service")
_APPROVED: Final = ("approved_unconditional", "approved_conditional")
_DECISIONS: Final = (*_APPROVED, "refused", "withdrawn", "pending")
_BREACHES: Final = ("breach.driver", "breach.driving_instructor", "breach.police_skills_training")


def knowledge(
    editions: Sequence[Edition], year: int, only: str | None = None
) -> dict[str, Knowledge]:
    """Return what all these editions tell of counts of single forces, by system of tables.

    Args:
        editions: public editions of a collection, oldest first.
        year: the year whose instances on social media are a force's cases.
        only: the one system that is asked for; None for all.
    """
    found = {}
    for system, names in _SYSTEMS.items():
        if only not in {None, system}:
            continue
        known, numbering = Knowledge(), Numbering()
        # First every entry is named, since what one edition shows is known of the others.
        named = [_tables(edition, names, numbering) for edition in editions]
        for number, (edition, tables) in enumerate(zip(editions, named, strict=True)):
            for table, entries in tables.items():
                _read_table(known, table, entries, edition.public, year, number)
            if "investigations" in tables:
                read_spread(known, tables["investigations"], edition.public)
            read_rules(known, tables, edition, numbering)
        known.unknowns, known.names = len(numbering), numbering.names
        hidden: dict[Any, Hidden] = {}
        for item in known.hidden:
            hidden[item.key] = replace(hidden.get(item.key, item), last=item.last)
        known.hidden = list(hidden.values())
        found[system] = known
    return found


def _read_table(
    known: Knowledge, table: str, entries: Entries, public: Public, year: int, edition: int
) -> None:
    known.hidden += entries.hidden(edition)
    for measure, breakdown, value in _national(public):
        if _MEASURES.get(measure) == table:
            _tell(known, entries.total(_where(measure, breakdown, year)), value)
    for row in _of_forces(public):
        if _MEASURES.get(row["measure"]) == table:
            where = _where(row["measure"], row["breakdown"], year)
            _tell(known, entries.total({**where, "force_code": [row["scope"]]}), row["computed"])
    _read_profiles(known, table, entries, public["force_profiles"], year, edition)


def _tell(known: Knowledge, total: Total | None, value: float) -> None:
    if total is not None and total.unknowns:
        known.equal.append((total, round(value)))


def _tables(edition: Edition, names: Iterable[str], numbering: Numbering) -> dict[str, Entries]:
    """Return these tables of counts of single forces, as far as the edition has them."""

    def entries(mart: str, column: str, frame: pl.DataFrame) -> Entries:
        return Entries(mart, column, frame, edition.marks, numbering)

    frames = _frames(edition.public)
    return {name: entries(*frames[name]) for name in names if name in frames}


def _frames(public: Public) -> dict[str, tuple[str, str, pl.DataFrame]]:
    """Return mart, column and entries of each table of counts of single forces."""
    profiles = public["force_profiles"].filter(pl.col("basis") != "published")
    found = {}
    for mart, column in _ENTRIES.items():
        if mart in public:
            frame = public[mart].drop("basis").rename({column: "value"})
            if "item" in frame.columns:
                frame = frame.filter(pl.col("item") != "review_months")
            found[mart] = mart, column, frame
    parts = [row for row in INVESTIGATION_ROWS if row.is_part]
    rows = pl.DataFrame({name: [getattr(row, name) for row in parts] for name in _SUBJECT})
    suspended = profiles.filter(pl.col("people_suspended_symbol").ne_missing("x"))
    nowhere = (
        suspended.select("force_code")
        .join(rows, how="cross")
        .with_columns(pl.lit(None, pl.Int64).alias("value"), pl.lit(SUPPRESSED).alias("symbol"))
    )
    found["people_suspended"] = "cells", "people_suspended", nowhere
    earlier = "investigations_2010_11"
    columns = (
        "force_code",
        pl.col(earlier).alias("value"),
        pl.col(f"{earlier}_symbol").alias("symbol"),
    )
    found[earlier] = "force_profiles", earlier, profiles.select(columns)
    return found


def _national(public: Public) -> Iterator[tuple[str, str, float]]:
    """Yield measure, breakdown and value of the national totals that add up counts of forces."""
    shown = public["national_totals"].drop_nulls("value")
    for row in shown.iter_rows(named=True):
        if row["period"] in {"collection", ""}:
            yield row["measure"], row["breakdown"], row["value"]
        elif (row["measure"], row["breakdown"], row["period"]) == ("investigations", "", "2010-11"):
            yield "investigations_2010_11", "", row["value"]


def _of_forces(public: Public) -> Iterator[Row]:
    """Yield the printed figures of single forces that the returns confirm."""
    told = public["reconciliation"].drop_nulls("computed")
    forces = pl.col("scope").is_in(public["force_profiles"]["force_code"].to_list())
    yield from told.filter(forces).iter_rows(named=True)


def _where(measure: str, breakdown: str, year: int) -> dict[str, list[Any]]:
    """Return the codes, by column of the table, of the entries that a total adds up."""
    parts: dict[str, Any] = read_breakdown(breakdown)
    if measure == "second_job_applications":
        return {"item": list(_decided(parts))}
    if measure == "second_job_approvals_in_breach":
        return {"item": [f"breach.{parts['occupation']}"] if parts else list(_BREACHES)}
    if measure == "social_media_cases":
        return {"year": [year]}
    if "year" in parts:
        parts["year"] = int(parts["year"])
    codes = {key: [value] for key, value in parts.items()}
    if parts.get("outcome") == "completed":
        codes["outcome"] = list(_COMPLETED)
    return codes


def _decided(parts: Mapping[str, str]) -> tuple[str, ...]:
    if "conditions" in parts:
        return (_APPROVED[parts["conditions"] == "yes"],)
    if parts.get("decision") == "approved":
        return _APPROVED
    return (parts["decision"],) if parts else _DECISIONS


def _read_profiles(
    known: Knowledge,
    table: str,
    entries: Entries,
    profiles: pl.DataFrame,
    year: int,
    edition: int,
) -> None:
    if entries.mart == "force_profiles":
        return
    columns = {name: of for name, of in _PROFILE.items() if _MEASURES[of[0]] == table}
    for row in profiles.iter_rows(named=True):
        for column, (measure, breakdown) in columns.items():
            where = {**_where(measure, breakdown, year), "force_code": [row["force_code"]]}
            if row[f"{column}_symbol"] == SUPPRESSED:
                cell = f"force_code={row['force_code']}"
                hidden = entries.hidden_sum("force_profiles", column, cell, where, edition)
                known.hidden += [hidden] if hidden.names else []
            elif row[column] is not None:
                _tell(known, entries.total(where), row[column])
