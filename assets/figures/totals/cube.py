"""National totals with one column a dimension, and what the codes and measures in them are."""

from itertools import combinations
from typing import Any, Final

import polars as pl

from assets.figures.totals.leaves import counted_in
from schemas import vocabulary as v
from schemas.breakdown import LAST, breakdown_of, read_breakdown
from schemas.collection import Collection
from schemas.conform import conform
from schemas.contract import empty
from schemas.errors import ContractError
from schemas.figures import ANSWER, made_of
from schemas.marts import Codes, Measures, cube_contract, cube_dimensions
from schemas.measures import NOW, QUESTION
from schemas.reference import all_forces
from schemas.research import INSTANCE_CATEGORIES, SITES
from schemas.research import QUESTIONS as SURVEY
from schemas.template import Place, Template
from schemas.wording import listed

Row = dict[str, Any]

_NO_NUMBER: Final = {"percent", "per_month", "per_force"}


def cube(national: pl.DataFrame, collection: Collection) -> pl.DataFrame:
    """Return the mart Cube from the mart NationalTotals.

    Raises:
        ContractError: a breakdown has a key that is no dimension.
    """
    template = collection.template
    dimensions = cube_dimensions(template)
    rows = [{**row, "parts": read_breakdown(row["breakdown"])} for row in national.to_dicts()]
    if unknown := {key for row in rows for key in row["parts"]} - {*dimensions}:
        raise ContractError(f"no column of the cube for {listed(sorted(unknown))}")
    of_a_measure: dict[tuple[str, str], list[Row]] = {}
    for row in rows:
        of_a_measure.setdefault((row["measure"], row["period"]), []).append(row)
    for (measure, period), those in of_a_measure.items():
        _tell_apart(those, measure, period, template)
    contract = cube_contract(template)
    made = [{**dict.fromkeys(dimensions), **row, **row["parts"]} for row in rows]
    return conform(contract, pl.DataFrame(made, schema=empty(contract).schema))


def breakdown_in_cube(cube: pl.DataFrame, template: Template) -> pl.DataFrame:
    """Return a cube with the column `breakdown`, as national_totals has it."""
    return cube.with_columns(breakdown_of(*cube_dimensions(template)))


def _tell_apart(rows: list[Row], measure: str, period: str, template: Template) -> None:
    """Say of the rows of a measure in a period which are parts: none count the same thing twice.

    Of a template's own measure they count everything that its rows do, or none is a part; of an
    earlier period everything that is in no wider one.
    """
    added = [row for row in rows if _adds_up(row, template)]
    if measure not in template.measures:
        keys = max((len(row["parts"]) for row in added), default=0)
        chosen = [row for row in added if len(row["parts"]) == keys]
    elif period == NOW:
        chosen = _by_cells(added, template)
    else:
        chosen = _widest(added, template)
    parts = {row["breakdown"] for row in chosen}
    for row in rows:
        row["is_total"] = row["breakdown"] not in parts


def _adds_up(row: Row, template: Template) -> bool:
    """Return whether rows of a measure are numbers of things, which sums may have."""
    name, unit = row["measure"], row["unit"]
    if unit in _NO_NUMBER or {*LAST} & row["parts"].keys() or made_of(template, name)[1] != name:
        return False
    researched = name.startswith("social_media_") and unit != "forces"
    return name in template.measures or name == "reporting_bodies" or researched


def _by_cells(rows: list[Row], template: Template) -> list[Row]:
    """Return rows that together count each cell once that any counts: the finest, or one level."""
    held = [(row, _cells_of(row, template)) for row in rows]
    every = frozenset[_Cell]().union(*(of for _, of in held))
    finest = sorted(held, key=lambda one: (len(one[1]), -len(one[0]["parts"])))
    levels = {tuple(row["parts"]): None for row, _ in finest}
    choices = [finest, *([one for one in finest if tuple(one[0]["parts"]) == by] for by in levels)]
    for choice in choices:
        chosen, done = [], frozenset[_Cell]()
        for row, of in choice:
            if of and not of & done:
                chosen.append(row)
                done |= of
        if done == every:
            return chosen
    return []


def _widest(rows: list[Row], template: Template) -> list[Row]:
    """Return rows of an earlier period that are within no other one, and have nothing in common.

    What was asked of it stands for itself: codes beside a whole are some of it, and make no whole.
    """

    def codes(row: Row, key: str) -> set[str]:
        code = row["parts"][key]
        return {*template.groups.get(key, {}).get(code, (code,))}

    def holds(row: Row, other: Row) -> bool:
        mine, its = row["parts"].keys(), other["parts"].keys()
        return mine < its and all(codes(row, key) >= codes(other, key) for key in mine)

    widest = [row for row in rows if not any(holds(other, row) for other in rows)]
    chosen = _by_cells(widest, template)
    shared = ((a, b, a["parts"].keys() & b["parts"]) for a, b in combinations(chosen, 2))
    apart = (any(codes(a, key).isdisjoint(codes(b, key)) for key in keys) for a, b, keys in shared)
    return chosen if all(apart) else []


_Cell = tuple[Place, str | None]
"""A cell, of a question one answer to it."""


def _cells_of(row: Row, template: Template) -> frozenset[_Cell]:
    found = counted_in(template, row["measure"], row["breakdown"], row["period"])
    cells, given = (found.cells, found.given or (None,)) if found else ([], ())
    return frozenset((cell.place, answer) for cell in cells for answer in given)


def codes(collection: Collection) -> pl.DataFrame:
    """Return the mart Codes."""
    template = collection.template
    lists = {name: dict(of) for name, of in template.lists.items()}
    for name, groups in template.groups.items():
        of = template.lists.get(name, {})
        lists[name] |= {group: listed([of[c] for c in codes]) for group, codes in groups.items()}
    given = sorted({answer for row in template.asked for answer in row.entries[0].answers})
    found: list[tuple[str, dict[str, str]]] = [
        (QUESTION, {row.code: row.label for row in template.asked}),
        (ANSWER, {answer: _in_words(answer) for answer in given}),
    ]
    if collection.research:
        choices = sorted({answer for question in SURVEY.values() for answer in question.answers})
        found += [
            ("site", SITES),
            ("category", INSTANCE_CATEGORIES),
            (QUESTION, {code: question.label for code, question in SURVEY.items()}),
            (ANSWER, {answer: _in_words(answer) for answer in choices}),
        ]
    found += [
        ("state", v.STATES),
        ("basis", v.BASES),
        ("missing", v.MISSING_REASONS),
        ("severity", v.SEVERITIES),
        ("status", v.RECONCILIATION_STATUSES),
    ]
    for name, more in found:  # a code that the template has too is called as there
        lists[name] = {**more, **lists.get(name, {})}
    schema = dict.fromkeys(("list", "code", "label"), pl.String)
    named = pl.DataFrame(
        [
            (name, code, label, order)
            for name, of in lists.items()
            for order, (code, label) in enumerate(of.items(), 1)
        ],
        schema={**schema, "order": pl.Int64},
        orient="row",
    )
    return conform(Codes, pl.concat([named, _forces(collection)], how="diagonal"))


def _forces(collection: Collection) -> pl.DataFrame:
    """Return the forces that are expected, then those that these succeeded, as Codes."""
    known, census = all_forces(collection.root), collection.census
    expected = known.filter(
        pl.col("force_code").is_in(collection.forces),
        pl.col("valid_from").is_null() | (pl.col("valid_from") <= census),
        pl.col("valid_to").is_null() | (pl.col("valid_to") >= census),
    )
    heirs, of_these = known.drop_nulls("successor"), {*collection.forces}
    while more := {*heirs.filter(pl.col("successor").is_in(of_these))["force_code"]} - of_these:
        of_these |= more
    gone = heirs.filter(pl.col("force_code").is_in(of_these - {*collection.forces}))
    last = gone.sort("force_code", "valid_to").unique("force_code", keep="last")
    return pl.concat([expected.sort("force_code"), last.sort("force_code")]).select(
        pl.lit("force_code").alias("list"), pl.col("force_code").alias("code"),
        pl.col("full_name").alias("label"),
        pl.int_range(1, pl.len() + 1, dtype=pl.Int64).alias("order"), "valid_from", "valid_to",
    )  # fmt: skip


def measures(national: pl.DataFrame, collection: Collection) -> pl.DataFrame:
    """Return the mart Measures: those of the mart NationalTotals."""
    keys = pl.col("breakdown").str.replace_all("=[^;]*", "").alias("levels")
    found = (
        national.select("measure", "unit", keys)
        .unique()
        .sort(pl.col("levels").str.count_matches(";") + (pl.col("levels") != ""), "levels")
        .group_by("measure", "unit", maintain_order=True)
        .agg(pl.col("levels").str.join(" | "))
    )
    said = [
        _said(name, unit, collection.template)
        for name, unit in found.select("measure", "unit").iter_rows()
    ]
    told = pl.DataFrame(said, schema={"kind": pl.String, "words": pl.String}, orient="row")
    return conform(Measures, pl.concat([found, told], how="horizontal"))


_SAID: Final[dict[str, str]] = {
    "share": "{of}: percent",
    "answers": "{of}: percent of the forces with an answer",
    "per_month": "{of}: number divided by the months of the period",
    "statistic": "{of}: statistics over the forces",
    "band": "Forces by how many they have: {of}",
    "change": "{of}: the last code less the first, of the forces that know both",
}


def _said(name: str, unit: str, template: Template) -> tuple[str, str]:
    """Return the kind of a measure, and what it is in words."""
    kind, of = made_of(template, name)
    text = _in_words(of)
    if kind in _SAID:
        return kind, _SAID[kind].format(of=text)
    if name in template.measures:
        asked = any(row.entries[0].measure == name for row in template.asked)
        at = "at a date" if template.measures[name].kind == "stock" else "in the period"
        return "count", f"{text}: {'forces by answer' if asked else f'number {at}'}"
    return "share" if unit == "percent" else "count", f"{text}: {unit}"


def _in_words(code: str) -> str:
    return code.replace("_", " ").capitalize()
