"""What the gate tells an operator: one line when it blocks, and the facts for an asset check.

Belongs here: wording for a terminal and for the Dagster UI. Does not: the pages (pages.py).
"""

from typing import Any, Final

from assets.gate.outcome import GateResult, Outcome
from schemas.wording import plural, visible

_LONGEST: Final = 160
"""Characters of a sentence or a row that a line shows; the page shows all."""


def blocking_line(result: GateResult) -> str:
    """Return one line: what blocked the release, by mart and column, and what to do next.

    Args:
        result: of a gate that has not passed; the first of `critical` is told, the rest counted.
    """
    first, others = result.critical[0], len(result.critical) - 1
    more = f" {plural(others, 'more expectation')} block{'s' if others == 1 else ''} it too."
    page = result.docs.with_name(f"{first.mart}.html")
    return (
        f"Not released: {_told(first)}.{more if others else ''} The last release stays live."
        f" Next: {_next_step(first)}; see {page}."
    )


def blocking_places(result: GateResult) -> list[str]:
    """Return each mart and column that blocks the release, once, without what stands there."""
    return list(dict.fromkeys(_place(outcome) for outcome in result.critical))


def check_metadata(result: GateResult) -> dict[str, Any]:
    """Return what an asset check shows of a gate, as plain data.

    Keys: `expectations`, `marts`, `blocking` and `warnings` are counts; `blocked_by` and
    `warned_of` have one line for each.
    """
    return {
        "expectations": result.evaluated,
        "marts": len(result.marts),
        "blocking": len(result.critical),
        "warnings": len(result.warnings),
        "blocked_by": [_told(outcome) for outcome in result.critical],
        "warned_of": [_told(outcome) for outcome in result.warnings],
    }


def _told(outcome: Outcome) -> str:
    where = _place(outcome)
    expected = visible(outcome.sentence, _LONGEST)
    observed = visible(outcome.observed, _LONGEST).rstrip(".")
    if outcome.status == "not_evaluated":
        return f'{where}: could not check "{expected}" ({observed})'
    return f'{where}: expected "{expected}"; {observed}{_first_row(outcome)}'


def _place(outcome: Outcome) -> str:
    return f"{outcome.mart}, column {outcome.column}" if outcome.column else outcome.mart


def _first_row(outcome: Outcome) -> str:
    if not outcome.sample:
        return ""
    first = outcome.sample[0]
    row = ", ".join(f"{name} {value}" for name, value in first.items())
    return f", the first is {visible(row, _LONGEST)}"


def _next_step(outcome: Outcome) -> str:
    if outcome.status == "not_evaluated":
        return "this is a fault of Muster, not of the data: report it with this line"
    return "mend what this was made from, or report it as a fault of Muster, and run again"
