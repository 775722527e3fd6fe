"""What came of expectations: as data, in a line for an operator, and on the pages of Data Docs."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Literal

import pyarrow.parquet

from assets.html import render
from assets.lake import atomic_file
from assets.release.gate.suites import Expectation, Suite
from schemas.collection import Collection
from schemas.contract import Contract
from schemas.wording import plural, visible

Label = Literal["met", "not met", "warning", "not checked"]
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
    label: Label
    observed: str
    sample: tuple[Mapping[str, str], ...] = ()

    @property
    def place(self) -> str:
        """The mart, and the column where it is about one."""
        column = self.expectation.column
        return f"{self.mart}, column {column}" if column else self.mart

    def __str__(self) -> str:
        """Return what was expected and what was found, on one line."""
        expected = visible(self.expectation.words.replace("`", ""), _LONGEST)
        observed = visible(self.observed, _LONGEST).rstrip(".")
        if self.label == "not checked":
            return f'{self.place}: could not check "{expected}" ({observed})'
        rows = [", ".join(f"{name} {value}" for name, value in row.items()) for row in self.sample]
        more = f", the first is {visible(rows[0], _LONGEST)}" if rows else ""
        return f'{self.place}: expected "{expected}"; {observed}{more}'


@dataclass(frozen=True)
class _Outcomes:
    outcomes: tuple[Outcome, ...]

    @property
    def critical(self) -> tuple[Outcome, ...]:
        """What blocks: first what is not met, then what could not be evaluated, warning or not."""
        return tuple(o for label in ("not met", "not checked") for o in self._of(label))

    @property
    def warnings(self) -> tuple[Outcome, ...]:
        """What is not met and does not block."""
        return self._of("warning")

    def _of(self, label: str) -> tuple[Outcome, ...]:
        return tuple(outcome for outcome in self.outcomes if outcome.label == label)


@dataclass(frozen=True)
class MartResult(_Outcomes):
    """What came of all expectations of one mart, in the order of its suite."""

    mart: str
    rows: int


@dataclass(frozen=True)
class GateResult(_Outcomes):
    """What the gate says of a release, which `critical` outcomes block.

    `docs` is the first page of its Data Docs.
    """

    marts: tuple[MartResult, ...]
    docs: Path

    @property
    def blocking_line(self) -> str:
        """One line on the first outcome that blocks, and what to do next; the rest is counted."""
        first, others = self.critical[0], len(self.critical) - 1
        more = f" {plural(others, 'more expectation')} block{'s' if others == 1 else ''} it too."
        step = "mend what this was made from, or report it as a fault of Muster, and run again"
        if first.label == "not checked":
            step = "this is a fault of Muster, not of the data: report it with this line"
        return (
            f"Not released: {first}.{more if others else ''} The last release stays live."
            f" Next: {step}; see {self.docs.with_name(f'{first.mart}.html')}."
        )

    @property
    def blocking_places(self) -> list[str]:
        """Each mart and column that blocks the release, once, without what stands there."""
        return list(dict.fromkeys(outcome.place for outcome in self.critical))

    def metadata(self) -> dict[str, Any]:
        """Return what an asset check shows of a gate, as plain data.

        Keys: `expectations`, `marts`, `blocking` and `warnings` are counts; `blocked_by` and
        `warned_of` have one line for each.
        """
        return {
            "expectations": len(self.outcomes),
            "marts": len(self.marts),
            "blocking": len(self.critical),
            "warnings": len(self.warnings),
            "blocked_by": [str(outcome) for outcome in self.critical],
            "warned_of": [str(outcome) for outcome in self.warnings],
        }


def results(
    folder: Path, suites: Mapping[str, Suite], told: Mapping[str, Mapping[int, Any]]
) -> tuple[MartResult, ...]:
    """Return what was told (`evaluate`) of the marts in a folder, in the order of suites."""

    def outcome(mart: str, number: int, one: Expectation) -> Outcome:
        met, observed, sample = told[mart][number]
        unmet: Label = "warning" if one.severity == "warning" else "not met"
        label: Label = "not checked" if met is None else "met" if met else unmet
        return Outcome(mart, one, label, observed, tuple(sample))

    found = []
    for name, suite in suites.items():
        rows = pyarrow.parquet.read_metadata(folder / f"{name}.parquet").num_rows
        found.append(
            MartResult(tuple(outcome(name, *each) for each in enumerate(suite)), name, rows)
        )
    return tuple(found)


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
            for column in (None, *contract.columns)
            for name in [column and column.name]
        ]
        own = {"mart": mart, "description": contract.about, "groups": groups}
        _write(docs / f"{mart.mart}.html", "mart.html.j2", shared | own)
    return result


def _write(path: Path, template: str, facts: Mapping[str, Any]) -> None:
    text = render(_TEMPLATES / template, **facts)
    with atomic_file(path) as file:
        file.write(text.encode())
