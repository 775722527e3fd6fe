"""What is kept saves time and never changes a result: it is noticed when it is not as written."""

import os
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import polars as pl
import pytest

from assets import kept as module
from assets.doctor import space
from assets.kept import frame_made_once, made_once, prune, results
from assets.lake import Lake

_OLD = 40 * 24 * 60 * 60


@pytest.fixture
def empty(tmp_path: Path) -> Lake:
    return Lake(tmp_path, "2012-revisit")


class _Maker:
    """Makes numbered results, to be told apart."""

    def __init__(self) -> None:
        self._made: Iterator[int] = iter(range(100))

    def __call__(self) -> bytes:
        return f"result {next(self._made)}".encode()


def test_what_follows_from_the_same_is_made_once(empty: Lake) -> None:
    make = _Maker()
    assert made_once(empty, "cells", ["a", "b"], make) == b"result 0"
    assert made_once(empty, "cells", ["a", "b"], make) == b"result 0"
    assert made_once(empty, "cells", ["ab"], make) == b"result 1"
    assert made_once(empty, "cells", b"ab", make) == b"result 2"
    assert made_once(empty, "findings", ["a", "b"], make) == b"result 3"
    assert made_once(Lake(empty.root, "another"), "cells", ["a", "b"], make) == b"result 0"


def test_other_software_makes_it_anew(empty: Lake, monkeypatch: pytest.MonkeyPatch) -> None:
    make = _Maker()
    made_once(empty, "cells", ["a"], make)
    monkeypatch.setattr(module, "software", lambda: "another version")
    assert made_once(empty, "cells", ["a"], make) == b"result 1"


@pytest.mark.parametrize("damage", ["cut", "changed", "emptied", "of another", "a folder"])
def test_what_is_damaged_is_noticed_and_made_anew(damage: str, empty: Lake) -> None:
    make = _Maker()
    made_once(empty, "cells", ["a"], make)
    [path] = [each.path for each in results(empty.root)]
    whole = path.read_bytes()
    if damage == "of another":
        made_once(empty, "cells", ["b"], make)
        [other] = [each.path for each in results(empty.root) if each.path != path]
        whole = other.read_bytes()
        other.unlink()
    path.write_bytes(
        {"cut": whole[:-1], "changed": whole[:-1] + b"9", "emptied": b""}.get(damage, whole)
    )
    if damage == "a folder":
        path.unlink()
        path.mkdir()
    number = 2 if damage == "of another" else 1
    assert made_once(empty, "cells", ["a"], make) == b"result %d" % number
    if damage != "a folder":
        assert made_once(empty, "cells", ["a"], make) == b"result %d" % number


def test_a_folder_that_cannot_be_written_costs_time_alone(empty: Lake) -> None:
    empty.work.parent.mkdir(parents=True)
    empty.kept.write_text("no folder")
    make = _Maker()
    assert [made_once(empty, "cells", ["a"], make) for _ in range(2)] == [b"result 0", b"result 1"]


def test_a_table_is_the_same_made_or_kept(empty: Lake) -> None:
    table = pl.DataFrame({"a": [1, None], "b": ["x", "y"]}, schema_overrides={"a": pl.Int64})
    for make in (lambda: table, lambda: pytest.fail("made twice")):
        assert frame_made_once(empty, "tables", ["a"], make).equals(table)


def test_threads_that_ask_at_once_get_whole_results(empty: Lake) -> None:
    with ThreadPoolExecutor(8) as pool:
        keys = [str(number % 4) for number in range(64)]
        found = pool.map(lambda key: made_once(empty, "cells", [key], key.encode), keys)
        assert [*found] == [key.encode() for key in keys]
    assert len([*results(empty.root)]) == 4


def test_what_no_refresh_uses_goes_and_what_is_too_much(
    empty: Lake, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number, name in enumerate("abc"):
        made_once(empty, "cells", [name], _Maker())
        [path] = [each.path for each in results(empty.root) if each.used > time.time() - 9000]
        os.utime(path, (time.time() - _OLD - number,) * 2)
    made_once(empty, "cells", ["a"], _Maker())
    (empty.kept / "cells" / "note.txt").write_text("not ours")
    prune(empty.root)
    assert len([*results(empty.root)]) == 1
    assert (empty.kept / "cells" / "note.txt").exists()
    made_once(empty, "cells", ["d"], _Maker())
    [older, newer] = sorted(results(empty.root), key=lambda each: each.used)
    monkeypatch.setattr(module, "_MOST", newer.size)
    prune(empty.root)
    assert [each.path for each in results(empty.root)] == [newer.path]
    assert older.path != newer.path


def test_what_is_kept_is_not_what_a_run_writes(empty: Lake) -> None:
    made_once(empty, "cells", ["a"], lambda: bytes(3 * 1024**2))
    assert [each.observed.rpartition("; ")[2] for each in space(empty.root)] == [
        "a run writes about 0.0 MB"
    ]
