"""The marts by name, as marts.toml describes them, and those that depend on the template."""

import tomllib
from collections.abc import Callable, Iterator
from collections.abc import Collection as Several
from functools import cache
from pathlib import Path
from typing import Any, Final

import polars as pl

from schemas import vocabulary
from schemas.breakdown import FIRST, in_order
from schemas.collection import Collection
from schemas.contract import Column, Contract, described, named
from schemas.disclosure import FOLLOWS
from schemas.measures import NOW, QUESTION, Figure
from schemas.research import LISTS
from schemas.template import Template
from schemas.template_file import load_template

DESCRIBED: Final[dict[str, Any]] = tomllib.loads(
    Path(__file__).with_suffix(".toml").read_text(encoding="utf-8")
)
_FOUND: Final = described(DESCRIBED, vars(vocabulary) | LISTS)
_BESIDE: Final = ("series", "suppression_audit", "disclosure_report")
"""What is described with the marts, and is none of a release."""

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

_NEEDS: Final[dict[str, Callable[[Collection], bool]]] = {
    "cases": lambda one: one.cases is not None,
    "workforce": lambda one: one.workforce is not None,
    "questions": lambda one: bool(one.template.asked),
    "earlier": lambda one: (
        bool(one.compared) or any(e.period in one.comparators for e in one.template.counted())
    ),
    "spread": lambda one: any(m.per_force for m in one.template.measures.values()),
    "research": lambda one: one.research,
    "publication": lambda one: one.published is not None,
}
"""What a collection must have to fill a mart, where that is no measure."""


def __getattr__(name: str) -> Contract:
    """Return the contract of a name, such as NationalTotals."""
    return named(name, _FOUND)


def cube_dimensions(template: Template | None = None) -> list[str]:
    """Return the dimensions of a cube, in the order in which breakdowns have them."""
    own = template.dimensions if template else ()
    return in_order([*FIRST, *own, *(k for k in _DIMENSIONS if k not in {*FIRST, *own})])


@cache
def cube_contract(template: Template | None = None) -> Contract:
    """Return the contract of the cube where forces return this template; None for any."""
    own = {one.name: one for one in _FOUND["national_totals"].columns if one.name != "breakdown"}
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
        " a sum over them counts nothing twice; of a number at several dates, sum those of one. Of"
        " an earlier period it is the whole where that was asked. True for what repeats them or is"
        " some of them, and for all not added up: shares, rates, statistics, bands, respondents"
    )
    is_total = Column("is_total", pl.Boolean, total, "true or false", key=False, nullable=False)
    value, unit = own.pop("value"), own.pop("unit")
    columns = [measure, *dimensions, period, value, unit, is_total, *own.values()]
    return Contract("Cube", about, tuple(columns))


@cache
def force_profiles_contract(template: Template) -> Contract:
    """Return the contract of force_profiles: who the force is, then the template's own columns.

    Those of `[profile]` in its order, a monthly rate beside the count it is of, and what research
    on social media found where the template protects that. With the columns of the collection of
    2012 it is ForceProfiles.
    """
    known = {item.name: item for item in _FOUND["force_profiles"].columns}
    own = list(_profile_columns(template, known))
    if {item.name for item in own} == known.keys():
        return _FOUND["force_profiles"]
    return Contract("ForceProfiles", _FOUND["force_profiles"].about, tuple(own))


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
        is_rated = figure.period == NOW and template.measures[figure.measure].kind == "flow"
        if name in rates and is_rated:
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
    called = figure.period.replace("_", " ")
    period = [] if figure.period == NOW else [f"in the period {called}"]
    return ": ".join(filter(None, [what, ", ".join([*labels, *period])]))


MARTS: Final = {
    "national_totals": _FOUND["national_totals"],
    "cube": cube_contract(load_template("returns-1")),
    **{name: contract for name, contract in _FOUND.items() if name not in _BESIDE},
}
"""Every mart there is, in the form of the collection of 2012."""


@cache
def contracts_of(template: Template) -> dict[str, Contract]:
    """Return the contract of every mart where forces return this template."""
    profiles = force_profiles_contract(template)
    return {**MARTS, "cube": cube_contract(template), "force_profiles": profiles}


def marts_of(collection: Collection, there: Several[str] = ()) -> dict[str, Contract]:
    """Return the marts of a release of a collection: those that it can fill, and their contracts.

    `there` are in it whatever the collection says, such as those that have rows.
    """

    def can_fill(name: str) -> bool:
        needs = DESCRIBED.get(name, {}).get("needs")
        if needs in _NEEDS:
            return _NEEDS[needs](collection)
        return needs is None or needs in collection.template.measures

    contracts = contracts_of(collection.template)
    return {name: of for name, of in contracts.items() if name in there or can_fill(name)}
