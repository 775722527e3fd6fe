"""A file is taken once it is whole, and what it holds is asked for once."""

import os
from pathlib import Path

import pytest

from assets.cases.store import CaseStore
from assets.intake.arrivals import Look, Memory, look
from assets.intake.landing import being_written, waiting
from assets.intake.raw_store import RawStore
from assets.lake import Lake
from schemas.collection import Collection
from tests.automation.conftest import drop

WAIT = 20.0


def _looks(lake: Lake, *moments: float, memory: Memory | None = None) -> list[Look]:
    """Look at several moments, remembering from one to the next as though runs were asked for."""
    looks = []
    for moment in moments:
        looks.append(look(lake, memory or Memory(), moment, WAIT))
        memory = Memory.from_text(looks[-1].memory.to_text())
    return looks


def test_a_file_is_new_once_it_stood_still_and_then_never_again(lake: Lake) -> None:
    drop(lake.landing, "a.xlsx", "whole")
    first, early, settled, after = _looks(lake, 0, 19, 20, 30)
    assert first.moving == early.moving == ("a.xlsx",)
    assert [len(each.new) for each in (first, early, settled, after)] == [0, 0, 1, 0]
    assert after.moving == ()


def test_a_file_that_grows_between_looks_waits_anew(lake: Lake) -> None:
    """A copy over the network is only seen to grow; its time of change may be kept as it was."""
    drop(lake.landing, "a.xlsx", "half")
    first = look(lake, Memory(), 0, WAIT)
    drop(lake.landing, "a.xlsx", "half and more")
    grown = look(lake, first.memory, 25, WAIT)
    assert (grown.new, grown.moving) == ({}, ("a.xlsx",))
    assert len(look(lake, grown.memory, 45, WAIT).new) == 1


def test_a_file_that_is_open_for_writing_has_not_settled(lake: Lake) -> None:
    """A copy that pauses for longer than files take to settle must not be taken half-way."""
    with (lake.landing / "a.xlsx").open("w") as file:
        file.write("half")
        file.flush()
        _, later = _looks(lake, 0, 1000)
        assert (later.new, later.moving) == ({}, ("a.xlsx",))
        assert waiting(lake.landing).files == ()
        assert [path.name for path in waiting(lake.landing).unfinished] == ["a.xlsx"]
    assert len(look(lake, later.memory, 1000, WAIT).new) == 1


def test_looking_whether_a_file_is_written_survives_a_writer_who_comes_just_then(
    lake: Lake,
) -> None:
    """The kernel signals who holds a lease when a writer comes; by default that ends a process."""
    path = drop(lake.landing, "a.xlsx", "whole")
    writer = os.fork()
    if not writer:
        for _ in range(20_000):
            os.close(os.open(path, os.O_WRONLY))
        os._exit(0)
    while not os.waitpid(writer, os.WNOHANG)[0]:
        being_written(path)
    assert not being_written(path)


def test_what_is_no_plain_file_is_not_opened_to_see_who_writes_it(lake: Lake) -> None:
    """Opening a pipe would wait for ever."""
    os.mkfifo(lake.landing / "pipe.xlsx")
    (lake.landing / "link.xlsx").symlink_to("/dev/zero")
    _, settled = _looks(lake, 0, 20)
    assert len(settled.new) == 2, "the run refuses them, with a reason"


def test_the_same_bytes_are_not_new_under_another_name_or_time(
    lake: Lake, collection: Collection
) -> None:
    path = drop(lake.landing, "a.xlsx", "whole")
    RawStore(lake).take_in([path], collection)
    drop(lake.landing, "b.xlsx", "whole")
    os.utime(path, (2_000_000, 2_000_000))
    assert [each.new for each in _looks(lake, 0, 20, 40)] == [{}, {}, {}]


def test_the_order_and_names_of_files_do_not_change_what_a_run_is_asked_for(lake: Lake) -> None:
    drop(lake.landing, "a.xlsx", "one")
    drop(lake.landing, "b.xlsx", "two")
    first = _looks(lake, 0, 20)[-1]
    (lake.landing / "a.xlsx").rename(lake.landing / "z.xlsx")
    assert _looks(lake, 0, 20)[-1].key == first.key


def test_reports_and_research_are_looked_at_too(lake: Lake) -> None:
    drop(lake.reports, "STF.pdf", "a report")
    drop(lake.landing / "research", "survey_responses.csv", "research")
    assert len(_looks(lake, 0, 20)[-1].new) == 2


def test_a_file_that_cannot_be_opened_is_told_and_taken_once_it_can(
    lake: Lake, monkeypatch: pytest.MonkeyPatch
) -> None:
    drop(lake.landing, "a.xlsx", "whole")
    with monkeypatch.context() as patch:
        patch.setattr(Path, "open", _denied)
        _, closed = _looks(lake, 0, 20)
    assert (closed.new, closed.closed) == ({}, ("a.xlsx",))
    assert len(look(lake, closed.memory, 21, WAIT).new) == 1


def _denied(*_: object) -> None:
    raise PermissionError(13, "Permission denied")


def test_a_clock_that_jumps_back_starts_the_wait_again(lake: Lake) -> None:
    drop(lake.landing, "a.xlsx", "whole")
    looks = _looks(lake, 10_000, 100, 119, 120)
    assert [len(each.new) for each in looks] == [0, 0, 0, 1]


def test_what_was_not_asked_for_is_new_again(lake: Lake) -> None:
    """A run was at work, so nobody was asked; the file must not be forgotten."""
    drop(lake.landing, "a.xlsx", "whole")
    settled = _looks(lake, 0, 20)[-1]
    assert len(look(lake, settled.unasked(), 30, WAIT).new) == 1
    assert look(lake, settled.unasked(), 30, WAIT).oldest == 30


@pytest.mark.parametrize("text", [None, "", "{", "[]", '{"handled": 1}', '{"seen": {}}'])
def test_a_memory_that_cannot_be_read_is_none(text: str | None) -> None:
    assert Memory.from_text(text) == Memory()


def test_an_extract_in_a_folder_of_folders_is_seen(lake: Lake) -> None:
    """Writers of Parquet make a folder for each force; nobody would take it in by itself."""
    drop(lake.landing / "cases" / "force_code=STF" / "month=1", "part-0.parquet", "rows")
    drop(lake.landing / "cases" / "_temporary", "part-1.parquet", "half")
    first, settled, after = _looks(lake, 0, 20, 30)
    assert first.moving == ("part-0.parquet",)
    assert [len(each.new) for each in (first, settled, after)] == [0, 1, 0]


def test_an_extract_that_is_moved_to_its_force_is_new(lake: Lake, collection: Collection) -> None:
    """The advice for a file in a wrong folder is to move it; its bytes are known by then."""
    cases = lake.landing / "cases"
    drop(cases / "force_code=AVS", "a.csv", "rows")
    CaseStore(lake).take_in(collection)
    known, still = _looks(lake, 0, 20)
    assert [len(each.new) for each in (known, still)] == [0, 0]
    (cases / "force_code=STF").mkdir()
    (cases / "force_code=AVS" / "a.csv").rename(cases / "force_code=STF" / "a.csv")
    moved, settled = _looks(lake, 30, 50, memory=still.memory)
    assert [len(each.new) for each in (moved, settled)] == [0, 1]
