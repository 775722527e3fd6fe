"""Strips a line of a report of everything that is typography, not wording.

Belongs here: quotes, dashes, emphasis, footnote marks, ligatures, odd spaces, one line at a time.
Does not: what spans lines (sentences.py). A line keeps its words and their order.
"""

import re
import unicodedata
from typing import Final

SOFT_BREAK: Final = "\u00ad"
"""Ends a cleaned line whose last word certainly goes on, without a hyphen, on the next."""

_SUPERSCRIPTS: Final = "\u00b9\u00b2\u00b3\u2070" + "".join(
    chr(code) for code in (*range(0x2074, 0x207A), *range(0x2080, 0x208A))
)
_INVISIBLE: Final = "\ufeff\u200b\u200c\u200d\u2060"
_CHARACTERS: Final = str.maketrans(
    {
        **dict.fromkeys("\u2018\u2019\u201a\u201b\u2032\u00b4\u02bc`", "'"),
        **dict.fromkeys("\u201c\u201d\u201e\u201f\u2033\u00ab\u00bb", '"'),
        **dict.fromkeys("\u2010\u2011\u2212", "-"),
        **dict.fromkeys("\u2014\u2015", " - "),
        **dict.fromkeys("|\t\f\v\0", " "),
        **dict.fromkeys(_SUPERSCRIPTS + _INVISIBLE, ""),
    }
)
_THOUSANDS: Final = re.compile(
    r"(?<![\d\u00a0\u2009\u202f])(\d{1,3})[\u00a0\u2009\u202f](?=\d{3}(?!\d))"
)
_REPLACEMENTS: Final = tuple(
    (re.compile(pattern), replacement)
    for pattern, replacement in (
        (r"(?i)<sup>.*?</sup>", ""),
        (r"</?[A-Za-z][^<>]{0,200}>", ""),
        (r"!?\[([^\[\]]*)\]\([^()\s]*\)", r"\1"),
        (r"\[\^?\d{1,3}\]", ""),
        (r"(?:^|\s)\u2013(?=\s|$)", " - "),
        (r"\u2013", "-"),
        (r"\\(?=[^\w\s])", ""),
        (r"\*+|(?<!\w)_+(?=\w)|(?<=\w)_+(?!\w)", ""),
        # A footnote number runs into the word, or the full stop, that it hangs on.
        (r"(?<=[A-Za-z]{3})\d{1,2}(?!\w)", ""),
        (r"(?<=[A-Za-z]{2}[.,;:)'\"])(?<!approx\.)(?<!ca\.)\d{1,2}(?=\s|$)", ""),
        (r"(?<=[)'\"][.,;:)'\"])\d{1,2}(?=\s|$)", ""),
        (r"[~<>\u2264\u2265\u00b1\u2248]\s?(?=\d)", "about "),
        (r"(?<=\d)\+", " or more"),
    )
)


def clean_line(line: str) -> str:
    """Return the line's words with plain quotes and hyphens and single spaces.

    An em dash and a spaced en dash become ` - `. A line that ends in a soft hyphen keeps it, as
    SOFT_BREAK.
    """
    line = line.rstrip()
    breaks = line.endswith(SOFT_BREAK)
    line = _THOUSANDS.sub(r"\1,", line.replace(SOFT_BREAK, "").translate(_CHARACTERS))
    line = unicodedata.normalize("NFKC", line)
    for pattern, replacement in _REPLACEMENTS:
        line = pattern.sub(replacement, line)
    return " ".join(line.split()) + (SOFT_BREAK if breaks else "")
