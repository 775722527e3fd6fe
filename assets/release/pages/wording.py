"""Codes in words, as pages and the summary workbook show them."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Final

from schemas import vocabulary as v
from schemas.breakdown import Band, read_breakdown
from schemas.collection import Collection
from schemas.collection_fields import Period
from schemas.measures import QUESTION
from schemas.research import INSTANCE_CATEGORIES, QUESTIONS, SITES
from schemas.template import Template

STATES: Final = {state: state.capitalize() for state in v.STATES}
_OWN: Final = {"per_force": "per force", "per_month": "a month"}
_OF_RESEARCH: Final[dict[str, dict[str, str]]] = {"category": INSTANCE_CATEGORIES, "site": SITES}
_PARTS: Final = re.compile(r"\b[a-z_]+=[^\s;:,]+(?:;[a-z_]+=[^\s;:,]+)*")
_FIGURE: Final = re.compile(rf"\b([a-z]+(?:_[a-z]+)*) ({_PARTS.pattern})")
"""A measure and what it is broken down by, as messages of the national rules write them."""


@dataclass(frozen=True)
class Wording:
    """The words of codes: the labels of a template, and the `own` words of its pages."""

    template: Template
    own: Mapping[str, str]

    def words(self, code: str) -> str:
        """Return a code that has no label as words."""
        return {**_OWN, **self.own}.get(code, code.replace("_", " "))

    def answer(self, code: str) -> str:
        """Return an answer in words; `a|b` is either, `a..b` from one to the other."""
        return " or ".join(self.words(part) for part in code.replace("..", " to ").split("|"))

    def measured(self, measure: str, breakdown: str) -> str:
        """Return what a figure measures: the measure, then each part of the breakdown."""
        parts = self.broken_down(breakdown)
        whole = sentence(self.words(measure))
        return f"{whole}: {parts}" if parts else whole

    def told(self, text: str) -> str:
        """Return a text with the figures that it names by their codes named in words."""
        return _FIGURE.sub(lambda found: self.measured(found[1], found[2]), text)

    def parts_told(self, text: str) -> str:
        """Return a text with the breakdowns in it, of whatever measure, in words."""
        return _PARTS.sub(lambda found: self.broken_down(found[0]), text)

    def broken_down(self, breakdown: str) -> str:
        """Return the parts of a breakdown in words; nothing for the whole."""
        parts = read_breakdown(breakdown).items()
        return ", ".join(self._part(key, value) for key, value in parts)

    def _part(self, key: str, value: str) -> str:
        if key == QUESTION:
            return self._questions.get(value, self.words(value))
        if key == "count":
            return band(value)
        if key == "year":
            return value
        lists = self.template.lists.get(key, {}), _OF_RESEARCH.get(key, {})
        labels = (labels[value] for labels in lists if value in labels)
        return next(labels, None) or self.answer(value)

    @cached_property
    def _questions(self) -> dict[str, str]:
        asked = {row.code: row.label for row in self.template.asked}
        return asked | {code: question.label for code, question in QUESTIONS.items()}


def called(collection: Collection) -> dict[str, str]:
    """Return what each published figure measures, in words, by its id."""
    said = Wording(collection.template, {}).measured
    figures = collection.published_figures.select("figure_id", "measure", "breakdown").iter_rows()
    return {name: said(measure, breakdown) for name, measure, breakdown in figures}


def sentence(words_: str) -> str:
    """Return words with a capital letter in front, the rest untouched."""
    return words_[:1].upper() + words_[1:]


def ordinal(place: int) -> str:
    """Return a place in a row: 1st, 2nd, 3rd, 11th."""
    teen = place // 10 % 10 == 1
    return f"{place}{'th' if teen else {1: 'st', 2: 'nd', 3: 'rd'}.get(place % 10, 'th')}"


def band(text: str) -> str:
    """Return a band of counts in words: `10 or fewer`, `60 or more`, `more than 90`."""
    limits = Band.parse(text)
    if limits.high is None:
        above = limits.low - 1
        round_above = above > 0 and above % 10 == 0
        return f"more than {above:,}" if round_above else f"{limits.low:,} or more"
    if limits.low == limits.high:
        return "none" if limits.low == 0 else f"exactly {limits.low:,}"
    if limits.low == 0:
        return f"{limits.high:,} or fewer"
    return f"{limits.low:,} to {limits.high:,}"


def months(of: Period) -> str:
    """Return a period by its months."""
    return f"{of.start:%B %Y} to {of.end:%B %Y}"


def period(collection: Collection, name: str) -> str:
    """Return a period in words: the collection's own as months, others as they are called.

    That of another collection, which is called otherwise in each, as months too.
    """
    if name == "collection":
        return months(collection.period)
    earlier = collection.comparators.get(name)
    if earlier is not None and earlier.collection:
        return months(earlier)
    return name.replace("_", " ") if "_" in name else name.replace("-", "/")
