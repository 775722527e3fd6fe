"""The files of a release: marts that explain themselves, and the manifest that holds them."""

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, Final

import polars as pl

from assets.lake import MANIFEST, atomic_file, hashes
from schemas.conform import conform
from schemas.contract import CONTRACT_VERSION, Contract, keys
from schemas.errors import LakeError
from schemas.template import Template

if TYPE_CHECKING:
    import pyarrow

DESCRIPTION: Final = "description"
"""The folder of a release that says what its collection is, as a folder of collections does."""

_PAIR: Final = 2
_REMEDY: Final = (
    "Take the release back from a backup; or move its folder away, and muster run makes it anew"
    " from the same receipts. Until then: muster releases go-back."
)


def arrow_schema(contract: Contract) -> "pyarrow.Schema":
    """Return the Arrow schema of a contract, each field with its description and unit."""
    import pyarrow  # noqa: PLC0415 (whoever only reads a mart would wait for it)

    types: dict[Any, pyarrow.DataType] = {
        pl.String: pyarrow.string(),
        pl.Int64: pyarrow.int64(),
        pl.Float64: pyarrow.float64(),
        pl.Boolean: pyarrow.bool_(),
        pl.Date: pyarrow.date32(),
    }
    return pyarrow.schema(
        pyarrow.field(
            column.name,
            types[column.dtype],
            nullable=column.nullable,
            metadata={"description": column.description, "unit": column.unit},
        )
        for column in contract.columns
    )


def write_mart(
    file: IO[bytes],
    name: str,
    contract: Contract,
    frame: pl.DataFrame,
    about: Mapping[str, str],
    template: Template | None = None,
) -> None:
    """Write a mart with the description and unit of every column, and facts about the file.

    The same frame and facts give the same bytes.

    Raises:
        ContractError: the frame is not what the contract says.
    """
    metadata = {
        "mart": name,
        "description": contract.about,
        "keys": ",".join(keys(contract)),
        "contract_version": CONTRACT_VERSION,
        **about,
    }
    import pyarrow.parquet  # noqa: PLC0415

    schema = arrow_schema(contract)
    schema = schema.with_metadata({**metadata, "pandas": _for_pandas(schema)})
    table = conform(contract, frame, template).to_arrow().cast(schema)
    pyarrow.parquet.write_table(table, file, compression="zstd")


_OF_PANDAS: Final = {"int64": "Int64", "bool": "boolean"}
"""Types of columns whose unknown values pandas would otherwise read as fractions, or as objects."""


def _for_pandas(schema: "pyarrow.Schema") -> str:
    """Return what pandas reads a table by, so that a count stays a whole number beside unknowns."""
    columns = [
        {"name": field.name, "field_name": field.name, "pandas_type": str(field.type),
         "numpy_type": _OF_PANDAS.get(str(field.type), "object"), "metadata": None}
        for field in schema
    ]  # fmt: skip
    about = {"index_columns": [], "column_indexes": [], "pandas_version": "3.0.0"}
    return json.dumps({**about, "columns": columns})


def write_manifest(folder: Path, about: Mapping[str, Any]) -> None:
    """Write the manifest of a folder that is complete but for it."""
    manifest = {**about, "files": hashes(folder)}
    with atomic_file(folder / MANIFEST) as file:
        file.write(json.dumps(manifest, indent=1, sort_keys=True).encode())


def read_manifest(folder: Path) -> dict[str, Any]:
    """Return the manifest of a release.

    Raises:
        LakeError: it is missing or cannot be read.
    """
    path = folder / MANIFEST
    try:
        manifest: dict[str, Any] = json.loads(path.read_bytes())
        problem = "" if _whole(manifest) else "it does not say what a manifest says"
    except (OSError, ValueError, RecursionError) as error:
        problem = type(error).__name__
    if problem:
        raise LakeError(path, f"is no readable manifest ({problem})", _REMEDY)
    return manifest


def _whole(manifest: Any) -> bool:
    """Return whether a manifest has what is read of it, each of its kind."""
    if not isinstance(manifest, dict):
        return False
    files, made_from = manifest.get("files"), manifest.get("made_from")
    if not (isinstance(files, dict) and isinstance(made_from, dict)):
        return False
    # What an older version did not write yet is nothing.
    if not isinstance(manifest.setdefault("found", {}), dict):
        return False
    made_from.setdefault("research", [])
    return all(isinstance(sha256, str) for sha256 in files.values()) and all(
        isinstance(made_from.get(name), list)
        and all(isinstance(row, list) and len(row) >= _PAIR for row in made_from[name])
        for name in ("live", "research")
    )


def read_mart(folder: Path, name: str) -> pl.DataFrame:
    """Return a mart of a release.

    Raises:
        LakeError: the release has none of that name, or it is not as it was published.
    """
    path = folder / f"{name}.parquet"
    expected = read_manifest(folder)["files"].get(f"{name}.parquet")
    if expected is None:
        raise LakeError(path, "is not in this release", "muster run makes one that has it.")
    try:
        content = path.read_bytes()
    except OSError as error:
        raise LakeError(path, f"cannot be read ({error.strerror})", _REMEDY) from error
    if hashlib.sha256(content).hexdigest() != expected:
        raise LakeError(path, "is not as it was published", _REMEDY)
    return pl.read_parquet(content)


def damage(folder: Path) -> list[str]:
    """Return every way in which a release is not what its manifest says, in words.

    Raises:
        LakeError: the manifest itself cannot be read.
    """
    expected, found = read_manifest(folder)["files"], hashes(folder)
    return [
        *(f"{name} is missing" for name in sorted(expected.keys() - found)),
        *(f"{name} is not part of it" for name in sorted(found.keys() - expected)),
        *(
            f"{name} has sha256 {found[name][:12]}, not {expected[name][:12]}"
            for name in sorted(expected.keys() & found)
            if expected[name] != found[name]
        ),
    ]
