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

LOOK: Final = "Where to look first"
LOOK_IS: Final = (
    "the fewest cells whose change makes the sums hold that do not. Nothing was changed."
)


@dataclass(frozen=True)
class Look:
    """A cell that is likely wrong, as one of the cells of a repair, and what is told of it.

    `wording` is that of its row and column, `found` the number that stands there. `does` is what
    would do (`33 in place of 330`, `0 to 5 here`), `says` what for as well, and `title` whether
    there are other places.
    """

    sheet: str
    cell: str
    wording: str
    found: int | None
    does: str
    says: str
    title: str


@dataclass(frozen=True)
class Cause:
    """What may be wrong where sums do not hold: the repairs that would each do, likeliest first.

    `cells` are the places of the likeliest; `findings` has rule, sheet, row and column of what
    blocks only because of it, `rules` their rules.
    """

    repairs: tuple[tuple[Look, ...], ...]
    rules: tuple[str, ...]
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
        looks = (
            (_look(row, way, f"{LOOK}, way {number} of {ways_of(ways)}", template) for row in way)
            for number, way in enumerate(ways, 1)
        )
        changed = sorted(map(entry_of, ways[0]))
        edits = [edit for edit in template.edits if edit.rule in rule_ids]
        broken = [edit for edit in edits if not {*changed}.isdisjoint((*edit.parts, *edit.whole))]
        follow = {(edit.rule, *at) for edit in broken for at in edit.at}
        follow |= {(rule_id, *at) for rule_id in rule_ids for at in changed}
        told = tuple(map(tuple, looks))
        found.append(Cause(told, rule_ids, tuple(changed), tuple(sorted(follow))))
    return tuple(found)


def ways_of(several: Sequence[object]) -> str:
    """Return how many ways there are to mend something, of which not all may be known."""
    return f"{len(several)}{' or more' * (len(several) >= SEVERAL)}"


def _look(
    row: Mapping[str, Any], way: Sequence[Mapping[str, Any]], title: str, template: Template
) -> Look:
    found, needed, would = row["found"], row["needed"], would_do(row["low"], row["high"])
    does = f"{would} here" if None in {found, needed} else f"{needed} in place of {found}"
    others = together([each["cell"] for each in way if each["cell"] != row["cell"]])
    beside = f", with a change of {others}," if others else ""
    says = f"{does}{beside} mends what does not add up ({', '.join(row['rules'].split())})"
    title = title.removesuffix(", way 1 of 1")
    called = wording_of(template, *entry_of(row))
    return Look(row["sheet"], row["cell"], called, found, does, says, title)


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
