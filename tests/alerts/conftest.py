"""A lake of its own for each test, in which nothing has been told."""

from pathlib import Path

import pytest

from assets.lake import Lake


@pytest.fixture
def lake(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Lake:
    root = tmp_path / "lake"
    monkeypatch.setenv("MUSTER_LAKE", str(root))
    for name in ("DAGSTER_HOME", "MUSTER_ALERT_URLS", "MUSTER_UI_URL", "MUSTER_COLLECTIONS"):
        monkeypatch.delenv(name, raising=False)
    return Lake(root, "2012-revisit")
