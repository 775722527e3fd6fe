"""What a collection file says, and what follows from it: dates, bodies, publication, settings."""

import re
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from pathlib import Path
from typing import Annotated, Any, Final, Literal
from zoneinfo import ZoneInfo

import polars as pl
from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    FiniteFloat,
    InstanceOf,
    PlainSerializer,
    PrivateAttr,
    ValidationInfo,
    field_validator,
    model_validator,
)

from schemas.breakdown import Band
from schemas.disclosure import Disclosure, Exemption
from schemas.errors import SetupError
from schemas.faults import DescriptionError, Fault, Unsure, lines_in, read_toml
from schemas.reference import (
    ID,
    OURS,
    all_forces,
    beside,
    collection_files,
    forces_at,
    published_figures,
    source_issues,
    uncollected,
)
from schemas.template import Template
from schemas.template_file import load_template, template_files


class _Data(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


Day = Annotated[date, Field(lt=date(3000, 1, 1))]
"""A day from which others are counted on."""


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
    hard: Day
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
    days_after_hard: int = Field(default=28, ge=0, le=3660)
    refresh: time = time(6)
    inventory: time = time(7, 30)
    settle_seconds: int = Field(default=20, ge=1, le=3600)
    stuck_minutes: int = Field(default=60, ge=1)


class Comparator(Period):
    """An earlier period: one that is given, or that of another collection."""

    collection: str | None = None

    @model_validator(mode="before")
    @classmethod
    def _of_a_collection(cls, given: Any, info: ValidationInfo["Reading"]) -> Any:
        if not isinstance(given, dict) or "collection" not in given:
            return given
        if set(given) != {"collection"}:
            raise ValueError(
                "gives a collection, whose period is known: take out what is beside it"
            )
        beside_it = info.context.root / "collections" / f"{given['collection']}.toml"
        path = beside_it if beside_it.exists() else collection_files().get(given["collection"])
        if path is None or path.stem != given["collection"]:
            raise ValueError(f"there is no collection {given['collection']!r}")
        try:
            return {**read_toml(path)[0]["period"], **given}
        except (SetupError, TypeError, KeyError):
            raise ValueError(f"{path} gives no period that can be read; mend it first") from None


class Published(_Data):
    """The publication a collection is reconciled with; files in reference/.

    `source` cites it. `uncollected` says why some of its measures come from no data. Every file
    bears the id of the collection that it is about: this one, or `collection` where this one
    repeats another.
    """

    figures: str
    source_issues: str | None = None
    uncollected: str | None = None
    source: str = Field(min_length=3)
    collection: str | None = None


class Workforce(_Data):
    """How large the forces were on a day: a file in reference/, each number with its source."""

    figures: str
    as_at: date


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


_UNKNOWN: Final = Template("unknown", 0, {}, {}, {}, {}, ())


@dataclass
class Reading:
    """How a collection file is read, and what is noted beside the faults of the file itself.

    `root` is the folder of collections that it is read from; what was found to be `sound` before
    is not held to the rules of today.
    """

    root: Path = OURS
    sound: bool = False
    faults: list[Fault] = field(default_factory=list)
    unsure: Unsure = field(default_factory=Unsure)


def _resolved(named: object, info: ValidationInfo[Reading]) -> Template:
    """Return the template that a collection names, such as `returns-1`, as far as it can be told.

    What is wrong with it is noted, so that the rest of the collection is examined.
    """
    reading = info.context
    said = "must be the name of a template in quotes, such as returns-1"
    if type(named) is object:  # it is missing, and told to be
        said = ""
    elif isinstance(named, str):
        known = sorted(path.stem for path in template_files(reading.root))
        there = f"there are {', '.join(known)}; {named}.toml is looked for in"
        said = f"there is no template {named!r}; {there} {reading.root / 'templates'}"
        try:
            if named not in known:
                raise SetupError(said)
            return load_template(named, reading.root, sound=reading.sound)
        except SetupError as error:
            mended = isinstance(error, DescriptionError) and error.mended is not None
            if mended or named in known:  # what is wrong stands in its file, and is told there
                reading.faults += [(None, line) for line in lines_in(error)]
                said = ""
            if isinstance(error, DescriptionError) and mended:
                if {("sheet",), ("measures",)} & error.unsure:  # what else it asks for is unknown
                    reading.unsure.add(("template",))
                reading.unsure |= {("template", *loc) for loc in error.unsure}
                reading.unsure.names |= error.unsure.names
                of: Template = error.mended
                return of
    reading.faults += [(("template",), said)] if said else []
    reading.unsure.add(("template",))
    return _UNKNOWN


class Collection(_Data):
    """One collection of returns, as its file says.

    `stop_line`: by how many per cent of it queries that are left open may put a figure in doubt.
    What is not given it does not have: comparators, research, a publication, bands of counts, case
    extracts, a public edition. `licence` is that of its marts, by its SPDX or Open Definition id.
    """

    id: str = Field(pattern=f"^{ID}$")
    title: str
    period: Period
    census: Day
    timezone: str
    licence: str | None = None
    template: Annotated[
        InstanceOf[Template],
        BeforeValidator(_resolved),
        PlainSerializer(lambda template: f"{template.name}-{template.version}"),
    ]
    deadlines: Deadlines
    running: Running = Running()
    forces: tuple[str, ...] = Field(strict=False)
    without_police_authority: tuple[str, ...] = Field(default=(), strict=False)
    comparators: dict[str, Comparator] = Field(default_factory=dict)
    research: bool = False
    published: Published | None = None
    count_bands: tuple[str, ...] = Field(default=(), strict=False)
    workforce: Workforce | None = None
    cases: CaseExtracts | None = None
    thresholds: dict[str, dict[str, FiniteFloat]] = Field(default_factory=dict)
    rule_changes: tuple[RuleChange, ...] = Field(default=(), strict=False)
    stop_line: float = Field(default=0.5, ge=0)
    disclosure: Disclosure | None = None
    _from: Path = PrivateAttr(default=OURS)

    def model_post_init(self, reading: Reading) -> None:
        """Keep the folder that it is read from."""
        self._from = reading.root

    @property
    def root(self) -> Path:
        """The folder of collections that it was read from."""
        return self._from

    @property
    def bodies(self) -> pl.DataFrame:
        """The forces that are expected, one row each, as they were at the census.

        Columns: force_code (key), ons_code, short_name, full_name, region, country, kind.
        """
        at = forces_at(self.root, self.census)
        return at.filter(pl.col("force_code").is_in(self.forces))

    def name_of(self, force_code: str) -> str:
        """Return the full name of a force that is expected."""
        return str(self.bodies.filter(force_code=force_code)["full_name"].item())

    def ended(self, force_code: str) -> tuple[date, str | None] | None:
        """Return the last day of a force that was no more at the census, and who succeeded it."""
        known = all_forces(self.root).filter(force_code=force_code).sort("valid_to")
        ends = known["valid_to"].to_list()
        if not ends or None in ends or max(ends) >= self.census:
            return None
        return ends[-1], known["successor"].to_list()[-1]

    @property
    def published_figures(self) -> pl.DataFrame:
        """The published figures, as reference.py reads them; without rows where there are none."""
        if self.published is None:
            return published_figures(OURS / "reference" / "published_figures.csv").clear()
        return published_figures(self.reference(self.published.figures))

    @property
    def source_issues(self) -> pl.DataFrame:
        """The contradictions known in the publication; without rows where there are none."""
        if self.published is None or self.published.source_issues is None:
            return source_issues(OURS / "reference" / "source_issues.csv").clear()
        return source_issues(self.reference(self.published.source_issues))

    @property
    def uncollected(self) -> dict[str, str]:
        """Why some measures of the publication come from no data of this collection."""
        if self.published is None or self.published.uncollected is None:
            return {}
        return uncollected(self.reference(self.published.uncollected))

    @property
    def repeats(self) -> bool:
        """Whether it counts once more what another did, as a demonstration: no series has it."""
        return self.published is not None and self.published.collection not in {None, self.id}

    @property
    def compared(self) -> dict[str, str]:
        """The collections whose releases it is compared with, by the names of their periods."""
        named = {name: period.collection for name, period in self.comparators.items()}
        return {name: other for name, other in named.items() if other is not None}

    def reference(self, name: str) -> Path:
        """Return the path of a file of reference data that it names."""
        return beside(self.root, "reference", name)

    @property
    def max_bad_share(self) -> float:
        """The share of bad rows above which a case extract is refused; 0 where none is asked."""
        return self.cases.max_bad_share if self.cases else 0.0

    @property
    def sources(self) -> str:
        """What a release of it is made from and held against, as its files cite it."""
        research = ["the inspectorate's own research"] if self.research else []
        printed = [f"published figures: {self.published.source}"] if self.published else []
        return "; ".join(["returns of the forces in this collection", *research, *printed])

    @field_validator("id")
    @classmethod
    def _no_folder_of_ours(cls, named: str) -> str:
        if named == "series":
            raise ValueError("'series' is the folder of the series in marts/; choose another id")
        return named

    @field_validator("licence")
    @classmethod
    def _an_id(cls, named: str | None) -> str | None:
        if named is not None and not re.fullmatch("[A-Za-z0-9.+-]+", named):
            raise ValueError(f"{named!r} is no id of a licence, such as CC-BY-4.0")
        return named

    @field_validator("count_bands")
    @classmethod
    def _bands(cls, written: tuple[str, ...]) -> tuple[str, ...]:
        if odd := [text for text in written if not re.fullmatch(r"[0-9]+(\.\.[0-9]*)?", text)]:
            raise ValueError(f"band {odd[0]!r} is not of the form 2, 60.. or 0..10")
        if len({Band.parse(text) for text in written}) < len(written):
            raise ValueError("a band stands here twice")
        return written

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

    @property
    def reference_files(self) -> list[str]:
        """The files of reference data that it names."""
        one, sizes = self.published, (self.workforce.figures,) if self.workforce else ()
        names = (one.figures, one.source_issues, one.uncollected, *sizes) if one else sizes
        return [name for name in names if name is not None]

    @property
    def exempt(self) -> tuple[Exemption, ...]:
        """The counts of single forces that are in print."""
        return self.disclosure.exempt if self.disclosure else ()

    def is_exempt(self, mart: str, column: str, force_code: str, value: int | None) -> bool:
        """Return whether a force's count is in print, as an exemption says, with this value.

        A return that says something else than the printed figure is news, and is not exempt.
        """
        named = {
            name
            for item in self.exempt
            if (item.mart, item.column) == (mart, column) and force_code in item.forces
            for name in item.figures
        }
        if not named or value is None:
            return False
        same = self.published_figures.filter(qualifier="exact", scope=force_code, value=value)
        return not named.isdisjoint(same["figure_id"])

    def changed(self, rule_id: str) -> RuleChange | None:
        """Return how this collection has changed a rule, None where it has not."""
        return next((change for change in self.rule_changes if change.rule == rule_id), None)
