"""Writes blank returns, with the cover prefilled for a force."""

from collections.abc import Sequence
from pathlib import Path

from assets.lake import write_errors
from assets.template.workbook import write_workbook
from schemas.collection import Collection
from schemas.errors import SetupError


def write_blanks(folder: Path, collection: Collection, forces: Sequence[str] = ()) -> list[Path]:
    """Write one blank workbook a force, of those given or of all the collection expects.

    Raises:
        SetupError: a code is not that of a force the collection expects.
        LakeError: the folder cannot be written.
    """
    unknown = sorted(set(forces) - set(collection.forces))
    if unknown:
        raise SetupError(
            f"not forces of collection {collection.id}: {', '.join(unknown)}. It expects"
            f" {', '.join(collection.forces)}."
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
