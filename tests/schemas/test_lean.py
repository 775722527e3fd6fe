"""What is said of how little loading and running cost: it is not said of a clock."""

import resource
from collections.abc import Callable
from threading import Thread

from schemas.lean import roomy

CALLS = 100


def plain(function: Callable[[], None]) -> Callable[[], None]:
    return function


def most_asked(start: Callable[[Callable[[], None]], Callable[[], None]]) -> int:
    """Return how often the system was asked for memory by one loop of CALLS, at the worst depth."""
    found = []

    def faults() -> int:
        return resource.getrusage(resource.RUSAGE_THREAD).ru_minflt

    def nothing() -> None: ...

    def below(depth: int) -> None:
        before = faults()
        for _ in range(CALLS):
            nothing()
        found.append(faults() - before)
        if depth:
            below(depth - 1)

    def deep() -> None:
        below(300)

    thread = Thread(target=start(deep))
    thread.start()
    thread.join()
    return max(found)


def test_a_loop_across_the_border_of_two_blocks_of_frames_asks_for_no_memory() -> None:
    assert most_asked(plain) >= CALLS
    assert most_asked(roomy) < CALLS / 10
