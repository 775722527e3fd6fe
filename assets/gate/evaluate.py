"""Evaluates the expectations of all marts: everything that touches Great Expectations.

It takes seconds to import, which is done when something is evaluated and never before.
"""

import warnings
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any, Final, Protocol

import pandas as pd
import pyarrow
import pyarrow.parquet

from assets.gate.outcome import MartResult, Outcome
from assets.gate.suites import Expectation, suite
from schemas.collection import Collection
from schemas.contract import Contract, keys
from schemas.errors import ContractError
from schemas.marts.catalogue import marts_of
from schemas.wording import plural

if TYPE_CHECKING:
    from great_expectations.datasource.fluent.pandas_datasource import PandasDatasource

Results = tuple[MartResult, ...]

_SHOWN: Final = 5
"""Rows shown of those that break an expectation."""

_TYPES: Final = {"double": "float64", "date32[day]": "date"}
"""Types that Arrow names otherwise than the contracts do."""


def evaluate(
    marts: Path, collection: Collection, contracts: Mapping[str, Contract] | None = None
) -> Results:
    """Evaluate what is expected of the marts about to be released; nothing is written.

    Args:
        marts: the folder with `<mart>.parquet` of each.
        collection: their collection.
        contracts: the contract of each mart by name, in the order of the results; those that a
            release of the collection has where none are given.

    Raises:
        ContractError: a mart is not there, or has a contract that no expectation is derived from.
    """
    source = _source()
    if contracts is None:
        contracts = marts_of(collection, [path.stem for path in marts.glob("*.parquet")])
    return tuple(
        _evaluated(source, name, contract, collection, marts / f"{name}.parquet")
        for name, contract in contracts.items()
    )


def load() -> None:
    """Import the library, so that evaluating need not."""
    _library()


def _library() -> ModuleType:
    # Leaving the block also undoes what the import does to the warnings of the whole process.
    with warnings.catch_warnings():
        message = r"module 'sre_(constants|parse)' is deprecated"
        warnings.filterwarnings("ignore", message, DeprecationWarning)
        import great_expectations  # noqa: PLC0415
    return great_expectations


def _source() -> "PandasDatasource":
    """Return a source of frames in a context that lives in memory alone and tells nobody."""
    library = _library()
    from great_expectations.data_context.types import base  # noqa: PLC0415

    config = base.DataContextConfig(
        store_backend_defaults=base.InMemoryStoreBackendDefaults(),
        analytics_enabled=False,
        progress_bars=base.ProgressBarsConfig(globally=False),
    )
    context = library.get_context(mode="ephemeral", project_config=config)
    source: PandasDatasource = context.data_sources.add_pandas("marts")
    return source


def _evaluated(
    source: "PandasDatasource", name: str, contract: Contract, collection: Collection, path: Path
) -> MartResult:
    frame = _read(path)
    expectations = suite(name, contract, collection)
    asked = _library().ExpectationSuite(
        name=name,
        expectations=[
            {
                "type": expectation.type,
                "kwargs": dict(expectation.arguments),
                "severity": expectation.severity,
                "meta": {"position": position},
            }
            for position, expectation in enumerate(expectations)
        ],
    )
    batch = source.add_dataframe_asset(name).add_batch_definition_whole_dataframe(name)
    found = batch.get_batch({"dataframe": frame}).validate(
        asked,
        result_format={
            "result_format": "SUMMARY",
            "partial_unexpected_count": _SHOWN,
            "unexpected_index_column_names": [k for k in keys(contract) if k in frame.columns],
        },
    )
    # The order of the results is the library's own.
    results = {result.expectation_config.meta["position"]: result for result in found.results}
    outcomes = (
        outcome(name, expectation, results.get(position))
        for position, expectation in enumerate(expectations)
    )
    return MartResult(name, len(frame), tuple(outcomes))


def _read(path: Path) -> pd.DataFrame:
    """Return a mart in Arrow's types, so that null, NaN and whole numbers stay what they are."""
    if not path.is_file():
        raise ContractError(
            f"the release lacks the mart {path.stem}: there is no {path.name}."
            " This is a fault of Muster; report it."
        )
    table = pyarrow.parquet.ParquetFile(path).read()
    frame: pd.DataFrame = table.to_pandas(types_mapper=_pandas_type, ignore_metadata=True)
    return frame


def _pandas_type(dtype: pyarrow.DataType) -> Any:
    """Return Arrow's type but for text, which Great Expectations can name only as pandas' own."""
    return pd.StringDtype("pyarrow") if dtype == pyarrow.string() else pd.ArrowDtype(dtype)


class Result(Protocol):
    """What is read of a result of Great Expectations."""

    success: Any
    result: Any
    exception_info: Any


def outcome(mart: str, expectation: Expectation, result: Result | None) -> Outcome:
    """Return what came of an expectation; without a result it was not evaluated."""
    about = mart, expectation.column, expectation.severity
    crash = "it gave no result" if result is None else _crash(result.exception_info)
    if result is None or crash is not None:
        return Outcome(*about, "not_evaluated", expectation.words, crash or "")
    found = result.result
    return Outcome(
        *about,
        "passed" if result.success else "failed",
        expectation.words,
        _observed(expectation, found),
        found.get("unexpected_count"),
        found.get("element_count"),
        tuple(_sample(expectation, found)),
    )


def _crash(info: Mapping[str, Any]) -> str | None:
    """Return the message of an expectation that crashed, None for one that did not.

    It is of one exception, or of several by the metric that raised it.
    """
    raised = [info] if "raised_exception" in info else list(info.values())
    messages = {str(each["exception_message"]) for each in raised if each["raised_exception"]}
    return " ".join(min(messages).split()).rstrip(".") if messages else None


def _observed(expectation: Expectation, found: Mapping[str, Any]) -> str:
    """Return in words what was found."""
    if "element_count" in found:
        count, rows = found["unexpected_count"], found["element_count"]
        broken = f"{count:,} of {plural(rows, 'row')} {'breaks' if count == 1 else 'break'} this"
        return broken if rows else "no row to look at"
    value = found["observed_value"]
    if "column_list" in expectation.arguments:
        return _columns(value, expectation.arguments["column_list"])
    if isinstance(value, int):
        return f"found {plural(value, 'row')}"
    name = str(value).removesuffix("[pyarrow]")
    return f"found {_TYPES.get(name, name)}"


def _columns(found: list[str], expected: list[str]) -> str:
    missing = [name for name in expected if name not in found]
    foreign = [name for name in found if name not in expected]
    problems = [
        *([f"lacks {', '.join(missing)}"] if missing else []),
        *([f"also has {', '.join(foreign)}"] if foreign else []),
    ]
    if problems or found == expected:
        return " and ".join(problems) or f"found {plural(len(found), 'column')}"
    return f"found in the order {', '.join(found)}"


def _sample(expectation: Expectation, found: Mapping[str, Any]) -> Iterator[Mapping[str, str]]:
    """Yield the first rows that break an expectation: what stands there, then their key."""
    values = found.get("partial_unexpected_list") or []
    places = found.get("partial_unexpected_index_list") or []
    for value, place in zip(values, places, strict=True):
        what = {expectation.column: value} if expectation.column else {}
        # A mart without a key has the row's number instead.
        where = place if isinstance(place, dict) else {"row": place + 1}
        yield {str(name): _text(each) for name, each in {**what, **where}.items()}


def _text(value: Any) -> str:
    if isinstance(value, float):
        return f"{value:.15g}"
    if isinstance(value, bool):
        return str(value).lower()
    return "null" if pd.isna(value) else str(value)
