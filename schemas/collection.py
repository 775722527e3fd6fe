"""A collection as data: period, deadlines, expected forces, published figures, rule settings.

The next collection is a new file in collections/ (or in the folder that MUSTER_COLLECTIONS
names), never a code change. Does not belong here: anything that is the same in every collection.
"""

import os
import tomllib
from datetime import date, datetime, time, timedelta
from functools import cache
from pathlib import Path
from typing import Annotated, Any, Final, Literal
from zoneinfo import ZoneInfo

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    InstanceOf,
    PlainSerializer,
    ValidationError,
    field_validator,
    model_validator,
)

from schemas.disclosure import Disclosure
from schemas.errors import SetupError
from schemas.reference import REFERENCE, forces
from schemas.rules.catalogue import rules
from schemas.template import Template, load_template

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


class Deadlines(_Data):
    """`soft`: reminders start; `hard`: a force that has sent nothing counts as late.

    `queries`: every query should have an accepted answer; the hard deadline where it is not given.
    """

    soft: date
    hard: date
    queries: date | None = None

    @property
    def of_queries(self) -> date:
        """The day by which every query should have an accepted answer."""
        return self.queries or self.hard


class Running(_Data):
    """When a collection runs by itself; times are of the collection's time zone.

    `opens`: first day of the window, the day after the census where it is not given.
    `days_after_hard`: the window closes so many days after the hard deadline. `refresh` and
    `inventory`: when, each day of the window. `settle_seconds`: how long a dropped file must stand
    unchanged before it is taken. `stuck_minutes`: a run that takes longer is reported as stuck.
    """

    opens: date | None = None
    days_after_hard: int = Field(default=28, ge=0)
    refresh: time = time(6)
    inventory: time = time(7, 30)
    settle_seconds: int = Field(default=20, ge=1, le=3600)
    stuck_minutes: int = Field(default=60, ge=1)


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


class CaseExtracts(_Data):
    """What is asked of case-level extracts.

    `max_bad_share`: the share of bad rows above which a force's extract is refused whole.
    """

    max_bad_share: float = Field(ge=0, le=1)


class RuleChange(_Data):
    """A rule switched off or downgraded for this collection, with its reason."""

    rule: str
    severity: Literal["off", "Q", "N"]
    reason: str = Field(min_length=10)
    since: date


def _resolved(named: object) -> object:
    """Return the template that a collection names, such as `returns-1`."""
    if not isinstance(named, str):
        return named
    try:
        return load_template(named)
    except SetupError as error:
        raise ValueError(str(error)) from error


class Collection(_Data):
    """One collection of returns."""

    id: str = Field(pattern=r"^[a-z0-9][a-z0-9-]*$")
    title: str
    period: Period
    census: date
    timezone: str
    template: Annotated[
        InstanceOf[Template],
        BeforeValidator(_resolved),
        PlainSerializer(lambda template: f"{template.name}-{template.version}"),
    ]
    deadlines: Deadlines
    running: Running = Running()
    forces: tuple[str, ...] = Field(strict=False)
    without_police_authority: tuple[str, ...] = Field(strict=False)
    comparators: dict[str, Period]
    published: Published
    count_bands: tuple[str, ...] = Field(strict=False)
    cases: CaseExtracts
    thresholds: dict[str, dict[str, float]] = Field(default_factory=dict)
    rule_changes: tuple[RuleChange, ...] = Field(default=(), strict=False)
    disclosure: Disclosure | None = None

    @field_validator("timezone")
    @classmethod
    def _known_timezone(cls, name: str) -> str:
        try:
            ZoneInfo(name)
        except (KeyError, ValueError, OSError):
            raise ValueError(f"no time zone {name!r}; one is Europe/London") from None
        return name

    def day_of(self, moment: datetime) -> date:
        """Return the day a moment falls on where the collection is run."""
        return moment.astimezone(ZoneInfo(self.timezone)).date()

    @property
    def window(self) -> tuple[date, date]:
        """First and last day on which the collection runs by itself."""
        opens = self.running.opens or self.census + timedelta(days=1)
        return opens, self.deadlines.hard + timedelta(days=self.running.days_after_hard)

    def is_open(self, today: date) -> bool:
        """Return whether a day lies in the window."""
        opens, closes = self.window
        return opens <= today <= closes

    @model_validator(mode="after")
    def _window_in_order(self) -> "Collection":
        if self.deadlines.hard < self.deadlines.soft:
            raise ValueError(
                f"the hard deadline {self.deadlines.hard} is before the soft one"
                f" {self.deadlines.soft}"
            )
        opens, closes = self.window
        if closes < opens:
            raise ValueError(f"the window closes on {closes}, before it opens on {opens}")
        return self

    @model_validator(mode="after")
    def _known_forces(self) -> "Collection":
        known = set(forces()["force_code"])
        exempt = self.disclosure.exempt if self.disclosure else ()
        named = {force for item in exempt for force in item.forces}
        unknown = sorted({*self.forces, *self.without_police_authority, *named} - known)
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
