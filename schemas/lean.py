"""What loading and running large libraries need not cost, which is a part of each short run."""

import importlib.abc
import importlib.util
import sys
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from importlib.machinery import ModuleSpec, PathFinder
from typing import Any, Final, TypeVar

_ROOM: Final = 135_000
"""Values that a frame says it may hold: 1 MB, so that its block is one of 2 MB."""

_F = TypeVar("_F", bound=Callable[..., Any])


def roomy(function: _F) -> _F:
    """Let the frames of all that a function calls lie in one block of memory, asked for once.

    CPython takes a thread's frames from blocks of 16 KB, and gives one back as soon as its last
    frame ends: a loop that calls across the border of two asks the system for memory with every
    call. A block is larger where its first frame is; what a frame may hold and does not is never
    touched. A refresh has 50,000 such calls, a twelfth of its processor time.
    """
    function.__code__ = function.__code__.replace(co_stacksize=_ROOM)
    return function


class _Finder(importlib.abc.MetaPathFinder):
    def __init__(self, absent: Collection[str], later: Collection[str]) -> None:
        self._absent, self._later = absent, later

    def find_spec(self, fullname: str, path: Any, target: Any = None) -> ModuleSpec | None:
        if fullname in self._absent:
            raise ModuleNotFoundError(f"No module named {fullname!r}", name=fullname)
        spec = PathFinder.find_spec(fullname, path, target) if fullname in self._later else None
        if spec is not None and spec.loader is not None:
            spec.loader = importlib.util.LazyLoader(spec.loader)
        return spec


@contextmanager
def without(absent: Collection[str] = (), later: Collection[str] = ()) -> Iterator[None]:
    """Import without some modules, of those that have not been imported yet.

    Of those in `absent` it is said what is said of those that are not installed; those in `later`
    are loaded once something of them is used, also after this.
    """
    finder = _Finder(absent, later)
    sys.meta_path.insert(0, finder)
    try:
        yield
    finally:
        sys.meta_path.remove(finder)
