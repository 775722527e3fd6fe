"""A condition: something that is broken now, and what people are told of it.

A text names forces, rules and figures, never a cell's value, a person, a secret or a line of code.
"""

import os
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Final, Literal

from schemas.collection import addressed

Severity = Literal["info", "warning", "error"]

SAMPLE: Final = 10
"""Cases that a message lists; it always says how many there are."""

_CREDENTIALS: Final = re.compile(r"(?<=://)[^/\s@]+@")


@dataclass(frozen=True)
class Kind:
    """What all conditions of a kind have in common: `page` is a path in the UI."""

    title: str
    where: str = ""
    do: str = ""
    page: str = ""
    grows_only: bool = False


_NEXT_RUN: Final = "Mend it, then: muster run. Analysts still see the last complete release."
_STATUS: Final = "assets/validation/returns_status"

KINDS: Final = {
    "run-failed": Kind("A run failed", do=_NEXT_RUN),
    "run-stuck": Kind(
        "A run is stuck",
        "runs in the UI",
        "See in the run's log where it stands. End it there (Terminate), then: muster run. A run"
        " that was killed is ended by the next one.",
    ),
    "release-blocked": Kind("A release is blocked", do=_NEXT_RUN),
    "receipts-damaged": Kind(
        "Receipts are damaged",
        "table intake/damaged_receipts; muster doctor",
        "Restore them from the backup of the lake, then: muster run.",
        "assets/intake/damaged_receipts",
    ),
    "returns-rejected": Kind(
        "A return is rejected",
        "table validation/findings, mart findings: sheet and cell of each finding; table"
        " cases/extracts: what is wrong with an extract",
        "Send each force its marked workbook: muster feedback --out DIR. An earlier version that"
        " was accepted stays live until a better one comes. Ask who sent a file without a force,"
        " then replace it in landing or take it away.",
        "assets/validation/findings",
    ),
    "research-refused": Kind(
        "Research is refused",
        "table research/research_problems: row and column of each problem",
        "Mend the file as its problems say (muster run prints them), and drop it again under the"
        " same name.",
        "assets/research/research_problems",
    ),
    "forces-late": Kind(
        "Forces are late",
        "muster status",
        "Call them: muster status --call-list FILE writes the list, the most urgent first.",
        _STATUS,
        grows_only=True,
    ),
    "queries-overdue": Kind(
        "Queries are open past their deadline",
        "muster queries",
        "Ask the forces, then record each reason: muster answer QUERY --reason TEXT --by NAME; a"
        " second person accepts it.",
        _STATUS,
        grows_only=True,
    ),
    "figures-differ": Kind(
        "A published figure differs from its total",
        "muster reconcile --differing, mart reconciliation",
        "See which cells a figure comes from: muster explain FIGURE. A figure that differs because"
        " returns are missing matches once they are in.",
        "assets/reconciliation/reconciliation",
    ),
    "alerts-undelivered": Kind(
        "An alert could not be delivered",
        "alerts/state.json in the lake says what each channel was told",
        "Mend the channel or its address in MUSTER_ALERT_URLS, then: muster alert-test.",
    ),
}
"""Every kind of condition in the order of telling; docs/alerts.md has a section for each."""


@dataclass(frozen=True)
class Condition:
    """Something that is broken now, or of severity `info` what is only listed each morning.

    `cases` maps the stable name of each thing that is broken to the line that tells of it: while
    severity and names stay the same, nobody is told again. Of a kind that `grows_only`, fewer
    cases are progress and no news. `where` and `page` stand for those of the kind.
    """

    kind: str
    collection: str
    title: str
    now: str
    cases: Mapping[str, str]
    severity: Severity = "error"
    where: str = ""
    page: str = ""

    @property
    def key(self) -> str:
        """What identifies the condition while it lasts."""
        return key_of(self.kind, self.collection)

    @property
    def headline(self) -> str:
        """The line by which it is known: subject of a mail, line of a log."""
        return f"{self.title} ({self.collection})" if self.collection else self.title

    def same_as(self, other: "Condition") -> bool:
        """Return whether whoever was told of the other need not be told of this one."""
        fewer = KINDS[self.kind].grows_only and set(self.cases) <= set(other.cases)
        return self.severity == other.severity and (fewer or set(self.cases) == set(other.cases))

    def described(self, before: "Condition | None" = None) -> str:
        """Return the text of a message, which says what has changed since people were told."""
        kind = KINDS[self.kind]
        lines = [self.now, *_sample(self.cases.values())]
        if before is not None:
            added = [line for name, line in self.cases.items() if name not in before.cases]
            gone = sorted(set(before.cases) - set(self.cases))
            lines += ["", f"New since the last message: {len(added)}", *_sample(added)]
            lines += [f"No longer: {len(gone)}", *_sample(gone)]
        next_steps = f"Where: {self.where or kind.where}\nWhat to do: {kind.do}"
        if self.collection:
            next_steps = addressed(next_steps, self.collection)
        return "\n".join([*lines, "", next_steps, *self.links()])

    def links(self) -> Iterator[str]:
        """Yield where to read on: in the UI, if its address is set, and in the documentation."""
        base = without_credentials(os.environ.get("MUSTER_UI_URL", "").rstrip("/"))
        if base:
            yield f"See: {base}/{self.page or KINDS[self.kind].page}"
        yield f"Help: docs/alerts.md#{self.kind}"


Found = dict[str, Condition | None]
"""Each kind of condition that was looked at; None where there is nothing of it."""


def key_of(kind: str, collection: str) -> str:
    """Return the key of the condition of a kind in a collection; "" for the whole lake."""
    return f"{kind}/{collection}" if collection else kind


def without_credentials(text: str) -> str:
    """Return a text without the names and passwords in its addresses."""
    return _CREDENTIALS.sub("****@", text)


def _sample(lines: Iterable[str]) -> list[str]:
    """Return the first lines, indented, and how many more there are."""
    every = list(lines)
    more = [f"  and {len(every) - SAMPLE} more"] if len(every) > SAMPLE else []
    return [*(f"  {line}" for line in every[:SAMPLE]), *more]
