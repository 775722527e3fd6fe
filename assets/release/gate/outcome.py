"""What came of expectations: as data, in a line for an operator, and on a page."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Literal

from assets.lake import atomic_file
from assets.release.gate.suites import Expectation, Suite
from assets.release.pages.content import Page, PageTable, Section, Text, in_words
from assets.release.pages.pages import page_html
from assets.release.pages.wording import sentence
from schemas.collection import Collection
from schemas.wording import plural, visible

Label = Literal["met", "not met", "warning", "not checked"]
_LONGEST: Final = 160
"""Characters of a sentence or a row that a line shows; the page shows all."""
_HEADS: Final = ("Where", "Result", "Expected", "Observed")


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
        expected = visible(self.expectation.words, _LONGEST)
        observed = visible(self.observed, _LONGEST).rstrip(".")
        if self.label == "not checked":
            return f'{self.place}: could not check "{expected}" ({observed})'
        first = (f"{name} {value}" for row in self.sample[:1] for name, value in row.items())
        more = f", the first is {visible(', '.join(first), _LONGEST)}" if self.sample else ""
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
            f"Not released: {first}.{more if others else ''} What analysts see stays as it is."
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


def write_page(result: GateResult, collection: Collection, about: Mapping[str, str]) -> None:
    """Write the page of a result; the same results give the same bytes.

    It states `release`, `sources` and `basis` of `about`.

    Raises:
        LakeError: the page cannot be written.
    """
    blocks, warnings, all_ = result.critical, result.warnings, result.outcomes
    counts = (
        f"{plural(len(result.outcomes), 'expectation')} of {plural(len(result.marts), 'mart')}:"
        f" {len(blocks)} not met or not checked, {plural(len(warnings), 'warning')}."
    )
    lines = [
        f"{sentence(about['basis'])}.",
        counts,
        *["What analysts see stays as it is."] * bool(blocks),
    ]
    parts = {
        "What blocks the release": blocks,
        "What a reader of the marts should know": warnings,
        "What came of every expectation": all_,
    }
    page = Page(
        title="The release is blocked" if blocks else "Every mart is as its contract says",
        over=f"{collection.title}: quality of the marts",
        banner=tuple(Text((line,)) for line in lines),
        headlines=(),
        sections=tuple(
            Section(f"part-{n}", title, tuple(_tables(f"of-{n}", title, found, found is all_)))
            for n, (title, found) in enumerate(parts.items())
            if found
        ),
    )
    with atomic_file(result.page) as file:
        file.write(page_html(page, [], about).encode())


def _tables(name: str, title: str, found: Sequence[Outcome], every: bool) -> Iterator[PageTable]:
    """Yield a table of outcomes and, of those that are told apart, one of each sample."""
    caption = f"{title}: {plural(len(found), 'expectation')}"
    yield in_words(name, caption, _HEADS, map(_row, found), every)
    for n, of in enumerate([] if every else found):
        if of.sample:
            told = f'{of.place}: the first rows that break "{of.expectation.words.rstrip(".")}"'
            rows = [[visible(value, None) for value in row.values()] for row in of.sample]
            yield in_words(f"{name}-{n}", told, [*of.sample[0]], rows)


def _row(of: Outcome) -> tuple[str, ...]:
    seen, blame = visible(of.observed), "this is a fault of Muster, not of the data"
    if of.label == "not checked":
        seen = f"could not be checked: {seen}; {blame}"
    return of.place, of.label, of.expectation.words, seen
