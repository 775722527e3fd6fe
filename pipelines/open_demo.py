"""A demonstration whose window is open today: the sample of 2012 under an id and dates of its own.

The schedules of 2012 skip, because that window closed long ago; those of this collection do not.
Everything in it is reconstructed, and its title says so.
"""

import os
import re
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Final

from assets.lake import Lake, atomic_file, lake_root
from assets.sample.write import write_research, write_sample
from schemas.collection import load_collection
from schemas.reference import COLLECTIONS

ID: Final = "demo-open"
_OF: Final = "2012-revisit"
_OPEN: Final = timedelta(days=14)

_HEAD: Final = """\
# Written by Muster: a demonstration for `make dev`. The returns of it are reconstructed; nobody
# collects anything. It is the collection of 2012 with a window that is open on {today}.

"""


def open_collection(folder: Path, today: date) -> Path:
    """Write the collection file of the demonstration, open on a day, to a folder; return its path.

    Raises:
        UnavailableError: the folder cannot be written.
    """
    text = (COLLECTIONS / f"{_OF}.toml").read_text(encoding="utf-8")
    soft, hard = today + _OPEN, today + 2 * _OPEN
    replaced = {
        r"(?m)^id = .*$": f'id = "{ID}"',
        r"(?m)^title = .*$": 'title = "Demonstration with an open window (reconstructed)"',
        r"(?m)^soft = .*$": f"soft = {soft}",
        r"(?m)^hard = .*$": f"hard = {hard}",
        # It repeats that of 2012, and so is held against what was printed about it.
        r"(?m)^\[published\]$": f'[published]\ncollection = "{_OF}"',
        r"(?m)^\[running\]$": f"[running]\nopens = {today - _OPEN}",
        # What was printed about 2012 exempts nothing of another collection.
        r"(?ms)^\[\[disclosure\.exempt\]\]$.*?(?=^\[|\Z)": "",
    }
    for pattern, new in replaced.items():
        text = re.sub(pattern, new, text)
    path = folder / f"{ID}.toml"
    with atomic_file(path) as file:
        file.write((_HEAD.format(today=today) + text).encode())
    return path


def demonstration() -> None:
    """Write the demonstration and its returns into the lake, and name it as MUSTER_COLLECTIONS.

    Raises:
        UnavailableError: the lake cannot be written.
    """
    folder = lake_root() / "collections"
    open_collection(folder, datetime.now(UTC).date())
    os.environ["MUSTER_COLLECTIONS"] = str(folder)
    collection = load_collection(ID)
    lake = Lake(lake_root(), ID)
    if not lake.landing.exists():
        write_sample(lake.landing, collection)
        write_research(lake.research, collection)
