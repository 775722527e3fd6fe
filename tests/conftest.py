"""What every test starts from: the collection, the sample returns, a published lake."""

import gc
import os
from collections.abc import Callable
from pathlib import Path

import polars as pl
import pytest

from assets.inputs.research.store import read_research
from assets.inputs.research.tables import ResearchTables
from assets.intake.raw_store import RawStore
from assets.intake.tables import readings, received
from assets.lake import Lake
from assets.returns.validation.judge import judge, received_by_id
from assets.returns.validation.states import Standing, live_entries
from assets.sample.write import write_research, write_sample
from schemas.collection import Collection, load_collection
from tests.returns import SampleReturn

# As the command line does: to look for what can be freed is a tenth of the tests' time.
gc.set_threshold(100_000, 20, 100)

# Readline, where something loads it, tells processes that are begun later of a terminal of 80.
os.environ.pop("COLUMNS", None)


def _not_waiting(fd: int) -> None:
    """Take the place of `os.fsync`; what is forced to the disk, and when, is told to few tests."""
    os.fstat(fd)


os.fsync = _not_waiting  # type: ignore[assignment]


@pytest.fixture(scope="session")
def collection() -> Collection:
    return load_collection("2012-revisit")


@pytest.fixture
def sample(collection: Collection) -> Callable[[str], SampleReturn]:
    """Return a function that gives a force's sample return, to be changed and written."""
    return lambda force_code: SampleReturn.of(force_code, collection)


@pytest.fixture(scope="session")
def sample_folder(tmp_path_factory: pytest.TempPathFactory, collection: Collection) -> Path:
    """The 44 sample returns as files; not to be changed."""
    folder = tmp_path_factory.mktemp("sample")
    write_sample(folder, collection)
    return folder


@pytest.fixture(scope="session")
def live(
    tmp_path_factory: pytest.TempPathFactory, sample_folder: Path, collection: Collection
) -> pl.DataFrame:
    """The live entries of the 44 sample returns, read from their files."""
    lake = Lake(tmp_path_factory.mktemp("lake"), collection.id)
    store = RawStore(lake)
    store.take_in(sorted(sample_folder.iterdir()), collection)
    everything = received(store)
    known = received_by_id(everything.receipts, collection)
    result = judge(readings(lake, everything.receipts), known, collection)
    now = Standing(collection.id, everything.receipts, result.findings, result.entries)
    return live_entries(now.live_returns(), now.entries)


@pytest.fixture(scope="session")
def research(tmp_path_factory: pytest.TempPathFactory, collection: Collection) -> ResearchTables:
    """The sample research, read from its files."""
    lake = Lake(tmp_path_factory.mktemp("research"), collection.id)
    write_research(lake.research, collection)
    return read_research(lake, collection).tables
