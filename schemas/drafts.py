"""Examines files of collections and templates before anybody uses them."""

import tomllib
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Final

from schemas.collection import read_collection
from schemas.errors import SetupError
from schemas.reference_faults import forces_read
from schemas.template import Template
from schemas.template_file import read_template
from schemas.toml_file import DescriptionError, lines_in

_FOLDERS: Final = ("collections", "templates", "reference")


def wrong_in(path: Path) -> tuple[list[Path], list[str]]:
    """Examine a collection, a template, or a folder of both as MUSTER_COLLECTIONS names one.

    Returns:
        The files examined, and a line for everything that is wrong in them: the file, the line
        in it, the key, and what to write instead. None is wrong where there is none. What is
        wrong in a template is told there and once, however many collections use it.
    """
    for read in (read_template, read_collection):  # a draft changes between two looks at it
        read.cache_clear()
    root = path.parent.parent if path.parent.name in _FOLDERS else path.parent
    if not path.is_dir():
        return [path], list(dict.fromkeys(_wrong(path, root)))
    files = sorted([*path.glob("*.toml"), *path.glob("templates/*.toml")])
    files += sorted(path.glob("collections/*.toml"))
    wrong = [] if files else [f"{path}: there is no file collections/<id>.toml here"]
    for file in files:
        wrong += _wrong(file, path)
    return files, list(dict.fromkeys(wrong))


def _wrong(path: Path, root: Path) -> Iterator[str]:
    read = forces_read(root)
    yield from read.faults if read else ()
    try:
        (read_template if _is_template(path) else read_collection)(path)
    except SetupError as error:
        yield from lines_in(error)


def templates_in(files: Iterable[Path]) -> list[Template]:
    """Return the templates that files are or use, each once, as far as they can be told."""
    found: dict[Path, Template] = {}
    for path in files:
        try:
            of = read_template(path) if _is_template(path) else read_collection(path).template
        except DescriptionError as error:
            of = error.mended
        except SetupError:
            continue
        if isinstance(of, Template):
            found[of.path] = of
    return list(found.values())


def _is_template(path: Path) -> bool:
    """Tell a template by its folder, else by its sheets."""
    if path.parent.name in _FOLDERS:
        return path.parent.name == "templates"
    try:
        return "sheet" in tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return False
