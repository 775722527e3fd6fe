"""Releases go by policy, and what somebody may still ask for never goes."""

import json
import os
import tempfile
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner

from assets.doctor import releases
from assets.history import find, kept
from assets.lake import Lake, held, sweep
from assets.marts import write_manifest
from assets.release import retention
from assets.release.publish import show
from assets.release.retention import judged, prune, read_cited
from pipelines.cli.main import muster
from schemas.errors import BusyError, SetupError, UnavailableError

COLLECTION = "2012-revisit"
DAYS = ("2012-04-02", "2012-04-30", "2012-05-01", "2012-05-02", "2012-05-03")
NAMES = tuple(f"{COLLECTION}-{letter * 12}" for letter in "abcde")


def _release(lake: Lake, name: str) -> Path:
    folder = lake.releases / name
    (folder / "public").mkdir(parents=True)
    (folder / "cells.parquet").write_bytes(b"x" * 1000)
    (folder / "public" / "totals.parquet").write_bytes(b"x" * 10)
    made_from = {"live": [], "contract_version": "1"}
    write_manifest(folder, {"release": name, "made_from": made_from})
    return folder


def _record(lake: Lake, entries: list[tuple[str, str]]) -> None:
    lines = [json.dumps({"release": name, "at": f"{day}T10:00:00+00:00"}) for name, day in entries]
    (lake.releases / "shown.jsonl").write_text("".join(f"{line}\n" for line in lines))


@pytest.fixture
def lake(tmp_path: Path) -> Lake:
    """Five releases, the last of which is shown; with --last 1 the policy lets a, c and d go."""
    made = Lake(tmp_path / "lake", COLLECTION)
    folders = [_release(made, name) for name in NAMES]
    show(made, folders[-1])
    _record(made, list(zip(NAMES, DAYS, strict=True)))
    return made


@pytest.fixture
def run(lake: Lake) -> Callable[..., tuple[int, str]]:
    environment = {"MUSTER_LAKE": str(lake.root), "MUSTER_COLLECTIONS": None}

    def invoke(*arguments: str) -> tuple[int, str]:
        result = CliRunner(env=environment).invoke(muster, ["releases", *arguments])
        return result.exit_code, result.stdout or str(result.exception)

    return invoke


def _there(lake: Lake) -> set[str]:
    return {path.name for path in kept(lake)}


Why = Callable[..., dict[str, tuple[str, ...]]]


@pytest.fixture
def why(tmp_path: Path) -> Why:
    """Return why each of the releases a to d is kept, by what was shown when."""

    def ask(
        *shown: tuple[str, str], now: str = "", cited: str = "", last: int = 1
    ) -> dict[str, tuple[str, ...]]:
        lake = Lake(Path(tempfile.mkdtemp(dir=tmp_path)), COLLECTION)
        folders = {letter: _release(lake, f"{COLLECTION}-{letter}") for letter in "abcd"}
        if now:
            show(lake, folders[now])
        _record(lake, [(f"{COLLECTION}-{letter}", day) for letter, day in shown])
        (lake.releases / "cited.txt").write_text(f"{COLLECTION}-{cited}\n" if cited else "")
        return {each.folder.name[-1]: each.why for each in judged(lake, last)}

    return ask


APRIL = tuple(zip("abcd", ("2012-04-01", "2012-04-02", "2012-04-03", "2012-04-04"), strict=True))


def test_what_nothing_speaks_for_goes(why: Why) -> None:
    assert why(*APRIL) == {
        "a": (),
        "b": (),
        "c": (),
        "d": ("last of month 2012-04", "among the last 1"),
    }


def test_the_release_that_is_shown_is_kept_whatever_the_record_says(why: Why) -> None:
    """A run killed between the swap of the link and the record of it."""
    assert why(*APRIL, now="a")["a"] == ("shown now",)
    assert why(*APRIL[1:], now="a")["a"] == ("shown now",)


def test_a_cited_release_is_kept(why: Why) -> None:
    assert why(*APRIL, cited="b")["b"] == ("cited",)


def test_a_release_that_was_never_shown_is_kept(why: Why) -> None:
    assert why(*APRIL[1:])["a"] == ("never shown",)


def test_the_last_of_each_month_is_kept_and_a_year_later_the_same_month_is_another(
    why: Why,
) -> None:
    found = why(("a", "2012-04-01"), ("b", "2012-04-30"), ("c", "2012-05-01"), ("d", "2013-04-01"))
    assert found["a"] == ()
    assert found["b"] == ("last of month 2012-04",)
    assert found["c"] == ("last of month 2012-05",)
    assert found["d"] == ("last of month 2013-04", "among the last 1")


def test_one_that_was_gone_back_to_counts_from_then(why: Why) -> None:
    """Counted from when it was first shown, it would go soon after it was used again."""
    found = why(*APRIL, ("b", "2012-04-05"), last=2)
    assert found["b"] == ("last of month 2012-04", "among the last 2")
    assert found["d"] == ("among the last 2",)
    assert found["c"] == ()


def test_what_is_gone_takes_no_place_from_what_is_there(why: Why) -> None:
    """Else the last of a month would go because a later one was removed by hand."""
    found = why(*APRIL, ("z", "2012-04-29"))
    assert found["d"] == ("last of month 2012-04", "among the last 1")


def test_pruning_twice_removes_nothing_more(lake: Lake) -> None:
    assert [bool(each.why) for each in prune(lake, 1)] == [False, True, False, False, True]
    for _ in range(2):
        left = {path.name for path in lake.releases.iterdir()}
        assert left == {NAMES[1], NAMES[4], "shown.jsonl"}, "nothing is only set aside"
        assert all(each.why for each in prune(lake, 1))


def test_a_release_that_another_collection_is_compared_with_is_kept(lake: Lake) -> None:
    """What stands beside the other's figures could be explained no more."""
    for name in ("2013-revisit-0", "2013-revisit-1"):
        later = lake.root / "releases" / "2013-revisit" / name
        later.mkdir(parents=True)
        made_from = {"live": [], "compared": [[COLLECTION, NAMES[2]]]}
        write_manifest(later, {"release": name, "made_from": made_from})
    why = {each.folder.name: each.why for each in judged(lake, 1)}
    told = [f"2013-revisit-{number} is compared with it" for number in (0, 1)]
    assert [*why[NAMES[2]]] == told
    assert why[NAMES[0]] == ()


def test_the_file_of_cited_releases(tmp_path: Path) -> None:
    path = tmp_path / "cited.txt"
    assert read_cited(path, NAMES) == set(), "no file, nothing cited"
    path.write_text(f"\ufeff{NAMES[0]}\n\n# of the review\n {NAMES[2]}  # page 12\r\n")
    assert read_cited(path, NAMES) == {NAMES[0], NAMES[2]}


def test_a_cited_name_that_is_no_release_is_named_with_its_line(lake: Lake) -> None:
    """A slip of the pen must not let a cited release go."""
    (lake.releases / "cited.txt").write_text(f"# ours\n{NAMES[0][:-1]}\n{NAMES[1]}\nzzz\n")
    for ask in (judged, prune):
        with pytest.raises(SetupError, match=f"line 2, {NAMES[0][:-1]}; line 4, zzz. Correct it"):
            ask(lake, 1)
    assert _there(lake) == set(NAMES)


def test_a_file_of_cited_releases_that_cannot_be_read_is_not_taken_for_none(lake: Lake) -> None:
    (lake.releases / "cited.txt").symlink_to(lake.root / "a share that is not mounted")
    with pytest.raises(SetupError, match=r"cited\.txt: cannot be read"):
        prune(lake, 1)
    assert _there(lake) == set(NAMES)


def test_a_damaged_record_removes_nothing(lake: Lake) -> None:
    (lake.releases / "shown.jsonl").write_text('{"release": "2012-rev')
    prune(lake, 1)
    assert _there(lake) == set(NAMES)


def test_a_release_without_a_readable_manifest_goes_like_any_other(lake: Lake) -> None:
    (lake.releases / NAMES[0] / "manifest.json").write_text("no JSON")
    prune(lake, 1)
    assert NAMES[0] not in _there(lake)


def test_what_is_shown_is_read_once_the_lake_is_held(
    lake: Lake, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Somebody goes back to a release while this waits for the lake."""

    def go_back_meanwhile(root: Path) -> None:
        sweep(root)
        lake.marts.unlink()
        lake.marts.symlink_to(os.path.relpath(lake.releases / NAMES[0], lake.marts.parent))

    monkeypatch.setattr(retention, "sweep", go_back_meanwhile)
    prune(lake, 1)
    assert _there(lake) == {NAMES[0], NAMES[1], NAMES[4]}


@pytest.mark.parametrize("moment", ["to_disk", "sweep"])
def test_killed_in_between_leaves_nothing_broken(
    lake: Lake, moment: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def killed(_: Path) -> None:
        if list(lake.releases.glob(".*.partial")):
            raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(retention, moment, killed)
        with pytest.raises(KeyboardInterrupt):
            prune(lake, 1)
    assert len(list(lake.releases.glob(".*.partial"))) == 3
    assert {each.level for each in releases(lake)} == {"ok"}, "every release is whole"
    assert _there(lake) == {NAMES[1], NAMES[4]}
    with held(lake.root):
        sweep(lake.root)
    assert {path.name for path in lake.releases.iterdir()} == {NAMES[1], NAMES[4], "shown.jsonl"}


def test_a_failure_after_the_first_of_three_leaves_the_others_whole(
    lake: Lake, monkeypatch: pytest.MonkeyPatch
) -> None:
    rename, seen = Path.rename, []

    def fail_at_the_second(path: Path, target: Path) -> Path:
        seen.append(path.name)
        if len(seen) == 2:
            raise PermissionError(13, "Permission denied", str(path))
        return rename(path, target)

    with monkeypatch.context() as patch:
        patch.setattr(Path, "rename", fail_at_the_second)
        with pytest.raises(UnavailableError, match="Permission denied"):
            prune(lake, 1)
    assert _there(lake) == set(NAMES[1:])
    assert {each.level for each in releases(lake)} == {"ok"}
    prune(lake, 1)
    assert _there(lake) == {NAMES[1], NAMES[4]}


def test_a_lake_that_a_run_holds_is_left_alone(
    lake: Lake, run: Callable[..., tuple[int, str]]
) -> None:
    with held(lake.root):
        with pytest.raises(BusyError, match="another run holds the lake"):
            prune(lake, 1)
        assert run("prune", "--last", "1")[0] == 0, "looking needs no lock"
    assert _there(lake) == set(NAMES)


def test_the_command_lists_then_removes_and_a_gone_one_is_said_to_be_pruned(
    lake: Lake, run: Callable[..., tuple[int, str]]
) -> None:
    record = (lake.releases / "shown.jsonl").read_bytes()
    code, printed = run("prune")
    assert (code, "0 releases would go, 0 bytes." in printed) == (0, True), "thirty are kept"
    code, printed = run("prune", "--last", "1")
    assert code == 0
    assert [line.split()[:2] for line in printed.splitlines()[1:6]] == [
        [word, name] for word, name in zip(("go", "keep", "go", "go", "keep"), NAMES, strict=True)
    ]
    assert "shown now, last of month 2012-05, among the last 1" in printed
    assert "3 releases would go" in printed
    assert "--yes removes them" in printed
    listed = json.loads(run("prune", "--last", "1", "--json")[1])
    assert listed["removed"] is False
    assert _there(lake) == set(NAMES), "nothing goes without --yes"
    done = json.loads(run("prune", "--last", "1", "--yes", "--json")[1])
    assert done == {**listed, "removed": True}
    assert done["going"] == 3
    assert done["bytes"] > 3 * 1010
    assert _there(lake) == {NAMES[1], NAMES[4]}
    assert (lake.releases / "shown.jsonl").read_bytes() == record
    assert run("prune", "--last", "1", "--yes") == (0, "0 releases removed, 0 bytes.\n")
    assert [row["release"] for row in json.loads(run("--json")[1])] == [NAMES[1], NAMES[4]]
    assert run("verify")[0] == 0
    for arguments in (("verify", NAMES[0]), ("compare", "aaaa"), ("go-back", NAMES[0])):
        code, printed = run(*arguments)
        assert code == 1
        assert f"{NAMES[0]} was last shown at 2012-04-02T10:00:00+00:00, and was pruned" in printed
    assert run("prune", "--last", "0")[0] == 2


def test_a_release_that_was_removed_is_printed(
    lake: Lake, run: Callable[..., tuple[int, str]]
) -> None:
    bytes_each = judged(lake, 1)[0].size
    code, printed = run("prune", "--last", "1", "--yes")
    assert code == 0
    assert printed.splitlines() == [
        *(f"removed {NAMES[each]}" for each in (0, 2, 3)),
        f"3 releases removed, {3 * bytes_each:,} bytes.",
    ]


def test_a_name_that_nobody_ever_showed_was_not_pruned(lake: Lake) -> None:
    with pytest.raises(SetupError, match=r"there is no release zzz\. There are"):
        find(lake, "zzz")


def test_tables_of_earlier_versions_that_nothing_reads_are_removed(tmp_path: Path) -> None:
    """They say what returns say, and stayed in the lake for ever."""
    intake = tmp_path / "work" / "2012-revisit" / "intake"
    intake.mkdir(parents=True)
    for name in ("raw_cells", "sheet_facts", "receipts"):
        (intake / f"{name}.parquet").touch()
    sweep(tmp_path)
    assert [path.name for path in intake.iterdir()] == ["receipts.parquet"]
