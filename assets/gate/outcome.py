"""What came of expectations: as data, in a line for an operator, and on the pages of Data Docs."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from typing import Any, Final, Literal

from assets.gate.suites import Severity
from assets.html import render
from assets.lake import atomic_file
from schemas.collection import Collection
from schemas.contract import Column, Contract, columns, description
from schemas.marts.catalogue import contracts_of
from schemas.wording import plural, visible

Status = Literal["passed", "failed", "not_evaluated"]
_LABELS: Final = {"passed": "met", "failed": "not met", "not_evaluated": "not checked"}
_TEMPLATES: Final = Path(__file__).with_name("templates")
_BASIS: Final = "basis"
_RECONSTRUCTED: Final = "reconstructed"
_LONGEST: Final = 160
"""Characters of a sentence or a row that a line shows; the page shows all."""


@dataclass(frozen=True)
class Outcome:
    """What came of one expectation of a mart.

    `column` is None where it is about several columns or the whole mart. `expected` is a sentence
    that does not name the column, with what it quotes between backticks. `observed` is in words,
    or why it could not be evaluated. `unexpected` is how many of the `rows` that it looked at
    break it, None where it is not about rows. `sample` has the first of them: what stands in the
    column, then their key.
    """

    mart: str
    column: str | None
    severity: Severity
    status: Status
    expected: str
    observed: str
    unexpected: int | None = None
    rows: int | None = None
    sample: tuple[Mapping[str, str], ...] = ()

    @property
    def label(self) -> str:
        """What came of it, in a word or two."""
        return "warning" if self.warns else _LABELS[self.status]

    @property
    def blocks(self) -> bool:
        """Whether the release is blocked by it; what could not be evaluated always does so."""
        return self.status == "not_evaluated" or (
            self.status == "failed" and self.severity == "critical"
        )

    @property
    def warns(self) -> bool:
        """Whether it is not met and still does not block."""
        return self.status == "failed" and self.severity == "warning"

    @property
    def place(self) -> str:
        """The mart, and the column where it is about one."""
        return f"{self.mart}, column {self.column}" if self.column else self.mart

    def __str__(self) -> str:
        """Return what was expected and what was found, on one line."""
        expected = visible(self.expected.replace("`", ""), _LONGEST)
        observed = visible(self.observed, _LONGEST).rstrip(".")
        if self.status == "not_evaluated":
            return f'{self.place}: could not check "{expected}" ({observed})'
        first = ", ".join(
            f"{name} {value}" for row in self.sample[:1] for name, value in row.items()
        )
        more = f", the first is {visible(first, _LONGEST)}" if first else ""
        return f'{self.place}: expected "{expected}"; {observed}{more}'


def _blocking(outcomes: Iterable[Outcome]) -> tuple[Outcome, ...]:
    """Return what blocks: first what is not met, then what could not be evaluated."""
    blocking = (outcome for outcome in outcomes if outcome.blocks)
    return tuple(sorted(blocking, key=lambda outcome: outcome.status == "not_evaluated"))


@dataclass(frozen=True)
class MartResult:
    """What came of all expectations of one mart, in the order of its suite."""

    mart: str
    rows: int
    outcomes: tuple[Outcome, ...]

    @property
    def critical(self) -> tuple[Outcome, ...]:
        """What blocks the release."""
        return _blocking(self.outcomes)

    @property
    def warnings(self) -> tuple[Outcome, ...]:
        """What is not met and does not block."""
        return tuple(outcome for outcome in self.outcomes if outcome.warns)


@dataclass(frozen=True)
class GateResult:
    """What the gate says of a release; `docs` is the first page of its Data Docs."""

    marts: tuple[MartResult, ...]
    docs: Path

    @property
    def passed(self) -> bool:
        """Whether the release may be published."""
        return not self.critical

    @property
    def critical(self) -> tuple[Outcome, ...]:
        """What blocks the release."""
        return _blocking(outcome for mart in self.marts for outcome in mart.outcomes)

    @property
    def warnings(self) -> tuple[Outcome, ...]:
        """What is not met and does not block."""
        return tuple(outcome for mart in self.marts for outcome in mart.warnings)

    @property
    def evaluated(self) -> int:
        """How many expectations were looked at."""
        return sum(len(mart.outcomes) for mart in self.marts)


def blocking_line(result: GateResult) -> str:
    """Return one line: what blocked the release, by mart and column, and what to do next.

    Args:
        result: of a gate that has not passed; the first of `critical` is told, the rest counted.
    """
    first, others = result.critical[0], len(result.critical) - 1
    more = f" {plural(others, 'more expectation')} block{'s' if others == 1 else ''} it too."
    step = "mend what this was made from, or report it as a fault of Muster, and run again"
    if first.status == "not_evaluated":
        step = "this is a fault of Muster, not of the data: report it with this line"
    return (
        f"Not released: {first}.{more if others else ''} The last release stays live."
        f" Next: {step}; see {result.docs.with_name(f'{first.mart}.html')}."
    )


def blocking_places(result: GateResult) -> list[str]:
    """Return each mart and column that blocks the release, once, without what stands there."""
    return list(dict.fromkeys(outcome.place for outcome in result.critical))


def check_metadata(result: GateResult) -> dict[str, Any]:
    """Return what an asset check shows of a gate, as plain data.

    Keys: `expectations`, `marts`, `blocking` and `warnings` are counts; `blocked_by` and
    `warned_of` have one line for each.
    """
    return {
        "expectations": result.evaluated,
        "marts": len(result.marts),
        "blocking": len(result.critical),
        "warnings": len(result.warnings),
        "blocked_by": [str(outcome) for outcome in result.critical],
        "warned_of": [str(outcome) for outcome in result.warnings],
    }


def write_pages(
    marts: tuple[MartResult, ...],
    docs: Path,
    collection: Collection,
    about: Mapping[str, str] | None = None,
    contracts: Mapping[str, Contract] | None = None,
) -> GateResult:
    """Write the pages and return what the gate says; the same results give the same bytes.

    Args:
        marts: what came of the expectations of each mart.
        docs: the folder the pages go to, made if need be.
        collection: whose marts they are.
        about: facts that stand on every page: `release`, `collection`, `sources`, `basis`; a
            `basis` of reconstructed returns stands out.
        contracts: the contract of each mart.

    Raises:
        LakeError: a page cannot be written.
    """
    result, about = GateResult(marts, docs / "index.html"), about or {}
    facts = dict(about)
    shared = {
        "collection": collection,
        "warning": facts.pop(_BASIS) if _RECONSTRUCTED in about.get(_BASIS, "") else None,
        "facts": facts,
    }
    _write(result.docs, "index.html.j2", {**shared, "result": result})
    for mart in result.marts:
        contract = (contracts or contracts_of(collection.template))[mart.mart]
        facts_of_it = {
            "mart": mart,
            "description": description(contract),
            "groups": list(_by_column(mart, contract)),
        }
        page = result.docs.with_name(f"{mart.mart}.html")
        _write(page, "mart.html.j2", {**shared, **facts_of_it})
    return result


def _by_column(
    mart: MartResult, contract: Contract
) -> Iterator[tuple[Column | None, list[Outcome]]]:
    """Yield the outcomes of the whole mart, then those of each column in the contract's order."""
    known: list[Column | None] = [None, *columns(contract)]
    names = [column and column.name for column in known]
    ordered = sorted(mart.outcomes, key=lambda outcome: names.index(outcome.column))
    for name, outcomes in groupby(ordered, key=lambda outcome: outcome.column):
        yield known[names.index(name)], list(outcomes)


def _write(path: Path, template: str, facts: Mapping[str, Any]) -> None:
    text = render(_TEMPLATES / template, **facts)
    with atomic_file(path) as file:
        file.write(text.encode())
