"""Groups findings into problems: findings of one rule on one sheet that ask for the same."""

import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from assets.intake.reading import place
from schemas import vocabulary as v
from schemas.finding import Finding
from schemas.rules.catalogue import rules
from schemas.template import Template
from schemas.wording import plural, visible

_MOST_TEXT: Final = 600
"""Characters of a message that are shown; a force's cell can hold 32,767."""

_NOUNS: Final = {"B": "blocking problem", "Q": "query", "N": "note"}


@dataclass(frozen=True)
class Problem:
    """One thing to do: at least one finding, all of one severity, rule, sheet and advice.

    `sheet` is empty where it concerns the whole file.
    """

    severity: str
    rule_id: str
    sheet: str
    findings: tuple[Finding, ...]

    @property
    def cells(self) -> tuple[str, ...]:
        """The address of every cell concerned, each once, in the order of the sheet."""
        return tuple(dict.fromkeys(f.cell for f in self.findings if f.cell))

    @property
    def where(self) -> str:
        """Sheet and cells in words."""
        cells = ", ".join(self.cells)
        return f"{visible(self.sheet)} {cells}".strip() if self.sheet else "the file"

    @property
    def value(self) -> str:
        """What stands in the cells; empty where nothing does, or not the same in all."""
        values = {item.value or "" for item in self.findings}
        return visible(values.pop()) if len(values) == 1 else ""

    @property
    def lines(self) -> tuple[str, ...]:
        """What is wrong: one line for each different message, with its cells where they differ."""
        cells: dict[str, list[str]] = {}
        for item in self.findings:
            cells.setdefault(message(item), []).extend([item.cell] if item.cell else [])
        if len(cells) == 1:
            (text,) = cells
            return (f"{len(self.cells)} cells: {text}" if len(self.cells) > 1 else text,)
        return tuple(f"{', '.join(at)}: {text}" if at else text for text, at in cells.items())

    @property
    def fix(self) -> str:
        """What to do about it, and where to read on."""
        advice = {fix(item) for item in self.findings}
        return advice.pop() if len(advice) == 1 else visible(_advice(self.findings[0]))


def message(item: Finding) -> str:
    """Return what is wrong, fit to be shown."""
    return visible(item.message, _MOST_TEXT)


def fix(item: Finding) -> str:
    """Return what to do about it and where to read on, fit to be shown."""
    return visible(item.how_to_fix, _MOST_TEXT)


def severity_word(severity: str) -> str:
    """Return a severity in a word or three: `blocks the return`, `query`, `note`."""
    return v.SEVERITIES[severity].partition(":")[0]


def grouped(findings: Iterable[Finding], template: Template) -> list[Problem]:
    """Return every finding in exactly one problem: what blocks first, then sheet by sheet.

    Sheets stand in the order of the template.
    """
    sheets = [sheet.name for sheet in template.sheets]
    severities, known = list(v.SEVERITIES), list(rules())

    def order(item: Finding) -> tuple[int, int, str, int, tuple[int, int]]:
        at = sheets.index(item.sheet) if item.sheet in sheets else len(sheets)
        return (
            severities.index(item.severity),
            at if item.sheet else -1,
            item.sheet or "",
            known.index(item.rule_id),
            place(item.cell) if item.cell else (0, 0),
        )

    found: dict[tuple[str, str, str, str], list[Finding]] = {}
    for item in sorted(findings, key=order):
        key = item.severity, item.rule_id, item.sheet or "", _advice(item)
        found.setdefault(key, []).append(item)
    return [Problem(*key[:3], tuple(items)) for key, items in found.items()]


def _advice(item: Finding) -> str:
    """Advice without the finding's own address: the same mistake in ten cells is one problem."""
    return (
        re.sub(rf"\b{item.cell}\b", "the cell", item.how_to_fix) if item.cell else item.how_to_fix
    )


def tally(problems: Iterable[Problem]) -> str:
    """Return how many problems there are of each severity: 2 blocking problems, 1 query."""
    counts = Counter(problem.severity for problem in problems)
    words = [plural(counts[code], noun) for code, noun in _NOUNS.items() if counts[code]]
    return ", ".join(words) or "nothing to mend"


def basis_line(basis: str | None) -> str | None:
    """Return the line to stand over a reconstructed return, None over any other."""
    return f"RECONSTRUCTED sample: {v.BASES[basis]}." if basis == "reconstructed" else None
