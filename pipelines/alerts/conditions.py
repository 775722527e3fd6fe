"""A condition: something that is broken now, and what people are told of it.

A text names forces, rules and figures, never a cell's value, a person, a secret or a line of code.
"""

import os
import re
import tomllib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Literal

from schemas.collection import addressed
from schemas.wording import Number

AlertLevel = Literal["info", "warning", "error"]

SAMPLE: Final = 10
"""Cases that a message lists; it always says how many there are."""

KINDS: Final[dict[str, dict[str, Any]]] = tomllib.loads(
    Path(__file__).with_name("kinds.toml").read_text(encoding="utf-8")
)
_CREDENTIALS: Final = re.compile(r"(?<=://)[^/\s@]+@")


@dataclass(frozen=True)
class Condition:
    """Something that is broken now, or of severity `info` what is only listed each morning.

    `cases` maps the stable name of each thing that is broken to the line that tells of it: while
    severity and names stay the same, nobody is told again. `where` and `page` stand for those of
    the kind. `collection` is "" for the whole lake.
    """

    kind: str
    collection: str
    title: str
    now: str
    cases: Mapping[str, str]
    severity: AlertLevel = "error"
    where: str = ""
    page: str = ""

    @property
    def key(self) -> str:
        """What identifies the condition while it lasts."""
        return f"{self.kind}/{self.collection}".removesuffix("/")

    @property
    def headline(self) -> str:
        """The line by which it is known: subject of a mail, line of a log."""
        return f"{self.title} ({self.collection})" if self.collection else self.title

    def same_as(self, other: "Condition") -> bool:
        """Return whether whoever was told of the other need not be told of this one."""
        fewer = "grows_only" in KINDS[self.kind] and set(self.cases) <= set(other.cases)
        return self.severity == other.severity and (fewer or set(self.cases) == set(other.cases))

    def described(self, before: "Condition | None" = None) -> str:
        """Return the text of a message, which says what has changed since people were told."""
        lines = [self.now, *_sample(self.cases.values())]
        if before is not None:
            added = [line for name, line in self.cases.items() if name not in before.cases]
            gone = sorted(set(before.cases) - set(self.cases))
            lines += ["", f"New since the last message: {len(added)}", *_sample(added)]
            lines += [f"No longer: {len(gone)}", *_sample(gone)]
        kind = KINDS[self.kind]
        next_steps = f"Where: {self.where or kind.get('where', '')}\nWhat to do: {kind['do']}"
        if self.collection:
            next_steps = addressed(next_steps, self.collection)
        return "\n".join([*lines, "", next_steps, *self.links()])

    def links(self) -> Iterator[str]:
        """Yield where to read on: in the UI, if its address is set, and in the documentation."""
        base = without_credentials(os.environ.get("MUSTER_UI_URL", "").rstrip("/"))
        if base:
            yield f"See: {base}/{self.page or KINDS[self.kind].get('page', '')}"
        yield f"Help: docs/alerts.md#{self.kind}"


Found = dict[str, Condition | None]
"""Each kind of condition that was looked at; None where there is nothing of it."""


def condition(
    kind: str,
    collection: str,
    cases: Mapping[str, str] | Iterable[str],
    severity: AlertLevel = "error",
    at: Mapping[str, str] | None = None,
    **said: object,
) -> Condition | None:
    """Return the condition of a kind in the words of its table, None where there are no cases.

    The cases are lines, by the name of each where they have one; `said` is what the words of the
    kind name beside `n`, the number of cases. Of the whole lake the collection is "", and `at` has
    its own `where` and `page`.
    """
    lines = cases if isinstance(cases, Mapping) else {line: line for line in cases}
    if not lines:
        return None
    values = {k: Number(v) if isinstance(v, int) else v for k, v in said.items()}
    values["n"] = Number(len(lines))
    title, now = (KINDS[kind][part].format_map(values) for part in ("title", "now"))
    return Condition(kind, collection, title, now, lines, severity, **at or {})


def without_credentials(text: str) -> str:
    """Return a text without the names and passwords in its addresses."""
    return _CREDENTIALS.sub("****@", text)


def _sample(lines: Iterable[str]) -> list[str]:
    """Return the first lines, indented, and how many more there are."""
    every = list(lines)
    more = [f"  and {len(every) - SAMPLE} more"] if len(every) > SAMPLE else []
    return [*(f"  {line}" for line in every[:SAMPLE]), *more]
