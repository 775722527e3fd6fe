"""An expectation as plain data, under Great Expectations' own names.

Belongs here: its shape and its parts. Does not: what is expected (suites.py, particular.py) or
running it (engine.py).
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

Severity = Literal["critical", "warning"]


@dataclass(frozen=True)
class Expectation:
    """One expectation of a mart: a type of Great Expectations and its arguments.

    A critical one blocks the release where it is not met, a warning does not. `words` say what is
    expected where Great Expectations' own wording would be hard to read; None for its own. Neither
    names the column.
    """

    type: str
    arguments: Mapping[str, Any] = field(hash=False)
    severity: Severity = "critical"
    words: str | None = None

    @property
    def column(self) -> str | None:
        """The column it is about; None where it is about several or the whole mart."""
        column: str | None = self.arguments.get("column")
        return column


Suite = tuple[Expectation, ...]


def where(column: str, code: str) -> dict[str, Any]:
    """Return the argument by which an expectation looks only at rows with a code in a column."""
    named = {"name": column}
    return {
        "row_condition": {
            "type": "comparison",
            "column": named,
            "operator": "==",
            "parameter": code,
        }
    }
