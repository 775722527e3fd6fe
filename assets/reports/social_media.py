"""Reads how many cases of bad behaviour on social media the inspectorate's research found.

Belongs here: what such a case is called and who can have found it. Does not: cases the force
found itself, which are another measure; counts of profiles or for one site alone.
"""

import re
from collections.abc import Iterator
from typing import Final

from assets.reports.readings import Reading, reading_of
from assets.reports.wording.frames import COUNT, Count, Counted, find_counts, find_parts, phrase
from assets.reports.wording.marks import IN_2012, OWN_FORCE, SINCE_2011, THIS_PERIOD, Passage
from assets.reports.wording.none_at_all import find_none
from assets.reports.wording.patterns import any_word, one_of

_FOUND: Final = one_of("""
    identified | found | uncovered | highlighted | revealed | detected | discovered | showed | shown
    noted | recorded | came across
""")
_FIND: Final = one_of("""
    identify | find | uncover | highlight | reveal | detect | discover | show | note | record
    come across
""")
_BAD: Final = r"(?:inappropriate|unprofessional|improper|unacceptable)"
_CASE: Final = r"(?:cases?|instances?|incidents?|examples?|occurrences?)"
_QUALIFIERS: Final = (
    rf"(?:(?:separate|individual|possible|potential|potentially|suspected|{_BAD}) )*"
)

_CASES: Final = Counted(noun=rf"{_QUALIFIERS}{_CASE}", past=_FOUND, base=_FIND, exists=False)
_BEHAVIOUR: Final = Counted(
    noun=(
        rf"(?:evidence of (?:any )?|signs? of (?:any )?)?{_QUALIFIERS}(?:{_CASE} of {_QUALIFIERS})?"
        "(?:behaviour|conduct|use|usage|activity|comments?|content|posts?|material|misuse)"
    ),
    past=_FOUND,
    base=_FIND,
    exists=False,
)

_OF_THEM: Final = rf"of (?:which|these|those|them)(?: {_CASE})?"
_PARTS: Final = tuple(
    phrase(pattern)
    for pattern in (
        rf"(?:{COUNT}|\b(?P<zero>none)) (?P<noun>{_OF_THEM})"
        r" (?:was|were|related|relates|relate|involved|concerned|came)",
        rf"\b{_OF_THEM},? (?:{COUNT}|(?P<zero>none))"
        r" (?P<noun>was|were|related|relates|relate|involved|concerned|came)",
    )
)

_SITE: Final = re.compile(r"\b(facebook|twitter)\b", re.IGNORECASE)
_ANY_SITE: Final = re.compile(r"\b(?:social[- ](?:media|network\w*)|online|internet)\b", re.I)
_AND_OTHER_SITES: Final = re.compile(
    r"\b(?:facebook|twitter),? (?:and|or) (?:any |on )?other\b"
    r"|\bsites?,? \(?(?:such as|including|like|e\.g\.)",
    re.IGNORECASE,
)
_IS_BAD: Final = any_word(rf"{_BAD} | misuse | concern\w*")
_RESEARCH: Final = re.compile(r"\b(?:research\w*|HMIC(?:'s)?|we|our|study|survey)\b", re.IGNORECASE)
_INSPECTORATE: Final = re.compile(r"\b(?:HMIC|we|our|independent\w*|external\w*)\b", re.IGNORECASE)
_OWN_FINDER: Final = re.compile(
    r"\b"
    + one_of("""
        (?:the )?force | PSD | CCD | professional standards | department | unit | monitoring | team
        managers? | supervisors? | officers | staff
    """)
    + rf"(?:'s)?(?: \w+)?(?: has| have| had)?(?: also)?$|{OWN_FORCE}$",
    re.IGNORECASE,
)
_OWN: Final = re.compile(rf"\bthe force\b|{OWN_FORCE}|\bits own\b", re.IGNORECASE)
_OF_OUR_PEOPLE: Final = re.compile(
    rf"\b(?:by|in|from|at|to|of) [^#~]*(?:{OWN_FORCE}|the force\b)", re.IGNORECASE
)
_FEW_WORDS: Final = 3
_REFERS_BACK: Final = re.compile(r"\b(?:it|this|they|these)(?: has| have)?$", re.IGNORECASE)
_DISCLOSURE: Final = re.compile(r"\b(?:disclos|leak)", re.IGNORECASE)
_HEARSAY: Final = re.compile(r"\b(?:told|informed|heard)\b", re.IGNORECASE)
_TIMES: Final = frozenset({"", THIS_PERIOD, SINCE_2011, IN_2012})


def cases(passage: Passage) -> Iterator[Reading]:
    """Yield readings of `social_media_cases`: the force's cases in the research of 2012."""
    before = passage.before.mask if passage.before else ""
    for counted in (_CASES, _BEHAVIOUR):
        for count in find_counts(passage, counted):
            # `any inappropriate behaviour` can be denied; a number of it is not one of cases.
            counts_cases = counted is _CASES or count.value == 0
            context = (passage.mask, before) if _REFERS_BACK.search(count.subject) else ()
            everywhere = _is_on_every_site(count.clause.mask, *context)
            if counts_cases and everywhere and _was_found_by_research(count, before):
                yield reading_of(count)
    for count in (count for frame in _PARTS for count in find_parts(passage, frame)):
        whole = count.before if len(count.before.split()) > _FEW_WORDS else before
        ours = _OF_OUR_PEOPLE.search(count.noun + count.topic)
        if ours and _is_on_every_site(whole) and _RESEARCH.search(whole) and count.time in _TIMES:
            yield reading_of(count)
    for count in find_none(passage, about=_IS_BAD, of=_RESEARCH):
        if _is_on_every_site(passage.mask + before) and count.time in _TIMES:
            yield reading_of(count)


def _is_on_every_site(words: str, *context: str) -> bool:
    """Return whether words tell of bad behaviour, and they or their context of no site alone."""
    if not _IS_BAD.search(words) or _DISCLOSURE.search(words):
        return False
    for place in (words, *context):
        sites = {site.lower() for site in _SITE.findall(place)}
        if sites or _ANY_SITE.search(place):
            return len(sites) != 1 or _AND_OTHER_SITES.search(place) is not None
    return False


def _was_found_by_research(count: Count, before: str) -> bool:
    if count.time not in _TIMES or _HEARSAY.search(count.before):
        return False
    if count.agent.startswith("by "):
        return _RESEARCH.search(count.agent[:60]) is not None
    if count.subject:
        if _OWN_FINDER.search(count.subject):
            return False
        if _RESEARCH.search(count.subject):
            ours = _OWN.search(count.subject)
            return not ours or _INSPECTORATE.search(count.subject) is not None
    if _RESEARCH.search(count.clause.passage.mask):
        return True
    return bool(_RESEARCH.search(before) and _INSPECTORATE.search(before))
