"""Every exception Muster raises on purpose, in one hierarchy.

Data that a force must mend is a finding, never an exception. An exception here means that the
set-up, the lake or the code is wrong; its message ends with what to do next. `permanent` tells a
scheduler that the same attempt will fail again until somebody changes something.
"""

import traceback
from collections.abc import Iterable
from pathlib import Path


def place_of(error: BaseException) -> str:
    """Return the line of code where an error was raised; its own words could quote a return."""
    last = traceback.extract_tb(error.__traceback__)[-1]
    return f"{last.filename}:{last.lineno}"


class MusterError(Exception):
    """Base of all errors that Muster explains itself; the CLI prints it without a traceback."""

    permanent = True


class SetupError(MusterError):
    """A setting, a collection file or a reference file is wrong."""


class ContractError(MusterError):
    """A table does not have the shape its contract states: a fault of the code, not of a force."""


class LakeError(MusterError):
    """The lake does not hold what it must: something in it is gone or damaged."""

    def __init__(self, path: Path, problem: str, next_step: str) -> None:
        """Name the path, what is wrong with it, and what to do."""
        super().__init__(f"{path}: {problem}. {next_step}")
        self.path, self.problem = path, problem


class UnavailableError(LakeError):
    """The lake cannot be written just now: a full disk, a lost share, permissions."""

    permanent = False


class BusyError(MusterError):
    """Another run holds the collection."""

    permanent = False


class ServiceError(MusterError):
    """A cluster or an object store does not do its part just now."""

    permanent = False


class UnforeseenError(MusterError):
    """A fault of the program, without the words of the error, which could quote a return."""

    def __init__(self, error: BaseException, log: str = "the run's log") -> None:
        """Name the kind of the error, and the log to report it with."""
        super().__init__(
            f"{type(error).__name__}, which Muster did not foresee: a fault of the program, not of"
            f" the data. Report it with {log}."
        )


class ReleaseBlockedError(MusterError):
    """The marts were made and are not fit to be shown; the last release stays in place.

    `places` names each rule, or mart and column, that blocks it, without what stands there.
    """

    def __init__(self, message: str, places: Iterable[str]) -> None:
        """Say what blocks the release and what to do, and name the places."""
        super().__init__(message)
        self.places = tuple(places)
