"""How each rule ended on each return: passed, failed, not evaluable, not applicable or off.

Belongs here: the third state. A rule whose inputs failed earlier is never listed as passed.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Final

import polars as pl

from assets.validation.rules.cover import NEEDS
from assets.validation.rules.engine import REGISTRY
from schemas.collection import Collection
from schemas.contract import empty
from schemas.rules.catalogue import rules_of_returns
from schemas.tables import RuleResults
from schemas.template import Template

Place = tuple[str, str, str]
"""Sheet, row code and column code."""

_OF_FILES: Final = ("S001", "S002")
"""Rules that can be told of any file at all."""

_OF_KIND: Final = {"V001": "count", "V002": "answer", "V003": "date"}
"""Rules on single cells of one kind."""

_OF_CELLS: Final = ("S010", "V004")
"""Rules on every cell, whether or not its text can be typed."""

_OF_SHEETS: Final = ("S004", "S005", "S006", "S012", "S013", "S014")
"""Rules that any readable workbook can be held to."""


@dataclass(frozen=True)
class Seen:
    """What could be made of one return: the entries that were found, and those that were typed."""

    readable: bool
    found: frozenset[Place] = frozenset()
    typed: frozenset[Place] = frozenset()


def rule_results(
    seen: Mapping[str, Seen],
    findings: pl.DataFrame,
    counts: pl.DataFrame,
    collection: Collection,
    template: Template,
) -> pl.DataFrame:
    """Return one row a receipt and rule, with columns of the contract RuleResults.

    Args:
        seen: what could be made of each return, by receipt_id.
        findings: table AllFindings.
        counts: how the rows of each view ended, from running the rules between cells.
        collection: the collection, which may have switched rules off.
        template: the template, which says which entries there should be.
    """
    failed = set(findings.select("receipt_id", "rule_id").rows())
    ended = {row[:2]: row[2:] for row in counts.iter_rows()}
    off = {change.rule for change in collection.rule_changes if change.severity == "off"}
    rows = []
    for key, return_ in seen.items():
        for rule_id in rules_of_returns():
            if rule_id in off:
                result = "off"
            elif (key, rule_id) in failed:
                result = "failed"
            elif not return_.readable and rule_id not in _OF_FILES:
                result = "not_evaluable"
            elif rule_id in REGISTRY:
                result = _of_view(ended.get((key, rule_id)))
            else:
                result = _of_cells(rule_id, return_, template)
            rows.append((key, rule_id, result))
    return pl.DataFrame(rows, schema=empty(RuleResults).schema, orient="row")


def _of_view(counts: tuple[int, int, int] | None) -> str:
    passed, _, not_evaluable = counts or (0, 0, 1)
    if not_evaluable:
        return "not_evaluable"
    return "passed" if passed else "not_applicable"


def _of_cells(rule_id: str, return_: Seen, template: Template) -> str:
    """A rule that has not failed has passed, unless a cell that it needs could not be read."""
    needed = _needed(rule_id, template)
    known = return_.found if rule_id in _OF_CELLS else return_.typed
    return "passed" if needed <= known else "not_evaluable"


@cache
def _needed(rule_id: str, template: Template) -> frozenset[Place]:
    """Return the entries without which a rule on single cells cannot be told."""
    if rule_id in _OF_FILES or rule_id in _OF_SHEETS:
        return frozenset()
    if rule_id in NEEDS:
        return frozenset(("cover", row, "value") for row in NEEDS[rule_id])
    return frozenset(
        place
        for place, entry in template.entry_at.items()
        if _OF_KIND.get(rule_id, entry.kind) == entry.kind
    )
