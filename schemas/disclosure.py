"""What a collection says about its public edition: which counts are small, and which are exempt.

Belongs here: the settings, and which columns hold counts of single forces. Does not: how counts
are hidden (assets/disclosure/), nor the columns of the public marts (marts/public.py).
"""

from collections.abc import Mapping
from typing import Final

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from schemas.breakdown import Band

SUPPRESSED: Final = "c"
UNAVAILABLE: Final = "x"
SYMBOLS: Final = {
    SUPPRESSED: "confidential: hidden to protect a small count, its own or another one",
    UNAVAILABLE: "not available: not recorded, does not apply, or the return is not in",
}
"""What stands in a symbol column beside a null; beside a value the symbol is null."""

_CASES: Final = "investigations"
_PEOPLE: Final = "people_suspended"
_GIFTS: Final = "register_entries"
_JOBS: Final = "second_jobs"
_RESEARCH: Final = "social_media"

FORCE_COUNTS: Final[dict[str, dict[str, str]]] = {
    "investigations": {"cases": _CASES},
    "register_entries": {"entries": _GIFTS},
    "second_jobs": {"count": _JOBS},
    "social_media": {"instances": _RESEARCH},
    "force_profiles": {
        "investigations": _CASES,
        "information_disclosure": _CASES,
        "media_disclosure": _CASES,
        "second_job_applications": _JOBS,
        "second_job_approved": _JOBS,
        "social_media_cases": _RESEARCH,
        "media_relationship": _CASES,
        "social_media": _CASES,
        "gratuities_hospitality": _CASES,
        "procurement": _CASES,
        "second_jobs": _CASES,
        "other": _CASES,
        "continuing": _CASES,
        "people_suspended": _PEOPLE,
        "register_entries": _GIFTS,
        "register_declined": _GIFTS,
        "investigations_2010_11": _CASES,
    },
}
"""Columns that count what single forces have: mart and column to the subject that says what is
small."""

SUBJECTS: Final = (_CASES, _PEOPLE, _GIFTS, _JOBS, _RESEARCH)

IN_PRINT: Final[dict[str, tuple[str, str]]] = {
    "investigations": ("investigations", ""),
    "media_disclosure": ("investigations", "category=information_disclosure;recipient=media"),
    "second_job_applications": ("second_job_applications", ""),
    "second_job_approved": ("second_job_applications", "decision=approved"),
    "social_media_cases": ("social_media_cases", ""),
}
"""Counts of force_profiles that the inspectorate prints in its report on a force: column to
measure and breakdown of the published figure."""

FOLLOWS: Final = {"investigations_per_month": "investigations"}
"""Columns of force_profiles that are another column divided by a known number."""

NOT_COUNTED: Final = ("second_job_review_months", "cards_2012")
"""Whole numbers of force_profiles that count neither people nor their doings."""


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

    @property
    def smallest(self) -> int:
        """The smallest count that is small."""
        return Band.parse(self.small).low

    @property
    def largest(self) -> int:
        """The largest count that is small."""
        return Band.parse(self.small).high or self.smallest

    def is_small(self, value: int) -> bool:
        """Return whether a count is small."""
        return self.smallest <= value <= self.largest


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

    @model_validator(mode="after")
    def _can_be_printed(self) -> "Exemption":
        if self.mart != "force_profiles" or self.column not in IN_PRINT:
            known = ", ".join(f"force_profiles.{name}" for name in IN_PRINT)
            raise ValueError(
                f"{self.mart}.{self.column} is no count that reports on a force print: {known}"
            )
        return self


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

    @field_validator("counts")
    @classmethod
    def _every_subject(cls, counts: Mapping[str, Protection]) -> Mapping[str, Protection]:
        if set(counts) != set(SUBJECTS):
            raise ValueError(f"must give {sorted(SUBJECTS)}, not {sorted(counts)}")
        return counts
