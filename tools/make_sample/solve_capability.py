"""Gives each force its answers about its arrangements, so that every published number holds.

Belongs here: what the answers of one return must agree on, and how likely they are where nothing
was published. Does not: the published numbers, which are read.
"""

import math
from typing import Final

from schemas.collection import Collection
from schemas.vocabulary import NOT_APPLICABLE
from tools.make_sample.choices import ChoiceProgram
from tools.make_sample.described import capability_questions
from tools.make_sample.likelihood import assumed_sizes
from tools.make_sample.published import Figure, Place, codes, figures

SHEET: Final = "capability"
COLUMN: Final = "answer"

_ASSUMED_LIKELIHOODS: Final = {
    ("audit_software", "in_place"): 0.3,
    ("information_security_cbt", "coming"): 0.5,
    ("media_policy", "awaiting_approval"): 0.5,
    ("media_policy_specific", "no"): 0.15,
    ("second_job_policy_owner", "moving_to_psd"): 0.15,
}
"""Beside 1 for every answer not listed."""

_EXCLUSIVE: Final = (
    (("audit_software", "in_place"), ("information_systems_audit", "no")),
    (("audit_software", "in_place"), ("communications_monitoring", "none")),
    (("social_media_monitoring", "personal_accounts"), ("communications_monitoring", "none")),
    (("information_security_cbt", "in_place"), ("information_security_structured_training", "no")),
    (("card_controls_need_improvement", "yes"), ("card_controls", "yes")),
)
"""Pairs of answers that no one force gives."""

_LEAD_RANK: Final = "acu_lead_rank"
_RANKS_PER_TENFOLD: Final = 1.7
"""How many ranks higher a force ten times as large has its anti-corruption unit led."""


def solve_capability(collection: Collection) -> dict[Place, str]:
    """Return the answer of each force to each question."""
    questions = _questions()
    program = ChoiceProgram(questions, _likelihood)
    for measure in ("capability", "capability_share"):
        for published in figures(collection, measure):
            _require_published(program, published, len(collection.forces))
    for force_code in assumed_sizes():
        _require_consistent(program, force_code)
    return {
        Place(force_code, SHEET, question, COLUMN): answer
        for (force_code, question), answer in program.solved_answers().items()
    }


def _questions() -> dict[str, list[str]]:
    rows = capability_questions().iter_rows(named=True)
    return {row["question_code"]: row["answers"].split("|") for row in rows}


def _likelihood(force_code: str, question: str, answer: str) -> float:
    if question != _LEAD_RANK:
        return _ASSUMED_LIKELIHOODS.get((question, answer), 1.0)
    usual = 1 + _RANKS_PER_TENFOLD * math.log10(assumed_sizes()[force_code] / 3000)
    return math.exp(-2 * (_questions()[question].index(answer) - usual) ** 2)


def _require_published(program: ChoiceProgram, published: Figure, forces: int) -> None:
    """Require what was published; an `almost` only words a number that is printed elsewhere."""
    question, answers = published.parts["question"], codes("answer", published.parts["answer"])
    if published.force_code:
        given = (program.given(published.force_code, question, answer) for answer in answers)
        program.require_total(given, published.value)
    elif published.qualifier != "almost":
        number = program.forces_answering(question, answers)
        program.require_total([number], _number_of_forces(published, forces))


def _number_of_forces(published: Figure, forces: int) -> int:
    """Return how many forces to let answer so: where only a bound was published, a few beyond."""
    share = published.measure == "capability_share"
    value = published.value * forces / 100 if share else published.value
    if published.qualifier == "at_least":
        return math.ceil(1.05 * value)
    if published.qualifier == "more_than":
        return math.floor(value) + 2
    return round(value)


def _require_consistent(program: ChoiceProgram, force_code: str) -> None:
    for one, other in _EXCLUSIVE:
        both = {program.given(force_code, *one): 1.0, program.given(force_code, *other): 1.0}
        program.require(both, high=1)
    decreased = program.given(force_code, "acu_staffing_change", "decreased")
    unasked = program.given(force_code, "acu_decrease_from_merger", NOT_APPLICABLE)
    program.require_total([decreased, unasked], 1)
