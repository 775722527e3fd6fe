"""Tells whether a number is stated as a fact, and as the whole.

Belongs here: plans, hopes, doubts, denials, comparisons, parts and exceptions. Does not: whose
fact it is (whose.py) and of what time (timing.py). In doubt the answer is no.
"""

import re
from typing import Final

from assets.reports.wording.clauses import Clause
from assets.reports.wording.marks import EXACT, INEXACT
from assets.reports.wording.patterns import any_word, one_of
from assets.reports.wording.whose import OWN

_NUMBER: Final = f"[{EXACT}{INEXACT}]"

_NOT_A_FACT: Final = any_word(r"""
    will | would | could | might | (?-i:may) | should | shall | cannot | can | must | if | unless
    whether | suppose | possible | unclear | unsure | apparently | allegedly | reportedly
    plan(?:s|ned|ning)? | intend(?:s|ed)? | expect(?:s|ed)? | anticipate[sd]? | aim(?:s|ed)?
    hope[sd]? | estimate[sd]? | forecast(?:s|ed)? | projected | targets? | propos(?:es?|ed|als?)
    recommend\w* | needs? | seeks? | due to be | consider(?:s|ing) | claim(?:s|ed) | thought
    believe[sd]? | according to | for example | for instance | e\.g | revised | wrongly
    ensur\w+ | committed to | wants? | wish(?:es|ed)? | pledg\w+ | promis\w+ | requested | asked
    initially | originally | incorrect(?:ly)? | errors? | provisional(?:ly)?
""")
_HAD_IT: Final = re.compile(r"\W*had (?:the|it|there)\b", re.IGNORECASE)
_NOT_A_FACT_AFTER: Final = re.compile(
    r"(?: \w+)? (?:will|would|could|might|may|should|(?:are|is|were|was) "
    r"(?:expected|planned|likely|anticipated|to be|forecast|due|estimated|proposed))\b"
)
_DENIED: Final = re.compile(r"\b(?:not|never|nor|neither|without|no longer)\b|n't\b", re.IGNORECASE)
_DOUBTED: Final = any_word(r"""
    (?:could|can) ?not be (?:verified|confirmed|relied) | unverified | unconfirmed | not reliable
""")

_NOT_ALL: Final = re.compile(
    r"\b(?:remaining|first|last|latter|former|next|these|those|only some) $"
    r"|\b(?:in|during|after|following|from|for|by|to|about|on) (?:the |its )?$"
    r"|\b(?:of|out of|among) (?:which|whom|these|those|them|the total|this total|that number)\b",
    re.IGNORECASE,
)
_OF: Final = re.compile(r"(?<!total )(?<!totals )\bof (?:the |all |its |these |those )?$", re.I)
_OF_WHICH: Final = re.compile(r"\bof (?:which|these|those|them|whom)\b")
_PARTS_FOLLOW: Final = re.compile(
    rf"(?:\band|\bplus|,) {_NUMBER}+ (?:more |others? )?"
    + one_of("""
        on | from | to | in | by | into | for | at | against | about | via
        relat[a-z]+ | concern[a-z]+ | involv[a-z]+
    """)
    + rf"\b|\b(?:PSD|ACU|unit|department|division|team) (?:\w+ )?{_NUMBER}"
)
_MORE_BESIDE: Final = re.compile(
    rf"\b(?:a further|another|an additional|an extra|plus) {_NUMBER}", re.IGNORECASE
)
_EXCEPTED: Final = any_word(r"""
    or (?:more|so|thereabouts|fewer|less) | approximately | roughly | excluding | except(?:ing)?
    apart from | other than | not including | not counting | besides | unless | until | without
    including those | in addition to | revised | corrected | amended | division | district
    borough | branch
""")


def is_fact(clause: Clause, at: int, end: int, *, is_whole: bool = True) -> bool:
    """Return whether the count at mask[at:end] is stated to have happened, and as `is_whole`."""
    if is_whole and not _is_all(clause, at, end):
        return False
    return is_asserted(clause, at) and not (
        _NOT_A_FACT_AFTER.match(clause.after(end).partition(",")[0])
        or _DENIED.search(clause.before(at))
        or _DOUBTED.search(clause.passage.mask)
    )


def is_asserted(clause: Clause, at: int) -> bool:
    """Return whether the words at `at` are told as having happened, not planned or compared."""
    before = clause.before(at)
    return not (clause.compares or _NOT_A_FACT.search(before) or _HAD_IT.match(before))


def _is_all(clause: Clause, at: int, end: int) -> bool:
    before, after = clause.before(at), clause.after(end)
    own_words = _OF_WHICH.split(after)[0]
    return not (
        _NOT_ALL.search(before)
        or _PARTS_FOLLOW.search(own_words)
        or _EXCEPTED.search(own_words)
        or _MORE_BESIDE.search(_OF_WHICH.split(clause.passage.mask[end:])[0])
        or _is_divided(before, after.partition(",")[0])
    )


def _is_divided(before: str, segment: str) -> bool:
    """Return whether a number is a whole of which the sentence counts a part.

    `Of the 48 opened by the force` still gives the force's 48; `12 of the 2,207 opened` does not.
    """
    of = _OF.search(before)
    opens = of is not None and not before[: of.start()].strip(" ,")
    return of is not None and not (opens and OWN.search(segment))
