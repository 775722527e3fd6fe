"""How a run ended, told from what Dagster recorded: why, and whether another try can end better."""

import builtins
import re
from collections.abc import Iterable, Iterator
from typing import Any, Final

import dagster as dg
from dagster import DagsterEventType

from schemas.errors import BusyError, MusterError, UnforeseenError

FAILURES: Final = {DagsterEventType.STEP_FAILURE, DagsterEventType.RUN_FAILURE}
_OURS: Final = re.compile(r'"[^"]*/((?:assets|pipelines|schemas)/[^"]+)", line (\d+)').findall
"""Finds the file and the line in what is kept of a call of a function of ours."""
_SAYS_NOTHING: Final = "the run ended without saying why"
_FROM_OUTSIDE: Final = (
    "the run was ended from outside, or its process killed. Start it again: muster run"
)
_INTERRUPTED: Final = "DagsterExecutionInterruptedError"
"""What Dagster raises in a run when the service is stopped."""


def reason(events: Iterable[dg.DagsterEvent]) -> str:
    """Return what may leave the machine of what went wrong first in a run.

    That is what Muster itself has worded. Any other error may quote what a force sent, so only
    its kind is told.
    """
    known = list(events)
    for chain in _chains(known):
        if ours := next((error for error in chain if _kind(error.cls_name)), None):
            return re.sub(rf"^([\w.]*\.)?{ours.cls_name}: ", "", ours.message).strip()
        if any(error.cls_name == _INTERRUPTED for error in chain):
            return _FROM_OUTSIDE
        return f"{chain[-1].cls_name}, which Muster did not foresee; the run's log says more"
    ended = (event.message for event in known if event.event_type in FAILURES)
    said = next((message for message in ended if message), _SAYS_NOTHING)
    return _FROM_OUTSIDE if "from outside" in said else said


def unforeseen_at(events: Iterable[dg.DagsterEvent]) -> str | None:
    """Return the line of our code in which an error was raised that Muster did not foresee.

    It is for who started the run, never for an alert; None where there was no such error.
    """
    first = next(_chains(events), [])
    if any(_kind(error.cls_name) not in {None, UnforeseenError} for error in first):
        return None
    places = [f"{file}:{line}" for e in first for each in e.stack for file, line in _OURS(each)]
    return places[-1] if places else None


def can_pass(events: Iterable[dg.DagsterEvent]) -> bool:
    """Return whether a failed run may end well if tried again though nobody has changed anything.

    That is so after an error that says so itself, after one of the operating system, and where
    the run was stopped or killed.
    """
    first = next(_chains(events), None)
    return first is None or any(_passes(error.cls_name) for error in first)


def was_busy(events: Iterable[dg.DagsterEvent]) -> bool:
    """Return whether a run failed because another held the lake."""
    return any(error.cls_name == BusyError.__name__ for error in next(_chains(events), []))


def _passes(name: str) -> bool:
    if ours := _kind(name):
        return not ours.permanent
    theirs = getattr(builtins, name, None)
    return name == _INTERRUPTED or (isinstance(theirs, type) and issubclass(theirs, OSError))


def _kind(name: str, base: type[MusterError] = MusterError) -> type[MusterError] | None:
    """Return the class of Muster's errors that has a name."""
    found = (_kind(name, kind) for kind in base.__subclasses__())
    return base if base.__name__ == name else next(filter(None, found), None)


def _chains(events: Iterable[dg.DagsterEvent]) -> Iterator[list[Any]]:
    """Yield the error of each failure with its causes, the outermost first."""
    for event in events:
        chain, error = [], getattr(event.event_specific_data, "error", None)
        while error is not None and event.event_type in FAILURES:
            chain.append(error)
            error = error.cause
        if chain:
            yield chain
