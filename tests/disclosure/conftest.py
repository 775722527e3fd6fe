from collections.abc import Callable

import polars as pl
import pytest

from assets.disclosure.edition import PublicEdition, public_edition
from assets.inputs.research.tables import ResearchTables
from schemas.collection import Collection, load_collection
from tests.disclosure.marts import Marts, marts_of
from tests.test_structure import ROOT

SOME = ["AVS", "DER", "GMP", "HAM", "LAN", "LIN", "STF", "WMP"]
"""Enough forces for an edition where the collection asks for few, and one is made in a moment."""

Change = Callable[..., Collection]


@pytest.fixture(scope="session")
def collection() -> Collection:
    """The collection, with an edition of few forces, and another one where few have changed."""
    whole = load_collection("2012-revisit")
    assert whole.disclosure is not None
    few = whole.disclosure.model_copy(update={"fewest_forces": 6, "least_changed": 4})
    return whole.model_copy(update={"disclosure": few})


@pytest.fixture(scope="session")
def some(live: pl.DataFrame, collection: Collection) -> Marts:
    """The marts of eight sample returns; the other forces are missing."""
    return marts_of(live.filter(pl.col("force_code").is_in(SOME)), collection)


@pytest.fixture(scope="session")
def edition(some: Marts, collection: Collection) -> PublicEdition:
    """The public edition of eight returns."""
    return public_edition(some, collection)


@pytest.fixture(scope="session")
def marts(live: pl.DataFrame, collection: Collection, research: ResearchTables) -> Marts:
    """The marts of the 44 sample returns and the sample research."""
    return marts_of(live, collection, research)


@pytest.fixture
def with_settings(collection: Collection) -> Change:
    """Return a function that gives the collection with other settings of its public edition."""

    def change(**changes: object) -> Collection:
        assert collection.disclosure is not None
        settings = collection.disclosure.model_copy(update=changes)
        return collection.model_copy(update={"disclosure": settings})

    return change


@pytest.fixture
def following(monkeypatch: pytest.MonkeyPatch) -> Collection:
    """The example of the next collection, whose returns repeat what they counted in this one."""
    monkeypatch.setenv("MUSTER_COLLECTIONS", str(ROOT / "examples"))
    whole = load_collection("2013-revisit")
    assert whole.disclosure is not None
    few = whole.disclosure.model_copy(update={"fewest_forces": 6})
    return whole.model_copy(update={"disclosure": few})
