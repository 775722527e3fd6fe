"""What is wrong with a received file, at its place, and the error that lists all of it."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from schemas.errors import MusterError

SHOWN: Final = 20
"""Problems that a message lists; it counts them all."""


@dataclass(frozen=True)
class Problem:
    """One thing to mend.

    `row` is the row as a spreadsheet numbers it, the headings being row 1; it and `column` are
    None where the problem concerns the file.
    """

    file: str
    row: int | None
    column: str | None
    observed: str
    expected: str
    fix: str

    def __str__(self) -> str:
        """Return it on one line: where, observed against expected, what to do."""
        row = f", row {self.row}" if self.row else ""
        column = f", column {self.column}" if self.column else ""
        return f"{self.file}{row}{column}: {self.observed}; expected {self.expected}. {self.fix}"


class ResearchError(MusterError):
    """Files of the research folder cannot be used; `problems` holds everything that is wrong."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        """List the first problems, say how many there are, and what to do next."""
        self.problems = tuple(problems)
        more = len(problems) - SHOWN
        lines = [
            f"{len(problems)} problem(s) in {', '.join(sorted({p.file for p in problems}))}:",
            *(str(problem) for problem in problems[:SHOWN]),
            *([f"... and {more:,} more"] if more > 0 else []),
            "Mend the file and drop it in the research folder again.",
        ]
        super().__init__("\n".join(lines))
