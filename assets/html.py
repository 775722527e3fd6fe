"""Renders every page that Muster writes: one environment, one base, one style for all of them."""

import textwrap
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any, Final

from jinja2 import Environment, FileSystemLoader, StrictUndefined, Template, select_autoescape
from markupsafe import Markup, escape

from schemas.wording import long_date, plural, visible

TEXT_WIDTH: Final = 76
FILTERS: Final = {"long_date": long_date, "plural": plural, "visible": visible}
"""Filters of every template: of pages, and of texts in TOML."""
_SHARED: Final = Path(__file__).with_name("templates")


def render(template: Path, **facts: Any) -> str:
    """Return what a template makes of facts: it extends `base.html.j2`, or is plain text.

    An HTML page loads nothing else; the same facts give the same text.
    """
    return _environment(template.parent).get_template(template.name).render(facts)


def macros(template: Path, **known: Any) -> dict[str, Callable[..., Markup]]:
    """Return by name the macros of a template of HTML, which know these facts, as functions."""
    return vars(_environment(template.parent).get_template(template.name).make_module(known))


@cache
def _environment(folder: Path) -> Environment:
    environment = Environment(
        loader=FileSystemLoader([folder, _SHARED]),
        autoescape=select_autoescape(["html.j2"]),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters |= FILTERS | {
        "spans": _spans,
        "wrapped": _wrapped,
    }
    return environment


_WORDS: Final = Environment(undefined=StrictUndefined)  # noqa: S701 - a page escapes what it is given
_WORDS.filters |= FILTERS


def words(text: str, **facts: Any) -> str:
    """Return what a text of our own, a template of plain words, says with these facts."""
    return _text(text).render(facts)


@cache
def _text(text: str) -> Template:
    return _WORDS.from_string(text)


def _wrapped(text: str, indent: int = 0, first: str = "") -> str:
    """Wrap a paragraph of plain text; `first` begins its first line within the indent."""
    return textwrap.fill(
        text,
        TEXT_WIDTH,
        initial_indent=first.rjust(indent) if first else " " * indent,
        subsequent_indent=" " * indent,
        break_on_hyphens=False,
    )


def _spans(text: str) -> Markup:
    """Return a description with what it has between backticks as code."""
    parts = (
        Markup("<code>{}</code>").format(part) if position % 2 else escape(part)
        for position, part in enumerate(text.split("`"))
    )
    return Markup("").join(parts)
