"""Fills what varies on the cover sheets: the day of submission, and roles in place of people.

Belongs here: wordings of roles and checks. Does not: the fixed cells, which follow from the
collection and the force (returns.py), nor any name of a person.
"""

from collections.abc import Sequence
from datetime import date, timedelta
from typing import Final

from assets.sample.research import fraction
from schemas.collection import Collection
from tools.make_sample.likelihood import assumed_sizes
from tools.make_sample.published import Place

_SHEET: Final = "cover"
_COLUMN: Final = "value"
_SATURDAY: Final = 5
_BANK_HOLIDAYS: Final = (date(2012, 6, 4), date(2012, 6, 5))

_ROLES: Final = {
    "prepared_by_role": (
        "Professional standards analyst",
        "Performance and returns officer",
        "Anti-corruption unit office manager",
        "Data and compliance officer",
        "Inspection liaison officer",
    ),
    "signed_off_by_role": (
        "Chief officer lead for professional standards",
        "Head of professional standards",
        "Deputy head of the force",
    ),
    "assurance": (
        "Second analyst checked every figure against the case system",
        "Checked against the case system and the registers",
        "Dip sample of cases checked; registers counted twice",
        "Reconciled with the monthly reports of the anti-corruption unit",
        "Internal audit reviewed the figures before sign-off",
    ),
}


def solve_cover(collection: Collection) -> dict[Place, str]:
    """Return the cover rows of each force that are its own to fill."""
    days = [day.isoformat() for day in _working_days(collection)]
    rows = {"submitted_on": days, **_ROLES}
    return {
        Place(force_code, _SHEET, code, _COLUMN): _pick(wordings, code, force_code)
        for force_code in assumed_sizes()
        for code, wordings in rows.items()
    }


def _working_days(collection: Collection) -> list[date]:
    """Return the working days from the day after the census to the soft deadline."""
    span = (collection.deadlines.soft - collection.census).days
    days = (collection.census + timedelta(days=after) for after in range(1, span + 1))
    return [day for day in days if day.weekday() < _SATURDAY and day not in _BANK_HOLIDAYS]


def _pick(wordings: Sequence[str], *key: str) -> str:
    return wordings[int(fraction("cover", *key) * len(wordings))]
