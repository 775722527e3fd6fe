"""The pages of a release: the national one, and that of a force beside all forces."""

from collections.abc import Iterable
from functools import lru_cache

from assets.pages.content import Page, Section
from assets.pages.description import PageOf, SectionOf
from assets.pages.figures import Edition
from assets.pages.tables import View
from assets.pages.wording import period
from schemas.measures import NOW
from schemas.vocabulary import LIVE_STATES


@lru_cache(maxsize=1)
def national_page(edition: Edition) -> Page:
    """Return the national page of a release; made once for the page and the workbook.

    What its banner says, every page says first: basis, coverage, edition and release.
    """
    of = edition.description.national
    over = f"National picture, {period(edition.collection, NOW)}"
    return _page(View(edition), of, edition.collection.title, over, of.section)


def force_page(edition: Edition, force: str) -> Page:
    """Return the page of a force, by its code."""
    view, of = View(edition, force), edition.description.force
    over = f"{edition.collection.title}, {period(edition.collection, NOW)}"
    sections = of.section if view.known["state"] in LIVE_STATES else of.without
    return _page(view, of, view.known["name"], over, sections)


def _page(view: View, of: PageOf, title: str, over: str, own: Iterable[SectionOf]) -> Page:
    use = view.edition.description.use
    sections = [
        Section(one.name, one.title, view.blocks(use[one.use] if one.use else one))
        for one in (*own, *of.add)
    ]
    banner = national_page(view.edition).banner if view.force else ()
    return Page(
        title=title,
        over=over,
        banner=(*view.said([of.banner]), *banner),
        headlines=tuple(view.headline(one) for one in of.headline if view.knows(one.figure)),
        sections=tuple(section for section in sections if section.blocks),
    )
