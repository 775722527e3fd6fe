"""The rules of a case-level extract: one named expression each, true where a row is valid.

They are asked of typed columns and `with_codes`, and are never null. A rule that reads a second
column is not asked where that column breaks its own rule: one fault, one finding. Which codes
there are, and which subjects have a recipient or media, the collection's template says; the texts
of the rules stand in rules/cases.toml.
"""

import tomllib
from collections.abc import Callable, Iterable, Sequence
from functools import cache, reduce
from operator import or_
from pathlib import Path
from typing import Final

import polars as pl
from pydantic import ValidationError

from schemas.cases.columns import FOLDER, UNREADABLE, codes
from schemas.collection import Collection
from schemas.errors import SetupError
from schemas.measures import NOW
from schemas.rules import catalogue
from schemas.template import CaseRows, Entry, Template

CASE_REF: Final = r"^[A-Z]{3}-[0-9]{4}-[0-9]{1,9}$"

OWNER: Final = pl.coalesce(FOLDER, "force_code")
"""The force whose extract a row is in."""

UNIQUE: Final = "CASE11"
"""The one rule about more than a row: within an OWNER no (force_code, case_ref) stands twice."""

RowRule = Callable[[Collection], pl.Expr]

ROW_RULES: Final[dict[str, RowRule]] = {}
"""The ten rules about a row by id, in the order of their ids."""

COLUMN_OF: Final[dict[str, str]] = {UNIQUE: "case_ref"}
"""The column that a rule finds fault with; each column has one rule about a row."""


def with_codes(frame: pl.LazyFrame, forces: Iterable[str], template: Template) -> pl.LazyFrame:
    """Add the number of each code in its list, from 0: `category_number` and so on.

    It is null where the code is none of the list, or blank: encoding is validating.
    """
    force = pl.col("force_code").cast(pl.Enum(tuple(forces)), strict=False).to_physical()
    return frame.with_columns(
        force.alias("force_code_number"),
        *(_place(name, listed).alias(f"{name}_number") for name, listed in codes(template).items()),
    )


def _place(column: str, listed: Sequence[str]) -> pl.Expr:
    """Return the place of a code in a short list.

    Comparing with each code takes two thirds of the time of a cast to an Enum, which hashes.
    """
    place = pl.lit(None, pl.UInt8)
    for index, code in enumerate(listed):
        place = pl.when(pl.col(column) == code).then(pl.lit(index, pl.UInt8)).otherwise(place)
    return place


def number(column: str) -> pl.Expr:
    """Return the column that `with_codes` adds for a column."""
    return pl.col(f"{column}_number")


def _rule(rule_id: str, column: str) -> Callable[[RowRule], RowRule]:
    """Register a rule about a row under its id and column."""

    def register(function: RowRule) -> RowRule:
        ROW_RULES[rule_id] = function
        COLUMN_OF[rule_id] = column
        return function

    return register


def _is(column: str, code: str, c: Collection) -> pl.Expr:
    place = codes(c.template)[column].index(code)
    return number(column).eq_missing(pl.lit(place, pl.UInt8))


def case_rows(collection: Collection) -> CaseRows:
    """Return what the rows of an extract are in a collection.

    Raises:
        SetupError: it takes none.
    """
    found = collection.template.cases
    if found is None:
        raise SetupError(
            f"collection {collection.id} takes no case-level extracts: its template has no [cases]."
            " Name another collection, or add the table."
        )
    return found


def case_cells(template: Template) -> list[Entry]:
    """Return the cells of a return that count what an extract has a row each of; none without."""
    measure = template.cases.measure if template.cases else None
    return [
        entry for entry in template.counted() if entry.measure == measure and entry.period == NOW
    ]


@cache
def subjects(template: Template) -> tuple[tuple[str, str | None, str | None], ...]:
    """Return the combinations of category, recipient and media that a return counts cases by."""
    found = [
        (entry.dims["category"], entry.dims.get("recipient"), entry.dims.get("media"))
        for entry in case_cells(template)
    ]
    return tuple(dict.fromkeys(found))


def _any(holds: Iterable[pl.Expr]) -> pl.Expr:
    found = list(holds)
    return reduce(or_, found) if found else pl.lit(value=False)


def _listed(column: str) -> pl.Expr:
    return number(column).is_not_null()


def _listed_or_blank(column: str) -> pl.Expr:
    return _listed(column) | pl.col(column).is_null()


def _given(column: str) -> pl.Expr:
    return pl.col(column).is_not_null()


@_rule("CASE01", "force_code")
def force_known(_: Collection) -> pl.Expr:
    """Hold force_code against the collection's forces and the folder."""
    folder = pl.col(FOLDER)
    return _listed("force_code") & (folder.is_null() | (folder == pl.col("force_code")))


@_rule("CASE02", "case_ref")
def reference_well_formed(c: Collection) -> pl.Expr:
    """Hold case_ref against its pattern and the row's own force."""
    ref = pl.col("case_ref")
    of_force = ref.str.starts_with(pl.col("force_code")) | ~force_known(c)
    return (ref.str.contains(CASE_REF) & of_force).fill_null(value=False)


@_rule("CASE03", "category")
def category_listed(_: Collection) -> pl.Expr:
    """Hold category against its list."""
    return _listed("category")


@_rule("CASE04", "recipient")
def recipient_of_disclosure(c: Collection) -> pl.Expr:
    """Hold recipient against its list and the category."""
    disclosed = dict.fromkeys(category for category, to, _ in subjects(c.template) if to)
    wanted = _any(_is("category", category, c) for category in disclosed)
    return _listed_or_blank("recipient") & ((_given("recipient") == wanted) | ~category_listed(c))


@_rule("CASE05", "media")
def media_where_concerned(c: Collection) -> pl.Expr:
    """Hold media against its list, the category and the recipient."""
    found = subjects(c.template)
    concerned = dict.fromkeys((category, to) for category, to, media in found if media)
    # A recipient who never goes without media decides alone, which is one comparison less.
    doubtful = {to for _, to, media in found if not media}
    wanted = _any(
        _is("category", category, c)
        if to is None
        else _is("recipient", to, c)
        if to not in doubtful
        else _is("category", category, c) & _is("recipient", to, c)
        for category, to in concerned
    )
    asked = category_listed(c) & recipient_of_disclosure(c)
    return _listed_or_blank("media") & ((_given("media") == wanted) | ~asked)


@_rule("CASE06", "opened_on")
def opened_in_period(c: Collection) -> pl.Expr:
    """Hold opened_on against the collection period."""
    inside = pl.col("opened_on").is_between(c.period.start, c.period.end)
    return inside.fill_null(value=False)


@_rule("CASE07", "status_at_census")
def status_listed(_: Collection) -> pl.Expr:
    """Hold status_at_census against its list."""
    return _listed("status_at_census")


@_rule("CASE08", "closed_on")
def closed_in_time(c: Collection) -> pl.Expr:
    """Hold closed_on against the status, opened_on and the census date."""
    closed = pl.col("closed_on")
    in_time = (closed <= c.census) & ((closed >= pl.col("opened_on")) | ~opened_in_period(c))
    continuing = _is("status_at_census", case_rows(c).open, c)
    holds = pl.when(continuing).then(closed.is_null()).otherwise(in_time.fill_null(value=False))
    return (holds | ~status_listed(c)) & closed.ne_missing(UNREADABLE)


@_rule("CASE09", "suspended")
def suspension_said(_: Collection) -> pl.Expr:
    """Ask that suspended is given."""
    return _given("suspended")


@_rule("CASE10", "workforce")
def workforce_listed(_: Collection) -> pl.Expr:
    """Hold workforce against its list."""
    return _listed("workforce")


def row_rules(collection: Collection) -> dict[str, pl.Expr]:
    """Return the rules about a row by id: expressions over typed rows and `with_codes`."""
    return {rule_id: rule(collection) for rule_id, rule in ROW_RULES.items()}


@cache
def case_rules() -> dict[str, catalogue.Rule]:
    """Return the texts of all eleven rules by id.

    Raises:
        SetupError: the file of the rules is not as it must be.
    """
    path = Path(catalogue.__file__).with_name("cases.toml")
    try:
        data = tomllib.loads(path.read_text(encoding="utf-8"))
        found = [catalogue.Rule(tier="cases", **item) for item in data["rule"]]
    except (OSError, KeyError, tomllib.TOMLDecodeError, ValidationError) as error:
        raise SetupError(f"{path} is not a file of rules: {error}. Mend it.") from error
    return {rule.id: rule for rule in found}
