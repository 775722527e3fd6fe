"""Codes in words, as pages and the summary workbook show them.

Belongs here: from a code to what people read. Does not: the closed lists (schemas/vocabulary.py,
schemas/research.py), which have their wording already.
"""

from functools import cache
from typing import Final

from schemas import vocabulary as v
from schemas.breakdown import Band, read_breakdown
from schemas.collection import Collection
from schemas.research import INSTANCE_CATEGORIES, QUESTIONS, SITES
from schemas.returns_template import capability_questions

STATES: Final = {
    "accepted": "Accepted",
    "queried": "Queried",
    "rejected": "Rejected",
    "missing": "Missing",
}

STATUSES: Final = {
    "differs": "Differs",
    "not_included": "Not included",
    "source_issue": "Source contradicts itself",
    "within_qualifier": "Within its wording",
    "not_computable": "Not computable",
    "match": "Match",
}
"""The statuses of the reconciliation; what a reader must see first stands first."""

_OWN: Final = {
    "psd": "professional standards",
    "moving_to_psd": "moving to professional standards",
    "hr": "human resources",
    "gratuities_hospitality": "gratuities and hospitality",
    "anti_corruption_unit": "anti-corruption unit",
    "thematic": "progress report",
    "england_wales": "England and Wales",
    "per_force": "per force",
    "per_month": "a month",
}

_LISTS: Final[dict[str, dict[str, str]]] = {
    "category": {**INSTANCE_CATEGORIES, **v.CATEGORIES},
    "recipient": v.RECIPIENTS,
    "media": v.MEDIA,
    "outcome": v.OUTCOMES,
    "body": v.BODIES,
    "kind": v.REGISTER_KINDS,
    "decision": {**v.SECOND_JOB_DECISIONS, **v.REGISTER_DECISIONS, "approved": "Approved"},
    "conditions": {"yes": "with conditions", "no": "without conditions"},
    "occupation": v.BREACH_OCCUPATIONS,
    "site": SITES,
}


def words(code: str) -> str:
    """Return a code that has no wording of its own as words."""
    return _OWN.get(code, code.replace("_", " "))


def sentence(words_: str) -> str:
    """Return words with a capital letter in front, the rest untouched."""
    return words_[:1].upper() + words_[1:]


def answer(code: str) -> str:
    """Return an answer in words; `a|b` is either."""
    return " or ".join(words(part) for part in code.split("|"))


def band(text: str) -> str:
    """Return a band of counts in words: `10 or fewer`, `60 or more`, `more than 90`."""
    limits = Band.parse(text)
    if limits.high is None:
        above = limits.low - 1
        round_above = above > 0 and above % 10 == 0
        return f"more than {above:,}" if round_above else f"{limits.low:,} or more"
    if limits.low == limits.high:
        return "none" if limits.low == 0 else f"exactly {limits.low:,}"
    if limits.low == 0:
        return f"{limits.high:,} or fewer"
    return f"{limits.low:,} to {limits.high:,}"


def question(code: str) -> str:
    """Return the wording of a question of the return or of the survey."""
    return _questions().get(code, words(code))


@cache
def _questions() -> dict[str, str]:
    asked = capability_questions().select("question_code", "label")
    return dict(asked.iter_rows()) | {code: asked.label for code, asked in QUESTIONS.items()}


def measured(measure: str, breakdown: str) -> str:
    """Return what a figure measures: the measure, then each part of the breakdown."""
    parts = [_part(key, value) for key, value in read_breakdown(breakdown).items()]
    whole = sentence(words(measure))
    return f"{whole}: {', '.join(parts)}" if parts else whole


def _part(key: str, value: str) -> str:
    if key == "question":
        return question(value)
    if key == "count":
        return band(value)
    if key == "year":
        return value
    return _LISTS.get(key, {}).get(value) or answer(value)


def period(collection: Collection, name: str) -> str:
    """Return a period in words: the collection's own as months, others as they are called."""
    if name == "collection":
        start, end = collection.period.start, collection.period.end
        return f"{start:%B %Y} to {end:%B %Y}"
    return name.replace("_", " ") if "_" in name else name.replace("-", "/")
