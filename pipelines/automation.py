"""What every schedule and sensor has in common: on or off, their names, their tags.

Why a job with sensors and schedules, and no automation conditions: a condition decides for each
asset by what is materialised upstream. What starts a refresh is a file that no asset has made,
and a release is all of it or nothing: one run, from landing to the swap, that holds the lake.
"""

import os
from typing import Final

import dagster as dg

from schemas.collection import Collection
from schemas.errors import SetupError

SWITCH: Final = "MUSTER_AUTOMATION"


def is_on() -> bool:
    """Return whether schedules and sensors start switched on; off where nothing is said.

    Whoever switches one in the UI overrides this for that one.

    Raises:
        SetupError: the setting is neither on nor off.
    """
    said = os.environ.get(SWITCH) or "off"
    if said not in {"on", "off"}:
        raise SetupError(f"{SWITCH} is {said!r}. Set it to on or off.")
    return said == "on"


def sensor_status() -> dg.DefaultSensorStatus:
    """Return how a sensor starts."""
    return dg.DefaultSensorStatus.RUNNING if is_on() else dg.DefaultSensorStatus.STOPPED


def schedule_status() -> dg.DefaultScheduleStatus:
    """Return how a schedule starts."""
    return dg.DefaultScheduleStatus.RUNNING if is_on() else dg.DefaultScheduleStatus.STOPPED


def named(what: str, collection: Collection) -> str:
    """Return the name of a collection's schedule or sensor, in the letters Dagster allows."""
    return f"{what}_{collection.id.replace('-', '_')}"
