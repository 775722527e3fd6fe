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
from schemas.breakdown import read_breakdown
from schemas.contract import keys
from schemas.disclosure import PROFILES, SUPPRESSED
from schemas.measures import NOW
from schemas.public import public_marts, symbol_of, with_symbols
from schemas.vocabulary import LIVE_STATES
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
            marked = frame.filter(pl.col(symbol_of(mart, column)) == SUPPRESSED)
            if marked.is_empty():
                continue
            cases = _cases(edition, mart, column)
            said = "cases not told" if cases is None else plural(cases, "case")
            cells = f"{marked.height:,} of {plural(frame.height, 'cell')}"
            yield f"  {mart}.{column}: {cells}; {said}"


def _cases(edition: Edition, mart: str, column: str) -> int | None:
    """Return the cases in hidden cells: the national total less what is shown.

    None where no total is shown, or what the cells count is not added up.
    """
    template, frame = edition.collection.template, edition.marts[mart]
    if mart == PROFILES:
        of = template.profile.get(column)
        if of is None or template.measures[of.measure].statistics:
            return None
        totals = [(of.measure, of.dims, of.period)]
        frame = frame.filter(pl.col("state").is_in(LIVE_STATES))
    else:
        shown = template.disclosure.measures.items() if template.disclosure else ()
        measures = [name for name, of in shown if of.mart == mart and of.value == column]
        research = mart in (template.disclosure.research if template.disclosure else ())
        if research:
            measures = [f"{mart}_{column}"]
        totals = [(name, {}, NOW) for name in measures]
        if "item" in keys(public_marts(template)[mart]):
            rows = {e.row_code for name in measures for e in edition.counted[name]}
            frame = frame.filter(pl.col("item").is_in(rows))
    numbers = [_total(edition, *total) for total in totals]
    known = [number for number in numbers if number is not None]
    if not totals or len(known) < len(numbers):
        return None
    left = round(sum(known)) - int(frame[column].sum() or 0)
    return left if left >= 0 else None


def _total(edition: Edition, measure: str, dims: Mapping[str, str], when: str) -> float | None:
    """Return a national total; where there is none of the whole, the sum over one dimension."""
    rows = [
        (read_breakdown(row["breakdown"]), row["value"])
        for row in edition.rows("national_totals", measure=measure)
        if row["period"] in {when, ""}
    ]
    whole = [value for by, value in rows if by == dims]
    if whole or dims:
        return whole[0] if whole else None
    first = next((by.keys() for by, _ in rows if len(by) == 1), None)
    parts = [value for by, value in rows if by.keys() == first]
    return None if not parts or None in parts else sum(parts)
