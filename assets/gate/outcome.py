"""What came of an expectation, of a mart, and of the gate as a whole.

Belongs here: plain data that a page, a message and an asset check are made from. Great
Expectations is not needed to read it.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal

from assets.gate.expectation import Severity

Status = Literal["passed", "failed", "not_evaluated"]
_LABELS: Final = {"passed": "met", "failed": "not met", "not_evaluated": "not checked"}


@dataclass(frozen=True)
class Phrase:
    """A part of a sentence; a value in it stands out on a page."""

    text: str
    is_value: bool = False


@dataclass(frozen=True)
class Outcome:
    """What came of one expectation of a mart.

    `column` is None where it is about several columns or the whole mart. `expected` is a sentence
    that does not name the column. `observed` is in words, or why it could not be evaluated.
    `unexpected` is how many of the `rows` that it looked at break it, None where it is not about
    rows. `sample` has the first of them: what stands in the column, then their key.
    """

    mart: str
    column: str | None
    severity: Severity
    status: Status
    expected: tuple[Phrase, ...]
    observed: str
    unexpected: int | None = None
    rows: int | None = None
    sample: tuple[Mapping[str, str], ...] = ()

    @property
    def sentence(self) -> str:
        """What is expected, as plain text."""
        return "".join(phrase.text for phrase in self.expected)

    @property
    def label(self) -> str:
        """What came of it, in a word or two."""
        return "warning" if self.warns else _LABELS[self.status]

    @property
    def blocks(self) -> bool:
        """Whether the release is blocked by it; what could not be evaluated always does so."""
        return self.status == "not_evaluated" or (
            self.status == "failed" and self.severity == "critical"
        )

    @property
    def warns(self) -> bool:
        """Whether it is not met and still does not block."""
        return self.status == "failed" and self.severity == "warning"


@dataclass(frozen=True)
class MartResult:
    """What came of all expectations of one mart, in the order of its suite."""

    mart: str
    rows: int
    outcomes: tuple[Outcome, ...]

    @property
    def critical(self) -> tuple[Outcome, ...]:
        """What blocks the release: first what is not met, then what could not be evaluated."""
        blocking = (outcome for outcome in self.outcomes if outcome.blocks)
        return tuple(sorted(blocking, key=lambda outcome: outcome.status == "not_evaluated"))

    @property
    def warnings(self) -> tuple[Outcome, ...]:
        """What is not met and does not block."""
        return tuple(outcome for outcome in self.outcomes if outcome.warns)


@dataclass(frozen=True)
class GateResult:
    """What the gate says of a release; `docs` is the first page of its Data Docs."""

    marts: tuple[MartResult, ...]
    docs: Path

    @property
    def passed(self) -> bool:
        """Whether the release may be published."""
        return not self.critical

    @property
    def critical(self) -> tuple[Outcome, ...]:
        """What blocks the release: first what is not met, then what could not be evaluated."""
        blocking = (outcome for mart in self.marts for outcome in mart.critical)
        return tuple(sorted(blocking, key=lambda outcome: outcome.status == "not_evaluated"))

    @property
    def warnings(self) -> tuple[Outcome, ...]:
        """What is not met and does not block."""
        return tuple(outcome for mart in self.marts for outcome in mart.warnings)

    @property
    def evaluated(self) -> int:
        """How many expectations were looked at."""
        return sum(len(mart.outcomes) for mart in self.marts)
