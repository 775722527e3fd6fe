"""Turns a sentence into a row of tokens: words in small letters, and signs for what is not a word.

What is neither a word nor a known sign becomes UNKNOWN, which no frame of the vocabulary
(vocabulary.toml) knows.
"""

import itertools
import re
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from functools import cache, partial
from importlib import resources
from typing import Final, NamedTuple

from assets.inputs.reports.force_name import find_names
from schemas.collection import Collection

_NAME: Final = re.compile(r"\{([A-Z_]+)\}")
_GROUP: Final = re.compile(r"\(\?P<(\w+)>")


class Vocabulary(NamedTuple):
    """`same`: the one word for each wording. `frames`: by kind, patterns of a whole part.

    `words`: plain patterns by name, for choosing among parts (never for reading one).
    """

    same: Mapping[tuple[str, ...], str]
    frames: Mapping[str, tuple[re.Pattern[str], ...]]
    words: Mapping[str, re.Pattern[str]]


@cache
def vocabulary() -> Vocabulary:
    """Return the vocabulary, its macros such as `{FORCE}` filled in."""
    file = resources.files("assets.inputs.reports").joinpath("vocabulary.toml")
    said = tomllib.loads(file.read_text(encoding="utf-8"))
    macros: dict[str, str] = {}

    def filled(pattern: str) -> str:
        """Return a pattern as a regular expression: macros filled in, `[x]` and `(x)` as groups."""
        pattern = re.sub(r"\((?!\?)", "(?:", pattern.replace("[", "(?:").replace("]", ")?"))
        return _NAME.sub(lambda match: macros[match[1]], pattern)

    def either(patterns: list[str]) -> str:
        return f"(?:{'|'.join(map(filled, patterns))})"

    def compiled(frame: str) -> re.Pattern[str]:
        """Compile a frame; a group that stands in several alternatives is `ok_0`, `ok_1` ..."""
        count = itertools.count()
        return re.compile(_GROUP.sub(lambda m: f"(?P<{m[1]}_{next(count)}>", filled(frame)))

    for name, patterns in said["parts"].items():
        macros[name] = either(patterns)
    return Vocabulary(
        {tuple(each.split()): word for word, wordings in said["same"].items() for each in wordings},
        {kind: tuple(map(compiled, frames)) for kind, frames in said["frames"].items()},
        {
            name: re.compile(rf"(?<!\S){either(patterns)}(?!\S)")
            for name, patterns in said["words"].items()
        },
    )


def speaks(of: str, text: str) -> bool:
    """Whether words of that name in the vocabulary stand in a text."""
    return vocabulary().words[of].search(text) is not None


def begins(of: str, text: str) -> bool:
    """Whether a text begins with words of that name in the vocabulary."""
    return vocabulary().words[of].match(text) is not None


def frames_of(kind: str, text: str) -> Iterator[re.Match[str]]:
    """Yield how frames of a kind cover a text."""
    return filter(None, (frame.fullmatch(text) for frame in vocabulary().frames[kind]))


NUMBER: Final = "#"
VAGUE: Final = "~"
"""A number that is not exact, such as `40-50`, `several` or `48 (forty-nine)`."""
PERCENT: Final = "%"
PERIOD: Final = "@"
"""The months of the collection, or since they began."""
SINCE_BEFORE: Final = "°"
"""Since the inspection before."""
YEAR_BEFORE: Final = "†"
"""The year of the inspection before."""
OTHER_TIME: Final = "¬"
OWN_FORCE: Final = "§"
OTHER_FORCE: Final = "¶"
UNKNOWN: Final = "?"
TIMES: Final = frozenset({PERIOD, SINCE_BEFORE})

_UNITS: Final = (
    "one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|thirteen|fourteen|fifteen"
    "|sixteen|seventeen|eighteen|nineteen"
)
_TENS: Final = "twenty|thirty|forty|fifty|sixty|seventy|eighty|ninety"
_VALUES: Final = {
    **{word: value for value, word in enumerate(_UNITS.split("|"), start=1)},
    **{word: 10 * value for value, word in enumerate(_TENS.split("|"), start=2)},
    "zero": 0,
    "nil": 0,
    "a": 1,
}
_BELOW_100: Final = (
    rf"(?:(?:{_TENS})(?:[- ](?:one|two|three|four|five|six|seven|eight|nine)\b)?"
    rf"|(?:{'|'.join(_UNITS.split('|')[::-1])}))"
)
_BELOW_1000: Final = rf"(?:(?:{_BELOW_100}|a) hundred(?:(?: and)? {_BELOW_100})?|{_BELOW_100})"
_IN_WORDS: Final = (
    rf"(?:(?:{_BELOW_1000}|a) thousand(?:,?(?: and)? {_BELOW_1000})?|{_BELOW_1000}|zero|nil)"
)
_IN_DIGITS: Final = r"(?:\d{1,3}(?:,\d{3})+|\d{1,6})"
_NUMBER: Final = re.compile(
    rf"(?<![\w.,/:£$€-])(?:(?P<range>\d+-\d+|\d{{1,3}}(?: |, )\d{{3}}(?![\d,]))"
    rf"|(?P<words>{_IN_WORDS})|(?P<digits>{_IN_DIGITS}))(?![\w/%]|[.,:]\d|-\w)",
    re.IGNORECASE,
)
_SAID_TWICE: Final = re.compile(rf" \((?P<again>{_IN_WORDS}|{_IN_DIGITS})\)", re.IGNORECASE)
_ROUND: Final = frozenset({"a hundred", "a thousand"})
_PERCENT: Final = re.compile(
    r"(?P<aside> ?\()?(?<![\w.,])(?P<share>\d+(?:\.\d+)?) ?(?:%|per ?cent)(?(aside)\))",
    re.IGNORECASE,
)

_MONTHS: Final = "jan feb mar apr may jun jul aug sep oct nov dec"
_MONTH: Final = (
    r"(?:Jan(?:uary)?|Feb(?:ruary)?|Mar(?:ch)?|Apr(?:il)?|May|June?|July?|Aug(?:ust)?"
    r"|Sept?(?:ember)?|Oct(?:ober)?|Nov(?:ember)?|Dec(?:ember)?|"
    r"JANUARY|FEBRUARY|MARCH|APRIL|MAY|JUNE|JULY|AUGUST|SEPTEMBER|OCTOBER|NOVEMBER|DECEMBER)\.?"
)
_DAY: Final = r"(?:(?P<day{0}>\d{{1,2}})(?:st|nd|rd|th)? )?(?P<month{0}>" + _MONTH + ")"
_YEAR: Final = re.compile(r"(?<![\w.,/:£$€-])(?:19|20)\d\d(?: ?[/-] ?(?:\d{4}|\d\d))?(?!\w|[,.]\d)")
# A count may look like a year; these say that it is one: `2012 investigations`, `1950 of which`.
_COUNTED: Final = re.compile(
    r" (?:of (?:which|the|them|these|those)|were|was|have|had|has|being|approved"
    r"|(?:[a-z-]+ ){0,2}(?:investigations?|applications?|requests?|cases?|instances?))\b",
    re.IGNORECASE,
)
_COUNTS: Final = re.compile(r"\b(?:was|were) $", re.IGNORECASE)
_TIME_LEAD: Final = re.compile(
    r"\b(?:in|during|since|from|until|by|to|between|throughout|before|after|at|than|hmic's|our) $",
    re.IGNORECASE,
)
_SCARE_QUOTES: Final = re.compile(r'"([A-Za-z][A-Za-z -]{1,40})"')
_WORD: Final = re.compile(r"\x01|'s\b|and/or\b|[a-z]+(?:['-][a-z]+)*|[,;:()-]|(?<=[a-z])\.|[^\s]")
_TAKEN: Final = "\x01"


class Times(NamedTuple):
    """A collection's first and last month, each as (year, month), and the year before its census.

    In that year was the inspection before, which a report may count from.
    """

    first: tuple[int, int]
    last: tuple[int, int]
    before: int

    @classmethod
    def of(cls, collection: Collection) -> "Times":
        """Return the times of a collection."""
        start, end = collection.period.start, collection.period.end
        return cls((start.year, start.month), (end.year, end.month), collection.census.year - 1)


class _Patterns(NamedTuple):
    """What says a time: so many months, dates, the period in words, and since the last time."""

    months: str
    dates: re.Pattern[str]
    period: re.Pattern[str]
    since: re.Pattern[str]


@cache
def _patterns(times: Times) -> _Patterns:
    many = 12 * (times.last[0] - times.first[0]) + times.last[1] - times.first[1] + 1
    word = [name for name, value in _VALUES.items() if value == many and name != "a"]
    months = rf"(?:{'|'.join([*word, str(many)])})[- ]months?(?:[- ]period)?+"
    led_in = (
        r"(?:\b(?i:between|from|in|during|over|for|since|throughout|covering|the|this|of|period"
        rf"|{months}|to|ending|until|before|after|by|at|on|prior to|up to|following|beginning"
        r"|starting|end of|start of)\b,? )*"
    )
    return _Patterns(
        months,
        re.compile(
            rf"(?P<lead>{led_in})(?:(?<=\W)|^){_DAY.format(1)}(?:,? (?P<year1>(?:19|20)\d\d))?"
            rf"(?:(?: inclusive)?(?P<link> and | to | until | till | up to | through | - |-)"
            rf"(?:the end of )?{_DAY.format(2)},? (?P<year2>(?:19|20)\d\d)(?: inclusive)?)?(?!\w)"
        ),
        re.compile(
            rf"\b(?:in|over|during|for|within|across|throughout) (?:the|this|our|that) (?:{months}"
            r"|(?:review|inspection|reporting|assessment|data) period"
            r"|period (?:under review|(?:reviewed|covered|assessed|examined) by (?:this|the|our)"
            r" (?:review|report|inspection)))\b"
            r"(?! (?:to|ending|from|between|before|prior|until|up)\b)",
            re.IGNORECASE,
        ),
        re.compile(
            rf"\b(?:since|following) (?:(?:the|our|hmic's|its) )?(?:{times.before}"
            rf"|(?:(?:{times.before}|last|previous) )(?:inspection|report|review|visit))"
            r"(?: (?:inspection|report|review|visit))?\b",
            re.IGNORECASE,
        ),
    )


class Token(NamedTuple):
    """A word or sign on a line of the report.

    `value` is that of a NUMBER, or hundredths of a PERCENT; `percent` are those of the share that
    stands in brackets beside a number. `text` is what the report has for it.
    """

    word: str
    line: int
    value: int = 0
    percent: int = 0
    text: str = ""


def read_number(text: str) -> int:
    """Return the value of digits (`1,245`) or words (`one hundred and twenty`)."""
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


def tokens(text: str, lines: Sequence[int], force_code: str | None, times: Times) -> list[Token]:
    """Return the tokens of a sentence in a report about a force; None makes every name another.

    `lines` has the line of the report for each character of the text.
    """
    rest = _SCARE_QUOTES.sub(lambda quoted: f" {quoted[1]} ", text)
    found: dict[int, tuple[str, int, str]] = {}
    for finder in (_percents, _dates, _years, _numbers, partial(_names, force_code)):
        for start, end, sign, value in finder(rest, times):
            if _TAKEN not in rest[start:end]:
                found[start] = (sign, value, text[start:end])
                rest = rest[:start] + _TAKEN * (end - start) + rest[end:]
    row: list[Token] = []
    for match in _WORD.finditer(rest.lower().rstrip(" .;:,?!")):
        word, value, as_set = match[0], 0, text[match.start() : match.end()]
        if word == _TAKEN:
            word, value, as_set = found.get(match.start(), ("", 0, ""))
        elif not (word[0].isalpha() or word == "'s" or word in ",;:()-"):
            word = UNKNOWN
        if word:
            row.append(Token(word, lines[match.start()], value, text=as_set))
        elif value and row:
            row[-1] = row[-1]._replace(percent=value)
    return _said_alike(row)


def _said_alike(row: list[Token]) -> list[Token]:
    """Return the row with the one word of the vocabulary for each of its wordings."""
    same = vocabulary().same
    longest = max(map(len, same))
    words = tuple(token.word for token in row)
    told: list[Token] = []
    place = 0
    while place < len(row):
        lengths = range(min(longest, len(row) - place), 0, -1)
        length = next((n for n in lengths if words[place : place + n] in same), 0)
        said = same[words[place : place + length]].split() if length else []
        as_set = " ".join(token.text for token in row[place : place + length])
        told += [Token(word, row[place].line, text=as_set) for word in said] or [row[place]]
        place += length or 1
    return told


_Found = tuple[int, int, str, int]


def _names(force_code: str | None, text: str, _: Times) -> Iterator[_Found]:
    for start, end, code in find_names(text):
        yield start, end, OWN_FORCE if code == force_code else OTHER_FORCE, 0


def _percents(text: str, _: Times) -> Iterator[_Found]:
    """Yield shares; one that stands in brackets has no sign of its own."""
    for match in _PERCENT.finditer(text):
        value = round(100 * float(match["share"]))
        yield match.start(), match.end(), "" if match["aside"] else PERCENT, value


def _dates(text: str, times: Times) -> Iterator[_Found]:
    patterns = _patterns(times)
    for pattern, sign in ((patterns.since, SINCE_BEFORE), (patterns.period, PERIOD)):
        for match in pattern.finditer(text):
            yield match.start(), match.end(), sign, 0
    for match in patterns.dates.finditer(text):
        if match["year1"] or match["year2"]:
            sign = PERIOD if _is_period(match, times) else OTHER_TIME
            yield match.start(), match.end(), sign, 0


def _is_period(match: re.Match[str], times: Times) -> bool:
    lead = match["lead"].lower()
    if re.search(r"\b(?:before|until|after|by|at|on|prior|up|following)\b", lead):
        return False
    first = _month(match, 1)
    if re.search(r"\bend of\b", lead) and (match["link"] or first != times.last):
        return False
    if match["link"]:
        whole = match["day1"] in {None, "1", "01"} and match["day2"] in {None, "31"}
        joined = match["link"] != " and " or "between" in lead
        return whole and joined and (first, _month(match, 2)) == (times.first, times.last)
    if re.search(rf"{_patterns(times).months}.*\b(?:to|ending)\b", lead):
        return first == times.last and match["day1"] in {None, "31"}
    begins = re.search(r"\b(?:since|from|beginning|starting)\b", lead)
    return bool(begins) and first == times.first and match["day1"] in {None, "1", "01"}


def _month(match: re.Match[str], n: int) -> tuple[int, int]:
    month = _MONTHS.index(match[f"month{n}"][:3].lower()) // 4 + 1
    if match[f"year{n}"]:
        return int(match[f"year{n}"]), month
    # `between September and May 2012`: the first month lies before the second.
    year, last = _month(match, 2)
    return (year if month <= last else year - 1), month


def _years(text: str, times: Times) -> Iterator[_Found]:
    for match in _YEAR.finditer(text):
        before = text[: match.start()]
        is_count = _COUNTED.match(text, match.end()) or _COUNTS.search(before)
        if len(match.group()) > len("2011") or not is_count or _TIME_LEAD.search(before):
            sign = YEAR_BEFORE if match.group() == str(times.before) else OTHER_TIME
            yield match.start(), match.end(), sign, 0


def _numbers(text: str, _: Times) -> Iterator[_Found]:
    for match in _NUMBER.finditer(text):
        words = match.group()
        start, end = match.span()
        if words.lower() == "one" and text[:start].lower().endswith("not "):
            continue
        exact = not match["range"] and words.lower() not in _ROUND and not re.match(r"0\d", words)
        value = read_number(words) if exact else 0
        if again := _SAID_TWICE.match(text, end):
            exact = exact and read_number(again["again"]) == value
            end = again.end()
        yield start, end, NUMBER if exact else VAGUE, value
