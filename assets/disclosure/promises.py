"""Reads the state of a return as an attacker would: an accepted one has passed the rules.

Belongs here: what each rule tells of hidden counts. Written from the rules as they are published,
apart from the choice of what to hide. Left out are rules that tell too little: Q103, Q110 and Q111
(docs/disclosure.md says why).
"""

import math
from collections.abc import Callable, Mapping
from typing import Any, Final

from assets.disclosure.known import Entries, Knowledge, Numbering, Row, Total
from assets.disclosure.published import Edition

_DISCLOSURE: Final = {"category": ["information_disclosure"]}
_APPROVED: Final = {"item": ["approved_unconditional", "approved_conditional"]}
_DECIDED: Final = {"item": [*_APPROVED["item"], "refused", "withdrawn", "pending"]}
_BREACHES: Final = {
    "item": ["breach.driver", "breach.driving_instructor", "breach.police_skills_training"]
}
_REGISTERS: Final = 4
"""Gratuities and hospitality, of the force and of its authority."""

_PARTS: Final = 2
"""Information disclosure and second jobs, of the year before."""

_NO_END: Final = math.inf

Tables = Mapping[str, Entries]
Limits = Mapping[str, Any]


class _Force:
    """The totals of one force in one edition."""

    def __init__(self, tables: Tables, force: str, edition: Edition) -> None:
        self._tables, self._force, self._edition = tables, force, edition

    def before(self) -> int | None:
        """Return all investigations of the year before, as they are in fact."""
        name = ("force_profiles", "investigations_2010_11", f"force_code={self._force}")
        return self._edition.marks.get(name)

    def total(self, table: str, where: Mapping[str, list[Any]] | None = None) -> Total | None:
        if table not in self._tables:
            return None
        return self._tables[table].total({**(where or {}), "force_code": [self._force]})

    def rows(self, table: str) -> list[dict[str, Any]]:
        """Return the keys of the force's entries."""
        rows = self._tables[table].rows if table in self._tables else []
        return [row for row in rows if row["force_code"] == self._force]


def read_rules(known: Knowledge, tables: Tables, edition: Edition, numbering: Numbering) -> None:
    """Add what is known since returns have passed the rules that were in force.

    A return that breaks a rule was accepted with an answer: it is noted among the broken ones.
    """
    no_policy = _without_policy(edition)
    for rule, read in _READ.items():
        for force in edition.passed(rule):
            if rule != "X002" or force in no_policy:
                told = Knowledge()
                read(told, _Force(tables, force, edition), edition.rules[rule])
                if not known.add(told, numbering):
                    known.broken.setdefault(force, set()).add(rule)


def _without_policy(edition: Edition) -> set[str]:
    if "capability_answers" not in edition.public:
        return set()
    answers = edition.public["capability_answers"].select("force_code", "question_code", "answer")
    return {
        force
        for force, question, answer in answers.iter_rows()
        if (question, answer) == ("second_job_policy", "no")
    }


def _parts(known: Knowledge, force: _Force, _: Limits) -> None:
    """C701: of the year before, the parts are no more than the whole, which is given away here."""
    table, whole = "investigations@2010-11", force.before()
    parts = force.total(table)
    if parts is not None and whole is not None and len(force.rows(table)) == _PARTS:
        known.tell([(1, parts)], 0, whole)


def _rate(known: Knowledge, force: _Force, limits: Limits) -> None:
    """Q101: the rate of all investigations is in line with the year before, or hardly differs."""
    now, then = force.total("investigations"), force.total("investigations_2010_11")
    if now is None or then is None or not limits["months_before"]:
        return
    months, before = limits["months"], limits["months_before"]
    most = math.ceil(limits["difference"] * before) - 1
    usual = [
        Row.of([(before, now), (-limits["lowest"] * months, then)], 0, _NO_END),
        Row.of([(before, now), (-limits["highest"] * months, then)], -_NO_END, 0),
    ]
    known.tell_either(usual, [Row.of([(before, now), (-months, then)], -most, most)])


def _not_none(known: Knowledge, force: _Force, limits: Limits) -> None:
    """Q104: there are some where there were many."""
    now, then = force.total("investigations"), force.total("investigations_2010_11")
    if now is not None and then is not None:
        few = math.ceil(limits["comparator"]) - 1
        known.tell_either([Row.of([(1, then)], -_NO_END, few)], [Row.of([(1, now)], 1, _NO_END)])


def _usual_disclosure(known: Knowledge, force: _Force, limits: Limits) -> None:
    """Q102: information disclosure is between two limits."""
    disclosure = force.total("investigations", _DISCLOSURE)
    if disclosure is not None:
        known.tell([(1, disclosure)], int(limits["lowest"]), int(limits["highest"]))


def _share(
    known: Knowledge, part: Total | None, whole: Total | None, limits: Limits, least: int = 0
) -> None:
    """Where the whole is large enough, the part is a small share of it, and at least so many."""
    if part is not None and whole is not None:
        few = math.ceil(limits["cases"]) - 1
        held = [Row.of([(1, part), (-limits["highest"], whole)], -_NO_END, 0)]
        if least:
            held.append(Row.of([(1, part)], least, _NO_END))
        known.tell_either([Row.of([(1, whole)], -_NO_END, few)], held)


def _others(known: Knowledge, force: _Force, limits: Limits) -> None:
    """Q107: few recipients of information are unknown."""
    others = force.total("investigations", {**_DISCLOSURE, "recipient": ["others"]})
    _share(known, others, force.total("investigations", _DISCLOSURE), limits)


def _continuing(known: Knowledge, force: _Force, limits: Limits) -> None:
    """Q108: some continue, and not nearly all."""
    continuing = force.total("investigations", {"outcome": ["continuing"]})
    _share(known, continuing, force.total("investigations"), limits, least=1)


def _left(known: Knowledge, force: _Force, limits: Limits) -> None:
    """Q109: few leave."""
    left = force.total("investigations", {"outcome": ["left_service"]})
    _share(known, left, force.total("investigations"), limits)


def _suspended(known: Knowledge, force: _Force, _: Limits) -> None:
    """V005: nobody is suspended over a subject of which no case continues."""
    for row in force.rows("people_suspended"):
        subject = {name: [code] for name, code in row.items() if name != "force_code"}
        people = force.total("people_suspended", subject)
        cases = force.total("investigations", {**subject, "outcome": ["continuing"]})
        if people is not None and cases is not None and people.unknowns and not cases.shown:
            known.implied.append((people, cases))


def _approved(known: Knowledge, force: _Force, limits: Limits) -> None:
    """Q105: most applications are approved, and of many not all."""
    approved = force.total("second_jobs", _APPROVED)
    whole = force.total("second_jobs", _DECIDED)
    if approved is not None and whole is not None:
        known.tell([(1, approved), (-limits["lowest"], whole)], 0, _NO_END)
        few = math.ceil(limits["applications"]) - 1
        known.tell_either(
            [Row.of([(1, whole)], -_NO_END, few)],
            [Row.of([(1, whole), (-1, approved)], 1, _NO_END)],
        )


def _breaches(known: Knowledge, force: _Force, _: Limits) -> None:
    """C502: approvals against guidance are approvals."""
    breaches, approved = (
        force.total("second_jobs", _BREACHES),
        force.total("second_jobs", _APPROVED),
    )
    if breaches is not None and approved is not None:
        known.tell([(1, approved), (-1, breaches)], 0, _NO_END)


def _no_applications(known: Knowledge, force: _Force, _: Limits) -> None:
    """X002: without a policy there are none."""
    whole = force.total("second_jobs", _DECIDED)
    if whole is not None:
        known.tell([(1, whole)], 0, 0)


def _declined(known: Knowledge, force: _Force, limits: Limits) -> None:
    """Q106: of offers of hospitality, neither hardly any nor most are declined."""
    of = {"body": ["force"], "kind": ["hospitality"]}
    declined = force.total("register_entries", {**of, "decision": ["declined"]})
    whole = force.total("register_entries", of)
    if declined is not None and whole is not None:
        few = math.ceil(limits["entries"]) - 1
        known.tell_either(
            [Row.of([(1, whole)], -_NO_END, few)],
            [
                Row.of([(1, declined), (-limits["lowest"], whole)], 0, _NO_END),
                Row.of([(1, declined), (-limits["highest"], whole)], -_NO_END, 0),
            ],
        )


def _authority(known: Knowledge, force: _Force, _: Limits) -> None:
    """Q113: the authority has no more entries than the force; where both have registers."""
    rows = force.rows("register_entries")
    if sum(row["decision"] == "accepted" for row in rows) == _REGISTERS:
        own = force.total("register_entries", {"body": ["force"]})
        other = force.total("register_entries", {"body": ["authority"]})
        if own is not None and other is not None:
            known.tell([(1, own), (-1, other)], 0, _NO_END)


_READ: Final[dict[str, Callable[[Knowledge, _Force, Limits], None]]] = {
    "V005": _suspended,
    "C502": _breaches,
    "C701": _parts,
    "X002": _no_applications,
    "Q101": _rate,
    "Q102": _usual_disclosure,
    "Q104": _not_none,
    "Q105": _approved,
    "Q106": _declined,
    "Q107": _others,
    "Q108": _continuing,
    "Q109": _left,
    "Q113": _authority,
}
