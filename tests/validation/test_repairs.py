"""Where to look first when sums do not hold: held to every possible change, and to slips."""

from collections.abc import Callable
from datetime import date
from itertools import combinations, pairwise, product
from pathlib import Path
from random import Random
from time import process_time

import numpy as np
import polars as pl
import pytest
from openpyxl import load_workbook

from assets.returns.desk.versions import version_changes
from assets.returns.validation.assets import repairs as repairs_mart
from assets.returns.validation.check import check_files
from assets.returns.validation.judge import judge
from assets.returns.validation.linked import SEVERAL, Change
from assets.returns.validation.repairs import Repair, beside, repairs, repairs_of, would_do
from assets.returns.validation.rules.entries import Received
from assets.returns.validation.rules.evaluate import ENTRY
from schemas.cases import case_cells
from schemas.collection import Collection
from schemas.collection_fields import RuleChange
from schemas.conform import conform
from schemas.contract import empty
from schemas.marts import InvestigationsByMonth, Repairs
from schemas.tables import Extracts, Receipts, VersionChanges
from schemas.template import Edit, Numbers, Place
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


def _nested(random: Random) -> tuple[Grid, list[Edit]]:
    """Return a subtotal within a total, part of which is at most another number."""
    a, b, other, least = (random.randrange(6) for _ in range(4))
    numbers = {"a": a, "b": b, "sub": a + b, "other": other, "all": a + b + other}
    numbers["few"] = min(least, a + b)
    return _stated(numbers, "a+b=sub", "sub+other=all", "few<=sub")


def _doubled(random: Random) -> tuple[Grid, list[Edit]]:
    """Return a total that a number is in twice, so that it moves by twice as much."""
    a, b, c = (random.randrange(6) for _ in range(3))
    numbers = {"a": a, "b": b, "c": c, "ab": a + b, "ac": a + c, "all": 2 * a + b + c}
    return _stated(numbers, "a+b=ab", "a+c=ac", "ab+ac=all")


def _stated(numbers: dict[str, int], *written: str) -> tuple[Grid, list[Edit]]:
    edits = []
    for each in written:
        parts, whole = each.replace("<", "").split("=")
        named = tuple(_at(part, "n") for part in parts.split("+"))
        edits.append(Edit(each, named, (_at(whole, "n"),), equal="<" not in each))
    return {_at(name, "n"): number for name, number in numbers.items()}, edits


SHAPES = [lambda random: _cross_footed(random, 2, 2), _nested, _doubled]
MOST = 24


def _by_trying(numbers: Numbers, edits: list[Edit]) -> set[tuple[tuple[Place, int], ...]]:
    """Return every smallest change that meets the conditions, by trying all there are."""
    places = sorted(numbers)
    sums = np.array([[(p in e.parts) - (p in e.whole) for p in places] for e in edits])
    equal = np.array([e.equal for e in edits])
    says = np.array([-1 if numbers[p] is None else numbers[p] for p in places])
    blank, known = np.flatnonzero(says < 0), np.flatnonzero(says >= 0)
    for size in range(4):
        found = set()
        for chosen in combinations(known.tolist(), size):
            columns = [*blank.tolist(), *chosen]
            values = np.array([*product(range(MOST), repeat=len(columns))])
            tried = np.repeat(says[None], len(values), axis=0)
            tried[:, columns] = values
            off = tried @ sums.T
            holds = np.where(equal, off == 0, off <= 0).all(axis=1)
            changed = (tried[:, chosen] != says[list(chosen)]).all(axis=1)
            for each in values[holds & changed].tolist():
                found.add(tuple(sorted(zip((places[c] for c in columns), each, strict=True))))
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
        for values in product(*(range(c.low, _last(c) + 1) for c in changes))
        if chosen
    }


def _last(change: Change) -> int:
    return MOST - 1 if change.high is None else min(change.high, MOST - 1)


@pytest.mark.parametrize("seed", range(12))
@pytest.mark.parametrize("shape", SHAPES)
def test_they_are_all_the_smallest_changes_that_there_are(
    shape: Callable[[Random], tuple[Grid, list[Edit]]], seed: int
) -> None:
    random = Random(seed)
    true, edits = shape(random)
    typed: dict[Place, int | str | None] = {**true}
    for place in random.sample(sorted(true), random.choice([1, 1, 2])):
        typed[place] = max(0, true[place] + random.choice([-3, -1, 1, 2]))
    if seed % 4 == 0:
        typed[random.choice(sorted(true))] = None
    every, found = _by_trying(typed, edits), repairs(typed, edits)
    if every == {()}:
        assert found == []
        return
    said = _said(found)
    assert said
    assert said <= every
    assert said == every or len(said) >= SEVERAL, "all of them, or as many as are looked for"


def test_two_slips_of_one_size_are_told_with_the_other_pair_of_corners() -> None:
    """Either pair mends all sums, so that neither alone may be called the cells that are wrong."""
    true, edits = _cross_footed(Random(3), 3, 3)
    one, other = _at("r1", "c2"), _at("r2", "c1")
    found = repairs({**true, one: true[one] + 1, other: true[other] + 1}, edits)
    assert {each.cause for each in found} == {1}
    corners = {_at("r1", "c1"), _at("r2", "c2")}
    assert {frozenset(c.place for c in each.changes) for each in found} == {
        frozenset({one, other}),
        frozenset(corners),
    }


def _registers(random: Random) -> tuple[Grid, list[Edit]]:
    """Return rows that add up, each for itself."""
    numbers, edits = {}, []
    for row in ("r0", "r1", "r2", "r3"):
        a, b, whole = (_at(row, column) for column in ("c0", "c1", "c2"))
        numbers |= {a: random.randrange(6), b: random.randrange(6)}
        numbers[whole] = numbers[a] + numbers[b]
        edits.append(Edit("row", (a, b), (whole,)))
    return numbers, edits


def _one_column(random: Random) -> tuple[Grid, list[Edit]]:
    """Return one column with a subtotal and a total, which no rows are held to."""
    a, b, c, d, e = (random.choice([0, 0, 1, 2, 3, 5]) for _ in range(5))
    numbers = {"1": a, "2": b, "3": c, "4": a + b + c, "5": d, "6": e, "7": a + b + c + d + e}
    return _stated(numbers, "1+2+3=4", "4+5+6=7")


def _slipped(typed: Numbers, kind: str, random: Random) -> Numbers:
    """Return a table after one slip: of a cell, or along a row or a column."""
    typed, lines = {**typed}, [line for line in _lines(typed) if len(line) > 2]
    line = random.choice(lines)[:: random.choice([1, -1])]
    if kind in {"wrong", "blank"}:
        place = random.choice(sorted(typed))
        typed[place] = None if kind == "blank" else _mistyped(typed[place], random)
        return typed
    first = random.randrange(len(line) - 2)
    last = first + 1 if kind == "swapped" else random.randrange(first + 2, len(line))
    says = [typed[place] for place in line]
    typed |= dict(zip(line[first + 1 : last + 1], says[first:last], strict=True))
    return typed | {line[first]: {"swapped": says[last], "moved": 0, "left blank": None}[kind]}


def _lines(numbers: Numbers) -> list[list[Place]]:
    places = sorted(numbers)
    return [
        [p for p in places if p[at] == code] for at in (1, 2) for code in {p[at] for p in places}
    ]


SLIPS = ("wrong", "blank", "swapped", "moved", "left blank")


def _surely(shape: Callable[[Random], tuple[Grid, list[Edit]]], seed: int) -> bool:
    """Return whether anything is told as sure of a table with one slip; it must be true."""
    random = Random(seed)
    true, edits = shape(random)
    typed = _slipped(true, SLIPS[seed % len(SLIPS)], random)
    rows = [line for line in _lines(true) if line[0][1] == line[-1][1]]
    found = repairs(typed, edits, grids=[tuple(map(tuple, sorted(rows)))])
    several = {each.cause for each in found if each.rank > 1}
    sure = [c for each in found if each.cause not in several for c in each.changes]
    assert all(c.needed in {None, true[c.place]} for c in sure), (seed, typed, true)
    return any(c.needed is not None for c in sure)


@pytest.mark.parametrize("shape", [_registers, _one_column])
def test_nothing_is_told_as_sure_that_another_slip_explains_as_well(
    shape: Callable[[Random], tuple[Grid, list[Edit]]],
) -> None:
    assert sum(_surely(shape, seed) for seed in range(15))


@pytest.mark.slow
@pytest.mark.parametrize(
    "shape", [_registers, _one_column, _nested, lambda random: _cross_footed(random, 3, 3)]
)
def test_nothing_is_told_as_sure_that_any_other_slip_explains_as_well(
    shape: Callable[[Random], tuple[Grid, list[Edit]]],
) -> None:
    assert sum(_surely(shape, seed) for seed in range(15, 165)) > 8


def test_a_blank_that_a_shifted_line_leaves_is_not_told_as_sure(collection: Collection) -> None:
    """Suspended people, a line too low from the second on: 0 in the blank is not the only way."""
    column = [p for p in collection.template.entry_at if p[::2] == (CROSSED, "people_suspended")]
    true = dict(zip(column, (0, 1, 0, 0, 0, 1, 2, 0, 0, 0, 0, 0, 0, 0, 2), strict=True))
    typed = {**true, **{column[n]: true[column[n - 1]] for n in range(2, 7)}, column[1]: None}
    edits = [e for e in collection.template.edits if {*e.parts} & {*column}]
    found = repairs(typed, edits, grids=collection.template.grids)
    assert {each.cause for each in found} == {1}
    told = [{c.place: c.needed for c in each.changes} for each in found]
    assert {p: true[p] for p in column if typed[p] != true[p]} in told


def test_a_part_above_its_whole_may_be_less_or_the_whole_more() -> None:
    part, whole = _at("part", "n"), _at("whole", "n")
    found = repairs({part: 9, whole: 5}, [Edit("C502", (part,), (whole,), equal=False)])
    said = {(c.place, would_do(c.low, c.high), c.needed) for r in found for c in r.changes}
    assert said == {(part, "0 to 5", None), (whole, "9 or more", None)}
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
def returned(collection: Collection) -> list[dict[Place, int | str | None]]:
    """What stands in each sample return."""
    return [
        {
            place: int(says) if says.isdecimal() else says
            for place, says in SampleReturn.of(force, collection).values.items()
        }
        for force in collection.forces
    ]


CROSSED = "investigations"


def _mistyped(number: int, random: Random) -> int:
    """Return a number as a slip of the hand leaves it: never itself."""
    digits = str(number)
    at = random.randrange(len(digits))
    slips = (
        digits[:at] + digits[at] + digits[at:],
        digits[:at] + digits[at + 1 :] or "0",
        digits[:at] + str((int(digits[at]) + random.randrange(1, 10)) % 10) + digits[at + 1 :],
        digits[:at] + digits[at : at + 2][::-1] + digits[at + 2 :],
        digits + "0",
    )
    return random.choice([int(slip) for slip in slips if int(slip) != number])


def _named(
    returned: list[dict[Place, int | str | None]], edits: tuple[Edit, ...], slips: int
) -> list[bool]:
    """Return of each return with so many slips whether these are named alone, and rightly."""
    random, right = Random(20111 + slips), []
    for says in returned:
        table = {p: n for p, n in says.items() if p[0] == CROSSED and isinstance(n, int)}
        crossed = sorted(p for p in table if p[2] != "people_suspended")
        places = random.sample(crossed, slips)
        typed = {p: _mistyped(table[p], random) for p in places}
        found = repairs({**table, **typed}, edits)
        named = {c.place: c.needed for r in found if r.rank == 1 for c in r.changes}
        alone = slips > 1 or len(found) == 1
        right.append(alone and named == {p: table[p] for p in places})
    return right


@pytest.fixture(scope="module")
def crossed(collection: Collection) -> tuple[Edit, ...]:
    """The conditions of the cross-footed table."""
    return tuple(e for e in collection.template.edits if e.whole[0][0] == CROSSED)


def test_slips_in_a_cross_footed_table_are_named_rightly(
    returned: list[dict[Place, int | str | None]], crossed: tuple[Edit, ...]
) -> None:
    for slips in (1, 2, 4):
        assert all(_named(returned[slips::11], crossed, slips))


@pytest.mark.slow
@pytest.mark.parametrize(("slips", "share"), [(1, 1.0), (2, 0.95), (3, 0.95), (5, 0.9)])
def test_slips_in_any_cross_footed_table_are_named_rightly(
    returned: list[dict[Place, int | str | None]],
    crossed: tuple[Edit, ...],
    slips: int,
    share: float,
) -> None:
    """One slip is named uniquely and rightly in every table, two and more nearly always."""
    right = _named(returned * (3 if slips == 1 else 1), crossed, slips)
    assert sum(right) >= share * len(right)


def _column(collection: Collection, sheet: str, column: str) -> list[Place]:
    return [(sheet, row.code, column) for row in collection.template.sheet(sheet).rows]


@pytest.mark.parametrize(("first", "last"), [(0, 13), (2, 9), (7, 13)])
def test_a_line_typed_a_place_too_far_is_told_as_one(
    returned: list[dict[Place, int | str | None]], collection: Collection, first: int, last: int
) -> None:
    says = max(returned, key=lambda each: str(each[CROSSED, "total", "total"]).zfill(9))
    column = _column(collection, CROSSED, "no_further_action")[first : last + 1]
    typed = {to: says[of] for of, to in pairwise(column)} | {column[0]: 0}
    wrong = {place: says[place] for place in column if typed[place] != says[place]}
    edits, grids = collection.template.edits, collection.template.grids
    assert len(wrong) > 4
    found = repairs({**says, **typed}, edits, grids=grids)
    assert {c.place: c.needed for c in found[0].changes} == wrong
    assert {repair.cause for repair in found} == {1}
    assert len({repair.changes for repair in found}) == len(found), "no repair is told twice"


def test_of_a_shifted_line_beside_another_fault_nothing_else_is_told(
    returned: list[dict[Place, int | str | None]], collection: Collection
) -> None:
    """Two neighbours in each other's place would mend two of its rows."""
    (says,) = (each for each in returned if each["cover", "force_code", "value"] == "STF")
    column = _column(collection, CROSSED, "no_further_action")[:14]
    typed = {to: says[of] for of, to in pairwise(column)}
    typed[CROSSED, "information_disclosure.friends_family", "referred_external"] = None
    edits, grids = collection.template.edits, collection.template.grids
    found = repairs({**says, **typed}, edits, grids=grids)
    told = {c.place: c.needed for each in found for c in each.changes}
    assert told.items() <= says.items()


def test_a_shifted_line_is_one_cause_where_each_of_its_rows_fails_for_itself(
    collection: Collection,
) -> None:
    rows = [row.code for row in collection.template.sheet("registers").rows]
    true = {("registers", row, "accepted"): n for row, n in zip(rows, (31, 7, 12, 5), strict=True)}
    numbers = {**true}
    for (sheet, row, _), declined in zip(true, (3, 4, 6, 2), strict=True):
        numbers |= {(sheet, row, "declined"): declined}
        numbers |= {(sheet, row, "total"): numbers[sheet, row, "accepted"] + declined}
    typed = dict(zip(true, (0, 31, 7, 12), strict=True))
    edits = [e for e in collection.template.edits if e.whole[0][0] == "registers"]
    found = repairs({**numbers, **typed}, edits, grids=collection.template.grids)
    assert [{c.place: c.needed for c in repair.changes} for repair in found] == [true]


def test_a_shifted_line_that_comes_out_the_same_whatever_it_left_free_is_told_once(
    collection: Collection,
) -> None:
    """A whole column of kinds of disclosure, a line too low."""
    sample = SampleReturn.of("STF", collection)
    rows = [row.code for row in collection.template.sheet("investigations").rows][:8]
    typed = zip(rows, (0, 2, 1, 0, 0, 0, 5, 8), strict=True)
    changed = {("investigations", row, "continuing"): str(n) for row, n in typed}
    judged = validated(sample.with_values(changed).reading(), collection, "STF")
    found = repairs_of(judged.findings, judged.entries, collection.template)
    assert found["rank"].to_list() == [1] * 6


def test_what_the_version_before_said_is_the_likeliest() -> None:
    parts, whole = (_at("a", "n"), _at("b", "n")), _at("all", "n")
    numbers, edits = {parts[0]: 40, parts[1]: 21, whole: 70}, [Edit("C1", parts, (whole,))]
    (first, *_) = repairs(numbers, edits, before={parts[1]: 30})
    assert [(c.place, c.needed) for c in first.changes] == [(parts[1], 30)]
    (first, *_) = repairs(numbers, edits, before={whole: 61})
    assert [(c.place, c.needed) for c in first.changes] == [(whole, 61)]


def test_what_is_known_besides_is_found_for_the_returns_it_is_about(
    collection: Collection,
) -> None:
    """Case rows tell which of three cells is wrong, and an earlier version which is likelier."""
    place = (CROSSED, "other", "left_service")
    accepted = ("registers", "force.gratuity", "accepted")
    sample = SampleReturn.of("STF", collection)
    typed = {place: str(int(sample.values[place]) + 9), accepted: "999"}
    readings = {"one": sample.reading(), "two": sample.with_values(typed).reading()}
    received = {key: Received(date(2012, 6, n), "STF", n) for n, key in enumerate(readings, 1)}
    judged = judge(readings, received, collection)
    receipts = pl.DataFrame({"receipt_id": [*readings], "force_code": "STF", "version": [1, 2]})
    receipts = receipts.with_columns(pl.col("version").cast(pl.Int64))
    changes = version_changes(receipts.with_columns(counted=True), judged.entries)
    of_cases = empty(Extracts), empty(InvestigationsByMonth)
    known = beside(receipts, changes, *of_cases, collection.template)
    assert {*known.select(*ENTRY, "before").iter_rows()} == {
        (*at, int(sample.values[at])) for at in typed
    }
    found = repairs_of(judged.findings, judged.entries, collection.template, known)
    likeliest = found.filter(rank=1).select("receipt_id", *ENTRY, "needed")
    assert {*likeliest.iter_rows()} == {("two", *at, int(sample.values[at])) for at in typed}


def test_case_rows_tell_which_cells_are_wrong_unless_they_are_of_other_cases(
    collection: Collection,
) -> None:
    """A row whose cell and total are both nine too many adds up; the columns tell of two ways."""
    sample = SampleReturn.of("STF", collection)
    cells = {e.place: int(sample.values[e.place]) for e in case_cells(collection.template)}
    slip, total = ((CROSSED, "other", column) for column in ("left_service", "total"))
    true = {place: int(sample.values[place]) for place in (slip, total)}
    typed = {place: str(number + 9) for place, number in true.items()}
    judged = validated(sample.with_values(typed).reading(), collection)
    told = [{"receipt_id": "r", "rule_id": "X007", "severity": "B"}]
    findings = pl.concat([judged.findings, pl.DataFrame(told)], how="diagonal")
    for off in (0, 5, None):
        counted = [("r", *place, number + (off or 0), None) for place, number in cells.items()]
        known = pl.DataFrame(counted, ["receipt_id", *ENTRY, "rows", "before"], orient="row")
        given = known if off is not None else None
        found = repairs_of(findings, judged.entries, collection.template, given)
        assert ({*found["rules"]}, found["rank"].max()) == (
            ({"C103 X007"}, 1) if off == 0 else ({"C103"}, 2)
        )
        if off == 0:
            assert dict(zip(true, found["needed"], strict=True)) == true


def test_a_return_in_which_everything_is_wrong_is_given_up_at_once(
    returned: list[dict[Place, int | str | None]], collection: Collection
) -> None:
    random, edits = Random(1), collection.template.edits
    counted = [p for e in edits for p in (*e.parts, *e.whole)]
    for most in (0, 9, 10**6, 10**18):
        wrong = dict.fromkeys(counted) if not most else {p: random.randrange(most) for p in counted}
        begun = process_time()
        found = repairs({**returned[0], **wrong}, edits, grids=collection.template.grids)
        assert process_time() - begun < 2
        assert not any(
            c.place[0] == CROSSED and c.place[2] == "total" for r in found for c in r.changes
        )
        assert max((len(repair.changes) for repair in found), default=0) <= 8


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
    assert [*found[0]][-2:] == ["low", "high"]


def test_a_cell_without_a_number_gets_the_one_that_its_sums_leave(
    sample_folder: Path, tmp_path: Path, collection: Collection
) -> None:
    """No sum is found broken where a part of it cannot be read; what it must be is known yet."""
    book = load_workbook(sample_folder / "STF.xlsx")
    cells = [book[CROSSED][address] for address in ("C11", "E7")]
    was = {cell.coordinate: cell.value for cell in cells}
    for cell, text in zip(cells, ("five", None), strict=True):
        cell.value = text
    for row in book["registers"].iter_rows(min_row=6, min_col=3, max_col=5):
        for cell in row:
            cell.value = None  # nobody can say what belongs there
    book.save(tmp_path / "STF.xlsx")
    (checked,) = check_files([tmp_path / "STF.xlsx"], collection)
    assert dict(checked.repairs.select("cell", "needed").iter_rows()) == was
    assert checked.repairs["found"].null_count() == len(was)
    assert [*checked.repairs["repair"]] == [1, 2]
    assert [*checked.repairs["cell"]] == ["E7", "C11"], "in the order of the template"


def test_the_mart_has_nothing_of_a_file_whose_force_cannot_be_told(collection: Collection) -> None:
    """It would break the contract of the mart, and so stop the run for all forces."""
    slip = (CROSSED, "information_disclosure.others", "continuing")
    judged = validated(
        SampleReturn.of("STF", collection).with_values({slip: "50"}).reading(), collection
    )
    for force, height in ((None, 0), ("STF", 1)):
        findings = judged.findings.with_columns(pl.lit(force, pl.String).alias("force_code"))
        tables = Receipts, VersionChanges, Extracts, InvestigationsByMonth
        others = (empty(each) for each in tables)
        found = repairs_mart(collection, findings, judged.entries, *others)
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
