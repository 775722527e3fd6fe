"""The gate in a process of its own: its library takes seconds to load, and others go on meanwhile.

So that it can be begun before anything else, nothing is loaded here that takes long either.
"""

from __future__ import annotations

import atexit
import hashlib
import json
import subprocess
import sys
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager, suppress
from multiprocessing import Pipe
from pathlib import Path
from threading import Thread
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from assets.kept import recalled, remember
from assets.lake import Lake
from schemas.errors import ServiceError

if TYPE_CHECKING:
    from multiprocessing.connection import Connection

    from assets.release.gate.outcome import Outcome
    from assets.release.gate.suites import Suite
    from assets.release.pages.drawn import Files
    from assets.release.pages.figures import Edition
    from schemas.collection import Collection
    from schemas.contract import Contract

_MOST_DRAWN: Final = 500
"""Bodies whose pages are drawn there, at most: all are held in memory until they are fetched."""
_BEGUN: Final[list[Gate]] = []
"""One that nobody has asked for yet."""


def question(
    marts: Path, suites: Mapping[str, Suite], contracts: Mapping[str, Contract]
) -> list[dict[str, Any]]:
    """Return what is to be evaluated of each mart in a folder, as plain data."""
    from schemas.contract import keys

    return [
        {
            "name": name,
            "path": str(marts.absolute() / f"{name}.parquet"),
            "keys": keys(contracts[name]),
            "suite": dict(enumerate(suite)),
        }
        for name, suite in suites.items()
    ]


class ToChoose(NamedTuple):
    """What is asked where a public edition is to be chosen; see `Gate.choose_ahead`."""

    lake: Lake
    tables: dict[str, str]


class Gate:
    """Evaluates expectations in another process, and chooses and draws there what it is asked to.

    It writes nothing but results that are kept.
    """

    def __init__(self, process: subprocess.Popen[bytes], line: Connection) -> None:
        """Ask this process by the line, by which it answers in order."""
        self._process, self._line = process, line
        self._turns = ThreadPoolExecutor(1)  # one question after another, while others go on
        self._choice: Future[Any] | None = None

    def choose_ahead(self, lake: Lake, tables: Mapping[str, str]) -> None:
        """Begin to choose what the next public edition of a collection hides; see `has_chosen`.

        The tables it is chosen from are named as `stage/name`, by the names of their marts.
        """
        self._choice = self._turns.submit(self._answer, ToChoose(lake, dict(tables)))

    def has_chosen(self) -> None:
        """Wait until it is kept what was asked of `choose_ahead`, if anything; it may have failed.

        What is not kept then is chosen here, which costs time alone.
        """
        if self._choice is not None:
            with suppress(ServiceError):
                self._choice.result()

    def evaluate(
        self,
        marts: Path,
        collection: Collection,
        contracts: Mapping[str, Contract],
        lake: Lake | None = None,
    ) -> Callable[[], list[Outcome]]:
        """Begin to evaluate what is expected of marts, one folder at a time.

        In the folder is `<mart>.parquet` of each contract, until the answer is there. What the lake
        keeps as met in columns of some content is not asked again.

        Returns:
            A function that waits and returns what came of them. It raises ServiceError where the
            process has ended.
        """
        from assets.release.gate.outcome import outcomes
        from assets.release.gate.suites import suite

        suites = {name: suite(name, each, collection) for name, each in contracts.items()}
        asked = question(marts, suites, contracts)
        told: dict[str, dict[int, Any]] = {name: {} for name in suites}
        parts = [(mart["name"], *part) for mart in asked if lake for part in _parts(mart)]
        met = recalled(lake, "gate", [collection.id]) if lake else {}
        for name, numbers, key in parts:
            if key in met:
                told[name] |= zip(numbers, met[key], strict=True)
        for mart in asked:
            done = told[mart["name"]]
            mart["suite"] = {n: one for n, one in mart["suite"].items() if n not in done}
        rest = [mart for mart in asked if mart["suite"]]
        judged = self._turns.submit(self._answer, rest) if rest else None

        def answered() -> list[Outcome]:
            for mart, found in zip(rest, judged.result() if judged else (), strict=True):
                told[mart["name"]] |= found
            if lake and rest:
                of = {key: [told[name][n] for n in numbers] for name, numbers, key in parts}
                kept = {key: each for key, each in of.items() if all(is_met for is_met, *_ in each)}
                remember(lake, "gate", [collection.id], kept)
            return outcomes(suites, told)

        return answered

    def draw(self, edition: Edition) -> Callable[[], Files]:
        """Begin to draw what people read of an edition.

        Returns:
            A function that yields what was drawn. What has not been begun by then is drawn here,
            from the end, until both meet; and what failed: then it fails here too, and says why.
        """
        from assets.release.pages.drawn import drawn, parts

        if len(edition.names) > _MOST_DRAWN:
            return lambda: drawn(edition)
        about = {"marts": dict(edition.marts), "about": dict(edition.about)}
        self._turns.submit(self._answer, about)
        begun = [(part, self._turns.submit(self._answer, part)) for part in parts(edition)]

        def answered() -> Files:
            for part, future in reversed(begun):
                told: Files | None = None
                with suppress(ServiceError):
                    told = None if future.cancel() else future.result()
                yield from drawn(edition, part) if told is None else told

        return answered

    def end(self) -> None:
        """End the process; how long the system takes to free its memory, nobody here waits."""
        self._process.kill()
        Thread(target=self._process.wait).start()
        self._turns.shutdown(cancel_futures=True)
        self._line.close()

    def _answer(self, asked: Any) -> Any:
        try:
            self._line.send(asked)
            return self._line.recv()
        except (EOFError, OSError) as error:
            raise ServiceError(
                "the process that evaluates the expectations has ended by itself (exit code"
                f" {self._process.wait()}; -9: killed, often for want of memory). What it said"
                " stands in the log. What analysts see stays as it is; run again."
            ) from error


def _parts(asked: Mapping[str, Any]) -> Iterator[tuple[list[int], str]]:
    """Yield what is expected of a mart by the columns that it reads: numbers, and a key.

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
        return

    def content(name: str) -> str:
        written = pyarrow.BufferOutputStream()
        with pyarrow.ipc.new_stream(written, table.select([name]).schema) as stream:
            stream.write_table(table.select([name]))
        return f"{name} {hashlib.sha256(written.getvalue()).hexdigest()}"

    contents = {name: content(name) for name in table.column_names}
    around = [asked["name"], str(table.schema), str(table.num_rows)]
    suite = asked["suite"].values()
    texts = [json.dumps([one.type, one.arguments], sort_keys=True) for one in suite]
    reading = defaultdict[tuple[str, ...], list[int]](list)
    for number, text in enumerate(texts):
        reading[tuple(name for name in contents if json.dumps(name) in text)].append(number)
    for read, of in reading.items():
        follows = [*around, *(texts[n] for n in of), *(contents[name] for name in read)]
        yield of, hashlib.sha256(json.dumps(follows).encode()).hexdigest()


@contextmanager
def gate_process() -> Iterator[Gate]:
    """Have a gate at hand: it loads its library at once, and ends with this context.

    It ends too when this process is killed, since nobody holds the other end of its line then.
    """
    begin()
    gate = _BEGUN.pop()
    try:
        yield gate
    finally:
        gate.end()


def begin(lake: Path | None = None) -> None:
    """Let a gate load its library already: the next that is asked for is this one.

    First it reads what waits to be taken in to a lake, while this process loads what does that.
    """
    if _BEGUN:
        return
    ours, theirs = Pipe()
    # Without -P, a folder of the same name where somebody happens to be would be run instead.
    command = [sys.executable, "-P", "-m", "assets.release.gate.evaluate", str(theirs.fileno())]
    command += [str(lake)] if lake else []
    process = subprocess.Popen(  # noqa: S603 (nothing in it comes from elsewhere)
        command,
        stdin=subprocess.DEVNULL,
        stdout=2,  # what a library prints goes to the log
        pass_fds=[theirs.fileno()],
        process_group=0,  # who interrupts a run is told by the first process alone
    )
    theirs.close()
    gate = Gate(process, ours)
    atexit.register(gate.end)  # where nobody comes to ask it
    _BEGUN.append(gate)
