"""How a Dagster asset is declared here: one table, its contract, and nothing written twice."""

import hashlib
import inspect
import io
import warnings
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import wraps
from pathlib import Path
from typing import Any, Final

import dagster as dg
import polars as pl

from assets.kept import frame_made_once
from assets.lake import Lake, software_sha256, state_key
from schemas.collection import description
from schemas.contract import Contract, columns
from schemas.contract import description as words_of
from schemas.errors import MusterError, UnforeseenError
from schemas.reference import collection_files

COLLECTIONS: Final = dg.StaticPartitionsDefinition(sorted(collection_files()))
"""Everything is partitioned by collection: one step reads all returns of one collection."""

OWNERS: Final = ["team:data-team"]
CODE_VERSION: Final = software_sha256()[:12]
"""The same for all assets: what each of them calls lies in several stages."""

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
        "description": words_of(contract),
        "metadata": {"dagster/column_schema": column_schema(contract)},
        "owners": OWNERS,
        "code_version": CODE_VERSION,
        "kinds": {"polars", "parquet"},
        "group_name": stage,
    }


def stated(
    frame: pl.DataFrame, name: str = "result", metadata: Mapping[str, Any] | None = None
) -> dg.Output[pl.DataFrame]:
    """Return a table as an output whose data version is the hash of the file that it is kept in.

    So Dagster tells what follows from other data than there is now from what has merely been made
    again.
    """
    buffer = io.BytesIO()
    frame.write_parquet(buffer)
    digest = hashlib.sha256(buffer.getvalue()).hexdigest()
    with warnings.catch_warnings():
        # That it may change in a minor version, to which Dagster is bound here.
        warnings.simplefilter("ignore", dg.BetaWarning)
        return dg.Output(frame, name, metadata=metadata, data_version=dg.DataVersion(digest))


def table(
    contract: Contract, stage: str, name: str, **inputs: str
) -> Callable[[Callable[..., pl.DataFrame]], dg.AssetsDefinition]:
    """Declare an asset that makes one table.

    One that reads nothing else, so that its function does not ask for the lake, is made once of the
    same inputs, of the same collection: then the kept one is handed on, and so recorded.

    Args:
        contract: the contract of the table.
        stage: the asset's group, and the folder of `work/` that it lies in.
        name: the table's name, which is the file's too.
        inputs: parameter name to `stage/table` of each table it is made from.
    """

    def declare(make: Callable[..., pl.DataFrame]) -> dg.AssetsDefinition:
        asked = inspect.signature(make).parameters

        @wraps(make)
        def compute(*args: Any, **tables: Any) -> dg.Output[pl.DataFrame]:
            return stated(make(*args, **tables))

        # Where the function is looked at, it says what it returns now.
        compute.__dict__["__signature__"] = inspect.signature(make).replace(
            return_annotation=dg.Output[pl.DataFrame]
        )

        def compute_once(
            context: dg.AssetExecutionContext, **tables: pl.DataFrame
        ) -> dg.Output[pl.DataFrame]:
            lake = Lake(context.resources.lake_root, context.partition_key)
            given = {"context": context} if "context" in asked else {}
            key = [f"{stage}/{name}", *_described(lake.collection), *_read(lake, inputs)]
            return stated(frame_made_once(lake, "tables", key, lambda: make(**given, **tables)))

        alone = "lake_root" not in asked
        return dg.asset(
            retried()(compute_once if alone else compute),
            **table_spec(stage, name, contract),
            ins=ins(inputs),
            partitions_def=COLLECTIONS,
            required_resource_keys={"lake_root"} if alone else None,
        )

    return declare


def _described(collection_id: str) -> Iterator[str]:
    """Yield the name and hash of every file that says what a collection is."""
    for name, content in sorted(description(collection_id).items()):
        yield f"{name} {hashlib.sha256(content).hexdigest()}"


def _read(lake: Lake, inputs: Mapping[str, str]) -> Iterator[str]:
    """Yield by the names of parameters what tables are made from, as they lie in the lake."""
    for name, key in sorted(inputs.items()):
        digest = hashlib.sha256(lake.table(*key.split("/")).read_bytes()).hexdigest()
        yield f"{name} {key} {digest}"


def ins(inputs: Mapping[str, str]) -> dict[str, dg.AssetIn]:
    """Return Dagster's form of inputs written `stage/table`."""
    return {name: dg.AssetIn(key=dg.AssetKey(key.split("/"))) for name, key in inputs.items()}
