"""What a collection says about its public edition: which counts are small, and which are exempt."""

from collections.abc import Mapping
from typing import Final

from pydantic import BaseModel, ConfigDict, Field, field_validator

from schemas.breakdown import Band, write_breakdown
from schemas.measures import NOW, Protections
from schemas.template import Template

SUPPRESSED: Final = "c"
UNAVAILABLE: Final = "x"
SYMBOLS: Final = {
    SUPPRESSED: "confidential: hidden to protect a small count, its own or another one",
    UNAVAILABLE: "not available: not recorded, does not apply, or the return is not in",
}
"""What stands in a symbol column beside a null; beside a value the symbol is null."""

PROFILES: Final = "force_profiles"

FOLLOWS: Final = {"investigations_per_month": "investigations"}
"""Columns of force_profiles that are another column divided by a known number."""

_RESEARCHED: Final = {"social_media": ("instances", "social_media_cases")}
"""Of a mart of the research: the column that counts, and the column of force_profiles that sums."""

_RESEARCH_TOTALS: Final = {("social_media", "instances"): "social_media_instances"}
"""Mart and column of what research counted, to its measure in national_totals."""


def force_counts(template: Template) -> dict[str, dict[str, str]]:
    """Return mart and column of what single forces have, to the subject that says what is small."""
    protected = template.disclosure or Protections(measures={})
    found: dict[str, dict[str, str]] = {}
    for measure, item in protected.measures.items():
        if shown := template.shown(measure):
            mart, column = shown
            found[mart] = {column: item.subject}
    sums = {
        name: protected.measures[column.measure].subject
        for name, column in template.profile.items()
        if column.measure in protected.measures
    }
    for subject in protected.research:
        value, total = _RESEARCHED[subject]
        found[subject] = {value: subject}
        sums[total] = subject
    return {**found, PROFILES: sums}


def parts(template: Template) -> dict[tuple[str, str], str]:
    """Return mart and column that have the parts of one measure, and of no other, to it."""
    protected = template.disclosure or Protections(measures={})
    found: dict[tuple[str, str], list[str]] = {}
    for measure in protected.measures:
        if shown := template.shown(measure):
            found.setdefault(shown, []).append(measure)
    return _RESEARCH_TOTALS | {at: of[0] for at, of in found.items() if len(of) == 1}


def in_print(template: Template) -> dict[str, tuple[str, str]]:
    """Return the counts of force_profiles that a report on a force may print.

    Column to measure and breakdown of the published figure.
    """
    counted = force_counts(template)[PROFILES]
    return {
        name: (template.profile[name].measure, write_breakdown(template.profile[name].dims))
        if name in template.profile
        else (name, "")
        for name in counted
        if name not in template.profile or template.profile[name].period == NOW
    }


class _Data(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


class Protection(_Data):
    """Which counts of a subject are small, and how uncertain a hidden one must stay.

    `small` is a band of counts, such as `1..4`; `0..4` hides zeros too. `width` is the least
    difference between the largest and the smallest value that a small count may still have for
    somebody who knows all that is public.
    """

    small: str
    width: int = Field(ge=1)

    @field_validator("small")
    @classmethod
    def _a_band(cls, text: str) -> str:
        if Band.parse(text).high is None:
            raise ValueError(f"small = {text!r} has no upper end; write it like 1..4")
        return text

    def is_small(self, value: int) -> bool:
        """Return whether a count is small."""
        band = Band.parse(self.small)
        return band.low <= value <= (band.high or band.low)


class Exemption(_Data):
    """Counts of single forces that are in print, and so are shown however small they are.

    `figures` are the published figures that print them: one for each of `forces`, of the same
    count and the same period. The collection holds it to them (collection.py).
    """

    mart: str
    column: str
    forces: tuple[str, ...] = Field(min_length=1, strict=False)
    figures: tuple[str, ...] = Field(min_length=1, strict=False)
    reason: str = Field(min_length=10)


class Disclosure(_Data):
    """The public edition of a collection.

    With fewer live returns than `fewest_forces` there is none: the national totals would be about
    few forces, and they are public. Nor is there another one while fewer forces than
    `least_changed` have other counts than in an earlier one: the differences would be about few.
    `not_given_out` names releases whose public edition has never left the house, so that nobody
    knows it.
    """

    fewest_forces: int = Field(ge=3)
    least_changed: int = Field(default=10, ge=3)
    not_given_out: tuple[str, ...] = Field(default=(), strict=False)
    counts: Mapping[str, Protection]
    exempt: tuple[Exemption, ...] = Field(default=(), strict=False)
