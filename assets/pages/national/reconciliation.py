"""Published against computed on the national page, and how to trace a figure."""

from collections import defaultdict
from typing import Any

from assets.pages.content import Section, Table, Text, heads, row, text
from assets.pages.figures import Edition
from assets.pages.records import reconciled
from assets.pages.wording import STATUSES, sentence
from schemas import vocabulary as v
from schemas.wording import plural


def sections(edition: Edition) -> list[Section]:
    """Return the reconciliation, and how to cite and to trace."""
    return [_reconciliation(edition), _trace(edition)]


def _reconciliation(edition: Edition) -> Section:
    by_status: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for figure in edition.rows("reconciliation"):
        by_status[figure["status"]].append(figure)
    counts = Table(
        "reconciliation",
        "Published figures by how they compare",
        heads("Status", "Figures", words=("What it means",)),
        tuple(
            row(label, edition.count("reconciliation", status=status),
                sentence(v.RECONCILIATION_STATUSES[status]))
            for status, label in STATUSES.items()
        ),
    )  # fmt: skip
    differing = edition.count("reconciliation", status="differs")
    tables = [
        reconciled(
            edition,
            f"reconciliation_{status}",
            f"{label}: {plural(len(by_status[status]), 'figure')}",
            by_status[status],
            status=False,
        )
        for status, label in STATUSES.items()
        if by_status[status]
    ]
    return Section(
        "reconciliation",
        "Published against computed",
        (
            text(
                "Every figure of the publication beside the one computed from the returns. No"
                " computed figure is copied from the published one. Figures that differ: ",
                differing,
                ".",
            ),
            counts,
            _issues(edition),
            *tables,
        ),
    )


def _issues(edition: Edition) -> Table:
    known = edition.collection.source_issues.to_dicts()
    return Table(
        "source_issues",
        "Where the publication contradicts itself",
        heads("Contradiction", words=("What the publication says", "Figures")),
        tuple(
            row(issue["issue_id"], issue["text"], issue["figures"].replace(";", ", "))
            for issue in known
        ),
    )


def _trace(edition: Edition) -> Section:
    return Section(
        "trace",
        "How to cite and to trace a figure",
        (
            text(
                f"Cite a figure with its release: {edition.collection.title}, release"
                f" {edition.about['release']}. The same returns give the same release again."
            ),
            text(f"Sources: {edition.about['sources']}."),
            text("From a published figure down to the files, sheets and cells that make it:"),
            Text(("muster explain INV-01",), mono=True),
            text("From any total, by its measure and breakdown, for all forces or for one:"),
            Text(('muster explain investigations "category=second_jobs" --force STF',), mono=True),
        ),
    )
