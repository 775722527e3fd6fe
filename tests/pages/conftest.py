"""Two releases to read: a complete one, and one in which a good deal is missing."""

from pathlib import Path

import polars as pl
import pytest

from assets.inputs.research.tables import ResearchTables
from assets.release.pages.figures import Edition
from schemas.collection import Collection
from schemas.conform import conform
from schemas.contract import empty
from schemas.marts import Findings
from schemas.tables import ReportFigures
from tests.pages.released import ABOUT, Marts, finding, marts_of, write_pages

HOSTILE = "<script>alert(1)</script>"


@pytest.fixture(scope="session")
def whole(live: pl.DataFrame, research: ResearchTables, collection: Collection) -> Marts:
    """A release with all 44 returns and the research."""
    return marts_of(live, collection, research)


@pytest.fixture(scope="session")
def patchy(live: pl.DataFrame, collection: Collection) -> Marts:
    """A release without research: STF missing though it has a report, BED missing without one,
    DER rejected, CAM queried with an answer that is made to break the page."""
    printed = pl.DataFrame(
        [("stf.pdf", "f" * 64, "investigations", "", "STF", 48.0, "count", 12)],
        schema=empty(ReportFigures).schema,
        orient="row",
    )
    states = {"DER": "rejected", "CAM": "queried"}
    there = live.filter(~pl.col("force_code").is_in(["STF", "BED", "DER"])).with_columns(
        provisional=pl.col("force_code") == "CAM"
    )
    found = pl.DataFrame(
        [
            finding("DER", "B", message="no total"),
            finding("CAM", "Q", message=HOSTILE, reason=HOSTILE, accepted_by="A. Second"),
        ],
        schema=empty(Findings).schema,
    )
    return marts_of(there, collection, printed=printed, states=states) | {
        "findings": conform(Findings, found)
    }


@pytest.fixture(scope="session")
def whole_pages(tmp_path_factory: pytest.TempPathFactory, whole: Marts) -> Path:
    folder = tmp_path_factory.mktemp("whole")
    write_pages(folder, Edition(whole, ABOUT))
    return folder


@pytest.fixture(scope="session")
def patchy_pages(tmp_path_factory: pytest.TempPathFactory, patchy: Marts) -> Path:
    folder = tmp_path_factory.mktemp("patchy")
    write_pages(folder, Edition(patchy, ABOUT))
    return folder
