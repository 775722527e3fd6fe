"""What came of expectations: as data, in a line for an operator, and on the pages of Data Docs."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Literal

from assets.gate.suites import Expectation, Suite
from assets.html import render
from assets.lake import atomic_file
from schemas.collection import Collection
from schemas.contract import Contract, columns, description
from schemas.wording import plural, visible

Status = Literal["passed", "failed", "not_evaluated"]
_LABELS: Final = {"passed": "met", "failed": "not met", "not_evaluated": "not checked"}
_TEMPLATES: Final = Path(__file__).with_name("templates")
_LONGEST: Final = 160
"""Characters of a sentence or a row that a line shows; the page shows all."""


@dataclass(frozen=True)
class Outcome:
    """What came of one expectation of a mart.

    `observed` is in words, or why it could not be evaluated. `sample` has the first rows that
    break it: what stands in the column, then their key.
    """

    mart: str
    expectation: Expectation
    status: Status
    observed: str
    sample: tuple[Mapping[str, str], ...] = ()

    @property
    def label(self) -> str:
        """What came of it, in a word or two."""
        return "warning" if self.warns else _LABELS[self.status]

    @property
    def blocks(self) -> bool:
        """Whether the release is blocked by it; what could not be evaluated always does so."""
        return self.status == "not_evaluated" or (self.status == "failed" and not self.warns)

    @property
    def warns(self) -> bool:
        """Whether it is not met and still does not block."""
        return self.status == "failed" and self.expectation.severity == "warning"

    @property
    def place(self) -> str:
        """The mart, and the column where it is about one."""
        column = self.expectation.column
        return f"{self.mart}, column {column}" if column else self.mart

    def __str__(self) -> str:
        """Return what was expected and what was found, on one line."""
        expected = visible(self.expectation.words.replace("`", ""), _LONGEST)
        observed = visible(self.observed, _LONGEST).rstrip(".")
        if self.status == "not_evaluated":
            return f'{self.place}: could not check "{expected}" ({observed})'
        rows = [", ".join(f"{name} {value}" for name, value in row.items()) for row in self.sample]
        more = f", the first is {visible(rows[0], _LONGEST)}" if rows else ""
        return f'{self.place}: expected "{expected}"; {observed}{more}'


@dataclass(frozen=True)
class _Outcomes:
    outcomes: tuple[Outcome, ...]

    @property
    def critical(self) -> tuple[Outcome, ...]:
        """What blocks: first what is not met, then what could not be evaluated."""
        blocking = (outcome for outcome in self.outcomes if outcome.blocks)
        return tuple(sorted(blocking, key=lambda outcome: outcome.status == "not_evaluated"))

    @property
    def warnings(self) -> tuple[Outcome, ...]:
        """What is not met and does not block."""
        return tuple(outcome for outcome in self.outcomes if outcome.warns)


@dataclass(frozen=True)
class MartResult(_Outcomes):
    """What came of all expectations of one mart, in the order of its suite."""

    mart: str
    rows: int


@dataclass(frozen=True)
class GateResult(_Outcomes):
    """What the gate says of a release; `docs` is the first page of its Data Docs."""

    marts: tuple[MartResult, ...]
    docs: Path

    @property
    def passed(self) -> bool:
        """Whether the release may be published."""
        return not self.critical


def results(
    suites: Mapping[str, Suite], told: Iterable[Mapping[str, Any]]
) -> tuple[MartResult, ...]:
    """Return what was told of each mart in the order of suites (`evaluate`) as results."""
    return tuple(
        MartResult(
            tuple(
                Outcome(name, expectation, **{**one, "sample": tuple(one["sample"])})
                for expectation, one in zip(suite, mart["outcomes"], strict=True)
            ),
            name,
            mart["rows"],
        )
        for (name, suite), mart in zip(suites.items(), told, strict=True)
    )


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
        "expectations": len(result.outcomes),
        "marts": len(result.marts),
        "blocking": len(result.critical),
        "warnings": len(result.warnings),
        "blocked_by": [str(outcome) for outcome in result.critical],
        "warned_of": [str(outcome) for outcome in result.warnings],
    }


def write_pages(
    marts: Sequence[MartResult],
    docs: Path,
    collection: Collection,
    about: Mapping[str, str],
    contracts: Mapping[str, Contract],
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
    everything = tuple(outcome for mart in marts for outcome in mart.outcomes)
    result = GateResult(everything, tuple(marts), docs / "index.html")
    facts = dict(about)
    warning = facts.pop("basis") if "reconstructed" in facts.get("basis", "") else None
    shared = {"collection": collection, "facts": facts, "warning": warning, "result": result}
    _write(result.docs, "index.html.j2", shared)
    for mart in marts:
        contract = contracts[mart.mart]
        groups = [
            (column, [each for each in mart.outcomes if each.expectation.column == name])
            for column in (None, *columns(contract))
            for name in [column and column.name]
        ]
        own = {"mart": mart, "description": description(contract), "groups": groups}
        _write(docs / f"{mart.mart}.html", "mart.html.j2", shared | own)
    return result


def _write(path: Path, template: str, facts: Mapping[str, Any]) -> None:
    text = render(_TEMPLATES / template, **facts)
    with atomic_file(path) as file:
        file.write(text.encode())
