from pathlib import Path

import pytest

from schemas.collection import Collection
from tests.research.files import Folder


@pytest.fixture
def folder(tmp_path: Path, collection: Collection) -> Folder:
    """An empty research folder in a fresh lake."""
    return Folder.new(tmp_path, collection)
