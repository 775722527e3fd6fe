"""The codes that stand in returns, marts and figures, with their wording for people.

Belongs here: closed lists and their labels. Does not: where a code sits in a workbook
(template.py), what a column of it means (columns.py), or anything a collection may change.
"""

from typing import Final

CATEGORIES: Final = {
    "information_disclosure": "Information disclosure (not by social media)",
    "media_relationship": "Inappropriate relationship with the media",
    "social_media": "Social media",
    "gratuities_hospitality": "Gratuities and hospitality",
    "procurement": "Procurement and contracting",
    "second_jobs": "Second jobs and business interests",
    "other": "Other integrity matters",
}

RECIPIENTS: Final = {
    "criminals": "to criminals",
    "friends_family": "to friends or family",
    "personal_use": "for personal use",
    "media": "to the media",
    "others": "to others",
}

MEDIA: Final = {"local": "local media", "national": "national media"}

OUTCOMES: Final = {
    "continuing": "Continuing",
    "referred_external": "Referred to an external body",
    "no_further_action": "No further action",
    "management_action": "Management advice, warning or other management action",
    "left_service": "Left the service (dismissed, resigned or retired)",
}

CONTINUING: Final = "continuing"
COMPLETED: Final = "completed"
"""Every outcome but `continuing`; a derived outcome, never typed by a force."""

BODIES: Final = {"force": "Police force", "authority": "Police authority"}
REGISTER_KINDS: Final = {"gratuity": "Gratuities and gifts", "hospitality": "Hospitality"}
REGISTER_DECISIONS: Final = {"accepted": "Accepted", "declined": "Declined"}

SECOND_JOB_DECISIONS: Final = {
    "approved_unconditional": "Approved without conditions",
    "approved_conditional": "Approved with conditions",
    "refused": "Refused",
    "withdrawn": "Withdrawn by the applicant",
    "pending": "Not yet decided",
}
APPROVED: Final = ("approved_unconditional", "approved_conditional")

BREACH_OCCUPATIONS: Final = {
    "driver": "taxi, chauffeur or other driver",
    "driving_instructor": "driving instructor",
    "police_skills_training": "training in police skills",
}

NOT_HELD: Final = "not_held"
NOT_APPLICABLE: Final = "not_applicable"
MISSING_REASONS: Final = {
    NOT_HELD: "the force does not record it",
    NOT_APPLICABLE: "the question does not apply to this force",
}

STATES: Final = {
    "missing": "nothing readable has been received",
    "rejected": "received, but kept out of the totals: by a blocking finding, or because nobody has"
    " said which of two versions is newer",
    "queried": "in the totals, provisionally: queries wait for an answer",
    "accepted": "in the totals",
}
LIVE_STATES: Final = ("queried", "accepted")

SEVERITIES: Final = {
    "B": "blocks the return",
    "Q": "query: wants a written reason, accepted by a second person",
    "N": "note",
}

RULE_RESULTS: Final = {
    "passed": "everything it looks at is as it should be",
    "failed": "there are findings",
    "not_evaluable": "what it needs could not be read or typed",
    "not_applicable": "it concerns nothing in this return",
    "off": "switched off for this collection",
}

BASES: Final = {
    "submitted": "sent by the force",
    "published": "printed in the force's own inspection report",
    "reconstructed": "made by Muster so that the published totals hold; not sent by any force",
}

RECONCILIATION_STATUSES: Final = {
    "match": "computed equals published",
    "within_qualifier": "computed satisfies the wording of the published figure",
    "differs": "computed does not satisfy the published figure",
    "source_issue": "the source contradicts itself here",
    "not_included": "the return it comes from is not in the totals",
    "not_computable": "the figure does not come from this collection's data",
}

QUALIFIERS: Final = (
    "exact", "counted", "derived", "all", "all_but_one", "no_change", "rounded", "average",
    "at_least", "more_than", "about", "almost",
)  # fmt: skip
"""How a publication words a figure; reconciliation says of each when it holds."""
