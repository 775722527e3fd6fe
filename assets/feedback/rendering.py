"""Renders letters and the overview with the templates of this folder.

Belongs here: layout that a template cannot do by itself. Does not: any wording (wording.py).
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Final

from assets.feedback import wording
from assets.feedback.letters import Letter, Stranger
from assets.feedback.shown import basis_line
from assets.html import render
from assets.intake.nobodys import Nobodys
from schemas.collection import Collection

_TEMPLATES: Final = Path(__file__).with_name("templates")


def letter_html(letter: Letter) -> str:
    """Return a letter as one HTML page that loads nothing else."""
    return render(_TEMPLATES / "letter.html.j2", **_facts(letter))


def letter_text(letter: Letter) -> str:
    """Return a letter as plain text, wrapped at TEXT_WIDTH."""
    return render(_TEMPLATES / "letter.txt.j2", **_facts(letter))


def overview_html(
    letters: Sequence[Letter],
    strangers: Sequence[Stranger],
    collection: Collection,
    others: Sequence[Nobodys] = (),
) -> str:
    """Return the data team's overview: a line a letter, and the files that are nobody's."""
    return render(
        _TEMPLATES / "index.html.j2",
        letters=letters,
        strangers=strangers,
        others=others,
        collection=collection,
        headings=wording.HEADINGS,
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
