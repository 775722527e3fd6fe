"""Writes the pages of a release: the national one, and one for each force.

Belongs here: files and links between them. Does not: what stands on a page (national/, force/).
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

from assets.html import render
from assets.lake import atomic_file
from assets.pages.content import Page
from assets.pages.figures import Edition
from assets.pages.pages import force_page, national_page
from assets.pages.wording import sentence

_TEMPLATE: Final = Path(__file__).parent / "templates" / "page.html.j2"
INDEX: Final = "index.html"
FORCES: Final = "forces"


def write_pages(folder: Path, edition: Edition) -> None:
    """Write `index.html` and `forces/<FORCE_CODE>.html` into a folder.

    The pages load nothing from elsewhere, and the same inputs give the same bytes. They are the
    full edition: nothing is suppressed.

    Args:
        folder: where to; made if need be.
        edition: the release; a mart that is absent is said to be not known.

    Raises:
        LakeError: a page cannot be written.
        SetupError: there is no such collection.
    """
    national, about = national_page(edition), edition.about
    write_page(folder / INDEX, national, [], about)
    codes = sorted(edition.names, key=lambda code: edition.names[code])
    for place, code in enumerate(codes):
        links = [("National picture", f"../{INDEX}"), ("Every force", f"../{INDEX}#forces")]
        for words, other in (
            ("Previous", codes[place - 1]),
            ("Next", codes[place + 1 - len(codes)]),
        ):
            links.append((f"{words}: {edition.names[other]}", f"{other}.html"))
        page = force_page(edition, code)
        write_page(folder / FORCES / f"{code}.html", page, links, about)


def page_html(page: Page, links: Sequence[tuple[str, str]], about: Mapping[str, str]) -> str:
    """Return a page that loads nothing else.

    Args:
        page: the page.
        links: other pages it leads to: words and relative address.
        about: what the release says about itself.
    """
    return render(_TEMPLATE, page=page, links=links, about=about, basis=sentence(about["basis"]))


def write_page(
    path: Path, page: Page, links: Sequence[tuple[str, str]], about: Mapping[str, str]
) -> None:
    """Write a page whole or not at all; see page_html."""
    with atomic_file(path) as file:
        file.write(page_html(page, links, about).encode())
