"""What in a free text looks like a person or a case, which no answer and no cover may name."""

import re
import tomllib
import unicodedata
from collections.abc import Collection, Sequence
from functools import cache
from itertools import pairwise
from pathlib import Path
from typing import Final

from schemas.collection import sound_collections
from schemas.reference import forces

_LISTS: Final = tomllib.loads(Path(__file__).with_suffix(".toml").read_text(encoding="utf-8"))
_RANK: Final = re.compile(
    rf"\b(?:{'|'.join(_LISTS['titles'].split())})\.? ([A-Z][\w'\u2019-]*|[0-9]+)"
)
_OFFICES, _ORDINARY, _GIVEN = (
    frozenset(_LISTS[name].casefold().split()) for name in ("offices", "ordinary", "given")
)
_NOBODY: Final = _OFFICES | _ORDINARY
_WITH_CAPITAL: Final = re.compile(r"[A-Z][\w'\u2019-]+")
_INITIALS: Final = re.compile(r"(?:[A-Z]\.)+")
_INITIAL: Final = re.compile(r"[B-HJ-Z]\.?|(?:[A-Z]\.)+")
_INITIALS_AND_NAME: Final = re.compile(r"(?:[A-Z]\.)+[A-Z][a-z'\u2019-]{2,}")
_NAME: Final = "somebody's name (put the name of anything else between quotation marks)"

_YEAR: Final = re.compile(r"(?<![0-9])(?:19|20)[0-9]{2}(?:[-/][0-9]{2})?(?![0-9])")
_NUMBER_OF_SOMEBODY: Final = "a number of three or more digits"
_NAMES_SOMEBODY: Final = {
    "an e-mail address": re.compile(r"[^\s@]@[^\s@]"),
    "a case reference": re.compile(r"\b[A-Z]{1,4}[/-][0-9]"),
    _NUMBER_OF_SOMEBODY: re.compile(r"(?!100 ?%)[0-9]{3,}|[0-9](?:[ -]?[0-9]){4,}"),
}

_COUNT: Final = re.compile(r"(?<![0-9,])(?!0[0-9])[0-9]+(?:,[0-9]{3})*(?![0-9])")
_CALLED: Final = re.compile(
    r"\b(?:collar|warrant|badge|shoulder|payroll|officer|tel|telephone|phone|ext|extension|id)"
    r"\W{1,2}(?:(?:no|number)\W{1,2})?[0-9]{3,}",
    re.IGNORECASE,
)
"""A number that stands for somebody, whatever counts may stand there."""


def names_somebody(
    text: str, numbers: Collection[str] | None = (), *, doubted: bool = False
) -> str | None:
    """Return what in a free text looks like a person or a case, None where nothing does.

    A year is no collar number, and the name of an office after a rank no person. `numbers` are
    known to be counts, with None any number is. With `doubted`, as of a sentence, two words with
    capitals are a name too, unless they are words of the template, of forces or of offices.
    """
    plain = unicodedata.normalize("NFKC", text)
    if _CALLED.search(plain):
        return _NUMBER_OF_SOMEBODY
    if any(rank[1].casefold() not in _OFFICES for rank in _RANK.finditer(plain)):
        return "a rank or title with a name"
    without_years = _YEAR.sub("", plain)
    # Of a case reference a count is a part; a collar number it may only look like.
    rest = _COUNT.sub(
        lambda n: "" if numbers is None or n[0].replace(",", "") in numbers else n[0],
        without_years,
    )
    for what, found in _NAMES_SOMEBODY.items():
        if found.search(rest if what == _NUMBER_OF_SOMEBODY else without_years):
            return what
    words = _words(plain)
    return _NAME if _has_name(words) or (doubted and _may_have_name(words)) else None


def _words(text: str) -> list[str]:
    """Return the words of a text, with "" where a clause ends or something stands in quotes."""
    found, quoted = [""], False
    for token in re.sub(r'(["\u201c\u201d(),;:!?/\[\]])', r" \1 ", text).split():
        if token in {'"', "\u201c", "\u201d"}:
            quoted = not quoted
        word = re.sub(r"['\u2019]s?$", "", token.lstrip("'\u2018"))
        ends = not word[:1].isalnum() or quoted
        is_last = word.endswith(".") and not _INITIALS.fullmatch(word)
        found += [""] if ends else [word.rstrip("."), ""] if is_last else [word]
    return found


def _has_name(words: Sequence[str]) -> bool:
    """Return whether a given name or initials stand before a name that is no office's.

    Read from the end, so that the word behind any number of initials is known without a search.
    """
    behind = ""
    for at in reversed(range(len(words))):
        word, name = words[at], behind
        if not _INITIAL.fullmatch(word):
            behind = word
        if _INITIALS_AND_NAME.fullmatch(word):
            return True
        before = word[:1].isupper() and word.casefold() in _GIVEN
        if not before and _INITIAL.fullmatch(word):
            # After a word, a letter alone names a part: Table B, division C.
            before = bool(_INITIALS.fullmatch(word)) or not words[at - 1].strip(".").isalpha()
        if before and _WITH_CAPITAL.fullmatch(name) and name.casefold() not in _NOBODY:
            return True
    return False


def _may_have_name(words: Sequence[str]) -> bool:
    """Return whether two words stand together with capitals that nothing known explains."""
    unknown = [
        _WITH_CAPITAL.fullmatch(word) and not word.isupper() and word.casefold() not in _known()
        for word in words
    ]
    return any(one and other for one, other in pairwise(unknown))


@cache
def _known() -> frozenset[str]:
    """Return the words that are written with capitals and name nobody, in lower case."""
    templates = (collection.template for collection in sound_collections())
    labels = [
        text
        for template in templates
        for sheet in template.sheets
        for text in (sheet.title, *sheet.columns.values(), *(row.label for row in sheet.rows))
    ]
    names = [name for row in forces().iter_rows() for name in row if name]
    words = re.findall(r"[a-z'\u2019-]+", " ".join([*labels, *names]).casefold())
    return _NOBODY | frozenset(words)
