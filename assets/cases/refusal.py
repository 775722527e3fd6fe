"""Files that cannot be read as an extract: something to tell their sender, not a crash."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from schemas.errors import MusterError

SEND_AGAIN: Final = "Write the file anew and send it again."


@dataclass(frozen=True)
class Refusal:
    """Why a file is refused whole, and what its sender can do."""

    file: str
    problem: str
    fix: str


class ExtractRefusedError(MusterError):
    """Files are not readable as case-level extracts; it names every one of them at once."""

    def __init__(self, refusals: Sequence[Refusal]) -> None:
        """Say of each file what is wrong with it and what to do next."""
        super().__init__("\n".join(f"{r.file}: {r.problem}. {r.fix}" for r in refusals))
        self.refusals = tuple(refusals)


_SHOWN: Final = 200
"""Characters of another program's words that a refusal quotes."""


def in_short(error: BaseException) -> str:
    """Return the beginning of what an error says, on one line; a panic's words help nobody."""
    if "PanicException" in type(error).__name__:
        if "time zone" in str(error):
            return "a column has a time zone that does not exist"
        return "its content is not what it says of itself"
    return " ".join(str(error).split())[:_SHOWN]


def refused(file: str, problem: str, fix: str) -> ExtractRefusedError:
    """Return the error that refuses one file."""
    return ExtractRefusedError([Refusal(file, problem, fix)])
