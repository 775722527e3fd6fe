"""Renders letters and the overview with the templates of this folder.

Belongs here: layout that a template cannot do by itself. Does not: any wording (wording.py).
"""

import textwrap
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Final

from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape

from assets.feedback import wording
from assets.feedback.letters import Letter, Stranger
from assets.feedback.shown import basis_line
from assets.intake.nobodys import Nobodys
from schemas.collection import Collection
from schemas.wording import long_date, visible

TEXT_WIDTH: Final = 76


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=FileSystemLoader(Path(__file__).with_name("templates")),
        autoescape=select_autoescape(["html.j2"]),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters["wrapped"] = _wrapped
    environment.filters["long_date"] = long_date
    environment.filters["visible"] = visible
    return environment


def _wrapped(text: str, indent: int = 0, first: str = "") -> str:
    """Wrap a paragraph; `first` begins its first line within the indent."""
    return textwrap.fill(
        text,
        TEXT_WIDTH,
        initial_indent=first.rjust(indent) if first else " " * indent,
        subsequent_indent=" " * indent,
        break_on_hyphens=False,
    )


def letter_html(letter: Letter) -> str:
    """Return a letter as one HTML page that loads nothing else."""
    return _environment().get_template("letter.html.j2").render(_facts(letter))


def letter_text(letter: Letter) -> str:
    """Return a letter as plain text, wrapped at TEXT_WIDTH."""
    return _environment().get_template("letter.txt.j2").render(_facts(letter))


def overview_html(
    letters: Sequence[Letter],
    strangers: Sequence[Stranger],
    collection: Collection,
    others: Sequence[Nobodys] = (),
) -> str:
    """Return the data team's overview: a line a letter, and the files that are nobody's."""
    return (
        _environment()
        .get_template("index.html.j2")
        .render(
            letters=letters,
            strangers=strangers,
            others=others,
            collection=collection,
            headings=wording.HEADINGS,
        )
    )


def _facts(letter: Letter) -> dict[str, object]:
    return {
        "letter": letter,
        "heading": wording.HEADINGS[letter.situation],
        "basis": basis_line(letter.sent.basis) if letter.sent else None,
        "opening": wording.opening(letter),
        "deadline": wording.deadline(letter),
        "sections": wording.sections(letter),
        "steps": wording.steps(letter),
    }
