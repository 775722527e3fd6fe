"""Makes a release complete in a folder of its own, then shows it to analysts in one rename.

Belongs here: the folder, the manifest, the swap. Until the swap nothing an analyst sees changes,
and a run that dies on the way leaves the last release in place.
"""

import hashlib
import json
import os
import shutil
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any, Final

import polars as pl

from assets.lake import Lake, atomic_file, sync_folder, write_errors
from assets.release.identity import Ingredients
from assets.release.parquet import write_mart
from schemas.errors import LakeError
from schemas.marts.catalogue import MARTS

MANIFEST: Final = "manifest.json"
_SOURCES: Final = (
    "returns of the forces in this collection; published figures: HMIC, Revisiting police"
    " relationships, December 2012"
)
_RECONSTRUCTED: Final = (
    "reconstructed: these returns were made by Muster so that the published totals hold; no force"
    " sent them"
)


def publish(lake: Lake, marts: Mapping[str, pl.DataFrame], made_from: Ingredients) -> Path:
    """Write the marts as a release and let `marts/<collection>` show it.

    Returns:
        The folder of the release.

    Raises:
        ContractError: a mart is not what its contract says.
        LakeError: the lake cannot be written; the last release stays in place.
    """
    folder = lake.releases / made_from.release_id
    partial = lake.releases / f".{made_from.release_id}.partial"
    with write_errors(lake.releases):
        shutil.rmtree(partial, ignore_errors=True)
        partial.mkdir(parents=True)
    try:
        _write(partial, marts, made_from)
        if folder.exists():
            _require_same(partial, folder)
        else:
            with write_errors(folder):
                partial.rename(folder)
                sync_folder(lake.releases)
    finally:
        shutil.rmtree(partial, ignore_errors=True)
    show(lake, folder)
    return folder


def show(lake: Lake, folder: Path) -> None:
    """Let `marts/<collection>` show a release: one rename of a link.

    Raises:
        LakeError: the link cannot be written.
    """
    link = lake.marts
    with write_errors(link):
        link.parent.mkdir(parents=True, exist_ok=True)
        fresh = link.with_name(f".{link.name}.partial")
        fresh.unlink(missing_ok=True)
        fresh.symlink_to(os.path.relpath(folder, link.parent))
        fresh.replace(link)
        sync_folder(link.parent)


def _write(folder: Path, marts: Mapping[str, pl.DataFrame], made_from: Ingredients) -> None:
    about = {
        "release": made_from.release_id,
        "collection": made_from.collection,
        "sources": _SOURCES,
        "basis": _basis(marts),
    }
    hashes = {}
    for name, contract in MARTS.items():
        path = folder / f"{name}.parquet"
        with atomic_file(path) as file:
            write_mart(file, name, contract, marts[name], about)
        hashes[path.name] = hashlib.sha256(path.read_bytes()).hexdigest()
    manifest: dict[str, Any] = {**about, "made_from": asdict(made_from), "files": hashes}
    with atomic_file(folder / MANIFEST) as file:
        file.write(json.dumps(manifest, indent=1, sort_keys=True).encode())


def _basis(marts: Mapping[str, pl.DataFrame]) -> str:
    bases = set(marts["investigations"]["basis"])
    return _RECONSTRUCTED if "reconstructed" in bases else ", ".join(sorted(bases)) or "none"


def _require_same(made: Path, kept: Path) -> None:
    """A release of that name exists: the same ingredients must have given the same files."""
    mine, theirs = ((folder / MANIFEST).read_bytes() for folder in (made, kept))
    if mine != theirs:
        raise LakeError(
            kept,
            "exists with other content than the same returns give now (were receipts written"
            " anew?)",
            "Move that folder away if it is not needed, then run again.",
        )
