"""Marts of what the live returns add up to, which totals.toml describes, and their cube."""

from functools import cache
from pathlib import Path
from typing import Final

import polars as pl

from schemas.breakdown import FIRST, in_order
from schemas.contract import Column, Contract, contracts
from schemas.template import Template

_FOUND: Final = contracts(Path(__file__).with_suffix(".toml"))


def __getattr__(name: str) -> Contract:
    """Return the contract of a name, such as NationalTotals."""
    if name not in _FOUND:
        raise AttributeError(f"no mart has a contract called {name}")
    return _FOUND[name]


_DIMENSIONS: Final = {
    "question": "Code of the question",
    "answer": "Code of the answer; `a|b` is either",
    "year": "The year, as the code of the list `year`, or of the research",
    "site": "Site of the research on social media",
    "category": "Code of the list `category`, or of the research",
    "kind": "Code of the list `kind`, or kind of body",
    "count": "Band of counts by which forces are counted",
    "statistic": "Statistic over the forces",
}


def cube_dimensions(template: Template | None = None) -> list[str]:
    """Return the dimensions of a cube, in the order in which breakdowns have them."""
    own = template.dimensions if template else ()
    return in_order([*FIRST, *own, *(k for k in _DIMENSIONS if k not in {*FIRST, *own})])


@cache
def cube_contract(template: Template | None = None) -> Contract:
    """Return the contract of the cube where forces return this template; None for any."""
    own = {item.name: item for item in _FOUND["NationalTotals"].columns if item.name != "breakdown"}
    measure, period = own.pop("measure"), own.pop("period")
    dimensions = [
        Column(key, pl.String, f"{_DIMENSIONS.get(key, f'Code of the list `{key}`')}; null for all",
               "code", key=True, nullable=True)
        for key in cube_dimensions(template)
    ]  # fmt: skip
    about = (
        "Every figure of national_totals, with a column for each dimension in place of a breakdown:"
        " those of all collections, and one for each list of the template."
    )
    total = (
        "False for the parts, of which a measure and period have a set that counts each thing once:"
        " a sum over them counts nothing twice. True for what repeats them, and for all that is not"
        " added up: shares, rates, statistics, bands, respondents"
    )
    is_total = Column("is_total", pl.Boolean, total, "true or false", key=False, nullable=False)
    value, unit = own.pop("value"), own.pop("unit")
    described = [measure, *dimensions, period, value, unit, is_total, *own.values()]
    return Contract("Cube", about, tuple(described))
