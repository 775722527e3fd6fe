"""Evaluates expectations, asked and answered by a line to who asks: all of Great Expectations.

It takes seconds to import, which is done in a process of its own (process.py).
"""

import gc
import sys
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from copy import deepcopy
from multiprocessing.connection import Connection
from pathlib import Path
from types import ModuleType
from typing import Any, Final

import pandas as pd
import pyarrow
import pyarrow.parquet

from schemas.lean import roomy, without
from schemas.wording import plural

Asked = Mapping[str, Any]
"""What is asked of one mart.

Keys: `name`, `path`, `keys` (its key columns), `suite` (an Expectation by its number).
"""

Told = tuple[bool | None, str, list[dict[str, str]]]

_SHOWN: Final = 5
"""Rows shown of those that break an expectation."""

_TYPES: Final = {"double": "float64", "date32[day]": "date"}
"""Types that Arrow names otherwise than the contracts do."""


_LATER: Final = {"altair", "scipy", "scipy.special", "scipy.stats"}
"""What the library imports, and uses for what is never asked of it: loaded when it is used."""

_OPTIONAL: Final = ("boto3", "botocore", "psycopg2", "sqlalchemy")
"""What the library does without where it is not there: half of its time to load."""


def evaluate(marts: Sequence[Asked]) -> list[dict[int, Told]]:
    """Evaluate what is expected of marts; nothing is written.

    Returns:
        For each mart, by the number of each expectation: whether it is met (None: not evaluated),
        what was observed in words, and the first rows that break it: what stands in its column,
        then their key.
    """
    definition = _definition()
    with _made_once():
        return [_evaluated(definition, mart) for mart in marts]


def load() -> ModuleType:
    """Import the library, so that evaluating need not, and return it."""
    # Leaving the block also undoes what the import does to the warnings of the whole process.
    with warnings.catch_warnings(), without(_OPTIONAL, _LATER):
        message = r"module 'sre_(constants|parse)' is deprecated"
        warnings.filterwarnings("ignore", message, DeprecationWarning)
        import great_expectations  # noqa: PLC0415
    return great_expectations


def _definition() -> Any:
    """Return how frames are looked at, in a context that lives in memory and tells nobody."""
    library = load()
    from great_expectations.data_context.types import base  # noqa: PLC0415

    config = base.DataContextConfig(
        store_backend_defaults=base.InMemoryStoreBackendDefaults(),
        analytics_enabled=False,
        progress_bars=base.ProgressBarsConfig(globally=False),
    )
    context = library.get_context(mode="ephemeral", project_config=config)
    asset = context.data_sources.add_pandas("marts").add_dataframe_asset("mart")
    return asset.add_batch_definition_whole_dataframe("whole")


@contextmanager
def _made_once() -> Iterator[None]:
    """Let the library make once what follows from an expectation: it does so sixty times for each.

    That is half of the time to evaluate. What is kept is held, so that no other has its address.
    A fifth goes where arguments, which are plain, are not hashed as JSON to tell them apart.
    """
    from great_expectations.core.id_dict import IDDict  # noqa: PLC0415
    from great_expectations.expectations import expectation, expectation_configuration  # noqa: PLC0415

    made: dict[int, tuple[Any, Any]] = {}

    def once(make: Callable[[Any], Any]) -> Callable[[Any], Any]:
        return lambda of: (made.get(id(of)) or made.setdefault(id(of), (of, make(of))))[1]

    def apart(of: Any, *some: Any, **named: Any) -> Any:
        return (
            to_id(of, *some, **named) if some or named or len(of) < 2 else repr(sorted(of.items()))
        )

    one: Any = expectation.Expectation
    plain: Any = expectation_configuration.ExpectationConfiguration
    configuration, to_domain_obj = one.configuration, plain.to_domain_obj
    arguments: Any = IDDict
    to_id = arguments.to_id
    one.configuration = property(once(configuration.fget))
    plain.to_domain_obj = once(to_domain_obj)
    arguments.to_id = apart
    try:
        yield
    finally:
        one.configuration, plain.to_domain_obj = configuration, to_domain_obj
        arguments.to_id = to_id


def _evaluated(definition: Any, mart: Asked) -> dict[int, Told]:
    suite, frame = mart["suite"], _read(mart["path"])
    batch = definition.get_batch({"dataframe": frame})
    results = _results(batch, suite, {"result_format": "BASIC"})
    # Which rows break an expectation takes as long again: asked of those that are not met.
    met = {number for number, result in results.items() if result.success}
    results |= _results(
        batch,
        {number: one for number, one in suite.items() if number not in met},
        {
            "result_format": "SUMMARY",
            "partial_unexpected_count": _SHOWN,
            "unexpected_index_column_names": [k for k in mart["keys"] if k in frame.columns],
        },
    )
    return {n: outcome(one.arguments, results.get(n)) for n, one in suite.items()}


def _results(batch: Any, suite: Mapping[int, Any], how: Mapping[str, Any]) -> dict[int, Any]:
    """Return the results of expectations by their numbers: their order is the library's own."""
    if not suite:
        return {}
    numbered = [
        {"type": one.type, "kwargs": deepcopy(one.arguments), "meta": {"number": n}}
        for n, one in suite.items()
    ]
    asked = load().ExpectationSuite(name="suite", expectations=numbered)
    found = batch.validate(asked, result_format=dict(how))
    return {result.expectation_config.meta["number"]: result for result in found.results}


def _read(path: str) -> pd.DataFrame:
    """Return a mart in Arrow's types, so that null, NaN and whole numbers stay what they are.

    Text alone is pandas' own: Great Expectations cannot name Arrow's.
    """
    types = {pyarrow.string(): pd.StringDtype("pyarrow")}
    table = pyarrow.parquet.ParquetFile(path).read()
    frame: pd.DataFrame = table.to_pandas(
        types_mapper=lambda dtype: types.get(dtype) or pd.ArrowDtype(dtype), ignore_metadata=True
    )
    return frame


def outcome(arguments: Mapping[str, Any], result: Any) -> Told:
    """Return what came of an expectation; without a result (None) it was not evaluated."""
    crash = "it gave no result" if result is None else _crash(result.exception_info)
    if crash is not None:
        return None, crash, []
    found = result.result
    sample = list(_sample(arguments.get("column"), found))
    return bool(result.success), _observed(arguments, found), sample


def _crash(info: Mapping[str, Any]) -> str | None:
    """Return the message of an expectation that crashed, None for one that did not.

    It is of one exception, or of several by the metric that raised it.
    """
    raised = [info] if "raised_exception" in info else list(info.values())
    messages = {str(each["exception_message"]) for each in raised if each["raised_exception"]}
    return " ".join(min(messages).split()).rstrip(".") if messages else None


def _observed(arguments: Mapping[str, Any], found: Mapping[str, Any]) -> str:
    """Return in words what was found."""
    if "element_count" in found:
        count, rows = found["unexpected_count"], found["element_count"]
        broken = f"{count:,} of {plural(rows, 'row')} {'breaks' if count == 1 else 'break'} this"
        return broken if rows else "no row to look at"
    value, expected = found["observed_value"], arguments.get("column_list")
    if expected is not None:
        lacks = ", ".join(name for name in expected if name not in value)
        more = ", ".join(name for name in value if name not in expected)
        problems = [f"lacks {lacks}"] * bool(lacks) + [f"also has {more}"] * bool(more)
        if value != expected and not problems:
            return f"found in the order {', '.join(value)}"
        return " and ".join(problems) or f"found {plural(len(value), 'column')}"
    if isinstance(value, int):
        return f"found {plural(value, 'row')}"
    name = str(value).removesuffix("[pyarrow]")
    return f"found {_TYPES.get(name, name)}"


def _sample(column: str | None, found: Mapping[str, Any]) -> Iterator[dict[str, str]]:
    values = found.get("partial_unexpected_list") or []
    places = found.get("partial_unexpected_index_list") or []
    for value, place in zip(values, places, strict=True):
        what = {column: value} if column else {}
        # A mart without a key has the row's number instead.
        where = place if isinstance(place, dict) else {"row": place + 1}
        yield {str(name): _text(each) for name, each in {**what, **where}.items()}


def _text(value: Any) -> str:
    if isinstance(value, float):
        return f"{value:.15g}"
    if isinstance(value, bool):
        return str(value).lower()
    return "null" if pd.isna(value) else str(value)


@roomy
def _serve(line: Connection, lake: str | None = None) -> None:
    """Answer until nobody asks any more."""
    gc.disable()  # nothing of a library goes while it loads, and a look for it takes time
    if lake:
        from assets.intake.raw_store import read_ahead  # noqa: PLC0415

        with suppress(
            OSError
        ):  # of a folder that may not be read the run says so, if it is its own
            read_ahead(Path(lake))
    load()
    # After it: others look for the library's own libraries, and do more where they find them.
    from assets.disclosure.edition import choose_ahead  # noqa: PLC0415
    from assets.release.gate.process import ToChoose  # noqa: PLC0415
    from assets.release.pages.drawn import drawn  # noqa: PLC0415
    from assets.release.pages.figures import Edition  # noqa: PLC0415

    gc.freeze()
    gc.enable()
    with suppress(EOFError, ConnectionError):  # whoever asked may be gone by then
        while True:
            told: Any = None
            if isinstance(asked := line.recv(), list):
                told = evaluate(asked)
            elif isinstance(asked, dict):  # of what is drawn next
                edition = Edition(**asked)
            else:
                with suppress(Exception):  # whoever asked does it then, fails too, and says why
                    if isinstance(asked, ToChoose):
                        choose_ahead(*asked)
                    else:
                        told = [*drawn(edition, asked)]
            line.send(told)


if __name__ == "__main__":
    _serve(Connection(int(sys.argv[1])), *sys.argv[2:])
