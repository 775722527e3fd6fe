"""Reads the public edition as somebody would who wants to know what is hidden.

Belongs here: what each public figure adds up. Written apart from the choice of what to hide, on
purpose: it reads public marts alone, by its own reading of what each total covers.
"""

from collections.abc import Iterator, Mapping
from typing import Any, Final

import polars as pl

from assets.disclosure.known import Entries, Hidden, Knowledge, Total
from assets.disclosure.order import read_spread
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

_SUBJECT: Final = ("category", "recipient", "media")
_COMPLETED: Final = ("referred_external", "no_further_action", "management_action", "left_service")
_APPROVED: Final = ("approved_unconditional", "approved_conditional")
_DECISIONS: Final = (*_APPROVED, "refused", "withdrawn", "pending")
_BREACHES: Final = ("breach.driver", "breach.driving_instructor", "breach.police_skills_training")


def knowledge(public: Public, year: int) -> dict[str, Knowledge]:
    """Return what the public marts tell of each table of counts of single forces, by its name.

    Args:
        public: public marts by name.
        year: the year whose instances on social media are a force's cases.
    """
    found = {}
    for table, entries in _tables(public).items():
        known = Knowledge(unknowns=sum(number is not None for number in entries.unknown))
        known.hidden = list(entries.hidden())
        for measure, breakdown, value in _national(public):
            if _MEASURES.get(measure) == table:
                _tell(known, entries.total(_where(measure, breakdown, year)), value)
        for row in _of_forces(public):
            if _MEASURES.get(row["measure"]) == table:
                where = _where(row["measure"], row["breakdown"], year)
                _tell(
                    known, entries.total({**where, "force_code": [row["scope"]]}), row["computed"]
                )
        _read_profiles(known, table, entries, public["force_profiles"], year)
        if table == "second_jobs":
            known.at_most = list(_breaches(entries))
        if table == "investigations":
            read_spread(known, entries, public)
        found[table] = known
    return found


def _tell(known: Knowledge, total: Total | None, value: float) -> None:
    if total is not None and total.unknowns:
        known.equal.append((total, round(value)))


def _tables(public: Public) -> dict[str, Entries]:
    """Return the tables of counts of single forces by name."""
    profiles = public["force_profiles"].filter(pl.col("basis") != "published")
    found = {}
    for mart, column in _ENTRIES.items():
        if mart in public:
            frame = public[mart].drop("basis").rename({column: "value"})
            if "item" in frame.columns:
                frame = frame.filter(pl.col("item") != "review_months")
            found[mart] = Entries(mart, column, frame)
    parts = [row for row in INVESTIGATION_ROWS if row.is_part]
    rows = pl.DataFrame({name: [getattr(row, name) for row in parts] for name in _SUBJECT})
    suspended = profiles.filter(pl.col("people_suspended_symbol").ne_missing("x"))
    nowhere = (
        suspended.select("force_code")
        .join(rows, how="cross")
        .with_columns(pl.lit(None, pl.Int64).alias("value"), pl.lit(SUPPRESSED).alias("symbol"))
    )
    found["people_suspended"] = Entries("cells", "people_suspended", nowhere)
    earlier = "investigations_2010_11"
    found[earlier] = Entries(
        "force_profiles",
        earlier,
        profiles.select(
            "force_code",
            pl.col(earlier).alias("value"),
            pl.col(f"{earlier}_symbol").alias("symbol"),
        ),
    )
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
    known: Knowledge, table: str, entries: Entries, profiles: pl.DataFrame, year: int
) -> None:
    if entries.mart == "force_profiles":
        return
    columns = {name: of for name, of in _PROFILE.items() if _MEASURES[of[0]] == table}
    for row in profiles.iter_rows(named=True):
        for column, (measure, breakdown) in columns.items():
            where = _where(measure, breakdown, year)
            total = entries.total({**where, "force_code": [row["force_code"]]})
            if total is None:
                continue
            if row[f"{column}_symbol"] == SUPPRESSED:
                cell = f"force_code={row['force_code']}"
                known.hidden.append(Hidden("force_profiles", column, cell, total))
            elif row[column] is not None:
                _tell(known, total, row[column])


def _breaches(entries: Entries) -> Iterator[tuple[Total, Total]]:
    """Yield approvals against guidance and approvals, of each force: a return cannot have more."""
    for force in sorted({row["force_code"] for row in entries.rows}):
        of_force = {"force_code": [force]}
        small = entries.total({**of_force, "item": _BREACHES})
        large = entries.total({**of_force, "item": _APPROVED})
        if small is not None and large is not None:
            yield small, large
