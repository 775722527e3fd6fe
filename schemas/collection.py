"""A collection as data: period, deadlines, expected forces, published figures, rule settings.

The next collection is a new file in collections/ (or in the folder that MUSTER_COLLECTIONS
names), never a code change. Does not belong here: anything that is the same in every collection.
"""

import os
import tomllib
from datetime import date, datetime
from functools import cache
from pathlib import Path
from typing import Any, Final, Literal
from zoneinfo import ZoneInfo, available_timezones

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from schemas.errors import SetupError
from schemas.reference import REFERENCE, forces
from schemas.rules.catalogue import rules

COLLECTIONS: Final = Path(__file__).parent / "collections"


class _Data(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


class Period(_Data):
    """A span of whole months, both ends included."""

    start: date
    end: date

    @model_validator(mode="after")
    def _in_order(self) -> "Period":
        if self.end < self.start:
            raise ValueError(f"period ends {self.end}, before it starts {self.start}")
        return self

    @property
    def months(self) -> int:
        """Number of calendar months the period touches."""
        return (self.end.year - self.start.year) * 12 + self.end.month - self.start.month + 1


class Template(_Data):
    """The workbook the forces fill."""

    name: str
    version: int


class Deadlines(_Data):
    """`soft`: reminders start; `hard`: a force that has sent nothing counts as late."""

    soft: date
    hard: date


class Published(_Data):
    """The publication a collection is reconciled with; files in reference/."""

    figures: str
    source_issues: str

    @property
    def figures_path(self) -> Path:
        """Path of the published figures."""
        return REFERENCE / self.figures

    @property
    def source_issues_path(self) -> Path:
        """Path of the contradictions known in the source."""
        return REFERENCE / self.source_issues


class RuleChange(_Data):
    """A rule switched off or downgraded for this collection, with its reason."""

    rule: str
    severity: Literal["off", "Q", "N"]
    reason: str = Field(min_length=10)
    since: date


class Collection(_Data):
    """One collection of returns."""

    id: str = Field(pattern=r"^[a-z0-9][a-z0-9-]*$")
    title: str
    period: Period
    census: date
    timezone: str
    template: Template
    deadlines: Deadlines
    forces: tuple[str, ...] = Field(strict=False)
    without_police_authority: tuple[str, ...] = Field(strict=False)
    comparators: dict[str, Period]
    published: Published
    count_bands: tuple[str, ...] = Field(strict=False)
    thresholds: dict[str, dict[str, float]] = Field(default_factory=dict)
    rule_changes: tuple[RuleChange, ...] = Field(default=(), strict=False)

    @field_validator("timezone")
    @classmethod
    def _known_timezone(cls, name: str) -> str:
        if name not in available_timezones():
            raise ValueError(f"no time zone {name!r}; one is Europe/London")
        return name

    def day_of(self, moment: datetime) -> date:
        """Return the day a moment falls on where the collection is run."""
        return moment.astimezone(ZoneInfo(self.timezone)).date()

    @model_validator(mode="after")
    def _known_forces(self) -> "Collection":
        known = set(forces()["force_code"])
        unknown = sorted({*self.forces, *self.without_police_authority} - known)
        if unknown:
            raise ValueError(f"force codes not in reference/forces.csv: {', '.join(unknown)}")
        if len(set(self.forces)) != len(self.forces):
            raise ValueError("a force is listed twice")
        return self

    @model_validator(mode="after")
    def _rules_can_be_run(self) -> "Collection":
        for rule in rules().values():
            given = set(self.thresholds.get(rule.id, {}))
            if given != set(rule.limits):
                raise ValueError(
                    f"thresholds.{rule.id} must give {sorted(rule.limits)}, not {sorted(given)}"
                )
        for change in self.rule_changes:
            changed = rules().get(change.rule)
            if changed is None or changed.guards:
                why = "values depend on it" if changed else "there is no such rule"
                raise ValueError(f"rule {change.rule} cannot be changed: {why}")
        return self

    def changed(self, rule_id: str) -> RuleChange | None:
        """Return how this collection has changed a rule, None where it has not."""
        return next((change for change in self.rule_changes if change.rule == rule_id), None)


def _folders() -> list[Path]:
    extra = os.environ.get("MUSTER_COLLECTIONS")
    return [Path(extra), COLLECTIONS] if extra else [COLLECTIONS]


def collection_files() -> dict[str, Path]:
    """Return the collection files by id, an id in MUSTER_COLLECTIONS before one of our own."""
    found = [path for folder in _folders() for path in sorted(folder.glob("*.toml"))]
    return {path.stem: path for path in reversed(found)}


def load_collection(collection_id: str) -> Collection:
    """Read one collection.

    Raises:
        SetupError: there is no such file, or it does not say what a collection must say.
    """
    files = collection_files()
    if collection_id not in files:
        raise SetupError(
            f"no collection {collection_id!r}; there are: {', '.join(sorted(files))}. "
            f"Add {collection_id}.toml to {_folders()[0]}, or name one of these."
        )
    return _read(files[collection_id])


@cache
def _read(path: Path) -> Collection:
    try:
        data: dict[str, Any] = tomllib.loads(path.read_text(encoding="utf-8"))
        collection = Collection.model_validate(data)
    except (tomllib.TOMLDecodeError, ValidationError) as error:
        raise SetupError(
            f"{path} is not a collection file: {error}. Mend it and try again."
        ) from error
    if collection.id != path.stem:
        raise SetupError(f"{path} says id = {collection.id!r}; the id must be the file's name.")
    return collection
