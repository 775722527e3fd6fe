"""The codes that stand in returns, marts and figures, with their wording for people.

Belongs here: closed lists and their labels. Does not: the codes that a template lists, what a
column means (columns.py), or anything a collection may change.
"""

from typing import Final

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

CASE_STATES: Final = {
    "accepted": "no row is bad",
    "quarantined": "the bad rows are set aside, the others count",
    "rejected": "refused whole: the share of bad rows is above that of the collection file",
}
EXTRACT_STATES: Final = {
    **CASE_STATES,
    "unreadable": "it cannot be read as an extract of one force",
    "damaged": "it, or what may be a newer one, is damaged in the raw store: no earlier one counts"
    " in its place",
}
WORKFORCE: Final = {"officer": "Police officer", "staff": "Member of police staff"}

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

FIGURE_BASES: Final = ("returns", "registry", "research", "survey", "document", "external")
"""Which data a published figure comes from: the last two are none that a collection has."""
