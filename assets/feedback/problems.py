"""Groups findings into problems: findings of one rule on one sheet that ask for the same."""

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import count
from typing import Any, Final

from assets.feedback.causes import LOOK_IS, Cause, entry_of, follows, ways_of, wording_of
from assets.intake.reading import place
from schemas import vocabulary as v
from schemas.finding import Finding
from schemas.rules.catalogue import CASES, every_rule, rules_of
from schemas.template import Template
from schemas.wording import plural, visible

_MOST_TEXT: Final = 600
"""Characters of a message that are shown; a force's cell can hold 32,767."""

_MOST_WORDINGS: Final = 4
_SEE: Final = re.compile(r" See docs/rules/[a-z_]+\.md#[a-z0-9]+\.$")
"""What advice ends with: a file of ours to read on in, which a force does not have."""

_NONE: Final[Mapping[Finding, str]] = {}
_NOUNS: Final = {"B": "blocking finding", "Q": "query", "N": "note"}


@dataclass(frozen=True)
class Problem:
    """One thing to do: at least one finding, all of one severity, rule, sheet and advice.

    `sheet` is empty where it concerns the whole file. `causes` are those that it follows from,
    `question` says what the question is about that it is part of, with others or with several
    findings of its own. `wordings` has for each finding that of its row and column, empty where it
    is at no entry.
    """

    severity: str
    rule_id: str
    sheet: str
    findings: tuple[Finding, ...]
    causes: tuple[Cause, ...] = ()
    question: str = ""
    wordings: tuple[str, ...] = ()

    @property
    def cells(self) -> tuple[str, ...]:
        """The address of every cell concerned, each once, in the order of the sheet."""
        return tuple(dict.fromkeys(f.cell for f in self.findings if f.cell))

    @property
    def where(self) -> str:
        """Sheet and cells in words."""
        return self.at(self.cells)

    @property
    def called(self) -> str:
        """What the cells are in words, the first ones of many; empty where none is an entry."""
        return shortened(self.wordings)

    @property
    def value(self) -> str:
        """What stands in the cells; empty where nothing does, or not the same in all."""
        values = {item.value or "" for item in self.findings}
        return visible(values.pop()) if len(values) == 1 else ""

    @property
    def lines(self) -> tuple[str, ...]:
        """What is wrong: what it follows from, and one line for each different message.

        With its cells, where they differ.
        """
        follows = [cause.where(self.sheet) for cause in self.causes]
        follows = [where for where in follows if (where,) != self.cells]
        first = [f"Follows from {', and from '.join(follows)}."] if follows else []
        if len(cells := self.said) == 1:
            (text,) = cells
            return *first, f"{len(self.cells)} cells: {text}" if len(self.cells) > 1 else text
        told = (f"{', '.join(at)}: {text}" if at else text for text, at in cells.items())
        return *first, *told

    @property
    def said(self) -> dict[str, list[str]]:
        """Each different message, with its cells."""
        cells: dict[str, list[str]] = {}
        for item in self.findings:
            cells.setdefault(message(item), []).extend([item.cell] if item.cell else [])
        return cells

    def at(self, cells: Iterable[str]) -> str:
        """Sheet and some of the cells in words."""
        return f"{visible(self.sheet)} {', '.join(cells)}".strip() if self.sheet else "the file"

    @property
    def fix(self) -> str:
        """What to do about it."""
        advice = {fix(item) for item in self.findings}
        return advice.pop() if len(advice) == 1 else visible(_advice(self.findings[0]))


def message(item: Finding) -> str:
    """Return what is wrong, fit to be shown."""
    return visible(item.message, _MOST_TEXT)


def fix(item: Finding) -> str:
    """Return what to do about it, fit to be shown."""
    return visible(_SEE.sub("", item.how_to_fix), _MOST_TEXT)


def shortened(wordings: Sequence[str]) -> str:
    """Return what cells are in words, each once; of many the first ones, and how many more."""
    several = list(dict.fromkeys(filter(None, wordings)))
    if len(several) > _MOST_WORDINGS:
        several[_MOST_WORDINGS - 1 :] = [f"and {len(several) - _MOST_WORDINGS + 1} more"]
    return "; ".join(several)


def severity_word(item: Finding | Problem) -> str:
    """Return a severity in a word or three: `blocks the return`, `query`, `note`."""
    word = v.SEVERITIES[item.severity].partition(":")[0]
    return word.replace("return", "extract") if item.rule_id in rules_of(CASES) else word


def grouped(
    findings: Sequence[Finding],
    template: Template,
    causes: Sequence[Cause] = (),
    questions: Mapping[Finding, str] = _NONE,
) -> list[Problem]:
    """Return every finding in exactly one problem: what blocks first, then sheet by sheet.

    Sheets stand in the order of the template. What follows from a cause comes before the rest,
    cause by cause. `questions` says what the question is about that a query is part of.
    """
    about = {it: questions[it] for it in findings if it in questions and not follows(it, causes)}
    several = Counter(about.values())
    sheets = [sheet.name for sheet in template.sheets]
    severities, known = list(v.SEVERITIES), list(every_rule())

    def order(item: Finding) -> tuple[Any, ...]:
        at = sheets.index(item.sheet) if item.sheet in sheets else len(sheets)
        return (
            severities.index(item.severity),
            follows(item, causes) or (len(causes),),
            at if item.sheet else -1,
            item.sheet or "",
            known.index(item.rule_id),
            _order_of(item.cell or "row 0"),
        )

    found: dict[tuple[str, str, str, tuple[int, ...], str, str], list[Finding]] = {}
    for item in sorted(findings, key=order):
        of, question = follows(item, causes), about.get(item, "")
        question = question if several[question] > 1 else ""
        key = item.severity, item.rule_id, item.sheet or "", of, question, _advice(item)
        found.setdefault(key, []).append(item)
    return [
        Problem(
            *key[:3],
            tuple(items),
            tuple(causes[n] for n in key[3]),
            key[4],
            tuple(
                wording_of(template, *at)
                if (at := entry_of(vars(item))) in template.entry_at
                else ""
                for item in items
            ),
        )
        for key, items in found.items()
    ]


def _order_of(cell: str) -> tuple[int, int]:
    """Return the place of a cell, or of a row of an extract, as numbers."""
    row = cell.removeprefix("row ")
    return (int(row), 0) if row != cell else place(cell)


def _advice(item: Finding) -> str:
    """Advice without the finding's own address: the same mistake in ten cells is one problem."""
    advice = _SEE.sub("", item.how_to_fix)
    return re.sub(rf"\b{item.cell}\b", "the cell", advice) if item.cell else advice


def tally(findings: Iterable[Finding]) -> str:
    """Return how many findings there are of each severity: 2 blocking findings, 1 query."""
    counts = Counter[str](item.severity for item in findings)
    words = [plural(counts[code], noun) for code, noun in _NOUNS.items() if counts[code]]
    return ", ".join(words) or "nothing to mend"


def basis_line(basis: str | None) -> str | None:
    """Return the line to stand over a reconstructed return, None over any other."""
    return f"RECONSTRUCTED sample: {v.BASES[basis]}." if basis == "reconstructed" else None


@dataclass(frozen=True)
class Thing:
    """One thing to do, with its number, as a letter tells it: a problem, or several with one cause.

    They follow from a `cause`, or one answer is good for all, which are `about` something. A cause
    that nothing follows from is a help without a number.
    """

    label: str
    problems: Sequence[Problem]
    where: str
    called: str
    rule_id: str
    value: str
    lines: tuple[str, ...]
    fix: str
    cause: Cause | None = None
    about: str = ""

    @property
    def severity(self) -> str:
        """The severity of its problems; empty where it has none."""
        return self.problems[0].severity if self.problems else ""

    @property
    def number(self) -> int:
        """How many findings it is."""
        return sum(len(each.findings) for each in self.problems)

    @property
    def told(self) -> dict[str, Any]:
        """What is told of it, by its names here."""
        names = ("severity", "number", "where", "called", "rule_id", "value", "lines", "fix")
        return {name: getattr(self, name) for name in names}


def to_do(
    findings: Sequence[Finding],
    template: Template,
    causes: Sequence[Cause] = (),
    questions: Mapping[Finding, str] = _NONE,
) -> tuple[Thing, ...]:
    """Return what there is to do, numbered: causes with what follows from them come first.

    Every finding is in one thing; `questions` is as for `grouped`.
    """
    problems, number, found = grouped(findings, template, causes, questions), count(1), []
    for cause in causes:
        mine = [problem for problem in problems if problem.causes[:1] == (cause,)]
        found.append(_of_cause(str(next(number)) if mine else "", cause, mine))
    for problem in problems:
        mine = [p for p in problems if p.question and p.question == problem.question] or [problem]
        if problem is mine[0] and not {*problem.causes[:1]} & {*causes}:
            found.append(_of_problems(str(next(number)), mine))
    return tuple(found)


def findings_of(things: Iterable[Thing]) -> list[Finding]:
    """Return all findings that things are about."""
    return [item for thing in things for each in thing.problems for item in each.findings]


def _of_problems(label: str, problems: Sequence[Problem]) -> Thing:
    """Return what there is to do about a question, or about a problem that is part of none."""
    first, at = problems[0], dict[str, dict[str, None]]()
    for each in problems:
        at.setdefault(visible(each.sheet), {}).update(dict.fromkeys(each.cells))
    where = (f"{sheet} {', '.join(cells)}".strip() or "the file" for sheet, cells in at.items())
    told = (
        f"{each.at(cells)} ({each.rule_id}): {text}"
        for each in problems
        for text, cells in each.said.items()
    )
    intro = f"Queries with one cause ({first.question}): one answer is enough for all."
    return Thing(
        label,
        problems,
        where="; ".join(where),
        called=shortened([wording for each in problems for wording in each.wordings]),
        rule_id=", ".join(dict.fromkeys(each.rule_id for each in problems)),
        value="" if first.question else first.value,
        lines=(intro, *told) if first.question else first.lines,
        fix=" ".join(dict.fromkeys(each.fix for each in problems)),
        about=first.question,
    )


def _of_cause(label: str, cause: Cause, problems: Sequence[Problem]) -> Thing:
    looks, rule_ids = cause.repairs[0], ", ".join(cause.rules)
    does, *others = [[f"{look.cell}: {look.does}" for look in way] for way in cause.repairs]
    mend = "mends" if len(looks) == 1 else "together mend"
    first = f"{'; '.join(does)} {mend} what does not add up ({rule_ids})."
    instead = [f"Or {'; or '.join(map(' and '.join, others))}."] if others else []
    follow = []
    for problem in problems:
        # What a sum asks for, the cause has said.
        more = "" if problem.rule_id in cause.rules else f". {problem.fix}"
        for text, cells in problem.said.items():
            where = ", ".join(cells) if problem.sheet == looks[0].sheet else problem.at(cells)
            follow.append(f"{where} ({problem.rule_id}): {text}{more}")
    stands = {(f.sheet, f.cell): f.value for each in problems for f in each.findings if f.value}
    values = (
        visible(stands.get((k.sheet, k.cell), "nothing")) if k.found is None else str(k.found)
        for k in looks
    )
    ways = f" This is the first of {ways_of(cause.repairs)} ways, green in the marked copy."
    return Thing(
        label,
        problems,
        where=", ".join(f"{look.sheet} {look.cell}" for look in looks),
        called=shortened([look.wording for look in looks]),
        rule_id=rule_ids,
        value=", ".join(values),
        lines=(first, *instead, *follow),
        fix=f"This is where to look first: {LOOK_IS} You know what is right.{ways * bool(others)}",
        cause=cause,
    )
