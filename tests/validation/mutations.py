"""Ways to break a clean return, one for each rule, and what else naturally follows from each.

A mutation changes the values of a return, or its sheets, so that one rule must fire. It returns
None where the rule does not concern that return.
"""

from collections.abc import Callable
from dataclasses import dataclass, field, replace

from assets.intake.reading import Cell, RawSheet, Reading, RefusedError
from schemas import vocabulary as v
from schemas.collection import load_collection
from tests.returns import Place, SampleReturn
from tools.make_sample.described import (
    APPROVED,
    BREACH,
    BREACH_OCCUPATIONS,
    CONTINUING,
    INVESTIGATION_ROWS,
    OUTCOMES,
    REGISTER_DECISIONS,
    REGISTER_KINDS,
    TOTAL,
)

INV = "investigations"
DISCLOSURE = "information_disclosure"
Values = dict[Place, str]
Change = Callable[[Values], Values | None]


@dataclass(frozen=True)
class Mutation:
    """`also`: rules that may fire besides, because they look at the same figures."""

    rule: str
    change: Change = field(default=dict)
    sheets: Callable[[Reading], Reading] | None = None
    also: frozenset[str] = frozenset()

    def of(self, sample: SampleReturn) -> Reading | None:
        """Return the reading of the broken return."""
        changed = self.change(dict(sample.values))
        if changed is None:
            return None
        reading = replace(sample, values=changed).reading()
        return self.sheets(reading) if self.sheets else reading


def _number(values: Values, *place: str) -> int:
    text = values[place]  # type: ignore[index]
    return int(text) if text.isdigit() else 0


def _set(place: Place, text: str) -> Change:
    return lambda values: {**values, place: text}


def _without(place: Place) -> Change:
    return lambda values: {key: text for key, text in values.items() if key != place}


def add(values: Values, row: str, column: str, number: int) -> None:
    """Add to a leaf cell of investigations and to every sum it is part of."""
    rows = [row, TOTAL]
    if row.startswith(f"{DISCLOSURE}."):
        rows.append(DISCLOSURE)
    for code in rows:
        for head in [column] if column == "people_suspended" else [column, TOTAL]:
            place = (INV, code, head)
            values[place] = str(_number(values, *place) + number)


LEAVES = [row.code for row in INVESTIGATION_ROWS if row.is_part]
COLUMNS = (*OUTCOMES, "people_suspended")


def _move(values: Values, of: list[str], frm: str, to: str) -> None:
    for row in of:
        count = _number(values, INV, row, frm)
        add(values, row, frm, -count)
        add(values, row, to, count)


def _adding(row: str, column: str, number: int) -> Change:
    def change(values: Values) -> Values:
        add(values, row, column, number)
        return values

    return change


def _v005(values: Values) -> Values | None:
    for row in LEAVES:
        if values[INV, row, CONTINUING] == "0":
            add(values, row, "people_suspended", 1)
            return values
    return None


def _c102(values: Values) -> Values:
    for row in (DISCLOSURE, TOTAL):
        for column in (CONTINUING, TOTAL):
            values[INV, row, column] = str(_number(values, INV, row, column) + 1)
    return values


def _c502(values: Values) -> Values:
    approved = sum(_number(values, "second_jobs", code, "count") for code in APPROVED)
    return {**values, ("second_jobs", f"{BREACH}driver", "count"): str(approved + 1)}


def _c701(values: Values) -> Values:
    whole = _number(values, "comparators", "investigations_2010_11", "value")
    return {**values, ("comparators", "second_jobs_2010_11", "value"): str(whole + 1)}


def _plus_one(*place: str) -> Change:
    return lambda values: {**values, place: str(_number(values, *place) + 1)}  # type: ignore[dict-item]


def _answers(**answers: str) -> Change:
    return lambda values: {
        **values,
        **{("capability", question, "answer"): answer for question, answer in answers.items()},
    }


def _x001(values: Values) -> Values:
    place = ("capability", "register_records_declined", "answer")
    return {**values, place: "no" if values[place] == "yes" else "yes"}


def _x002(values: Values) -> Values | None:
    if not _number(values, "second_jobs", TOTAL, "count"):
        return None
    return _answers(second_job_policy="no")(values)


def _x003(values: Values) -> Values:
    place = ("capability", "acu_decrease_from_merger", "answer")
    return {**values, place: "yes" if values[place] == v.NOT_APPLICABLE else v.NOT_APPLICABLE}


def _x004(values: Values) -> Values | None:
    without = load_collection("2012-revisit").without_police_authority
    if values["cover", "force_code", "value"] not in without:
        return None
    zeros = {
        ("registers", f"authority.{kind}", column): "0"
        for kind in REGISTER_KINDS
        for column in (*REGISTER_DECISIONS, TOTAL)
    }
    return {**values, **zeros}


def _x005(values: Values) -> Values:
    before = _number(values, "comparators", "cards_2011", "value")
    return {**values, ("comparators", "cards_2012", "value"): str(before * 2 + 1)}


def _q101(values: Values) -> Values:
    now = _number(values, INV, TOTAL, TOTAL)
    return {**values, ("comparators", "investigations_2010_11", "value"): str(now * 3 + 100)}


def _q104(values: Values) -> Values | None:
    if values[INV, "second_jobs", TOTAL] != "0":
        return None
    whole = ("comparators", "investigations_2010_11", "value")
    part = ("comparators", "second_jobs_2010_11", "value")
    return {**values, part: "10", whole: str(_number(values, *whole) + 10)}


def _q105(values: Values) -> Values | None:
    approved = sum(_number(values, "second_jobs", code, "count") for code in APPROVED)
    if not approved:
        return None
    refused = ("second_jobs", "refused", "count")
    changes = {("second_jobs", code, "count"): "0" for code in APPROVED}
    changes |= {("second_jobs", BREACH + code, "count"): "0" for code in BREACH_OCCUPATIONS}
    return {**values, **changes, refused: str(_number(values, *refused) + approved)}


def _q106(values: Values) -> Values | None:
    row = "force.hospitality"
    whole = _number(values, "registers", row, TOTAL)
    if values["registers", row, "declined"] == v.NOT_HELD or whole < 10:
        return None
    return {
        **values,
        ("registers", row, "accepted"): "0",
        ("registers", row, "declined"): str(whole),
    }


def _q107(values: Values) -> Values | None:
    if _number(values, INV, DISCLOSURE, TOTAL) < 10:
        return None
    for row in LEAVES:
        if row.startswith(f"{DISCLOSURE}."):
            for column in COLUMNS:
                count = _number(values, INV, row, column)
                add(values, row, column, -count)
                add(values, f"{DISCLOSURE}.others", column, count)
    return values


def _q108(values: Values) -> Values | None:
    if _number(values, INV, TOTAL, TOTAL) < 20:
        return None
    _move(values, LEAVES, CONTINUING, "no_further_action")
    for row in LEAVES:
        add(values, row, "people_suspended", -_number(values, INV, row, "people_suspended"))
    return values


def _q109(values: Values) -> Values | None:
    if _number(values, INV, TOTAL, TOTAL) < 20:
        return None
    for outcome in ("no_further_action", "management_action"):
        _move(values, LEAVES, outcome, "left_service")
    return values


def _q110(values: Values) -> Values:
    counts = {
        "approved_unconditional": 100, "approved_conditional": 50, "refused": 5, "withdrawn": 5,
        "pending": 5, "total": 165, **{BREACH + code: 5 for code in BREACH_OCCUPATIONS},
    }  # fmt: skip
    return {**values, **{("second_jobs", row, "count"): str(n) for row, n in counts.items()}}


def _q113(values: Values) -> Values | None:
    if values["registers", "authority.gratuity", TOTAL] == v.NOT_APPLICABLE:
        return None
    own = sum(_number(values, "registers", f"force.{kind}", TOTAL) for kind in REGISTER_KINDS)
    row = "authority.gratuity"
    return {
        **values,
        ("registers", row, "accepted"): str(own + 1),
        ("registers", row, "declined"): "0",
        ("registers", row, TOTAL): str(own + 1),
    }


def _sheet(
    name: str, change: Callable[[RawSheet], RawSheet | None]
) -> Callable[[Reading], Reading]:
    def apply(reading: Reading) -> Reading:
        sheets = [change(s) if s.name == name else s for s in reading.sheets]
        return replace(reading, sheets=tuple(sheet for sheet in sheets if sheet))

    return apply


def _cells(change: Callable[[Cell], Cell | None]) -> Callable[[RawSheet], RawSheet]:
    def apply(sheet: RawSheet) -> RawSheet:
        cells = (change(cell) for cell in sheet.cells)
        return replace(sheet, cells=tuple(cell for cell in cells if cell))

    return apply


def _also(*rules: str) -> frozenset[str]:
    return frozenset(rules)


MUTATIONS = [
    Mutation("S001", sheets=lambda _: Reading(refusal=RefusedError("damaged", "send again"))),
    Mutation("S003", _set(("cover", "template_version", "value"), "9")),
    Mutation("S004", sheets=_sheet("comparators", lambda _: None)),
    Mutation(
        "S005",
        sheets=_sheet(
            INV, _cells(lambda c: c._replace(text="second_job") if c.text == "second_jobs" else c)
        ),
    ),
    Mutation(
        "S006",
        sheets=_sheet(
            "comparators", _cells(lambda c: c._replace(kind="error") if c.column == 3 else c)
        ),
        also=_also("S005"),
    ),
    Mutation("S007", _set(("cover", "force_code", "value"), "XXX")),
    Mutation("S008", _set(("cover", "data_as_at", "value"), "2012-06-30")),
    Mutation("S009", _set(("cover", "submitted_on", "value"), "2012-05-01")),
    Mutation("S010", _without(("comparators", "cards_2012", "value"))),
    Mutation(
        "S012",
        sheets=_sheet(
            INV, lambda s: replace(s, cells=tuple(sorted([*s.cells, Cell(9, 14, "sic", "text")])))
        ),
    ),
    Mutation(
        "S013",
        sheets=_sheet("second_jobs", _cells(lambda c: None if c.text == "pending" else c)),
        also=_also("S012"),
    ),
    Mutation("V001", _set(("comparators", "cards_2012", "value"), "c. 10")),
    Mutation("V002", _set(("capability", "media_training", "answer"), "maybe")),
    Mutation("V003", _set(("cover", "submitted_on", "value"), "soon")),
    Mutation("V004", _set(("second_jobs", "refused", "count"), "not_held")),
    Mutation("V005", _v005),
    Mutation("V006", _set(("second_jobs", "review_months", "count"), "0")),
    Mutation(
        "V007",
        lambda values: {
            **values,
            ("comparators", "cards_2011", "value"): "6000",
            ("comparators", "cards_2012", "value"): "6000",
        },
    ),
    Mutation("V008", _set(("cover", "prepared_by_role", "value"), "DI Regan")),
    Mutation("C101", _plus_one(INV, "other", TOTAL), also=_also("C103")),
    Mutation("C102", _c102, also=_also("Q101", "Q102", "Q103")),
    Mutation("C103", _plus_one(INV, TOTAL, "people_suspended"), also=_also("V005")),
    Mutation("C401", _plus_one("registers", "force.gratuity", TOTAL)),
    Mutation("C501", _plus_one("second_jobs", TOTAL, "count"), also=_also("Q105")),
    Mutation("C502", _c502),
    Mutation("C701", _c701, also=_also("Q101", "Q104")),
    Mutation("X001", _x001),
    Mutation("X002", _x002),
    Mutation("X003", _x003),
    Mutation("X004", _x004),
    Mutation("X005", _x005),
    Mutation("X006", _answers(audit_software="in_place", information_systems_audit="no")),
    Mutation("Q101", _q101),
    Mutation("Q102", _adding(f"{DISCLOSURE}.criminals", "no_further_action", 100),
             also=_also("Q101", "Q103")),
    Mutation("Q103", _adding("other", "management_action", 2000), also=_also("Q101", "Q108")),
    Mutation("Q104", _q104, also=_also("Q101")),
    Mutation("Q105", _q105),
    Mutation("Q106", _q106),
    Mutation("Q107", _q107),
    Mutation("Q108", _q108),
    Mutation("Q109", _q109),
    Mutation("Q110", _q110),
    Mutation("Q113", _q113),
]  # fmt: skip

RESUBMISSIONS = [
    Mutation("S011", _set(("cover", "submitted_on", "value"), "2012-05-31")),
    Mutation("Q111", _adding("other", "management_action", 60), also=_also("Q101", "Q103", "Q108")),
]
"""Mutations of a return that has an earlier version."""
