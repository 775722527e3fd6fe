"""Shares the published findings of the research on social media out over forces.

Belongs here: what profiles, accounts and instances must keep. Does not: investigations into social
media, which are part of the returns (solve_rows.py).
"""

import math
from collections.abc import Iterator, Mapping
from typing import Final

from assets.sample.research import fraction
from schemas.collection import Collection
from schemas.research import INSTANCE_CATEGORIES, SITES
from schemas.vocabulary import NOT_HELD
from tools.make_sample.counts import CountProgram
from tools.make_sample.likelihood import assumed_sizes, rates, varied
from tools.make_sample.published import Facets, Place, Total, figure, figures, totals

PROFILE_COUNTS: Final = (
    "profiles", "profiles_inappropriate", "accounts_inappropriate", "accounts_still_visible",
)  # fmt: skip
_PROFILES, _INAPPROPRIATE, _ACCOUNTS, _VISIBLE = PROFILE_COUNTS
_INSTANCES: Final = "instances"

_RATE_SPREAD: Final = 0.5
_ROW_SPREAD: Final = 0.3
_MOST_INAPPROPRIATE: Final = 0.5
"""The largest share of a force's profiles that are found inappropriate."""

_MOST_INSTANCES: Final = 6
"""The most instances that one profile or account shows."""

_ASSUMED_INSTANCES: Final = 80
"""Instances found in the year before, which were not published."""

Rows = list[tuple[int | str, ...]]


def solve_social_media(collection: Collection) -> tuple[Rows, Rows]:
    """Return the rows of social_media_profiles.csv and social_media_instances.csv, sorted."""
    now, before = collection.census.year, collection.census.year - 1
    facets = dict(_facets(now, [*assumed_sizes()], (_PROFILES, _INAPPROPRIATE)))
    facets |= _facets(before, _researched(collection), (_PROFILES, _ACCOUNTS, _VISIBLE))
    program = CountProgram(_expected(facets), _published(collection, facets))
    _require_that_findings_fit(program, facets, {str(now): _INAPPROPRIATE, str(before): _ACCOUNTS})
    counts = program.solved_counts()
    found = {tuple(place): count for place, count in counts.items()}
    profiles: Rows = [
        (
            force,
            int(year),
            *(found.get((force, year, name, ""), NOT_HELD) for name in PROFILE_COUNTS),
        )
        for force, year in sorted({row[:2] for row in found})
    ]
    instances: Rows = [
        (force, int(year), site, category, count)
        for (force, year, site, category), count in sorted(found.items())
        if category
    ]
    return profiles, instances


def _researched(collection: Collection) -> list[str]:
    """Return the forces of the earlier research; which they were was not published."""
    year = str(collection.census.year - 1)
    number = figure(collection, "social_media_forces_researched", "", "research", year=year)
    by_chance = sorted(assumed_sizes(), key=lambda force: fraction("researched", force))
    return by_chance[: round(number)]


def _facets(
    year: int, forces: list[str], counts: tuple[str, ...]
) -> Iterator[tuple[Place, Facets]]:
    """Yield the places of a year's research; the year stands where a return has its sheet."""
    for force in forces:
        for count in counts:
            yield Place(force, str(year), count, ""), {"year": str(year), "of": count}
        for site in SITES:
            for category in INSTANCE_CATEGORIES:
                facets = {"year": str(year), "of": _INSTANCES, "site": site, "category": category}
                yield Place(force, str(year), site, category), facets


def _expected(facets: Mapping[Place, Facets]) -> dict[Place, float]:
    profiles, found = (rates(subject, _RATE_SPREAD) for subject in (_PROFILES, _INSTANCES))
    return {
        place: varied(
            (profiles if place.row_code == _PROFILES else found)[place.force_code],
            _ROW_SPREAD,
            "research",
            *place,
        )
        for place in facets
    }


def _published(collection: Collection, facets: Mapping[Place, Facets]) -> list[Total]:
    """Return what was published, and what is assumed where it was not or is a bound."""
    now, before = str(collection.census.year), str(collection.census.year - 1)
    of = {
        name: {place: parts for place, parts in facets.items() if parts["of"] == name}
        for name in (*PROFILE_COUNTS, _INSTANCES)
    }
    found = [
        total
        for name, places in of.items()
        for total in totals(figures(collection, f"social_media_{name}", "", "research"), places)
    ]
    cases = {place: parts for place, parts in of[_INSTANCES].items() if parts["year"] == now}
    found += totals(figures(collection, "social_media_cases", "", "research"), cases)
    earlier = tuple(place for place in of[_INSTANCES] if place.sheet == before)
    found.append(Total(earlier, _ASSUMED_INSTANCES))
    accounts, bound = (
        figure(collection, f"social_media_{name}", "", "research", year=before)
        for name in (_ACCOUNTS, f"{_VISIBLE}_share")
    )
    found.append(Total(tuple(of[_VISIBLE]), math.floor(accounts * bound / 100) + 1))
    return found


def _require_that_findings_fit(
    program: CountProgram, facets: Mapping[Place, Facets], shown_by: Mapping[str, str]
) -> None:
    """Require that each inappropriate profile or account shows an instance, and few show many."""
    for year, count in shown_by.items():
        here = [place for place in facets if place.sheet == year]
        instances = program.sum_by_force(p for p in here if facets[p]["of"] == _INSTANCES)
        for force, whole in instances.items():
            shown = program.at(Place(force, year, count, ""))
            profiles = program.at(Place(force, year, _PROFILES, ""))
            program.require({whole: 1, shown: -1}, low=0)
            program.require({whole: 1, shown: -_MOST_INSTANCES}, high=0)
            program.require_share(shown, profiles, high=_MOST_INAPPROPRIATE)
            visible = Place(force, year, _VISIBLE, "")
            if visible in facets:
                program.require_share(program.at(visible), shown)
