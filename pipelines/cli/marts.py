"""Reads a mart of the live release for a command."""

import polars as pl

from assets.explain.released import Released
from assets.lake import Lake, lake_root
from schemas.collection import load_collection
from schemas.errors import LakeError


def read_mart(collection_id: str, name: str) -> pl.DataFrame:
    """Return a mart of the release that analysts see.

    Raises:
        SetupError: there is no such collection.
        LakeError: nothing has been published yet.
    """
    return read_release(collection_id).mart(name)


def read_release(collection_id: str) -> Released:
    """Return the release that analysts see; what follows reads one folder, whatever is shown next.

    Raises:
        SetupError: there is no such collection.
        LakeError: nothing has been published yet.
    """
    collection = load_collection(collection_id)
    lake = Lake(lake_root(), collection_id)
    marts = lake.marts
    if not marts.exists():
        raise LakeError(marts, "shows no release yet", "Drop returns in landing and: muster run")
    return Released(marts.resolve(), collection, lake.kept_research)
