"""Writes a mart as a Parquet file that explains itself.

Belongs here: the bytes of one file. The same frame and facts give the same bytes.
"""

from collections.abc import Mapping
from typing import IO

import polars as pl
import pyarrow.parquet

from schemas.contract import (
    CONTRACT_VERSION,
    Contract,
    arrow_schema,
    conform,
    description,
    keys,
)


def write_mart(
    file: IO[bytes], name: str, contract: Contract, frame: pl.DataFrame, about: Mapping[str, str]
) -> None:
    """Write a mart with the description and unit of every column, and facts about the file.

    Raises:
        ContractError: the frame is not what the contract says.
    """
    metadata = {
        "mart": name,
        "description": description(contract),
        "keys": ",".join(keys(contract)),
        "contract_version": CONTRACT_VERSION,
        **about,
    }
    schema = arrow_schema(contract).with_metadata(metadata)
    table = conform(contract, frame).to_arrow().cast(schema)
    pyarrow.parquet.write_table(table, file, compression="zstd")
