"""What may be said of a text that stands in a received cell: all that leaves the raw store of it.

Whatever a force types may name a person. Shown is what cannot: numbers, dates, words for "no
number", and what is a known code or nearly one. Of any other text only its kind is said.
"""

import hashlib
import re
import unicodedata
from collections.abc import Collection
from difflib import SequenceMatcher
from functools import cache, lru_cache
from typing import Final

from assets.intake.reading import UNCALCULATED
from schemas.collection import sound_collections
from schemas.names import names_somebody
from schemas.reference import collection_files, forces
from schemas.template import Entry, Template
from schemas.vocabulary import MISSING_REASONS
from schemas.wording import visible

_NUMBER: Final = r"[-+]?(?:[0-9]{1,9}|[0-9]{1,3}(?:,[0-9]{3}){1,2})?(?:\.[0-9]{1,20})?"
_MONTH: Final = r"(?:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z]{0,6}"
_SHOWN: Final = re.compile(
    r"(?:(?:c\.?|circa|approx\.?|approximately|about|around|under|over|~|[<>≤≥]=?)\s*)?"
    rf"{_NUMBER}(?:e[-+]?[0-9]{{1,3}})?(?:\s*(?:-|\u2013|to|/|of|\+|&|and)\s*{_NUMBER})?\s*%?\+?"
    r"|[0-9]{1,3}(?:[ '.\u2019][0-9]{3}){1,2}(?:,[0-9]{1,2})?|[0-9]{1,9},[0-9]{1,2}"
    rf"|[0-9]{{1,4}}[-/. ](?:[0-9]{{1,2}}|{_MONTH})[-/. ][0-9]{{1,4}}(?:[T ][0-9:.]{{1,15}}Z?)?"
    r"|n/?[ak]|n\.[ak]\.?|not?[ _-]?(?:known|held|recorded|available)|unknown|-+|nil|none|zero"
    r"|tb[ca]|pending|true|false|yes|no|x|\?+"
    r"|#(?:REF!|DIV/0!|N/A|NAME\?|NULL!|NUM!|VALUE!)"
    r"|=(?>SUM\(|[A-Z]{1,2}[0-9]{1,4}(?![0-9])|[0-9]{1,9}(?![0-9])|[-+*/(),:.$ ])*+",
    re.IGNORECASE,
)
"""What people type where a number or a date belongs, and names nobody."""

_LONGEST: Final = 100
"""Characters of a text that may be shown; a cell can hold 32,767."""

_ALIKE: Final = 0.75
_MOST_MORE: Final = 2
"""Characters by which a text that is nearly a code may be longer: too few for a name."""


def is_free_text(entry: Entry) -> bool:
    """Whether a force says there what it likes, so that nothing of it may be shown."""
    return entry.kind == "text" and not entry.locked


@cache
def codes_of(entry: Entry) -> tuple[str, ...] | None:
    """Return the codes and names that belong into an entry, None where it is free text."""
    if is_free_text(entry):
        return None
    if entry.kind != "text":
        return (*entry.answers, *MISSING_REASONS)
    names = tuple(name for row in forces().iter_rows() for name in row if name)
    return (*collection_files(), *names, *(template.name for template in _templates()))


def shown(text: str, codes: Collection[str] | None = ()) -> str:
    """Return a text itself if it names nobody, else how long it is and what it looks like.

    `codes` are expected there; one that is nearly one of them is shown. With None, for free
    text, nothing is.
    """
    if text == UNCALCULATED or (codes and text in codes):
        return text
    plain = "".join(c for c in unicodedata.normalize("NFKC", text) if c.isprintable()).strip()
    short = codes is not None and len(plain) <= _LONGEST
    if short and (_SHOWN.fullmatch(plain) or any(_nearly(plain, code) for code in codes or ())):
        return text
    text = text.strip()
    digits = "digit" if text.isdecimal() else "character"
    kind = f"a text of {len(text)} {digits}{'' if len(text) == 1 else 's'}"
    what = names_somebody(text)
    return f"{kind} with what looks like {what}" if what else kind


def _nearly(text: str, code: str) -> bool:
    plain, meant = ("_".join(t.casefold().replace("-", " ").split()) for t in (text, code))
    lengths = sorted((len(plain), len(meant)))
    # Most codes are nothing like the text: upper bounds that cost little come first.
    if len(plain) > len(meant) + _MOST_MORE or 2 * lengths[0] < _ALIKE * sum(lengths):
        return False
    alike = SequenceMatcher(None, plain, meant)
    return alike.quick_ratio() >= _ALIKE and alike.ratio() >= _ALIKE


_PLAIN_SHEET: Final = re.compile(
    r"(?:sheet|table|notes?|workings?|calculations?|instructions?|guidance|read ?me|lists?"
    r"|look-?ups?|contents|index|summary|tabelle|feuil|hoja)[ _-]?[0-9]{0,3}(?: ?\([0-9]{1,3}\))?",
    re.IGNORECASE,
)


def sheet_shown(name: str, number: int, expected: Collection[str]) -> str:
    """Return the name of a sheet if it can be nobody's: nearly an expected one, or of plain words.

    Else what place it has among the sheets of its file, the first being no. 1.
    """
    plain = _PLAIN_SHEET.fullmatch(name.strip()) is not None
    return name if plain or any(_nearly(name, code) for code in expected) else f"no. {number}"


def the_sheet(name: str) -> str:
    """Return how to call a sheet before it is known what is expected; its name as `sheet_shown`."""
    known = sheet_shown(name, 0, expected_sheets()) == name
    return f"sheet {visible(name)!r}" if known else "a sheet that is not in the template"


def quoted(text: str, codes: Collection[str] | None = ()) -> str:
    """Return for a message what `shown` gives: the text between quotes, or what it is like.

    Characters that look like others, or like nothing, are named: a code with a Cyrillic letter, a
    full-width digit or an invisible mark looks right and is not.
    """
    text = text.strip()
    said = shown(text, codes)
    whole = said == text
    odd = {_named(c, whole=whole) for c in text if not " " <= c <= "~"}
    named = f" (it contains {', '.join(sorted(odd))})" if odd else ""
    return f"{text!r}{named}" if whole else f"{said}{named}"


@lru_cache(1024)
def told(text: str) -> str:
    """Return what `shown` gives before it is known what belongs into the cell: any code may."""
    return visible(shown(text, _any_code()), 80)


@lru_cache(1024)
def in_doubt(text: str) -> str:
    """Return what `quoted` gives before it is known what belongs into the cell: any code may."""
    return visible(quoted(text, _any_code()), 100)


@cache
def _any_code() -> frozenset[str]:
    entries = (entry for template in _templates() for entry in template.entries())
    return frozenset(code for entry in entries for code in codes_of(entry) or ())


@cache
def expected_sheets() -> tuple[str, ...]:
    """Return the names of the sheets of all collections' templates, sorted."""
    return tuple(sorted({sheet.name for template in _templates() for sheet in template.sheets}))


@cache
def words_sha256() -> str:
    """Return the hash of all words that tell what may be said of a file as it is read."""
    words = [*sorted(_any_code()), *expected_sheets(), *forces()["force_code"]]
    return hashlib.sha256("\n".join(words).encode()).hexdigest()


@cache
def _templates() -> frozenset[Template]:
    """Return the templates of all collections; a file that is no collection has none."""
    return frozenset(collection.template for collection in sound_collections())


def _named(character: str, *, whole: bool) -> str:
    """Return the name of a character; of a letter in a text that is not shown, only its script."""
    name = unicodedata.name(character, f"control {ord(character):#x}")
    return name if whole or not character.isalnum() else f"{name.split()[0]} characters"
