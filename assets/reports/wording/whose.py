"""Tells whether words are about the report's own force.

Belongs here: the force, other forces and bodies, the nation, and whom a sentence without a name
speaks of. Does not: which names there are (names.py, marks.py). In doubt the answer is no.
"""

import re
from collections.abc import Sequence
from typing import Final

from assets.reports.wording.clauses import Clause
from assets.reports.wording.marks import FOREIGN, OTHER_FORCE, OWN_FORCE, Passage
from assets.reports.wording.patterns import one_of

OWN: Final = re.compile(rf"{OWN_FORCE}|\b(?:the|this) (?:force|constabulary)\b", re.IGNORECASE)
_OWN_NAME: Final = re.compile(OWN_FORCE)
_OTHER_FORCE: Final = re.compile(OTHER_FORCE)
_FOREIGN: Final = re.compile(f"[{FOREIGN}]")
_OTHER_BODY: Final = re.compile(
    r"\b(?:IPCC|CPS|SOCA|ACPO|PCCs?|Leveson)\b|(?i:\bindependent police complaints commission\b"
    r"|\bpolice authorit(?:y|ies)\b|\bcrown prosecution service\b|\bthe council\b)"
)
_OUR_AGENT: Final = re.compile(
    rf"by (?:the force|it\b|its\b|{OWN_FORCE}|(?:the )?(?:force's |force )?"
    + one_of("""
        PSD | ACU | professional standards | anti[- ]corruption | counter[- ]corruption
        officers | police officers | staff | members of
    """)
    + ")",
    re.IGNORECASE,
)
_INSPECTORS: Final = re.compile(
    r"\b(?:HMIC|we|inspectors|inspection team|inspectorate|journalists?|media|press)"
    r"(?: has| have| had)?(?: also)?$",
    re.IGNORECASE,
)
_MOST_BACK: Final = 4
"""A sentence says of whom the next ones speak, but not for long."""
_SUBJECT_WORDS: Final = 6
"""A sentence that names a force among its first words is about that force."""


def is_ours(clauses: Sequence[Clause], clause: Clause, at: int) -> bool:
    """Return whether the words at `at` are about our force and no other or wider body."""
    before, after = clause.before(at), clause.after(at)
    segment, _, rest = after.partition(",")
    if any(other.search(near) for other in (_FOREIGN, _OTHER_BODY) for near in (before, segment)):
        return False
    if _FOREIGN.search(rest) and not OWN.search(before):
        return False
    if _OWN_NAME.search(clause.mask):
        return True
    if OWN.search(clause.mask):
        return not _is_about_another_force(clause.passage.before)
    return _inherits_ours(clauses, clause)


def is_by_others(subject: str, agent: str) -> bool:
    """Return whether somebody else acted: the words before an active verb, or after a passive."""
    foreign = agent.startswith("by ") and not _OUR_AGENT.match(agent)
    return foreign or _INSPECTORS.search(subject) is not None


def _inherits_ours(clauses: Sequence[Clause], clause: Clause) -> bool:
    """Return whether what precedes a clause that names nobody is about our force, or nobody."""
    for earlier in reversed([other for other in clauses if other.start < clause.start]):
        if _FOREIGN.search(earlier.mask):
            return False
        if OWN.search(earlier.mask):
            return True
    passage = clause.passage.before
    for _ in range(_MOST_BACK):
        if passage is None:
            break
        foreign, own = _FOREIGN.search(passage.mask), OWN.search(passage.mask)
        if foreign or own:
            return not foreign or bool(own and own.start() < foreign.start())
        passage = passage.before
    heading = clause.passage.heading
    return not _FOREIGN.search(heading) or _OWN_NAME.search(heading) is not None


def _is_about_another_force(passage: Passage | None) -> bool:
    """Return whether `the force` of the next sentence may be another force, named in this one."""
    if passage is None or _OWN_NAME.search(passage.mask):
        return False
    other = _OTHER_FORCE.search(passage.mask)
    return other is not None and len(passage.mask[: other.start()].split()) < _SUBJECT_WORDS
