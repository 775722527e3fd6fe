"""What a result of Great Expectations says, as an outcome in plain words.

Belongs here: reading a result's dictionary. Does not: running anything, or importing the library.
"""

from collections.abc import Iterator, Mapping
from typing import Any, Final, Protocol

import pandas as pd

from assets.gate.expectation import Expectation
from assets.gate.outcome import Outcome, Phrase
from schemas.wording import plural

_TYPES: Final = {"double": "float64", "date32[day]": "date"}
"""Types that Arrow names otherwise than the contracts do."""


class Result(Protocol):
    """What is read of a result of Great Expectations."""

    success: Any
    result: Any
    exception_info: Any


def outcome(
    mart: str, expectation: Expectation, expected: tuple[Phrase, ...], result: Result | None
) -> Outcome:
    """Return what came of an expectation; without a result it was not evaluated."""
    about = mart, expectation.column, expectation.severity
    crash = "it gave no result" if result is None else _crash(result.exception_info)
    if result is None or crash is not None:
        return Outcome(*about, "not_evaluated", expected, crash or "")
    found = result.result
    return Outcome(
        *about,
        "passed" if result.success else "failed",
        expected,
        _observed(expectation, found),
        found.get("unexpected_count"),
        found.get("element_count"),
        tuple(_sample(expectation, found)),
    )


def _crash(info: Mapping[str, Any]) -> str | None:
    """Return the message of an expectation that crashed, None for one that did not.

    It is of one exception, or of several by the metric that raised it.
    """
    raised = [info] if "raised_exception" in info else list(info.values())
    messages = {str(each["exception_message"]) for each in raised if each["raised_exception"]}
    return " ".join(min(messages).split()).rstrip(".") if messages else None


def _observed(expectation: Expectation, found: Mapping[str, Any]) -> str:
    """Return in words what was found."""
    if "element_count" in found:
        count, rows = found["unexpected_count"], found["element_count"]
        broken = f"{count:,} of {plural(rows, 'row')} {'breaks' if count == 1 else 'break'} this"
        return broken if rows else "no row to look at"
    value = found["observed_value"]
    if "column_list" in expectation.arguments:
        return _columns(value, expectation.arguments["column_list"])
    if isinstance(value, int):
        return f"found {plural(value, 'row')}"
    name = str(value).removesuffix("[pyarrow]")
    return f"found {_TYPES.get(name, name)}"


def _columns(found: list[str], expected: list[str]) -> str:
    missing = [name for name in expected if name not in found]
    foreign = [name for name in found if name not in expected]
    problems = [
        *([f"lacks {', '.join(missing)}"] if missing else []),
        *([f"also has {', '.join(foreign)}"] if foreign else []),
    ]
    if problems or found == expected:
        return " and ".join(problems) or f"found {plural(len(found), 'column')}"
    return f"found in the order {', '.join(found)}"


def _sample(expectation: Expectation, found: Mapping[str, Any]) -> Iterator[Mapping[str, str]]:
    """Yield the first rows that break an expectation: what stands there, then their key."""
    values = found.get("partial_unexpected_list") or []
    places = found.get("partial_unexpected_index_list") or []
    for value, place in zip(values, places, strict=True):
        what = {expectation.column: value} if expectation.column else {}
        # A mart without a key has the row's number instead.
        where = place if isinstance(place, dict) else {"row": place + 1}
        yield {str(name): _text(each) for name, each in {**what, **where}.items()}


def _text(value: Any) -> str:
    if isinstance(value, float):
        return f"{value:.15g}"
    if isinstance(value, bool):
        return str(value).lower()
    return "null" if pd.isna(value) else str(value)
