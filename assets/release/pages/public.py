"""Writes what people read of a public edition, from its public marts alone.

No function here, nor any that it calls, is given anything of the full edition: what stands on these
pages, in whatever order and however drawn, follows from what everybody may see.
"""

from collections.abc import Callable, Iterator, Mapping
from itertools import chain
from pathlib import Path
from typing import Final

import polars as pl

from assets.html import render
from assets.lake import atomic_file
from assets.release.changes import since_edition
from assets.release.pages.drawn import Files, drawn
from assets.release.pages.figures import Edition
from schemas.disclosure import SUPPRESSED
from schemas.public import public_marts, symbol_of, with_symbols
from schemas.wording import plural

_README: Final = Path(__file__).parent / "templates" / "public.txt.j2"


def public_pages(
    folder: Path,
    marts: Mapping[str, pl.DataFrame],
    about: Mapping[str, str],
    last: Path | None = None,
    draw: Callable[[Edition], Callable[[], Files]] = lambda edition: lambda: drawn(edition),
) -> Callable[[], None]:
    """Begin pages and workbooks beside the public marts, and what its README ends with.

    Args:
        folder: where the public edition stands.
        marts: its marts by name, and nothing else.
        about: facts about the release.
        last: where the public edition before stands, as everybody has it; None for none.
        draw: begins to draw an edition, here or elsewhere, and returns how to have what is drawn.

    Returns:
        A function that writes them, or raises LakeError where a file cannot be written.
    """
    own = Edition(marts, {**about, "edition": "public"})
    since = since_edition(last, marts, own.collection)
    files = draw(Edition({**marts, **since.tables}, {**own.about, **since.facts}))

    def write() -> None:
        for name, content in chain(files(), since.files().items()):
            with atomic_file(folder / name) as file:
                file.write(content)
        readme = folder / "README.txt"
        text = readme.read_text(encoding="utf-8") + render(_README, hidden=hidden(own))
        with atomic_file(readme) as file:
            file.write(text.encode())

    return write


def hidden(edition: Edition) -> Iterator[str]:
    """Yield a line for each column of a public mart in which cells are hidden."""
    template = edition.collection.template
    forms = public_marts(template)
    for mart, frame in edition.marts.items():
        for column in with_symbols(mart, forms[mart]):
            if hidden := frame.filter(pl.col(symbol_of(mart, column)) == SUPPRESSED).height:
                yield f"  {mart}.{column}: {hidden:,} of {plural(frame.height, 'cell')}"
