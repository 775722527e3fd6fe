"""How a Dagster asset is declared here: one table, its contract, and nothing written twice."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import dagster as dg
import polars as pl

from assets.lake import state_key
from schemas.contract import Contract, columns, description
from schemas.errors import MusterError, UnforeseenError
from schemas.reference import collection_files

COLLECTIONS: Final = dg.StaticPartitionsDefinition(sorted(collection_files()))
"""Everything is partitioned by collection: one step reads all returns of one collection."""

OWNERS: Final = ["team:data-team"]

RESEARCH: Final = {
    "profiles": "research/social_media_profiles",
    "instances": "research/social_media_instances",
    "responses": "research/survey_responses",
}
"""The inputs of an asset that reads all research, by the names of ResearchTables."""

_RETRIES: Final = 2
_PAUSE: Final = 2


@contextmanager
def retried() -> Iterator[None]:
    """Have a step tried again after an error that can pass; nothing else is tried twice.

    A context, or by `@retried()` around the body of an asset.
    """
    try:
        yield
    except (MusterError, OSError) as error:
        if isinstance(error, MusterError) and error.permanent:
            raise error from None  # Dagster keeps causes for good, and one could quote a return
        raise dg.RetryRequested(max_retries=_RETRIES, seconds_to_wait=_PAUSE) from error
    except Exception as error:
        raise unquoted(error) from None


def unquoted(error: Exception) -> UnforeseenError:
    """Return an unforeseen error without its words, and from where it was raised.

    To be raised `from None`: Dagster keeps what an error says for good, and one of a library quotes
    the value that it stumbled on.
    """
    return UnforeseenError(error).with_traceback(error.__traceback__)


class TakeIn(dg.Config):
    """`only`: keys of the states in which files were seen to have settled; None for all files."""

    only: list[str] | None = None

    def settled(self, path: Path) -> bool:
        """Return whether a dropped file may be taken in as it is now."""
        return self.only is None or state_key(path) in self.only


def column_schema(contract: Contract) -> dg.TableSchema:
    """Return the columns of a contract as Dagster shows them."""
    return dg.TableSchema(
        columns=[
            dg.TableColumn(
                name=column.name,
                type=column.type_name,
                description=f"{column.description} [{column.unit}]",
                constraints=dg.TableColumnConstraints(nullable=column.nullable),
            )
            for column in columns(contract)
        ]
    )


def table_spec(stage: str, name: str, contract: Contract) -> dict[str, Any]:
    """Return the arguments by which `dg.asset` and `dg.AssetOut` describe a table."""
    return {
        "key": dg.AssetKey([stage, name]),
        "description": description(contract),
        "metadata": {"dagster/column_schema": column_schema(contract)},
        "owners": OWNERS,
        "kinds": {"polars", "parquet"},
        "group_name": stage,
    }


def table(
    contract: Contract, stage: str, name: str, **inputs: str
) -> Callable[[Callable[..., pl.DataFrame]], dg.AssetsDefinition]:
    """Declare an asset that makes one table.

    Args:
        contract: the contract of the table.
        stage: the asset's group, and the folder of `work/` that it lies in.
        name: the table's name, which is the file's too.
        inputs: parameter name to `stage/table` of each table it is made from.
    """

    def declare(make: Callable[..., pl.DataFrame]) -> dg.AssetsDefinition:
        spec = table_spec(stage, name, contract)
        return dg.asset(retried()(make), **spec, ins=ins(inputs), partitions_def=COLLECTIONS)

    return declare


def ins(inputs: Mapping[str, str]) -> dict[str, dg.AssetIn]:
    """Return Dagster's form of inputs written `stage/table`."""
    return {name: dg.AssetIn(key=dg.AssetKey(key.split("/"))) for name, key in inputs.items()}
