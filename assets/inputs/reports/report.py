"""Reads the figures out of a published force report; one in doubt is a problem, not a figure."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final, NamedTuple

from assets.inputs.reports.doubts import UNREAD, unread
from assets.inputs.reports.force_name import find_force, find_names
from assets.inputs.reports.said import Said, Statement
from assets.inputs.reports.sentences import Sentence, clean_line, marked_lines, read_sentences
from assets.inputs.reports.signs import OWN_FORCE, Times, speaks, vocabulary
from assets.inputs.reports.statements import STAFFING, say
from schemas.breakdown import write_breakdown

_LOOK_IT_UP: Final = "Look it up in the report."
_MOST_EXPLAINED: Final = 100
"""The words that stopped a sentence take long to find; more is no force report."""


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


class _Figure(NamedTuple):
    measure: str
    unit: str
    parts: Mapping[str, str] = MappingProxyType({})

    @property
    def name(self) -> str:
        return f"{self.measure} {write_breakdown(self.parts)}".rstrip()


_FIGURES: Final = {
    "inv": _Figure("investigations", "count"),
    "med": _Figure(
        "investigations", "count", {"category": "information_disclosure", "recipient": "media"}
    ),
    "soc": _Figure("social_media_cases", "cases"),
    "app": _Figure("second_job_applications", "count"),
    "ok": _Figure("second_job_applications", "count", {"decision": "approved"}),
    STAFFING: _Figure("capability", "boolean", {"question": "acu_staffing_change"}),
}


def read_report(text: str, times: Times) -> Report:
    """Return the force and the figures of a report's text, of a collection's times.

    Raises nothing for what a report says or leaves out: that is in `figures` and `problems`.
    """
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    force = find_force([clean_line(line) for line in text.split("\n")])
    # Below the heading of the findings, even where that runs into what follows.
    below = text.split("\n")[force.findings_line :]
    sentences = read_sentences("\n" * force.findings_line + "\n".join(below))
    # A text without title can be of the one force in it, where that cannot be confused.
    named = {name.code for sentence in sentences for name in find_names(sentence.text)}
    said = _said(sentences, force.force_code or (min(named) if len(named) == 1 else None), times)
    marked = marked_lines(text)
    for each in said:
        if any(one.line in marked for one in each.statements):
            each.doubt("bears the mark of a note")
    problems = [force.problem] if force.problem else []
    taken: dict[str, ReportFigure] = {}
    for name, figure in _FIGURES.items():
        values, told = _settled(name, figure, said)
        problems += told
        counted = {one.figure for each in said for one in each.statements if one.value is not None}
        if name == "ok" and values and "app" in counted:
            values, told = _checked_approvals(values, taken.get("app"), figure)
            problems += told
        for one in values:
            answer = {"answer": one.answer} if one.answer else {}
            breakdown = write_breakdown({**figure.parts, **answer})
            value = float(one.value or 0)
            taken[name] = ReportFigure(figure.measure, breakdown, value, figure.unit, one.line)
    if {"inv", "med"} <= taken.keys() and taken["med"].value > taken["inv"].value:
        media, whole = taken.pop("med"), taken.pop("inv")
        problems.append(
            f"{_FIGURES['med'].name}: {media.value:.0f} on line {media.line} are more than the"
            f" {whole.value:.0f} investigations on line {whole.line}; neither is taken."
            f" {_LOOK_IT_UP}"
        )
    return Report(force.force_code, tuple(taken.values()), tuple(problems))


def _said(sentences: Sequence[Sentence], force_code: str | None, times: Times) -> list[Said]:
    site = vocabulary().words["site"]
    everything = " ".join(sentence.text for sentence in sentences).lower()
    sites = frozenset(filter(site.fullmatch, re.findall(r"[a-z]+", everything)))
    told: list[Said] = []
    for sentence in sentences:
        told.append(say(sentence, force_code, told[-1] if told else None, sites, times))
    unread = (each for each in told if each.parts is None and OWN_FORCE not in each.words)
    if of_all := next((each for each in unread if speaks("of_all", each.words)), None):
        for said in told:
            said.doubt(f"is one of figures of which line {of_all.sentence.lines[0]} tells")
    return told


def _settled(name: str, figure: _Figure, said: Sequence[Said]) -> tuple[list[Statement], list[str]]:
    """Return the one statement on which all sentences agree, if any, and what to tell people.

    A sentence that cannot be read may change what the others of its paragraph say.
    """
    problems: list[str] = []
    doubtful: set[int] = set()
    statements: dict[tuple[int, str], list[tuple[int, Statement]]] = {}
    for sentence in said:
        paragraph = sentence.sentence.paragraph
        for statement in dict.fromkeys(one for one in sentence.statements if one.figure == name):
            if statement.value is not None:
                key = (statement.value, statement.answer)
                statements.setdefault(key, []).append((paragraph, statement))
            if statement.why:
                doubtful.add(paragraph)
                why = statement.why
                if why == UNREAD and len(problems) < _MOST_EXPLAINED:
                    why = unread(sentence)
                problems.append(
                    f"{figure.name}: '{statement.words}' on line {statement.line} {why}; "
                    f"not taken. {_LOOK_IT_UP}"
                )
    if len(statements) > 1:
        firsts = [found[0][1] for found in statements.values()]
        both = " and ".join(f"'{one.words}' on line {one.line}" for one in firsts)
        problems.append(f"{figure.name}: the report says {both}; neither is taken. {_LOOK_IT_UP}")
        return [], problems
    sure = [
        statement
        for found in statements.values()
        for paragraph, statement in found
        if paragraph not in doubtful
    ]
    return sure[:1], problems


def _checked_approvals(
    approved: list[Statement], received: ReportFigure | None, figure: _Figure
) -> tuple[list[Statement], list[str]]:
    """Leave out approvals of a disputed number of applications, or of more than there were."""
    (statement,) = approved
    if received and (statement.value or 0) <= received.value:
        return approved, []
    why = (
        f"are more than the {received.value:.0f} applications on line {received.line}"
        if received
        else "belong to a number of applications that is not certain"
    )
    said = f"{figure.name}: {statement.value} approvals on line {statement.line} {why}"
    return [], [f"{said}; not taken. {_LOOK_IT_UP}"]
