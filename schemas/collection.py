"""A collection as data: period, deadlines, expected forces, published figures, rule settings.

The next collection is a new file in collections/ (or in the folder that MUSTER_COLLECTIONS
names), never a code change. Does not belong here: anything that is the same in every collection.
"""

import os
import tomllib
from datetime import date, datetime, time, timedelta
from functools import cache
from pathlib import Path
from typing import Annotated, Any, Final, Literal, NamedTuple
from zoneinfo import ZoneInfo

import polars as pl
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

from schemas.disclosure import IN_PRINT, Disclosure
from schemas.errors import SetupError
from schemas.reference import REFERENCE, forces, published_figures
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

    @model_validator(mode="after")
    def _exemptions_are_in_print(self) -> "Collection":
        for item in self.disclosure.exempt if self.disclosure else ():
            what = f"disclosure.exempt {item.column}"
            unknown = [name for name in item.figures if name not in self._printed]
            if unknown:
                raise ValueError(
                    f"{what} rests on {', '.join(unknown)}, which {self.published.figures} does not"
                    " have. An exemption belongs to the publication that printed the count; take it"
                    " out, or name a figure of this collection's publication."
                )
            figures = [self._printed[name] for name in item.figures]
            for figure in figures:
                if (figure.measure, figure.breakdown) != IN_PRINT[item.column]:
                    raise ValueError(
                        f"{what} rests on {figure.figure_id}, which is {figure.measure}"
                        f" {figure.breakdown or 'in all'}: another count. Name the figure that"
                        " prints this one."
                    )
                if not self._is_of_the_time(figure):
                    raise ValueError(
                        f"{what} rests on {figure.figure_id}, which is about {figure.start} to"
                        f" {figure.end}: not about this collection. Take the exemption out, or name"
                        " the figure that prints this collection's count."
                    )
            of = sorted(figure.scope for figure in figures)
            if of != sorted(item.forces):
                raise ValueError(
                    f"{what} is for {', '.join(sorted(item.forces))}, but its figures are about"
                    f" {', '.join(of)}. Name one figure for each force."
                )
        return self

    @property
    def _printed(self) -> dict[str, "PublishedFigure"]:
        return _published_figures(self.published.figures_path)

    def _is_of_the_time(self, figure: "PublishedFigure") -> bool:
        """Whether a figure is about the period; cases on social media are those of the year."""
        year = self.census.year
        whole_year = Period(start=date(year, 1, 1), end=date(year, 12, 31))
        period = whole_year if figure.measure == "social_media_cases" else self.period
        return (figure.start, figure.end) == (str(period.start), str(period.end))

    def is_exempt(self, mart: str, column: str, force_code: str, value: int | None) -> bool:
        """Return whether a force's count is in print, as an exemption says, with this value.

        A return that says something else than the printed figure is news, and is not exempt.
        """
        return value is not None and any(
            self._printed[name].value == value
            for item in (self.disclosure.exempt if self.disclosure else ())
            if (item.mart, item.column) == (mart, column) and force_code in item.forces
            for name in item.figures
            if self._printed[name].scope == force_code
        )

    def changed(self, rule_id: str) -> RuleChange | None:
        """Return how this collection has changed a rule, None where it has not."""
        return next((change for change in self.rule_changes if change.rule == rule_id), None)


class PublishedFigure(NamedTuple):
    """A published figure of one force or of the nation, as far as an exemption rests on it."""

    figure_id: str
    scope: str
    measure: str
    breakdown: str
    value: float
    start: str | None
    end: str | None


@cache
def _published_figures(path: Path) -> dict[str, PublishedFigure]:
    """Return by id the published figures that are exact.

    Raises:
        SetupError: the file cannot be read.
    """
    names = ("figure_id", "scope", "measure", "breakdown", "value", "period_start", "period_end")
    try:
        exact = published_figures(path).filter(qualifier="exact").select(names)
    except pl.exceptions.PolarsError as error:
        raise SetupError(
            f"{path} is no file of published figures: it lacks {', '.join(names)}, or some of them."
        ) from error
    return {row[0]: PublishedFigure(*row) for row in exact.iter_rows()}


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
    except tomllib.TOMLDecodeError as error:
        raise SetupError(
            f"{path} is not a collection file: {error}. Mend it and try again."
        ) from error
    except ValidationError as error:
        raise SetupError(
            f"{path} is not a collection file: {_in_words(error)} Mend it and try again."
        ) from None
    if collection.id != path.stem:
        raise SetupError(f"{path} says id = {collection.id!r}; the id must be the file's name.")
    return collection


def _in_words(error: ValidationError) -> str:
    """Return what is wrong and where, without what the library adds of its own."""
    return " ".join(
        f"{'.'.join(str(part) for part in fault['loc']) or 'the file'}:"
        f" {fault['msg'].removeprefix('Value error, ').rstrip('.')}."
        for fault in error.errors(include_url=False)
    )
