"""Case-level extracts: their columns, what may stand in them, and the rules of a row.

Each rule is one named expression, true where a row is valid. They are asked of typed columns and
`with_codes`, and are never null. A rule that reads a second column is not asked where that column
breaks its own rule: one fault, one finding. Which codes there are, and which subjects have a
recipient or media, the collection's template says; the texts of the rules stand in
rules/cases.toml. Nothing here loads pandera, which takes most of a second.
"""

import re
from collections.abc import Iterable, Sequence
from datetime import date
from functools import cache, reduce
from operator import and_, or_
from pathlib import Path
from typing import Final

import polars as pl

from schemas.collection import Collection
from schemas.contract import contracts
from schemas.errors import SetupError
from schemas.measures import NOW, CaseRows
from schemas.template import Entry, Template
from schemas.vocabulary import WORKFORCE

CASE_TABLES: Final = contracts(Path(__file__).with_suffix(".toml"))
"""What a force sends as an extract, and what `muster cases` writes beside summary.json."""


def columns_of(table: str) -> dict[str, type[pl.DataType]]:
    """Return the columns of a table of cases.toml, in order, each with its type."""
    return {column.name: column.dtype for column in CASE_TABLES[table].columns}


TYPES: Final = columns_of("extract")
"""Exactly these columns, in any order; free text has no place in an extract."""

LISTS: Final = {
    "category": "category",
    "recipient": "recipient",
    "media": "media",
    "status_at_census": "outcome",
}
"""The dimension of the template whose codes a column holds."""

CODED: Final = (*LISTS, "workforce")


@cache
def codes(template: Template) -> dict[str, tuple[str, ...]]:
    """Return the closed list of each coded column, sorted: then tables by their order are too."""
    lists = {column: template.codes_of(template.of_cases, dim) for column, dim in LISTS.items()}
    return {name: tuple(sorted(held)) for name, held in {**lists, "workforce": WORKFORCE}.items()}


ACCEPTED: Final = "accepted"
QUARANTINED: Final = "quarantined"
REJECTED: Final = "rejected"
UNREADABLE_STATE: Final = "unreadable"
DAMAGED_STATE: Final = "damaged"
"""States of a force's extract: vocabulary.EXTRACT_STATES says what each means."""

FOLDER: Final = "folder_force"
"""Beside the columns of a row: the force of the Hive folder it lies in, null where there is none.

A row belongs to the force of its folder, and without one to the force it names.
"""

BLANKS: Final = "\t\n\v\f\r\x1c\x1d\x1e\x1f \x85\xa0\u1680\u2028\u2029\u202f\u205f\u3000" + "".join(
    map(chr, range(0x2000, 0x200B))
)
"""What is no part of a value at its ends (columns of fixed width are filled up with spaces)."""

UNREADABLE: Final = date(9999, 12, 31)
"""Stands for a date that was sent but is none, so that no rule takes it for a blank."""

_FORCE_FOLDER: Final = re.compile(r"force_code=(.*)")
_NO_FORCE: Final = "__HIVE_DEFAULT_PARTITION__"
"""How writers of Hive folders write null."""


def folder_force(folders: Sequence[str]) -> str | None:
    """Return the force of a file by the names of the folders it lies in, the outermost first.

    None where no Hive folder names one, and in the folder of null.
    """
    value = folder_value(folders)
    return None if value == _NO_FORCE else value


def folder_value(folders: Sequence[str]) -> str | None:
    """Return what the innermost folder named force_code=... says, as it stands there."""
    for part in reversed(folders):
        if named := _FORCE_FOLDER.fullmatch(part):
            return named[1]
    return None


_CAPITALS: Final = "[A-Z]{3}"
_NUMBERED: Final = "-[0-9]{4}-[0-9]{1,9}"
"""What follows the force in a reference."""


def is_reference(text: str, forces: Iterable[str]) -> bool:
    """Return whether a text has the form of a reference, and begins with three capitals or a code.

    Any other may be a name.
    """
    codes = "|".join([_CAPITALS, *map(re.escape, forces)])
    return re.fullmatch(f"(?:{codes}){_NUMBERED}", text) is not None


def _reference(forces: Iterable[str], force: pl.Expr) -> pl.Expr:
    """Return whether a reference has its form, and is of the row's own force where `force` holds.

    A code may have hyphens, and begin as another does: then only what is left without it tells.
    Taking it off takes longer, so that three capitals, as nearly all have, are asked otherwise.
    """
    ref, own = pl.col("case_ref"), pl.col("force_code")
    if all(re.fullmatch(_CAPITALS, code) for code in forces):
        shaped, is_own = ref.str.contains(f"^{_CAPITALS}{_NUMBERED}$"), ref.str.starts_with(own)
    else:
        shaped = ref.str.contains(f"^[A-Za-z0-9_-]+{_NUMBERED}$")
        is_own = ref.str.strip_prefix(own).str.contains(f"^{_NUMBERED}$")
    return (shaped & (is_own | ~force)).fill_null(value=False)


OWNER: Final = pl.coalesce(FOLDER, "force_code")
"""The force whose extract a row is in."""

UNIQUE: Final = "CASE11"
"""The one rule about more than a row: within an OWNER no (force_code, case_ref) stands twice."""

COLUMN_OF: Final = {f"CASE{number:02}": name for number, name in enumerate(TYPES, start=1)}
"""The column that a rule finds fault with; each column has one rule about a row."""

ROW_RULES: Final = tuple(COLUMN_OF)
"""The ten rules about a row."""

COLUMN_OF[UNIQUE] = "case_ref"

READABLE, COLUMNS, ONE_FORCE, SHARE, UNDAMAGED = (f"CASE{number}" for number in range(12, 17))
"""The rules about an extract as a whole."""

_SHORT: Final = 8
"""Codes of a list up to which comparing with each is the quickest."""


def with_codes(frame: pl.LazyFrame, forces: Iterable[str], template: Template) -> pl.LazyFrame:
    """Add the number of each code in its list, from 0: `category_number` and so on.

    It is null where the code is none of the list, or blank: encoding is validating.
    """
    lists = {"force_code": tuple(forces), **codes(template)}
    return frame.with_columns(
        _place(name, listed).alias(f"{name}_number") for name, listed in lists.items()
    )


def _place(column: str, listed: Sequence[str]) -> pl.Expr:
    """Return the place of a code in a list.

    A cast to an Enum hashes; comparing with each code of a short list takes two thirds of its time.
    """
    if len(listed) > _SHORT:
        return pl.col(column).cast(pl.Enum(listed), strict=False).to_physical()
    place = pl.lit(None, pl.UInt8)
    for index, code in enumerate(listed):
        place = pl.when(pl.col(column) == code).then(pl.lit(index, pl.UInt8)).otherwise(place)
    return place


def number(column: str) -> pl.Expr:
    """Return the column that `with_codes` adds for a column."""
    return pl.col(f"{column}_number")


def case_rows(collection: Collection) -> CaseRows:
    """Return what the rows of an extract are in a collection.

    Raises:
        SetupError: it takes none.
    """
    found = collection.template.cases
    if found is None or collection.cases is None:
        lacks = "template" if found is None else "file"
        raise SetupError(
            f"collection {collection.id} takes no case-level extracts: its {lacks} has no [cases]."
            " Name another collection, or add the table."
        )
    return found


def case_cells(template: Template) -> list[Entry]:
    """Return the cells of a return that count what an extract has a row each of; none without."""
    of = template.of_cases, NOW
    return [entry for entry in template.counted() if (entry.measure, entry.period) == of]


@cache
def subjects(template: Template) -> tuple[tuple[str, str | None, str | None], ...]:
    """Return the combinations of category, recipient and media that a return counts cases by."""
    found = [
        (entry.dims["category"], entry.dims.get("recipient"), entry.dims.get("media"))
        for entry in case_cells(template)
    ]
    return tuple(dict.fromkeys(found))


def row_rules(collection: Collection) -> dict[str, pl.Expr]:
    """Return the rules about a row by id: expressions over typed rows and `with_codes`."""
    template, period, census = collection.template, collection.period, collection.census
    col, places = pl.col, codes(template)

    def known(column: str) -> pl.Expr:
        return number(column).is_not_null()

    def is_(column: str, code: str) -> pl.Expr:
        return number(column).eq_missing(pl.lit(places[column].index(code)))

    def exactly_when(column: str, wanted: Iterable[pl.Expr], asked: pl.Expr) -> pl.Expr:
        """A code of the list, or blank; given exactly when one of the conditions holds."""
        needed = reduce(or_, wanted, pl.lit(value=False))
        return (known(column) | col(column).is_null()) & (
            (col(column).is_not_null() == needed) | ~asked
        )

    def counted(rule: pl.Expr, passing: Iterable[tuple[str | None, ...]]) -> pl.Expr:
        """A rule that also fails where no cell counts what it lets pass: that would be lost."""
        lost = (
            [
                is_(of, code) if code else col(of).is_null()
                for of, code in zip(LISTS, each, strict=False)
            ]
            for each in passing
            if not any(cell[: len(each)] == each for cell in cells)
        )
        return reduce(and_, (~reduce(and_, each) for each in lost), rule)

    cells = [tuple(map(entry.dims.get, LISTS.values())) for entry in case_cells(template)]
    force = known("force_code") & (col(FOLDER).is_null() | (col(FOLDER) == col("force_code")))
    reference = _reference(collection.forces, force)
    found = subjects(template)
    category = known("category")
    disclosed = dict.fromkeys(of for of, to, _ in found if to)
    recipient = exactly_when("recipient", (is_("category", of) for of in disclosed), category)
    recipient = counted(recipient, ((of, to) for of in disclosed for to in places["recipient"]))
    concerned = dict.fromkeys((of, to) for of, to, media in found if media)
    # A recipient who never goes without media decides alone, which is one comparison less.
    doubtful = {to for _, to, media in found if not media}
    wanted = (
        is_("category", of)
        if to is None
        else is_("category", of) & is_("recipient", to)
        if to in doubtful
        else is_("recipient", to)
        for of, to in concerned
    )
    media = exactly_when("media", wanted, category & recipient)
    either = dict.fromkeys((of, to) for of, to, _ in found if {(of, to), (of, None)} & {*concerned})
    media = counted(media, ((*each, code) for each in either for code in places["media"]))
    opened = col("opened_on").is_between(period.start, period.end).fill_null(value=False)
    outcomes, closed = places["status_at_census"], col("closed_on")
    status = counted(known("status_at_census"), ((*of, code) for of in found for code in outcomes))
    in_time = (closed <= census) & ((closed >= col("opened_on")) | ~opened)
    ended = (
        pl.when(is_("status_at_census", case_rows(collection).open))
        .then(closed.is_null())
        .otherwise(in_time.fill_null(value=False))
    )
    closing = (ended | ~status) & closed.ne_missing(UNREADABLE)
    suspended, workforce = col("suspended").is_not_null(), known("workforce")
    rules = (force, reference, category, recipient, media, opened, status, closing)
    return dict(zip(ROW_RULES, (*rules, suspended, workforce), strict=True))
