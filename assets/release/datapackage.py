"""`datapackage.json`: what is in a release, for tools that read Frictionless data packages.

Belongs here: the description, derived from the contracts. Format: Data Package, version 1
(specs.frictionlessdata.io).
"""

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from assets.lake import atomic_file
from schemas.contract import CONTRACT_VERSION, Contract, columns, description, keys

_TYPES: Final = {
    "string": "string", "int64": "integer", "float64": "number", "bool": "boolean", "date": "date",
}  # fmt: skip


def write_datapackage(
    folder: Path, about: Mapping[str, str], contracts: Mapping[str, Contract]
) -> None:
    """Describe the marts that stand in a folder."""
    package = {
        "profile": "data-package",
        "name": about["release"],
        "title": f"Marts of the collection {about['collection']}",
        "version": CONTRACT_VERSION,
        "description": f"Basis: {about['basis']}",
        "sources": [{"title": about["sources"]}],
        "resources": [_resource(folder, name, contract) for name, contract in contracts.items()],
    }
    with atomic_file(folder / "datapackage.json") as file:
        file.write(json.dumps(package, indent=1).encode())


def _resource(folder: Path, name: str, contract: Contract) -> dict[str, Any]:
    content = (folder / f"{name}.parquet").read_bytes()
    return {
        "name": name,
        "path": f"{name}.parquet",
        "format": "parquet",
        "mediatype": "application/vnd.apache.parquet",
        "bytes": len(content),
        "hash": f"sha256:{hashlib.sha256(content).hexdigest()}",
        "description": description(contract),
        "schema": {
            "fields": [
                {
                    "name": column.name,
                    "type": _TYPES[column.type_name],
                    "description": column.description,
                    "unit": column.unit,
                    "constraints": {"required": not column.nullable},
                }
                for column in columns(contract)
            ],
            "primaryKey": keys(contract),
        },
    }
