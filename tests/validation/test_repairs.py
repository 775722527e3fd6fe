"""Where to look first when sums do not hold: held to every possible change, and to slips."""

from datetime import date
from itertools import combinations, product
from pathlib import Path
from random import Random

import polars as pl
import pytest
from openpyxl import load_workbook

from assets.returns.validation.assets import repairs as repairs_mart
from assets.returns.validation.check import check_files
from assets.returns.validation.repairs import Repair, repairs
from schemas.collection import Collection
from schemas.collection_fields import RuleChange
from schemas.contract import conform
from schemas.edits import Edit, Numbers, edits_of
from schemas.marts.returns import Repairs
from schemas.template import Place
from tests.returns import SampleReturn, validated

Grid = dict[Place, int]


def _cross_footed(random: Random, rows: int, columns: int) -> tuple[Grid, list[Edit]]:
    """Return a table whose rows and columns add up to totals, which add up to one."""
    inner = {(f"r{r}", f"c{c}"): random.randrange(6) for r in range(rows) for c in range(columns)}
    lines = [f"r{r}" for r in range(rows)]
    heads = [f"c{c}" for c in range(columns)]
    inner |= {(r, "all"): sum(inner[r, c] for c in heads) for r in lines}
    inner |= {("all", c): sum(inner[r, c] for r in lines) for c in [*heads, "all"]}
    sums = [Edit("row", tuple(_at(r, c) for c in heads), (_at(r, "all"),)) for r in [*lines, "all"]]
    sums += [
        Edit("column", tuple(_at(r, c) for r in lines), (_at("all", c),)) for c in [*heads, "all"]
    ]
    return {_at(*at): number for at, number in inner.items()}, sums


def _at(row: str, column: str) -> Place:
    return ("sheet", row, column)


def _holds(numbers: Grid, edits: list[Edit]) -> bool:
    off = [sum(numbers[p] for p in e.parts) - sum(numbers[p] for p in e.whole) for e in edits]
    return all(d == 0 if e.equal else d <= 0 for d, e in zip(off, edits, strict=True))


def _by_trying(numbers: Grid, edits: list[Edit], most: int) -> set[tuple[tuple[Place, int], ...]]:
    """Return every smallest change that meets the conditions, by trying all there are."""
    for size in (1, 2):
        found = set()
        for places in combinations(sorted(numbers), size):
            for values in product(range(most), repeat=size):
                tried = {**numbers, **dict(zip(places, values, strict=True))}
                if all(numbers[p] != tried[p] for p in places) and _holds(tried, edits):
                    found.add(tuple(zip(places, values, strict=True)))
        if found:
            return found
    return set()


def _said(several: list[Repair]) -> set[tuple[tuple[Place, int], ...]]:
    """Return all that repairs say, each of one cause with each of every other."""
    causes: dict[int, list[Repair]] = {}
    for repair in several:
        causes.setdefault(repair.cause, []).append(repair)
    return {
        tuple(sorted(zip((c.place for c in changes), values, strict=True)))
        for chosen in product(*causes.values())
        for changes in [[c for repair in chosen for c in repair.changes]]
        for values in product(*(range(c.low, (c.high or c.low) + 1) for c in changes))
        if chosen
    }


@pytest.mark.parametrize("seed", range(12))
def test_they_are_all_the_smallest_changes_that_there_are(seed: int) -> None:
    random = Random(seed)
    numbers, edits = _cross_footed(random, 2, 2)
    slips = random.sample(sorted(numbers), random.choice([1, 1, 2]))
    for place in slips:
        numbers[place] = max(0, numbers[place] + random.choice([-3, -1, 1, 2]))
    if _holds(numbers, edits):
        assert repairs(numbers, edits) == []
        return
    every = _by_trying(numbers, edits, 24)
    said = _said(repairs(numbers, edits))
    assert said <= every
    linked = {place for change in every for place, _ in change}
    assert said == every or len({r.cause for r in repairs(numbers, edits)}) > 1, linked


def test_a_part_above_its_whole_may_be_less_or_the_whole_more() -> None:
    part, whole = _at("part", "n"), _at("whole", "n")
    found = repairs({part: 9, whole: 5}, [Edit("C502", (part,), (whole,), equal=False)])
    said = {(c.place, c.low, c.high, c.needed) for repair in found for c in repair.changes}
    assert said == {(part, 0, 5, None), (whole, 9, None, None)}
    assert {repair.rules for repair in found} == {("C502",)}


def test_a_blank_cell_gets_the_number_that_its_sums_leave_to_it() -> None:
    numbers, edits = _cross_footed(Random(3), 3, 3)
    blank = _at("r1", "c1")
    (found,) = repairs({**numbers, blank: None}, edits)
    (change,) = found.changes
    assert (change.place, change.found, change.needed) == (blank, None, numbers[blank])


def test_what_is_not_held_counts_as_nothing_where_it_may() -> None:
    parts, whole = (_at("a", "n"), _at("b", "n")), _at("all", "n")
    held: Numbers = {parts[0]: 7, parts[1]: "not_held", whole: 7}
    assert repairs(held, [Edit("C401", parts, (whole,), frozenset(parts))]) == []
    assert repairs({**held, whole: 8}, [Edit("C401", parts, (whole,))]) == [], "it does not apply"
    (first, *_) = repairs({**held, whole: 70}, [Edit("C401", parts, (whole,), frozenset(parts))])
    assert {c.place for c in first.changes} <= {parts[0], whole}


@pytest.mark.parametrize(
    ("true", "typed"),
    [(63, 36), (63, 6), (63, 633), (63, 68), (60, 600)],
    ids=["swapped", "lost", "doubled", "another", "moved"],
)
def test_the_likelier_slip_comes_first(true: int, typed: int) -> None:
    one, other, whole = _at("a", "n"), _at("b", "n"), _at("all", "n")
    found = repairs(
        {one: typed, other: 2345, whole: true + 2345}, [Edit("C1", (one, other), (whole,))]
    )
    assert found[0].rank == 1
    assert [(c.place, c.needed) for c in found[0].changes] == [(one, true)]


@pytest.fixture(scope="module")
def returned(live: pl.DataFrame) -> list[dict[Place, int | str | None]]:
    """What stands in each sample return."""
    said = pl.coalesce(pl.col("number").cast(pl.String), "value")
    return [
        {
            (sheet, row, column): int(says) if says and says.isdecimal() else says
            for sheet, row, column, says in mine.select(
                "sheet", "row_code", "column_code", said
            ).iter_rows()
        }
        for mine in live.partition_by("force_code")
    ]


CROSSED = "investigations"
OUTCOMES = {
    "continuing",
    "referred_external",
    "no_further_action",
    "management_action",
    "left_service",
}


def _slips(
    returned: list[dict[Place, int | str | None]], each: int
) -> list[tuple[Grid, Grid, Grid]]:
    """Return returns with so many slips of the hand in a cross-footed table, and what was right."""
    random, found = Random(20111), []
    for says in returned:
        table = {p: n for p, n in says.items() if p[0] == CROSSED and isinstance(n, int)}
        inner = sorted(p for p in table if p[2] in {*OUTCOMES, "total"} and table[p] > 0)
        places = random.sample(inner, each)
        if {p[2] for p in places} != {places[0][2]} and len({p[1] for p in places}) < each:
            continue
        typed = {p: random.choice([table[p] * 10, table[p] + 1, table[p] + 9]) for p in places}
        found.append((table, typed, {p: table[p] for p in places}))
    return found


def _named(table: Grid, typed: Grid, edits: list[Edit]) -> dict[Place, set[int | None]]:
    """Return the cells of the likeliest repairs, and what each should be."""
    first = [r for r in repairs({**table, **typed}, edits) if r.rank == 1]
    return {c.place: {c.needed} for repair in first for c in repair.changes}


@pytest.mark.slow
def test_one_slip_in_a_cross_footed_table_is_named_uniquely_and_rightly(
    returned: list[dict[Place, int | str | None]], collection: Collection
) -> None:
    edits = [e for e in edits_of(collection.template) if e.whole[0][0] == CROSSED]
    cases = _slips(returned, 1)
    assert len(cases) > 40
    for table, typed, true in cases:
        found = repairs({**table, **typed}, edits)
        assert [(c.place, c.needed) for r in found for c in r.changes] == [*true.items()], typed


def test_the_check_of_a_file_says_where_to_look_first(
    sample_folder: Path, tmp_path: Path, collection: Collection
) -> None:
    book = load_workbook(sample_folder / "STF.xlsx")
    slip, blank = book[CROSSED]["C11"], book[CROSSED]["F18"]
    was = slip.value, blank.value
    slip.value, blank.value = slip.value * 10, None
    book.save(tmp_path / "STF.xlsx")
    (checked,) = check_files([tmp_path / "STF.xlsx"], collection)
    found = checked.as_json()["repairs"]
    told = [(row["repair"], row["rank"], row["cell"], row["found"], row["needed"]) for row in found]
    assert told == [(1, 1, "C11", was[0] * 10, was[0]), (2, 1, "F18", None, was[1])]
    assert found[0]["rules"] == "C101 C102"


def test_the_mart_has_nothing_of_a_file_whose_force_cannot_be_told(collection: Collection) -> None:
    """It would break the contract of the mart, and so stop the run for all forces."""
    slip = (CROSSED, "information_disclosure.others", "continuing")
    judged = validated(
        SampleReturn.of("STF", collection).with_values({slip: "50"}).reading(), collection
    )
    for force, height in ((None, 0), ("STF", 1)):
        findings = judged.findings.with_columns(pl.lit(force, pl.String).alias("force_code"))
        found = repairs_mart(collection, findings, judged.entries)
        assert conform(Repairs, found).height == height


def test_what_a_collection_has_downgraded_is_no_condition(
    sample_folder: Path, tmp_path: Path, collection: Collection
) -> None:
    change = RuleChange(rule="C101", severity="Q", since=date(2012, 5, 1), reason="It is known.")
    lighter = collection.model_copy(update={"rule_changes": (change,)})
    book = load_workbook(sample_folder / "STF.xlsx")
    book[CROSSED]["C11"].value += 9
    book.save(tmp_path / "STF.xlsx")
    (checked,) = check_files([tmp_path / "STF.xlsx"], lighter)
    assert {*checked.repairs["rules"]} == {"C102"}


@pytest.mark.slow
def test_two_slips_are_named_rightly_nearly_always(
    returned: list[dict[Place, int | str | None]], collection: Collection
) -> None:
    edits = [e for e in edits_of(collection.template) if e.whole[0][0] == CROSSED]
    cases = _slips(returned, 2)
    assert len(cases) > 30
    right = [
        _named(table, typed, edits) == {p: {n} for p, n in true.items()}
        for table, typed, true in cases
    ]
    assert sum(right) >= 0.95 * len(right)
