"""What people have been told, and what is news against it.

Belongs here: the state and the comparison, as plain data. Does not: files (outbox.py). A condition
is told once, again only when it changes, and once when it is over.
"""

from collections.abc import Iterable
from dataclasses import asdict, dataclass, field, replace
from datetime import UTC, datetime
from typing import Any, Final

from pipelines.alerts.condition import KINDS, Condition, News, described, key_of, links

_RUNS_KEPT: Final = 200


@dataclass(frozen=True)
class Alert:
    """One message to people; `number` counts them, and their order is that of the numbers."""

    number: int
    at: str
    news: News
    kind: str
    collection: str
    severity: str
    title: str
    text: str


@dataclass(frozen=True)
class Told:
    """What people were last told of a condition; `cases` are the names of what was broken."""

    kind: str
    collection: str
    severity: str
    title: str
    digest: str
    cases: tuple[str, ...]
    page: str
    alert: int


@dataclass(frozen=True)
class State:
    """`next_number` of an alert; what was told by the key of its condition; runs told of."""

    next_number: int = 1
    told: dict[str, Told] = field(default_factory=dict)
    runs: tuple[str, ...] = ()

    @classmethod
    def from_json(cls, document: dict[str, Any]) -> "State":
        """Return the state that `to_json` gave.

        Raises:
            TypeError, KeyError: it is not one.
        """
        told = {
            key: Told(**{**value, "cases": tuple(value["cases"])})
            for key, value in document["told"].items()
        }
        return cls(document["next_number"], told, tuple(document["runs"]))

    def to_json(self) -> dict[str, Any]:
        """Return the state as one JSON document."""
        return asdict(self)

    def with_run(self, run_id: str) -> "State":
        """Return the state in which people have been told of a run."""
        return replace(self, runs=(*self.runs, run_id)[-_RUNS_KEPT:])


def news(
    state: State, kinds: Iterable[str], current: Iterable[Condition], collection: str, now: datetime
) -> tuple[list[Alert], State]:
    """Return what people must be told, and the state once they are.

    Args:
        state: what they have been told.
        kinds: the kinds of condition that were looked at; all others stay as they are.
        current: the conditions of these kinds that are there now.
        collection: the collection; "" for the whole lake.
        now: the moment, in UTC.
    """
    alerts: list[Alert] = []
    told = dict(state.told)
    there = {condition.key: condition for condition in current}
    looked_at = set(kinds)
    for key in [key_of(kind, collection) for kind in KINDS if kind in looked_at]:
        number = state.next_number + len(alerts)
        before, condition = told.get(key), there.get(key)
        if condition is None:
            if before is not None:
                alerts.append(_over(number, before, now))
                del told[key]
        elif before is None or condition.digest != before.digest:
            if before is None or not _is_progress(condition, before):
                alerts.append(_of(number, condition, before, now))
            told[key] = _told(condition, number if before is None else before.alert)
    return alerts, replace(state, next_number=state.next_number + len(alerts), told=told)


def _is_progress(condition: Condition, before: Told) -> bool:
    fewer = set(condition.cases) <= set(before.cases)
    return condition.grows_only and fewer and condition.severity == before.severity


def _told(condition: Condition, number: int) -> Told:
    return Told(
        kind=condition.kind,
        collection=condition.collection,
        severity=condition.severity,
        title=condition.title,
        digest=condition.digest,
        cases=tuple(sorted(condition.cases)),
        page=condition.page,
        alert=number,
    )


def _of(number: int, condition: Condition, before: Told | None, now: datetime) -> Alert:
    return Alert(
        number=number,
        at=moment(now),
        news="new" if before is None else "changed",
        kind=condition.kind,
        collection=condition.collection,
        severity=condition.severity,
        title=condition.title,
        text=described(condition, None if before is None else before.cases),
    )


def _over(number: int, before: Told, now: datetime) -> Alert:
    lines = [
        f"This is over. It was told first in alert {before.alert}.",
        "",
        *links(before.kind, before.page),
    ]
    return Alert(
        number=number,
        at=moment(now),
        news="over",
        kind=before.kind,
        collection=before.collection,
        severity=before.severity,
        title=before.title,
        text="\n".join(lines),
    )


def moment(now: datetime) -> str:
    """Return a moment as alerts write it."""
    return now.astimezone(UTC).isoformat(timespec="seconds")
