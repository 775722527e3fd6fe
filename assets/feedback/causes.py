"""Words what sums that do not hold come from, so that workbook, letter and command say the same."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import polars as pl

from assets.returns.validation.linked import SEVERAL
from assets.returns.validation.repairs import would_do
from schemas.finding import Finding
from schemas.template import Place, Template
from schemas.wording import together

_OF_REPAIR: Final = ("sheet", "cell", "found", "needed", "low", "high")

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
                    wording=wording_of(template, *entry_of(row)),
                    rules=rule_ids,
                    beside=tuple(each["cell"] for each in way if each["cell"] != row["cell"]),
                    number=number,
                    of=len(ways),
                )
                for row in way
            )
            for number, way in enumerate(ways, 1)
        )
        changed = sorted(map(entry_of, ways[0]))
        edits = [edit for edit in template.edits if edit.rule in rule_ids]
        broken = [edit for edit in edits if not {*changed}.isdisjoint((*edit.parts, *edit.whole))]
        follow = {(edit.rule, *at) for edit in broken for at in edit.at}
        follow |= {(rule_id, *at) for rule_id in rule_ids for at in changed}
        found.append(Cause(looks, tuple(changed), tuple(sorted(follow))))
    return tuple(found)


def follows(item: Finding, causes: Sequence[Cause]) -> tuple[int, ...]:
    """Return which causes, from 0, a finding only follows from: what their cells are asked does."""
    at = entry_of(vars(item))
    return tuple(
        number
        for number, cause in enumerate(causes)
        if at in cause.cells or (item.blocks and (item.rule_id, *at) in cause.findings)
    )


def wording_of(template: Template, name: str, row_code: str, column_code: str) -> str:
    """Return what an entry is called: its row and its column."""
    sheet = template.sheet(name)
    (row,) = (row.label for row in sheet.rows if row.code == row_code)
    return f"{row}: {sheet.columns[column_code]}"


def entry_of(at: Mapping[str, Any]) -> Place:
    """Return the place of the entry that a finding, or a row, is about; empty texts for none."""
    return at["sheet"] or "", at["row_code"] or "", at["column_code"] or ""
