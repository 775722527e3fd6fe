"""What a figure's function says of a sentence, before the sentences are held against each other.

Belongs here: the reading, and turning a count into one. Does not: which counts belong to a figure.
"""

from dataclasses import dataclass
from typing import Final

from assets.reports.wording.frames import Count

INEXACT: Final = "is not an exact number"
ADDS: Final = "adds to another number, and no total is printed"


@dataclass(frozen=True)
class Reading:
    """`value` as printed at `line`, or None with the reason `why` the `words` there do not count.

    `answer` is the coded answer of a capability question, else "". A reading that `spoils` makes
    the figure unsafe wherever else it is printed.
    """

    value: float | None
    line: int
    words: str
    answer: str = ""
    why: str = ""
    spoils: bool = False


def reading_of(count: Count) -> Reading:
    """Return the reading of a count that belongs to a figure."""
    if count.value is not None:
        return Reading(float(count.value), count.line, count.words)
    why = ADDS if count.adds else INEXACT
    return Reading(None, count.line, count.words, why=why, spoils=count.adds)
