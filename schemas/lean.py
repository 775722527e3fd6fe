"""Libraries loaded without others that they load wherever these are found, and nobody here uses."""

import importlib.abc
import importlib.util
import sys
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from importlib.machinery import ModuleSpec, PathFinder
from typing import Any


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

    Args:
        absent: it is said of them what is said of those that are not installed.
        later: they are loaded once something of them is used, also after this.
    """
    finder = _Finder(absent, later)
    sys.meta_path.insert(0, finder)
    try:
        yield
    finally:
        sys.meta_path.remove(finder)
