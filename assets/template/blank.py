"""Writes blank returns, with the cover prefilled for a force."""

from collections.abc import Sequence
from pathlib import Path

from assets.lake import write_errors
from assets.template.workbook import write_workbook
from schemas.collection import Collection
from schemas.errors import SetupError
from schemas.reference import forces_at


def write_blanks(folder: Path, collection: Collection, forces: Sequence[str] = ()) -> list[Path]:
    """Write one blank workbook a force, of those given or of all the collection expects.

    Raises:
        SetupError: a code is not that of a force the collection expects.
        LakeError: the folder cannot be written.
    """
    unknown = sorted(set(forces) - set(collection.forces))
    if unknown:
        raise SetupError(
            f"not forces of collection {collection.id}: {', '.join(unknown)}."
            f"{''.join(_ended(code, collection) for code in unknown)}"
            f" It expects {', '.join(collection.forces)}."
        )
    names = dict(collection.bodies.select("force_code", "full_name").iter_rows())
    paths = []
    with write_errors(folder):
        folder.mkdir(parents=True, exist_ok=True)
        for force_code in forces or collection.forces:
            path = folder / f"{force_code}.xlsx"
            cover = {
                "template": collection.template.name,
                "template_version": str(collection.template.version),
                "collection": collection.id,
                "force_code": force_code,
                "force_name": names[force_code],
                "basis": "submitted",
            }
            values = {("cover", code, "value"): text for code, text in cover.items()}
            write_workbook(path, collection.template, collection, values)
            paths.append(path)
    return paths


def _ended(force_code: str, collection: Collection) -> str:
    """Return when a force ended and whose workbook to ask for instead, "" for any other force."""
    if not (ended := collection.ended(force_code)):
        return ""
    day, successor = ended
    said = f" {force_code} ended on {day}, before the census."
    names = dict(
        forces_at(collection.root, collection.census).select("force_code", "full_name").rows()
    )
    if successor is None:
        return said
    told = f"{names[successor]} ({successor})" if successor in names else successor
    there = f": name {successor} instead." if successor in collection.forces else "."
    return f"{said} {told} succeeds it{there}"
