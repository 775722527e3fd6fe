"""Renders a page with the templates of this folder.

Belongs here: layout. Does not: any wording of figures, which the page brings along.
"""

from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from assets.pages.content import Page
from assets.pages.wording import sentence


@cache
def _environment() -> Environment:
    return Environment(
        loader=FileSystemLoader(Path(__file__).with_name("templates")),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )


def page_html(page: Page, links: Sequence[tuple[str, str]], about: Mapping[str, str]) -> str:
    """Return a page that loads nothing else.

    Args:
        page: the page.
        links: other pages it leads to: words and relative address.
        about: what the release says about itself.
    """
    template = _environment().get_template("page.html.j2")
    return template.render(page=page, links=links, about=about, basis=sentence(about["basis"]))
