"""A collection as data: period, deadlines, expected forces, published figures, rule settings.

The next collection is a new file in collections/ (or in the folder that MUSTER_COLLECTIONS
names), never a code change.
"""

import os
import re
import tomllib
from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
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
    PrivateAttr,
    ValidationError,
    ValidationInfo,
    field_validator,
    model_validator,
)

from schemas.disclosure import PROFILES, Disclosure, Exemption, in_print
from schemas.errors import SetupError
from schemas.measures import NOW
from schemas.reference import (
    OURS,
    all_forces,
    beside,
    forces_at,
    outside,
    outside_hint,
    published_figures,
    source_issues,
    uncollected,
)
from schemas.rules.catalogue import NATIONAL, rules
from schemas.template import Template, load_template, template_files
from schemas.toml_file import (
    DescriptionError,
    Fault,
    FaultsError,
    Loc,
    of_library,
    read_toml,
)
from schemas.wording import listed

COLLECTIONS: Final = OURS / "collections"


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


class Comparator(Period):
    """An earlier period: one that is given, or that of another collection."""

    collection: str | None = None

    @model_validator(mode="before")
    @classmethod
    def _of_a_collection(cls, given: Any, info: ValidationInfo) -> Any:
        if not isinstance(given, dict) or set(given) != {"collection"}:
            return given
        beside_it = _root(info) / "collections" / f"{given['collection']}.toml"
        path = beside_it if beside_it.exists() else collection_files().get(given["collection"])
        if path is None:
            raise ValueError(f"there is no collection {given['collection']!r}")
        try:
            return {**tomllib.loads(path.read_text(encoding="utf-8"))["period"], **given}
        except (OSError, ValueError, KeyError) as error:
            raise ValueError(f"{path} gives no period ({type(error).__name__})") from None


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


def _resolved(named: object, info: ValidationInfo) -> object:
    """Return the template that a collection names, such as `returns-1`."""
    if not isinstance(named, str):
        return named
    try:
        return load_template(named, _root(info), released=_is_released(info))
    except SetupError as error:
        known = sorted(path.stem for path in template_files(_root(info)))
        if named in known:  # what is wrong stands in its file, and is told there
            raise ValueError(str(error)) from error
        there = (
            f"there are {', '.join(known)}; {named}.toml belongs in templates/. {outside_hint()}"
        )
        raise ValueError(f"there is no template {named!r}; {there}") from None


def _is_released(info: ValidationInfo) -> bool:
    return bool((info.context or {}).get("released"))


def _root(info: ValidationInfo) -> Path:
    """Return the folder of collections that is being read from, our own unless told otherwise."""
    root: Path = (info.context or {}).get("root", OURS)
    return root


class Collection(_Data):
    """One collection of returns.

    What is not given it does not have: comparators, research, a publication, bands of counts, case
    extracts, a public edition.
    """

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
    without_police_authority: tuple[str, ...] = Field(default=(), strict=False)
    comparators: dict[str, Comparator] = Field(default_factory=dict)
    research: bool = False
    published: Published | None = None
    count_bands: tuple[str, ...] = Field(default=(), strict=False)
    cases: CaseExtracts | None = None
    thresholds: dict[str, dict[str, float]] = Field(default_factory=dict)
    rule_changes: tuple[RuleChange, ...] = Field(default=(), strict=False)
    disclosure: Disclosure | None = None
    _from: Path = PrivateAttr(default=OURS)

    @model_validator(mode="after")
    def _read_from(self, info: ValidationInfo) -> "Collection":
        self._from = _root(info)
        return self

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
    def _sound(self, info: ValidationInfo) -> "Collection":
        # What a release keeps was held to the rules of its time.
        faults = list(self._faults(released=_is_released(info)))
        if faults:
            raise FaultsError(faults)
        return self

    def _faults(self, *, released: bool) -> Iterator[Fault]:
        """Yield everything that does not fit together."""
        yield from self._faults_of_dates()
        asked = {entry.period for entry in self.template.counted()} - {NOW}
        for period in sorted(asked - set(self.comparators)):
            yield (
                ("comparators",),
                f"the template asks about {period!r}; give its start and end, or its collection, in"
                f" [comparators.{period}]",
            )
        yield from self._faults_of_forces()
        yield from self._faults_of_figures()
        if not released:
            yield from self._faults_of_rules()
            yield from self._faults_of_subjects()
            for number, item in enumerate(self.disclosure.exempt if self.disclosure else ()):
                for key, said in self._faults_of_exemption(item):
                    yield ("disclosure", "exempt", number, key), said

    def _faults_of_dates(self) -> Iterator[Fault]:
        if self.deadlines.hard < self.deadlines.soft:
            yield (
                ("deadlines", "hard"),
                f"the hard deadline {self.deadlines.hard} is before the soft one"
                f" {self.deadlines.soft}",
            )
        if self.census < self.period.end:
            yield (
                ("census",),
                f"the census {self.census} is before the period ends, {self.period.end}",
            )
        if self.deadlines.hard < self.census:
            yield (
                ("deadlines", "hard"),
                f"the hard deadline {self.deadlines.hard} is before the census {self.census}",
            )
        for name, comparator in self.comparators.items():
            if comparator.collection == self.id:
                yield ("comparators", name), "a collection cannot be compared with itself"
        opens, closes = self.window
        if closes < opens:
            yield ("running",), f"the window closes on {closes}, before it opens on {opens}"

    def _faults_of_forces(self) -> Iterator[Fault]:
        known = set(forces_at(self.root, self.census)["force_code"])
        places: list[tuple[Loc, str]] = [
            *((("forces", i), code) for i, code in enumerate(self.forces)),
            *(
                (("without_police_authority", i), code)
                for i, code in enumerate(self.without_police_authority)
            ),
            *(
                (("disclosure", "exempt", i, "forces"), code)
                for i, item in enumerate(self.disclosure.exempt if self.disclosure else ())
                for code in item.forces
            ),
        ]
        for loc, code in places:
            if code in known:
                continue
            if end := self.ended(code):
                instead = f"; expect {end[1]}" if end[1] else ""
                yield loc, f"{code} ended on {end[0]}, before the census{instead}"
            else:
                yield loc, f"force code not in reference/forces.csv: {code}"
        if not self.forces:
            yield ("forces",), "no force is expected; name those that are"
        for number, code in enumerate(self.forces):
            if code in self.forces[:number]:
                yield ("forces", number), f"{code} is listed twice"

    def _faults_of_figures(self) -> Iterator[Fault]:
        of = (self.published.collection if self.published else None) or self.id
        for name in self.reference_files:
            try:
                about = _abouts(self.reference(name))
            except SetupError as error:
                yield ("published",), str(error)
                continue
            if about != {of}:
                named = " and ".join(sorted(map(str, about))) or "no collection"
                yield (
                    ("published",),
                    f"{name} is of {named}, not about this collection: its column `collection` must"
                    f" say {of} in every row. Take [published] out until there is a publication",
                )

    @property
    def reference_files(self) -> list[str]:
        """The files of reference data that it names."""
        one = self.published
        names = (one.figures, one.source_issues, one.uncollected) if one else ()
        return [name for name in names if name is not None]

    def _faults_of_rules(self) -> Iterator[Fault]:
        for name, limits in self.thresholds.items():
            low, high = limits.get("lowest"), limits.get("highest")
            if low is not None and high is not None and low > high:
                yield ("thresholds", name), f"lowest {low:g} is above highest {high:g}"
        for rule in rules().values():
            given = set(self.thresholds.get(rule.id, {}))
            in_use = rule.id in self.template.rules_in_use
            if rule.tier == NATIONAL:
                in_use = bool(self.thresholds) and rule.id in self.template.national_rules
            wanted = set(rule.limits) if in_use else set()
            if given and not in_use:
                nothing = "its template does not use the rule, so take its limits out"
                yield ("thresholds", rule.id), nothing
            elif given != wanted:
                must = f"must give {listed(sorted(wanted))}, not {listed(sorted(given))}"
                yield ("thresholds", rule.id), must
        for number, change in enumerate(self.rule_changes):
            changed = rules().get(change.rule)
            if changed is None or changed.guards:
                why = "values depend on it" if changed else "there is no such rule"
                yield (
                    ("rule_changes", number, "rule"),
                    f"rule {change.rule} cannot be changed: {why}",
                )

    def _faults_of_subjects(self) -> Iterator[Fault]:
        described = self.template.disclosure
        if self.disclosure is not None and described is not None:
            given, asked = sorted(self.disclosure.counts), sorted(described.subjects)
            if given != asked:
                yield ("disclosure", "counts"), f"must give {listed(asked)}, not {listed(given)}"

    def _faults_of_exemption(self, item: Exemption) -> Iterator[tuple[str, str]]:
        printed = in_print(self.template)
        if item.mart != PROFILES or item.column not in printed:
            known = ", ".join(f"{PROFILES}.{name}" for name in printed)
            no_count = f"{item.mart}.{item.column} is no count that reports on a force print"
            yield "column", f"{no_count}: {known}"
            return
        unknown = [name for name in item.figures if name not in self._printed]
        if unknown:
            yield (
                "figures",
                f"{item.column} rests on {', '.join(unknown)}, which {self._publication} does not"
                " have. An exemption belongs to the publication that printed the count; take it"
                " out, or name a figure of this collection's publication",
            )
            return
        figures = [self._printed[name] for name in item.figures]
        for figure in figures:
            if (figure.measure, figure.breakdown) != printed[item.column]:
                yield (
                    "figures",
                    f"{item.column} rests on {figure.figure_id}, which is {figure.measure}"
                    f" {figure.breakdown or 'in all'}: another count. Name the figure that"
                    " prints this one",
                )
            elif not self._is_of_the_time(figure):
                yield (
                    "figures",
                    f"{item.column} rests on {figure.figure_id}, which is about {figure.start} to"
                    f" {figure.end}: not about this collection. Take the exemption out, or name"
                    " the figure that prints this collection's count",
                )
        of = sorted(figure.scope for figure in figures)
        if of != sorted(item.forces):
            yield (
                "forces",
                f"{item.column} is for {', '.join(sorted(item.forces))}, but its figures are about"
                f" {', '.join(of)}. Name one figure for each force",
            )

    @property
    def _printed(self) -> dict[str, "PublishedFigure"]:
        if self.published is None:
            return {}
        return _published_figures(self.reference(self.published.figures))

    @property
    def _publication(self) -> str:
        return self.published.figures if self.published else "no publication"

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


@cache
def _abouts(path: Path) -> set[str | None]:
    """Return the collections that a file of reference data says it is about.

    Raises:
        SetupError: the file cannot be read.
    """
    try:
        frame = pl.read_csv(path, infer_schema=False)
    except (OSError, pl.exceptions.PolarsError) as error:
        raise SetupError(f"{path} cannot be read: {error}. Restore it.") from error
    return set(frame["collection"]) if "collection" in frame.columns else set()


def collection_files() -> dict[str, Path]:
    """Return the collection files by id, an id in MUSTER_COLLECTIONS before one of our own.

    A file that lies in the folder itself, not in its `collections/`, is one too.
    """
    root = outside()
    folders = [COLLECTIONS, *((root, root / "collections") if root else ())]
    found = [path for folder in folders for path in sorted(folder.glob("*.toml"))]
    return {path.stem: path for path in found}


def load_collection(collection_id: str) -> Collection:
    """Read one collection.

    Raises:
        SetupError: there is no such file, or it does not say what a collection must say.
    """
    files = collection_files()
    if collection_id not in files:
        raise SetupError(
            f"no collection {collection_id!r}; there are: {', '.join(sorted(files))}."
            f" {outside_hint()} Add {collection_id}.toml to its collections/, or name one of these."
        )
    return read_collection(files[collection_id])


def usual_collection() -> str:
    """Return the collection that a command without --collection works on.

    That is the one that MUSTER_COLLECTION names, else the one whose window is open today, else the
    one that closes last.

    Raises:
        SetupError: a collection file does not say what it must say.
    """
    if named := os.environ.get("MUSTER_COLLECTION"):
        return named
    known, now = [load_collection(name) for name in collection_files()], datetime.now(UTC)
    there = [each for each in known if each.is_open(each.day_of(now))] or known
    return max(there, key=lambda each: (each.window[1], each.id)).id


def command(words: str, collection_id: str, *, kept: bool = False) -> str:
    """Return a command as somebody types it who means a collection, such as `explain INV-01`.

    Args:
        words: the command and what follows it.
        collection_id: the collection; it is named where a command without it means another.
        kept: whether the text is kept, as a page of a release is, and must not change with the
            day: then the collection is always named.
    """
    return f"muster {words}{_option(collection_id, kept=kept)}"


def addressed(text: str, collection_id: str, *, kept: bool = False) -> str:
    """Return a text whose commands name the collection where without it they mean another.

    With `kept` they always do, as in `command`.
    """
    return _COMMAND.sub(lambda found: found[0] + _option(collection_id, kept=kept), text)


def _option(collection_id: str, *, kept: bool = False) -> str:
    try:
        usual = None if kept else usual_collection()
    except SetupError:  # a broken draft: what a command would choose, it cannot tell either
        usual = None
    return "" if usual == collection_id else f" --collection {collection_id}"


_COMMAND: Final = re.compile(
    r"\bmuster (?>releases (?:verify|compare|go-back|push|prune)|releases|run|check|template|status"
    r"|feedback|queries|answer|versions|reconcile|explain|cases)\b(?! --collection)"
)
"""Each command that works on a collection: the option may stand right after it."""


def description(collection_id: str) -> dict[str, bytes]:
    """Return the files that say what a collection is, by their paths in a folder of collections.

    They are the collection, those it is compared with, its template, the forces it knows and the
    publication it is held against: what `read_collection` reads when our own have changed.

    Raises:
        SetupError: the collection is none.
    """
    collection = load_collection(collection_id)
    template = collection.template.path
    earlier = [one.collection for one in collection.comparators.values() if one.collection]
    found = {
        **{f"collections/{name}.toml": collection_files()[name] for name in earlier},
        f"collections/{collection_id}.toml": collection_files()[collection_id],
        f"templates/{template.name}": template,
        **{f"reference/{name}": collection.reference(name) for name in collection.reference_files},
    }
    forces = all_forces(collection.root).write_csv().encode()
    return {name: path.read_bytes() for name, path in found.items()} | {
        "reference/forces.csv": forces
    }


@cache
def read_collection(path: Path, *, released: bool = False) -> Collection:
    """Read a collection file; what it names is looked for beside it, then among our own.

    Args:
        path: the file.
        released: whether a release keeps it: then it is held to no rule of today.

    Raises:
        SetupError: it does not say what a collection must say.
    """
    inside = path.parent.name == "collections" and path.parent != outside()
    root = path.parent.parent if inside else path.parent
    data, text = read_toml(path)
    faults: list[Fault] = []
    if (named := data.get("id")) != path.stem:
        faults.append((("id",), f"says {named!r}; the id must be the file's name"))
    try:
        collection = Collection.model_validate(data, context={"root": root, "released": released})
    except ValidationError as error:
        faults += of_library(error)
    if faults:
        raise DescriptionError(path, text, "collection", faults)
    return collection
