"""The gate in a process of its own: its library takes seconds to load, and others go on meanwhile.

So that it can be begun before anything else, nothing is loaded here that takes long either.

Asked and answered in lines of JSON. Answers have a pipe that nothing else is printed into, and one
that does not end its line is none: a process that is killed while it answers has not answered.
"""

from __future__ import annotations

import atexit
import base64
import hashlib
import json
import os
import subprocess
import sys
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, Final, NamedTuple, cast

from assets.kept import recalled, remember
from assets.lake import Lake
from schemas.errors import ContractError, ServiceError

if TYPE_CHECKING:
    from assets.release.gate.outcome import MartResult
    from assets.release.gate.suites import Suite
    from assets.release.pages.drawn import Files
    from assets.release.pages.figures import Edition
    from schemas.collection import Collection
    from schemas.contract import Contract

_Process = tuple["subprocess.Popen[str]", int]
_AT_ONCE: Final = 1 << 20
"""Bytes of a question that can wait while the library loads: asking holds nobody up."""
_MOST_DRAWN: Final = 500
"""Bodies whose pages an answer has, at most: it is held in memory, whole."""
_BEGUN: Final[list[_Process]] = []
"""A process that nobody has asked for yet, with the other end of the pipe for its answers."""


def question(
    marts: Path, suites: Mapping[str, Suite], contracts: Mapping[str, Contract]
) -> list[dict[str, Any]]:
    """Return what is to be evaluated of each mart, as plain data.

    Args:
        marts: the folder with `<mart>.parquet` of each.
        suites: what is expected of each.
        contracts: the contract of each.

    Raises:
        ContractError: a mart is not there.
    """
    from schemas.contract import keys

    paths = {name: marts.absolute() / f"{name}.parquet" for name in suites}
    for name, path in paths.items():
        if not path.is_file():
            raise ContractError(
                f"the release lacks the mart {name}: there is no {path.name}."
                " This is a fault of Muster; report it."
            )
    return [
        {
            "name": name,
            "path": str(path),
            "keys": keys(contracts[name]),
            "suite": [
                {
                    "type": one.type,
                    "kwargs": dict(one.arguments),
                    "severity": one.severity,
                    "meta": {"position": position},
                }
                for position, one in enumerate(suites[name])
            ],
        }
        for name, path in paths.items()
    ]


class Gate:
    """Evaluates expectations in another process, and draws pages there; it writes nothing."""

    def __init__(self, process: subprocess.Popen[str], answers: IO[str]) -> None:
        """Ask this process by its standard input; it answers in order by the other stream."""
        self._process, self._answers = process, answers
        self._ask = cast(IO[str], process.stdin)
        self._line = ThreadPoolExecutor(1)  # one question after another, while others go on

    def evaluate(
        self,
        marts: Path,
        collection: Collection,
        contracts: Mapping[str, Contract],
        lake: Lake | None = None,
    ) -> Callable[[], tuple[MartResult, ...]]:
        """Begin to evaluate what is expected of marts, one folder at a time.

        Args:
            marts: the folder with `<mart>.parquet` of each, which stays until the answer is there.
            collection: their collection.
            contracts: the contract of each, in the order of the results.
            lake: where it is kept that all is met in columns of some content, which is not asked
                again then.

        Returns:
            A function that waits and returns what came of them. It raises ServiceError where the
            process has ended.

        Raises:
            ContractError: a mart is not there, or has a contract that no expectation is derived
                from.
        """
        from assets.release.gate.outcome import results
        from assets.release.gate.suites import suite

        suites = {name: suite(name, each, collection) for name, each in contracts.items()}
        asked = question(marts, suites, contracts)
        known = {one["name"]: _parts(one) for one in asked if lake}
        rows = {name: several for name, (several, _) in known.items()}
        told: dict[str, dict[int, Any]] = {name: {} for name in suites}
        parts = [part for _, several in known.values() for part in several]
        met = recalled(lake, "gate", [collection.id]) if lake else {}
        for part in (each for each in parts if each.key in met):
            told[part.mart] |= zip(part.positions, met[part.key], strict=True)
        for one in asked:
            done = told[one["name"]]
            one["suite"] = [each for n, each in enumerate(one["suite"]) if n not in done]
        rest = [one for one in asked if one["suite"]]
        judged = self._line.submit(self._answer, rest) if rest else None

        def answered() -> tuple[MartResult, ...]:
            for one, answer in zip(rest, judged.result() if judged else (), strict=True):
                rows[one["name"]] = answer["rows"]
                positions = (each["meta"]["position"] for each in one["suite"])
                told[one["name"]] |= zip(positions, answer["outcomes"], strict=True)
            if lake and rest:
                of = {part.key: [told[part.mart][n] for n in part.positions] for part in parts}
                kept = {key: each for key, each in of.items() if all(is_met for is_met, *_ in each)}
                remember(lake, "gate", [collection.id], kept)
            several = (
                {"rows": rows[name], "outcomes": [told[name][n] for n in range(len(each))]}
                for name, each in suites.items()
            )
            return results(suites, several)

        return answered

    def draw(self, folder: Path, edition: Edition) -> Callable[[], Files | None]:
        """Begin to draw what people read of an edition.

        Args:
            folder: where its marts lie, until the answer is there.
            edition: the edition.

        Returns:
            A function that returns what was drawn. None where that has not been begun, and is not
            any more, so that to draw it here is quicker; and where it failed: then it fails here
            too, and says why.
        """
        from assets.release.pages.drawn import asked_of

        if len(edition.names) > _MOST_DRAWN:
            return lambda: None
        begun = self._line.submit(self._answer, asked_of(folder, edition))

        def answered() -> Files | None:
            with suppress(ServiceError):
                told = None if begun.cancel() else begun.result()
                return told and [(name, base64.b64decode(each)) for name, each in told.items()]
            return None

        return answered

    def end(self) -> None:
        """End the process."""
        _end(self._process)
        self._line.shutdown(cancel_futures=True)

    def _answer(self, asked: Any) -> Any:
        try:
            print(json.dumps(asked), file=self._ask, flush=True)
        except BrokenPipeError as error:
            raise self._ended() from error
        line = self._answers.readline()
        if not line.endswith("\n"):
            raise self._ended()
        return json.loads(line)

    def _ended(self) -> ServiceError:
        return ServiceError(
            "the process that evaluates the expectations has ended by itself (exit code"
            f" {self._process.wait()}; -9: killed, often for want of memory). What it said stands"
            " in the log. The last release stays live; run again."
        )


class _Part(NamedTuple):
    """Expectations of a mart that read the same columns, and what their answers follow from."""

    mart: str
    positions: list[int]
    key: str


def _parts(asked: Mapping[str, Any]) -> tuple[int, list[_Part]]:
    """Return how many rows a mart has, and what is expected of it by the columns that it reads.

    An answer follows from what is asked, the names and types of all columns, the number of rows and
    what stands in the columns that are named there; not from what else the file says, such as its
    release. Of a file that cannot be read nothing is known: that is for the library to say.
    """
    import pyarrow
    import pyarrow.ipc
    import pyarrow.parquet

    try:
        table = pyarrow.parquet.ParquetFile(asked["path"]).read().replace_schema_metadata(None)
    except (pyarrow.ArrowException, OSError):
        return 0, []

    def content(name: str) -> str:
        written = pyarrow.BufferOutputStream()
        with pyarrow.ipc.new_stream(written, table.select([name]).schema) as stream:
            stream.write_table(table.select([name]))
        return f"{name} {hashlib.sha256(written.getvalue()).hexdigest()}"

    contents = {name: content(name) for name in table.column_names}
    around = [asked["name"], str(table.schema), str(table.num_rows)]
    reading = defaultdict[tuple[str, ...], list[int]](list)
    texts = [json.dumps([one["type"], one["kwargs"]], sort_keys=True) for one in asked["suite"]]
    for position, text in enumerate(texts):
        reading[tuple(name for name in contents if json.dumps(name) in text)].append(position)

    def part(read: tuple[str, ...], of: list[int]) -> _Part:
        follows = [*around, *(texts[n] for n in of), *(contents[name] for name in read)]
        key = hashlib.sha256(json.dumps(follows).encode()).hexdigest()
        return _Part(asked["name"], of, key)

    return table.num_rows, [part(read, of) for read, of in reading.items()]


@contextmanager
def gate_process() -> Iterator[Gate]:
    """Have a gate at hand: it loads its library at once, and ends with this context.

    It ends too when this process is killed, since nobody holds the other end of its pipe then.
    """
    begin()
    process, reading = _BEGUN.pop()
    with open(reading, encoding="utf-8") as answers:  # noqa: PTH123 (a pipe, which has no path)
        gate = Gate(process, answers)
        try:
            yield gate
        finally:
            gate.end()


def _end(process: subprocess.Popen[str]) -> None:
    process.kill()
    process.communicate()


def begin() -> None:
    """Let a gate load its library already: the next that is asked for is this one."""
    if _BEGUN:
        return
    reading, writing = os.pipe()
    # Without -P, a folder of the same name where somebody happens to be would be run instead.
    command = [sys.executable, "-P", "-m", "assets.release.gate.evaluate", str(writing)]
    process = subprocess.Popen(  # noqa: S603 (nothing in it comes from elsewhere)
        command,
        stdin=subprocess.PIPE,
        stdout=2,  # what a library prints goes to the log
        pass_fds=[writing],
        pipesize=_AT_ONCE,
        process_group=0,  # who interrupts a run is told by the first process alone
        text=True,
    )
    os.close(writing)
    atexit.register(_end, process)  # where nobody comes to ask it
    _BEGUN.append((process, reading))
