"""Which cells of a return are likely wrong, and what they should be: never applied, only shown.

Sums that do not hold say that something is wrong, not where. The fewest cells whose change makes
all of them hold (I. P. Fellegi and D. Holt, "A Systematic Approach to Automatic Edit and
Imputation", Journal of the American Statistical Association 71, 1976) are where to look first.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain, islice, product

import polars as pl

from assets.cases.derived import case_grid
from assets.returns.validation.linked import (
    MOST_CELLS,
    NONE,
    SEVERAL,
    Cause,
    Change,
    Linked,
    Slip,
    Ways,
    linked,
)
from assets.returns.validation.rules.evaluate import ENTRY
from schemas.marts import Repairs
from schemas.rules.catalogue import rules
from schemas.template import Edit, Grid, Numbers, Place, Template


@dataclass(frozen=True)
class Repair:
    """Cells that, changed together, meet all conditions that failed for one cause.

    `rank` is 1 for the likeliest of its cause; `rules` are those that fail without it.
    """

    cause: int
    rank: int
    changes: tuple[Change, ...]
    rules: tuple[str, ...]

    @property
    def says_something(self) -> bool:
        """Whether it says more than that cells without a number want some."""
        return not _only_fills(self.changes) or all(c.needed is not None for c in self.changes)


def would_do(low: int, high: int | None) -> str:
    """Return in words the numbers of a Change that would do: `33`, `0 to 5`, `9 or more`."""
    if high is None:
        return f"{low} or more"
    return str(low) if low == high else f"{low} to {high}"


def repairs(
    numbers: Numbers,
    edits: Iterable[Edit],
    *,
    before: Mapping[Place, int] | None = None,
    grids: Sequence[Grid] = (),
) -> list[Repair]:
    """Return for each cause the smallest repairs, likeliest first; none where many cells would do.

    Where cells that no condition links are wrong, each has a cause of its own. A cell without a
    number has to be mended in any case, and counts as none. `before` is what the version before
    said at the places where it said something else; along the cells of `grids`, row by row, lines
    are typed a place too far.
    """
    edits = [*edits]
    groups = [*linked(edits, numbers)]
    causes = [cause for each in groups for cause in each.causes()]
    open_ = [each.failing().difference(*(cause.edits for cause in causes)) for each in groups]
    whole = Linked([(edit, w) for edit in edits if (w := edit.weights(numbers))], numbers)
    slips = [slip for grid in grids for slip in whole.slips(grid)]
    for slip in sorted(slips, key=lambda it: (it.slips, -len(it.about.failing()))):
        failing = slip.about.failing()
        # Of what has no cause, a slip that explains some and not all explains nothing.
        if not any(each & failing and each - failing for each in open_):
            causes = _with_slip(causes, slip, failing)
    return [
        Repair(number, rank, changes, tuple(sorted({edit.rule for edit in cause.edits})))
        for number, cause in enumerate((cause for cause in causes if cause.ways), 1)
        for rank, changes in enumerate(_likeliest_first(cause.ways, before or {})[:SEVERAL], 1)
    ]


def _with_slip(causes: list[Cause], slip: Slip, failing: frozenset[Edit]) -> list[Cause]:
    """Return causes with a slip where it explains some of them as well as what is told of them.

    Of cells that have no number, and of very many, nothing is told then. `failing` are the
    conditions that the slip is about and that are not met as they stand.
    """
    mended = [cause for cause in causes if cause.edits & failing]
    slips = sum(cause.slips for cause in mended)
    is_likelier = not mended or slips > slip.slips + 1
    single = all(len(way) == 1 for cause in mended for way in cause.ways)
    in_doubt = all(len(cause.ways) != 1 for cause in mended) and (single or slip.slips > 1)
    if (
        not failing
        or slip.slips > (slips if mended else 2)
        or any(cause.edits - failing for cause in mended)
        or (in_doubt and not is_likelier)
    ):
        return causes
    way = slip.about.way(slip.numbers)
    if len(way) < 2 or _only_fills(way):
        return causes
    told = [way]
    if not is_likelier:
        rest = [cause.ways for cause in mended if not all(map(_only_fills, cause.ways))]
        told = [tuple(chain(*each)) for each in islice(product(*rest), SEVERAL)]
        if rest and len(way) <= MOST_CELLS:
            told = [*dict.fromkeys([*told, way])]
        elif len(told) == 1:
            told = []
    edits = frozenset().union(*(cause.edits for cause in mended)) or failing
    at = causes.index(mended[0]) if mended else len(causes)
    found = [cause for cause in causes if cause not in mended]
    found.insert(at, Cause(told, edits, slip.slips))
    return found


def _only_fills(way: Sequence[Change]) -> bool:
    return all(change.found is None for change in way)


def beside(
    receipts: pl.DataFrame,
    changes: pl.DataFrame,
    extracts: pl.DataFrame,
    by_month: pl.DataFrame,
    template: Template,
) -> pl.DataFrame:
    """Return what else is known of entries: `receipt_id`, ENTRY, `before` and `rows`.

    `before` is what the version before said where it said something else, and `rows` how many
    case rows of the force there are; null where nobody knows.
    """
    cases = case_grid(by_month, extracts.filter("live")["force_code"], template)
    of = receipts.select("receipt_id", "force_code", "version")
    earlier = changes.join(of, on=["force_code", "version"])
    said = pl.col("before").cast(pl.Int64, strict=False)
    return of.join(cases, on="force_code").select("receipt_id", *ENTRY, "rows").join(
        earlier.select("receipt_id", *ENTRY, said),
        on=["receipt_id", *ENTRY], how="full", coalesce=True,
    )  # fmt: skip


def repairs_of(
    findings: pl.DataFrame,
    entries: pl.DataFrame,
    template: Template,
    known: pl.DataFrame | None = None,
) -> pl.DataFrame:
    """Return the mart Repairs, but for force_code: of each return what to look at first.

    That is where conditions are broken, and where they leave one number alone to a cell that has
    none. Besides, `low` and `high` as in Change. What a collection has downgraded or switched off
    is no condition of it. `known` is as `beside` returns it.
    """
    every = template.edits
    order = {place: number for number, place in enumerate(template.entry_at)}
    by_cases = [u.id for u in template.rules if u.use == "cases" and rules()[u.id].severity == "B"]
    rows = []
    for (receipt_id,), told in findings.group_by("receipt_id", maintain_order=True):
        blocks, mine = told["severity"] == "B", pl.col("receipt_id") == receipt_id
        more = pl.DataFrame() if known is None else known.filter(mine)
        counted = _by_place(more, "rows")
        edits = [
            *every,
            *(Edit(u, (p,), (), at=(p,), more=n) for u in by_cases for p, n in counted.items()),
        ]
        lighter = {*told.filter(~blocks)["rule_id"]}
        edits = [edit for edit in edits if edit.rule not in lighter]
        says = entries.filter(mine).select(
            *ENTRY, "cell", pl.coalesce("number", "missing").cast(pl.String)
        )
        # A cell that could not be read has a finding, and no entry.
        lacking = told.select(*ENTRY, "cell", pl.lit(None, pl.String)).drop_nulls(ENTRY)
        at = {(*place,): (cell, said) for *place, cell, said in (*lacking.rows(), *says.rows())}
        numbers = {
            place: int(said) if said and said.isdecimal() else said
            for place, (_, said) in at.items()
        }
        # What a total should say of whose parts none is held nobody knows, nor what it is part of.
        wrong = {*told.select(ENTRY).rows()}
        for edit in edits:
            unheld = edit.equal and all(isinstance(numbers.get(p), str) for p in edit.parts)
            if unheld and edit.whole[0] in wrong:
                numbers.pop(edit.whole[0], None)
        before, grids = _by_place(more, "before"), template.grids
        found = [
            each
            for each in repairs(numbers, edits, before=before, grids=grids)
            if each.says_something
        ]
        causes = [*dict.fromkeys(each.cause for each in found)]
        rows += [
            (receipt_id, causes.index(repair.cause) + 1, repair.rank, change.place[0],
             at[change.place][0], *change.place[1:], change.found, change.needed,
             " ".join(repair.rules), change.low, change.high)
            for repair in found
            for change in sorted(repair.changes, key=lambda change: order[change.place])
        ]  # fmt: skip
    wanted = {c.name: c.dtype for c in Repairs.columns if c.name != "force_code"}
    return pl.DataFrame(rows, {**wanted, "low": pl.Int64, "high": pl.Int64}, orient="row")


def _by_place(known: pl.DataFrame, name: str) -> dict[Place, int]:
    if known.is_empty():
        return {}
    return {(*place,): number for *place, number in known.select(*ENTRY, name).drop_nulls().rows()}


def _likeliest_first(ways: Ways, before: Mapping[Place, int]) -> Ways:
    return sorted(ways, key=lambda way: (-_slip(way, before), len(way), str(way)))


def _slip(changes: Sequence[Change], before: Mapping[Place, int]) -> float:
    """Return how like slips of the hand changes are, from 0 to 1."""
    found, needed = (Counter(getattr(c, name) for c in changes) for name in ("found", "needed"))
    if len(changes) > 1 and (found & needed).total() >= max(2, len(changes) - 1):
        return 1.0
    typed = (1.0 if c.needed == before.get(c.place, NONE) else _typed(c) for c in changes)
    return sum(typed) / max(len(changes), 1)


def _typed(change: Change) -> float:
    """Return how likely one number was typed for another."""
    if change.found is None:
        return 1.0
    if change.needed is None:
        return 0.0
    one, other = str(change.found), str(change.needed)
    if sorted(one) == sorted(other) and sum(a != b for a, b in zip(one, other, strict=True)) == 2:
        return 0.9
    short, long = sorted((one, other), key=len)
    if len(long) == len(short) + 1:
        return 0.8 if any(long[:at] + long[at + 1 :] == short for at in range(len(long))) else 0.0
    apart = sum(a != b for a, b in zip(one, other, strict=False))
    return 0.6 if len(one) == len(other) and apart == 1 else 0.0
