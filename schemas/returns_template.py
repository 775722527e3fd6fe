"""Template `returns`, version 1: the six sheets a force fills.

Belongs here: which rows and columns each sheet has, their wording, and which entries may be
`not_held` or `not_applicable`. The codes come from vocabulary.py and the reference questions.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Final, NamedTuple

from schemas import vocabulary as v
from schemas.reference import capability_questions
from schemas.template import Entry, Kind, Row, Sheet, Template

TOTAL: Final = "total"
SUSPENDED: Final = "people_suspended"
REVIEW_MONTHS: Final = "review_months"
BREACH: Final = "breach."


@dataclass(frozen=True)
class InvestigationRow:
    """What a row of the investigations sheet counts; null where the split does not apply.

    `is_part` is false for the subtotal and the total, which repeat what other rows say.
    """

    code: str
    label: str
    category: str | None
    recipient: str | None = None
    media: str | None = None
    is_part: bool = True


def _investigation_rows() -> tuple[InvestigationRow, ...]:
    disclosure, relationship = "information_disclosure", "media_relationship"
    rows = []
    for recipient, label in v.RECIPIENTS.items():
        code = f"{disclosure}.{recipient}"
        if recipient == "media":
            rows += [
                InvestigationRow(
                    f"{code}_{m}", f"Disclosure {label}: {w}", disclosure, recipient, m
                )
                for m, w in v.MEDIA.items()
            ]
        else:
            rows.append(InvestigationRow(code, f"Disclosure {label}", disclosure, recipient))
    subtotal = f"{v.CATEGORIES[disclosure]}: all"
    rows.append(InvestigationRow(disclosure, subtotal, disclosure, is_part=False))
    for category, label in v.CATEGORIES.items():
        if category == relationship:
            rows += [
                InvestigationRow(f"{category}.{m}", f"{label}: {w}", category, media=m)
                for m, w in v.MEDIA.items()
            ]
        elif category != disclosure:
            rows.append(InvestigationRow(category, label, category))
    rows.append(InvestigationRow(TOTAL, "All investigations", None, is_part=False))
    return tuple(rows)


INVESTIGATION_ROWS: Final = _investigation_rows()
REGISTER_ROWS: Final = {
    f"{body}.{kind}": (body, kind) for body in v.BODIES for kind in v.REGISTER_KINDS
}


@dataclass(frozen=True)
class Comparator:
    """What a row of the comparators sheet counts, in the words of the published figures."""

    label: str
    measure: str
    breakdown: str
    period: str


_WHOLE: Final = "investigations", ""
_DISCLOSURE: Final = "investigations", "category=information_disclosure"
_SECOND_JOBS: Final = "investigations", "category=second_jobs"
_RELATIONSHIP: Final = "investigations", "category=media_relationship"
_YEAR: Final = "2010-11"
_FIVE: Final = "previous_five_years"

COMPARATORS: Final = {
    "investigations_2010_11": Comparator("All investigations, 2010/11", *_WHOLE, _YEAR),
    "information_disclosure_2010_11": Comparator(
        "Information disclosure, 2010/11", *_DISCLOSURE, _YEAR
    ),
    "second_jobs_2010_11": Comparator("Second jobs, 2010/11", *_SECOND_JOBS, _YEAR),
    "media_relationship_previous_five_years": Comparator(
        "Relationships with the media, previous five years", *_RELATIONSHIP, _FIVE
    ),
    "cards_2011": Comparator(
        "Credit and procurement cards, 2011 inspection", "cards_held", "year=2011", "collection"
    ),
    "cards_2012": Comparator(
        "Credit and procurement cards, now", "cards_held", "year=2012", "collection"
    ),
}


class _Spec(NamedTuple):
    """What an entry accepts, before its place in the sheet is known."""

    kind: Kind
    answers: tuple[str, ...] = ()
    missing: tuple[str, ...] = ()
    locked: bool = False


_PREFILLED: Final = _Spec("text", locked=True)
_COUNT: Final = _Spec("count")
_COUNT_OR_NOT_HELD: Final = _Spec("count", missing=(v.NOT_HELD,))
_COUNT_OR_EITHER: Final = _Spec("count", missing=(v.NOT_HELD, v.NOT_APPLICABLE))


def _row(
    sheet: str, code: str, label: str, specs: Mapping[str, _Spec], *, is_sum: bool = False
) -> Row:
    entries = (Entry(sheet, code, column, *spec) for column, spec in specs.items())
    return Row(code, label, tuple(entries), is_sum)


def _cover() -> Sheet:
    rows = {
        "template": ("Template", _PREFILLED),
        "template_version": ("Template version", _PREFILLED),
        "collection": ("Collection", _PREFILLED),
        "force_code": ("Force code", _PREFILLED),
        "force_name": ("Force", _PREFILLED),
        "data_as_at": ("Date the figures stand at (the census date)", _Spec("date")),
        "submitted_on": ("Date of submission", _Spec("date")),
        "prepared_by_role": ("Prepared by (role, not name)", _Spec("text")),
        "signed_off_by_role": ("Signed off by (role, not name)", _Spec("text")),
        "assurance": ("How the figures were checked", _Spec("text")),
        "basis": ("Basis", _Spec("answer", ("submitted", "reconstructed"), locked=True)),
    }
    return Sheet(
        "cover",
        "Cover",
        (
            "Period: {period}. Figures stand at {census}. Send by {soft}, at the latest {hard}.",
            "Fill the yellow cells of the six sheets; everything else is locked.",
            "Counts are whole numbers. Nil is 0, typed: a blank cell is an error, not a zero.",
            "Type not_held where the force does not record a figure, where the list allows it.",
            "Beside and below each table, a check tells as you type whether the totals add up.",
            "Give roles here, never the names of people.",
        ),
        {"value": "Your answer"},
        tuple(_row("cover", code, label, {"value": spec}) for code, (label, spec) in rows.items()),
    )


def _investigations() -> Sheet:
    columns = {**v.OUTCOMES, TOTAL: "Total", SUSPENDED: "People suspended at the census"}
    specs = dict.fromkeys(columns, _COUNT)
    return Sheet(
        "investigations",
        "Investigations opened in the period, by outcome at the census date",
        (
            "Count each investigation once, in the row of its main subject. Nil is 0, typed.",
            "People suspended counts people, not cases, and is not part of the total.",
        ),
        columns,
        tuple(
            _row("investigations", row.code, row.label, specs, is_sum=not row.is_part)
            for row in INVESTIGATION_ROWS
        ),
    )


def _registers() -> Sheet:
    columns = {**v.REGISTER_DECISIONS, TOTAL: "Total"}
    specs = {
        "force": {"accepted": _COUNT, "declined": _COUNT_OR_NOT_HELD, TOTAL: _COUNT},
        "authority": dict.fromkeys(columns, _COUNT_OR_EITHER),
    }
    return Sheet(
        "registers",
        "Entries in the registers of gifts and hospitality in the period",
        (
            "Where declined offers are not recorded, answer not_held; the total is then what is.",
            "Where there is no police authority, answer not_applicable in its rows.",
        ),
        columns,
        tuple(
            _row(
                "registers",
                code,
                f"{v.BODIES[body]}: {v.REGISTER_KINDS[kind].lower()}",
                specs[body],
            )
            for code, (body, kind) in REGISTER_ROWS.items()
        ),
    )


def _second_jobs() -> Sheet:
    rows = {
        code: (f"Applications: {label.lower()}", _COUNT)
        for code, label in v.SECOND_JOB_DECISIONS.items()
    }
    rows[TOTAL] = ("Applications: all", _COUNT)
    for code, label in v.BREACH_OCCUPATIONS.items():
        rows[BREACH + code] = (f"Approved though against guidance: {label}", _COUNT_OR_NOT_HELD)
    rows[REVIEW_MONTHS] = ("Months between reviews of an approval", _COUNT_OR_EITHER)
    return Sheet(
        "second_jobs",
        "Applications for second jobs and business interests in the period",
        ("Count each application once, by its decision at the census date.",),
        {"count": "Count"},
        tuple(
            _row("second_jobs", code, label, {"count": spec}, is_sum=code == TOTAL)
            for code, (label, spec) in rows.items()
        ),
    )


def _capability() -> Sheet:
    return Sheet(
        "capability",
        "Arrangements in the force",
        ("Choose one answer from the list in each cell.",),
        {"answer": "Answer"},
        tuple(
            _row(
                "capability",
                question["question_code"],
                question["label"],
                {"answer": _Spec("answer", tuple(question["answers"].split("|")))},
            )
            for question in capability_questions().iter_rows(named=True)
        ),
    )


def _comparators() -> Sheet:
    return Sheet(
        "comparators",
        "Earlier periods, for comparison",
        ("Answer not_held where the force has no record of it.",),
        {"value": "Count"},
        tuple(
            _row("comparators", code, row.label, {"value": _COUNT_OR_NOT_HELD})
            for code, row in COMPARATORS.items()
        ),
    )


@cache
def returns_template() -> Template:
    """Return template `returns`, version 1."""
    version = 1
    sheets = (
        _cover(),
        _investigations(),
        _registers(),
        _second_jobs(),
        _capability(),
        _comparators(),
    )
    return Template("returns", version, sheets)
