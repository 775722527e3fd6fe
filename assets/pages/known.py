"""What the paragraphs and expressions of a description know of a release, and of a force in it."""

from datetime import datetime
from functools import lru_cache, partial
from typing import Any, Final

from assets.pages.content import NOT_KNOWN
from assets.pages.description import first_measure, questions
from assets.pages.figures import Edition
from assets.pages.wording import SPREAD, STATES, STATUSES, band, period, sentence
from schemas import vocabulary as v
from schemas.collection import addressed, command
from schemas.contract import columns
from schemas.marts.facts import force_profiles_contract
from schemas.marts.returns import ReturnsStatus
from schemas.measures import NOW
from schemas.research import INSTANCE_CATEGORIES, QUESTIONS, SITES, YES
from schemas.rules.catalogue import rules
from schemas.wording import long_date, plural, visible

Known = dict[str, Any]
FILTERS: Final[Known] = {
    "long_date": long_date, "plural": plural, "sentence": sentence, "visible": visible
}  # fmt: skip
WORDS: Final[Known] = {
    "BASES": v.BASES,
    "LIVE": v.LIVE_STATES,
    "MEANINGS": v.STATES,
    "RECONCILIATION": v.RECONCILIATION_STATUSES,
    "RULES": rules(),
    "SEVERITIES": v.SEVERITIES,
    "SITES": SITES,
    "SPREAD": SPREAD,
    "STATES": STATES,
    "STATUSES": STATUSES,
}


@lru_cache(maxsize=1)
def of_release(edition: Edition) -> Known:
    """Return what is known on every page of a release."""
    collection, rows, wording = edition.collection, edition.rows, edition.wording
    lists, figure = collection.template.lists, edition.figure

    def in_state(state: str) -> list[str]:
        found = rows("returns_status", state=state)
        return sorted(edition.names[status["force_code"]] for status in found)

    def of_part(breakdown: str) -> str:
        """Return the label of the one code of a breakdown; All of everything."""
        dimension, _, code = breakdown.partition("=")
        return lists.get(dimension, {}).get(code, "All")

    def code_of(measure: str, breakdown: str, when: str) -> str:
        code = " ".join(part for part in (measure, breakdown) if part)
        return code if when in {"", NOW} else f"{code}, {when}"

    def printed_in(document: str, scope: str) -> str:
        inside = scope in {"national", *edition.names}
        return sentence(wording.words(document)) + ("" if inside else f" ({wording.words(scope)})")

    def state_of(force: str) -> str:
        state = figure("returns_status", "state", force_code=force).text
        return STATES.get(state, state)

    asked: list[Known] = [
        {
            "code": row.code, "label": row.label, "answers": row.entries[0].answers,
            "yes_no": row.entries[0].answers == ("yes", "no"),
            "area": sentence(wording.words(row.area)) if row.area else "",
        }
        for sheet in questions(collection.template)
        for row in sheet.rows
    ]  # fmt: skip
    return {
        "about": edition.about,
        "addressed": partial(addressed, collection_id=collection.id, kept=True),
        "answers": [
            {**one, "answer": answer}
            for one in asked
            if not one["yes_no"]
            for answer in one["answers"]
        ],
        "BANDS": {code: band(code).capitalize() for code in collection.count_bands},
        "basis_of": lambda force: figure("force_profiles", "basis", force_code=force).text,
        "code_of": code_of,
        "collection": collection,
        "command": partial(command, collection_id=collection.id, kept=True),
        "first": first_measure(collection.template),
        "in_state": in_state,
        "named": partial(period, collection),
        "names": edition.names,
        "of_part": of_part,
        "period_now": period(collection, NOW),
        "printed_in": printed_in,
        "questions": asked,
        "rows": rows,
        "state_of": state_of,
        "template": collection.template,
        "trace": edition.description.trace,
        "wording": wording,
        "years": lambda mart: _years(rows(mart)),
        **_of_research(edition),
    }


def _years(rows: list[Known]) -> list[int]:
    return sorted({row["year"] for row in rows})


def _social_media(years: list[int]) -> list[Known]:
    """Return a record for each year and kind of what was found, and for all kinds of a year."""
    return [
        {
            "year": year, "category": code, "kind": label,
            "of": f"year={year} category={code}" if code else f"year={year}",
        }
        for year in years
        for code, label in (*INSTANCE_CATEGORIES.items(), ("", "all kinds"))
    ]  # fmt: skip


def _of_research(edition: Edition) -> Known:
    """Return the statements and the reasons that the public was asked for, and what was found."""
    answers = edition.rows("survey")
    years = _years(answers)
    agreed = {row["question"] for row in answers if row["answer"] == YES}
    of = {
        code: [row for row in answers if row["question"] == code]
        for code, question in QUESTIONS.items()
        if question.several
    }
    return {
        "found_on_social_media": _social_media(_years(edition.rows("social_media"))),
        "statements": [
            {"code": code, "label": question.label, "last": years[-1]}
            for code, question in QUESTIONS.items()
            if not question.several and code in agreed
        ],
        "reasons": [
            {
                **row,
                "label": f"{QUESTIONS[code].label}:"
                f" {QUESTIONS[code].answers.get(row['answer'], row['answer'])} ({row['year']})",
            }
            for code, rows in of.items()
            for row in rows
        ],
    }


def of_force(edition: Edition, force: str) -> Known:
    """Return what is known besides on the page of a force."""
    status = next(iter(edition.rows("returns_status", force_code=force)), {})
    profile = next(iter(edition.rows("force_profiles", force_code=force)), {})
    found = edition.rows("findings", force_code=force)
    state, received = status.get("state") or "missing", status.get("received_at")
    counts = "which counts" if state in v.LIVE_STATES else "which does not count"
    given = {
        row["question_code"]: row["answer"]
        for row in edition.rows("capability_answers", force_code=force)
    }
    return {
        "answered": [
            {**one, "answer": given.get(one["code"])} for one in of_release(edition)["questions"]
        ],
        "basis": profile.get("basis"),
        "force": force,
        "found_on_social_media": _social_media(
            _years(edition.rows("social_media", force_code=force))
        ),
        "name": profile.get("name") or NOT_KNOWN,
        "newest": [row for row in found if row["receipt_id"] != status.get("receipt_id")],
        "printed": [
            (column.name, column.description.partition(";")[0])
            for column in columns(force_profiles_contract(edition.collection.template))
            if column.dtype.is_numeric() and profile.get(column.name) is not None
        ],
        "received_on": received
        and long_date(edition.collection.day_of(datetime.fromisoformat(received))),
        "state": state,
        "status": dict.fromkeys(column.name for column in columns(ReturnsStatus)) | status,
        "version_said": f"Version {status['version']}, {counts}"
        if status.get("version")
        else "No return",
    }
