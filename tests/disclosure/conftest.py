from collections.abc import Callable

import polars as pl
import pytest

from assets.disclosure.edition import PublicEdition, public_edition
from assets.research.tables import ResearchTables
from schemas.collection import Collection
from tests.disclosure.marts import Marts, marts_of

SOME = ["AVS", "BED", "BTP", "CAM", "CHS", "DER", "GMP", "LIN", "MPS", "STF", "TVP", "WMC"]
"""Forces large and small: enough for an edition, and few enough to attack one in a moment."""

Change = Callable[..., Collection]


@pytest.fixture(scope="session")
def some(live: pl.DataFrame, collection: Collection) -> Marts:
    """The marts of twelve sample returns; the other forces are missing."""
    return marts_of(live.filter(pl.col("force_code").is_in(SOME)), collection)


@pytest.fixture(scope="session")
def edition(some: Marts, collection: Collection) -> PublicEdition:
    """The public edition of twelve returns."""
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
