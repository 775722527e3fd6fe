"""What a sentence of a report says of figures, beside the sentences that stand around it."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Final

from assets.inputs.reports.parts import Part, text_of
from assets.inputs.reports.sentences import Sentence
from assets.inputs.reports.signs import Token

MOST_BACK: Final = 4
"""A sentence says of whom the next ones speak, but not for long."""
_QUOTED: Final = 90


@dataclass(frozen=True)
class Statement:
    """What one sentence says of a figure.

    Where a person must look it up `why` says the reason, and `value` is None unless it is certain
    that somebody said it of this figure. `answer` is that of a capability question.
    """

    figure: str
    value: int | None
    line: int
    words: str
    why: str = ""
    answer: str = ""


@dataclass(frozen=True)
class Said:
    """A sentence with its tokens and its statements.

    `before` precedes it in the same paragraph; `above` ends the paragraph above, for the first.
    `parts` cover all its words, None where one is in no frame; `shares` are of the last figure.
    """

    sentence: Sentence
    tokens: tuple[Token, ...]
    headings: tuple[str, ...]
    before: "Said | None"
    above: "Said | None"
    parts: Sequence[Part] | None
    statements: list[Statement] = field(default_factory=list)
    shares: Counter[tuple[str, bool]] = field(default_factory=Counter)

    @property
    def words(self) -> str:
        """The words and signs of the sentence."""
        return text_of(self.tokens)

    @property
    def quoted(self) -> str:
        """The beginning of the sentence in quotes, and its line."""
        return f"'{beginning(self.sentence.text)}' on line {self.sentence.lines[0]}"

    def back(self, most: int | None = None) -> Iterator["Said"]:
        """Yield the sentence, and those before it in its paragraph, the nearest first."""
        here: Said | None = self
        while here is not None and most != 0:
            yield here
            here, most = here.before, most and most - 1

    def earlier(self, most: int) -> Iterator["Said"]:
        """Yield the last sentences before it, of other paragraphs too, the nearest first."""
        here = self.before or self.above
        while here is not None and most:
            yield here
            here, most = here.before or here.above, most - 1

    def doubt(self, why: str) -> None:
        """Leave its figures to a person, for a reason that stands elsewhere."""
        self.statements[:] = [replace(one, why=one.why or why) for one in self.statements]


def beginning(text: str) -> str:
    """Return as much of a text as a message quotes."""
    return text if len(text) <= _QUOTED else text[:_QUOTED].rsplit(" ", 1)[0] + " ..."
