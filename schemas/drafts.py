"""Drafts of collections and templates: what is wrong in them, and what is to be noted."""

from pathlib import Path
from typing import Final

from schemas.collection import FOLDERS, Collection, read_collection
from schemas.edit_faults import examined
from schemas.errors import SetupError
from schemas.faults import DescriptionError, lines_in, read_toml
from schemas.reference import frame_of
from schemas.reference_faults import forces_read
from schemas.template import Template
from schemas.template_file import read_template

_READ: Final = {".toml", ".csv"}


class Drafts:
    """A collection, a template, or a folder of both as MUSTER_COLLECTIONS names one, as read.

    `files` are those read, what others name among them. `wrong` has a line for everything that is
    wrong in them: the file, the line in it, the key, and what to write instead. What is wrong in a
    template is told there and once, however many collections use it. `templates` are those that
    the files are or use, each once, as far as they can be told.
    """

    def __init__(self, path: Path) -> None:
        """Read a file or a folder."""
        for read in (read_template, read_collection, frame_of):  # it changes between two looks
            read.cache_clear()
        self._path, files, wrong = path, [path], list[str]()
        root = path.parent.parent if path.parent.name in FOLDERS else path.parent
        if path.is_dir():
            root, files = path, sorted([*path.glob("*.toml"), *path.glob("templates/*.toml")])
            files += sorted(path.glob("collections/*.toml"))
            wrong += [] if files else [f"{path}: there is no file collections/<id>.toml here"]
        forces = forces_read(root)
        wrong += forces.faults if forces else []
        self._sound: dict[Path, Template | Collection] = {}
        named, used = list[Path](), list[Template]()
        for file in files:
            of, lines = _read(file)
            wrong += lines
            if of and not lines:
                self._sound[file] = of
            if isinstance(of, Collection):
                named += [of.template.path, *map(of.reference, of.reference_files)]
            used += [of.template if isinstance(of, Collection) else of] if of else []
        named.append(root / "reference" / "forces.csv")
        self.files = list(dict.fromkeys([*files, *(each for each in named if each.is_file())]))
        self.wrong = list(dict.fromkeys(wrong))
        self.templates = [*{one.path: one for one in used if one.path.is_file()}.values()]

    def contradictions(self) -> tuple[list[str], list[str]]:
        """Return a line for each contradiction, and for what never fails or nothing reads.

        Where a file is not sound, nobody can tell what its sums are meant to be.
        """
        unsound = {line.partition(":")[0] for line in self.wrong}
        described = self._sound | {each.path: each for each in self.templates}
        wrong, notes = list[str](), [] if self.wrong else self._unread()
        for file, each in described.items():
            if str(file) not in unsound:
                contradicted, implied = examined(file, each)
                wrong += contradicted
                notes += implied
        return wrong, notes

    def _unread(self) -> list[str]:
        """Return a line for each file of the folder that nothing there names."""
        there = (each for each in sorted(self._path.rglob("*")) if each.suffix.lower() in _READ)
        said = "nothing reads this file: is its name, or that of its folder, spelt as it is meant?"
        return [f"{each}: {said}" for each in there if each not in self.files]


def _read(path: Path) -> tuple[Template | Collection | None, list[str]]:
    """Return the template or collection that a file is, mended, and a line for each fault."""
    try:
        return read_template(path) if _is_template(path) else read_collection(path), []
    except SetupError as error:
        mended = error.mended if isinstance(error, DescriptionError) else None
        return mended, lines_in(error)


def _is_template(path: Path) -> bool:
    """Tell a template by its folder, else by its sheets."""
    if path.parent.name in FOLDERS:
        return path.parent.name == "templates"
    try:
        return "sheet" in read_toml(path)[0]
    except SetupError:
        return False
