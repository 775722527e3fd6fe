"""The folder of `muster feedback`: for each force a letter and a workbook, and an overview."""

import json
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

import polars as pl

from assets.cases.store import CaseStore
from assets.feedback.letters import Letter
from assets.feedback.marked_copy import marked_copy
from assets.feedback.problem_list import extract_list
from assets.feedback.problems import Problem
from assets.html import render
from assets.intake.raw_store import RawStore
from assets.kept import made_once
from assets.lake import Lake, atomic_file, write_errors
from assets.returns.desk.returned import codes_of
from assets.returns.template.workbook import EarlierValues, write_blanks
from assets.unattributed import Unattributed
from schemas.collection import Collection
from schemas.errors import SetupError
from schemas.rules.catalogue import UNORDERED, every_rule

_TEMPLATES: Final = Path(__file__).with_name("templates")
LIST: Final = ".made-by-muster.json"
"""In the folder: the names of all files that feedback wrote there, and may remove again."""


def feedback_files(
    letters: Sequence[Letter],
    nobodys: Mapping[Unattributed, list[Problem]],
    lake: Lake,
    collection: Collection,
    earlier: Mapping[str, EarlierValues] | None = None,
) -> dict[str, bytes]:
    """Return every file of the feedback by its path in the folder, the overview first.

    `nobodys` is as `unattributed` returns it; `earlier` has what each force told before, for its
    blank workbook.

    Raises:
        LakeError: a raw file is gone, or no longer what was received.
    """
    about = {"letters": letters, "unattributed": nobodys}
    overview = render(_TEMPLATES / "index.html.j2", collection=collection, **about)
    files = {"index.html": overview.encode()}
    for letter in letters:
        folder = letter.force_code
        for name in ("letter.html", "letter.txt"):
            files[f"{folder}/{name}"] = letter_page(letter, name).encode()
        for name in letter.attachments:
            files[f"{folder}/{name}"] = _attachment(letter, name, lake, earlier)
    return files


def letter_page(letter: Letter, name: str) -> str:
    """Return a letter as `letter.html`, a page that loads nothing, or as `letter.txt`."""
    return render(_TEMPLATES / f"{name}.j2", letter=letter)


def _attachment(
    letter: Letter, name: str, lake: Lake, earlier: Mapping[str, EarlierValues] | None
) -> bytes:
    template = letter.collection.template
    if letter.extract and name == letter.attachments[-1]:
        extract, extracts = letter.extract, CaseStore(lake)
        about = (v for v in extracts.receipts() if v.receipt_id in extract.receipt_ids)
        bad = [extracts.bad_rows(each.force_code, each.version) for each in about]
        found = [pl.read_parquet(path) for path in bad if path.exists()]
        rows = pl.concat([pl.DataFrame(), *found], how="diagonal")
        return extract_list(extract.things, rows, template, name)
    if letter.sent:
        things, receipt, store = letter.sent.things, letter.sent.receipt, RawStore(lake)
        path, reading, name = store.path(receipt), store.read(receipt), receipt.file_name
        whose = letter.collection.id, receipt.receipt_id, letter.force_code
        codes, untold = codes_of(letter.sent.findings, *whose), letter.sent.untold
        return made_once(
            lake,
            "marked",
            [receipt.sha256, name, *whose, repr(things), repr(template),
             str(every_rule()[UNORDERED].address), repr(untold)],
            lambda: marked_copy(
                path, reading, things, template, name=name, not_evaluable=untold, codes=codes
            ),
        )  # fmt: skip
    with TemporaryDirectory() as folder:
        (blank,) = write_blanks(Path(folder), letter.collection, [letter.force_code], earlier)
        return blank.read_bytes()


def write_feedback(folder: Path, files: Mapping[str, bytes]) -> None:
    """Write the files into a folder, and remove those of an earlier run that are not needed now.

    Raises:
        SetupError: the folder holds files, but none of them is feedback.
        LakeError: the folder cannot be written.
    """
    earlier = _written_before(folder)
    with write_errors(folder):
        # Listed before they are written, so that a run that is killed leaves nothing unknown.
        _write_list(folder, earlier | set(files))
        for name, content in files.items():
            with atomic_file(folder / name) as file:
                file.write(content)
        for name in earlier - set(files):
            (folder / name).unlink(missing_ok=True)
            with suppress(OSError):  # somebody else's file is in it, or it is gone
                (folder / name).parent.rmdir()
        _write_list(folder, set(files))


def _written_before(folder: Path) -> set[str]:
    if not folder.exists() or not any(folder.iterdir()):
        return set()
    try:
        names = json.loads((folder / LIST).read_text(encoding="utf-8"))
        inside = [n for n in names if (folder / n).resolve().is_relative_to(folder.resolve())]
    except (OSError, ValueError, TypeError) as error:
        raise SetupError(
            f"{folder} holds files that are not feedback of an earlier run. Name a new folder, or"
            " an empty one."
        ) from error
    return set(inside)


def _write_list(folder: Path, names: set[str]) -> None:
    with atomic_file(folder / LIST) as file:
        file.write(json.dumps(sorted(names), indent=1).encode())
