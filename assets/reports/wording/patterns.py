"""Writes long patterns as lists of words.

Belongs here: how alternatives are joined. Does not: any wording of reports.
"""

import re
from typing import Final

_SEPARATOR: Final = re.compile(r"\s\|\s|\n")


def one_of(words: str) -> str:
    """Return a group that matches any of the alternatives; ` | ` or a line end separates them."""
    alternatives = [part.strip() for part in _SEPARATOR.split(words)]
    return f"(?:{'|'.join(part for part in alternatives if part)})"


def any_word(words: str) -> re.Pattern[str]:
    """Compile a pattern that matches any of the alternatives, in any case, as whole words."""
    return re.compile(rf"\b{one_of(words)}\b", re.IGNORECASE)
