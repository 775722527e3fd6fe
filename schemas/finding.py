"""A finding: one thing that is wrong with a received file, at its place."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any, Final

from schemas.errors import MusterError
from schemas.rules.catalogue import Severity, every_rule


@dataclass(frozen=True)
class Finding:
    """One finding. Places are null where the finding concerns more than a cell.

    Of a case-level extract `sheet` is the file and `cell` the first row at fault.
    """

    rule_id: str
    severity: Severity
    message: str
    how_to_fix: str
    sheet: str | None = None
    cell: str | None = None
    row_code: str | None = None
    column_code: str | None = None
    value: str | None = None

    @classmethod
    def of(cls, row: Mapping[str, Any]) -> "Finding":
        """Return the finding that a row of a table says, beside whatever else it says."""
        return cls(**{each.name: row[each.name] for each in fields(cls)})

    @property
    def blocks(self) -> bool:
        """Whether it keeps the return out of the totals."""
        return self.severity == "B"


@dataclass(frozen=True)
class Place:
    """Where a finding stands."""

    sheet: str | None = None
    cell: str | None = None
    row_code: str | None = None
    column_code: str | None = None
    value: str | None = None


NOWHERE: Final = Place()


def finding(
    rule_id: str,
    message: str,
    place: Place = NOWHERE,
    *,
    fix: str | None = None,
    severity: Severity | None = None,
) -> Finding:
    """Return a finding of a rule, with the rule's own advice and severity unless told otherwise."""
    rule = every_rule()[rule_id]
    return Finding(rule_id, severity or rule.severity, message, rule.advice(fix), **vars(place))


class FilesRefusedError(MusterError):
    """Files are not readable as what they are to be; it says everything that is wrong with them."""

    def __init__(self, findings: Sequence[Finding]) -> None:
        """Say of each file what is wrong with it and what to do next."""
        told = (f"{each.sheet}: {each.message}. {each.how_to_fix}" for each in findings)
        super().__init__("\n".join(told))
        self.findings = tuple(findings)
