"""Analysts who use R read the same figures; run by make test-r, which needs R itself."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest

import muster
from tests.pipelines.conftest import Demo

SCRIPT = Path(__file__).parents[2] / "examples" / "release.R"


@pytest.mark.r
def test_the_example_in_r_finds_the_national_totals(demo: Demo) -> None:
    release = muster.open(demo.lake)
    rscript = shutil.which("Rscript")
    assert rscript, "Rscript is needed: Debian's package r-base-core"
    command = [rscript, "--vanilla", SCRIPT, release.folder]
    said = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    whole = {"measure": "investigations", "breakdown": "", "period": "collection"}
    expected = release.table("national_totals").filter(**whole)["value"].item()
    found = re.findall(r"^(?:investigations|of all \w+): (\d+)", said, flags=re.MULTILINE)
    assert [int(each) for each in found] == [expected] * 3
    assert "South East" in said
