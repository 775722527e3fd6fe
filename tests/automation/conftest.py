"""A lake with a landing folder, and a clock that a test turns by hand."""

import os
from pathlib import Path

import pytest

from assets.lake import Lake
from schemas.collection import Collection


@pytest.fixture
def lake(tmp_path: Path, collection: Collection, monkeypatch: pytest.MonkeyPatch) -> Lake:
    for name in ("DAGSTER_HOME", "MUSTER_COLLECTIONS", "MUSTER_AUTOMATION"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("MUSTER_LAKE", str(tmp_path))
    found = Lake(tmp_path, collection.id)
    found.landing.mkdir(parents=True)
    return found


def drop(folder: Path, name: str, content: str, *, at: int = 1_000_000) -> Path:
    """Drop a file as it would look with a time of change of our own."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / name
    path.write_text(content)
    os.utime(path, (at, at))
    return path
