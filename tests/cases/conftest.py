"""What the tests of case-level extracts start from besides."""

import pytest

from schemas.collection import Collection


@pytest.fixture(scope="session")
def few(collection: Collection) -> Collection:
    """The collection with eleven forces: what is held of 44 is held of these, in a quarter."""
    forces = tuple(
        force
        for number, force in enumerate(collection.forces)
        if not number % 5 or force in {"DER", "STF", "WMP"}
    )
    return collection.model_copy(update={"forces": forces})
