"""Writes the pages of a release: the national ones, and one for each force beside all forces."""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import lru_cache
from itertools import repeat
from pathlib import Path
from typing import Final

from markupsafe import Markup, escape

from assets.html import render
from assets.release.pages.content import NOT_KNOWN, Cell, Figure, Head, Page, PageTable, Section
from assets.release.pages.description import PageOf, SectionOf
from assets.release.pages.figures import Edition
from assets.release.pages.known import of_release
from assets.release.pages.tables import Tables
from assets.release.pages.wording import period, sentence
from schemas.measures import NOW
from schemas.vocabulary import LIVE_STATES

INDEX: Final = "index.html"
_TEMPLATE: Final = Path(__file__).parent / "templates" / "page.html.j2"
_NATIONAL: Final = [("National picture", f"../{INDEX}"), ("Every force", f"../{INDEX}#forces")]
_POINTS: Final = 5
"""What is said first, at most."""
_WIDE: Final = ' class="w"'
_LONG: Final = 24
"""Letters of a text in a table that has lines, beyond which its cell is wide."""


def pages_of(edition: Edition, forces: Collection[str] | None = None) -> Iterator[tuple[str, str]]:
    """Yield `index.html`, other national pages, and `forces/<FORCE_CODE>.html`, by these paths.

    The pages load nothing from elsewhere, and the same inputs give the same bytes. A mart that is
    absent is said to be not known. With `forces` the pages of these alone, and of none the national
    ones.

    Raises:
        SetupError: there is no such collection.
    """
    pages = {} if forces else national_pages(edition)
    for name, page in pages.items():
        titles = edition.description.pages
        links = [(titles[other], f"{other}.html") for other in pages if other != name]
        yield f"{name}.html", page_html(page, links, edition.about)
    names = edition.names
    codes = sorted(names, key=lambda code: names[code])
    for place, code in enumerate(codes):
        if forces is not None and code not in forces:
            continue
        around = {"Previous": codes[place - 1], "Next": codes[place + 1 - len(codes)]}
        links = [(f"{words}: {names[other]}", f"{other}.html") for words, other in around.items()]
        page = force_page(edition, code)
        yield f"forces/{code}.html", page_html(page, [*_NATIONAL, *links], edition.about)


def page_html(page: Page, links: Sequence[tuple[str, str]], about: Mapping[str, str]) -> str:
    """Return a page that loads nothing else.

    The links to other pages are words and relative address.
    """
    basis = sentence(about["basis"])
    return render(_TEMPLATE, page=page, links=links, about=about, basis=basis, rows=_rows)


def _rows(table: PageTable) -> Markup:
    """Return the lines of a table: most of a page, which a template would take long to write."""
    lines = []
    for first, *cells in table.rows:
        look = ' class="total"' if first.text == "All" else ""
        look += f' id="{escape(first.text)}"' if table.anchored else ""
        wide = _WIDE if len(first.text) > _LONG else ""
        lines.append(f'<tr{look}><th scope="row"{wide}>{_inside(first)}</th>')
        lines += map(_cell, cells, table.heads[1:], repeat(table.of_words))
        lines.append("</tr>\n")
    unknown = f'<tr><td colspan="{len(table.heads)}">{NOT_KNOWN}</td></tr>\n'
    return Markup("".join(lines) or unknown)  # noqa: S704 - each text in it is escaped


def _cell(cell: Cell, head: Head, named: bool) -> str:
    content, look = cell.content, ""
    if cell.bar is not None:
        mark = "" if cell.mark is None else f";--m:{cell.mark * 100:.1f}"
        look = f' class="bar" style="--w:{cell.bar * 100:.1f}{mark}"'
    elif isinstance(content, str):
        look = _WIDE if len(content) > _LONG else ' class="n"' if head.numeric else ""
    elif not head.numeric:
        look = ' class="t"'
    if isinstance(content, Figure):
        look = f"{look}{content.address}"  # added to it, what is Markup would escape it
    if named:
        look = f'{look} data-head="{escape(head.label)}"'
    return f"<td{look}>{_inside(cell)}</td>"


def _inside(cell: Cell) -> str:
    text = f"{escape(cell.text)}"
    linked = f'<a href="{escape(cell.href)}">{text}</a>' if cell.href else text
    return f"{linked}<small>{escape(cell.code)}</small>" if cell.code else linked


@lru_cache(maxsize=1)
def national_page(edition: Edition) -> Page:
    """Return the national page of a release; made once for the page and the workbook.

    What its banner says, every page says first: basis, coverage, edition and release.
    """
    of, view = edition.description.national, Tables(edition)
    over = f"National picture, {period(edition.collection, NOW)}. {view.known['edition']}."
    return _page(view, of, edition.collection.title, over, of.section)


def national_pages(edition: Edition) -> dict[str, Page]:
    """Return the national pages by name: what there is to say, each under a title of its own."""
    whole = national_page(edition)
    found = {}
    for name, title in edition.description.pages.items():
        own = tuple(section for section in whole.sections if section.page == name)
        if name == "index":
            found[name] = replace(whole, sections=own)
        elif own:
            found[name] = Page(title, _over(edition), whole.banner, (), own)
    return found


def force_page(edition: Edition, force: str) -> Page:
    """Return the page of a force, by its code."""
    view, of = Tables(edition, force), edition.description.force
    sections = of.section if view.known["state"] in LIVE_STATES else of.without
    return _page(view, of, view.known["name"], _over(edition), sections)


def _over(edition: Edition) -> str:
    said = of_release(edition)["edition"]
    return f"{edition.collection.title}, {period(edition.collection, NOW)}. {said}."


def _page(view: Tables, of: PageOf, title: str, over: str, own: Iterable[SectionOf]) -> Page:
    use, banner = view.edition.description.use, view.said([of.banner])
    if view.force:
        national = Tables(view.edition).said([view.edition.description.national.banner])
        banner = [*national[:1], *banner, *national[1:]]
    sections = [
        Section(one.name, one.title, view.blocks(use[one.use] if one.use else one), one.page)
        for one in (*own, *of.add)
    ]
    return Page(
        title=title,
        over=over,
        banner=tuple(banner),
        points=tuple(point for one in of.point if (point := view.point(one)))[:_POINTS],
        headlines=tuple(view.headline(one) for one in of.headline if view.knows(one.figure)),
        sections=tuple(section for section in sections if section.blocks),
    )
