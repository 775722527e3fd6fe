"""Holds what a test does to an amount of memory."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_PROCESS = Path("/proc/self")


@contextmanager
def bounded(most: int) -> Iterator[None]:
    """Hold what happens meanwhile to so many megabytes beyond what this process has."""
    (_PROCESS / "clear_refs").write_text("5")  # the peak begins anew
    before = _peak()
    yield
    assert _peak() - before < most


def _peak() -> int:
    found = re.search(r"VmHWM:\s+(\d+)", (_PROCESS / "status").read_text())
    assert found
    return int(found[1]) // 1024
