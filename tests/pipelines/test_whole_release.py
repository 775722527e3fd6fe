"""A release with every part: made of the demo's returns, twice, to the same bytes."""

from pathlib import Path
from typing import Any

import pytest

from assets.disclosure import edition
from assets.disclosure.choose import Choice, choose
from assets.disclosure.counts import Block
from assets.lake import Lake, hashes
from assets.marts import read_manifest
from assets.release.contents import DISCLOSURE, PUBLIC, QUALITY
from assets.release.gate.process import Gate
from assets.release.pages.drawn import REPORT, SUMMARY, drawn
from tests.pipelines.conftest import invoke
from tests.pipelines.test_pack import validate_package

TIMED = {"returns_status.parquet", "returns_status.csv", "muster.duckdb"}
"""What tells when a return was received."""


def _of_few(block: Block, *how: Any) -> Choice:
    assert len(block.counts) < 1000
    return choose(block, *how)


@pytest.mark.slow
@pytest.mark.usefixtures("every_part")
def test_the_same_returns_make_the_same_release_in_another_lake(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("DAGSTER_HOME", raising=False)
    releases = []
    for name in ("one", "other"):
        with monkeypatch.context() as patch:
            if name == "one":  # the gate's process has chosen of most counts
                patch.setattr(edition, "choose", _of_few)
            else:  # that, and what its pages are, is done here
                patch.setattr(Gate, "choose_ahead", lambda *_: None)
                patch.setattr(Gate, "draw", lambda _, of: lambda: drawn(of))
            assert invoke(tmp_path / name, "demo").exit_code == 0
        releases.append(Lake(tmp_path / name, "2012-revisit").marts.resolve())
    one, other = map(hashes, releases)
    assert one.keys() == other.keys()
    assert {name for name in one if one[name] != other[name]} <= TIMED
    for part in (QUALITY, REPORT, PUBLIC, DISCLOSURE):
        assert any(name.startswith(f"{part}/") for name in one), part
    assert SUMMARY in one
    for folder in (releases[0], releases[0] / PUBLIC):
        validate_package(folder)
    found = read_manifest(releases[0])["found"]
    assert found["expectations"]["blocking"] == 0
    assert found["public"]["withheld"] is None
    assert releases[0].name == releases[1].name
