"""Reads how many investigations into disclosure of information to the media a force made.

Belongs here: disclosures and leaks, the media as their only recipient. Does not: those to local
or to national media alone, relationships with the media, or disclosure on social media.
"""

import re
from collections.abc import Iterator
from typing import Final

from assets.reports.investigations import (
    ALIKE,
    INVESTIGATIONS,
    PEOPLE,
    has_outcome,
    is_of_the_period,
)
from assets.reports.readings import Reading, reading_of
from assets.reports.wording.frames import COUNT, Count, Counted, find_counts, find_parts, phrase
from assets.reports.wording.marks import OWN_FORCE, THIS_PERIOD, Passage
from assets.reports.wording.none_at_all import find_none
from assets.reports.wording.patterns import any_word, one_of

_DISCLOSURES: Final = Counted(
    noun=(
        rf"{ALIKE}(?:(?:matters?|cases?|allegations?|incidents?|instances?|examples?|reports?)"
        r"|(?:(?:inappropriate|unauthorised|improper) )?(?:media |press )?(?:disclosures?|leaks?))"
    ),
    past="investigated",
    base="investigate",
    exists=False,
)

_EACH_MEDIA: Final = "(?:local|national|regional)"
_TO_MEDIA: Final = re.compile(
    r"\b(?:disclos\w+|leak\w*|releas\w+|pass(?:ed|ing)|divulg\w+)\b[^,;#~]{0,60}?"
    rf" to (?:the |a |any )?(?:{_EACH_MEDIA}(?:,? (?:and|or|and/or) {_EACH_MEDIA}) |news )?"
    r"(?:media|press|journalists?|reporters?|newspapers?)\b(?! (?:office|team|department))"
    r"|\b(?<!social )(?:media|press) (?:leaks?|disclosures?)\b",
    re.IGNORECASE,
)
_LINK: Final = re.compile(
    rf"[ ,{THIS_PERIOD}]*(?:(?:by|from) (?:{PEOPLE}|the force|PSD|{OWN_FORCE}+),? )?"
    + one_of("""
        into | of | in relation to | in respect of | relating to | related to | involving
        concerning | concerned | regarding | about | over | where | in which | that
    """)
    + r"(?: (?!(?:but|conduct|behaviour|is|was|were|areas|policy|policies|guidance)\b)"
    r"[\w'-]+){0,7} ",
    re.IGNORECASE,
)
_AND_TO_OTHERS: Final = re.compile(
    ",? (?:and|or|and/or) (?!"
    + one_of("""
        was | were | is | are | has | have | had | it | the force | this | that | these | both
        all | no | none | in | between | during
    """)
    + rf"\b|[#~{THIS_PERIOD}{OWN_FORCE}])",
    re.IGNORECASE,
)

_OF_THEM: Final = (
    r"(?:of (?:which|these|those|them|the(?: [#~]+)? investigations|its investigations) )"
)
_PART: Final = phrase(
    rf"(?:{COUNT}|\b(?P<zero>none)) (?P<noun>(?:{_OF_THEM}?(?:(?:was|were|has|have|had) )?"
    r"(?:related to|relating to|concerned|concerning|involved|involving|into|about)"
    rf"|{_OF_THEM}(?:was|were) (?:into|about|for)))"
    r"(?= (?:(?:the|an?|any|alleged|possible|potential|suspected|inappropriate|unauthorised"
    r"|improper|information|(?:cases?|instances?|allegations?) of) )*"
    r"(?:disclos|leak|releas|divulg|passing))"
)
_INVESTIGAT: Final = re.compile("investigat", re.IGNORECASE)
_OTHER_CASES: Final = any_word("complaints? | allegations? | referrals? | reports of")
_FEW_WORDS: Final = 4


def to_media(passage: Passage) -> Iterator[Reading]:
    """Yield readings of `investigations` into disclosure of information to the media."""
    wholes = [*find_counts(passage, INVESTIGATIONS), *find_counts(passage, _DISCLOSURES)]
    counts = [count for count in wholes if _is_linked_to_media(count)]
    counts += [count for count in find_parts(passage, _PART) if _is_of_investigations(count)]
    for count in counts:
        if _is_to_media_only(count) and is_of_the_period(count) and not has_outcome(count):
            yield reading_of(count)
    for count in find_none(passage, about=_TO_MEDIA, of=_INVESTIGAT):
        if is_of_the_period(count):
            yield reading_of(count)


def _is_linked_to_media(count: Count) -> bool:
    """Return whether the noun is a disclosure to the media, or tied to one by a preposition."""
    said = count.noun + count.topic
    media = _TO_MEDIA.search(said)
    if media is None:
        return False
    between = said[len(count.noun) : media.start()]
    return media.start() < len(count.noun) or _LINK.fullmatch(between) is not None


def _is_of_investigations(count: Count) -> bool:
    """Return whether the words before a part speak of investigations and of no other cases."""
    whole = count.before
    if len(whole.split()) <= _FEW_WORDS and (passage := count.clause.passage.before):
        whole += passage.mask
    whole += count.noun
    return bool(_INVESTIGAT.search(whole)) and not _OTHER_CASES.search(whole)


def _is_to_media_only(count: Count) -> bool:
    said = count.noun + count.topic
    media = _TO_MEDIA.search(said)
    if media is None:
        return False
    return count.value == 0 or not _AND_TO_OTHERS.match(said, media.end())
