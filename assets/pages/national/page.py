"""The national page: its sections in the order a reader needs them."""

from functools import lru_cache

from assets.pages.content import Page
from assets.pages.figures import Edition
from assets.pages.national import (
    arrangements,
    investigations,
    reconciliation,
    research,
    spread,
    standing,
)
from assets.pages.wording import period


@lru_cache(maxsize=1)
def national_page(edition: Edition) -> Page:
    """Return the national page of a release; drawn once for the page and the workbook."""
    distribution, forces = spread.sections(edition)
    return Page(
        title=edition.collection.title,
        over=f"National picture, {period(edition.collection, 'collection')}",
        banner=standing.banner(edition),
        headlines=standing.headlines(edition),
        sections=(
            *investigations.sections(edition),
            distribution,
            *arrangements.sections(edition),
            *research.sections(edition),
            forces,
            *standing.sections(edition),
            *reconciliation.sections(edition),
        ),
    )
