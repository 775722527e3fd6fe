"""The gate in a process of its own: its library takes seconds to load, and others go on meanwhile.

Belongs here: starting it, asking it, ending it. Does not: what it evaluates (engine.py).
"""

import os
import pickle
import signal
import struct
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any, Final, cast

from assets.gate.outcome import MartResult
from schemas.collection import Collection
from schemas.errors import MusterError, ServiceError

Results = tuple[MartResult, ...]

_LENGTH: Final = struct.Struct("!Q")
"""What stands before each message: its length, so that half of one is known for what it is."""


class Gate:
    """Evaluates expectations in another process, which writes nothing."""

    def __init__(self, process: "subprocess.Popen[bytes]") -> None:
        """Ask this process by its standard input; it answers by its standard output."""
        self._process = process
        self._ask, self._answers = cast(IO[bytes], process.stdin), cast(IO[bytes], process.stdout)

    def evaluate(self, marts: Path, collection: Collection) -> Callable[[], Results]:
        """Begin to evaluate what is expected of marts, one folder at a time.

        Args:
            marts: the folder with `<mart>.parquet` of each, which stays until the answer is there.
            collection: their collection.

        Returns:
            A function that waits and returns what came of them. It raises ContractError as
            engine.evaluate does, and ServiceError where the process has ended.
        """
        try:
            _send(self._ask, (marts.absolute(), collection))
        except BrokenPipeError as error:
            raise self._ended() from error
        return self._answer

    def _answer(self) -> Results:
        try:
            answer: Results | MusterError = _receive(self._answers)
        except EOFError as error:
            raise self._ended() from error
        if isinstance(answer, MusterError):
            raise answer
        return answer

    def _ended(self) -> ServiceError:
        return ServiceError(
            "the process that evaluates the expectations has ended by itself (exit code"
            f" {self._process.wait()}; -9: killed, often for want of memory). What it said stands"
            " in the log. The last release stays live; run again."
        )


@contextmanager
def gate_process() -> Iterator[Gate]:
    """Have a gate at hand: it loads its library at once, and ends with this context.

    It ends too when this process is killed, since nobody holds the other end of its pipe then.
    """
    # Without -P, a folder of the same name where somebody happens to be would be run instead.
    command = [sys.executable, "-P", "-m", "assets.gate.process"]
    process = subprocess.Popen(  # noqa: S603 (nothing in it comes from elsewhere)
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    try:
        yield Gate(process)
    finally:
        process.kill()
        process.communicate()


def _send(pipe: IO[bytes], message: Any) -> None:
    """Write a message whole; nothing of it where it cannot be pickled."""
    content = pickle.dumps(message)
    pipe.write(_LENGTH.pack(len(content)) + content)
    pipe.flush()


def _receive(pipe: IO[bytes]) -> Any:
    """Return the next message.

    Raises:
        EOFError: the other process has ended, maybe in the midst of one.
    """
    head = pipe.read(_LENGTH.size)
    if len(head) < _LENGTH.size:
        raise EOFError
    (length,) = _LENGTH.unpack(head)
    content = pipe.read(length)
    if len(content) < length:
        raise EOFError
    return pickle.loads(content)  # noqa: S301 (our own)


def _serve() -> None:
    """Answer until nobody asks any more."""
    # A person who interrupts a run interrupts all of its processes; the first one tells of it.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    # What a library prints must not stand between the answers.
    answers = os.fdopen(os.dup(sys.stdout.fileno()), "wb")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
    from assets.gate.engine import evaluate, load  # noqa: PLC0415 (loads what takes seconds)

    load()
    while True:
        try:
            marts, collection = _receive(sys.stdin.buffer)
        except EOFError:
            return
        try:
            answer: Results | MusterError = evaluate(marts, collection)
        except MusterError as error:
            answer = error
        _send(answers, answer)


if __name__ == "__main__":
    _serve()
