"""What a page is made of: sections of text, tables and charts, however they are written later.

Belongs here: the parts and their shapes. Does not: any figure (figures.py), any HTML or workbook.
A value keeps its address in the marts, so that every number shown can be held to the release.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import ClassVar, Final

from markupsafe import Markup, escape

NOT_KNOWN: Final = "not known"
NOT_TOTALLED: Final = "not totalled"
HIDDEN: Final = "hidden"
MISSING: Final = "[x]"
"""What stands for `not known` where there is little room."""

_MINUS: Final = "\N{MINUS SIGN}"


@dataclass(frozen=True)
class Style:
    """How a number is written. `decimals` None: none for whole numbers, `most` for others.

    `per` is how much of the whole a part of it is said of.
    """

    decimals: int | None = 0
    most: int = 2
    suffix: str = ""
    signed: bool = False
    is_answer: bool = False
    per: int = 100

    def places(self, value: float) -> int:
        """Return the number of decimals a value is written with."""
        if self.decimals is not None:
            return self.decimals
        return 0 if float(value).is_integer() else self.most

    def write(self, value: float) -> str:
        """Return a number for people: thousands separated, and a minus that is one."""
        if self.is_answer:
            return "yes" if value else "no"
        places = self.places(value)
        rounded = round(value, places) + 0.0  # turns -0.0 into 0.0
        sign = "+" if self.signed and rounded else ""
        return f"{rounded:{sign},.{places}f}{self.suffix}".replace("-", _MINUS)


COUNT: Final = Style()
RATE: Final = Style(decimals=1)
PERCENT: Final = Style(decimals=1, suffix="%")
EXACT: Final = Style(decimals=None)
RANK: Final = Style()
CHANGE: Final = Style(decimals=None, signed=True)
PER_1000: Final = Style(decimals=1, per=1000)
STYLES: Final = {
    "%": PERCENT,
    ".1": RATE,
    "any": EXACT,
    "few": Style(decimals=None, most=1),
    "rank": RANK,
    "yes": Style(is_answer=True),
    "+.1": Style(decimals=1, signed=True),
    "change": CHANGE,
    "any%": Style(decimals=None, suffix="%"),
    "times": Style(decimals=1, suffix=" times"),
    "per_1000": PER_1000,
}
"""How an address calls a style."""


@dataclass(frozen=True)
class Figure:
    """A value of a mart.

    `source` is its address: the mart, `column=value` for each key, the column; `rows` for a
    number of rows. Several rows at an address are added up. With `of`, the address of a whole, the
    value is the percent that the first is of the second, or per as many as the style says. One that
    is not `asked` for is no total that the template has: nobody counts it, so that it is not
    missing either. One that is `hidden` stands in the full edition alone. A rank is a place among
    the forces, by the number at the address.
    """

    value: float | str | bool | None
    source: str
    style: Style = COUNT
    of: str | None = None
    asked: bool = True
    hidden: bool = False

    @property
    def address(self) -> Markup:
        """The attributes of HTML that say where it stands."""
        of = f' data-of="{escape(self.of)}"' if self.of else ""
        per = f' data-per="{self.style.per}"' * (self.style is PER_1000)
        rank = " data-rank" * (self.style is RANK)
        return Markup(f' data-from="{escape(self.source)}"{of}{per}{rank}')  # noqa: S704 - it is

    @property
    def text(self) -> str:
        """The value as people read it; what is missing is said to be, never left blank."""
        if self.value is None:
            return HIDDEN if self.hidden else NOT_KNOWN if self.asked else NOT_TOTALLED
        if isinstance(self.value, bool):
            return "yes" if self.value else "no"
        return self.value if isinstance(self.value, str) else self.style.write(self.value)

    @property
    def short(self) -> str:
        """The same where there is little room, and in workbooks."""
        missing = "[c]" if self.hidden else MISSING if self.asked else "[z]"
        return missing if self.value is None else self.text

    @property
    def number(self) -> float | None:
        """The value, None where it is unknown or no number."""
        return None if isinstance(self.value, str | bool) else self.value


@dataclass(frozen=True)
class Cell:
    """A cell of a table.

    `code` stands small below the content. `bar` is the length of a bar behind it and `mark` the
    place of a line across that, both from 0 to 1.
    """

    content: str | Figure
    href: str | None = None
    code: str | None = None
    bar: float | None = None
    mark: float | None = None

    @property
    def text(self) -> str:
        """The content as people read it."""
        return self.content if isinstance(self.content, str) else self.content.text

    @property
    def words(self) -> str:
        """What it says, with what stands small below it."""
        return f"{self.text} ({self.code})" if self.code else self.text


@dataclass(frozen=True)
class Head:
    """The heading of a column; the unit of its numbers stands in it."""

    label: str
    numeric: bool = True


@dataclass(frozen=True)
class PageTable:
    """A table: the first cell of each row is the row's heading. `name` names its sheet.

    One that is `folded` is opened by who wants it; the rows of an `anchored` one are led to.
    """

    kind: ClassVar[str] = "table"
    name: str
    caption: str
    heads: tuple[Head, ...]
    rows: tuple[tuple[Cell, ...], ...]
    notes: tuple[str, ...] = ()
    folded: bool = False
    anchored: bool = False

    @property
    def of_words(self) -> bool:
        """Whether more columns hold words than numbers: a phone shows each row as a list."""
        words = [not head.numeric for head in self.heads[1:]]
        return sum(words) > max(1, len(words) / 2)


def in_words(
    name: str,
    caption: str,
    heads: Sequence[str],
    rows: Iterable[Iterable[str]],
    folded: bool = False,
) -> PageTable:
    """Return a table that has no figures."""
    labels = tuple(Head(label, numeric=False) for label in heads)
    return PageTable(
        name, caption, labels, tuple(tuple(map(Cell, row)) for row in rows), folded=folded
    )


@dataclass(frozen=True)
class Text:
    """A paragraph: words and figures in the order they are read; `mono` for a command.

    With `href` it leads to another page; one that is `drawn` explains what only a page shows.
    """

    kind: ClassVar[str] = "text"
    parts: tuple[str | Figure, ...]
    mono: bool = False
    href: str | None = None
    drawn: bool = False


@dataclass(frozen=True)
class Chart:
    """A drawing under what it shows; `legend` has the look and the words of each series."""

    kind: ClassVar[str] = "chart"
    drawn: Markup
    name: Text
    legend: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True)
class Headline:
    """A figure to see first, with what it is and a line that gives it its measure."""

    label: str
    figure: Figure
    note: Text


@dataclass(frozen=True)
class Point:
    """What a page says first, in words; `href` leads to the explanation of its figure."""

    text: Text
    figure: str
    href: str


@dataclass(frozen=True)
class Section:
    """A part of a page under a heading of its own; `page` names the page it stands on."""

    name: str
    title: str
    blocks: tuple[PageTable | Chart | Text, ...]
    page: str = "index"


@dataclass(frozen=True)
class Page:
    """A page; `banner` says what the figures are, points and headlines stand before sections."""

    title: str
    over: str
    banner: tuple[Text, ...]
    headlines: tuple[Headline, ...]
    sections: tuple[Section, ...]
    points: tuple[Point, ...] = ()
