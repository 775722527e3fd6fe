"""What the assets are given to work with: the lake, held for one run at a time."""

from collections.abc import Iterator
from pathlib import Path

import dagster as dg

from assets.lake import held, lake_root
from pipelines.io import ParquetTables


@dg.resource(description="The root of the lake; the lake is held while a run has this.")
def lake(_: dg.InitResourceContext) -> Iterator[Path]:
    """Yield the root of the lake.

    The lock is a resource so that every run has it, whoever started it.
    """
    root = lake_root()
    with held(root):
        yield root


@dg.io_manager(description="Parquet tables in the lake.")
def tables(_: dg.InitResourceContext) -> ParquetTables:
    """Return the reader and writer of the tables between assets."""
    return ParquetTables(lake_root())


class Nothing(dg.IOManager):
    """For an asset that has written its own output."""

    def handle_output(self, context: dg.OutputContext, obj: object) -> None:
        """Keep nothing."""

    def load_input(self, context: dg.InputContext) -> None:
        """Give nothing."""


RESOURCES = {"lake_root": lake, "io_manager": tables, "nothing": Nothing()}
