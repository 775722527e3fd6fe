"""Writes blank returns, with the cover prefilled for a force."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

from assets.lake import Lake, write_errors
from assets.previous import earlier_releases, previous_values
from assets.returns.template.workbook import EarlierValues, Values, spelt, write_workbook
from schemas.collection import Collection
from schemas.errors import SetupError
from schemas.reference import forces_at
from schemas.template import Place

_VALUES: Final = ("sheet", "row_code", "column_code", "value")


def write_blanks(
    folder: Path,
    collection: Collection,
    forces: Sequence[str] = (),
    earlier: Mapping[str, EarlierValues] | None = None,
) -> list[Path]:
    """Write one blank workbook a force, of those given or of all the collection expects.

    Args:
        folder: made if it is not there.
        collection: the collection.
        forces: codes of the forces, none for all.
        earlier: what to show beside the entries of each force, as `earlier_values` returns it.

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
    paths = []
    with write_errors(folder):
        folder.mkdir(parents=True, exist_ok=True)
        for force_code in forces or collection.forces:
            path = folder / f"{force_code}.xlsx"
            values = prefilled(collection, force_code, "submitted")
            before = (earlier or {}).get(force_code)
            write_workbook(path, collection.template, collection, values, before)
            paths.append(path)
    return paths


def prefilled(collection: Collection, force_code: str, basis: str) -> dict[Place, str]:
    """Return what stands on the cover before anybody fills it."""
    cover = {
        "template": collection.template.name,
        "template_version": str(collection.template.version),
        "collection": collection.id,
        "force_code": force_code,
        "force_name": collection.bodies.filter(force_code=force_code)["full_name"].item(),
        "basis": basis,
    }
    return {("cover", code, "value"): text for code, text in cover.items()}


def earlier_values(lake: Lake, collection: Collection) -> Mapping[str, EarlierValues]:
    """Return what each force told in the released collections before.

    Raises:
        LakeError: a release cannot be read.
    """
    told = previous_values(lake, collection).drop_nulls()
    found: dict[str, dict[str, Values]] = {}
    for (force_code, name), rows in told.partition_by(
        "force_code", "collection", as_dict=True, maintain_order=True
    ).items():
        period = earlier_releases(lake, collection)[str(name)].collection.period
        values = {tuple(place): value for *place, value in rows.select(_VALUES).iter_rows()}
        found.setdefault(str(force_code), {})[f"{name}, {spelt(period)}"] = values
    return found


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
