"""The sample research as files that a test can change and drop."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import polars as pl

from assets.inputs.research.store import Research, read_research
from assets.lake import Lake
from assets.sample.research import sample_research
from schemas.collection import Collection, load_collection

PROFILES = "social_media_profiles.csv"
INSTANCES = "social_media_instances.csv"
SURVEY = "survey_responses.csv"

SHORT = 70
"""Rows of the short survey: seven answers of each of ten respondents."""


@cache
def _sample(collection_id: str) -> dict[str, str]:
    return sample_research(load_collection(collection_id))


@dataclass(frozen=True)
class Folder:
    """A lake whose research folder is filled by hand."""

    lake: Lake
    collection: Collection

    @classmethod
    def new(cls, root: Path, collection: Collection) -> "Folder":
        folder = cls(Lake(root, collection.id), collection)
        folder.lake.research.mkdir(parents=True)
        return folder

    def text(self, name: str) -> str:
        return _sample(self.collection.id)[name]

    def short_text(self, name: str) -> str:
        """The headings and the first whole respondents, forces or years; quick to read."""
        return "".join(self.text(name).splitlines(keepends=True)[: 1 + SHORT])

    def drop(self, *names: str) -> "Folder":
        """Drop files of the sample as they are."""
        for name in names:
            self.write(name, self.text(name))
        return self

    def write(self, name: str, text: str | bytes) -> None:
        path = self.lake.research / name
        path.write_bytes(text if isinstance(text, bytes) else text.encode())

    def change(self, name: str, change: Callable[[pl.DataFrame], pl.DataFrame]) -> None:
        """Drop a file of the sample, a survey in short, with its table changed; all is text."""
        text = self.short_text(name) if name == SURVEY else self.text(name)
        table = pl.read_csv(text.encode(), infer_schema=False)
        self.write(name, change(table).write_csv())

    def read(self) -> Research:
        return read_research(self.lake, self.collection)

    def problems(self) -> list[tuple[str, int | None, str | None, str]]:
        """Return file, row, column and what was expected of each problem."""
        expected = pl.col("message").str.split("; expected ").list.last()
        found = self.read().problems.with_columns(expected=expected)
        return found.select("file_name", "row", "column_name", "expected").rows()
