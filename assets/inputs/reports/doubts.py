"""Why a sentence gives no figure, in words by which a person can decide at once."""

import re
from collections.abc import Iterator, Sequence, Set
from functools import cache
from itertools import groupby
from typing import Final

from assets.inputs.reports.parts import ANSWERS, BESIDE, CORES, CUTS, Part, cover, text_of
from assets.inputs.reports.said import MOST_BACK, Said, beginning
from assets.inputs.reports.signs import (
    OTHER_TIME,
    OWN_FORCE,
    TIMES,
    YEAR_BEFORE,
    Token,
    begins,
    frames_of,
    speaks,
    vocabulary,
)
from schemas.wording import first_of

UNREAD: Final = "holds words that may change what it counts"
_MAY_BE: Final = "may be of another force, time or subject"
_IN_PATTERN: Final = re.compile(r"\(\?P<\w+>|\?:|\\\w|(?P<word>[a-z][a-z'-]*|[^\w\s\\()?|*:])")
_MOST_TOKENS: Final = 60
_MOST_NAMED: Final = 4
_MOST_EXTRA: Final = 3


def unsure(said: Said, part: Part, in_period: bool, sites: frozenset[str]) -> str:
    """Return why a part may not be about our force, our period, or all that its figure counts."""
    text = text_of(part.row)
    untimed = part.kind != "soc" and not in_period and not part.times
    others = {OTHER_TIME, YEAR_BEFORE} - ({YEAR_BEFORE} if part.kind in ANSWERS else set())
    if why := _not_ours(said, others if untimed else set()):
        return why
    if part.kind == "inv":
        return _not_of_all(said, text, in_period)
    if part.kind == "soc":
        return _not_of_all_sites(text, sites)
    return _of_what(said) if part.kind == "app" and "bare" in part.said else ""


def _not_of_all(said: Said, text: str, in_period: bool) -> str:
    before = said.before
    if speaks("covered", text):
        return ""
    if before and not (before.parts or before.sentence.opens(said.sentence)):
        return _goes_on(before)
    if speaks("whole", text):
        return ""
    if not in_period:
        return "does not say that it counts all integrity matters, or the whole period"
    headings = zip(said.headings, said.sentence.headings, strict=True)
    return next((_under(words) for heading, words in headings if speaks("topic", heading)), "")


def _not_of_all_sites(text: str, sites: frozenset[str]) -> str:
    if not speaks("any_site", text):
        return "does not say on which social media"
    named = frozenset(vocabulary().words["site"].findall(text))
    if len(named) == 1 and "socialmedia" not in text and not named >= sites:
        others = ", ".join(sorted(sites - named))
        return f"names only {', '.join(named)}, and the report tells of {others} too"
    return ""


def _of_what(said: Said) -> str:
    # Applications for nothing in particular are for what was spoken of last.
    spoken = [each.words for each in said.back(2)]
    if said.before is None:
        spoken += said.headings
    last = next((each for each in spoken if "secondjobs" in each), "applications for")
    others = "applications for" in last.replace("applications for secondjobs", "")
    return "does not say what the applications are for" if others else ""


def _goes_on(before: Said) -> str:
    return f"goes on after {before.quoted}, which {_MAY_BE}"


def _under(heading: str) -> str:
    return f"stands under the heading '{beginning(heading)}', which {_MAY_BE}"


def _not_ours(said: Said, times: Set[str]) -> str:
    """Return why words that may be of any force may not be of ours, by what stands before them.

    What names no force goes on about what is before, so that must be known; so must what names no
    time of its own, when none of the `times` may be spoken of before.
    """
    for heading, words in zip(said.headings, said.sentence.headings, strict=True):
        national = any(frames_of("national", heading)) and re.search("[§£]", said.words)
        if not national and not any(frames_of("heading", heading)):
            return _under(words)
    named = OWN_FORCE in said.words
    if not named and re.match(r"(\( )?¶", said.words):
        return "begins with the name of another force"
    earlier = list(said.back(MOST_BACK + 1))[1:]
    if times or not re.search("[§£]", said.words):
        for each in earlier:
            known = each.parts or begins("opens", each.words) or each.sentence.opens(said.sentence)
            if not known or not times.isdisjoint(each.words.split()):
                return _goes_on(each)
    for each in () if named else earlier:
        other = vocabulary().words["others"].search(each.words)
        own = re.search(r"[§£]", each.words)
        if other and (own is None or own.start() > other.start()):
            return _goes_on(each)
        if own:
            break
    return ""


def unread(said: Said) -> str:
    """Return why a sentence is not read whole, with the words that stopped it.

    They are those that stand in no frame, and the fewest without which the rest would be read.
    """
    if said.sentence.asks:
        return "is a question"
    runs = [[*run] for key, run in groupby(said.tokens, _is_unknown) if key]
    rest = tuple(token for token in said.tokens if not _is_unknown(token))
    if cover(rest) is None and len(rest) <= _MOST_TOKENS and len(runs) < _MOST_NAMED:
        runs += [[*next(_in_excess(rest), ())]]
    named = [f"'{words}'" for run in runs if re.search(r"\w", words := _as_set(run))]
    if not named:
        return "is put in a way that is not known, though each of its words is"
    return f"{UNREAD}: {first_of(named, _MOST_NAMED)}"


def _is_unknown(token: Token) -> bool:
    return token.word not in _known()


@cache
def _known() -> frozenset[str]:
    """Return the words and signs of all frames for parts of a sentence."""
    kinds = {*CORES, *BESIDE, "ok", "med_part", "other_time"} & vocabulary().frames.keys()
    patterns = (frame.pattern for kind in kinds for frame in vocabulary().frames[kind])
    found = (match["word"] for each in patterns for match in _IN_PATTERN.finditer(each))
    return frozenset(filter(None, found)) | TIMES | CUTS


def _in_excess(row: tuple[Token, ...]) -> Iterator[Sequence[Token]]:
    """Yield the shortest run of tokens without which the row would say a figure."""
    for length in range(1, _MOST_EXTRA + 1):
        for start in range(len(row) - length + 1):
            parts = cover((*row[:start], *row[start + length :]))
            if parts and any(part.kind in CORES for part in parts):
                yield row[start : start + length]


def _as_set(run: Sequence[Token]) -> str:
    words = " ".join(token.text for token in run if token.text)
    return re.sub(r" (?=[,;:)])|(?<=\() ", "", words)
