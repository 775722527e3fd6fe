"""What came of expectations: as data, in a line for an operator, and on a page."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Literal

from assets.lake import atomic_file
from assets.release.gate.suites import Expectation, Suite
from assets.release.pages.content import Page, Section, Text, in_words
from assets.release.pages.pages import page_html
from assets.release.pages.wording import sentence
from schemas.collection import Collection
from schemas.contract import Contract
from schemas.wording import plural, visible

Label = Literal["met", "not met", "warning", "not checked"]
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

    @property
    def seen(self) -> str:
        """What was observed, as a page says it."""
        seen = visible(self.observed)
        blame = f"could not be checked: {seen}. This is a fault of Muster, not of the data"
        return blame if self.label == "not checked" else seen

    @property
    def rows(self) -> list[str]:
        """The sample, a line a row."""
        return [", ".join(f"{name} {value}" for name, value in row.items()) for row in self.sample]

    def __str__(self) -> str:
        """Return what was expected and what was found, on one line."""
        expected = visible(self.expectation.words, _LONGEST)
        observed = visible(self.observed, _LONGEST).rstrip(".")
        if self.label == "not checked":
            return f'{self.place}: could not check "{expected}" ({observed})'
        more = f", the first is {visible(self.rows[0], _LONGEST)}" if self.sample else ""
        return f'{self.place}: expected "{expected}"; {observed}{more}'


@dataclass(frozen=True)
class GateResult:
    """What the gate says of a release, which `critical` outcomes block; `page` shows it."""

    outcomes: Sequence[Outcome]
    page: Path

    @property
    def critical(self) -> list[Outcome]:
        """What blocks: first what is not met, then what could not be evaluated, warning or not."""
        return [*self._of("not met"), *self._of("not checked")]

    @property
    def warnings(self) -> list[Outcome]:
        """What is not met and does not block."""
        return self._of("warning")

    def _of(self, label: Label) -> list[Outcome]:
        return [outcome for outcome in self.outcomes if outcome.label == label]

    @property
    def marts(self) -> list[str]:
        """The marts, in their order."""
        return list(dict.fromkeys(outcome.mart for outcome in self.outcomes))

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
            f" Next: {step}; see {self.page}."
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


def outcomes(suites: Mapping[str, Suite], told: Mapping[str, Mapping[int, Any]]) -> list[Outcome]:
    """Return what was told (`evaluate`) of marts, in the order of their suites."""

    def label(met: bool | None, severity: str) -> Label:
        unmet: Label = "warning" if severity == "warning" else "not met"
        return "not checked" if met is None else "met" if met else unmet

    return [
        Outcome(mart, one, label(met, one.severity), observed, tuple(sample))
        for mart, suite in suites.items()
        for number, one in enumerate(suite)
        for met, observed, sample in [told[mart][number]]
    ]


def write_page(
    result: GateResult,
    collection: Collection,
    about: Mapping[str, str],
    contracts: Mapping[str, Contract],
) -> None:
    """Write the page of a result; the same results give the same bytes.

    Args:
        result: what came of the expectations, and where the page goes.
        collection: whose marts they are.
        about: facts that every page states: `release`, `sources`, `basis`.
        contracts: the contract of each mart.

    Raises:
        LakeError: the page cannot be written.
    """
    stops = plural(len(result.critical), "expectation")
    verdict = f"{stops} not met or not checked: the last release stays live."
    page = Page(
        title="The release is blocked" if result.critical else "Every mart is as its contract says",
        over=f"{collection.title}: quality of the marts",
        banner=tuple(
            Text((line,))
            for line in (
                *([verdict] if result.critical else []),
                f"{sentence(about['basis'])}.",
                f"{plural(len(result.outcomes), 'expectation')} of"
                f" {plural(len(result.marts), 'mart')}, {plural(len(result.warnings), 'warning')}.",
            )
        ),
        headlines=(),
        sections=(
            *_problems("blocks", "What blocks the release", result.critical),
            *_problems("warnings", "What a reader of the marts should know", result.warnings),
            *(_of_mart(name, result.outcomes, contracts[name]) for name in result.marts),
        ),
    )
    with atomic_file(result.page) as file:
        file.write(page_html(page, [], about).encode())


def _problems(name: str, title: str, found: Sequence[Outcome]) -> Iterator[Section]:
    """Yield the section of what is not met, if there is any."""
    heads = ("Where", "Expected", "Observed", "The first rows that break it")
    rows = [(o.place, o.expectation.words, o.seen, "; ".join(o.rows) or "none") for o in found]
    if rows:
        yield Section(name, title, (in_words(name, title, heads, rows),))


def _of_mart(name: str, found: Sequence[Outcome], contract: Contract) -> Section:
    """Return the section of a mart: what came of every expectation, column by column."""
    order = {column.name: at for at, column in enumerate(contract.columns)}
    mine = [o for o in found if o.mart == name]
    mine.sort(key=lambda o: order.get(str(o.expectation.column), -1))
    rows = [
        (o.expectation.column or "The whole mart", o.label, o.expectation.words, o.seen)
        for o in mine
    ]
    caption = f"{name}: {sum(o.label == 'met' for o in mine)} of {len(mine)} expectations met"
    heads = ("Column", "Result", "Expected", "Observed")
    table = in_words(f"of-{name}", caption, heads, rows, folded=True)
    return Section(name, name, (Text((contract.about,)), table))
