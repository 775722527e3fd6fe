"""A small lake with two receipts and a release, made without a run."""

from collections.abc import Callable
from pathlib import Path

import pytest

from assets.intake.raw_store import RawStore
from assets.lake import Lake
from assets.marts import write_manifest
from schemas.collection import Collection
from tests.returns import SampleReturn

RELEASE = "2012-revisit-aaaaaaaaaaaa"


@pytest.fixture
def lake(
    tmp_path: Path,
    collection: Collection,
    sample: Callable[[str], SampleReturn],
    monkeypatch: pytest.MonkeyPatch,
) -> Lake:
    for name in ("DAGSTER_HOME", "MUSTER_COLLECTIONS", "MUSTER_AUTOMATION", "MUSTER_ALERT_URLS"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("MUSTER_LAKE", str(tmp_path / "lake"))
    made = Lake(tmp_path / "lake", collection.id)
    made.landing.mkdir(parents=True)
    paths = [sample("STF").write(made.landing / "STF.xlsx"), made.landing / "note.xlsx"]
    paths[1].write_text("no workbook")
    RawStore(made).take_in(paths, collection)
    release = made.releases / RELEASE
    release.mkdir(parents=True)
    (release / "findings.parquet").write_text("not looked into")
    write_manifest(release, {"release": RELEASE, "made_from": {"live": []}})
    made.marts.parent.mkdir(parents=True)
    made.marts.symlink_to(Path("..") / "releases" / collection.id / RELEASE)
    return made
