"""The marts of the public edition: those of the full one, a symbol beside what may be hidden."""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from functools import cache
from typing import Final

import polars as pl

from schemas.contract import Column, Contract
from schemas.disclosure import PROFILES, SYMBOLS
from schemas.marts import MARTS, contracts_of
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
        return tuple(c.name for c in contract.columns if c.dtype in (pl.Int64, pl.Float64))
    return WITH_SYMBOLS.get(mart, ())


def _public_form(mart: str, contract: Contract) -> Contract:
    marked, found = with_symbols(mart, contract), list[Column]()
    for item in contract.columns:
        if item.name not in _KEPT.get(mart, (item.name,)):
            continue
        nullable = item.nullable or item.name in (*marked, *_HIDDEN_WITH.get(mart, ()))
        found.append(replace(item, nullable=nullable, least=None))
        if item.name in marked:
            why = f"Why `{item.name}` is null: {_choices(SYMBOLS.items())}"
            symbol = symbol_of(mart, item.name)
            codes = tuple(SYMBOLS)
            found.append(Column(symbol, pl.String, why, "code", nullable=True, allowed=codes))
    return Contract(f"Public{contract.name}", f"{contract.about} Public form.", tuple(found))


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
