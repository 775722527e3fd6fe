"""How numbers, dates and texts are worded for people, wherever they read them.

Belongs here: the small words that every page, letter and command shares.
"""

from collections.abc import Iterable, Sequence
from datetime import date
from textwrap import wrap
from typing import Final


def plural(number: int, noun: str) -> str:
    """Return a number with its noun: 1 return, 44 returns, 2 queries, 5 days."""
    if number != 1:
        consonant_y = noun.endswith("y") and noun[-2] not in "aeiou"
        noun = f"{noun[:-1]}ies" if consonant_y else f"{noun}s"
    return f"{number:,} {noun}"


class Number(int):
    """A number in a text, with the words that fit it: `{n:return is|returns are}`."""

    def __format__(self, words: str) -> str:
        """Return the number and its words, or after `!` the words alone; one form fits any."""
        one, _, many = words.removeprefix("!").partition("|")
        fitting = one if self == 1 else many or one
        return fitting if words.startswith("!") else f"{int(self):,} {fitting}".rstrip()


def listed(names: Iterable[object]) -> str:
    """Return names in one text, in their order: `cases, share`; `none` where there are none."""
    return ", ".join(map(str, names)) or "none"


def first_of(names: Sequence[str], most: int, between: str = ", ") -> str:
    """Return the first of names in one text, and how many more there are: `A, B and 3 more`."""
    told = between.join(names[:most])
    return f"{told} and {len(names) - most:,} more" if len(names) > most else told


def together(names: Sequence[str]) -> str:
    """Return names in one text as a sentence has them: `C6, C7 and C11`."""
    return " and ".join(filter(None, (", ".join(names[:-1]), *names[-1:])))


def long_date(day: date) -> str:
    """Return a date as letters write it: 29 June 2012."""
    return f"{day.day} {day:%B %Y}"


LINE_HEIGHT: Final = 15
"""Points that a line of a spreadsheet takes."""
_FITS: Final = 1.2
"""Characters of running text that fit where one digit would."""


def lines_of(text: str, width: int) -> int:
    """Return how many lines a text takes in a column of a spreadsheet, whose width is in digits.

    Excel fits heights by itself, other programs do not.
    """
    return sum(max(1, len(wrap(line, round(width * _FITS)))) for line in text.split("\n"))


def visible(text: str, most: int | None = 300) -> str:
    """Return a text with what cannot be seen written as an escape, cut off after `most`.

    Control characters would garble a terminal or break a workbook; marks of direction would make
    a text look like another one.
    """
    seen = "".join(c if c.isprintable() else ascii(c)[1:-1] for c in text[:most])
    return seen if most is None or len(text) <= most else f"{seen}…"
