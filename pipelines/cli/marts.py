"""Reads a mart of the live release for a command."""

import polars as pl

from assets.lake import Lake, lake_root
from schemas.collection import load_collection
from schemas.errors import LakeError


def read_mart(collection_id: str, name: str) -> pl.DataFrame:
    """Return a mart of the release that analysts see.

    Raises:
        SetupError: there is no such collection.
        LakeError: nothing has been published yet.
    """
    load_collection(collection_id)
    marts = Lake(lake_root(), collection_id).marts
    if not marts.exists():
        raise LakeError(marts, "shows no release yet", "Drop returns in landing and: muster run")
    return pl.read_parquet(marts.resolve() / f"{name}.parquet")
