"""Which cells of a return are likely wrong, and what they should be: never applied, only shown.

Sums that do not hold say that something is wrong, not where. The fewest cells whose change makes
all of them hold (I. P. Fellegi and D. Holt, "A Systematic Approach to Automatic Edit and
Imputation", Journal of the American Statistical Association 71, 1976) are where to look first.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence, Set
from dataclasses import dataclass
from itertools import islice
from typing import Final

import numpy as np
import polars as pl
from numpy.typing import NDArray

from schemas.contract import columns
from schemas.edits import Edit, Numbers, Weights, edits_of
from schemas.marts.returns import Repairs
from schemas.template import Place, Template

_HALF: Final = 0.5
SEVERAL: Final = 8
"""How many repairs of one cause are looked for."""

_MOST_CELLS: Final = 3
"""How many cells a repair may change; one that changes more names no cause."""

_Limit = tuple[NDArray[np.float64], float]
"""How often a sum takes each column, and what it is at most."""


@dataclass(frozen=True)
class Change:
    """A cell that says `found` (None: nothing, or no number), and what it may say instead.

    That is any whole number from `low` to `high`; without a limit where `high` is None.
    """

    place: Place
    found: int | None
    low: int
    high: int | None

    @property
    def needed(self) -> int | None:
        """The one number that meets all conditions; None where several do."""
        return self.low if self.low == self.high else None


@dataclass(frozen=True)
class Repair:
    """Cells that, changed together, meet all conditions that failed for one cause.

    `rank` is 1 for the likeliest of its cause; `rules` are those that fail without it.
    """

    cause: int
    rank: int
    changes: tuple[Change, ...]
    rules: tuple[str, ...]


def repairs(numbers: Numbers, edits: Iterable[Edit]) -> list[Repair]:
    """Return for each cause the smallest repairs, likeliest first; none where many cells would do.

    Where cells that no condition links are wrong, each has a cause of its own. A cell without a
    number has to be mended in any case, and counts as none.

    Args:
        numbers: what stands at the places of the conditions.
        edits: the conditions, such as those of edits_of.
    """
    found: list[Repair] = []
    for linked in _linked(edits, numbers):
        first = next(linked.smallest(), ())
        for part in linked.apart(first):
            rest = {c.place: c.low for c in first if c not in part}
            several = islice(linked.given(rest).smallest(), SEVERAL)
            cause = 1 + max((each.cause for each in found), default=0)
            failing = linked.failing({change.place for change in part})
            ordered = sorted(several, key=lambda changes: (-_slip(changes), str(changes)))
            ranked = enumerate(ordered, start=1)
            found += [Repair(cause, rank, changes, failing) for rank, changes in ranked]
    return found


def repairs_of(findings: pl.DataFrame, entries: pl.DataFrame, template: Template) -> pl.DataFrame:
    """Return the mart Repairs, but for force_code, of the returns that break a condition.

    What a collection has downgraded or switched off is no condition of it.

    Args:
        findings: what was found: table AllFindings, or the mart Findings.
        entries: table Entries.
        template: the template of the returns.
    """
    every = edits_of(template)
    address = ["sheet", "row_code", "column_code"]
    rows = []
    for (receipt_id,), told in findings.group_by("receipt_id", maintain_order=True):
        blocks = told["severity"] == "B"
        edits = [edit for edit in every if edit.rule not in {*told.filter(~blocks)["rule_id"]}]
        if {*told.filter(blocks)["rule_id"]}.isdisjoint(edit.rule for edit in edits):
            continue
        mine = entries.filter(pl.col("receipt_id") == receipt_id)
        says = mine.select(*address, "cell", pl.coalesce("number", "missing").cast(pl.String))
        # A cell that could not be read has a finding, and no entry.
        lacking = told.select(*address, "cell", pl.lit(None, pl.String)).drop_nulls(address)
        at = {(*place,): (cell, said) for *place, cell, said in (*lacking.rows(), *says.rows())}
        numbers = {
            place: int(said) if said and said.isdecimal() else said
            for place, (_, said) in at.items()
        }
        rows += [
            (receipt_id, repair.cause, repair.rank, change.place[0], at[change.place][0],
             *change.place[1:], change.found, change.needed, " ".join(repair.rules))
            for repair in repairs(numbers, edits) for change in repair.changes
        ]  # fmt: skip
    wanted = [column for column in columns(Repairs) if column.name != "force_code"]
    return pl.DataFrame(rows, {column.name: column.dtype for column in wanted}, orient="row")


def _linked(edits: Iterable[Edit], numbers: Numbers) -> "Iterator[_Linked]":
    """Yield the conditions that are not met, with all that share cells with them."""
    stated = [(edit, weights) for edit in edits if (weights := edit.weights(numbers))]
    groups: list[tuple[set[Place], list[tuple[Edit, Weights]]]] = []
    for each in stated:
        joined = [group for group in groups if group[0] & each[1].keys()]
        groups = [group for group in groups if group not in joined]
        places = set(each[1]).union(*(group[0] for group in joined))
        groups.append((places, [*(e for group in joined for e in group[1]), each]))
    for _, several in groups:
        linked = _Linked(several, numbers)
        if linked.failing():
            yield linked


class _Linked:
    """Conditions that share cells, as a program in whole numbers over the cells.

    Columns are the cells' numbers, and behind them of each cell whether it is changed.
    """

    def __init__(self, stated: Sequence[tuple[Edit, Weights]], numbers: Numbers) -> None:
        self._stated, self._numbers = stated, numbers
        self._places = sorted({place for _, weights in stated for place in weights})
        count = len(self._places)
        at = {place: column for column, place in enumerate(self._places)}
        self._sums = np.zeros((len(stated), count))
        for row, (_, weights) in enumerate(stated):
            self._sums[row, [at[place] for place in weights]] = [*weights.values()]
        says = [number if isinstance(number := numbers[p], int) else -1 for p in self._places]
        self._says = np.array(says, dtype=float)
        self._known = self._says >= 0
        self._most = float(self._says[self._known].sum() + 1)

    def failing(self, places: Set[Place] = frozenset()) -> tuple[str, ...]:
        """Return the rules of conditions that are not met, or about which nobody can say.

        With places, of those that are about one of them.
        """
        off = self._sums @ self._says
        unsaid = (self._sums[:, ~self._known] != 0).any(axis=1)
        wrong = {
            edit.rule
            for row, (edit, weights) in enumerate(self._stated)
            if (unsaid[row] or off[row] > 0 or (edit.equal and off[row] < 0))
            and (not places or places & weights.keys())
        }
        return tuple(sorted(wrong))

    def given(self, mended: Mapping[Place, int]) -> "_Linked":
        """Return the same where some cells have been mended."""
        return _Linked(self._stated, {**self._numbers, **mended})

    def apart(self, changes: Iterable[Change]) -> list[list[Change]]:
        """Return changes by what they mend: those that a condition links belong together."""
        groups: list[list[Change]] = []
        for change in changes:
            near = {p for _, w in self._stated if change.place in w for p in w}
            joined = [group for group in groups if near & {c.place for c in group}]
            groups = [group for group in groups if group not in joined]
            groups.append([*(c for group in joined for c in group), change])
        return groups

    def smallest(self) -> Iterator[tuple[Change, ...]]:
        """Yield the sets of fewest cells whose change meets all conditions, with their numbers."""
        count, unknown = len(self._places), np.flatnonzero(~self._known)
        fewest = _MOST_CELLS
        found: list[NDArray[np.intp]] = []
        while True:
            cuts: list[_Limit] = [(_ones(2 * count, cut + count), len(cut) - 1) for cut in found]
            few = _ones(2 * count, np.arange(count) + count), fewest
            solved = self._solved(np.repeat([0.0, 1.0], count), [few, *cuts])
            if solved is None:
                return
            cells = np.flatnonzero(solved[count:] > _HALF)
            places = np.union1d(cells, unknown)
            yield tuple(self._change(int(column), places) for column in places)
            if not len(cells):
                return
            fewest = len(cells)
            found.append(cells)

    def _change(self, column: int, changed: NDArray[np.intp]) -> Change:
        """Return what a cell may say where these are changed, and no other."""
        cost = np.zeros(2 * len(self._places))
        ends = []
        for sign in (1.0, -1.0):
            cost[column] = sign
            solved = self._solved(cost, [], changed)
            ends.append(0 if solved is None else round(solved[column]))
        low, high = ends
        found = int(self._says[column]) if self._known[column] else None
        return Change(self._places[column], found, low, None if high >= self._most else high)

    def _solved(
        self,
        cost: NDArray[np.float64],
        besides: Sequence[_Limit],
        changed: NDArray[np.intp] | None = None,
    ) -> NDArray[np.float64] | None:
        """Return the cheapest numbers that meet all conditions; None where there are none."""
        from scipy.optimize import Bounds, LinearConstraint, milp

        count, says, most = len(self._places), np.where(self._known, self._says, 0), self._most
        may = self._known if changed is None else np.isin(np.arange(count), changed) & self._known
        eye, none = np.eye(count), np.zeros((len(self._stated), count))
        least = [0.0 if edit.equal else -np.inf for edit, _ in self._stated]
        reach = np.where(self._known, most, 0)
        found = milp(
            cost,
            integrality=np.ones(2 * count, dtype=int),
            bounds=Bounds(0, np.concatenate([np.full(count, most), may])),
            constraints=[
                LinearConstraint(np.hstack([self._sums, none]), least, 0),
                # A known cell stays as it is unless it is changed.
                LinearConstraint(
                    np.hstack([eye, -np.diag(reach)]), -np.inf, np.where(self._known, says, most)
                ),
                LinearConstraint(np.hstack([eye, np.diag(says)]), says, np.inf),
                *(LinearConstraint(row, -np.inf, most) for row, most in besides),
            ],
        )
        return None if found.x is None else np.round(found.x)


def _ones(count: int, columns: NDArray[np.intp]) -> NDArray[np.float64]:
    row = np.zeros(count)
    row[columns] = 1
    return row


def _slip(changes: Sequence[Change]) -> float:
    """Return how like slips of the hand changes are, from 0 to 1."""
    swapped = {change.found for change in changes} == {change.needed for change in changes}
    if len(changes) > 1 and swapped:
        return 1.0
    return sum(map(_typed, changes)) / max(len(changes), 1)


def _typed(change: Change) -> float:
    """Return how likely one number was typed for another."""
    if change.found is None or change.needed is None:
        return 0.0
    one, other = str(change.found), str(change.needed)
    if sorted(one) == sorted(other) and sum(a != b for a, b in zip(one, other, strict=True)) == 2:
        return 1.0
    short, long = sorted((one, other), key=len)
    if len(long) == len(short) + 1:
        return 0.8 if any(long[:at] + long[at + 1 :] == short for at in range(len(long))) else 0.0
    apart = sum(a != b for a, b in zip(one, other, strict=False))
    return 0.6 if len(one) == len(other) and apart == 1 else 0.0
