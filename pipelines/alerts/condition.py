"""A condition: something that is broken now, and what people are told of it.

Belongs here: the shape of a condition and its wording. Does not: finding one (returns.py, runs.py),
nor who has been told (state.py). A text names forces, rules and figures, never a cell's value, a
person, a secret or a line of code.
"""

import hashlib
import json
import os
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final, Literal

Severity = Literal["warning", "error"]
News = Literal["new", "changed", "over"]

KINDS: Final = {
    "run-failed": "A run failed",
    "run-stuck": "A run is stuck",
    "release-blocked": "A release is blocked",
    "receipts-damaged": "Receipts are damaged",
    "returns-rejected": "A return is rejected",
    "research-refused": "Research is refused",
    "forces-late": "Forces are late",
    "queries-overdue": "Queries are open past their deadline",
    "figures-differ": "A published figure differs from its total",
    "alerts-undelivered": "An alert could not be delivered",
}
"""Every kind of condition in the order of telling; docs/alerts.md has a section for each."""

SAMPLE: Final = 10
"""Cases that a message lists; it always says how many there are."""

_CREDENTIALS: Final = re.compile(r"(?<=://)[^/\s@]+@")


@dataclass(frozen=True)
class Condition:
    """Something that is broken now.

    `cases` maps the stable name of each thing that is broken to the line that tells of it: while
    severity and names stay the same, nobody is told again. With `grows_only`, fewer cases are
    progress and no news. `page` is a path in the UI.
    """

    kind: str
    collection: str
    severity: Severity
    title: str
    now: str
    where: str
    cases: Mapping[str, str]
    do: str
    page: str = ""
    grows_only: bool = False

    @property
    def key(self) -> str:
        """What identifies the condition while it lasts."""
        return key_of(self.kind, self.collection)

    @property
    def digest(self) -> str:
        """What changes exactly when people must be told again."""
        content = json.dumps([self.severity, sorted(self.cases)])
        return hashlib.sha256(content.encode()).hexdigest()


def key_of(kind: str, collection: str) -> str:
    """Return the key of the condition of a kind in a collection; "" for the whole lake."""
    return f"{kind}/{collection}" if collection else kind


def described(condition: Condition, earlier: Iterable[str] | None) -> str:
    """Return the text of a message about a condition that is new or has changed.

    Args:
        condition: the condition.
        earlier: names of the cases told of before; None where nobody was told.
    """
    lines = [condition.now, *sample(condition.cases.values())]
    if earlier is not None:
        known = set(earlier)
        added = [line for name, line in condition.cases.items() if name not in known]
        gone = sorted(known - set(condition.cases))
        lines += ["", f"New since the last message: {len(added)}", *sample(added)]
        lines += [f"No longer: {len(gone)}", *sample(gone)]
    lines += ["", f"Where: {condition.where}", f"What to do: {condition.do}"]
    return "\n".join([*lines, *links(condition.kind, condition.page)])


def links(kind: str, page: str) -> list[str]:
    """Return where to read on: in the UI, if its address is set, and in the documentation."""
    base = os.environ.get("MUSTER_UI_URL", "").rstrip("/")
    shown = [f"See: {without_credentials(base)}/{page.lstrip('/')}"] if base else []
    return [*shown, f"Help: docs/alerts.md#{kind}"]


def sample(lines: Iterable[str]) -> list[str]:
    """Return the first lines, indented, and how many more there are."""
    every = list(lines)
    more = [f"  and {len(every) - SAMPLE} more"] if len(every) > SAMPLE else []
    return [*(f"  {line}" for line in every[:SAMPLE]), *more]


def without_credentials(text: str) -> str:
    """Return a text without the names and passwords in its addresses."""
    return _CREDENTIALS.sub("****@", text)
