"""Reads how many investigations into its officers and staff a force made, on all subjects.

Belongs here: what an investigation is called and what it can be about. Does not: those into
disclosure to the media (media_disclosure.py), nor the sentence frames (wording/frames.py).
"""

import re
from collections.abc import Iterator
from typing import Final

from assets.reports.readings import Reading, reading_of
from assets.reports.wording.frames import Count, Counted, find_counts
from assets.reports.wording.marks import THIS_PERIOD, Passage
from assets.reports.wording.patterns import any_word, one_of
from assets.reports.wording.timing import IN_PERIOD
from assets.reports.wording.whose import is_by_others

ALIKE: Final = (
    r"(?:(?:separate|individual|different|distinct|new|alleged|suspected|possible|potential) )*"
)
INVESTIGATIONS: Final = Counted(
    noun=rf"{ALIKE}(?:integrity(?:[- ]related)? )?(?:investigations?|(?:i|e)nquir(?:y|ies))",
    past=one_of("""
        instigated | initiated | started | opened | launched | commenced | begun | began
        conducted | carried out | undertaken | undertook | recorded | pursued
    """),
    base=one_of("""
        instigate | initiate | start | open | launch | commence | begin
        conduct | carry out | undertake | record | pursue
    """),
    active="had|reported",
)
_MATTERS: Final = Counted(
    noun=rf"{ALIKE}(?:matters?|cases?|allegations?|incidents?|instances?)",
    past="investigated",
    base="investigate",
    exists=False,
)

PEOPLE: Final = "(?:(?:its|their|the force's|our|force|all) )*" + one_of("""
        (?:police )?officers (?:and|or) (?:(?:its|police|support|civilian) )*(?:staff|employees)
        (?:police )?officers (?:and|or) members of staff | (?:police )?officers
        (?:police )?staff (?:and|or) (?:police )?officers | staff | members of staff
        employees | personnel | workforce
    """)
_ALLEGED: Final = "(?:(?:the|any|potential|possible|alleged|suspected) )*"
_CONDUCT: Final = "(?:conduct|behaviour|integrity|actions)"
_AREAS: Final = (
    "(?:(?:any of )?(?:the|these|those) )?(?:areas|issues|matters|topics|subjects|themes)"
    "(?: (?:that|which) are)?(?: (?:covered|examined|considered|reviewed|discussed))?"
    " (?:by|in|within) (?:this|our|the) (?:report|review|inspection)"
)
_WHOLE: Final = one_of(rf"""
    {_ALLEGED}{_CONDUCT}(?: and {_CONDUCT})?(?: of {PEOPLE})? | {PEOPLE} | {_AREAS}
    {_ALLEGED}(?:breach(?:es)? of integrity|integrity (?:issues|matters|breaches|concerns))
""")
_PREPOSITION: Final = one_of("""
    into | in relation to | in respect of | in connection with | relating to | related to
    concerning | regarding | about | over | around | involving | for | on | with | of | under
    arising from | following | against | that | which | who | whose | where
""")
_ABOUT_WHOLE: Final = re.compile(rf"\b{_PREPOSITION} {_WHOLE}(?![\w-])", re.IGNORECASE)
_ABOUT: Final = re.compile(rf"\b{_PREPOSITION}\b", re.IGNORECASE)
_SPECIFIC: Final = any_word(r"""
    second jobs? | secondary | business interests? | social | facebook | twitter | media | press
    journalis\w+ | newspapers? | disclos\w+ | leak\w* | (?:of|into|about) information
    gifts? | gratuit\w+ | hospitality | procurement | contract\w* | cards? | expenses
    data protection | misuse | crim\w+ | drugs? | fraud\w* | thefts? | sexual\w* | rac\w+
    discriminat\w+ | vetting | computers? | systems? | complain\w+
""")
_OUTCOME: Final = any_word(r"""
    continu\w+ | ongoing | outstanding | pending | open | closed? | completed? | concluded
    finalised | result\w* | leading | led | (?:un)?substantiated | referred | discontinued
    resolved | remain\w* | live | progress | ended | dismiss\w+
""")
_ASIDE: Final = re.compile(r",? (?:and|but|with|of which)\b|,|\(")
_EXAMPLES: Final = re.compile(r", (?:including|such as|which|with|of which)\b")


def total(passage: Passage) -> Iterator[Reading]:
    """Yield readings of `investigations`: into the conduct of officers and staff, all subjects."""
    for count in find_counts(passage, INVESTIGATIONS):
        if is_of_the_period(count) and _is_whole(count, passage):
            yield reading_of(count)
    for count in find_counts(passage, _MATTERS):
        if is_of_the_period(count) and _says_whole(count) and not _is_specific(count):
            yield reading_of(count)


def is_of_the_period(count: Count) -> bool:
    """Return whether investigations are of the collection's period, and not made by others."""
    return count.time in IN_PERIOD and not is_by_others(count.subject, count.agent)


def has_outcome(count: Count) -> bool:
    """Return whether only the investigations of one outcome are counted."""
    return _OUTCOME.search(_ASIDE.split(count.topic)[0]) is not None


def _is_whole(count: Count, passage: Passage) -> bool:
    """Return whether a count is of all investigations, not of one subject or one outcome.

    Investigations into nothing in particular are into what the words before them are about.
    """
    if _is_specific(count) or has_outcome(count):
        return False
    if _says_whole(count) or "integrity" in count.noun:
        return True
    context = passage.before.text if passage.before else ""
    unsaid = not _SPECIFIC.search(context) and not _SPECIFIC.search(passage.sentence.heading)
    return count.time == THIS_PERIOD and unsaid


def _says_whole(count: Count) -> bool:
    return bool(_ABOUT_WHOLE.search(count.topic) or _ABOUT_WHOLE.search(count.before))


def _is_specific(count: Count) -> bool:
    rest = _ABOUT_WHOLE.sub("", _ASIDE.split(count.topic)[0])
    said = count.before + " " + _EXAMPLES.split(count.topic)[0]
    return bool(_SPECIFIC.search(said) or _ABOUT.search(rest))
