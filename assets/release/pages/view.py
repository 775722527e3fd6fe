"""A release as one page reads it: its figures by their addresses, its sentences, what they know."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from functools import cache, cached_property
from typing import Any, Final

from jinja2 import Environment, StrictUndefined
from jinja2 import Template as Words

from assets.html import FILTERS
from assets.release.pages.content import (
    COUNT,
    EXACT,
    PER_1000,
    RANK,
    STYLES,
    Figure,
    Headline,
    Point,
    Style,
    Text,
)
from assets.release.pages.description import (
    STATISTIC,
    HeadlineOf,
    Line,
    PointOf,
)
from assets.release.pages.figures import Edition, share
from assets.release.pages.known import of_force, of_release
from assets.release.pages.wording import STATES, sentence
from schemas import vocabulary as v
from schemas.breakdown import read_breakdown, write_breakdown
from schemas.disclosure import PROFILES, parts
from schemas.figures import totalled
from schemas.marts import MARTS
from schemas.measures import NOW
from schemas.research import QUESTIONS, SITES
from schemas.rules.catalogue import rules
from schemas.template import Template
from schemas.wording import Number

Dims = dict[str, str]
_IN_BRACES: Final = re.compile(r"\{([^{}]+)\}")
_OF_ALL: Final = {"national_totals", "included", "expected", "distribution"}
"""Where an address is of all forces together."""
_OF_RESEARCH: Final = ("social_media:", "survey:", "survey_changes:")
"""How an address begins that is of research."""
_OPEN, _CLOSE = "\x01", "\x02"
"""Stand for braces that a value has: they hold no address."""


@dataclass(frozen=True)
class Address:
    """Where a figure stands; see description.py. `whole` has the keys of what it is a share of."""

    mart: str
    column: str
    dims: Dims
    whole: Dims | None
    style: Style
    mark: str


@cache
def _address(written: str) -> Address:
    *words, last = written.lstrip("=*").split()
    style = STYLES.get(last)
    first, *keys = words if style else [*words, last]
    mart, colon, column = first.rpartition(":")
    parts, slash, whole = " ".join(keys).partition("/")
    return Address(
        mart if colon else "national_totals", column, _keys(parts),
        _keys(whole) if slash else None, style or COUNT, written[:1],
    )  # fmt: skip


def _keys(text: str) -> Dims:
    return dict(part.split("=", 1) for part in text.split())


def _kept(value: Any) -> Any:
    braces = str.maketrans("{}", _OPEN + _CLOSE)
    return value.translate(braces) if isinstance(value, str) else value


LANGUAGE: Final = Environment(undefined=StrictUndefined, finalize=_kept, trim_blocks=True)  # noqa: S701 - the page escapes
LANGUAGE.filters |= {**FILTERS, "sentence": sentence}
LANGUAGE.globals |= {
    "BASES": v.BASES,
    "LIVE": v.LIVE_STATES,
    "MEANINGS": v.STATES,
    "RECONCILIATION": v.RECONCILIATION_STATUSES,
    "QUESTIONS": QUESTIONS,
    "RULES": rules(),
    "SEVERITIES": v.SEVERITIES,
    "SITES": SITES,
    "STATES": STATES,
}


@cache
def _words(written: str) -> Words:
    return LANGUAGE.from_string(written)


@cache
def _expression(written: str) -> Words:
    return LANGUAGE.from_string(f"{{% set value = {written} %}}")


@dataclass(frozen=True)
class TableLine:
    """A line of a table: what it covers. `about` fills the braces of its columns' figures.

    `untotalled` names what it covers where there is no total of just that.
    """

    label: str
    dims: Dims = field(default_factory=dict)
    about: Mapping[str, Any] = field(default_factory=dict)
    depth: int = 0
    is_all: bool = False
    href: str | None = None
    own: Line = Line(label="")  # noqa: RUF009 - frozen
    untotalled: str = ""


@dataclass(frozen=True)
class View:
    """A release as one page reads it: nationally, or for one force; `more` is known besides."""

    edition: Edition
    force: str | None = None
    more: Mapping[str, Any] = field(default_factory=dict)

    @property
    def template(self) -> Template:
        """The template of the collection."""
        return self.edition.collection.template

    @cached_property
    def known(self) -> dict[str, Any]:
        """What paragraphs and expressions know besides the record of a line."""
        mine = of_force(self.edition, self.force) if self.force else {}
        said = {"said": lambda address: self.figure(address).text, "fit": self._fitting}
        return {**LANGUAGE.globals, **of_release(self.edition), **mine, **said, **self.more}

    def _fitting(self, address: str, words: str) -> str:
        """Return of `one|many` the words that fit a figure."""
        return f"{Number(1 if self.figure(address).number == 1 else 2):!{words}}"

    def evaluate(self, written: str, about: Mapping[str, Any] | None = None) -> Any:
        """Return the value of an expression over a record."""
        if about and written in about:
            return about[written]
        if written in self.known:
            return self.known[written]
        known = {**self.known, **about} if about else self.known
        return vars(_expression(written).make_module(known, shared=True))["value"]

    def write(self, written: str) -> str:
        """Return a text of a description with its values."""
        return _plain(self._rendered(written))

    def _rendered(self, written: str) -> str:
        """Return the same, with braces in values as signs that hold no address."""
        fixed = "{{" not in written and "{%" not in written
        return written if fixed else _words(written).render(self.known)

    def figure(self, written: str, row: TableLine | None = None, **codes: str) -> Figure:
        """Return the figure at an address, in a line of a table; `codes` are of its column."""
        row = row or TableLine("")
        if "{" in written:
            about = {key: "" if value is None else value for key, value in row.about.items()}
            written = self.write(written).format_map({**about, **codes})
        at = _address(written)
        if row.untotalled and at.mark != "=":
            none = f"{at.mart} measure={at.column} breakdown={row.untotalled} value"
            return Figure(None, none, at.style, asked=False)
        dims = at.dims if at.mark == "=" else {**row.dims, **at.dims}
        if at.style is RANK:
            return self.edition.rank(at.mart, at.column, str(self.force or dims["force_code"]))
        found = self._look(at, dims)
        if at.style is PER_1000:
            of = str(self.force or dims["force_code"])
            size = self.edition.figure("workforce", "workforce", EXACT, force_code=of)
            return share(found, size, PER_1000)
        return found if at.whole is None else share(found, self._look(at, at.whole))

    def _look(self, at: Address, dims: Dims) -> Figure:
        if at.mart in _OF_ALL:  # the same on every page
            known, key = self.edition.of_all, (at.mart, at.column, at.style, *dims.items())
            if key not in known:
                known[key] = self._look_of_all(at, dims)
            return known[key]
        mine = (
            {"force_code": self.force}
            if self.force and at.mark != "*" and _has_forces(at.mart)
            else {}
        )
        found = self.edition.figure(at.mart, at.column, at.style, **mine, **dims)
        if found.hidden:
            return self._shown_elsewhere(at, {**mine, **dims}) or found
        return _number(found) if at.mart == "cells" else found

    def _shown_elsewhere(self, at: Address, where: Dims) -> Figure | None:
        """Return a sum as the mart of such sums shows it; None where that hides it too.

        Some of its parts are hidden, so that it can only be looked up, never added up.
        """
        dims, totals = dict(where), "national_totals"
        measure = parts(self.template).get((at.mart, at.column))
        if force := dims.pop("force_code", ""):
            sums = [
                (PROFILES, name, {"force_code": force})
                for name, of in self.template.profile.items()
                if (of.measure, of.dims, of.period) == (measure, dims, NOW)
            ]
        else:
            sums = [
                (totals, "value", {key: row[key] for key in ("measure", "breakdown", "period")})
                for row in self.edition.rows(totals, measure=measure)
                if row["period"] in {"", NOW} and read_breakdown(row["breakdown"]) == dims
            ]
        found = (self.edition.figure(mart, name, at.style, **key) for mart, name, key in sums)
        return next((one for one in found if one.value is not None), None)

    def _look_of_all(self, at: Address, dims: Dims) -> Figure:
        look = self.edition.figure
        order = [k for k in self.template.dimensions if k in dims]
        breakdown = {k: dims[k] for k in [*order, *dims] if k not in {"period", STATISTIC}}
        if at.mart == "distribution":
            of = {"measure": at.column, "breakdown": write_breakdown(breakdown)}
            return look(at.mart, "value", at.style, **of, statistic=dims[STATISTIC])
        breakdown |= {k: c for k, c in dims.items() if k == STATISTIC}
        column = "value" if at.mart == "national_totals" else f"forces_{at.mart}"
        of = {"measure": at.column, "breakdown": write_breakdown(breakdown)}
        of["period"] = dims.get("period", NOW)
        found = look("national_totals", column, at.style, **of)
        known = found.value is not None or self._asked(at.column, breakdown, of["period"])
        return found if known else replace(found, asked=False)

    def _asked(self, measure: str, breakdown: Dims, when: str) -> bool:
        """Return whether the template asks for such a total, of an earlier period as sent."""
        levels, mine = totalled(self.template, measure), measure in self.template.measures
        if levels is None or (when != NOW and mine):
            return True
        if frozenset(breakdown) not in levels:
            return False
        lists, groups = self.template.lists, self.template.groups
        codes = {k: {c, *groups.get(k, {}).get(c, ())} for k, c in breakdown.items() if k in lists}
        cells = self.edition.counted.get(measure, ())
        return not mine or any(all(c.dims.get(k) in of for k, of in codes.items()) for c in cells)

    def knows(self, written: str) -> bool:
        """Return whether there is every code, and every period, that an address or text names."""
        named = re.findall(r"(\w+)=([\w.-]+)", written)
        named = [] if written.startswith(_OF_RESEARCH) else named  # its codes are of no template
        return all(self.has(key, code) for key, code in named)

    def has(self, key: str, code: str) -> bool:
        """Return whether a code is of the template's list, where the template has that list.

        A period is one that the collection is compared with, or its own. What another collection
        counted stands in no public edition.
        """
        lists, groups = self.template.lists, self.template.groups
        if key == "period":
            of = self.edition.collection
            elsewhere = of.compared if self.edition.is_public else {}
            return code == NOW or code in of.comparators.keys() - elsewhere.keys()
        return key not in lists or code in {*lists[key], *groups.get(key, ())}

    def said(self, written: Iterable[str]) -> list[Text]:
        """Return paragraphs with their figures, but for those that name a code there is not."""
        return [
            self._paragraph(line)
            for text in written
            for line in self._rendered(text).splitlines()
            if line and all(self.knows(at) for at in _IN_BRACES.findall(line))
        ]

    def _paragraph(self, line: str) -> Text:
        sign = line[:1] if line[:2] in {"$ ", "> ", "~ "} else ""
        line = line[2:] if sign else line
        href, line = line.split(" ", 1) if sign == ">" else (None, line)
        return Text(self._pieces(line), mono=sign == "$", href=href, drawn=sign == "~")

    def _pieces(self, line: str) -> tuple[str | Figure, ...]:
        parts = enumerate(_IN_BRACES.split(line))
        return tuple(self.figure(of) if at % 2 else _plain(of) for at, of in parts if of)

    def point(self, of: PointOf) -> Point | None:
        """Return what is to be said first; None where a figure of it is not known."""
        said = next(iter(self.said([of.text])), None)
        if said is None or not is_known(said):
            return None
        where = dict(part.split("=", 1) for part in self.figure(of.figure).source.split()[1:-1])
        published = self.edition.rows("reconciliation", **where, scope="national")
        if published:
            found = str(published[0]["figure_id"])
            return Point(said, found, f"figures.html#{found}")
        code = " ".join(where[key] for key in ("measure", "breakdown") if where[key])
        return Point(said, code, f"#{of.section}")

    def headline(self, of: HeadlineOf) -> Headline:
        """Return a figure to see first."""
        note = (of.note,) if isinstance(of.note, str) else of.note
        known = "".join(part for part in note if self.knows(part))
        return Headline(of.label, self.figure(of.figure), Text(self._pieces(known)))


def is_known(text: Text) -> bool:
    """Return whether every figure in a text is known."""
    return all(isinstance(part, str) or part.value is not None for part in text.parts)


def _plain(text: str) -> str:
    return text.translate(str.maketrans(_OPEN + _CLOSE, "{}"))


def _number(sent: Figure) -> Figure:
    """Return a count that a force sent, which is a text; a reason for none is no number."""
    value: Any = sent.value
    return replace(sent, value=int(value) if str(value).isdigit() else None)


@cache
def _has_forces(mart: str) -> bool:
    return any(column.name == "force_code" for column in MARTS[mart].columns)
