"""What waits in the research folder: its bytes, and the basis they were dropped with.

Belongs here: from the folder to bytes. Does not: keeping them (store.py) or reading them
(reading.py).
"""

import stat
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from assets.intake.landing import ARRIVING, OPEN, name_as_text, waiting
from assets.research.problem import Problem, ResearchError
from assets.research.table import whole_file
from schemas.research import BASIS_FILE, FILES
from schemas.vocabulary import BASES

Settled = Callable[[Path], bool]

MAX_BYTES: Final = 50 * 1024 * 1024
"""Some twenty times a survey of seven thousand respondents."""

_SHOWN: Final = 50
_NAMES: Final = ", ".join((*FILES, BASIS_FILE))
_UNLESS_SAID: Final = "submitted"


@dataclass(frozen=True)
class Dropped:
    """`files`: name and bytes of what can be kept. `basis`: of them all. `problems`: the rest.

    `left` maps the name of a file that is still arriving, and no problem, to why it waits.
    """

    files: tuple[tuple[str, bytes], ...]
    basis: str
    problems: tuple[Problem, ...]
    left: dict[str, str]


def dropped(folder: Path, settled: Settled) -> Dropped:
    """Return what was dropped in a research folder; a folder that is not there is empty.

    Where the basis cannot be told nothing is taken: a file must not pass for what it is not.
    """
    found = waiting(folder)
    problems = [
        Problem(name_as_text(path.name), None, None, "not looked into", f"one of {_NAMES}",
                "Put the files themselves into the research folder, under these names.")
        for path in found.folders
    ]  # fmt: skip
    left = {path.name: OPEN for path in found.unfinished}
    left |= {path.name: ARRIVING for path in found.files if not settled(path)}
    whole = [path for path in found.files if path.name not in left]
    if BASIS_FILE in left:
        left |= {path.name: f"waits for {BASIS_FILE}" for path in whole}
        return Dropped((), _UNLESS_SAID, tuple(problems), left)
    contents: dict[str, bytes] = {}
    for path in whole:
        try:
            contents[path.name] = _content(path)
        except ResearchError as error:
            problems += error.problems
    try:
        basis = _basis(contents.pop(BASIS_FILE, None))
    except ResearchError as error:
        return Dropped((), _UNLESS_SAID, (*problems, *error.problems), left)
    return Dropped(tuple(contents.items()), basis, tuple(problems), left)


def _content(path: Path) -> bytes:
    """Return the bytes of a file that may be research.

    Raises:
        ResearchError: it is none by its name, kind or size, or cannot be read whole now.
    """
    name = name_as_text(path.name)
    if name not in (*FILES, BASIS_FILE):
        fix = "Rename it, or take it out of the research folder."
        raise whole_file(name, "an unknown file", f"one of {_NAMES}", fix)
    try:
        before = path.lstat()
        if not stat.S_ISREG(before.st_mode):
            raise whole_file(name, "not a plain file", "the file itself", "Send the file itself.")
        if before.st_size > MAX_BYTES:
            observed, limit = f"{before.st_size:,} bytes", f"at most {MAX_BYTES:,}"
            raise whole_file(name, observed, limit, "Check that this is the file that was meant.")
        content = path.read_bytes()
        after = path.lstat()
    except OSError as error:
        observed = f"cannot be opened ({error.strerror})"
        fix = "Mend its permissions and run again."
        raise whole_file(name, observed, "a readable file", fix) from error
    if (before.st_size, before.st_mtime_ns) != (after.st_size, after.st_mtime_ns):
        raise whole_file(name, "changed while it was read", "the whole file", "Run again.")
    return content


def _basis(content: bytes | None) -> str:
    said = _UNLESS_SAID if content is None else content.decode(errors="replace").strip()
    if said not in BASES:
        codes = f"one of {', '.join(BASES)}"
        fix = "Write one of them; until then no research file is taken in."
        raise whole_file(BASIS_FILE, repr(said[:_SHOWN]), codes, fix)
    return said
