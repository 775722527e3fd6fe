"""Short names for a report's figures, a report of Kent around any sentences, the table of wordings.

Every sentence in the tests of this folder is our own; none is from a published report.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Final

from assets.inputs.reports.report import Report, ReportFigure, read_report
from assets.inputs.reports.signs import Times, vocabulary
from schemas.collection import load_collection

vocabulary()  # Compiled before any test is timed.
TIMES: Final = Times.of(load_collection("2012-revisit"))

SHORT = {
    ("investigations", ""): "inv",
    ("investigations", "category=information_disclosure;recipient=media"): "med",
    ("social_media_cases", ""): "soc",
    ("second_job_applications", ""): "app",
    ("second_job_applications", "decision=approved"): "ok",
}
ACU = "question=acu_staffing_change;answer="
KENT = """\
Revisiting police relationships: progress report

Kent Police
December 2012

About this review

We came back in 2012 to see what forces in England and Wales had done.

# Findings for Kent

{}

## Next steps

We will come again.
"""


@dataclass(frozen=True)
class Wording:
    """One row of a table: a sentence, and what must be read from it (`!` is a problem)."""

    file: str
    line: int
    expected: frozenset[str]
    text: str

    def __str__(self) -> str:
        return f"{self.file}:{self.line}"


def wordings() -> list[Wording]:
    """Return the rows of wordings/*.txt, their escapes such as `\\n` resolved."""
    rows = []
    for path in sorted(Path(__file__).with_name("wordings").glob("*.txt")):
        for number, row in enumerate(path.read_text(encoding="ascii").splitlines(), start=1):
            if row and not row.startswith("#"):
                expected, _, text = row.partition("| ")
                said = text.encode("ascii").decode("unicode_escape")
                rows.append(Wording(path.stem, number, frozenset(expected.split()), said))
    return rows


def kent(*paragraphs: str) -> Report:
    """Read a report of Kent Police with these paragraphs as its findings."""
    return read_report(KENT.format("\n\n".join(paragraphs)), TIMES)


def short(figure: ReportFigure) -> str:
    """Return a figure as a table of wordings writes it."""
    if figure.measure == "capability":
        return f"acu={figure.breakdown.removeprefix(ACU)}"
    return f"{SHORT[figure.measure, figure.breakdown]}={figure.value:.0f}"


def said(report: Report) -> frozenset[str]:
    """Return a report's figures, and `!` if it has problems."""
    return frozenset([*map(short, report.figures), *(["!"] if report.problems else [])])


def figures(read: frozenset[str]) -> frozenset[str]:
    """Return what was read without the sign of a problem."""
    return read - {"!"}


def line_of(report: Report, name: str) -> int:
    """Return the line of the figure with this short name."""
    (line,) = [figure.line for figure in report.figures if short(figure).startswith(f"{name}=")]
    return line
