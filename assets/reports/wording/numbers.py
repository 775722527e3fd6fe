"""Finds the numbers in a sentence and tells the exact ones from the approximate.

Belongs here: digits, number words, `around 50`, `40 to 50`, `several`. Does not: what a number
counts, nor dates, which are marked before numbers are looked for (periods.py).
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from assets.reports.wording.patterns import one_of

# fmt: off
_UNITS: Final = (
    "zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine",
    "ten", "eleven", "twelve", "thirteen", "fourteen", "fifteen", "sixteen", "seventeen",
    "eighteen", "nineteen",
)
# fmt: on
_TENS: Final = ("twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety")
_VALUES: Final = {
    **{word: value for value, word in enumerate(_UNITS)},
    **{word: 10 * value for value, word in enumerate(_TENS, start=2)},
    "nil": 0,
    "a": 1,
}
_UNIT: Final = "|".join(_UNITS[1:10])
_BELOW_100: Final = (
    rf"(?:(?:{'|'.join(_TENS)})(?:[- ](?:{_UNIT}))?|{'|'.join(reversed(_UNITS[1:]))})"
)
_HUNDREDS: Final = rf"(?:{_BELOW_100}|a) hundred(?:(?: and)? {_BELOW_100})?"
_BELOW_1000: Final = rf"(?:{_HUNDREDS}|{_BELOW_100})"
_THOUSANDS: Final = rf"(?:{_BELOW_1000}|a) thousand(?:,?(?: and)? {_BELOW_1000})?"
_WORDS: Final = rf"(?<![\w-])(?:{_THOUSANDS}|{_BELOW_1000}|zero|nil)(?![\w]|-\w)"

_DIGITS: Final = r"(?<![\w.,/:£$€-])(?:\d{1,3}(?:,\d{3})+|\d{1,6})(?![\w/%]|[.,:]\d|-\w)"
_NOT_A_COUNT: Final = r"(?! ?(?:%|per\b|percent|pence|million|billion))"
_NUMBER: Final = re.compile(rf"(?:{_WORDS}|{_DIGITS}){_NOT_A_COUNT}", re.IGNORECASE)

_ROUND_WORDS: Final = frozenset({"a hundred", "a thousand"})
_APPROXIMATES: Final = one_of(r"""
    about | around | approximately | approx\.? | roughly | circa | c\. | ca\. | some | nearly
    almost | close to | nearing | approaching | over | more than | greater than | above | exceeding
    in excess of | upwards of | under | below | fewer than | less than | lower than | up to
    (?:no|not) (?:more|fewer|less) than | as many as | as few as | at (?:the )?(?:very )?least
    at (?:the )?(?:very )?most | (?:a )?(?:minimum|maximum) of | (?:an )?estimated | or so | perhaps
    possibly | maybe | probably | an average of | on average | averaging | in the region of
    (?:in|of) the order of | (?:just )?short of | shy of | getting on for | not far off | towards
    nearer | a good
""")
_BEFORE: Final = re.compile(
    rf"(?:^|[^\w-])(?P<words>{_APPROXIMATES} (?:the |a |an )?)$", re.IGNORECASE
)
_AFTER: Final = re.compile(
    r" ?\(?(?:or (?:so|more|fewer|less|thereabouts)|plus\b|odd\b|-odd|approximately|approx)",
    re.IGNORECASE,
)
_RANGE: Final = re.compile(r" (?:to|or|and|in|plus|and/or) | |", re.IGNORECASE)
_VAGUE: Final = re.compile(
    rf"(?:\b{_APPROXIMATES} )?"
    r"(?:\ba (?:\w+ )?(?:number|handful|couple|few|range|variety|series)(?: of)?\b(?! \d)"
    r"|\b(?:half )?a dozen\b|\b(?:dozens|hundreds|scores) of\b|\b\w+-odd\b"
    r"|\b(?:several|numerous|multiple|various|(?<!how )many)\b|\b\d{1,4}-\d{1,4}\b(?!-))",
    re.IGNORECASE,
)


@dataclass(frozen=True)
class Number:
    """A number at `text[start:end]`; where `exact` is false, `value` says nothing.

    An inexact one includes its `around` or `or so`.
    """

    start: int
    end: int
    value: int
    exact: bool


def read_number(text: str) -> int:
    """Return the value of digits (`1,245`) or words (`one hundred and twenty`).

    Raises:
        KeyError: a word is no part of a number.
    """
    if text[:1].isdigit():
        return int(text.replace(",", ""))
    total = part = 0
    for word in re.findall(r"[a-z]+", text.lower()):
        if word == "thousand":
            total, part = 1000 * part, 0
        elif word == "hundred":
            part *= 100
        elif word != "and":
            part += _VALUES[word]
    return total + part


def find_numbers(text: str) -> list[Number]:
    """Return the numbers of a text in order, the approximate and the vague ones as inexact."""
    found = [_judged(text, match) for match in _NUMBER.finditer(text) if not _is_denied_one(match)]
    found = [*_with_neighbours(text, found), *_single(text)]
    taken = {place for number in found for place in range(number.start, number.end)}
    vague = [
        Number(match.start(), match.end(), 0, exact=False)
        for match in _VAGUE.finditer(text)
        if taken.isdisjoint(range(match.start(), match.end()))
    ]
    return sorted([*found, *vague], key=lambda number: number.start)


def _is_denied_one(match: re.Match[str]) -> bool:
    """Return whether a number is that of `not one investigation`, which counts none."""
    before = match.string[: match.start()].lower()
    return match.group().lower() == "one" and before.endswith("not ")


def _judged(text: str, match: re.Match[str]) -> Number:
    words = match.group()
    clear = words.lower() not in _ROUND_WORDS and not re.match(r"0\d", words)
    # `1, 245` may be one number or two.
    clear = clear and not (words.isdigit() and re.search(r"\d, $", text[: match.start()]))
    before = _BEFORE.search(text[: match.start()])
    after = _AFTER.match(text, match.end())
    start = before.start("words") if before else match.start()
    end = after.end() if after else match.end()
    return Number(start, end, read_number(words), exact=clear and not before and not after)


def _with_neighbours(text: str, numbers: list[Number]) -> list[Number]:
    """Join numbers that stand side by side: `40 to 50` is a range, `forty (40)` one number."""
    joined: list[Number] = []
    for number in numbers:
        last = joined[-1] if joined else None
        between = text[last.end : number.start] if last else None
        if last and between == " (" and text[number.end : number.end + 1] == ")":
            same = last.exact and number.exact and last.value == number.value
            joined[-1] = Number(last.start, number.end + 1, last.value, exact=same)
        elif last and between is not None and _RANGE.fullmatch(between):
            lead = re.search(r"\b(?:between|from) $", text[: last.start], re.IGNORECASE)
            start = lead.start() if lead else last.start
            joined[-1] = Number(start, number.end, 0, exact=False)
        else:
            joined.append(number)
    return joined


def _single(text: str) -> Iterator[Number]:
    """Yield `a single` as the number one, unless it is part of a denial."""
    for match in re.finditer(r"\ba single\b", text, re.IGNORECASE):
        if not re.search(r"(?:\b(?:not|never)\b|n't)[^,;]*$", text[: match.start()]):
            yield Number(match.start(), match.end(), 1, exact=True)
