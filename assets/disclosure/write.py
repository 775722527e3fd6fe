"""Writes the public edition: Parquet for programs, CSV for people, and a page that explains both.

Belongs here: files. Does not: what is in them (edition.py).
"""

import shutil
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final

from assets.disclosure.edition import PublicEdition
from assets.disclosure.ledger import Entry
from assets.lake import atomic_file, write_errors
from assets.marts import write_mart
from schemas.contract import description
from schemas.disclosure import SYMBOLS
from schemas.errors import ContractError
from schemas.marts.public import PUBLIC_MARTS

README: Final = "README.txt"


def write_public(folder: Path, edition: PublicEdition, about: Mapping[str, str]) -> list[Path]:
    """Write the public edition into a folder.

    Args:
        folder: where to; it is made if need be.
        edition: an edition without problems.
        about: facts about the release, among them `release`, `basis` and `sources`; they stand in
            every Parquet file and in the page.

    Returns:
        The files written, in order of their names.

    Raises:
        ContractError: the edition has problems, or is withheld; it must not be shown.
        LakeError: a file cannot be written.
    """
    if edition.problems or edition.withheld:
        why = edition.withheld or edition.problems[0]
        raise ContractError(f"the public edition must not be shown: {why}. Report it; rule M010.")
    written = []
    for name, frame in edition.marts.items():
        with atomic_file(folder / f"{name}.parquet") as file:
            write_mart(file, name, PUBLIC_MARTS[name], frame, {**about, "edition": "public"})
        with atomic_file(folder / f"{name}.csv") as file:
            frame.write_csv(file)
        written += [folder / f"{name}.parquet", folder / f"{name}.csv"]
    with atomic_file(folder / README) as file:
        file.write("\n".join(_page(edition, about)).encode())
    return sorted([*written, folder / README])


def carry_forward(
    folder: Path, entry: Entry | None, why: str, about: Mapping[str, str]
) -> list[Path]:
    """Write the last public edition into a folder once more, byte for byte, and why it is the last.

    Args:
        folder: where to; what it holds is replaced.
        entry: the edition in the ledger; None where there is none, so that the page is alone.
        why: why there is no newer one, in words that tell nothing of a count.
        about: facts about the release.

    Returns:
        The files written, in order of their names.

    Raises:
        LakeError: a file cannot be written.
    """
    with write_errors(folder):
        shutil.rmtree(folder, ignore_errors=True)
    files = sorted(entry.public.iterdir()) if entry else []
    for path in files:
        if path.name != README:
            with atomic_file(folder / path.name) as file:
                file.write(path.read_bytes())
    with atomic_file(folder / README) as file:
        file.write("\n".join(_page_of_earlier(entry, why, about)).encode())
    return sorted(folder.iterdir())


def _page_of_earlier(entry: Entry | None, why: str, about: Mapping[str, str]) -> Iterator[str]:
    yield "PUBLIC EDITION"
    yield ""
    for name, fact in sorted(about.items()):
        yield f"{name}: {fact}"
    yield ""
    if entry is None:
        yield f"There is no public edition of this release: {why}."
        yield ""
        return
    yield f"This is the public edition of release {entry.release}, as it was published then."
    yield f"There is no newer one: {why}."
    yield ""
    yield "Its own page follows."
    yield ""
    yield (entry.public / README).read_text(encoding="utf-8")


def _page(edition: PublicEdition, about: Mapping[str, str]) -> Iterator[str]:
    yield "PUBLIC EDITION"
    yield ""
    for name, fact in sorted(about.items()):
        yield f"{name}: {fact}"
    yield ""
    yield "Small counts of single forces are hidden, and as few others as it takes, so that the"
    yield "hidden ones cannot be worked out from totals. National counts are all shown. A hidden"
    yield "count is empty, never 0, and a symbol stands in a column of its own:"
    yield ""
    for symbol, meaning in SYMBOLS.items():
        yield f"  {symbol}  {meaning}"
    yield ""
    yield "Where no symbol stands, the value is as in the full edition. Statistics over forces,"
    yield "such as a largest count, are shown where they are in print or follow from what is shown."
    yield ""
    yield "Each table is here twice: as .parquet, with its columns described, and as .csv."
    yield ""
    for name in edition.marts:
        yield f"{name}: {description(PUBLIC_MARTS[name])}"
    yield ""
