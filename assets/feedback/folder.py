"""The folder of `muster feedback`: for each force a letter and a workbook, and an overview."""

import json
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

from assets.feedback.letters import Letter, UnattributedReturn
from assets.feedback.marked_copy import marked_copy
from assets.html import render
from assets.intake.raw_store import RawStore
from assets.kept import made_once
from assets.lake import Lake, atomic_file, write_errors
from assets.returns.template.blank import write_blanks
from assets.returns.template.workbook import EarlierValues
from assets.unattributed import Unattributed
from schemas.collection import Collection
from schemas.errors import SetupError

_TEMPLATES: Final = Path(__file__).with_name("templates")
LIST: Final = ".made-by-muster.json"
"""In the folder: the names of all files that feedback wrote there, and may remove again."""


def feedback_files(
    letters: Sequence[Letter],
    unattributed: Sequence[UnattributedReturn],
    lake: Lake,
    collection: Collection,
    others: Sequence[Unattributed] = (),
    earlier: Mapping[str, EarlierValues] | None = None,
) -> dict[str, bytes]:
    """Return every file of the feedback by its path in the folder, the overview first.

    `others` are files of no known force that have no receipt of a return; `earlier` has what each
    force told before, for its blank workbook.

    Raises:
        LakeError: a raw file is gone, or no longer what was received.
    """
    about = {"letters": letters, "unattributed": unattributed, "others": others}
    overview = render(_TEMPLATES / "index.html.j2", collection=collection, **about)
    files = {"index.html": overview.encode()}
    for letter in letters:
        folder = letter.force_code
        for name in ("letter.html", "letter.txt"):
            files[f"{folder}/{name}"] = letter_page(letter, name).encode()
        files[f"{folder}/{letter.attachment}"] = _attachment(letter, lake, earlier)
    return files


def letter_page(letter: Letter, name: str) -> str:
    """Return a letter as `letter.html`, a page that loads nothing, or as `letter.txt`."""
    return render(_TEMPLATES / f"{name}.j2", letter=letter)


def _attachment(letter: Letter, lake: Lake, earlier: Mapping[str, EarlierValues] | None) -> bytes:
    if letter.sent:
        receipt, found, store = letter.sent.receipt, letter.sent.findings, RawStore(lake)
        path, reading, template = (
            store.path(receipt),
            store.read(receipt),
            letter.collection.template,
        )
        return made_once(
            lake,
            "marked",
            [receipt.sha256, receipt.file_name, repr(found), repr(template)],
            lambda: marked_copy(path, reading, found, template, name=receipt.file_name),
        )
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
