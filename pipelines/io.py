"""How tables pass between assets: Parquet files in the lake, written whole or not at all."""

import shutil
from pathlib import Path

import dagster as dg
import polars as pl

from assets.declare import retried
from assets.lake import Lake, atomic_file
from assets.validation.standing import read_table


class ParquetTables(dg.IOManager):
    """Writes each table to `work/<collection>/<stage>/<table>.parquet`."""

    def __init__(self, root: Path) -> None:
        self._root = root

    def _path(self, context: dg.OutputContext | dg.InputContext) -> Path:
        stage, name = context.asset_key.path
        # Of the run: a check of an asset has no partition of its own.
        return Lake(self._root, context.partition_key).table(stage, name)

    def handle_output(self, context: dg.OutputContext, obj: pl.DataFrame) -> None:
        """Write a table and tell Dagster its size.

        Raises:
            LakeError: the lake cannot be written.
        """
        path = self._path(context)
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path)  # what is below work/ is made anew, whatever has become of it
        with retried(), atomic_file(path) as file:
            obj.write_parquet(file)
        context.add_output_metadata(
            {"dagster/row_count": obj.height, "path": dg.MetadataValue.path(path)}
        )

    def load_input(self, context: dg.InputContext) -> pl.DataFrame:
        """Read a table that an earlier asset wrote.

        Raises:
            LakeError: it is not there or cannot be read.
        """
        return read_table(self._path(context))
