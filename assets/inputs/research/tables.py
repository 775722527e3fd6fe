"""The research in use as frames: what everything about research is made of."""

from dataclasses import dataclass

import polars as pl

from schemas.contract import empty
from schemas.research import InstancesInUse, ProfilesInUse, ResponsesInUse


@dataclass(frozen=True)
class ResearchTables:
    """Tables ProfilesInUse, InstancesInUse and ResponsesInUse; empty where none was received."""

    profiles: pl.DataFrame
    instances: pl.DataFrame
    responses: pl.DataFrame


def no_research() -> ResearchTables:
    """Return the tables of a collection without any research."""
    return ResearchTables(empty(ProfilesInUse), empty(InstancesInUse), empty(ResponsesInUse))
