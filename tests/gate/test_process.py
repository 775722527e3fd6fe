"""The gate in a process of its own says what it would say here, and never outlives who asks."""

import gc
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from multiprocessing import Pipe
from pathlib import Path
from typing import Any, cast

import polars as pl
import pytest

from assets.lake import Lake
from assets.release.gate.evaluate import _serve
from assets.release.gate.process import Gate, gate_process
from assets.release.pages import drawn
from assets.release.pages.figures import Edition
from schemas.collection import Collection
from schemas.errors import ServiceError
from schemas.marts import MARTS
from tests.gate.gated import evaluated
from tests.gate.sound import put, sound_mart, write_mart
from tests.test_structure import ROOT

DIES = """
import os, sys
from multiprocessing.connection import Connection
line = Connection(int(sys.argv[1]))
line.recv()
os.write(line.fileno(), (99).to_bytes(4) + b"the first words of an answer")
sys.exit(9)
"""


@contextmanager
def answering(code: str) -> Iterator[tuple[Gate, "subprocess.Popen[bytes]"]]:
    """A gate that asks a process which runs this code, with the number of its line."""
    ours, theirs = Pipe()
    command = [sys.executable, "-c", code, str(theirs.fileno())]
    with subprocess.Popen(command, pass_fds=[theirs.fileno()]) as process:
        theirs.close()
        gate = Gate(process, ours)
        yield gate, process
        gate.end()


@pytest.fixture
def gate() -> Iterator[Gate]:
    with gate_process() as process:
        yield process


@pytest.mark.slow
def test_it_says_what_the_engine_says(
    tmp_path: Path, collection: Collection, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Sets have another order in another process; neither results nor pages may show it."""
    for name, contract in MARTS.items():
        write_mart(tmp_path, name, sound_mart(name, contract, collection))
    broken = sound_mart("investigations", MARTS["investigations"], collection)
    write_mart(tmp_path, "investigations", put(broken, cases=-1).drop_columns(["basis"]))
    found = evaluated(tmp_path, collection)
    monkeypatch.setenv("PYTHONHASHSEED", "1")
    with gate_process() as gate:
        assert gate.evaluate(tmp_path, collection, MARTS)() == found
    told = {one.observed for one in found if one.label == "not checked"}
    assert any("does not exist" in each for each in told)


@pytest.mark.slow
def test_a_process_that_was_killed_is_told(
    gate: Gate, tmp_path: Path, collection: Collection
) -> None:
    _marts(tmp_path)
    answer = gate.evaluate(tmp_path, collection, MARTS)
    os.kill(gate._process.pid or 0, signal.SIGKILL)
    with pytest.raises(ServiceError, match=r"exit code -9.* run again"):
        answer()
    with pytest.raises(ServiceError, match="exit code -9"):
        gate.evaluate(tmp_path, collection, MARTS)()


def test_what_is_asked_is_of_the_collection_as_it_is(
    tmp_path: Path, collection: Collection
) -> None:
    """It cannot be read again from what it writes of itself, nor from a file that has changed."""
    changed = collection.model_copy(update={"forces": ("STF",)})
    _marts(tmp_path)
    questions: list[Any] = []

    class Asked(Gate):
        def _answer(self, asked: Any) -> Any:
            questions.append(asked)

    Asked(cast(Any, None), cast(Any, None)).evaluate(tmp_path, changed, MARTS)
    (question,) = questions
    asked = {mart["name"]: mart for mart in question}
    assert list(asked) == list(MARTS)
    assert asked["cells"]["path"] == str(tmp_path / "cells.parquet")
    codes = [one.arguments.get("value_set") for one in asked["cells"]["suite"].values()]
    assert ["STF"] in codes


def _marts(folder: Path) -> None:
    """Make files that nobody reads."""
    for name in MARTS:
        (folder / f"{name}.parquet").touch()


def test_a_process_that_dies_in_the_midst_of_its_answer_is_told(
    tmp_path: Path, collection: Collection
) -> None:
    """What has come of an answer by then is no answer, nor a fault of reading it."""
    _marts(tmp_path)
    with answering(DIES) as (gate, _):
        answer = gate.evaluate(tmp_path, collection, MARTS)
        with pytest.raises(ServiceError, match=r"exit code 9.* run again"):
            answer()


COUNTS = """
import itertools, sys
from multiprocessing.connection import Connection
line = Connection(int(sys.argv[1]))
for number in itertools.count():
    marts = line.recv()
    line.send([dict.fromkeys(m["suite"], (m["name"] != "survey", str(number), [])) for m in marts])
"""


def test_columns_in_which_all_was_met_are_not_asked_about_again(
    tmp_path: Path, collection: Collection
) -> None:
    names = ("outcome_breakdown", "second_jobs", "survey")
    contracts = {name: MARTS[name] for name in names}
    marts = {name: sound_mart(name, MARTS[name], collection) for name in names}
    lake = Lake(tmp_path / "lake", collection.id)
    with answering(COUNTS) as (gate, _):
        columns: dict[str, set[str | None]] = {}

        def asked_in(of: Collection = collection) -> list[str]:
            """Return for each mart in which questions its answers were given; what fails, always.

            Which columns of second jobs were asked about last is seen in `columns`.
            """
            for name, mart in marts.items():
                write_mart(tmp_path, name, mart)
            found = gate.evaluate(tmp_path, of, contracts, lake)()
            told = [{one.observed for one in found if one.mart == name} for name in names]
            last, jobs = max(map(int, told[1])), [one for one in found if one.mart == names[1]]
            columns["asked"] = {o.expectation.column for o in jobs if o.observed == str(last)}
            return [" ".join(sorted(each)) for each in told]

        assert asked_in() == ["0", "0", "0"]
        assert asked_in() == ["0", "0", "1"]
        marts["second_jobs"] = marts["second_jobs"].replace_schema_metadata({"release": "another"})
        assert asked_in() == ["0", "0", "2"], "the same content, of another release"
        marts["second_jobs"] = put(marts["second_jobs"], count=7)
        assert asked_in() == ["0", "0 3", "3"]
        assert columns["asked"] == {None, "count"}, "None: the names of all columns"
        fewer = collection.model_copy(update={"forces": ("STF",)})
        assert asked_in(fewer) == ["0", "0 3 4", "4"], "other forces are expected in it"
        assert columns["asked"] == {"force_code"}
        marts["second_jobs"] = marts["second_jobs"].append_column("more", marts["second_jobs"][0])
        assert asked_in() == ["0", "5", "5"], "it has another column"
        marts["second_jobs"] = marts["second_jobs"].drop_columns(["more"]).slice(1)
        assert asked_in() == ["0", "6", "6"], "it has fewer rows"
        for path in lake.kept.glob("gate/*"):
            path.write_bytes(b"damaged")
        assert asked_in() == ["7", "7", "7"]


@pytest.mark.slow
def test_it_ends_with_a_process_that_is_killed() -> None:
    """Else each killed run would leave one behind, and it would hold memory for ever."""
    code = (
        "import time\n"
        "from assets.release.gate.process import gate_process\n"
        "if __name__ == '__main__':\n"
        "    with gate_process() as gate:\n"
        "        print(gate._process.pid, flush=True)\n"
        "        time.sleep(60)\n"
    )
    asking = subprocess.Popen(
        [sys.executable, "-c", code], cwd=ROOT, stdout=subprocess.PIPE, text=True
    )
    assert asking.stdout is not None
    number = int(asking.stdout.readline())
    asking.kill()
    asking.wait()
    asking.stdout.close()
    limit = time.monotonic() + 90  # it loads its library before it listens
    while Path(f"/proc/{number}").exists():
        assert time.monotonic() < limit, "the gate outlives the process it was made for"
        time.sleep(0.1)


DRAWS = """
import sys
from multiprocessing.connection import Connection
line = Connection(int(sys.argv[1]))
while True:
    asked = line.recv()
    if isinstance(asked, list):
        line.send([dict.fromkeys(mart["suite"], (True, "met", [])) for mart in asked])
    elif isinstance(asked, dict):
        known = asked["marts"]
        line.send(None)
    else:
        line.send([(f"{len(asked)}.html", b"there")] if known else None)
"""


def test_what_is_drawn_meanwhile_is_taken_only_where_it_has_been_begun(
    tmp_path: Path, collection: Collection, monkeypatch: pytest.MonkeyPatch
) -> None:
    """To draw it here is quicker than to wait for what stands in front of it."""

    def here(_: Edition, part: Sequence[str]) -> list[tuple[str, bytes]]:
        return [(f"{len(part)}.html", b"here")]

    monkeypatch.setattr(drawn, "drawn", here)
    monkeypatch.setattr(drawn, "parts", lambda _: [(), ("AVS",), ("BED", "BTP")])
    write_mart(tmp_path, "survey", sound_mart("survey", MARTS["survey"], collection))
    contracts = {"survey": MARTS["survey"]}
    with answering(DRAWS) as (gate, process):
        os.kill(process.pid, signal.SIGSTOP)
        judged = gate.evaluate(tmp_path, collection, contracts)
        marts, about = {"survey": pl.DataFrame()}, {"collection": collection.id}
        of_one, of_none = Edition(marts, about), Edition({}, about)
        waiting, pages, none = (gate.draw(of) for of in (of_one, of_one, of_none))
        drawn_here = [(f"{number}.html", b"here") for number in (2, 1, 0)]
        assert [*waiting()] == drawn_here
        os.kill(process.pid, signal.SIGCONT)
        assert {one.mart for one in judged()} == {"survey"}
        gate.evaluate(tmp_path, collection, contracts)()  # by then it has come to all before it
        assert [*pages()] == [(name, b"there") for name, _ in drawn_here]
        assert [*none()] == drawn_here, "what fails there is tried here"
        process.kill()
        process.wait()
        assert [*gate.draw(of_one)()] == drawn_here, "nor is it there any more"


def test_an_answer_that_nobody_waits_for_ends_quietly(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("assets.release.gate.evaluate.load", lambda: None)
    monkeypatch.setattr("assets.release.gate.evaluate.evaluate", lambda _: [])
    ours, theirs = Pipe()
    ours.send([])
    ours.close()  # it was killed meanwhile
    with theirs:
        _serve(theirs)
    gc.unfreeze()


@pytest.mark.slow
def test_a_landing_folder_that_cannot_be_listed_ends_no_gate(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It may be of another collection, whose release this is not."""

    def refused(_: Path) -> None:
        raise PermissionError(13, "Permission denied", "landing")

    monkeypatch.setattr("assets.intake.raw_store.read_ahead", refused)
    ours, theirs = Pipe()
    ours.close()  # nobody asks anything
    with theirs:
        _serve(theirs, str(tmp_path))
    gc.unfreeze()
