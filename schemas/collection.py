"""A collection as data: the next one is a file in collections/, ours or of MUSTER_COLLECTIONS."""

import os
import re
from contextlib import suppress
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Final

from schemas.collection_faults import collection_faults
from schemas.collection_fields import Collection, Reading
from schemas.errors import SetupError
from schemas.faults import DescriptionError, examined, read_toml, refuse_other, unshown
from schemas.reference import COLLECTIONS, ID, all_forces, collection_files, outside, outside_hint

__all__ = ["Collection"]

FOLDERS: Final = ("collections", "templates", "reference")
"""The folders of a folder of collections."""


def load_collection(collection_id: str) -> Collection:
    """Read one collection.

    Raises:
        SetupError: there is no such file, or it does not say what a collection must say.
    """
    files = collection_files()
    if collection_id not in files:
        is_set = os.environ.get("MUSTER_COLLECTION") == collection_id
        named = ", which MUSTER_COLLECTION names" if is_set else ""
        raise SetupError(
            f"no collection {collection_id!r}{named}; there are: {', '.join(sorted(files))}."
            f" {outside_hint()} Add {collection_id}.toml to its collections/, or name one of these."
        )
    path = files[collection_id]
    return read_collection(path, sound=path.parent == COLLECTIONS)


def sound_collections() -> list[Collection]:
    """Return every collection whose file is sound, in the order of their ids.

    A draft that is broken harms no other: whoever asks for it by its id is told what is wrong.
    """
    found = []
    for collection_id in sorted(collection_files()):
        with suppress(SetupError):
            found.append(load_collection(collection_id))
    return found


def misnamed_folder() -> str:
    """Return what to do where MUSTER_COLLECTIONS names no folder, else nothing."""
    folder = outside()
    wrong = folder is not None and not folder.is_dir()
    return f"{outside_hint()} Correct the setting, or mount what is to be there." if wrong else ""


def usual_collection() -> str:
    """Return the collection that a command without --collection works on.

    That is the one that MUSTER_COLLECTION names, else the one whose window is open today, else the
    one that closes last.

    Raises:
        SetupError: a collection file does not say what it must say, or the folder of them is not
            there: the one that is meant, perhaps.
    """
    if named := os.environ.get("MUSTER_COLLECTION"):
        return named
    try:
        if said := misnamed_folder():
            raise SetupError(said)
        known = [load_collection(collection_id) for collection_id in collection_files()]
    except SetupError as error:
        named = "Until then name the collection that you mean: --collection ID."
        raise SetupError(f"{error} {named}") from error
    now = datetime.now(UTC)
    there = [each for each in known if each.is_open(each.day_of(now))] or known
    return max(there, key=lambda each: (each.window[1], each.id)).id


def command(words: str, collection_id: str, *, kept: bool = False) -> str:
    """Return a command as somebody types it who means a collection, such as `explain INV-01`.

    Args:
        words: the command and what follows it.
        collection_id: the collection; it is named where a command without it means another.
        kept: whether the text is kept, as a page of a release is, and must not change with the
            day: then the collection is always named.
    """
    return f"muster {words}{_option(collection_id, kept=kept)}"


def addressed(text: str, collection_id: str, *, kept: bool = False) -> str:
    """Return a text whose commands name the collection where without it they mean another.

    With `kept` they always do, as in `command`.
    """
    return _COMMAND.sub(lambda found: found[0] + _option(collection_id, kept=kept), text)


def _option(collection_id: str, *, kept: bool = False) -> str:
    try:
        usual = None if kept else usual_collection()
    except SetupError:  # a broken draft: what a command would choose, it cannot tell either
        usual = None
    return "" if usual == collection_id else f" --collection {collection_id}"


def no_more(force_code: str | None, collection: Collection) -> str | None:
    """Return in words that a force was no more at the census, None of any other code."""
    if not (ended := collection.ended(force_code or "")):
        return None
    day, successor = ended
    by = f"; {successor} sends its return" if successor else ""
    return f"the force {force_code!r} ended on {day}, before the census{by}"


_COMMAND: Final = re.compile(
    r"\bmuster (?>releases (?:verify|compare|go-back|push|prune)|releases|run|check|template|status"
    r"|feedback|queries|answer|versions|reconcile|explain|cases)\b(?! --collection)"
)
"""Each command that works on a collection: the option may stand right after it."""


def description(collection_id: str) -> dict[str, bytes]:
    """Return the files that say what a collection is, by their paths in a folder of collections.

    They are the collection, those it is compared with, its template, the forces it knows and the
    publication it is held against: what `read_collection` reads when our own have changed.

    Raises:
        SetupError: the collection is none.
    """
    collection = load_collection(collection_id)
    template = collection.template.path
    earlier = [one.collection for one in collection.comparators.values() if one.collection]
    found = {
        **{f"collections/{name}.toml": collection_files()[name] for name in earlier},
        f"collections/{collection_id}.toml": collection_files()[collection_id],
        f"templates/{template.name}": template,
        **{f"reference/{name}": collection.reference(name) for name in collection.reference_files},
    }
    forces = all_forces(collection.root).write_csv().encode()
    return {name: path.read_bytes() for name, path in found.items()} | {
        "reference/forces.csv": forces
    }


@cache
def read_collection(path: Path, *, sound: bool = False) -> Collection:
    """Read a collection file; what it names is looked for beside it, then among our own.

    Args:
        path: the file.
        sound: whether it has been found to be, as one that a release keeps, or one of our own, by
            the tests: then it is not held to the rules of today once more.

    Raises:
        SetupError: it does not say what a collection must say.
    """
    inside = path.parent.name == "collections" and path.parent != outside()
    root = path.parent.parent if inside else path.parent
    data, text = read_toml(path)
    refuse_other(path, data, "collection")
    noted = Reading(root, sound)
    collection, faults, unsure = examined(Collection, data, noted)
    unsure |= noted.unsure
    unsure.names |= noted.unsure.names
    if (named := collection.id if collection else data.get("id")) != path.stem and not unsure.has(
        "id"
    ):
        said = f"says {named!r}" if isinstance(named, str) else "gives no name in quotes"
        fits = isinstance(named, str) and not re.fullmatch(ID, path.stem)
        advice = f"call the file {named}.toml" if fits else "the id must be the file's name"
        faults.append((("id",), f"{said}; {advice}"))
        unsure.add(("id",))
    if not sound:
        faults += [*(collection_faults(collection, unsure) if collection else ()), *unshown(data)]
    if collection is None or faults or noted.faults:
        raise DescriptionError(path, text, "collection", [*faults, *noted.faults], collection)
    return collection
