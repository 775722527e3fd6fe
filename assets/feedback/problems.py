"""Groups findings into problems: findings of one rule on one sheet that ask for the same.

And words what sums that do not hold come from, so that workbook and letter say the same of it.
"""

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Final

import polars as pl

from assets.intake.reading import place
from assets.returns.validation.linked import SEVERAL
from assets.returns.validation.repairs import would_do
from schemas import vocabulary as v
from schemas.edits import edits_of
from schemas.finding import Finding
from schemas.rules.catalogue import CASES, every_rule, rules_of
from schemas.template import Place, Template
from schemas.wording import plural, visible

_MOST_TEXT: Final = 600
"""Characters of a message that are shown; a force's cell can hold 32,767."""

_NOUNS: Final = {"B": "blocking problem", "Q": "query", "N": "note"}

LOOK: Final = "Where to look first"
LOOK_IS: Final = (
    "the fewest cells whose change satisfies the rules about sums that failed. Nothing was changed."
)


@dataclass(frozen=True)
class Look:
    """A cell that is likely wrong, as one of the cells of a repair.

    `wording` is that of its row and column, `low` and `high` are as in Change, `beside` names the
    other cells of the repair, and `number` is its place among the `of` repairs of the cause, the
    likeliest first.
    """

    sheet: str
    cell: str
    wording: str
    found: int | None
    needed: int | None
    low: int
    high: int | None
    rules: tuple[str, ...]
    beside: tuple[str, ...]
    number: int
    of: int

    @property
    def title(self) -> str:
        """What it is: where to look first, and whether there are other places."""
        return LOOK if self.of == 1 else f"{LOOK}, way {self.number} of {self._ways}"

    @property
    def others(self) -> str:
        """Whether there are other places; empty where there are none."""
        told = f"This is the first of {self._ways} ways, green in the marked copy."
        return told if self.of > 1 else ""

    @property
    def says(self) -> str:
        """What would do: `33 in place of 330 satisfies C101`, `0 to 5 here satisfies C502`."""
        does = f"{would_do(self.low, self.high)} here"
        if None not in {self.found, self.needed}:
            does = f"{self.needed} in place of {self.found}"
        beside = f", with a change of {' and '.join(self.beside)}," if self.beside else ""
        return f"{does}{beside} satisfies {', '.join(self.rules)}"

    @property
    def _ways(self) -> str:
        return str(self.of) if self.of < SEVERAL else f"{self.of} or more"


@dataclass(frozen=True)
class Cause:
    """What may be wrong where sums do not hold: the repairs that would each do, likeliest first.

    `cells` are the places of the likeliest; `findings` has rule, sheet, row and column of what
    blocks only because of it.
    """

    repairs: tuple[tuple[Look, ...], ...]
    cells: frozenset[Place]
    findings: tuple[tuple[str, str, str, str], ...]

    @property
    def looks(self) -> list[Look]:
        """The cells of all its repairs."""
        return [look for repair in self.repairs for look in repair]

    def where(self, sheet: str) -> str:
        """Return its cells, as they are called on a sheet: `C11`."""
        ways = (
            " and ".join(k.cell if k.sheet == sheet else f"{k.sheet} {k.cell}" for k in repair)
            for repair in self.repairs
        )
        return " or ".join(ways)


def causes_of(repairs: pl.DataFrame, template: Template) -> tuple[Cause, ...]:
    """Return the causes of one return.

    Args:
        repairs: its rows, as repairs_of returns them.
        template: its template.
    """
    found = []
    for _, rows in repairs.group_by("repair", maintain_order=True):
        ways = rows.partition_by("rank", maintain_order=True)
        rule_ids = tuple(rows["rules"][0].split())
        looks = tuple(
            tuple(
                Look(
                    row["sheet"],
                    row["cell"],
                    _wording(template, row["sheet"], row["row_code"], row["column_code"]),
                    row["found"],
                    row["needed"],
                    row["low"],
                    row["high"],
                    rule_ids,
                    tuple(cell for cell in way["cell"] if cell != row["cell"]),
                    number,
                    len(ways),
                )
                for row in way.iter_rows(named=True)
            )
            for number, way in enumerate(ways, 1)
        )
        changed = frozenset(ways[0].select("sheet", "row_code", "column_code").iter_rows())
        follow = {
            (edit.rule, *at)
            for edit in edits_of(template)
            if edit.rule in rule_ids and changed & {*edit.parts, *edit.whole}
            for at in edit.at
        } | {(rule_id, *at) for rule_id in rule_ids for at in changed}
        found.append(Cause(looks, changed, tuple(sorted(follow))))
    return tuple(found)


def follows(item: Finding, causes: Sequence[Cause]) -> tuple[int, ...]:
    """Return which causes, from 0, a finding only follows from: what their cells are asked does."""
    at = item.sheet or "", item.row_code or "", item.column_code or ""
    return tuple(
        number
        for number, cause in enumerate(causes)
        if ((item.rule_id, *at) in cause.findings if item.blocks else at in cause.cells)
    )


def _wording(template: Template, name: str, row_code: str, column_code: str) -> str:
    sheet = template.sheet(name)
    (row,) = (row.label for row in sheet.rows if row.code == row_code)
    return f"{row}: {sheet.columns[column_code]}"


@dataclass(frozen=True)
class Problem:
    """One thing to do: at least one finding, all of one severity, rule, sheet and advice.

    `sheet` is empty where it concerns the whole file. `causes` are those that it follows from.
    """

    severity: str
    rule_id: str
    sheet: str
    findings: tuple[Finding, ...]
    causes: tuple[Cause, ...] = ()

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
        """What is wrong: what it follows from, and one line for each different message.

        With its cells, where they differ.
        """
        follows = [cause.where(self.sheet) for cause in self.causes]
        first = (f"Follows from {', and from '.join(follows)}.",) if follows else ()
        cells: dict[str, list[str]] = {}
        for item in self.findings:
            cells.setdefault(message(item), []).extend([item.cell] if item.cell else [])
        if len(cells) == 1:
            (text,) = cells
            return *first, f"{len(self.cells)} cells: {text}" if len(self.cells) > 1 else text
        texts = (f"{', '.join(at)}: {text}" if at else text for text, at in cells.items())
        return *first, *texts

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


def severity_word(item: Finding | Problem) -> str:
    """Return a severity in a word or three: `blocks the return`, `query`, `note`."""
    word = v.SEVERITIES[item.severity].partition(":")[0]
    return word.replace("return", "extract") if item.rule_id in rules_of(CASES) else word


def grouped(
    findings: Iterable[Finding], template: Template, causes: Sequence[Cause] = ()
) -> list[Problem]:
    """Return every finding in exactly one problem: what blocks first, then sheet by sheet.

    Sheets stand in the order of the template. What follows from a cause comes before the rest,
    cause by cause.
    """
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

    found: dict[tuple[str, str, str, str, tuple[int, ...]], list[Finding]] = {}
    for item in sorted(findings, key=order):
        key = item.severity, item.rule_id, item.sheet or "", _advice(item), follows(item, causes)
        found.setdefault(key, []).append(item)
    return [
        Problem(*key[:3], tuple(items), tuple(causes[n] for n in key[4]))
        for key, items in found.items()
    ]


def _order_of(cell: str) -> tuple[int, int]:
    """Return the place of a cell, or of a row of an extract, as numbers."""
    row = cell.removeprefix("row ")
    return (int(row), 0) if row != cell else place(cell)


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
