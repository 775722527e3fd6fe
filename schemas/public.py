"""The marts of the public edition: those of the full one, a symbol beside what may be hidden."""

from collections.abc import Mapping
from dataclasses import replace
from functools import cache
from typing import Any, Final

import polars as pl

from schemas.contract import Column, Contract
from schemas.disclosure import PROFILES, SYMBOLS
from schemas.marts import DESCRIBED, MARTS, contracts_of
from schemas.template import Template


def _said(mart: str) -> Mapping[str, Any]:
    """Return what marts.toml says of a mart."""
    said: Mapping[str, Any] = DESCRIBED["national_totals" if mart == "cube" else mart]
    return said


def symbol_of(mart: str, name: str) -> str:
    """Return the name of the column that holds the symbol of a column."""
    return f"{name}_symbol" if mart == PROFILES else "symbol"


def with_symbols(mart: str, contract: Contract) -> tuple[str, ...]:
    """Return the columns of a mart whose value may be null with a symbol that says why."""
    if mart == PROFILES:
        return tuple(c.name for c in contract.columns if c.dtype in (pl.Int64, pl.Float64))
    return tuple(_said(mart).get("public", ()))


def _public_form(mart: str, contract: Contract) -> Contract:
    said, marked = _said(mart), with_symbols(mart, contract)
    shown, found = said.get("public_columns"), list[Column]()
    if not marked and shown is None:
        return contract
    for item in contract.columns:
        if shown is None or item.name in shown:
            nullable = item.nullable or item.name in (*marked, *said.get("hidden_with", ()))
            found.append(replace(item, nullable=nullable, least=None))
        if item.name in marked:
            choices = "; ".join(f"{code} = {text}" for code, text in SYMBOLS.items())
            why = f"Why `{item.name}` is null: {choices}; null where it is shown"
            symbol = symbol_of(mart, item.name)
            codes = tuple(SYMBOLS)
            found.append(Column(symbol, pl.String, why, "code", nullable=True, allowed=codes))
    return Contract(f"Public{contract.name}", f"{contract.about} Public form.", tuple(found))


PUBLIC: Final = tuple(mart for mart in MARTS if "public" in _said(mart))
"""The marts of the public edition; one of which marts.toml does not say so is not in it."""


@cache
def public_marts(template: Template) -> dict[str, Contract]:
    """Return the marts of the public edition by name, where forces return this template."""
    contracts = contracts_of(template)
    return {mart: _public_form(mart, contracts[mart]) for mart in PUBLIC}
