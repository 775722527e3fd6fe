"""Runs the expectations of all marts with Great Expectations.

Belongs here: everything that touches that library, which takes seconds to import and is imported
when a gate is run, never before (process.py). Nothing is written, and nothing goes out.
"""

import re
import warnings
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any, Final

import pandas as pd
import pyarrow
import pyarrow.parquet

from assets.gate.expectation import Expectation
from assets.gate.judging import outcome
from assets.gate.outcome import MartResult, Phrase
from assets.gate.suites import suite
from schemas.collection import Collection
from schemas.contract import Contract, keys
from schemas.errors import ContractError
from schemas.marts.catalogue import MARTS

if TYPE_CHECKING:
    from great_expectations.core import ExpectationValidationResult
    from great_expectations.datasource.fluent.pandas_datasource import PandasDatasource

_SHOWN: Final = 5
"""Rows shown of those that break an expectation."""

_PARAMETER: Final = re.compile(r"\$(\w+)")


def evaluate(
    marts: Path, collection: Collection, contracts: Mapping[str, Contract] = MARTS
) -> tuple[MartResult, ...]:
    """Evaluate what is expected of the marts about to be released; nothing is written.

    Args:
        marts: the folder with `<mart>.parquet` of each.
        collection: their collection.
        contracts: the contract of each mart by name, in the order of the results.

    Raises:
        ContractError: a mart is not there, or has a contract that no expectation is derived from.
    """
    source = _source()
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
        outcome(
            name, expectation, _sentence(expectation, results.get(position)), results.get(position)
        )
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


def _sentence(
    expectation: Expectation, result: "ExpectationValidationResult | None"
) -> tuple[Phrase, ...]:
    """Return what is expected, as Great Expectations renders it for its own Data Docs."""
    from great_expectations.expectations.registry import get_renderer_impl  # noqa: PLC0415
    from great_expectations.render.components import LegacyRendererType  # noqa: PLC0415

    renderer = get_renderer_impl(expectation.type, LegacyRendererType.PRESCRIPTIVE)
    if expectation.words or result is None or renderer is None:
        return (Phrase(expectation.words or expectation.type),)
    blocks: Any = renderer.renderer(
        configuration=result.expectation_config,
        runtime_configuration={"include_column_name": False},
    )
    return tuple(phrase for block in blocks for phrase in _phrases(**block.string_template))


def _phrases(template: str, params: Mapping[str, Any], **_: Any) -> Iterator[Phrase]:
    text = template[:1].upper() + template[1:]
    for position, part in enumerate(_PARAMETER.split(text)):
        is_value = position % 2 == 1
        if part:
            yield Phrase(_plain(params[part]) if is_value else part, is_value)


def _plain(value: Any) -> str:
    return f"{value:.15g}" if isinstance(value, float) else str(value)
