"""Shares the published register entries out over forces, kinds and decisions.

Belongs here: what the registers of a return must keep. Does not: which forces record declined
offers, which is one of their answers (solve_capability.py).
"""

from collections.abc import Container
from typing import Final

from schemas.collection import Collection
from schemas.vocabulary import NOT_APPLICABLE, NOT_HELD
from tools.make_sample.counts import CountProgram
from tools.make_sample.described import REGISTER_DECISIONS, REGISTER_ROWS
from tools.make_sample.likelihood import assumed_sizes, rates, varied
from tools.make_sample.published import Facets, Place, figures, totals

_SHEET: Final = "registers"
_DECLINED: Final = "declined"
_HOSPITALITY: Final = "force.hospitality"

_RATE_SPREAD: Final = 0.35
_ROW_SPREAD: Final = 0.25
_ASSUMED_DECLINED: Final = 0.3
"""Share of the offers to police authorities that was declined; the split was not published."""

_USUAL_DECLINED: Final = (0.1, 0.55)
"""Share of the hospitality offered to a force that is declined, where that is recorded."""


def solve_registers(collection: Collection, recording: Container[str]) -> dict[Place, int | str]:
    """Return the entries of each force's registers, by row and decision.

    Args:
        collection: whose published figures hold.
        recording: codes of the forces whose registers record declined offers.
    """
    facets: dict[Place, Facets] = {}
    missing: dict[Place, str] = {}
    for force_code in assumed_sizes():
        for code, (body, kind) in REGISTER_ROWS.items():
            for decision in REGISTER_DECISIONS:
                place = Place(force_code, _SHEET, code, decision)
                if body == "authority" and force_code in collection.without_police_authority:
                    missing[place] = NOT_APPLICABLE
                elif body == "force" and decision == _DECLINED and force_code not in recording:
                    missing[place] = NOT_HELD
                else:
                    facets[place] = {"body": body, "kind": kind, "decision": decision}
    published = totals(figures(collection, "register_entries"), facets)
    program = CountProgram(_expected(facets), published)
    _require_usual_registers(program, list(facets))
    return {**program.solved_counts(), **missing}


def _expected(facets: dict[Place, Facets]) -> dict[Place, float]:
    by_force = rates(_SHEET, _RATE_SPREAD)
    decisions = {_DECLINED: _ASSUMED_DECLINED}
    return {
        place: varied(
            by_force[place.force_code] * decisions.get(place.column_code, 1 - _ASSUMED_DECLINED),
            _ROW_SPREAD,
            "register",
            *place,
        )
        for place in facets
    }


def _require_usual_registers(program: CountProgram, held: list[Place]) -> None:
    """Require that a force declines neither hardly any nor most, and outnumbers its authority."""
    hospitality = program.sum_by_force(p for p in held if p.row_code == _HOSPITALITY)
    for place in held:
        if (place.row_code, place.column_code) == (_HOSPITALITY, _DECLINED):
            whole = hospitality[place.force_code]
            program.require_share(program.at(place), whole, *_USUAL_DECLINED)
    own = program.sum_by_force(p for p in held if _body(p) == "force")
    authority = program.sum_by_force(p for p in held if _body(p) == "authority")
    for force_code, entries in authority.items():
        program.require_share(entries, own[force_code])


def _body(place: Place) -> str:
    return REGISTER_ROWS[place.row_code][0]
