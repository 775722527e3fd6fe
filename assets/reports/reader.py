"""Reads the figures out of a published force report.

Belongs here: which figures there are, and holding what several sentences say against each other.
Does not: how one figure is worded (its own module). A figure in doubt is a problem, not a figure.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from assets.reports import (
    applications,
    approvals,
    investigations,
    media_disclosure,
    social_media,
    staffing,
)
from assets.reports.force_name import find_force
from assets.reports.readings import Reading
from assets.reports.wording.cleaning import clean_line
from assets.reports.wording.marks import Passage, mark
from assets.reports.wording.names import find_names
from assets.reports.wording.sentences import Sentence, read_sentences
from schemas.breakdown import write_breakdown

_LONGEST_SENTENCE: Final = 2000
"""Longer ones are tables or damaged text, in which words stand together by accident."""

_LOOK_IT_UP: Final = "Look it up in the report."


@dataclass(frozen=True)
class ReportFigure:
    """One printed figure in the words of published_figures.csv.

    `unit` is `count`, `cases` or `boolean` (1.0 for the answer in `breakdown`); `line` is the
    1-based line of the text on which the value stands.
    """

    measure: str
    breakdown: str
    value: float
    unit: str
    line: int


@dataclass(frozen=True)
class Report:
    """What a force's report says: a figure that is not in `figures` was not found, and is not 0.

    `force_code` is None where title and heading do not name one force. `problems` are for people:
    what was found and not taken, on which lines, and what to do.
    """

    force_code: str | None
    figures: tuple[ReportFigure, ...]
    problems: tuple[str, ...]


@dataclass(frozen=True)
class _Figure:
    measure: str
    unit: str
    read: Callable[[Passage], Iterator[Reading]]
    parts: tuple[tuple[str, str], ...] = ()

    @property
    def name(self) -> str:
        return " ".join(part for part in (self.measure, self.breakdown()) if part)

    def breakdown(self, answer: str = "") -> str:
        return write_breakdown(dict(self.parts) | ({"answer": answer} if answer else {}))


@dataclass(frozen=True)
class _Settled:
    """What is taken of a figure, if anything; `is_disputed` if the report says several things."""

    taken: ReportFigure | None
    problems: tuple[str, ...]
    is_disputed: bool = False


_MEDIA: Final = (("category", "information_disclosure"), ("recipient", "media"))
_APPLICATIONS: Final = _Figure("second_job_applications", "count", applications.applications)
_APPROVED: Final = _Figure(
    "second_job_applications", "count", approvals.approvals, (("decision", "approved"),)
)
_FIGURES: Final = (
    _Figure("investigations", "count", investigations.total),
    _Figure("investigations", "count", media_disclosure.to_media, _MEDIA),
    _Figure("social_media_cases", "cases", social_media.cases),
    _APPLICATIONS,
    _APPROVED,
    _Figure("capability", "boolean", staffing.acu_change, (("question", "acu_staffing_change"),)),
)


def read_report(text: str) -> Report:
    """Return the force and the figures of a report's text.

    Raises nothing for what a report says or leaves out: that is in `figures` and `problems`.
    """
    lines = [
        clean_line(line) for line in text.replace("\r\n", "\n").replace("\r", "\n").split("\n")
    ]
    force = find_force(lines)
    problems = [force.problem] if force.problem else []
    sentences = [
        sentence for sentence in read_sentences(text) if _can_be_read(sentence, force.findings_line)
    ]
    passages = mark(sentences, force.force_code or _only_force_named(sentences))
    settled = {
        figure: _settled(
            figure, [reading for passage in passages for reading in figure.read(passage)]
        )
        for figure in _FIGURES
    }
    settled[_APPROVED] = _checked_approvals(settled[_APPLICATIONS], settled[_APPROVED])
    for outcome in settled.values():
        problems += outcome.problems
    figures = tuple(outcome.taken for outcome in settled.values() if outcome.taken)
    return Report(force.force_code, figures, tuple(problems))


def _can_be_read(sentence: Sentence, findings_line: int) -> bool:
    return sentence.lines[-1] > findings_line and len(sentence.text) <= _LONGEST_SENTENCE


def _only_force_named(sentences: Sequence[Sentence]) -> str | None:
    """Return the force of a text without title, where it cannot be confused with another."""
    codes = {name.code for sentence in sentences for name in find_names(sentence.text)}
    return codes.pop() if len(codes) == 1 else None


def _settled(figure: _Figure, readings: list[Reading]) -> _Settled:
    """Return the one value that all readings agree on, and what to tell people of the others."""
    problems = [
        f"{figure.name}: '{reading.words}' on line {reading.line} {reading.why}; not taken. "
        f"{_LOOK_IT_UP}"
        for reading in dict.fromkeys(readings)
        if reading.value is None
    ]
    values: dict[tuple[float, str], Reading] = {}
    for reading in readings:
        if reading.value is not None:
            values.setdefault((reading.value, reading.answer), reading)
    if len(values) > 1:
        said = " and ".join(
            f"'{reading.words}' on line {reading.line}" for reading in values.values()
        )
        problems.append(f"{figure.name}: the report says {said}; neither is taken. {_LOOK_IT_UP}")
        return _Settled(None, tuple(problems), is_disputed=True)
    if not values or any(reading.spoils for reading in readings):
        return _Settled(None, tuple(problems))
    ((value, answer), first) = values.popitem()
    breakdown = figure.breakdown(answer)
    taken = ReportFigure(figure.measure, breakdown, value, figure.unit, first.line)
    return _Settled(taken, tuple(problems))


def _checked_approvals(received: _Settled, approved: _Settled) -> _Settled:
    """Leave out approvals of a disputed number of applications, or of more than there were."""
    if approved.taken is None or not (received.taken or received.is_disputed):
        return approved
    said = f"{_APPROVED.name}: {approved.taken.value:.0f} approvals on line {approved.taken.line}"
    if received.taken is None:
        why = "belong to one of several numbers of applications"
    elif approved.taken.value > received.taken.value:
        why = (
            f"are more than the {received.taken.value:.0f} applications on line "
            f"{received.taken.line}"
        )
    else:
        return approved
    return _Settled(None, (*approved.problems, f"{said} {why}; not taken. {_LOOK_IT_UP}"))
