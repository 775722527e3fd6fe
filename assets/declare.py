"""How what is made is declared: each table with what it follows from, checks of it, and the steps.

A table is made by a plain function. A step of Dagster makes many, each of them an asset of its own:
of a run, most of the time beside the work itself goes into what is told of the steps.
"""

import inspect
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import dagster as dg
import polars as pl

from assets.lake import Lake, software_sha256, state_key
from assets.tables import contract_of, read_table, write_made
from schemas.collection import load_collection
from schemas.conform import conform
from schemas.contract import Column, Contract
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
"""The inputs of a table that all research goes into, by the names of ResearchTables."""

_RETRIES: Final = 2
_PAUSE: Final = 2


@dataclass(frozen=True)
class Made:
    """Tables that one function makes together, each written `stage/name`.

    The function is given its inputs by the names of its parameters, and what it asks for of
    `collection`, `lake`, `context`, `config` (TakeIn) and `about`, where it puts what is told of a
    table beside its size. It returns a table, or several in order.
    """

    names: tuple[str, ...]
    make: Callable[..., Any]
    inputs: Mapping[str, str]

    def asks(self, *names: str) -> set[str]:
        """Return which of these it asks for."""
        return {*names} & {*inspect.signature(self.make).parameters}


@dataclass(frozen=True)
class Check:
    """A check of a table: whether it passed, and what is told of it.

    `judge` is given the table, and the collection if it asks for it.
    """

    of: str
    name: str
    description: str
    judge: Callable[..., tuple[bool, dict[str, Any]]]
    severity: dg.AssetCheckSeverity = dg.AssetCheckSeverity.WARN

    @property
    def key(self) -> dg.AssetCheckKey:
        """How Dagster names it."""
        return dg.AssetCheckKey(_key(self.of), self.name)


def made(*names: str, by: Callable[..., Any], **inputs: str) -> Made:
    """Declare tables that a function makes of others."""
    return Made(names, by, inputs)


@contextmanager
def retried() -> Iterator[None]:
    """Have a step tried again after an error that can pass; nothing else is tried twice."""
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


def step(
    name: str,
    parts: Iterable[Made | Check],
    ahead: Mapping[str, Callable[[Any, Lake], None]] | None = None,
) -> dg.AssetsDefinition:
    """Return the step that makes tables, and checks them, in the order in which they are declared.

    Some of them can be chosen. What one function makes together is made and recorded together.
    `ahead` is what the gate can begin once all before a table is made, by its name.
    """
    declared, begins = [*parts], ahead or {}
    several = [part for part in declared if isinstance(part, Made)]
    checks = [part for part in declared if isinstance(part, Check)]

    def work(context: dg.AssetExecutionContext, config: TakeIn | None) -> Iterator[Any]:
        lake = Lake(context.resources.lake_root, context.partition_key)
        collection = load_collection(lake.collection)
        given = {"lake": lake, "collection": collection, "context": context, "config": config}
        given["about"] = {}
        chosen = {"/".join(key.path) for key in context.selected_asset_keys}
        with retried():
            for each in several:
                if chosen & {*each.names}:
                    if begin := begins.get(each.names[0]):
                        begin(context.resources.gate, lake)
                    yield from _recorded(given, chosen, each, _made(each, given))
            for check in checks:
                if check.key in context.selected_asset_check_keys:
                    yield _judged(check, given)

    declare = dg.multi_asset(
        name=name,
        specs=[_spec(each, of) for each in several for of in each.names],
        check_specs=[
            dg.AssetCheckSpec(each.name, asset=_key(each.of), description=each.description)
            for each in checks
        ],
        partitions_def=COLLECTIONS,
        can_subset=True,
        required_resource_keys={"lake_root", *(["gate"] if begins else [])},
    )
    if any(each.asks("config") for each in several):

        def take_in(context: dg.AssetExecutionContext, config: TakeIn) -> Iterator[Any]:
            yield from work(context, config)

        return declare(take_in)

    def make(context: dg.AssetExecutionContext) -> Iterator[Any]:
        yield from work(context, None)

    return declare(make)


def _made(each: Made, given: Mapping[str, Any]) -> list[pl.DataFrame]:
    """Return the tables of a function, each as its contract says."""
    lake, template = given["lake"], given["collection"].template
    tables = {name: read_table(lake.table(of)) for name, of in each.inputs.items()}
    found = each.make(**tables, **{name: given[name] for name in each.asks(*given)})
    several = [found] if isinstance(found, pl.DataFrame) else found
    return [
        conform(contract_of(name, template), table, template)
        for name, table in zip(each.names, several, strict=True)
    ]


def _recorded(
    given: Mapping[str, Any],
    chosen: Collection[str],
    each: Made,
    tables: Iterable[pl.DataFrame],
) -> Iterator[dg.MaterializeResult[None]]:
    """Write tables, and tell Dagster of each: its size, and the hash of its file as its version.

    So it tells what follows from other data than there is now from what was merely made again.
    """
    lake: Lake = given["lake"]
    for name, table in zip(each.names, tables, strict=True):
        version = dg.DataVersion(write_made(lake, name, table))
        path = dg.MetadataValue.path(lake.table(name))
        about = {"dagster/row_count": table.height, "path": path, **given["about"].get(name, {})}
        if each.inputs:
            about["dagster/column_lineage"] = _column_lineage(each, contract_of(name))
        if name in chosen:
            yield dg.MaterializeResult(asset_key=_key(name), metadata=about, data_version=version)
            continue
        tags = {"dagster/data_version": version.value, "dagster/code_version": CODE_VERSION}
        given["context"].log_event(
            dg.AssetMaterialization(
                _key(name), metadata=about, partition=lake.collection, tags=tags
            )
        )


def _judged(check: Check, given: Mapping[str, Any]) -> dg.AssetCheckResult:
    asked = inspect.signature(check.judge).parameters
    own = {"collection": given["collection"]} if "collection" in asked else {}
    passed, metadata = check.judge(read_table(given["lake"].table(check.of)), **own)
    return dg.AssetCheckResult(
        asset_key=check.key.asset_key,
        check_name=check.name,
        passed=passed,
        severity=check.severity,
        metadata=metadata,
    )


def _spec(each: Made, name: str) -> dg.AssetSpec:
    contract = contract_of(name)
    return dg.AssetSpec(
        _key(name),
        deps=[_key(of) for of in each.inputs.values()],
        description=contract.about,
        metadata={"dagster/column_schema": _column_schema(contract)},
        group_name=name.split("/", maxsplit=1)[0],
        owners=OWNERS,
        code_version=CODE_VERSION,
        kinds={"polars", "parquet"},
    )


def _key(name: str) -> dg.AssetKey:
    return dg.AssetKey(name.split("/"))


def _column_schema(contract: Contract) -> dg.TableSchema:
    """Return the columns of a contract as Dagster shows them."""
    return dg.TableSchema(
        columns=[
            dg.TableColumn(
                name=column.name,
                type=column.type_name,
                description=f"{column.description} [{column.unit}]",
                constraints=dg.TableColumnConstraints(nullable=column.nullable),
            )
            for column in contract.columns
        ]
    )


def _column_lineage(each: Made, contract: Contract) -> dg.TableColumnLineage:
    """Return which columns of its inputs each column of a table follows from.

    A column that an input has by the same name is handed on. A code of another name follows from
    what tells the rows of the inputs apart, a number from the numbers that stand there.
    """
    inputs = {_key(of): contract_of(of).columns for of in each.inputs.values()}

    def sources(column: Column) -> list[dg.TableColumnDep]:
        named = [(of, c) for of, several in inputs.items() for c in several]
        handed_on = [(of, c) for of, c in named if c.name == column.name]
        wanted = [
            (of, c)
            for of, c in named
            if (c.dtype.is_numeric() and not c.key if column.dtype.is_numeric() else c.key)
        ]
        return [dg.TableColumnDep(of, c.name) for of, c in handed_on or wanted]

    return dg.TableColumnLineage({column.name: sources(column) for column in contract.columns})
