"""Dagster's own storage: beside the lake, so that the UI shows runs from the command line too."""

import os
from pathlib import Path
from typing import Final

import dagster as dg

from assets.lake import atomic_file, lake_root

_SETTINGS: Final = """\
# Written by Muster where there was none. Nothing is reported to anyone, and nobody is asked to.
telemetry:
  enabled: false
nux:
  enabled: false
"""


def dagster_home() -> Path:
    """Return DAGSTER_HOME, or the folder `dagster` in the lake, with its settings in place.

    Raises:
        LakeError: the folder cannot be written.
    """
    home = Path(os.environ.get("DAGSTER_HOME") or lake_root() / "dagster").absolute()
    settings = home / "dagster.yaml"
    if not settings.exists():
        with atomic_file(settings) as file:
            file.write(_SETTINGS.encode())
    return home


def open_instance() -> dg.DagsterInstance:
    """Return the instance that keeps runs and events."""
    home = dagster_home()
    os.environ["DAGSTER_HOME"] = str(home)
    return dg.DagsterInstance.from_config(str(home))


if __name__ == "__main__":
    print(dagster_home())  # noqa: T201 - for the Makefile
