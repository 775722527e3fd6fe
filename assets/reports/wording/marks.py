"""Marks in a sentence what is a number, a time, our force, another force or the nation.

Belongs here: the mask, a copy of the sentence in which each such stretch is overwritten with its
sign, so that patterns stay short and keep their places. Does not: what the marks mean together.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from assets.reports.wording.names import Name, find_names
from assets.reports.wording.numbers import Number, find_numbers
from assets.reports.wording.patterns import one_of
from assets.reports.wording.periods import When, find_times
from assets.reports.wording.sentences import Sentence

EXACT: Final = "#"
INEXACT: Final = "~"
OWN_FORCE: Final = "§"
OTHER_FORCE: Final = "¶"
NATION: Final = "¦"
_TIME_SIGNS: Final = {
    When.PERIOD: "@",
    When.SINCE_2011: "°",
    When.IN_2012: "¢",
    When.OTHER: "¬",
    When.NAMED_EARLIER: "·",
    When.NAMED_2012: "¨",
}
THIS_PERIOD: Final = _TIME_SIGNS[When.PERIOD]
SINCE_2011: Final = _TIME_SIGNS[When.SINCE_2011]
IN_2012: Final = _TIME_SIGNS[When.IN_2012]
OTHER_TIME: Final = _TIME_SIGNS[When.OTHER]
NAMED_EARLIER: Final = _TIME_SIGNS[When.NAMED_EARLIER]
TIMES: Final = THIS_PERIOD + SINCE_2011 + IN_2012 + OTHER_TIME
FOREIGN: Final = OTHER_FORCE + NATION

_SIGNS: Final = re.compile(f"[{EXACT}{INEXACT}{OWN_FORCE}{FOREIGN}{''.join(_TIME_SIGNS.values())}]")
_SHARE: Final = r"\d+(?:\.\d+)? ?(?:%|per ?cent)"
_PERCENT: Final = re.compile(rf"\({_SHARE}\)|\b{_SHARE}", re.IGNORECASE)
_NATION: Final = re.compile(
    r"\b"
    + one_of(r"""
        nationally | national (?:average|total|figure|picture|data|rate|mean|median|number|level)s?
        nationwide | England | Wales | Britain | UK | country | elsewhere | service-wide | average
        (?:police )?service (?:as a whole|nationally) | per force | regional(?:ly)? | region
        joint(?:ly)? | alliance | collaborati(?:on|ve) | combined | together | collectively
        between them | neighbours? | counterparts? | peers? | that force | forces(?!')
    """)
    + r"\b|\b(?:an?|other|another|any|neighbouring|each|every|sister|similar|partner|\w+er|\w+est)"
    r"(?: (?!the |this |our )\w+)? forces?(?![\w'-])"
    rf"|(?<=[{EXACT}{INEXACT}]) force\b",
    re.IGNORECASE,
)


@dataclass(frozen=True, eq=False)
class Passage:
    """A sentence with its mask; `before` is the sentence before it in the same paragraph.

    `mask` is as long as `text`, `heading` the mask of the heading above. `numbers` are found by
    the place where they start.
    """

    text: str
    mask: str
    heading: str
    numbers: dict[int, Number]
    sentence: Sentence
    before: "Passage | None"

    def line(self, place: int) -> int:
        """Return the 1-based line of the report on which a character stands."""
        return self.sentence.lines[place]


def mark(sentences: Iterable[Sentence], force_code: str | None) -> list[Passage]:
    """Return the passages of a report about the force; None makes every named force another."""
    passages: list[Passage] = []
    for sentence in sentences:
        last = passages[-1] if passages else None
        together = last is not None and last.sentence.paragraph == sentence.paragraph
        passages.append(_marked(sentence, force_code, last if together else None))
    return passages


def _marked(sentence: Sentence, force_code: str | None, before: Passage | None) -> Passage:
    mask, numbers = _mask(sentence.text, force_code)
    heading, _ = _mask(sentence.heading, force_code)
    return Passage(sentence.text, mask, heading, numbers, sentence, before)


@lru_cache(maxsize=1024)
def _mask(words: str, force_code: str | None) -> tuple[str, dict[int, Number]]:
    text = _SIGNS.sub(" ", words)
    mask = _PERCENT.sub(lambda match: " " * len(match.group()), text)
    for time in find_times(mask):
        mask = _overwrite(mask, time.start, time.end, _TIME_SIGNS[time.when])
    numbers = {}
    for number in find_numbers(mask):
        numbers[number.start] = number
        mask = _overwrite(mask, number.start, number.end, EXACT if number.exact else INEXACT)
    for name in find_names(mask):
        mask = _overwrite(mask, name.start, name.end, _force_sign(name, force_code))
    for match in _NATION.finditer(mask):
        mask = _overwrite(mask, match.start(), match.end(), NATION)
    return mask, numbers


def _force_sign(name: Name, force_code: str | None) -> str:
    return OWN_FORCE if name.code == force_code else OTHER_FORCE


def _overwrite(text: str, start: int, end: int, sign: str) -> str:
    return text[:start] + sign * (end - start) + text[end:]
