"""The raw form of a received return: sheets of cells, each with place, text and kind.

Raw is passthrough: what stands in the file, and nothing about what it means. An unreadable file
is a reading too, one that says why; reading never raises for what a force sent.
"""

import json
import re
import tomllib
from dataclasses import dataclass
from datetime import datetime, time
from functools import lru_cache
from pathlib import Path
from typing import Any, Final, NamedTuple

from schemas.template import address

UNCALCULATED: Final = "a formula that was never calculated"
"""Text of a cell of kind formula."""

DISGUISED: Final = "which its number format shows as something else"
"""How the doubt about a number ends that nobody sees."""

MAX_ROWS: Final = 2000
MAX_COLUMNS: Final = 100
"""A return's largest sheet has about fifty rows and ten columns."""

_EXACT: Final = 2**53
_ADDRESS: Final = re.compile("([A-Z]+)([0-9]+)")


class RefusedError(Exception):
    """The file must not or cannot be parsed: `problem` says why, `fix` what to do.

    `rule_id` names the rule that refuses it.
    """

    def __init__(self, problem: str, fix: str, rule_id: str = "S001") -> None:
        super().__init__(problem)
        self.problem = problem
        self.fix = fix
        self.rule_id = rule_id


REFUSALS: Final[dict[str, Any]] = tomllib.loads(
    Path(__file__).with_name("refusals.toml").read_text(encoding="utf-8")
)
"""Why files are refused, what to send instead, and what tells files that are no returns."""


def refusal(which: str, /, **values: object) -> RefusedError:
    """Return a refusal of refusals.toml with values for what stands there in braces."""
    problem, fix, *rule = REFUSALS["says"][which]
    fix = REFUSALS["fixes"][fix.format(**values)]
    return RefusedError(problem.format(**values), fix.format(**values), *rule)


class Cell(NamedTuple):
    """One filled cell, as it stands there.

    `kind` is text, number, percent, boolean, date, error or formula; `rich` is in several formats,
    struck out, raised or lowered; `odd` is stored as no spreadsheet program does. `doubt` is what
    the cell holds instead of a plain value, as a count, date or answer may not.

    `formula` is in A1 notation without its `=`: SUM(C6:D6), 'my sheet'!A1. One that no spreadsheet
    shows without more, such as an array formula, stands in braces. It does not outlast its
    verification (formulas.py), after which only `doubt` tells of it.
    """

    row: int
    column: int
    text: str
    kind: str
    doubt: str | None = None
    formula: str | None = None

    @property
    def address(self) -> str:
        """The cell's A1 address."""
        return address(self.row, self.column)


class Fact(NamedTuple):
    """Something about a sheet that its values do not show, and the cell, range or row it is about.

    `fact` is formula, uncalculated, merged, comment, unseen, spilt, or hidden_...; of a
    file external_links or other_file.
    """

    fact: str
    place: str


@dataclass(frozen=True)
class RawSheet:
    """One sheet: its filled cells in order, and the facts of its structure."""

    name: str
    cells: tuple[Cell, ...]
    facts: tuple[Fact, ...] = ()


@dataclass(frozen=True)
class Reading:
    """What a file holds: its sheets, or the reason why it was refused.

    `facts` are about the workbook as a whole.
    """

    sheets: tuple[RawSheet, ...] = ()
    facts: tuple[Fact, ...] = ()
    refusal: RefusedError | None = None

    def to_bytes(self) -> bytes:
        """Return the reading, its formulas verified, as bytes from which it can be made again."""
        why = self.refusal and (self.refusal.problem, self.refusal.fix, self.refusal.rule_id)
        # By columns: thousands of short lists take far longer to make again than a few long ones.
        sheets = [
            (sheet.name, [*zip(*sheet.cells, strict=True)][:-1], sheet.facts)
            for sheet in self.sheets
        ]
        return json.dumps([sheets, self.facts, why]).encode()

    @classmethod
    def from_bytes(cls, content: bytes) -> "Reading":
        """Return the reading that `to_bytes` has written."""
        sheets, facts, why = json.loads(content)
        return cls(
            tuple(
                RawSheet(name, tuple(map(Cell, *cells)) if cells else (), _facts(about))
                for name, cells, about in sheets
            ),
            _facts(facts),
            RefusedError(*why) if why else None,
        )


def _facts(told: list[list[str]]) -> tuple[Fact, ...]:
    return tuple(Fact(*fact) for fact in told)


def column_number(letters: str) -> int:
    """Return the 1-based number of a column such as AZ, in small letters too."""
    number = 0
    for letter in letters.upper():
        number = number * 26 + ord(letter) - ord("A") + 1
    return number


@lru_cache(4096)
def place(reference: str) -> tuple[int, int]:
    """Return the 1-based row and column of an address such as C7.

    Raises:
        ValueError: the text is not an address.
    """
    found = _ADDRESS.fullmatch(reference)
    if not found or not int(found[2]):
        raise ValueError(f"not a cell address: {reference!r}")
    return int(found[2]), column_number(found[1])


def number_text(text: str) -> str:
    """Return a number as its text, without the hair by which sums of fractions miss a whole one."""
    value: int | float = float(text) if re.search("[.eE]", text) else int(text)
    if isinstance(value, float):
        rounded = float(f"{value:.15g}")  # spreadsheets have 15 digits
        if rounded.is_integer() and abs(rounded) < _EXACT:
            value = int(rounded)
    return str(value)


def moment_text(moment: datetime) -> str:
    """Return a date in ISO form, with its time where that is not midnight."""
    moment = moment.replace(tzinfo=None)
    return (moment.date() if moment.time() == time() else moment).isoformat()
