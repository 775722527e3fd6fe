"""Marts of what single forces sent, which facts.toml describes, and the profile of a force."""

from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Final

import polars as pl

from schemas.contract import Column, Contract, contracts
from schemas.disclosure import FOLLOWS
from schemas.measures import NOW, QUESTION, Figure
from schemas.template import Template

_FOUND: Final = contracts(Path(__file__).with_suffix(".toml"))


def __getattr__(name: str) -> Contract:
    """Return the contract of a name, such as Investigations."""
    if name not in _FOUND:
        raise AttributeError(f"no mart has a contract called {name}")
    return _FOUND[name]


_PROFILES: Final = _FOUND["ForceProfiles"]


@cache
def force_profiles_contract(template: Template) -> Contract:
    """Return the contract of force_profiles: who the force is, then the template's own columns.

    Those of `[profile]` in its order, a monthly rate beside the count it is of, and what research
    on social media found where the template protects that. With the columns of the collection of
    2012 it is ForceProfiles.
    """
    known = {item.name: item for item in _PROFILES.columns}
    own = list(_profile_columns(template, known))
    if {item.name for item in own} == known.keys():
        return _PROFILES
    return Contract("ForceProfiles", _PROFILES.about, tuple(own))


def _profile_columns(template: Template, known: dict[str, Column]) -> Iterator[Column]:
    yield from (known[name] for name in ("force_code", "ons_code", "name", "region", "state"))
    yield known["basis"]
    rates = {of: known[rate] for rate, of in FOLLOWS.items()}
    for name, figure in template.profile.items():
        what = f"{_profiled(template, figure)}; null where unknown"
        if QUESTION in figure.dims:
            yield Column(name, pl.String, what, "code", key=False, nullable=True)
            continue
        unit = template.measures[figure.measure].unit
        yield Column(name, pl.Int64, what, unit, key=False, nullable=True, least=0)
        if name in rates and template.measures[figure.measure].kind == "flow":
            yield rates[name]
    if template.disclosure and "social_media" in template.disclosure.research:
        yield known["social_media_cases"]
        yield known["social_media_basis"]


def _profiled(template: Template, figure: Figure) -> str:
    """Return in words what a column of a profile is, in the wording of the template."""
    if QUESTION in figure.dims:
        return next(row.label for row in template.asked if row.code == figure.dims[QUESTION])
    labels = [
        template.lists.get(name, {}).get(code, code.replace("_", " "))
        for name, code in figure.dims.items()
    ]
    what = figure.measure.replace("_", " ").capitalize()
    period = [] if figure.period == NOW else [f"in the period {figure.period}"]
    return ": ".join(filter(None, [what, ", ".join([*labels, *period])]))
