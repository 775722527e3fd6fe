"""Groups findings into problems: findings of one rule on one sheet that ask for the same.

And words what sums that do not hold come from, so that workbook and letter say the same of it.
"""

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import count
from typing import Any, Final

import polars as pl

from assets.intake.reading import place
from assets.returns.validation.linked import SEVERAL
from assets.returns.validation.repairs import would_do
from schemas import vocabulary as v
from schemas.finding import Finding
from schemas.rules.catalogue import CASES, every_rule, rules_of
from schemas.template import Place, Template
from schemas.wording import plural, together, visible

_MOST_TEXT: Final = 600
"""Characters of a message that are shown; a force's cell can hold 32,767."""

_MOST_WORDINGS: Final = 4
_SEE: Final = re.compile(r" See docs/rules/[a-z_]+\.md#[a-z0-9]+\.$")
"""What advice ends with: a file of ours to read on in, which a force does not have."""

_OF_REPAIR: Final = ("sheet", "cell", "found", "needed", "low", "high")
_NOUNS: Final = {"B": "blocking problem", "Q": "query", "N": "note"}

LOOK: Final = "Where to look first"
LOOK_IS: Final = (
    "the fewest cells whose change makes the sums hold that do not. Nothing was changed."
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
    def does(self) -> str:
        """What would do there: `33 in place of 330`, `0 to 5 here`."""
        if None not in {self.found, self.needed}:
            return f"{self.needed} in place of {self.found}"
        return f"{would_do(self.low, self.high)} here"

    @property
    def says(self) -> str:
        """What would do, and what for: `33 in place of 330 mends what does not add up (C101)`."""
        beside = f", with a change of {together(self.beside)}," if self.beside else ""
        return f"{self.does}{beside} mends what does not add up ({', '.join(self.rules)})"

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
    cells: tuple[Place, ...]
    findings: tuple[tuple[str, str, str, str], ...]

    @property
    def looks(self) -> list[Look]:
        """The cells of all its repairs."""
        return [look for repair in self.repairs for look in repair]

    def where(self, sheet: str) -> str:
        """Return its cells, as they are called on a sheet: `C11`."""
        ways = (
            together([k.cell if k.sheet == sheet else f"{k.sheet} {k.cell}" for k in repair])
            for repair in self.repairs
        )
        return " or ".join(ways)


def causes_of(repairs: pl.DataFrame, template: Template) -> tuple[Cause, ...]:
    """Return the causes of one return, given its rows as repairs_of returns them."""
    found = []
    row = pl.col("cell").str.extract(r"([0-9]+)$").cast(pl.Int64)
    in_order = repairs.sort("repair", "rank", "sheet", row, pl.col("cell").str.len_bytes(), "cell")
    for _, rows in in_order.group_by("repair", maintain_order=True):
        rule_ids = tuple(rows["rules"][0].split())
        ways = [way.to_dicts() for way in rows.partition_by("rank", maintain_order=True)]
        looks = tuple(
            tuple(
                Look(
                    **{name: row[name] for name in _OF_REPAIR},
                    wording=wording(template, *_entry(row)),
                    rules=rule_ids,
                    beside=tuple(each["cell"] for each in way if each["cell"] != row["cell"]),
                    number=number,
                    of=len(ways),
                )
                for row in way
            )
            for number, way in enumerate(ways, 1)
        )
        changed = sorted(map(_entry, ways[0]))
        edits = [edit for edit in template.edits if edit.rule in rule_ids]
        broken = [edit for edit in edits if not {*changed}.isdisjoint((*edit.parts, *edit.whole))]
        follow = {(edit.rule, *at) for edit in broken for at in edit.at}
        follow |= {(rule_id, *at) for rule_id in rule_ids for at in changed}
        found.append(Cause(looks, tuple(changed), tuple(sorted(follow))))
    return tuple(found)


def follows(item: Finding, causes: Sequence[Cause]) -> tuple[int, ...]:
    """Return which causes, from 0, a finding only follows from: what their cells are asked does."""
    at = _entry(vars(item))
    return tuple(
        number
        for number, cause in enumerate(causes)
        if at in cause.cells or (item.blocks and (item.rule_id, *at) in cause.findings)
    )


def wording(template: Template, name: str, row_code: str, column_code: str) -> str:
    """Return what an entry is called: its row and its column, as the sheet has them."""
    sheet = template.sheet(name)
    (row,) = (row.label for row in sheet.rows if row.code == row_code)
    return f"{row}: {sheet.columns[column_code]}"


@dataclass(frozen=True)
class Problem:
    """One thing to do: at least one finding, all of one severity, rule, sheet and advice.

    `sheet` is empty where it concerns the whole file. `causes` are those that it follows from,
    `wordings` has for each finding that of its row and column, empty where it is at no entry.
    """

    severity: str
    rule_id: str
    sheet: str
    findings: tuple[Finding, ...]
    causes: tuple[Cause, ...] = ()
    wordings: tuple[str, ...] = ()

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
        first = (f"Follows from {', and from '.join(follows)}.",) if follows else ()
        return *first, *self.messages

    @property
    def messages(self) -> tuple[str, ...]:
        """One line for each different message, with its cells where they differ."""
        cells: dict[str, list[str]] = {}
        for item in self.findings:
            cells.setdefault(message(item), []).extend([item.cell] if item.cell else [])
        if len(cells) == 1:
            (text,) = cells
            return (f"{len(self.cells)} cells: {text}" if len(self.cells) > 1 else text,)
        return tuple(f"{', '.join(at)}: {text}" if at else text for text, at in cells.items())

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
        Problem(
            *key[:3],
            tuple(items),
            tuple(causes[n] for n in key[4]),
            tuple(
                wording(template, *at) if (at := _entry(vars(item))) in template.entry_at else ""
                for item in items
            ),
        )
        for key, items in found.items()
    ]


def _order_of(cell: str) -> tuple[int, int]:
    """Return the place of a cell, or of a row of an extract, as numbers."""
    row = cell.removeprefix("row ")
    return (int(row), 0) if row != cell else place(cell)


def _entry(at: Mapping[str, Any]) -> Place:
    return at["sheet"] or "", at["row_code"] or "", at["column_code"] or ""


def _advice(item: Finding) -> str:
    """Advice without the finding's own address: the same mistake in ten cells is one problem."""
    advice = _SEE.sub("", item.how_to_fix)
    return re.sub(rf"\b{item.cell}\b", "the cell", advice) if item.cell else advice


def numbered(
    problems: Sequence[Problem], causes: Sequence[Cause] = ()
) -> Iterator[tuple[str, Cause | None, list[Problem]]]:
    """Yield what there is to do, numbered: a cause with what follows from it, or one problem.

    A cause that nothing follows from is a help without a number.
    """
    number = count(1)
    for cause in causes:
        mine = [problem for problem in problems if problem.causes[:1] == (cause,)]
        yield str(next(number)) if mine else "", cause, mine
    for problem in problems:
        if not {*problem.causes[:1]} & {*causes}:
            yield str(next(number)), None, [problem]


def tally(problems: Iterable[Problem]) -> str:
    """Return how many things there are to do of each severity: 2 blocking problems, 1 query.

    What follows from one cause is one.
    """
    several = {(p.severity, p.causes[:1] or p) for p in problems}
    counts = Counter(severity for severity, _ in several)
    words = [plural(counts[code], noun) for code, noun in _NOUNS.items() if counts[code]]
    return ", ".join(words) or "nothing to mend"


def basis_line(basis: str | None) -> str | None:
    """Return the line to stand over a reconstructed return, None over any other."""
    return f"RECONSTRUCTED sample: {v.BASES[basis]}." if basis == "reconstructed" else None


_TOLD: Final = ("severity", "where", "called", "rule_id", "value", "lines", "fix")


def items(problems: Sequence[Problem], causes: Sequence[Cause] = ()) -> list[dict[str, Any]]:
    """Return what there is to do as a letter tells it, in the order and number of `numbered`.

    Each is a problem, or a cause with all that follows from it: texts by what they are, and lines.
    """
    return [
        _of_cause(cause, mine) if cause else {name: getattr(mine[0], name) for name in _TOLD}
        for label, cause, mine in numbered(problems, causes)
        if label
    ]


def _of_cause(cause: Cause, problems: Sequence[Problem]) -> dict[str, Any]:
    looks = cause.repairs[0]
    others = f" {looks[0].others}" if looks[0].others else ""
    does = [f"{look.cell}: {look.does}" for look in looks]
    mend = "mends" if len(looks) == 1 else "together mend"
    follow = []
    for problem in problems:
        where = ", ".join(problem.cells) if problem.sheet == looks[0].sheet else problem.where
        # What a sum asks for, the cause has said.
        more = "" if problem.rule_id in looks[0].rules else f". {problem.fix}"
        follow += [f"{where} ({problem.rule_id}): {line}{more}" for line in problem.messages]
    rule_ids = ", ".join(looks[0].rules)
    return {
        "severity": problems[0].severity,
        "where": ", ".join(f"{look.sheet} {look.cell}" for look in looks),
        "called": shortened([look.wording for look in looks]),
        "rule_id": rule_ids,
        "value": ", ".join("nothing" if k.found is None else str(k.found) for k in looks),
        "lines": (f"{'; '.join(does)} {mend} what does not add up ({rule_ids}).", *follow),
        "fix": f"This is where to look first: {LOOK_IS} You know what is right.{others}",
    }
