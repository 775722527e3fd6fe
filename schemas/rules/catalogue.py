"""The rules of a return as data a force can read about: id, title, severity, why, how to fix.

The texts stand in the .toml files here, one a tier; which cells a rule reads, a template says
(template.py); how each kind of rule is tested, assets/returns/validation/rules/. A collection can
downgrade a rule or switch it off (collection.py).
"""

import os
import tomllib
from collections.abc import Collection, Iterator
from functools import cache
from pathlib import Path
from typing import Any, Final, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from schemas.errors import SetupError

Severity = Literal["B", "Q", "N"]
Needs = Literal[
    "file", "workbook", "cells", "count", "answer", "date", "free text", "cover", "earlier",
    "other rows",
]  # fmt: skip

TIERS: Final = {
    "structure": "Structure: can the return be read as the template says?",
    "validity": "Validity: is each cell what it should be?",
    "consistency": "Consistency: do the figures on a sheet agree with each other?",
    "across": "Across sheets: do the sheets of a return agree with each other?",
    "plausibility": "Plausibility: figures that may be right, and still want a word",
    "national": "National: do the totals hold? These never block a force; they can block a release",
}
OTHER_FILES: Final = {
    "cases": "Cases: is a case-level extract, and each row of it, what it should be?",
    "research": "Research: are the inspectorate's own files what they should be?",
}
"""Tiers that returns and totals are not held to: no collection can change their rules."""

EXPECTED: Final = {
    "usual": "the earlier count at its monthly rate",
    "nearest": "the nearer limit",
    "typical": "what is usual in the other returns",
    "other": "the earlier number",
    "earlier": "the count of the earlier return",
    "whole": "the whole",
    "ceiling": "the ceiling",
    "said": "what the total says",
    "rows": "what the rows of the extract add up to",
    "0": "none",
}
"""What rules expect, by what it is called in `expects`: a field of the message, or a number."""

PUBLISHED: Final = "MUSTER_RULES_URL"
"""The setting that says where docs/rules/ can be read by those who do not have it."""

NATIONAL: Final = "national"
CASES: Final = "cases"
UNORDERED: Final = "S014"
"""The rule that two versions are held to between which nothing tells the order."""


class Rule(BaseModel):
    """One rule. `severity` is the usual one; some cases of a rule are lighter, as `checks` says.

    `limits` says what each of its limits means; their values stand in the collection file.
    `limits_of`: by the use, those that it asks for besides.
    `guards` marks a rule without which a value could be lost or misread: no collection may change
    such a rule. `needs` marks a rule that every template has, and says what it can be told by:
    any `file`; a readable `workbook`; one where all `cells` were found; where every `count`, every
    `answer`, every `date` or every `free text` could be typed, or the rows `cover` of the `cover`;
    or the `earlier` return; in other files, the `other rows`.
    `says`: the message of a finding, by the use that a template makes of the rule; `words`: what
    stands in it where the template gives no words of its own; `fixes`: what to do where that
    differs from `fix`.
    `expects`: by the use, what of its message the count that it speaks of was expected to be, or a
    number. `cause`: what a query of the rule is about, in which {measure} is what the cells count:
    those of one force with the same cause are one question.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    id: str
    title: str
    tier: str
    severity: Severity
    reads: str
    checks: str
    why: str
    fix: str
    limits: dict[str, str] = Field(default_factory=dict)
    limits_of: dict[str, dict[str, str]] = Field(default_factory=dict)
    guards: bool = False
    needs: Needs | None = None
    cover: tuple[str, ...] = Field(default=(), strict=False)
    says: dict[str, str] = Field(default_factory=dict)
    words: dict[str, str] = Field(default_factory=dict)
    fixes: dict[str, str] = Field(default_factory=dict)
    expects: dict[str, str] = Field(default_factory=dict)
    cause: str = ""

    def limits_in(self, uses: Collection[str]) -> dict[str, str]:
        """Return what each of the limits means that some uses of it ask for."""
        besides = (limits for use, limits in self.limits_of.items() if use in uses)
        return dict(self.limits, **{name: said for of in besides for name, said in of.items()})

    @property
    def place(self) -> str:
        """Where the rule is explained, from docs/rules/: these addresses stay."""
        return f"{self.tier}.md#{self.id.lower()}"

    @property
    def page(self) -> str:
        """Where the rule is explained, from the top of the project."""
        return f"docs/rules/{self.place}"

    @property
    def address(self) -> str | None:
        """Where forces can read about the rule, if it is said where docs/rules/ is published."""
        base = os.environ.get(PUBLISHED, "").rstrip("/")
        return f"{base}/{self.place}" if base.startswith(("https://", "http://")) else None

    @property
    def see(self) -> str:
        """Where to read on, as a sentence."""
        return f"See {self.page}."

    def advice(self, fix: str | None = None) -> str:
        """Return what to do, the rule's own advice unless told otherwise, and where to read on."""
        return f"{fix or self.fix} {self.see}"


KINDS: Final[dict[str, dict[str, Any]]] = tomllib.loads(
    Path(__file__).with_name("kinds.toml").read_text(encoding="utf-8")
)
"""The kinds of tests by the `use` that a template makes of a rule, as kinds.toml has them."""


class RuleUse(BaseModel):
    """A rule that a template has: what is tested (`use`), and of which cells.

    Cells are written `sheet/row/column`; a `*` stands for any code, and in `other` for the code
    that it stands for in `at`. `at`: where a finding stands; each is one test. `parts` are added up
    and compared with the sum of `whole`; those of them that are not held count as nothing where
    `unheld`. `other`: the cell that each of `at` is compared with (of `ratios` without it: the
    same entry in the released collection before). `where`: the answer, by its
    cell, that the test is about. `answer`: what then may not stand in `at`. `fewest`: the limit
    from which there is enough to judge by. `sheet` and `measures`: whose counts are meant.

    A rule speaks of cells in general. What it is about here, a template says: `title`, `words` in
    its message, and in `fix` what to do, each in place of the rule's own.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    id: str
    use: str
    at: tuple[str, ...] = ()
    parts: tuple[str, ...] = ()
    whole: tuple[str, ...] = ()
    other: tuple[str, ...] = ()
    unheld: bool = False
    where: dict[str, str] = Field(default_factory=dict)
    answer: str = ""
    fewest: str = ""
    sheet: str = ""
    measures: tuple[str, ...] = ()
    title: str = ""
    fix: str = ""
    words: dict[str, str] = Field(default_factory=dict)

    @property
    def lacks(self) -> list[str]:
        """The keys that its kind of test reads and that are not given, or not as many as `at`."""
        reads = KINDS[self.use]["reads"]
        lacking = [key for key in reads if not getattr(self, key)]
        pairs = "other" in reads or (self.use == "ratios" and self.other)
        return lacking or ["an `other` for each `at`"] * bool(
            pairs and len(self.at) != len(self.other)
        )

    @property
    def cells(self) -> Iterator[tuple[tuple[str | int, ...], str]]:
        """Every cell it names, as it is written, after the keys that lead to it."""
        for key in ("at", "parts", "whole", "other"):
            yield from (((key, i), cell) for i, cell in enumerate(getattr(self, key)))
        yield from ((("where", cell), cell) for cell in self.where)


@cache
def rules_of(tier: str) -> dict[str, Rule]:
    """Return the rules of a tier by id, in the order of its file.

    Raises:
        SetupError: the file is not as it must be, or an id stands twice.
    """
    path = Path(__file__).with_name(f"{tier}.toml")
    try:
        data = tomllib.loads(path.read_text(encoding="utf-8"))
        parsed = [Rule(tier=tier, **item) for item in data["rule"]]
    except (OSError, KeyError, tomllib.TOMLDecodeError, ValidationError) as error:
        raise SetupError(f"{path} is not a file of rules: {error}. Mend it.") from error
    found = {rule.id: rule for rule in parsed}
    if len(found) < len(parsed):
        raise SetupError(f"{path} defines a rule twice. Give each an id of its own.")
    return found


@cache
def rules() -> dict[str, Rule]:
    """Return every rule that returns and totals are held to, by id, tier by tier.

    Raises:
        SetupError: a rule file is not as it must be.
    """
    return {rule_id: rule for tier in TIERS for rule_id, rule in rules_of(tier).items()}


@cache
def every_rule() -> dict[str, Rule]:
    """Return the rules of `rules` by id, and after them those of other files.

    Raises:
        SetupError: a rule file is not as it must be.
    """
    return rules() | {id_: rule for tier in OTHER_FILES for id_, rule in rules_of(tier).items()}
