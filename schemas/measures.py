"""What a template's file says: its lines, its measures, and what is derived of these."""

from collections.abc import Iterable
from typing import Annotated, Any, Final, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from schemas.rules.catalogue import RuleUse

Kind = Literal["count", "answer", "date", "text"]
Statistic = Literal["minimum", "lower_quartile", "median", "mean", "upper_quartile", "maximum"]
NOW: Final = "collection"
"""The period of what is counted over the collection's own period."""

QUESTION: Final = "question"
"""The dimension by which answers are told apart."""


class Data(BaseModel):
    """A part of a description: what it does not know is refused."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class _Level(Data):
    """Dimensions of a breakdown; `without` leaves out the cells that have that dimension too."""

    by: tuple[str, ...]
    without: str | None = None


def _as_level(written: Any) -> Any:
    return {"by": written} if isinstance(written, list) else written


Level = Annotated[_Level, BeforeValidator(_as_level)]


class Share(Data):
    """A measure in percent of itself: by some dimensions, within others.

    The whole is that of the cells which have the dimensions of `by`.
    """

    by: tuple[str, ...]
    within: tuple[str, ...] = ()
    name: str = ""


class Figure(Data):
    """A measure at some codes, in a period."""

    measure: str
    dims: dict[str, str] = Field(default_factory=dict)
    period: str = NOW


class Measure(Data):
    """One thing counted, and what is derived of it.

    `kind`: a flow is counted over a period, a stock is a number at a date, without a monthly rate.
    `levels`: what it is totalled by; each also by `crossed_by`. `per_month` and `per_force`: the
    levels at which there is a monthly rate, and a spread over the forces. `statistics`: of the
    single entry that each force has. `change`: from the first code of that dimension to the last.
    `within`: a figure that the whole is a part of.
    """

    unit: str
    kind: Literal["flow", "stock"] = "flow"
    levels: tuple[Level, ...] = ()
    crossed_by: str | None = None
    shares: tuple[Share, ...] = ()
    per_month: tuple[tuple[str, ...], ...] = ()
    per_force: tuple[tuple[str, ...], ...] = ()
    statistics: tuple[Statistic, ...] = ()
    change: str | None = None
    within: Figure | None = None

    def left_out(self, dims: Iterable[str]) -> str | None:
        """Return the dimension whose cells a total by some dimensions leaves out, if it does."""
        by = {*dims} - {self.crossed_by}
        return next((level.without for level in self.levels if {*level.by} == by), None)

    def share_name(self, name: str, share: Share) -> str:
        """Return the name of a share of the measure of that name."""
        return share.name or f"{name}_share"


SHOWN: Final = {
    "investigations": ("investigations", "cases", "investigations"),
    "register_entries": ("register_entries", "entries", "register_entries"),
    "second_job_applications": ("second_jobs", "count", "second_job_applications"),
    "second_job_approvals_in_breach": ("second_jobs", "count", "second_job_applications"),
    "second_job_review_months": ("second_jobs", "count", "second_job_applications"),
}
"""Measures whose entries stand in a public mart: the mart, its column, the measure it needs."""


class Protected(Data):
    """A measure that counts what single forces have: the subject that says which counts are small.

    `mart` and `value` need not be said: they follow from the measure (Template.shown).
    """

    subject: str
    mart: str | None = None
    value: str | None = None


class Protections(Data):
    """What a public edition protects.

    `open` are the measures that count nobody, such as arrangements; `research` the subjects that
    the inspectorate's own research counts, each in the mart of that name.
    """

    open: tuple[str, ...] = ()
    research: tuple[str, ...] = ()
    measures: dict[str, Protected]

    @property
    def subjects(self) -> tuple[str, ...]:
        """The subjects, in their order."""
        named = (protected.subject for protected in self.measures.values())
        return tuple(dict.fromkeys((*named, *self.research)))


class CaseRows(Data):
    """What the rows of a case-level extract are: the cases that `measure` counts.

    `open` is the outcome of those that have not ended.
    """

    measure: str
    open: str


def _by_column(missing: object) -> object:
    """Return reasons by column; those given without one are of every column, `*`."""
    return {"*": missing} if isinstance(missing, list) else missing


class Line(Data):
    """A row or a column of a sheet. `sum_of` lists those of its kind whose sum it repeats.

    `rule` is the rule that the sum is held to, `named` what its parts are called in a finding,
    `check` words the check of it in the workbook. A part without a number counts as nothing in it,
    as in that check; `unheld` names those of which templates once said so. `area` groups questions.
    """

    code: str
    label: str | None = None
    kind: Kind | None = None
    measure: str | None = None
    dims: dict[str, str] = Field(default_factory=dict)
    period: str = NOW
    sum_of: tuple[str, ...] = ()
    rule: str = ""
    named: str = ""
    unheld: tuple[str, ...] = ()
    check: str = ""
    answers: tuple[str, ...] = ()
    missing: Annotated[dict[str, tuple[str, ...]], BeforeValidator(_by_column)] = Field(
        default_factory=dict
    )
    locked: bool = False
    area: str = ""

    def missing_in(self, column: str) -> tuple[str, ...]:
        """Return the reasons accepted in place of a value, where they differ by column there."""
        return self.missing.get(column, self.missing.get("*", ()))


class SheetLines(Data):
    """A sheet as the file has it."""

    name: str
    title: str
    instructions: tuple[str, ...]
    kind: Kind = "text"
    measure: str | None = None
    columns: tuple[Line, ...]
    rows: tuple[Line, ...] = ()
    questions: tuple[Line, ...] = ()


class TemplateFile(Data):
    """A template as its file has it."""

    name: str
    version: int
    lists: dict[str, dict[str, str]]
    groups: dict[str, dict[str, tuple[str, ...]]] = Field(default_factory=dict)
    since: dict[str, dict[str, str]] = Field(default_factory=dict)
    measures: dict[str, Measure]
    profile: dict[str, Figure] = Field(default_factory=dict)
    cases: CaseRows | None = None
    disclosure: Protections | None = None
    sheet: tuple[SheetLines, ...]
    rules: tuple[RuleUse, ...] = ()
