"""The gate in a process of its own: its library takes seconds to load, and others go on meanwhile.

Asked and answered in lines of JSON. Answers have a pipe that nothing else is printed into, and one
that does not end its line is none: a process that is killed while it answers has not answered.
"""

import json
import os
import pickle
import signal
import subprocess
import sys
from base64 import b64decode, b64encode
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import IO, Any, Final, cast

from assets.gate.outcome import MartResult, Outcome
from schemas.collection import Collection
from schemas.errors import ContractError, MusterError, ServiceError, SetupError

Results = tuple[MartResult, ...]
_ERRORS: Final[dict[str, type[MusterError]]] = {
    error.__name__: error for error in (ContractError, SetupError)
}


class Gate:
    """Evaluates expectations in another process, which writes nothing."""

    def __init__(self, process: "subprocess.Popen[str]", answers: IO[str]) -> None:
        """Ask this process by its standard input; it answers by the other stream."""
        self._process, self._answers = process, answers
        self._ask = cast(IO[str], process.stdin)

    def evaluate(self, marts: Path, collection: Collection) -> Callable[[], Results]:
        """Begin to evaluate what is expected of marts, one folder at a time.

        Args:
            marts: the folder with `<mart>.parquet` of each, which stays until the answer is there.
            collection: their collection.

        Returns:
            A function that waits and returns what came of them. It raises ContractError as
            evaluate.evaluate does, and ServiceError where the process has ended.
        """
        try:
            # A collection as it is: read again from its file it could be another one meanwhile.
            whole = b64encode(pickle.dumps(collection)).decode()
            print(json.dumps([str(marts.absolute()), whole]), file=self._ask, flush=True)
        except BrokenPipeError as error:
            raise self._ended() from error
        return self._answer

    def _answer(self) -> Results:
        line = self._answers.readline()
        if not line.endswith("\n"):
            raise self._ended()
        answer: dict[str, Any] = json.loads(line)
        if "error" in answer:
            raise _ERRORS[answer["error"]](answer["message"])
        return tuple(_mart(result) for result in answer["marts"])

    def _ended(self) -> ServiceError:
        return ServiceError(
            "the process that evaluates the expectations has ended by itself (exit code"
            f" {self._process.wait()}; -9: killed, often for want of memory). What it said stands"
            " in the log. The last release stays live; run again."
        )


def _mart(result: dict[str, Any]) -> MartResult:
    outcomes = (Outcome(**{**one, "sample": tuple(one["sample"])}) for one in result["outcomes"])
    return MartResult(result["mart"], result["rows"], tuple(outcomes))


@contextmanager
def gate_process() -> Iterator[Gate]:
    """Have a gate at hand: it loads its library at once, and ends with this context.

    It ends too when this process is killed, since nobody holds the other end of its pipe then.
    """
    reading, writing = os.pipe()
    # Without -P, a folder of the same name where somebody happens to be would be run instead.
    command = [sys.executable, "-P", "-m", "assets.gate.process", str(writing)]
    # What a library prints goes to the log.
    process = subprocess.Popen(  # noqa: S603 (nothing in it comes from elsewhere)
        command, stdin=subprocess.PIPE, stdout=2, pass_fds=[writing], text=True
    )
    os.close(writing)
    with open(reading, encoding="utf-8") as answers:  # noqa: PTH123 (a pipe, which has no path)
        try:
            yield Gate(process, answers)
        finally:
            process.kill()
            process.communicate()


def _serve(answers: int) -> None:
    """Answer until nobody asks any more."""
    # A person who interrupts a run interrupts all of its processes; the first one tells of it.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    from assets.gate.evaluate import evaluate, load  # noqa: PLC0415 (loads what takes seconds)

    load()
    for line in sys.stdin:
        marts, whole = json.loads(line)
        try:
            collection: Collection = pickle.loads(b64decode(whole))  # noqa: S301 (our own)
            found = evaluate(Path(marts), collection)
            answer: dict[str, Any] = {"marts": [asdict(mart) for mart in found]}
        except tuple(_ERRORS.values()) as error:
            answer = {"error": type(error).__name__, "message": str(error)}
        with open(answers, "w", encoding="utf-8", closefd=False) as told:
            print(json.dumps(answer), file=told)


if __name__ == "__main__":
    _serve(int(sys.argv[1]))
