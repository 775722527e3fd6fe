"""The marts of the public edition: those of the full one, a symbol beside what may be hidden."""

from collections.abc import Iterable, Mapping
from functools import cache
from typing import Any, Final

import polars as pl

from schemas.contract import Contract, Table, column, columns, description
from schemas.disclosure import PROFILES, SYMBOLS
from schemas.marts.catalogue import MARTS, contracts_of
from schemas.template import Template

WITH_SYMBOLS: Final[Mapping[str, tuple[str, ...]]] = {
    "national_totals": ("value",),
    "cube": ("value",),
    "distribution": ("value",),
    "reconciliation": ("computed",),
    "investigations": ("cases",),
    "register_entries": ("entries",),
    "second_jobs": ("count",),
    "social_media": ("instances",),
}
"""Columns whose value may be null with a symbol that says why; of a profile, every number."""

_AS_THEY_ARE: Final = (
    "outcome_breakdown",
    "capability_answers",
    "capability_adoption",
    "comparisons",
    "survey",
    "survey_changes",
    "codes",
    "measures",
    "workforce",
)
"""National figures, answers, and what others print: nothing in them counts what a force had."""

_KEPT: Final = {"returns_status": ("force_code", "state")}
"""Marts of which only some columns are public."""

_HIDDEN_WITH: Final = {"reconciliation": ("status",)}
"""Columns that are null where a column with symbols is hidden, though never in the full edition."""


def symbol_of(mart: str, name: str) -> str:
    """Return the name of the column that holds the symbol of a column."""
    return f"{name}_symbol" if mart == PROFILES else "symbol"


def with_symbols(mart: str, contract: Contract) -> tuple[str, ...]:
    """Return the columns of a mart whose value may be null with a symbol that says why."""
    if mart == PROFILES:
        return tuple(c.name for c in columns(contract) if c.dtype in (pl.Int64, pl.Float64))
    return WITH_SYMBOLS.get(mart, ())


def _public_form(mart: str, contract: Contract) -> Contract:
    fields: dict[str, Any] = {}
    types: dict[str, Any] = {}
    marked = with_symbols(mart, contract)
    for item in columns(contract):
        if item.name not in _KEPT.get(mart, (item.name,)):
            continue
        types[item.name] = item.dtype
        fields[item.name] = column(
            item.description,
            item.unit,
            key=item.key,
            nullable=item.nullable or item.name in (*marked, *_HIDDEN_WITH.get(mart, ())),
            isin=item.allowed or None,
            codes=item.codes,
        )
        if item.name in marked:
            symbol = symbol_of(mart, item.name)
            types[symbol] = pl.String
            fields[symbol] = column(
                f"Why `{item.name}` is null: " + _choices(SYMBOLS.items()),
                "code",
                nullable=True,
                isin=SYMBOLS,
            )
    body = {"__doc__": f"{description(contract)} Public form.", "__annotations__": types, **fields}
    form: Contract = type(f"Public{contract.__name__}", (Table,), body)
    return form


def _choices(items: Iterable[tuple[str, str]]) -> str:
    return "; ".join(f"{code} = {text}" for code, text in items) + "; null where it is shown"


PUBLIC: Final = tuple(m for m in MARTS if m in (*WITH_SYMBOLS, PROFILES, *_AS_THEY_ARE, *_KEPT))
"""The marts of the public edition; a mart that is not named here is not in it."""


@cache
def public_marts(template: Template) -> dict[str, Contract]:
    """Return the marts of the public edition by name, where forces return this template."""
    contracts = contracts_of(template)
    return {
        mart: contracts[mart] if mart in _AS_THEY_ARE else _public_form(mart, contracts[mart])
        for mart in PUBLIC
    }


class SuppressionAudit(Table):
    """What somebody who knows all that is public can tell of each count that is hidden.

    The two tables are whole-number tables that fit everything public, so every value they reach
    cannot be ruled out. Where they are not far enough apart, no value lies beyond the bounds.
    """

    mart: str = column(
        "Mart the count is hidden in; `cells` for one in no public mart", "code", key=True
    )
    column_name: str = column("Column of that mart", "code", key=True)
    cell: str = column("Key of the row, as key=value pairs joined by ';'", "code", key=True)
    edition: str = column(
        "Earlier release whose public edition hides it; null for a count of this release",
        "code",
        key=True,
        nullable=True,
    )
    low: float = column(
        "No value is less, by bounds of every sum; null where the tables are far enough apart",
        "count",
        nullable=True,
    )
    high: float = column(
        "No value is more, by bounds of every sum; null where the tables are far enough apart",
        "count",
        nullable=True,
    )
    table_low: int = column("Value in the table where it is least", "count")
    table_high: int = column("Value in the table where it is largest", "count")
    width: int = column("Difference of the two tables", "count", ge=0)
    required: int = column("Least difference that is asked for", "count", ge=0)
    protected: bool = column("Whether the difference is as large as asked for", "true or false")


class DisclosureReport(Table):
    """What the public edition hides, by mart and column."""

    mart: str = column("Mart", "code", key=True)
    column_name: str = column("Column", "code", key=True)
    counts: int = column("Counts in the full edition", "count", ge=0)
    small: int = column("Hidden because they are small", "count", ge=0)
    secondary: int = column("Hidden because small ones would follow from them", "count", ge=0)
    exempt: int = column("Small ones that are shown, because they are exempt", "count", ge=0)
    total: int = column("Sum of the counts in the full edition", "count", ge=0)
    hidden: int = column("Part of that sum that is hidden", "count", ge=0)
    hidden_share: float = column(
        "Percent of the sum that is hidden; null where it is zero", "percent", nullable=True
    )
